"""The page's work on the accelerator, pack by pack; see `accelerator` for what may be handed over."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from PIL import Image, ImageOps

from stylemask_demo import FaceParameters, Portrait, Reenactor, messages
from stylemask_demo.errors import NoFaceFound
from stylemask_demo.media.videos import read_frames, write_video
from stylemask_demo.reenactor import Driving, Region
from stylemask_demo.ui.accelerator import LONG_WORK, LONGEST_SECONDS, accelerated
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.pictures import Box, thumbnails
from stylemask_demo.ui.progress import Finished, Progress, Report, stream
from stylemask_demo.ui.subjects import Subject, portrait_of

T = TypeVar("T")

SAMPLE_ATTEMPTS = 5  # a face sampled at random is now and then too odd to be found again
PREVIEW_SIDE = 384  # pixels of the longer side of what is seen of a video while it is made
MEASURING_SECONDS = 12  # of work in one piece of a calibration, which asks for twice as many


class Facts(NamedTuple):
    """What the page says of the weights in use."""

    pack: str
    title: str
    resolution: int
    device: str
    face_finder: str
    methods: tuple[str, ...]


class Stages(NamedTuple):
    """What became of one picture: found and aligned, inverted, measured."""

    crop: Image.Image
    inversion: Image.Image
    parameters: FaceParameters
    landmarks_in_photo: np.ndarray  # (68, 2) pixels of the picture given
    faces: tuple[Box, ...]  # boxes of all faces, clearest first
    choice: list[Image.Image]  # small pictures of them, none where there is no choice


@dataclass(frozen=True)
class Computed(Generic[T]):
    """A result, the milliseconds that it took, and the weights that made it."""

    value: T
    milliseconds: float
    facts: Facts


class Compute(NamedTuple):
    """The functions that need the accelerator; the first argument of each is the name of the pack.

    Each returns a Computed; `match`, `drive` and `fit` yield Progress until then.
    """

    reenact: Callable[[str, Subject, Subject, str, float, bool, int | None], Computed[tuple[Image.Image, Image.Image]]]
    stages: Callable[[str, Subject], Computed[Stages]]
    faces: Callable[[str, Image.Image], Computed[tuple[Box, ...]]]
    sample: Callable[[str, int, int | None, float | None], Computed[Image.Image]]
    describe: Callable[[str], Computed[None]]
    match: Callable[[str, Subject, int], Iterator[Progress | Computed[tuple[bytes, Image.Image]]]]
    drive: Callable[[str, Subject | str, str, str, Driving], Iterator[Progress | Computed[None]]]
    measure: Callable[[str, int], Computed[tuple[int, list[np.ndarray]]]]
    fit: Callable[[str, np.ndarray, str], Iterator[Progress | Computed[Any]]]


def create_compute(registry: PackRegistry) -> Compute:
    """Return the accelerator's functions over a registry of packs."""

    @accelerated(registry, seconds=15)
    def reenact(
        pack: str,
        source: Subject,
        target: Subject,
        method: str,
        strength: float,
        into_photo: bool,
        size: int | None = None,
        region: Region = "all",
    ) -> Computed[tuple[Image.Image, Image.Image]]:
        """Return the source (before, with the target's pose and expression), as crops or as whole photos.

        size and region: those of Reenactor.reenact.
        """
        started, reenactor = time.perf_counter(), registry.get(pack)
        who, how = portrait_of(reenactor, source, "source"), portrait_of(reenactor, target, "target")
        result = reenactor.reenact(who, how, method=method, strength=strength, size=size, region=region)
        pair = (who.photo, reenactor.into_photo(who, result)) if into_photo else (who.crop_of(result.width), result)
        return computed(pair, started, reenactor)

    @accelerated(registry, seconds=10)
    def stages(pack: str, subject: Subject) -> Computed[Stages]:
        """Return the Stages of one picture."""
        started, reenactor = time.perf_counter(), registry.get(pack)
        portrait = portrait_of(reenactor, subject)
        boxes = _boxes(reenactor, subject.picture)
        seen = (portrait.crop, portrait.inversion, portrait.parameters, portrait.landmarks_in_photo, boxes)
        choice = thumbnails(portrait.photo, boxes)  # of an animation, the picture that shows them
        return computed(Stages(*seen, choice), started, reenactor)

    @accelerated(registry, seconds=5)
    def faces(pack: str, picture: Image.Image) -> Computed[tuple[Box, ...]]:
        """Return the boxes of all faces of a picture, clearest first."""
        started, reenactor = time.perf_counter(), registry.get(pack)
        return computed(_boxes(reenactor, picture), started, reenactor)

    @accelerated(registry, seconds=10)
    def sample(pack: str, seed: int, like: int | None, truncation: float | None) -> Computed[Image.Image]:
        """Return a random person's picture with a face that is found: the first from `seed` on.

        like and truncation: those of Reenactor.sample, by the pack's first method.
        """
        started, reenactor = time.perf_counter(), registry.get(pack)
        for attempt in range(SAMPLE_ATTEMPTS):
            picture = reenactor.sample(seed + attempt, like, reenactor.methods[0], truncation)
            try:
                reenactor.portrait(picture)
            except NoFaceFound:
                continue
            return computed(picture, started, reenactor)
        raise NoFaceFound(messages.NO_FACE_SAMPLED)

    @accelerated(registry, seconds=5)
    def describe(pack: str) -> Computed[None]:
        """Return nothing but the facts of a pack, which is in memory then."""
        return computed(None, time.perf_counter(), registry.get(pack))

    @accelerated(registry, seconds=60)
    def match(pack: str, source: Subject, steps: int) -> Iterator[Progress | Computed[tuple[bytes, Image.Image]]]:
        """Tune the generator to the source; yield Progress, then (tuned portrait as bytes, its inversion)."""
        started, reenactor = time.perf_counter(), registry.get(pack)

        def tune(report: Report) -> Portrait:
            who = portrait_of(reenactor, source, "source")
            return reenactor.tune(who, steps=steps, progress=lambda done, total, loss: report(done, total))

        for item in stream(tune, LONG_WORK):
            if isinstance(item, Finished):
                yield computed((item.value.to_bytes(), item.value.inversion), started, reenactor)
            else:
                yield item

    @accelerated(registry, seconds=LONGEST_SECONDS)
    def drive(
        pack: str, source: Subject | str, video: str, output: str, how: Driving
    ) -> Iterator[Progress | Computed[None]]:
        """Write the source, or the person of a file, moving as a face in the file `video`, to the file `output`; yield
        Progress.
        """
        started, reenactor = time.perf_counter(), registry.get(pack)
        frames = read_frames(video)  # first: what cannot be used is refused before there is work
        film = read_frames(source) if isinstance(source, str) else source

        def write(report: Report) -> None:
            who = portrait_of(reenactor, film, "source") if isinstance(film, Subject) else film
            pictures = reenactor.drive(who, frames, **vars(how))
            write_video(output, _counted(pictures, frames.count, report), fps=frames.fps, audio_from=video)

        for item in stream(write, LONG_WORK):
            yield computed(None, started, reenactor) if isinstance(item, Finished) else item

    # A calibration would hold a GPU for minutes. In pieces it asks for seconds, and a piece that is refused is all
    # that has to be done again.
    @accelerated(registry, seconds=2 * MEASURING_SECONDS)
    def measure(pack: str, first: int) -> Computed[tuple[int, list[np.ndarray]]]:
        """Return (number of people in all, values of those from `first` on in parts), as many as time allows."""
        started, reenactor = time.perf_counter(), registry.get(pack)
        total, parts = reenactor.calibrator.measure(first)
        values, until = [], time.perf_counter() + MEASURING_SECONDS
        for part in parts:
            values.append(part)
            if time.perf_counter() > until:
                break
        return computed((total, values), started, reenactor)

    @accelerated(registry, seconds=60)
    def fit(pack: str, values: np.ndarray, space: str) -> Iterator[Progress | Computed[Any]]:
        """Fit directions in one space to the values of all people; yield Progress, then a calibration.Fitted."""
        started, reenactor = time.perf_counter(), registry.get(pack)
        for item in stream(lambda report: reenactor.calibrator.fit(values, space, report)):
            yield computed(item.value, started, reenactor) if isinstance(item, Finished) else item

    return Compute(reenact, stages, faces, sample, describe, match, drive, measure, fit)


def _boxes(reenactor: Reenactor, picture: Image.Image) -> tuple[Box, ...]:
    faces = reenactor.faces(picture)
    return tuple((float(face.x0), float(face.y0), float(face.x1), float(face.y1)) for face in faces)


def _counted(pictures: Generator[Image.Image, None, None], total: int, report: Report) -> Iterator[Image.Image]:
    with closing(pictures):
        for done, picture in enumerate(pictures, 1):
            report(done, total, "", _preview(picture))
            yield picture


def _preview(picture: Image.Image) -> Image.Image:
    return ImageOps.contain(picture, (PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.BILINEAR)


def facts_of(reenactor: Reenactor) -> Facts:
    """Return what the page says of the weights of a reenactor."""
    return Facts(
        pack=reenactor.info.name,
        title=reenactor.info.title,
        resolution=reenactor.resolution,
        device="GPU" if reenactor.device.type == "cuda" else reenactor.device.type.upper(),
        face_finder=reenactor.face_finder,
        methods=reenactor.methods,
    )


def computed(value: T, started: float, reenactor: Reenactor) -> Computed[T]:
    """Return a value as Computed, with the time since `started`, in seconds of time.perf_counter."""
    return Computed(value, (time.perf_counter() - started) * 1000, facts_of(reenactor))

"""The page's work on the accelerator: plain CPU data in, plain CPU data out.

On a Space with shared GPUs each of these functions runs in a process of its own that borrows a GPU for at most
the seconds declared; elsewhere `spaces.GPU` leaves them as they are. Three things follow for shared GPUs:

- Nothing may be handed over but pictures, numbers, texts and bytes; files are named by their path.
- What a function changes in memory is gone with its process, so results are what it returns, and a cache in
  here only makes the next call quicker.
- An error that is raised in there arrives without its message. So errors are handed over as what they are,
  and raised on this side.
"""

import dataclasses
import functools
import inspect
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import NamedTuple

import numpy as np
import spaces
from PIL import Image

from stylemask_demo.errors import NoFaceFound, StyleMaskError, UnreadableMedia
from stylemask_demo.faces.finding import Face
from stylemask_demo.faces.parameters import FaceParameters
from stylemask_demo.media.videos import read_frames, write_video
from stylemask_demo.reenactor import Portrait, Reenactor
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.progress import Finished, Progress, Report, stream

SAMPLE_ATTEMPTS = 5  # a face sampled at random is now and then too odd to be found again
LOADING_SECONDS = 30  # more for a pack that is not in memory
LONGEST_SECONDS = 120  # that a visitor without an account may ask for at once
MEASURING_SECONDS = 12  # of work in one piece of a calibration, which asks for twice as many
MATCHES_OPENED = 2  # tuned portraits kept ready for the next call


class Subject(NamedTuple):
    """One face in a picture, as a visitor means it."""

    picture: Image.Image
    face: int = 0  # which of its faces, the clearest first
    matched: bytes | None = None  # the tuned portrait of this face, from `match`


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
    faces: tuple[tuple[float, float, float, float], ...]  # boxes (x0, y0, x1, y1) of all faces, clearest first


class Computed(NamedTuple):
    """A result, the milliseconds that it took, and the weights that made it."""

    value: object
    milliseconds: float
    facts: Facts


class Compute(NamedTuple):
    """The functions that need the accelerator; the first argument of each is the name of the pack.

    Each returns a Computed; `match`, `drive` and `fit` yield Progress until then.
    """

    reenact: Callable[[str, Subject, Subject, str, float, bool], Computed]
    edit: Callable[[str, Subject, float, float, float, bool], Computed]
    stages: Callable[[str, Subject], Computed]
    sample: Callable[[str, int], Computed]
    describe: Callable[[str], Computed]
    match: Callable[[str, Subject, int], Iterator[Progress | Computed]]
    drive: Callable[[str, Subject, str, str, str, float], Iterator[Progress | Computed]]
    measure: Callable[[str, int], Computed]
    fit: Callable[[str, np.ndarray, str], Iterator[Progress | Computed]]


def create_compute(shelf: PackRegistry) -> Compute:
    """Return the accelerator's functions over a shelf of packs."""

    @_accelerated(shelf, seconds=15)
    def reenact(pack: str, source: Subject, target: Subject, method: str, strength: float, into_photo: bool) -> Computed:
        """Return the source (before, with the target's pose and expression), as crops or as whole photos."""
        started, reenactor = time.perf_counter(), shelf.get(pack)
        who, how = _portrait(reenactor, source, "source"), _portrait(reenactor, target, "target")
        _check_method(reenactor, method)
        result = reenactor.reenact(who, how, method=method, strength=strength)
        pair = (who.photo, reenactor.into_photo(who, result)) if into_photo else (who.crop, result)
        return _computed(pair, started, reenactor)

    @_accelerated(shelf, seconds=10)
    def edit(pack: str, source: Subject, yaw: float, pitch: float, smile: float, into_photo: bool) -> Computed:
        """Return the source turned by yaw and pitch (degrees) with its smile changed (-1..1)."""
        started, reenactor = time.perf_counter(), shelf.get(pack)
        _check_method(reenactor, "directions")
        who = _portrait(reenactor, source, "source")
        result = reenactor.edit(who, yaw=yaw, pitch=pitch, smile=smile)
        return _computed(reenactor.into_photo(who, result) if into_photo else result, started, reenactor)

    @_accelerated(shelf, seconds=10)
    def stages(pack: str, subject: Subject) -> Computed:
        """Return the Stages of one picture."""
        started, reenactor = time.perf_counter(), shelf.get(pack)
        portrait = _portrait(reenactor, subject)
        boxes = tuple(_box(face) for face in reenactor.faces(subject.picture))
        seen = (portrait.crop, portrait.inversion, portrait.parameters, portrait.landmarks_in_photo, boxes)
        return _computed(Stages(*seen), started, reenactor)

    @_accelerated(shelf, seconds=10)
    def sample(pack: str, seed: int) -> Computed:
        """Return a random person's picture with a face that is found: the first from `seed` on."""
        started, reenactor = time.perf_counter(), shelf.get(pack)
        for attempt in range(SAMPLE_ATTEMPTS):
            picture = reenactor.sample(seed + attempt)
            try:
                reenactor.portrait(picture)
            except NoFaceFound:
                continue
            return _computed(picture, started, reenactor)
        raise NoFaceFound("No clear face came up this time. Press the button again for another person.")

    @_accelerated(shelf, seconds=5)
    def describe(pack: str) -> Computed:
        """Return nothing but the facts of a pack, which is in memory then."""
        return _computed(None, time.perf_counter(), shelf.get(pack))

    @_accelerated(shelf, seconds=60)
    def match(pack: str, source: Subject, steps: int) -> Iterator[Progress | Computed]:
        """Tune the generator to the source; yield Progress, then (tuned portrait as bytes, its inversion)."""
        started, reenactor = time.perf_counter(), shelf.get(pack)
        portrait = _portrait(reenactor, source, "source")

        def tune(report: Report) -> Portrait:
            return reenactor.tune(portrait, steps=steps, progress=lambda done, total, loss: report(done, total))

        for item in stream(tune):
            if isinstance(item, Finished):
                item = _computed((pickle.dumps(item.value), item.value.inversion), started, reenactor)
            yield item

    @_accelerated(shelf, seconds=LONGEST_SECONDS)
    def drive(
        pack: str, source: Subject, video: str, output: str, method: str, strength: float
    ) -> Iterator[Progress | Computed]:
        """Write the source, moving as the face in the file `video`, to the file `output`; yield Progress."""
        started, reenactor = time.perf_counter(), shelf.get(pack)
        _check_method(reenactor, method)
        who = _portrait(reenactor, source, "source")

        def write(report: Report) -> None:
            try:
                frames = read_frames(video)
                pictures = reenactor.drive(who, frames, method=method, strength=strength)
                write_video(output, _counted(pictures, frames.count, report), fps=frames.fps, audio_from=video)
            except UnreadableMedia as error:  # which names the file by a path that tells the visitor nothing
                raise UnreadableMedia(str(error).replace(f"'{video}'", "The video")) from None

        for item in stream(write):
            yield _computed(None, started, reenactor) if isinstance(item, Finished) else item

    # A calibration would hold a GPU for minutes. In pieces it asks for seconds, and a piece that is refused is all
    # that has to be done again.
    @_accelerated(shelf, seconds=2 * MEASURING_SECONDS)
    def measure(pack: str, first: int) -> Computed:
        """Return (number of people in all, values of those from `first` on in parts), as many as time allows."""
        started, reenactor = time.perf_counter(), shelf.get(pack)
        total, parts = reenactor.measure_people(first)
        values, until = [], time.perf_counter() + MEASURING_SECONDS
        for part in parts:
            values.append(part)
            if time.perf_counter() > until:
                break
        return _computed((total, values), started, reenactor)

    @_accelerated(shelf, seconds=60)
    def fit(pack: str, values: np.ndarray, space: str) -> Iterator[Progress | Computed]:
        """Fit directions in one space to the values of all people; yield Progress, then a calibration.Fitted."""
        started, reenactor = time.perf_counter(), shelf.get(pack)
        for item in stream(lambda report: reenactor.fit_directions(values, space, report)):
            yield _computed(item.value, started, reenactor) if isinstance(item, Finished) else item

    return Compute(reenact, edit, stages, sample, describe, match, drive, measure, fit)


def _accelerated(shelf: PackRegistry, seconds: float) -> Callable[[Callable], Callable]:
    """Return a decorator for functions, or generators, that borrow a GPU for at most `seconds`."""

    def duration(pack: str, *_: object) -> float:
        return seconds if shelf.loaded(pack) else min(seconds + LOADING_SECONDS, LONGEST_SECONDS)

    def decorate(function: Callable) -> Callable:
        @spaces.GPU(duration=duration)
        @functools.wraps(function)
        def work(*arguments):
            try:
                return function(*arguments)
            except StyleMaskError as error:
                return error

        @functools.wraps(function)
        def call(*arguments):
            return _raised(work(*arguments))

        return call

    def decorate_stream(function: Callable) -> Callable:
        @spaces.GPU(duration=duration)
        @functools.wraps(function)
        def work(*arguments):
            try:
                yield from function(*arguments)
            except StyleMaskError as error:
                yield error

        @functools.wraps(function)
        def call(*arguments):
            with closing(work(*arguments)) as items:
                for item in items:
                    yield _raised(item)

        return call

    return lambda function: (decorate_stream if inspect.isgeneratorfunction(function) else decorate)(function)


def _raised(item: object) -> object:
    if isinstance(item, StyleMaskError):
        raise item
    return item


def _portrait(reenactor: Reenactor, subject: Subject, role: str | None = None) -> Portrait:
    """Return the portrait; when there is none, say in which of the pictures."""
    if subject.matched is not None:
        return _in_photo(_opened(subject.matched), subject.picture)
    try:
        return reenactor.portrait(subject.picture, face=subject.face or None)
    except NoFaceFound as error:
        if role is None:
            raise
        raise NoFaceFound(f"In the {role} picture: {error}") from error


@functools.lru_cache(maxsize=MATCHES_OPENED)
def _opened(portrait: bytes) -> Portrait:
    # These bytes come from `match` and have never left this machine.
    return pickle.loads(portrait)


def _in_photo(portrait: Portrait, photo: Image.Image) -> Portrait:
    """Return the portrait as one of the same photo in another size."""
    width, height = portrait.photo.size
    if photo.size == (width, height):
        return portrait
    scale = np.array([photo.width / width, photo.height / height])
    matrix = np.array(portrait.transform.matrix) * scale[:, None]
    matrix[:, 2] += (scale - 1) / 2  # pixel centres are whole numbers in both sizes
    rows = tuple(tuple(map(float, row)) for row in matrix)
    transform = dataclasses.replace(portrait.transform, matrix=rows, photo_size=photo.size)
    return dataclasses.replace(portrait, photo=photo, transform=transform)


def _check_method(reenactor: Reenactor, method: str) -> None:
    if method not in reenactor.methods:
        raise StyleMaskError(
            f"The weights '{reenactor.info.title}' cannot do this by '{method}'. They know: {', '.join(reenactor.methods)}."
        )


def _box(face: Face) -> tuple[float, float, float, float]:
    return float(face.x0), float(face.y0), float(face.x1), float(face.y1)


def _counted(pictures: Iterator[Image.Image], total: int, report: Report) -> Iterator[Image.Image]:
    with closing(pictures):
        for done, picture in enumerate(pictures, 1):
            report(done, total)
            yield picture


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


def _computed(value: object, started: float, reenactor: Reenactor) -> Computed:
    return Computed(value, (time.perf_counter() - started) * 1000, facts_of(reenactor))

"""The pipeline: photo to portrait, portrait to code, code to picture. The only place that joins the parts."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image

from stylemask_demo.caching import Cache
from stylemask_demo.calibration import fitting as calibration
from stylemask_demo.detail.photo_detail import PhotoDetail
from stylemask_demo.driving.following import FaceFollower
from stylemask_demo.driving.smoothing import CodeSmoother
from stylemask_demo.editing.correction import SURE_SMILE, Correction, bearable_smile, motion_change, slider_values
from stylemask_demo.errors import NoFaceFound, WrongSetting
from stylemask_demo.faces.align import CropTransform
from stylemask_demo.faces.detect import FaceFinder, create_face_finder
from stylemask_demo.faces.finding import Face
from stylemask_demo.faces.parameters import FaceParameters
from stylemask_demo.faces.paste import paste_back
from stylemask_demo.generator.inversion import Inverter, OptimisingInverter
from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.generator.synthesis import Synthesis
from stylemask_demo.generator.tuning import STEPS, Progress, tune
from stylemask_demo.media.pictures import content_hash, open_image
from stylemask_demo.media.tensors import to_image, to_images, to_tensor
from stylemask_demo.methods import FaceCode
from stylemask_demo.methods.transfer import Transfer
from stylemask_demo.packs import PackInfo
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.portraits.builder import REMEMBERED, PortraitBuilder, Which
from stylemask_demo.portraits.lazy import Lazy
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.portraits.readers import CompactReader, ParameterReader, PublishedReader

TRUNCATION = 0.7  # of sampled faces towards the mean face; photos are never truncated
MEAN_SAMPLES = 4096
TUNED = 4  # tuned portraits remembered
SMALL = 256  # pixels of pictures that are only read
EDIT_CORRECTIONS = 3  # of sliders: where the head is still, the photo's detail holds a new smile back,
EDIT_STRENGTH = 1.2  # so that a little more is asked for than is missing
FRAMES = 4  # of a video that are worked on at once

T = TypeVar("T")
Subject = Image.Image | Portrait  # a picture of a face, or what is known of it already


class Reenactor:
    """Turns portraits: the source's identity with the target's head pose and expression, or edits of one's own.

    Pictures go in and out as PIL images. Most methods also take a list where they take a picture, and then return a list.
    An instance may serve many visitors at once: nothing about a visitor is kept but a bounded cache by picture content.
    """

    def __init__(self, weights: PackNetworks, device: torch.device, face_finder: FaceFinder, compatibility: bool = False):
        self.device = device
        self.face_finder: str = face_finder.name  # name of the face finder in use
        self._weights, self._finder = weights, face_finder
        generator = weights["generator"]
        with torch.no_grad():  # an inference tensor that is kept could not move to a borrowed GPU
            z = torch.randn(MEAN_SAMPLES, generator.style_dim, generator=torch.Generator().manual_seed(0))
            mean_w = generator.map(z.to(device)).mean(0, keepdim=True)
        self._space = StyleSpace(generator, mean_w, TRUNCATION if compatibility else 1.0)
        self._synthesis = Synthesis(generator)
        invert = Inverter(weights["encoder"], weights["average"] if "average" in weights else None)
        self._reader = self._create_reader()
        self._transfer = Transfer(weights, self._space, invert, self._reader, compatibility)
        self._feedback = (
            Correction(self._shown, generator, weights["encoder"], weights["extractor"])
            if self._transfer.corrects
            else None
        )
        self._details = PhotoDetail(weights["details"], weights["extractor"]) if "details" in weights else None
        # Published encoders are used as published; and at their resolution every step would take seconds.
        for_photos = OptimisingInverter(invert, generator, weights["extractor"]) if self._feedback else invert
        self._portraits = PortraitBuilder(
            face_finder, weights["extractor"], for_photos, self._reader, self.drawn, generator.size
        )
        self._tuned: Cache[tuple[str, int], Portrait] = Cache(TUNED)
        self._at_rest: Cache[tuple[str, str | None], torch.Tensor] = Cache(REMEMBERED)

    @classmethod
    def from_pack(cls, name: str | Path = "synthetic", device: str = "auto", compatibility: bool = False) -> "Reenactor":
        """Loads a pack by name or folder onto "cpu", "cuda" or, by "auto", the best there is.

        With `compatibility` pictures are made as the published programs make them: photos are truncated towards the mean
        face too, which costs likeness, and the direction matrix adds its constant term. Raises PackMissing or PackCorrupt.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        finder = create_face_finder(device)
        return cls(PackNetworks(name, torch.device(device)), torch.device(device), finder, compatibility)

    @property
    def info(self) -> PackInfo:
        """What is known of the pack."""
        return self._weights.info

    @property
    def resolution(self) -> int:
        """Side of the pictures in pixels."""
        return self._space.generator.size

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the reenactment methods that this pack can do."""
        return self._transfer.methods

    def faces(self, image: Image.Image) -> list[Face]:
        """The faces of a picture, the clearest first: box and landmarks in its pixels; none gives an empty list.

        Raises UnreadableMedia for a picture outside of the limits.
        """
        return self._portraits.faces(open_image(image))

    def portrait(self, image: Image.Image | Sequence[Image.Image], face: Which = None) -> Portrait | list[Portrait]:
        """Aligns, inverts and measures a face of a picture, or of each picture of a list.

        `face` is its number in `faces`, or a point (x, y) of the picture near it; without one the clearest is taken. Raises
        UnreadableMedia for a picture outside of the limits and NoFaceFound where there is no such face.
        """
        return _each(image, lambda to_images: self._portraits.of_photos(to_images, face))

    def aligned(self, crops: Sequence[Image.Image]) -> list[Portrait]:
        """Portraits of pictures that are aligned crops of the pack's size already; nothing is remembered of them."""
        whole = CropTransform(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), self.resolution, (self.resolution,) * 2)
        keys = [content_hash(crop) for crop in crops]
        return self._portraits.of_crops([(crop, whole) for crop in crops], crops, keys)

    @torch.inference_mode()
    def reenact(
        self,
        source: Subject | Sequence[Subject],
        target: Subject | Sequence[Subject],
        method: str = "stylemask",
        strength: float = 1.0,
    ) -> Image.Image | list[Image.Image]:
        """The source person with the head pose and expression of the target.

        `strength` goes from 0 (the source as it is) to 1. Lists are paired; a single picture goes with every one of a
        list. Raises ValueError for an unknown method or lists of different lengths, and what `portrait` raises.
        """
        self._transfer.check(method)
        sources, targets = self._all(source), self._all(target)
        who, how = self._transfer.sources(sources, method), self._transfer.targets(targets, method)
        made = self._reenacted(method, who, how, strength, sources)
        return made if _is_list(source) or _is_list(target) else made[0]

    @torch.inference_mode()
    def edit(
        self, source: Subject | Sequence[Subject], yaw: float = 0.0, pitch: float = 0.0, smile: float = 0.0
    ) -> Image.Image | list[Image.Image]:
        """The source turned by `yaw` and `pitch` degrees and its smile changed by `smile` (-1..1), relative to what it is.

        yaw > 0 turns the face to the right of the picture, pitch > 0 looks up. The embedded pack keeps a smile within what
        faces can do. Raises ValueError for a pack that has no directions, and what `portrait` raises.
        """
        self._transfer.check("directions")
        sources = self._all(source)
        changes = [(yaw, pitch, smile)] * len(sources)
        if self._feedback:
            unmoved = torch.cat([self._unmoved(portrait) for portrait in sources])
            changes = [(yaw, pitch, bearable_smile(seen, smile, SURE_SMILE)) for seen in unmoved]
        code = self._transfer.edit(self._transfer.sources(sources, "directions"), changes)
        if self._feedback and (yaw or pitch or smile):  # in the middle the code is the inversion's, to the bit
            change = [motion_change(yaw, pitch, bearable_smile(seen, smile)) for seen in unmoved]
            wanted = unmoved + torch.stack(change).to(unmoved)
            # The other expressions a smile may take along: correcting them would take it back.
            strength = EDIT_STRENGTH * slider_values().to(unmoved)
            code = self._feedback.followed(code, wanted, sources, strength, EDIT_CORRECTIONS)
        made = self._pictures(code, sources)
        return made if _is_list(source) else made[0]

    @torch.inference_mode()
    def sample(
        self, seed: int | Sequence[int], like: Subject | None = None, method: str = "stylemask"
    ) -> Image.Image | list[Image.Image]:
        """A random person; the same seed gives the same person.

        With `like` the person takes head pose and expression from that face by `method`. Raises ValueError for a negative
        seed or an unknown method, and what `portrait` raises.
        """

        def pictures(seeds: list[int]) -> list[Image.Image]:
            w_plus = self._sampled(seeds)
            made = self._synthesis.pictures(self._space.code(w_plus))
            if like is None:
                return made
            who = self._transfer.sampled(w_plus, self._reader.read(made))
            how = self._transfer.targets(self._all(like), method)
            return self._reenacted(method, who, how)

        if like is not None:
            self._transfer.check(method)
        return _each(seed, pictures)

    def drive(
        self, source: Subject, frames: Iterable[Image.Image], method: str = "stylemask", strength: float = 1.0
    ) -> Iterator[Image.Image]:
        """The source with the head pose and expression of each frame of a video (RGB), frame by frame as they come.

        Where the face is and what it does is smoothed over time. A frame without a face repeats the last result; before
        the first face that is the source as it is. Raises ValueError for an unknown method, what `portrait` raises, and
        NoFaceFound at the end of a video without any face.
        """
        self._transfer.check(method)
        return self._driven(self._all(source)[0], iter(frames), method, strength)

    def tune(self, face: Subject, steps: int = STEPS, progress: Progress | None = None) -> Portrait:
        """Bends a copy of the generator towards one face, so that all that is made of it looks more like the person.

        Returns a portrait that carries the changes as `tuning`; the generator that others use stays as it is. `progress` is
        called with the steps done, all steps, and the loss after every step; it may raise `errors.Cancelled` to stop, and
        nothing is kept then. Raises what `portrait` raises.
        """
        portrait = self._all(face)[0]

        def tuned() -> Portrait:
            with torch.inference_mode():
                code = self._space.code(portrait.codes.to(self.device))
            crop = to_tensor([portrait.crop], self.resolution).to(self.device)
            landmarks = torch.from_numpy(portrait.parameters.landmarks[None] / self.resolution).float().to(self.device)
            features = self._weights["extractor"].trunk.maps
            tuning = tune(self._space.generator, code, crop, landmarks, features, steps, progress)
            made = Lazy(lambda: self._synthesis.pictures(code, [tuning])[0])
            return dataclasses.replace(portrait, tuning=tuning, made=made)

        return self._tuned.find((portrait.key, steps), tuned)

    @torch.inference_mode()
    def detailed(self, pictures: Sequence[Image.Image], sources: Sequence[Portrait]) -> list[Image.Image]:
        """Pictures that something else than a method made of the codes of B sources -> the same with the detail of their
        photos, as far as the pack brings it into the results of methods."""
        if not self._details:
            return list(pictures)
        return to_images(self._details(to_tensor(list(pictures), self.resolution).to(self.device), sources))

    def into_photo(self, portrait: Portrait, result: Image.Image) -> Image.Image:
        """The portrait's photo with `result`, a picture made from the portrait, in the place of the face.

        Raises ValueError for a result of another size than the crop.
        """
        still = self._still(portrait)
        now, unmoved = (reading.parameters.landmarks for reading in self._reader.read([result, still]))
        landmarks = portrait.parameters.landmarks
        # Relative to the unmoved face, so that what its inversion gets wrong does not pass for a motion.
        moved = landmarks + now - unmoved
        return paste_back(portrait.photo, result, portrait.crop, portrait.transform, landmarks, moved, still)

    def calibrate(self, samples: int | None = None, progress: calibration.Progress | None = None) -> dict:
        """Fits directions for a pack that came without, and keeps them in its folder; returns how well they do.

        The pack has the method "directions" from then on. `samples` random people are measured, unless given as many as
        suit the device. `progress` is called with the pictures made, all of them, and what is being done; it may raise
        `errors.Cancelled` to stop, and nothing is kept then. See `calibration.Calibration.report`. Raises WrongSetting
        for a pack that has directions of its own.
        """
        if "directions" in self.info.networks and "calibration" not in self.info.settings:
            raise WrongSetting(f"The pack '{self.info.name}' has directions of its own: there is nothing to calibrate.")
        with calibration.calibrating(self.info.folder, progress):
            found = calibration.calibrate(self._space.generator, self._reader, samples, progress)
            calibration.keep(found, self.info.folder)
        self.renew()
        return found.report

    def measure_people(self, first: int = 0) -> tuple[int, Iterator[np.ndarray]]:
        """A piece of a calibration: how many people are measured in all, and where those from `first` on stand.

        See `calibration.measure`.
        """
        samples = calibration.number_of_samples(self.device)
        return samples, calibration.measure(self._space.generator, self._reader, samples, first)

    def fit_directions(self, values: np.ndarray, space: str, progress: Callable[[int, int], None]) -> calibration.Fitted:
        """Another piece: directions in one space; `progress` is called with the pictures made, and all. See
        `calibration.fit`."""
        total = calibration.trial_pictures(self._reader)
        return calibration.fit(self._space.generator, self._reader, values, space, lambda count: progress(count, total))

    def renew(self) -> None:
        """Takes up what was added to the pack's folder since it was loaded, such as directions from a calibration."""
        self._weights.renew()

    def identity(self, picture: Image.Image | Sequence[Image.Image]) -> np.ndarray | list[np.ndarray]:
        """Unit vector (256,) that points the same way for pictures of one person. Raises what `portrait` raises."""
        return _each(picture, lambda pictures: list(self._identities([face.crop for face in self._all(pictures)])))

    def look(self, crops: Sequence[Image.Image]) -> tuple[list[FaceParameters], np.ndarray]:
        """Face parameters and identity vectors (B, 256) of pictures that are aligned crops already, such as results."""
        return [reading.parameters for reading in self._reader.read(crops)], self._identities(crops)

    @torch.inference_mode()
    def _identities(self, crops: Sequence[Image.Image]) -> np.ndarray:
        return self._weights["identity"](to_tensor(list(crops)).to(self.device)).float().cpu().numpy()

    def _all(self, subjects: Subject | Sequence[Subject]) -> list[Portrait]:
        subjects = list(subjects) if _is_list(subjects) else [subjects]
        made = iter(self._portraits.of_photos([face for face in subjects if not isinstance(face, Portrait)]))
        return [face if isinstance(face, Portrait) else next(made) for face in subjects]

    def _driven(
        self, portrait: Portrait, frames: Iterator[Image.Image], method: str, strength: float
    ) -> Iterator[Image.Image]:
        follower, smoother = FaceFollower(self._finder, self._weights["extractor"]), CodeSmoother()
        who, last, found = self._transfer.sources([portrait], method), self._still(portrait), False
        while group := list(islice(frames, FRAMES)):
            crops = [self._followed(follower, frame) for frame in group]
            seen = [crop for crop in crops if crop is not None]
            made = iter(())
            if seen:
                with torch.inference_mode():
                    how = smoother(self._transfer.target_crops(seen, method))
                    made = iter(self._reenacted(method, who, how, strength, [portrait]))
            for crop in crops:
                last = last if crop is None else next(made)
                yield last
            found = found or bool(seen)
        if not found:
            raise NoFaceFound("No face was found in this video. Use one in which a face is seen clearly.")

    def _reenacted(
        self,
        method: str,
        who: FaceCode,
        how: FaceCode,
        strength: float = 1.0,
        sources: Sequence[Portrait] = (),
    ) -> list[Image.Image]:
        """Pictures of B `sources` that follow B targets, or of one for all of the other; random people have no portrait."""
        code = self._transfer(method, who, how, strength)
        if self._feedback:
            code = self._feedback(code, who, how, strength, sources)
        return self._pictures(code, sources)

    def _pictures(self, code: PictureCode, sources: Sequence[Portrait]) -> list[Image.Image]:
        return to_images(self._shown(code, sources))

    def _shown(self, code: PictureCode, sources: Sequence[Portrait]) -> torch.Tensor:
        """Pictures (B, 3, S, S) of B codes, with the detail of the crops of their sources if they have any."""
        made = self._synthesis.tensors(code, [source.tuning for source in sources] or (None,))
        return self._details(made, sources) if self._details and sources else made

    def _still(self, portrait: Portrait) -> Image.Image:
        """The portrait as results show it when nothing moves."""
        return self._pictures(self._space.code(portrait.codes.to(self.device)), [portrait])[0]

    def _unmoved(self, portrait: Portrait) -> torch.Tensor:
        """Head pose and expression of the portrait as results show it when nothing moves, (1, 56)."""
        key = portrait.key, portrait.tuning.key if portrait.tuning else None
        code = self._space.code(portrait.codes.to(self.device))
        return self._at_rest.find(key, lambda: self._feedback.seen(code, [portrait]))

    def _followed(self, follower: FaceFollower, frame: Image.Image) -> Image.Image | None:
        landmarks = follower.landmarks(frame)
        try:
            return None if landmarks is None else self._portraits.cut(frame, landmarks)[0]
        except NoFaceFound:  # it has left the picture
            return None

    def _sampled(self, seeds: Sequence[int]) -> torch.Tensor:
        """W+ codes (B, L, style_dim) of random people."""
        if any(seed < 0 for seed in seeds):
            raise ValueError("A seed is a whole number from 0 on.")
        generator, space = self._space.generator, self._space
        z = torch.cat(
            [torch.randn(1, generator.style_dim, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds]
        )
        # What the style space truncates anyway is not truncated twice.
        return generator.repeat(space.truncate(generator.map(z.to(self.device)), TRUNCATION / space.truncation))

    def _create_reader(self) -> ParameterReader:
        extractor = self._weights["extractor"]
        if "deca" not in self._weights:
            return CompactReader(extractor)
        return PublishedReader(
            self._weights["deca"], extractor, self.info.settings["direction_factors"], self._small_samples
        )

    @torch.inference_mode()
    def _small_samples(self, seeds: Sequence[int]) -> list[Image.Image]:
        """Random people at the size that faces are read at."""
        code = self._space.code(self._sampled(seeds))
        return [to_image(made) for made in self._space.generator.synthesise(*code, min(SMALL, self.resolution))]

    @torch.inference_mode()
    def drawn(self, w_plus: torch.Tensor) -> Image.Image:
        """The picture of one W+ code (1, L, style_dim)."""
        return self._synthesis.pictures(self._space.code(w_plus.to(self.device)))[0]


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _each(value: T | Sequence[T], function: Callable[[list[T]], list]) -> object:
    """Calls a function of lists with a value or a list, and returns one result or a list accordingly."""
    return function(list(value)) if _is_list(value) else function([value])[0]

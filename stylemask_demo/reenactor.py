"""The pipeline: photo to portrait, portrait to code, code to picture. The only place that joins the parts."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image

from stylemask_demo.faces.detect import FaceFinder, create_face_finder
from stylemask_demo.faces.extract import to_tensor
from stylemask_demo.faces.parameters import FaceParameters
from stylemask_demo.inversion import Inverter
from stylemask_demo.methods import Directions, FaceCode, Motion, StyleMask, StyleSpace
from stylemask_demo.packs import PackInfo
from stylemask_demo.portrait import Later, Portrait
from stylemask_demo.portraits import Portraits
from stylemask_demo.reading import CompactReader
from stylemask_demo.recent import Recent
from stylemask_demo.synthesis import Synthesis
from stylemask_demo.tuning import STEPS, Progress, TunedWeights, tune
from stylemask_demo.weights import Weights

TRUNCATION = 0.7  # of sampled faces towards the mean face; photos are never truncated
MEAN_SAMPLES = 4096
MOTIONS = 64  # motion codes remembered
TUNED = 4  # tuned portraits remembered
# The networks of each method.
NEEDED = {
    "stylemask": ("masks",),
    "directions": ("directions",),
    "motion": ("motion_encoder", "motion_mapping"),
}

T = TypeVar("T")
Face = Image.Image | Portrait


class Reenactor:
    """Turns portraits: the source's identity with the target's head pose and expression, or edits of one's own.

    Pictures go in and out as PIL images. Every method also takes a list where it takes a picture, and then returns a list.
    An instance may serve many visitors at once: nothing about a visitor is kept but a bounded cache by picture content.
    """

    def __init__(self, weights: Weights, device: torch.device, face_finder: FaceFinder):
        self.info: PackInfo = weights.info
        self.device = device
        self.face_finder: str = face_finder.name  # name of the face finder in use
        self._weights = weights
        generator = weights["generator"]
        with torch.no_grad():  # an inference tensor that is kept could not move to a borrowed GPU
            z = torch.randn(MEAN_SAMPLES, generator.style_dim, generator=torch.Generator().manual_seed(0))
            self._space = StyleSpace(generator, generator.map(z.to(device)).mean(0, keepdim=True))
        self._synthesis = Synthesis(generator)
        self._reader = CompactReader(weights["extractor"])
        self._portraits = Portraits(
            face_finder, weights["extractor"], Inverter(weights["encoder"]), self._reader, self._drawn, generator.size
        )
        self._motions: Recent[str, torch.Tensor] = Recent(MOTIONS)
        self._tuned: Recent[tuple[str, int], Portrait] = Recent(TUNED)

    @classmethod
    def from_pack(cls, name: str | Path = "synthetic", device: str = "auto") -> "Reenactor":
        """Loads a pack by name or folder onto "cpu", "cuda" or, by "auto", the best there is.

        Raises PackMissing or PackCorrupt.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(Weights(name, torch.device(device)), torch.device(device), create_face_finder(device))

    @property
    def resolution(self) -> int:
        """Side of the pictures in pixels."""
        return self._space.generator.size

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the reenactment methods that this pack can do."""
        return tuple(name for name, keys in NEEDED.items() if all(key in self._weights for key in keys))

    def portrait(self, image: Image.Image | Sequence[Image.Image]) -> Portrait | list[Portrait]:
        """Finds, aligns, inverts and measures the face of a picture, or of each picture of a list.

        Raises UnreadableMedia for a picture outside of the limits and NoFaceFound where no face is seen.
        """
        return _each(image, self._portraits.of_photos)

    @torch.inference_mode()
    def reenact(
        self,
        source: Face | Sequence[Face],
        target: Face | Sequence[Face],
        method: str = "stylemask",
        strength: float = 1.0,
    ) -> Image.Image | list[Image.Image]:
        """The source person with the head pose and expression of the target.

        `strength` goes from 0 (the source's inversion) to 1. Lists are paired; a single picture goes with every one of a
        list. Raises ValueError for an unknown method or lists of different lengths, and what `portrait` raises.
        """
        sources, targets = self._faces(source), self._faces(target)
        made = self._transfer(method, self._code(sources), targets, strength, [face.tuning for face in sources])
        return made if _is_list(source) or _is_list(target) else made[0]

    @torch.inference_mode()
    def edit(
        self,
        source: Face | Sequence[Face],
        yaw: float = 0.0,
        pitch: float = 0.0,
        smile: float = 0.0,
    ) -> Image.Image | list[Image.Image]:
        """The source turned by `yaw` and `pitch` degrees and its smile changed by `smile` (-1..1), relative to what it is.

        yaw > 0 turns the face to the right of the picture, pitch > 0 looks up. Raises ValueError for a pack that has no
        directions, and what `portrait` raises.
        """
        directions = self._method("directions")
        sources = self._faces(source)
        shift = torch.from_numpy(self._reader.shift(yaw, pitch, smile)).to(self.device)
        code = directions.edit(self._code(sources), shift.expand(len(sources), -1))
        made = self._synthesis.pictures(code, [face.tuning for face in sources])
        return made if _is_list(source) else made[0]

    @torch.inference_mode()
    def sample(
        self,
        seed: int | Sequence[int],
        like: Face | None = None,
        method: str = "stylemask",
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
            directions = np.stack([reading.directions for reading in self._reader.read(made)])
            who = FaceCode(w_plus, torch.from_numpy(directions).to(self.device))
            return self._transfer(method, who, self._faces(like))

        return _each(seed, pictures)

    def tune(self, face: Face, steps: int = STEPS, progress: Progress | None = None) -> Portrait:
        """Bends a copy of the generator towards one face, so that all that is made of it looks more like the person.

        Returns a portrait that carries the changes as `tuning`; the generator that others use stays as it is. `progress` is
        called with the steps done, all steps, and the loss after every step; it may raise `errors.Cancelled` to stop, and
        nothing is kept then. Raises what `portrait` raises.
        """
        portrait = self._faces(face)[0]

        def tuned() -> Portrait:
            with torch.inference_mode():
                code = self._space.code(portrait.codes.to(self.device))
            crop = to_tensor([portrait.crop], self.resolution).to(self.device)
            landmarks = torch.from_numpy(portrait.parameters.landmarks[None] / self.resolution).float().to(self.device)
            trunks = [self._weights[key].trunk for key in ("extractor", "identity")]
            tuning = tune(self._space.generator, code, crop, landmarks, trunks, steps, progress)
            made = Later(lambda: self._synthesis.pictures(code, [tuning])[0])
            return dataclasses.replace(portrait, tuning=tuning, made=made)

        return self._tuned.find((portrait.key, steps), tuned)

    def identity(self, picture: Image.Image | Sequence[Image.Image]) -> np.ndarray | list[np.ndarray]:
        """Unit vector (256,) that points the same way for pictures of one person. Raises what `portrait` raises."""

        def identities(pictures: list[Image.Image]) -> list[np.ndarray]:
            return list(self._identities([portrait.crop for portrait in self._portraits.of_photos(pictures)]))

        return _each(picture, identities)

    def look(self, crops: Sequence[Image.Image]) -> tuple[list[FaceParameters], np.ndarray]:
        """Face parameters and identity vectors (B, 256) of pictures that are aligned crops already, such as results."""
        return [reading.parameters for reading in self._reader.read(crops)], self._identities(crops)

    @torch.inference_mode()
    def _identities(self, crops: Sequence[Image.Image]) -> np.ndarray:
        return self._weights["identity"](to_tensor(list(crops)).to(self.device)).float().cpu().numpy()

    def _transfer(
        self,
        method: str,
        who: FaceCode,
        targets: list[Portrait],
        strength: float = 1.0,
        tunings: Sequence[TunedWeights | None] = (None,),
    ) -> list[Image.Image]:
        """Pictures of `who`, moved as the targets; either may be one for all of the other."""
        transfer = self._method(method)
        how = self._code(targets, moving=method == "motion")
        count = max(len(who.w_plus), len(targets))
        if len(who.w_plus) not in (1, count) or len(targets) not in (1, count):
            raise ValueError("Give as many sources as targets, or one of either.")
        code = transfer(_expanded(who, count), _expanded(how, count), strength)
        return self._synthesis.pictures(code, tunings if len(tunings) == count else list(tunings) * count)

    def _method(self, name: str) -> StyleMask | Directions | Motion:
        if name not in self.methods:
            raise ValueError(f"There is no method '{name}' here. Choose one of: {', '.join(self.methods)}.")
        if name == "motion":
            return Motion(self._space, self._weights["motion_mapping"])
        kind, key = {"stylemask": (StyleMask, "masks"), "directions": (Directions, "directions")}[name]
        return kind(self._space, self._weights[key])

    def _faces(self, faces: Face | Sequence[Face]) -> list[Portrait]:
        faces = list(faces) if _is_list(faces) else [faces]
        pictures = [face for face in faces if not isinstance(face, Portrait)]
        made = iter(self._portraits.of_photos(pictures))
        return [face if isinstance(face, Portrait) else next(made) for face in faces]

    def _code(self, portraits: list[Portrait], moving: bool = False) -> FaceCode:
        """What methods know of portraits; their motion only when they are `moving`."""
        w_plus = torch.cat([portrait.codes for portrait in portraits]).to(self.device)
        directions = torch.from_numpy(np.stack([portrait.directions for portrait in portraits])).to(self.device)
        motion = torch.cat([self._motion(portrait) for portrait in portraits]) if moving else None
        return FaceCode(w_plus, directions, motion)

    def _motion(self, portrait: Portrait) -> torch.Tensor:
        """Motion code (1, n, style_dim)."""
        encoder = Inverter(self._weights["motion_encoder"])
        return self._motions.find(portrait.key, lambda: encoder([portrait.crop]))

    def _sampled(self, seeds: Sequence[int]) -> torch.Tensor:
        """W+ codes (B, L, style_dim) of random people."""
        if any(seed < 0 for seed in seeds):
            raise ValueError("A seed is a whole number from 0 on.")
        generator = self._space.generator
        z = torch.cat(
            [torch.randn(1, generator.style_dim, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds]
        )
        return generator.repeat(self._space.truncate(generator.map(z.to(self.device)), TRUNCATION))

    @torch.inference_mode()
    def _drawn(self, w_plus: torch.Tensor) -> Image.Image:
        return self._synthesis.pictures(self._space.code(w_plus.to(self.device)))[0]


def _expanded(code: FaceCode, count: int) -> FaceCode:
    """The codes of one face for `count` faces, or of `count` faces as they are."""
    return FaceCode(*(None if t is None else t.expand(count, *t.shape[1:]) for t in code))


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _each(value: T | Sequence[T], function: Callable[[list[T]], list]) -> object:
    """Calls a function of lists with a value or a list, and returns one result or a list accordingly."""
    return function(list(value)) if _is_list(value) else function([value])[0]

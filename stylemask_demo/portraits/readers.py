"""Reading face parameters from aligned crops, and saying them in the units of the pack's directions."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.batching import in_batches
from stylemask_demo.caching import Lazy
from stylemask_demo.errors import PackCorrupt
from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.crops import FfhqCrop
from stylemask_demo.faces.deca import DecaReader, DirectionScale
from stylemask_demo.faces.detect import FaceFinder
from stylemask_demo.faces.extract import face_parameters, locate, read_twice
from stylemask_demo.faces.finding import find_faces
from stylemask_demo.faces.parameters import DIRECTIONS, FaceParameters, direction_shift, direction_values
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.networks.deca import DecaEncoder
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.trunk import INPUT_SIZE
from stylemask_demo.packs.info import cure
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.packs.recipe import Recipe

PEOPLE = 64  # random people that a smile and a jaw are learned from,
PEOPLE_SIDE = 256  # made as large as this, which is all that is read of them
ANGLES = 3  # yaw, pitch and roll come first
# What DECA's coefficients have no names for is learned from what the extractor reads in the same faces.
LEARNED: dict[str, Callable[[FaceParameters], float]] = {
    "smile": lambda face: face.smile,
    "jaw": lambda face: face.expression["jawOpen"],
}
# By reader of a recipe: what it can say in the units of the pack's directions.
MOVED_BY = {"extractor": frozenset(DIRECTIONS), "deca": frozenset({"yaw", "pitch", *LEARNED})}
# Where the FFHQ crop of a typical face lies in a crop that is never turned, in sides of that.
TYPICAL_QUAD = np.array([[0.05, 0.02], [0.05, 0.91], [0.94, 0.91], [0.94, 0.02]])


class Reading(NamedTuple):
    """One face: its parameters, and where it stands along the 15 directions of the pack."""

    parameters: FaceParameters
    directions: np.ndarray


class ParameterReader(Protocol):
    """Reads aligned crops."""

    def read(self, crops: Sequence[Image.Image]) -> list[Reading]:
        """Parameters of crops (RGB, square, of one size)."""
        ...

    def shift(self, **changes: float) -> np.ndarray:
        """The change (15,) along the directions that changes by name make, of those that the reader names in `MOVED_BY`:
        degrees of angles, coefficients of expressions."""
        ...


class CompactReader:
    """The parameter extractor of the embedded pack."""

    def __init__(self, extractor: ParameterExtractor):
        self.extractor = extractor

    @torch.inference_mode()
    def read(self, crops: Sequence[Image.Image]) -> list[Reading]:
        device = next(self.extractor.parameters()).device
        found = read_twice(self.extractor, to_tensor(crops).to(device))
        return [Reading(p, direction_values(p)) for p in face_parameters(found, crops[0].width)]

    def shift(self, **changes: float) -> np.ndarray:
        return direction_shift(**changes)


class UprightReader(CompactReader):
    """The embedded extractor on crops of other rules than FFHQ's: it reads the FFHQ crop of the face that it finds."""

    def read(self, crops: Sequence[Image.Image]) -> list[Reading]:
        places = [self._landmarks(crop) for crop in crops]
        cuts = [FfhqCrop().cut(crop, points, INPUT_SIZE) for crop, points in zip(crops, places, strict=True)]
        made = []
        for reading, (_, transform) in zip(super().read([upright for upright, _ in cuts]), cuts, strict=True):
            known = reading.parameters
            landmarks = transform.to_photo(known.landmarks - 0.5) + 0.5  # they count from edges, transforms from centres
            landmarks.setflags(write=False)
            (across, _, _), (down, _, _) = transform.matrix
            roll = known.roll - float(np.degrees(np.arctan2(down, across)))
            turned = dataclasses.replace(known, roll=roll, landmarks=landmarks)
            made.append(Reading(turned, direction_values(turned)))
        return made

    def _landmarks(self, crop: Image.Image) -> np.ndarray:
        """The landmarks (68, 2) of the face in the middle of a crop, in its pixels."""
        pixels, typical = np.asarray(crop), TYPICAL_QUAD * crop.width - 0.5
        try:
            landmarks, _ = locate(self.extractor, pixels, typical)
            crop_quad(landmarks)
            return landmarks
        except ValueError:  # eyes and mouth in one place: what is there is not much of a face
            return locate(self.extractor, pixels, typical, rounds=0)[0]


class PublishedReader:
    """DECA's encoder, in the units of a published matrix; landmarks and named expressions are the embedded extractor's.

    `compact` is the extractor's reader, `scale` what the matrix calls a change of DECA's parameters, and `white` what DECA
    is given for white. `find` gives the landmarks (68, 2) that DECA's square is laid around, in pixels of a crop whose
    centres are whole numbers, or None where it sees none: then they are the extractor's. `people` gives pictures of random
    people; what a smile or an open jaw is in DECA's coefficients, which have no names, is learned from them when it is
    asked for.
    """

    def __init__(
        self,
        deca: DecaEncoder,
        compact: CompactReader,
        scale: DirectionScale,
        people: Callable[[Sequence[int]], list[Image.Image]],
        find: Callable[[Image.Image], np.ndarray | None] = lambda crop: None,
        white: float = 1.0,
    ):
        self._deca, self._compact = DecaReader(deca, white), compact
        self._scale, self._people, self._find = scale, people, find
        self._device = next(compact.extractor.parameters()).device
        self._learned = Lazy(self._learn)

    def read(self, crops: Sequence[Image.Image]) -> list[Reading]:
        known = [reading.parameters for reading in self._compact.read(crops)]
        faces = self._deca.read(crops, [self._around(*pair) for pair in zip(crops, known, strict=True)])
        return [
            Reading(
                dataclasses.replace(parameters, yaw=face.yaw, pitch=face.pitch, roll=face.roll),
                self._scale.values(face),
            )
            for parameters, face in zip(known, faces, strict=True)
        ]

    def shift(self, yaw: float = 0.0, pitch: float = 0.0, **expressions: float) -> np.ndarray:
        moved = self._scale.shift(yaw, pitch)
        for name, change in expressions.items():
            if change:
                moved = moved + np.float32(change) * self._learned.get()[name]
        return moved

    def _around(self, crop: Image.Image, known: FaceParameters) -> np.ndarray:
        found = self._find(crop)
        return known.landmarks - 0.5 if found is None else found

    def _learn(self) -> dict[str, np.ndarray]:
        """How the values (15,) of a face change with each of `LEARNED`: their regression on what the extractor reads."""
        people = in_batches(lambda seeds: self.read(self._people(seeds)), range(PEOPLE), self._device)
        values = np.stack([reading.directions for reading in people])
        return {
            name: _regressed(values, [read(reading.parameters) for reading in people]) for name, read in LEARNED.items()
        }


def _regressed(values: np.ndarray, known: list[float]) -> np.ndarray:
    """The change (15,) of values (N, 15) with something known of the same faces."""
    causes = np.array(known, np.float32)
    causes -= causes.mean()
    change = causes @ (values - np.mean(values, 0)) / max(float(causes @ causes), 1e-6)
    change[:ANGLES] = 0  # that some people look up when they smile is no part of smiling
    return np.asarray(change, np.float32)


def create_reader(
    networks: PackNetworks,
    recipe: Recipe,
    finder: FaceFinder,
    people: Callable[[Sequence[int], int], list[Image.Image]],
) -> ParameterReader:
    """The reader of a pack that its recipe asks for.

    `people` gives pictures of random people, of at most so many pixels a side, by their seeds. Raises PackCorrupt when the
    pack is without what the recipe names.
    """
    extractor, reading = networks.extractor, recipe.parameters
    compact = CompactReader(extractor) if recipe.crop.upright else UprightReader(extractor)
    if reading.reader == "extractor":
        return compact
    if networks.deca is None or recipe.directions is None:
        raise PackCorrupt(
            messages.DAMAGED_WEIGHTS,
            f"The recipe of the pack '{networks.info.name}' reads faces by DECA, but it has no network 'deca' or no scale "
            f"of directions. {cure(networks.info.folder)}",
        )

    def find(crop: Image.Image) -> np.ndarray | None:
        faces = find_faces(crop, finder, extractor) if reading.landmarks == "finder" else []
        return faces[0].landmarks if faces else None

    return PublishedReader(
        networks.deca, compact, recipe.directions, lambda seeds: people(seeds, PEOPLE_SIDE), find, reading.white
    )

"""Reading face parameters from aligned crops, and saying them in the units of the pack's directions."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from PIL import Image

from stylemask_demo.batching import in_batches
from stylemask_demo.caching import Lazy
from stylemask_demo.faces.deca import DecaReader, deca_direction_shift, deca_direction_values
from stylemask_demo.faces.extract import face_parameters, read_twice
from stylemask_demo.faces.parameters import FaceParameters, direction_shift, direction_values
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.networks.deca import DecaEncoder
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.packs.networks import PackNetworks

PEOPLE = 64  # random people that a smile is learned from,
PEOPLE_SIDE = 256  # made as large as this, which is all that is read of them
ANGLES = 3  # yaw, pitch and roll come first


class Reading(NamedTuple):
    """One face: its parameters, and where it stands along the 15 directions of the pack."""

    parameters: FaceParameters
    directions: np.ndarray


class ParameterReader(Protocol):
    """Reads aligned crops."""

    def read(self, crops: Sequence[Image.Image]) -> list[Reading]:
        """Parameters of crops (RGB, square, of one size)."""
        ...

    def shift(self, yaw: float, pitch: float, smile: float) -> np.ndarray:
        """The change (15,) along the directions that turns by `yaw` and `pitch` degrees and adds `smile` (-1..1)."""
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

    def shift(self, yaw: float, pitch: float, smile: float) -> np.ndarray:
        return direction_shift(yaw, pitch, smile)


class PublishedReader:
    """DECA's encoder, in the units of the published matrices; landmarks and named expressions are the embedded extractor's.

    `factors` (15,) is what a change of each DECA parameter is multiplied by. `people` gives pictures of random people;
    what a smile is in DECA's coefficients, which have no names, is learned from them when it is first asked for.
    """

    def __init__(
        self,
        deca: DecaEncoder,
        extractor: ParameterExtractor,
        factors: Sequence[float],
        people: Callable[[Sequence[int]], list[Image.Image]],
    ):
        self._deca, self._compact = DecaReader(deca), CompactReader(extractor)
        self._factors, self._people = np.asarray(factors, np.float32), people
        self._device = next(extractor.parameters()).device
        self._smile = Lazy(self._learned_smile)

    def read(self, crops: Sequence[Image.Image]) -> list[Reading]:
        known = [reading.parameters for reading in self._compact.read(crops)]
        faces = self._deca.read(crops, [parameters.landmarks for parameters in known])
        return [
            Reading(
                dataclasses.replace(parameters, yaw=face.yaw, pitch=face.pitch, roll=face.roll),
                deca_direction_values(face, self._factors),
            )
            for parameters, face in zip(known, faces, strict=True)
        ]

    def shift(self, yaw: float, pitch: float, smile: float) -> np.ndarray:
        turn = deca_direction_shift(self._factors, yaw, pitch)
        return turn + np.float32(smile) * self._smile.get() if smile else turn

    def _learned_smile(self) -> np.ndarray:
        """How the values (15,) of a face change as it smiles: their regression on the extractor's smile."""
        people = in_batches(lambda seeds: self.read(self._people(seeds)), range(PEOPLE), self._device)
        values = np.stack([reading.directions for reading in people])
        smiles = np.array([reading.parameters.smile for reading in people], np.float32)
        smiles -= smiles.mean()
        change = smiles @ (values - np.mean(values, 0)) / max(float(smiles @ smiles), 1e-6)
        change[:ANGLES] = 0  # that some people look up when they smile is no part of smiling
        return np.asarray(change, np.float32)


def create_reader(networks: PackNetworks, people: Callable[[Sequence[int], int], list[Image.Image]]) -> ParameterReader:
    """The reader of a pack; `people` gives pictures of random people, of at most so many pixels a side, by their seeds."""
    if networks.deca is None:
        return CompactReader(networks.extractor)
    factors = networks.info.settings["direction_factors"]
    return PublishedReader(networks.deca, networks.extractor, factors, lambda seeds: people(seeds, PEOPLE_SIDE))

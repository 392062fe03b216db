"""How a result's head pose and expression are read, and its codes moved: by the encoder's motion, or along directions."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from stylemask_demo import messages
from stylemask_demo.errors import PackCorrupt
from stylemask_demo.faces.extract import read_twice
from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.media.tensors import to_images
from stylemask_demo.methods.code import motion_values
from stylemask_demo.methods.directions import Directions
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.perception import to_input
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.packs.info import cure
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.packs.recipe import Recipe
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.portraits.readers import ParameterReader, Reading


class Feedback(Protocol):
    """Head pose and expression as values (B, V) of B faces, and codes that show more of them."""

    @property
    def ready(self) -> bool:
        """Whether the pack has what moves codes."""
        ...

    def values(self, faces: Sequence[Portrait | Reading]) -> Tensor:
        """The values (B, V) of faces that were read, on the CPU."""
        ...

    def seen(self, pictures: Tensor, once: bool = False) -> Tensor:
        """The values (B, V) that pictures (B, 3, S, S) in -1..1 show; read `once`, less surely, where that is enough."""
        ...

    def moved(self, code: PictureCode, values: Tensor, space: StyleSpace) -> PictureCode:
        """Codes of B pictures, in a style space, with values (B, V) added."""
        ...


class EncoderFeedback:
    """What the embedded encoder adds for a motion, read by the extractor: V = 56, see `PortraitEncoder.motion_values`."""

    ready = True

    def __init__(self, encoder: PortraitEncoder, extractor: ParameterExtractor):
        self._encoder, self._extractor = encoder, extractor

    def values(self, faces: Sequence[Portrait | Reading]) -> Tensor:
        return motion_values([face.parameters for face in faces])

    def seen(self, pictures: Tensor, once: bool = False) -> Tensor:
        inputs = to_input(pictures)
        shown = self._extractor(inputs) if once else read_twice(self._extractor, inputs)
        return self._encoder.motion_values(shown.euler, shown.expression)

    def moved(self, code: PictureCode, values: Tensor, space: StyleSpace) -> PictureCode:
        moves = space.generator.repeat(self._encoder.motion(values))
        return space.moved(code, moves)


class DirectionFeedback:
    """The pack's own directions, or those of its calibration, and its own reader: V = 15."""

    def __init__(self, networks: PackNetworks, reader: ParameterReader):
        self._networks, self._reader = networks, reader

    @property
    def ready(self) -> bool:
        return self._networks.directions is not None

    def values(self, faces: Sequence[Portrait | Reading]) -> Tensor:
        return torch.from_numpy(np.stack([face.directions for face in faces]))

    def seen(self, pictures: Tensor, once: bool = False) -> Tensor:
        return self.values(self._reader.read(to_images(pictures))).to(pictures.device)

    def moved(self, code: PictureCode, values: Tensor, space: StyleSpace) -> PictureCode:
        assert self._networks.directions is not None
        return Directions(space, self._networks.directions).added(code, values)


def create_feedback(networks: PackNetworks, reader: ParameterReader, recipe: Recipe) -> Feedback | None:
    """What a pack's recipe corrects results by, None where it corrects none.

    `reader` is the pack's. Raises PackCorrupt when the pack is without what the recipe names.
    """
    if recipe.correction is None:
        return None
    if recipe.correction == "directions":
        return DirectionFeedback(networks, reader)
    if not isinstance(networks.encoder, PortraitEncoder):
        raise PackCorrupt(
            messages.DAMAGED_WEIGHTS,
            f"The recipe of the pack '{networks.info.name}' corrects results by its encoder, which tells no motion. "
            f"{cure(networks.info.folder)}",
        )
    return EncoderFeedback(networks.encoder, networks.extractor)

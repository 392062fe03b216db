"""What methods know of faces."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from stylemask_demo.faces.parameters import EXPRESSIONS, FaceParameters
from stylemask_demo.networks.portrait_encoder import PortraitEncoder


class FaceCode(NamedTuple):
    """What a method knows of a batch of faces; None is what it does not ask for, or the pack has no network for.

    `w_plus` (B, L, style_dim) is the code of the inversion, `directions` (B, 15) the place along the face directions,
    `motion` (B, n, style_dim) head pose and expression without who it is, `values` (B, 56) the same as angles and
    coefficients, in the units of the embedded encoder.
    """

    w_plus: Tensor | None = None
    directions: Tensor | None = None
    motion: Tensor | None = None
    values: Tensor | None = None

    @property
    def faces(self) -> int:
        """Number of faces B."""
        return len(next(part for part in self if part is not None))

    def expanded(self, count: int) -> "FaceCode":
        """The codes of one face for `count` faces, or of `count` faces as they are."""
        return FaceCode(*(None if part is None else part.expand(count, *part.shape[1:]) for part in self))


def motion_values(parameters: Sequence[FaceParameters]) -> Tensor:
    """Head pose and expression of B faces in the units of `PortraitEncoder.motion_values`, (B, 56)."""
    euler = torch.tensor([[p.yaw, p.pitch, p.roll] for p in parameters])
    expression = torch.tensor([[p.expression[name] for name in EXPRESSIONS] for p in parameters])
    return PortraitEncoder.motion_values(euler, expression)


def known(part: Tensor | None) -> Tensor:
    """A part of a FaceCode that the method asks for. Raises ValueError where it is missing."""
    if part is None:
        raise ValueError("The method needs a code that was not read.")
    return part

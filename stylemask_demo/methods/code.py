"""What methods know of faces."""

from typing import NamedTuple

from torch import Tensor


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

"""What methods take and what they return."""

from typing import NamedTuple

from torch import Tensor


class FaceCode(NamedTuple):
    """What a method knows of a batch of faces.

    `w_plus` (B, L, style_dim) is the code of the inversion, `directions` (B, 15) the place along the face directions.
    """

    w_plus: Tensor
    directions: Tensor


class PictureCode(NamedTuple):
    """Style codes from which the generator synthesises a picture: one (B, channels) for each layer."""

    styles: list[Tensor]
    rgb_styles: list[Tensor]

"""Style space: the codes from which the generator synthesises pictures, and the way to them from W+."""

from typing import NamedTuple

import torch
from torch import Tensor

from stylemask_demo.networks.stylegan2 import Generator


class PictureCode(NamedTuple):
    """Style codes from which the generator synthesises a picture: one (B, channels) for each layer."""

    styles: list[Tensor]
    rgb_styles: list[Tensor]


class Part(NamedTuple):
    """What is drawn by another code in one place of a face: around some of its landmarks."""

    code: PictureCode
    landmarks: slice


class StyleSpace:
    """The way of a generator from W+ codes to style codes.

    `truncation` below 1 draws every code towards `mean_w` (1, style_dim) on its way.
    """

    def __init__(self, generator: Generator, mean_w: Tensor, truncation: float = 1.0):
        self.generator, self.mean_w, self.truncation = generator, mean_w, truncation

    def truncate(self, w: Tensor, truncation: float) -> Tensor:
        """Codes (..., style_dim) at `truncation` times their distance from the mean."""
        return self.mean_w + truncation * (w - self.mean_w)

    def styles(self, w_plus: Tensor) -> list[Tensor]:
        """W+ (B, L, style_dim) -> style code of each 3x3 convolution, a list of (B, channels)."""
        return self.generator.styles(self._drawn(w_plus))

    def rgb_styles(self, w_plus: Tensor) -> list[Tensor]:
        """W+ (B, L, style_dim) -> style code of each conversion to RGB, a list of (B, channels)."""
        return self.generator.rgb_styles(self._drawn(w_plus))

    def code(self, w_plus: Tensor) -> PictureCode:
        """W+ (B, L, style_dim) -> all that synthesis needs."""
        return PictureCode(self.styles(w_plus), self.rgb_styles(w_plus))

    def moved(self, code: PictureCode, change: Tensor) -> PictureCode:
        """Codes of B pictures, however they were made, plus what a change of W+ (B, L, style_dim) does to them."""
        # The way from W+ to style codes is linear but for a constant.
        still = self.code(torch.zeros_like(change))
        styles, rgb_styles = (
            [style + moved - unmoved for style, moved, unmoved in zip(*parts, strict=True)]
            for parts in zip(code, self.code(change), still, strict=True)
        )
        return PictureCode(styles, rgb_styles)

    def _drawn(self, w_plus: Tensor) -> Tensor:
        return w_plus if self.truncation == 1 else self.truncate(w_plus, self.truncation)

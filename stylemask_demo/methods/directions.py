"""Finding Directions in GAN's Latent Space (Bounareli et al. 2022): a matrix turns parameter changes into code changes."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.methods.code import FaceCode, known
from stylemask_demo.networks.direction_matrix import DirectionMatrix
from stylemask_demo.networks.style_direction_matrix import StyleDirectionMatrix


class Directions:
    """Moves the source's W+ code, or its style codes, by the difference of the face parameters.

    A W+ matrix's `constant` term is added to every code ("always"), as the published program does, to results as far as
    they follow a target ("followed"), or "never".
    """

    def __init__(
        self,
        space: StyleSpace,
        matrix: DirectionMatrix | StyleDirectionMatrix,
        constant: Literal["never", "followed", "always"] = "never",
    ):
        self.space, self.matrix, self.constant = space, matrix, constant

    def __call__(self, source: FaceCode, target: FaceCode, strength: float = 1.0) -> PictureCode:
        """Codes of B source and B target faces -> codes of the results; `strength` 0 gives the sources back."""
        shift = strength * (known(target.directions) - known(source.directions))
        return self._moved(source, shift, strength if self.constant == "followed" else 0.0)

    def edit(self, source: FaceCode, shift: Tensor) -> PictureCode:
        """Codes of B faces moved by `shift` (B, 15) along the face directions."""
        return self._moved(source, shift, 0.0)

    def added(self, code: PictureCode, shift: Tensor) -> PictureCode:
        """Codes of B pictures, however they were made, moved by `shift` (B, 15) along the face directions."""
        if isinstance(self.matrix, StyleDirectionMatrix):
            return PictureCode(move_styles(self.matrix, code.styles, shift), code.rgb_styles)
        change = self.matrix(shift) - self.matrix(torch.zeros_like(shift))  # (B, layers, style_dim)
        finer = self.space.generator.num_latents - self.matrix.num_layers
        return self.space.moved(code, F.pad(change, (0, 0, 0, finer)))

    def _moved(self, source: FaceCode, shift: Tensor, constant: float) -> PictureCode:
        w_plus = known(source.w_plus)
        if isinstance(self.matrix, StyleDirectionMatrix):
            styles = move_styles(self.matrix, self.space.styles(w_plus), shift)
            return PictureCode(styles, self.space.rgb_styles(w_plus))
        return self.space.code(move(self.matrix, w_plus, shift, 1.0 if self.constant == "always" else constant))


def move(matrix: DirectionMatrix, w_plus: Tensor, shift: Tensor, constant: float = 0.0) -> Tensor:
    """W+ codes (B, L, style_dim) moved by `shift` (B, 15): equation 3 of the paper.

    No shift gives no change, unless some of the matrix's `constant` term is added too, 1 for all of it.
    """
    offsets = matrix(shift)
    if constant != 1:
        offsets = offsets - (1 - constant) * matrix(torch.zeros_like(shift))
    layers = matrix.num_layers
    return torch.cat([w_plus[:, :layers] + offsets, w_plus[:, layers:]], 1)


def move_styles(matrix: StyleDirectionMatrix, styles: list[Tensor], shift: Tensor) -> list[Tensor]:
    """Style codes, one (B, channels) for each layer, moved by `shift` (B, 15); layers beyond the matrix stay."""
    offsets = [moved - still for moved, still in zip(matrix(shift), matrix(torch.zeros_like(shift)), strict=True)]
    return [style + offset for style, offset in zip(styles, offsets, strict=False)] + styles[len(offsets) :]

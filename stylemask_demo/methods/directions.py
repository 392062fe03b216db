"""Finding Directions in GAN's Latent Space (Bounareli et al. 2022): a matrix turns parameter changes into code changes."""

import torch
from torch import Tensor

from stylemask_demo.methods.code import FaceCode, PictureCode, StyleSpace
from stylemask_demo.networks.directions import DirectionMatrix


class Directions:
    """Moves the source's W+ code by the difference of the face parameters."""

    def __init__(self, space: StyleSpace, matrix: DirectionMatrix):
        self.space, self.matrix = space, matrix

    def __call__(self, source: FaceCode, target: FaceCode, strength: float = 1.0) -> PictureCode:
        """Codes of B source and B target faces -> codes of the results; `strength` 0 gives the sources back."""
        return self.edit(source, strength * (target.directions - source.directions))

    def edit(self, source: FaceCode, shift: Tensor) -> PictureCode:
        """Codes of B faces moved by `shift` (B, 15) along the face directions."""
        return self.space.code(move(self.matrix, source.w_plus, shift))


def move(matrix: DirectionMatrix, w_plus: Tensor, shift: Tensor) -> Tensor:
    """W+ codes (B, L, style_dim) moved by `shift` (B, 15): equation 3 of the paper, no shift gives no change."""
    offsets = matrix(shift) - matrix(torch.zeros_like(shift))
    layers = matrix.num_layers
    return torch.cat([w_plus[:, :layers] + offsets, w_plus[:, layers:]], 1)

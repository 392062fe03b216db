"""The average latent that published encoders predict codes relative to."""

import torch
from torch import Tensor, nn


class LatentAverage(nn.Module):
    """Holds the average W+ code (num_latents, style_dim) of a generator, and turns codes relative to it into codes."""

    latent: Tensor

    def __init__(self, num_latents: int, style_dim: int = 512) -> None:
        super().__init__()
        self.register_buffer("latent", torch.zeros(num_latents, style_dim))

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B, L, style_dim) as an encoder predicts them -> W+ codes (B, L, style_dim)."""
        return codes + self.latent

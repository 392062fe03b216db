"""Mapping network of Pose and Expression Transfer (Jahoda and Cech 2022)."""

import torch
from torch import Tensor, nn


class MotionMapping(nn.Module):
    """Join an identity code and a motion code into the W+ code of the reenacted face by one linear layer."""

    def __init__(self, num_latents: int = 18) -> None:
        super().__init__()
        self.num_latents = num_latents
        width = num_latents * 512
        self.linear_relu = nn.Sequential(nn.Linear(2 * width, width))

    def forward(self, identity: Tensor, motion: Tensor) -> Tensor:
        """Map W+ of the source and motion of the target to W+ of the result, all (B, num_latents, 512)."""
        joined = torch.cat((identity.flatten(1), motion.flatten(1)), 1)  # (B, 2 * num_latents * 512)
        return self.linear_relu(joined).unflatten(1, (self.num_latents, 512))  # (B, num_latents, 512)

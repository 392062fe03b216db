"""Encoder of the embedded pack: a face crop to a code in W+."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.trunk import INPUT_SIZE, ExactLinear, Trunk, dense

ANGLE = 20.0  # degrees that are one unit of motion values
COARSE_SIZE = 32  # pixels of the reduced picture that the encoder reads colours from


class PortraitEncoder(nn.Module):
    """Face crop -> code in W of the generator: what a portrait looks like, plus its motion.

    Motion is head pose and expression as a parameter extractor reads them, turned into a code by one linear layer, so that
    the rest of the code need not hold it.
    """

    input_size = INPUT_SIZE

    def __init__(self, num_latents: int, style_dim: int = 512) -> None:
        super().__init__()
        self.num_latents = num_latents
        self.trunk = Trunk()
        # Colours, light and background, which the trunk of the parameter extractor has learned to look past.
        self.appearance = nn.Sequential(nn.Flatten(), *dense(3 * COARSE_SIZE**2, Trunk.features))
        self.still = ExactLinear(2 * Trunk.features, style_dim)
        self.reader = ParameterExtractor()
        self.motion = ExactLinear(3 + self.reader.split[0], style_dim, bias=False)

    def look(self, picture: Tensor) -> Tensor:
        """Picture (B, 3, 128, 128) in -1..1 -> the part of w (B, style_dim) that is not motion."""
        coarse = F.avg_pool2d(picture, picture.shape[-1] // COARSE_SIZE)
        return self.still(torch.cat([self.trunk(picture), self.appearance(coarse)], 1))

    @staticmethod
    def motion_values(euler: Tensor, expression: Tensor) -> Tensor:
        """Angles (B, 3) in degrees and coefficients (B, 53) -> input (B, 56) of the linear layer `motion`."""
        return torch.cat([euler / ANGLE, expression], 1)

    @staticmethod
    def angles(values: Tensor) -> Tensor:
        """Motion values (..., 56) -> angles (..., 3) in degrees."""
        return values[..., :3] * ANGLE

    def forward(self, picture: Tensor) -> Tensor:
        """Picture (B, 3, 128, 128) in -1..1 -> W+ code (B, num_latents, style_dim)."""
        read = self.reader(picture)
        w = self.look(picture) + self.motion(self.motion_values(read.euler, read.expression))
        return w[:, None].repeat(1, self.num_latents, 1)

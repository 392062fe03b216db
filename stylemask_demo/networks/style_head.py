"""The head that turns a feature map into one 512-wide style vector (pSp, Richardson et al. 2021)."""

import math

from torch import Tensor, nn

from stylemask_demo.networks.stylegan2 import EqualLinear


class StyleHead(nn.Module):
    """Halve a square feature map with strided convolutions until one pixel is left, then map it linearly.

    Args:
        width: channels in and out.
        resolution: side of the feature map in pixels, a power of two.
    """

    def __init__(self, width: int, resolution: int):
        super().__init__()
        layers = []
        for _ in range(int(math.log2(resolution))):
            layers += [nn.Conv2d(width, width, 3, 2, 1), nn.LeakyReLU()]
        self.convs = nn.Sequential(*layers)
        self.linear = EqualLinear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, width, resolution, resolution) to a style (B, width)."""
        return self.linear(self.convs(x).flatten(1))  # (B, width)

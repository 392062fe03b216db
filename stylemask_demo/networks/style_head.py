"""The head that turns a feature map into one 512-wide style vector (pSp, Richardson et al. 2021)."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from stylemask_demo.networks.stylegan2_layers import EqualLinear


def halving_patches(x: Tensor) -> Tensor:
    """What a 3x3 convolution of stride two and padding one sees: (B, C, H, W), even sides -> (B, H/2, W/2, 3, 3, C)."""
    # Even sides are never padded below and to the right.
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 0, 1, 0))
    return padded.unfold(1, 3, 2).unfold(2, 3, 2).permute(0, 1, 2, 4, 5, 3).contiguous()


class StyleHead(nn.Module):
    """Halve a square feature map with strided convolutions until one pixel is left, then map it linearly.

    `width` is the number of channels in and out, `resolution` the side of the feature map in pixels, a power of two.

    The convolutions are matrix products of patches. Their weights are large and their pictures small: to convolve, a CPU
    rearranges all weights each time, which takes a third as long as the arithmetic.
    """

    def __init__(self, width: int, resolution: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(int(math.log2(resolution))):
            layers += [nn.Conv2d(width, width, 3, 2, 1), nn.LeakyReLU()]
        self.convs = nn.Sequential(*layers)
        self.linear = EqualLinear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, width, resolution, resolution) to a style (B, width)."""
        return self.from_patches(halving_patches(x))

    def from_patches(self, patches: Tensor) -> Tensor:
        """Map a feature map's `halving_patches`, which heads on one map can share, to a style (B, width)."""
        *convolutions, last = (layer for layer in self.convs if isinstance(layer, nn.Conv2d))
        for convolution in convolutions:
            patches = halving_patches(_halved(convolution, patches))
        return self.linear(_halved(last, patches).flatten(1))  # (B, width)


def _halved(convolution: nn.Conv2d, patches: Tensor) -> Tensor:
    """The convolution of the map that the patches (B, H, W, 3, 3, C) are of, and its leaky ReLU: (B, width, H, W)."""
    weight = convolution.weight.permute(0, 2, 3, 1).flatten(1)  # (width, 9 C)
    y = F.linear(patches.flatten(3), weight, convolution.bias)
    return F.leaky_relu(y).permute(0, 3, 1, 2)

"""A U-Net: maps of several sizes, down and up again."""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.2, inplace=True))


def cells(pictures: Sequence[Tensor], maps: Sequence[Tensor], side: int) -> Tensor:
    """Pictures (B, C, H, W), of which `side` x `side` pixels become the channels of a cell, and beside them maps of cells.

    They are as convolutions take them here, in their precision and channels last: these would convert them more slowly.
    """
    device = pictures[0].device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else pictures[0].dtype
    whole = torch.cat([picture.to(dtype) for picture in pictures], 1).contiguous(memory_format=torch.channels_last)
    others = [part.to(dtype).contiguous(memory_format=torch.channels_last) for part in maps]
    return torch.cat([F.pixel_unshuffle(whole, side), *others], 1)


class UNet(nn.Module):
    """Maps of as many sizes as there are widths, down and up again, with shortcuts (Ronneberger et al. 2015)."""

    def __init__(self, inputs: int, widths: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(widths))
        self.first = _convolution(inputs, widths[0])
        self.down = nn.ModuleList(nn.Sequential(_convolution(a, b, 2), _convolution(b, b)) for a, b in pairs)
        self.up = nn.ModuleList(_convolution(a + b, a) for a, b in reversed(pairs))
        self.last = nn.Conv2d(widths[0], outputs, 3, 1, 1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W), zero at first; H and W can be halved for each width but the first."""
        maps = [self.first(x)]
        for down in self.down:
            maps.append(down(maps[-1]))
        x = maps.pop()
        for up in self.up:
            x = up(torch.cat([maps.pop(), F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)], 1))
        return self.last(x)

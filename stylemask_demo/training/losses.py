"""Losses that more than one network is trained with."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stylemask_demo.networks.compact import INPUT_SIZE, Trunk


def importance(landmarks: Tensor, size: int) -> Tensor:
    """How much each pixel of an aligned crop matters: the head more than the background, eyes and mouth most.

    `landmarks` (B, 68, 2) as fractions of the crop -> (B, 1, size, size), mean one.
    """
    axis = (torch.arange(size) + 0.5) / size
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)  # (size, size, 2)

    def bump(centre: Tensor, radius: float) -> Tensor:
        return torch.exp(-(grid - centre[:, None, None]).square().sum(-1) / (2 * radius**2))

    eyes = bump(landmarks[:, 36:42].mean(1), 0.05) + bump(landmarks[:, 42:48].mean(1), 0.05)
    weight = 0.25 + bump(landmarks.mean(1), 0.28) + 1.5 * (eyes + bump(landmarks[:, 48:60].mean(1), 0.06))
    return (weight / weight.mean((1, 2), keepdim=True))[:, None]


def edges(pictures: Tensor) -> Tensor:
    """Horizontal and vertical differences, (B, 3, H, W) -> (B, 6, H - 1, W - 1)."""
    corner = pictures[..., :-1, :-1]
    return torch.cat([pictures[..., :-1, 1:] - corner, pictures[..., 1:, :-1] - corner], 1)


def at_most_input(pictures: Tensor) -> Tensor:
    """Pictures (B, 3, S, S), reduced where they are larger than the compact networks read."""
    return F.avg_pool2d(pictures, max(1, pictures.shape[-1] // INPUT_SIZE))


def to_input(pictures: Tensor) -> Tensor:
    """Pictures (B, 3, S, S) at the size that the compact networks read, (B, 3, 128, 128)."""
    pictures = at_most_input(pictures)
    if pictures.shape[-1] == INPUT_SIZE:
        return pictures
    return F.interpolate(pictures, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear", align_corners=False)


def feature_distance(trunk: Trunk, made: Tensor, true: Tensor) -> Tensor:
    """Perceptual distance in the feature maps of a frozen trunk, each scaled to unit vectors (Zhang et al. 2018).

    `made`, `true` (B, 3, S, S) -> scalar. Gradients flow into `made` only.
    """
    with torch.no_grad():
        targets = trunk.maps(true)
    found = trunk.maps(made)
    return sum(
        (F.normalize(f, dim=1) - F.normalize(t, dim=1)).square().sum(1).mean()
        for f, t in zip(found, targets, strict=True)
    )

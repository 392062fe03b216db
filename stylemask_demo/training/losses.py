"""Losses that more than one network is trained with."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.perception import BACKGROUND, importance, map_distance, to_input


def reconstruction(made: Tensor, true: Tensor, landmarks: Tensor, background: float = BACKGROUND) -> dict[str, Tensor]:
    """How far pictures (B, 3, S, S) are from the true ones, pixel by pixel, most where it matters most.

    `landmarks` (B, 68, 2) of the true pictures as fractions of the crop; `background` as for `importance`.
    """
    weight = importance(landmarks, true.shape[-1], background)
    difference = F.avg_pool2d(made, 4) - F.avg_pool2d(true, 4)
    return {
        "pixel": (weight * (made - true).abs()).mean() * 6,
        "coarse": (F.avg_pool2d(weight, 4) * difference.abs()).mean() * 4,
        "edges": (weight[..., 1:, 1:] * (edges(made) - edges(true)).abs()).mean() * 4,
    }


def edges(pictures: Tensor) -> Tensor:
    """Horizontal and vertical differences, (B, 3, H, W) -> (B, 6, H - 1, W - 1)."""
    corner = pictures[..., :-1, :-1]
    return torch.cat([pictures[..., :-1, 1:] - corner, pictures[..., 1:, :-1] - corner], 1)


def parameter_distance(extractor: ParameterExtractor, made: Tensor, true: Tensor) -> dict[str, Tensor]:
    """How differently a frozen extractor sees two batches of pictures (B, 3, S, S); gradients flow into `made` only."""
    with torch.no_grad():
        true_maps = extractor.trunk.maps(to_input(true))
        target = extractor.read(true_maps)
    maps = extractor.trunk.maps(to_input(made))
    found = extractor.read(maps)
    pose = (found.euler - target.euler).abs().mean() / 5
    landmarks = (found.landmarks - target.landmarks).abs().mean() * 120
    expression = (found.expression - target.expression).square().mean() * 20
    return {"features": map_distance(maps, true_maps), "parameters": pose + landmarks + expression}


def identity_distance(network: IdentityNetwork, made: Tensor, true: Tensor) -> dict[str, Tensor]:
    """How differently a frozen identity network sees two batches of pictures; gradients flow into `made` only."""
    with torch.no_grad():
        true_maps = network.trunk.maps(to_input(true))
        target = network.read(true_maps)
    maps = network.trunk.maps(to_input(made))
    cosine = (network.read(maps) * target).sum(1)
    return {"features": map_distance(maps, true_maps), "identity": (1 - cosine).mean()}


def exposure(pictures: Tensor) -> Tensor:
    """Mean and deviation of each colour, (B, 3, H, W) -> (B, 6): a smile must not change the light."""
    return torch.cat([pictures.mean((2, 3)), pictures.std((2, 3))], 1)

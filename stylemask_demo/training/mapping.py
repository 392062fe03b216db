"""Changes of coordinates of W, after which every encoded picture is the same as before.

One lets the generator learn of what codes hardly tell. The other gives it its mapping from z, without training: codes
of real pictures tell what it must be. There w is shifted to be positive; then the mapping network is linear, and draws from
the normal distribution that fits the codes.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.networks.stylegan2_layers import EqualLinear
from stylemask_demo.training.data import Faces

LEAST_DEVIATION, LARGEST_GAIN = 0.3, 50.0  # of codes along their principal axes, once they are amplified
DEVIATIONS = 5.0  # standard deviations from zero at which the shifted codes lie


def fit_mapping(generator: Generator, encoder: PortraitEncoder, faces: Faces, most: int = 3000) -> None:
    """Changes both networks in place so that z, standard normal, maps to codes like those of `faces`."""
    w = read_all(encoder, faces, faces.spread(most))[:, 0]
    shift = DEVIATIONS * w.std(0) - w.mean(0)
    shift_codes(generator, encoder, shift)
    set_normal_mapping(generator, w + shift)


@torch.no_grad()
def amplify_codes(generator: Generator, encoder: PortraitEncoder, faces: Faces, most: int = 1500) -> None:
    """Changes both networks in place so that codes vary more along the axes along which they hardly do.

    Codes of a young encoder differ along some twenty of 512 axes, and the generator learns along those alone.
    """
    looks = read_all(encoder.look, faces, faces.spread(most))
    variances, axes = torch.linalg.eigh(torch.cov(looks.T).double())
    gains = (LEAST_DEVIATION / variances.clamp_min(1e-12).sqrt()).clamp(1.0, LARGEST_GAIN)
    there, back = ((axes * gains**power @ axes.T).to(looks) for power in (1, -1))
    for layer in (encoder.still, encoder.motion):
        layer.weight.copy_(there @ layer.weight)
    encoder.still.bias.copy_(there @ encoder.still.bias)
    for _, modulation in modulations(generator):
        modulation.weight.copy_(modulation.weight @ back)


@torch.no_grad()
def read_all(read: Callable[[Tensor], Tensor], faces: Faces, rows: np.ndarray, batch: int = 64) -> Tensor:
    """What `read` gives for the pictures in N rows, (N, ...), of batches (B, 3, 128, 128)."""
    parts = np.array_split(rows, math.ceil(len(rows) / batch))
    return torch.cat([read(faces.batch(part, 128)) for part in parts])


def modulations(generator: Generator) -> list[tuple[int, EqualLinear]]:
    """Every modulation layer with the index of the W+ layer that it reads."""
    users = [(i, layer.conv.modulation) for i, layer in enumerate(generator.layers)]
    return users + [(2 * i + 1, layer.conv.modulation) for i, layer in enumerate(generator.rgb_layers)]


@torch.no_grad()
def shift_codes(generator: Generator, encoder: PortraitEncoder, shift: Tensor) -> None:
    """Adds `shift` (D,) to all codes w."""
    encoder.still.bias.add_(shift)
    for _, modulation in modulations(generator):
        modulation.bias.sub_(modulation.scale * modulation.weight @ shift)


@torch.no_grad()
def set_normal_mapping(generator: Generator, codes: Tensor) -> None:
    """Sets the mapping so that component k of z moves along principal axis k of the positive `codes` (N, D)."""
    centre = codes.mean(0)
    _, _, axes = torch.linalg.svd(codes - centre, full_matrices=False)  # (K, D), strongest first
    spread = torch.zeros(len(centre), len(centre))
    spread[: len(axes)] = axes * ((codes - centre) @ axes.T).std(0)[:, None]
    lift = 6.0  # keeps every component positive, where a leaky ReLU is linear
    *first, last = (layer for layer in generator.style if isinstance(layer, EqualLinear))
    for i, layer in enumerate(first):
        layer.weight.copy_(torch.eye(len(centre)) / math.sqrt(2) / layer.scale)
        layer.bias.fill_((lift if i == 0 else 0.0) / math.sqrt(2) / layer.rate)
    last.weight.copy_(spread.T / math.sqrt(2) / last.scale)
    last.bias.copy_((centre - lift * spread.sum(0)) / math.sqrt(2) / last.rate)

"""Gives the generator its mapping from z, without training: codes of real pictures tell what it must be.

Three exact changes of coordinates, after which every encoded picture is the same as before: what the encoder's offsets have
in common with w moves into the modulation layers, so that w alone is a good code; w is shifted to be positive; and there
the mapping network is linear and draws from the normal distribution that fits the codes.
"""

import math

import numpy as np
import torch
from torch import Tensor

from stylemask_demo.networks.compact import LatentEncoder
from stylemask_demo.networks.stylegan2 import EqualLinear, Generator
from stylemask_demo.training.data import Faces

RIDGE = 0.02  # regularisation of the offsets' regression, in units of the mean variance of w
DEVIATIONS = 5.0  # standard deviations from zero at which the shifted codes lie


def fit_mapping(generator: Generator, encoder: LatentEncoder, faces: Faces) -> None:
    """Changes both networks in place so that z, standard normal, maps to codes like those of `faces`."""
    w, offsets = encode_all(encoder, faces)
    slopes, constants = fit_offsets(w, offsets)
    fold_offsets(generator, encoder, slopes, constants)
    shift = DEVIATIONS * w.std(0) - w.mean(0)
    shift_codes(generator, encoder, shift)
    set_normal_mapping(generator, w + shift)


@torch.no_grad()
def encode_all(encoder: LatentEncoder, faces: Faces, batch: int = 64, most: int = 3000) -> tuple[Tensor, Tensor]:
    """Codes w (N, 512) and offsets (N, L, 512) of at most `most` pictures."""
    parts = np.array_split(faces.spread(most), math.ceil(min(most, len(faces)) / batch))
    w, offsets = zip(*(encoder.split(faces.batch(rows, 128)) for rows in parts), strict=True)
    return torch.cat(w), torch.cat(offsets)


@torch.no_grad()
def fit_offsets(w: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Ridge regression of offsets (N, L, D) on w (N, D): slopes (L, D, D) and constants (L, D)."""
    centred = w - w.mean(0)
    gram = centred.T @ centred / len(w)
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    cross = torch.einsum("nd,nle->lde", centred, offsets - offsets.mean(0)) / len(w)
    slopes = torch.linalg.solve(gram, cross).transpose(1, 2)  # (L, D, D): offset = slope @ w
    return slopes, offsets.mean(0) - torch.einsum("led,d->le", slopes, w.mean(0))


def modulations(generator: Generator) -> list[tuple[int, EqualLinear]]:
    """Every modulation layer with the index of the W+ layer that it reads."""
    users = [(i, layer.conv.modulation) for i, layer in enumerate([generator.conv1, *generator.convs])]
    rgb = [generator.to_rgb1, *generator.to_rgbs]
    return users + [(2 * i + 1, layer.conv.modulation) for i, layer in enumerate(rgb)]


@torch.no_grad()
def fold_offsets(generator: Generator, encoder: LatentEncoder, slopes: Tensor, constants: Tensor) -> None:
    """Lets the generator add slope @ w + constant to the code of each layer, and the encoder leave it out."""
    for index, modulation in modulations(generator):
        modulation.bias += modulation.scale * modulation.weight @ constants[index]
        modulation.weight += modulation.weight @ slopes[index]
    # w and offsets are linear in the encoder's features, and so is what is left of the offsets; it must act through the
    # new modulation as it did through the old one.
    layers, size = constants.shape
    weight, bias = encoder.offsets.weight.view(layers, size, -1), encoder.offsets.bias.view(layers, size)
    inverse = torch.linalg.inv(torch.eye(size) + slopes)
    weight.copy_(inverse @ (weight - slopes @ encoder.w.weight))
    bias.copy_((inverse @ (bias - slopes @ encoder.w.bias - constants)[..., None])[..., 0])


@torch.no_grad()
def shift_codes(generator: Generator, encoder: LatentEncoder, shift: Tensor) -> None:
    """Adds `shift` (D,) to all codes w."""
    encoder.w.bias += shift
    for _, modulation in modulations(generator):
        modulation.bias -= modulation.scale * modulation.weight @ shift


@torch.no_grad()
def set_normal_mapping(generator: Generator, codes: Tensor) -> None:
    """Sets the mapping so that component k of z moves along principal axis k of the positive `codes` (N, D)."""
    centre = codes.mean(0)
    _, _, axes = torch.linalg.svd(codes - centre, full_matrices=False)  # (K, D), strongest first
    spread = torch.zeros(len(centre), len(centre))
    spread[: len(axes)] = axes * ((codes - centre) @ axes.T).std(0)[:, None]
    lift = 6.0  # keeps every component positive, where a leaky ReLU is linear
    *first, last = generator.style[1:]
    for i, layer in enumerate(first):
        layer.weight.copy_(torch.eye(len(centre)) / math.sqrt(2) / layer.scale)
        layer.bias.fill_((lift if i == 0 else 0.0) / math.sqrt(2) / layer.rate)
    last.weight.copy_(spread.T / math.sqrt(2) / last.scale)
    last.bias.copy_((centre - lift * spread.sum(0)) / math.sqrt(2) / last.rate)

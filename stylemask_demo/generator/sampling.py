"""Random people: codes of a generator, each from a seed of its own."""

from collections.abc import Iterable

import torch
from torch import Tensor

from stylemask_demo.networks.stylegan2 import Generator

TRUNCATION = 0.7  # of random people: further from the mean, faces are rarer and less real


@torch.no_grad()
def sample_w(generator: Generator, seeds: Iterable[int]) -> Tensor:
    """Codes w (N, style_dim) of N people, on the generator's device: equal seeds give equal people, whoever is beside them."""
    device = next(generator.parameters()).device
    z = [
        torch.randn(1, generator.style_dim, generator=torch.Generator("cpu").manual_seed(seed), device="cpu")
        for seed in seeds
    ]
    return generator.map(torch.cat(z).to(device)) if z else torch.empty(0, generator.style_dim, device=device)


def truncate(w: Tensor, mean: Tensor, truncation: float = TRUNCATION) -> Tensor:
    """Codes (..., style_dim) at `truncation` times their distance from the mean (style_dim,) (Karras et al. 2019)."""
    return mean + truncation * (w - mean)

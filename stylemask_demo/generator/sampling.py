"""Random people: the only place that draws them, so that the same seed gives the same person everywhere."""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from stylemask_demo.generator.style_space import StyleSpace
from stylemask_demo.media.tensors import to_images
from stylemask_demo.networks.stylegan2 import Generator

TRUNCATION = 0.7  # of random people towards the mean face; photos are never truncated
MEAN_SAMPLES = 4096  # random people whose mean is the mean face


def sample_w(generator: Generator, seeds: Sequence[int]) -> Tensor:
    """Codes w (B, style_dim) of B random people, each drawn from a seed of its own.

    On the generator's device. Raises ValueError for a negative seed.
    """
    if any(seed < 0 for seed in seeds):
        raise ValueError("A seed is a whole number from 0 on.")
    return generator.map(torch.cat([draw_z(generator, 1, int(seed)) for seed in seeds]))


def draw_w(generator: Generator, count: int, random: int | torch.Generator = 0) -> Tensor:
    """Codes w (count, style_dim) of many random people, drawn from one seed; see `draw_z`."""
    return generator.map(draw_z(generator, count, random))


def draw_z(generator: Generator, count: int, random: int | torch.Generator = 0) -> Tensor:
    """Standard normal z (count, style_dim) on the generator's device, drawn from a seed or from a CPU generator.

    They are drawn on the CPU, so that they are the same on every machine.
    """
    if isinstance(random, int):
        random = torch.Generator("cpu").manual_seed(random)
    z = torch.randn(count, generator.style_dim, generator=random, device="cpu")
    return z.to(next(generator.parameters()).device)


@torch.inference_mode(False)
@torch.no_grad()
def mean_w(generator: Generator) -> Tensor:
    """The code of the mean face, (1, style_dim): the mean of w over random people, always the same."""
    return draw_w(generator, MEAN_SAMPLES).mean(0, keepdim=True)


class Sampler:
    """Random people as the demo shows them: drawn towards the mean face, to `truncation` of their distance in all."""

    def __init__(self, space: StyleSpace, truncation: float = TRUNCATION):
        self._space, self._truncation = space, truncation

    def codes(self, seeds: Sequence[int]) -> Tensor:
        """W+ codes (B, L, style_dim) of B people, one for each seed. Raises ValueError for a negative seed."""
        space = self._space
        # What the style space truncates anyway is not truncated twice.
        w = space.truncate(sample_w(space.generator, seeds), self._truncation / space.truncation)
        return space.generator.repeat(w)

    @torch.inference_mode()
    def pictures(self, seeds: Sequence[int], size: int) -> list[Image.Image]:
        """Pictures of B people, RGB, of at most `size` pixels a side."""
        generator = self._space.generator
        return to_images(generator.synthesise(*self._space.code(self.codes(seeds)), min(size, generator.size)))

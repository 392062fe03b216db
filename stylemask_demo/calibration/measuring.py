"""Random people, and where they stand along the directions of a pack."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from stylemask_demo.generator.sampling import draw_z
from stylemask_demo.media.tensors import to_images
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.portraits.readers import ParameterReader

SAMPLES = 3000  # random people, unless another number is given
SAMPLES_ON_CPU = 600  # there a second each
PICTURE_SIDE = 256  # pixels of the pictures that are measured; a larger generator stops there
PICTURE_SIDE_ON_CPU = 128
MIXED = 0.5  # of the samples take their finer layers from another person: it tells the layers apart
BYTES_PER_PICTURE = 150_000_000  # of memory that synthesis takes for one picture of 256 pixels, generously


class MeasuredPeople:
    """Random people: `w_plus` (N, L, style_dim) and `values` (N, D) along the directions."""

    def __init__(self, w_plus: Tensor, values: Tensor):
        self.w_plus, self.values = w_plus, values
        self.spread = values.std(0) + 1e-6  # (D,)


def number_of_samples(device: torch.device) -> int:
    """How many random people are measured on this device, unless another number is given."""
    return SAMPLES if device.type == "cuda" else SAMPLES_ON_CPU


@torch.inference_mode()
def measure(generator: Generator, reader: ParameterReader, samples: int, first: int = 0) -> Iterator[np.ndarray]:
    """Yield where the people from number `first` on stand along the directions, (B, D) for the next B of `samples`.

    The people are the same every time, so that the work may be cut in pieces.
    """
    batch = _batch(generator)
    for start in range(first, samples, batch):
        w_plus = codes_of(generator, samples, slice(start, min(start + batch, samples)))
        yield measured(generator, reader, generator.styles(w_plus), generator.rgb_styles(w_plus)).cpu().numpy()


def codes_of(generator: Generator, samples: int, people: slice) -> Tensor:
    """Codes (B, L, style_dim) of some of the random people, who are the same every time."""
    random = torch.Generator().manual_seed(0)
    z = draw_z(generator, 2 * samples, random).unflatten(0, (2, samples))[:, people]
    layer = torch.randint(1, generator.num_latents, (samples, 1), generator=random)[people]
    mixed = (torch.rand(samples, 1, generator=random) < MIXED)[people]
    device = device_of(generator)
    w, other = (generator.map(part) for part in z)
    from_other = (mixed & (torch.arange(generator.num_latents) >= layer)).to(device)  # (B, L)
    return torch.where(from_other[..., None], other[:, None], w[:, None])


def measured(generator: Generator, reader: ParameterReader, styles: list[Tensor], rgb_styles: list[Tensor]) -> Tensor:
    """Values (B, D) along the directions of the pictures of B codes."""
    size, batch = _side(generator), _batch(generator)
    values = []
    for first in range(0, len(styles[0]), batch):
        part, rgb_part = ([style[first : first + batch] for style in codes] for codes in (styles, rgb_styles))
        pictures = to_images(generator.synthesise(part, rgb_part, size))
        values += [reading.directions for reading in reader.read(pictures)]
    return torch.from_numpy(np.stack(values)).float().to(styles[0].device)


def device_of(generator: Generator) -> torch.device:
    return next(generator.parameters()).device


def _side(generator: Generator) -> int:
    """Pixels of the pictures that are measured."""
    return min(PICTURE_SIDE if device_of(generator).type == "cuda" else PICTURE_SIDE_ON_CPU, generator.size)


def _batch(generator: Generator) -> int:
    """How many pictures fit in memory at once."""
    device = device_of(generator)
    if device.type != "cuda":
        return 8
    free, _ = torch.cuda.mem_get_info(device)
    pixels = _side(generator) ** 2 / 256**2
    return int(min(max(free / 2 / (BYTES_PER_PICTURE * pixels), 1), 64))

"""Results at the photo's own resolution: what is found in small pictures is taken from the photo's own pixels."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from stylemask_demo.networks.correspondence import moved
from stylemask_demo.networks.detail import Layers

FINE = 1.0 / 64  # standard deviation, in sides of the picture, of the blur that leaves out what is fine
KEENNESS = 2.5  # how much surer shares are of what is fine, where it is seen: a mean of fine things shows none of them


@torch.inference_mode()
def at_full_size(layers: Layers, photo: Tensor) -> Tensor:
    """Layers of one result (1, ...) and its crop as the photo has it, (1, 3, T, T) in -1..1 -> the result (1, 3, T, T).

    Places and shares change slowly and are enlarged as they are; the generator's part is enlarged too, and has no more
    detail than before. What is fine in the moved photo comes along nearly whole where the photo shows it.
    """
    side = photo.shape[-1]
    base = F.interpolate(layers.base.float(), size=side, mode="bicubic", align_corners=False)
    shares = torch.cat([layers.moved, layers.unmoved], 1).float()
    of_moved, of_unmoved = F.interpolate(shares, size=side, mode="bilinear", align_corners=False).split(1, 1)
    seen = F.interpolate(torch.sigmoid(layers.found.seen), size=side, mode="bilinear", align_corners=False)
    lent = moved(photo, layers.found.places)
    keen = (KEENNESS * of_moved).clamp(max=1) * seen
    more = (keen - of_moved).clamp(min=0)
    return base + of_moved * lent + of_unmoved * photo + more * fine(lent)


def fine(pictures: Tensor) -> Tensor:
    """Square pictures (B, C, T, T) less what is left of them by a blur.

    The blur is two products with a matrix, on CPUs more than twice as fast as convolutions.
    """
    blur = _blur(pictures.shape[-1], pictures.device)
    return pictures - blur @ pictures @ blur.T


@lru_cache(maxsize=4)
def _blur(side: int, device: torch.device) -> Tensor:
    """The Gaussian blur of columns of `side` pixels as a matrix (side, side); their ends are repeated."""
    deviation = FINE * side
    reach = round(3 * deviation)
    steps = torch.arange(-reach, reach + 1, device=device)
    kernel = torch.exp(-(steps**2) / (2 * deviation**2))
    seen = (torch.arange(side, device=device)[:, None] + steps).clamp(0, side - 1)
    blur = torch.zeros(side, side, device=device)
    return blur.scatter_add_(1, seen, (kernel / kernel.sum()).expand(side, -1))

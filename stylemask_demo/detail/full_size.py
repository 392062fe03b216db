"""Results at the photo's own resolution: what is found in small pictures is taken from the photo's own pixels."""

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
    """Pictures (B, C, T, T) less what is left of them by a blur."""
    deviation = FINE * pictures.shape[-1]
    reach = round(3 * deviation)
    steps = torch.arange(-reach, reach + 1, device=pictures.device, dtype=pictures.dtype)
    kernel = torch.exp(-(steps**2) / (2 * deviation**2))
    kernel = (kernel / kernel.sum()).expand(pictures.shape[1], 1, -1)
    blurred = F.pad(pictures, [reach] * 4, mode="replicate")
    blurred = F.conv2d(blurred, kernel[:, :, None], groups=pictures.shape[1])
    return pictures - F.conv2d(blurred, kernel[..., None], groups=pictures.shape[1])

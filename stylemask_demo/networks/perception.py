"""How alike two pictures of faces look, and where it matters."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from stylemask_demo.networks.trunk import INPUT_SIZE

BACKGROUND = 0.25  # how much what is far from the head matters


def importance(landmarks: Tensor, size: int, background: float = BACKGROUND) -> Tensor:
    """How much each pixel of an aligned crop matters: the head more than the background, eyes, nose and mouth most.

    `landmarks` (B, 68, 2) as fractions of the crop; the middle of the head has by 1 more than `background` ->
    (B, 1, size, size), scaled to mean one.
    """
    axis = (torch.arange(size, device=landmarks.device) + 0.5) / size
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)  # (size, size, 2)

    def bump(centre: Tensor, radius: float) -> Tensor:
        return torch.exp(-(grid - centre[:, None, None]).square().sum(-1) / (2 * radius**2))

    eyes = bump(landmarks[:, 36:42].mean(1), 0.05) + bump(landmarks[:, 42:48].mean(1), 0.05)
    nose, mouth = bump(landmarks[:, 31:36].mean(1), 0.05), bump(landmarks[:, 48:60].mean(1), 0.06)
    weight = background + bump(landmarks.mean(1), 0.28) + 3 * (eyes + nose + mouth)
    return (weight / weight.mean((1, 2), keepdim=True))[:, None]


def to_input(pictures: Tensor) -> Tensor:
    """Pictures (B, 3, S, S) at the size that the compact networks read, (B, 3, 128, 128)."""
    if pictures.shape[-1] >= INPUT_SIZE:
        return F.avg_pool2d(pictures, pictures.shape[-1] // INPUT_SIZE)
    return F.interpolate(pictures, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear", align_corners=False)


def grey(pictures: Tensor) -> Tensor:
    """Pictures (B, 3, S, S) without colours: teachers look past colours, and what they do not see they would tint."""
    return pictures.mean(1, keepdim=True).expand_as(pictures)


def map_distance(made: list[Tensor], true: list[Tensor]) -> Tensor:
    """Perceptual distance of feature maps, each scaled to unit vectors (Zhang et al. 2018)."""
    distances = [
        (F.normalize(m, dim=1) - F.normalize(t, dim=1)).square().sum(1).mean() for m, t in zip(made, true, strict=True)
    ]
    return sum(distances, start=made[0].new_zeros(()))


class Likeness:
    """How far pictures are from the crops that they should show.

    `crops` (B, 3, S, S) in -1..1, `landmarks` (B, 68, 2) as fractions of the crop, and `features` gives the feature maps of
    pictures (B, 3, 128, 128) by which they are compared, as grey ones.
    """

    def __init__(self, features: Callable[[Tensor], list[Tensor]], crops: Tensor, landmarks: Tensor) -> None:
        self._features, self._crops = features, crops
        self._weight = importance(landmarks, crops.shape[-1])
        with torch.no_grad():
            self._maps = features(to_input(grey(crops)))

    def __call__(self, made: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (B, 3, S, S) -> mean absolute difference where it matters, and perceptual distance."""
        pixel = (self._weight * (made - self._crops).abs()).mean()
        return pixel, map_distance(self._features(to_input(grey(made))), self._maps)

"""A head laid elsewhere in its picture: turned about its neck, made larger, shifted."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from stylemask_demo.faces.head_size import RIGID

CHIN, BROWS = 8, slice(17, 27)  # iBUG landmarks
NECK = 0.35  # of the height from chin to brows, below the chin: about there a head tilts


class Placing(NamedTuple):
    """How a head is laid: turned by `roll` degrees, > 0 anticlockwise, larger by its part `zoom`, and shifted by parts of
    the picture's side, `right` and `up`."""

    roll: float = 0.0
    zoom: float = 0.0
    right: float = 0.0
    up: float = 0.0

    def of(self, landmarks: Tensor) -> Tensor:
        """The maps (B, 2, 3) of points, as fractions of their pictures, that so lay heads with landmarks (B, 68, 2)."""
        middle, chin, brows = landmarks[:, RIGID].mean(1), landmarks[:, CHIN], landmarks[:, BROWS].mean(1)
        neck = chin + NECK * (chin - brows)
        angle = torch.deg2rad(torch.tensor(self.roll))
        turn = torch.tensor([[angle.cos(), angle.sin()], [-angle.sin(), angle.cos()]]).to(landmarks)  # y is down
        turned = (middle - neck) @ turn.T + neck
        linear = (1 + self.zoom) * turn
        shifted = turned + landmarks.new_tensor([self.right, -self.up])  # where the middle comes to lie
        offset = shifted - middle @ linear.T
        return torch.cat([linear.expand(len(landmarks), 2, 2), offset[:, :, None]], 2)


def moved_points(points: Tensor, maps: Tensor) -> Tensor:
    """Points (B, N, 2) where maps (B, 2, 3) lay them."""
    return points @ maps[:, :, :2].transpose(1, 2) + maps[:, None, :, 2]


def moved_pictures(pictures: Tensor, maps: Tensor) -> Tensor:
    """Pictures (B, 3, S, S) in -1..1, their content laid by maps (B, 2, 3) of fractions; mirrored beyond their borders."""
    inverse = torch.linalg.inv(maps[:, :, :2])
    # From fractions to -1..1 across the picture: x = (u + 1) / 2.
    offset = inverse @ (1 - 2 * maps[:, :, 2:]) - 1
    grid = F.affine_grid(torch.cat([inverse, offset], 2), list(pictures.shape), align_corners=False).to(pictures)
    made = F.grid_sample(pictures, grid, mode="bicubic", padding_mode="reflection", align_corners=False)
    return made.clamp(-1, 1)

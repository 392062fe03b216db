"""Random shifts, turns and colours of training pictures, with the labels that follow from them."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylemask_demo.faces.head_size import head_rotation
from stylemask_demo.faces.parameters import MIRRORED_EXPRESSIONS, MIRRORED_LANDMARKS
from stylemask_demo.training.data import Faces


def head_angles(rotation: Tensor) -> Tensor:
    """Inverse of `head_rotation`: (B, 3, 3) -> yaw, pitch, roll (B, 3) in degrees."""
    yaw = torch.atan2(rotation[:, 0, 2], rotation[:, 2, 2])
    pitch = rotation[:, 1, 2].clamp(-1, 1).asin()
    roll = torch.atan2(rotation[:, 1, 0], rotation[:, 1, 1])
    return torch.rad2deg(torch.stack([yaw, pitch, roll], 1))


def turn_head(euler: Tensor, degrees: Tensor) -> Tensor:
    """Head pose (B, 3) after the picture is turned anticlockwise by `degrees` (B,)."""
    turn = torch.zeros(len(euler), 3)
    turn[:, 2] = degrees
    return head_angles(head_rotation(turn) @ head_rotation(euler))


def move(
    pictures: Tensor, landmarks: Tensor, size: int, degrees: Tensor, scale: Tensor, shift: Tensor
) -> tuple[Tensor, Tensor]:
    """Cuts a turned, scaled and shifted square out of each picture.

    `pictures` (B, 3, S, S), `landmarks` (B, 68, 2) as fractions of the picture, `degrees` (B,) anticlockwise turn of the
    content, `scale` (B,) magnification, `shift` (B, 2) motion of the content in fractions of the new crop. Returns
    (B, 3, size, size), mirrored at the borders, and the landmarks in it.
    """
    angle = torch.deg2rad(degrees)
    cos, sin = angle.cos(), angle.sin()
    # Where the content goes (x right, y down), about the centre of the crop: new = scale * turn @ old + shift.
    turn = torch.stack([cos, sin, -sin, cos], 1).unflatten(1, (2, 2)) * scale[:, None, None]
    moved = (landmarks - 0.5) @ turn.transpose(1, 2) + shift[:, None] + 0.5
    inverse = torch.linalg.inv(turn)
    offset = -(inverse @ (2 * shift[:, :, None]))
    grid = F.affine_grid(torch.cat([inverse, offset], 2), [len(pictures), 3, size, size], align_corners=False)
    cut = F.grid_sample(pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return cut, moved


def jitter(pictures: Tensor, landmarks: Tensor, mirrored: Tensor, alike: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Mirrors the pictures (B, 3, S, S) chosen by `mirrored` (B,) and moves all a little, as alignment does.

    Every `alike` pictures in a row are moved by the same. Returns pictures, landmarks (B, 68, 2) and by how many degrees
    (B,) each was turned anticlockwise.
    """
    count, side = len(pictures), pictures.shape[-1]
    pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
    swapped = landmarks[:, MIRRORED_LANDMARKS] * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0])
    landmarks = torch.where(mirrored[:, None, None], swapped, landmarks)
    scale, degrees, *shift = torch.randn(4, count // alike).repeat_interleave(alike, dim=1)
    degrees = 1.5 * degrees
    moved = move(pictures, landmarks, side, degrees, torch.exp(0.02 * scale), 0.012 * torch.stack(shift, 1))
    return *moved, degrees


def labelled(
    faces: Faces, rows: np.ndarray, side: int, mirrored: Tensor, alike: int = 1
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Jittered pictures (B, 3, side, side) of the rows, those chosen by `mirrored` (B,) mirrored, with their labels.

    `alike` as in `jitter`. Returns pictures, landmarks (B, 68, 2), angles (B, 3) in degrees and expression (B, 53).
    """
    euler, expression, landmarks = faces.tensors(rows, "euler", "expression", "landmarks")
    pictures, landmarks, degrees = jitter(faces.batch(rows, side), landmarks, mirrored, alike)
    euler = turn_head(torch.where(mirrored[:, None], euler * torch.tensor([-1.0, 1.0, -1.0]), euler), degrees)
    expression = torch.where(mirrored[:, None], expression[:, MIRRORED_EXPRESSIONS], expression)
    return pictures, landmarks, euler, expression


def recolour(pictures: Tensor, strength: float = 1.0) -> Tensor:
    """Random exposure, white balance, contrast, saturation, blur and grain for pictures (B, 3, S, S) in -1..1."""
    count = len(pictures)

    def random(*shape: int) -> Tensor:
        return torch.randn(count, *shape, 1, 1) * strength

    x = (pictures + 1) / 2
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (1 + 0.3 * random(1)).clamp(0, 2)
    x = x.clamp_min(1e-4) ** torch.exp(0.25 * random(1))
    x = (x - 0.5) * torch.exp(0.15 * random(1)) + 0.5 + 0.06 * random(1) + 0.04 * random(3)
    small = F.interpolate(F.interpolate(x, scale_factor=0.5, mode="area"), scale_factor=2, mode="bilinear")
    blur = (torch.rand(count, 1, 1, 1) < 0.2).float() * torch.rand(count, 1, 1, 1)
    x = x + (small - x) * blur
    x = x + 0.02 * torch.rand(count, 1, 1, 1) * torch.randn_like(x)
    return (x * 2 - 1).clamp(-1, 1)


def weathered(pictures: Tensor) -> Tensor:
    """Pictures (B, 3, S, S) in -1..1 as people have them, some of each kind: grey, faded, lit from one side, small and
    enlarged again, sharpened too much, and with something before a part of the face."""
    count, _, _, side = pictures.shape

    def chosen(share: float) -> Tensor:
        return (torch.rand(count, 1, 1, 1) < share).float()

    x = pictures.lerp(pictures.mean(1, keepdim=True).expand_as(pictures), chosen(0.12))
    x = x.lerp(x * 0.5 + 0.3 * torch.randn(count, 3, 1, 1), chosen(0.1))
    axis = torch.linspace(-1, 1, side)
    slope = torch.randn(count, 2, 1, 1)
    ramp = slope[:, :1] * axis[None, None, None] + slope[:, 1:] * axis[None, None, :, None]
    x = x.lerp((x + 1) * torch.exp(0.5 * ramp) - 1, chosen(0.3))
    small = F.interpolate(F.avg_pool2d(x, 4), size=side, mode="bilinear", align_corners=False)
    medium = F.interpolate(F.avg_pool2d(x, 2), size=side, mode="bilinear", align_corners=False)
    x = x.lerp(torch.where(torch.rand(count, 1, 1, 1) < 0.3, small, medium), chosen(0.2))
    x = x.lerp(x + 1.5 * torch.rand(count, 1, 1, 1) * (x - medium), chosen(0.15))
    centre = torch.randn(count, 2, 1, 1) * 0.6
    radius = 0.08 + 0.3 * torch.rand(count, 2, 1, 1)
    squares = ((axis[None, None, None] - centre[:, :1]) / radius[:, :1]).square()
    squares = squares + ((axis[None, None, :, None] - centre[:, 1:]) / radius[:, 1:]).square()
    before = torch.where(torch.rand(count, 1, 1, 1) < 0.5, x.roll(1, 0).flip(3), torch.rand(count, 3, 1, 1) * 2 - 1)
    return x.lerp(before, ((1.1 - squares) * 6).clamp(0, 1) * chosen(0.2)).clamp(-1, 1)

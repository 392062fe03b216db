"""Random changes of a photo, its inversion, a result and the truth, by which learned detail becomes that of photographs."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stylemask_demo.training.augment import move
from stylemask_demo.training.truth import Truth

LARGER, SHIFTED = 0.05, 0.02  # deviations of how the photo's face is larger and lies elsewhere than its inversion's
EDGE = 3.0  # softness of the edge of miscoloured mouths: over a third of the way from there to the middle
SHUT = 1e-6  # square of half the distance of the lips, as a fraction of the picture, of a shut mouth
SHARPENED = 0.4  # part of the pairs that are sharper or softer than they were rendered
BENT = 0.02  # deviation, in half sides, of what is drawn in the wrong place


def miscoloured_mouths(made: Tensor, landmarks: Tensor) -> Tensor:
    """Results (B, 3, S, S) in -1..1 with another light and tint between the lips, half of them: a generator that has seen
    few open mouths of somebody draws them in any colour.

    `landmarks` (B, 68, 2) of the results as fractions.
    """
    count = len(made)
    inside = between_lips(landmarks, made.shape[-1]) * (torch.rand(count, 1, 1, 1) < 0.5)
    gamma = torch.exp(0.5 * torch.randn(count, 1, 1, 1))
    gain = torch.exp(0.5 * torch.randn(count, 1, 1, 1) + 0.4 * torch.randn(count, 3, 1, 1))
    light = ((made + 1) / 2).clamp_min(1e-4)
    return light.lerp(light.pow(gamma).mul(gain).clamp(0, 1), inside) * 2 - 1


def between_lips(landmarks: Tensor, size: int) -> Tensor:
    """1 inside of mouths, 0 outside, soft at the edge, (B, 1, size, size).

    `landmarks` (B, 68, 2) are fractions; inside is the ellipse through the corners of the mouth and the middles of the
    inner edges of the lips. Shut mouths have no inside.
    """
    left, above, right, below = landmarks[:, [60, 62, 64, 66]].unbind(1)
    places = (torch.arange(size) + 0.5) / size
    grid = torch.stack(torch.meshgrid(places, places, indexing="xy"), -1)  # (size, size, 2), x first
    offsets = grid - ((above + below) / 2)[:, None, None]
    axes = torch.stack([(right - left) / 2, (below - above) / 2], 1)  # (B, 2, 2)
    squares = axes.square().sum(2)
    along = torch.einsum("bhwc,bac->bhwa", offsets, axes) / squares.clamp_min(SHUT)[:, None, None]
    ellipse = (EDGE * (1 - along.norm(dim=3))).clamp(0, 1)[:, None]
    return ellipse * (squares > SHUT).all(1)[:, None, None, None]


def reshaped(
    photos: Tensor, true: Tensor, truth: Truth, of_photos: Tensor, landmarks: Tensor
) -> tuple[Tensor, Tensor, Truth, Tensor, Tensor]:
    """Photos and true pictures (B, 3, S, S) with what is known of them and their landmarks (B, 68, 2), half of the pairs
    enlarged or reduced and shifted, both pictures alike: the face of a photo is not quite where its inversion has it."""
    count = len(photos)
    loose = (torch.rand(count) < 0.5).float()
    scale = torch.exp(LARGER * loose * torch.randn(count))
    shift = SHIFTED * loose[:, None] * torch.randn(count, 2)
    pictures, points = torch.cat([photos, true]), torch.cat([of_photos, landmarks])
    turns, scales, shifts = torch.zeros(2 * count), scale.repeat(2), shift.repeat(2, 1)
    pictures, points = move(pictures, points, photos.shape[-1], turns, scales, shifts)
    photos, true = pictures.split(count)
    of_photos, landmarks = points.split(count)
    return photos, true, truth.moved(scale, shift), of_photos, landmarks


def recoloured(*pictures: Tensor) -> list[Tensor]:
    """Batches (B, 3, S, S) in -1..1 with random exposure, white balance, paleness and sharpness, the same for each picture
    of all."""
    count = len(pictures[0])
    gamma = torch.exp(0.15 * torch.randn(count, 1, 1, 1))
    gain = 1 + 0.08 * torch.randn(count, 1, 1, 1) + 0.05 * torch.randn(count, 3, 1, 1)
    pale = torch.rand(count, 1, 1, 1).pow(6)  # one is grey
    sharper = (torch.rand(count, 1, 1, 1) < SHARPENED).float() * (1.7 * torch.rand(count, 1, 1, 1) - 0.7)

    def changed(batch: Tensor) -> Tensor:
        batch = batch + sharper * (batch - soft(batch, 2))
        light = ((batch + 1) / 2).clamp_min(1e-4).pow(gamma).mul(gain).clamp(0, 1)
        return light.lerp(light.mean(1, keepdim=True), pale) * 2 - 1

    return [changed(batch) for batch in pictures]


def soft(pictures: Tensor, cell: int) -> Tensor:
    """Pictures (B, 3, S, S) as cells of so many pixels show them."""
    return F.interpolate(F.avg_pool2d(pictures, cell), size=pictures.shape[-1], mode="bilinear", align_corners=False)


def spoiled(pictures: Tensor) -> Tensor:
    """True pictures (B, 3, S, S) in -1..1 as a generator may draw them: blurred, bent a little, in other colours."""
    count, _, _, side = pictures.shape
    blurred = soft(pictures, 2).lerp(soft(pictures, 4), torch.rand(count, 1, 1, 1))
    bend = F.interpolate(BENT * torch.randn(count, 2, 6, 6), size=side, mode="bicubic", align_corners=False)
    axis = (torch.arange(side) + 0.5) / side * 2 - 1
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)[None] + bend.permute(0, 2, 3, 1)
    bent = F.grid_sample(blurred, grid, padding_mode="reflection", align_corners=False)
    return (bent * (1 + 0.1 * torch.randn(count, 3, 1, 1)) + 0.1 * torch.randn(count, 3, 1, 1)).clamp(-1, 1)

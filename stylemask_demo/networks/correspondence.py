"""Where in a photo each part of a result lies, and whether it is seen there."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylemask_demo.networks.unet import UNet, cells

CELL = 4  # pixels on each side of the cells that places are found for
FARTHEST, NEARER = 0.7, 0.2  # from where the landmarks say, in half sides of the picture: first, and once looked again
ANGLE = 30.0  # degrees: unit of the head poses
STIFFNESS = 1e-3  # of the thin plate: landmarks are no surer


class Correspondence(NamedTuple):
    """For cells of a result: `places` (B, 2, S / CELL, S / CELL) in the photo, x and y from -1 to 1 across it, and logits
    `seen` (B, 1, S / CELL, S / CELL), high where the photo shows what lies there."""

    places: Tensor
    seen: Tensor


class CorrespondenceNetwork(nn.Module):
    """Photo, inversion and result -> where each cell of the result lies in the photo.

    All three are moved to where the result shows the same parts of the head, as landmarks say; a first U-Net finds from
    there the places in the photo, a second one looks again at the photo so moved. Where a place is seen is learned with it,
    because a head that turns hides and uncovers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = UNet(10 * CELL**2 + 8, (48, 64, 96, 128, 128), 3)
        self.second = UNet(7 * CELL**2 + 9, (40, 56, 80, 112), 3)

    def forward(
        self, known: Tensor, inversion: Tensor, made: Tensor, places: Tensor, poses: Tensor
    ) -> tuple[Correspondence, Correspondence]:
        """What the first and the second look find.

        `known` (B, 4, S, S) the photo in -1..1 and ones, `inversion` (B, 3, S, S) of it, `made` (B, 3, S, S) the result,
        already in the photo's own shape, `places` (B, 2, 2, S / CELL, S / CELL) of `find_places` in photo and inversion,
        `poses` (B, 6) degrees of yaw, pitch and roll in the photo and in the result.
        """
        of_photo, of_inversion = places.unbind(1)
        side = of_photo.shape[-1]
        angles = (poses / ANGLE)[:, :, None, None].expand(-1, -1, side, side)
        seen = [moved(known, of_photo), moved(inversion, of_inversion), made]
        found = self.first(cells(seen, [of_photo - centres(side, of_photo), angles], CELL)).float()
        first = Correspondence(of_photo + FARTHEST * torch.tanh(found[:, :2]), found[:, 2:])
        maps = [first.places - centres(side, of_photo), first.seen, angles]
        found = self.second(cells([moved(known, first.places), made], maps, CELL)).float()
        return first, Correspondence(first.places + NEARER * torch.tanh(found[:, :2]), first.seen + found[:, 2:])


def moved(pictures: Tensor, places: Tensor, beyond: str = "zeros") -> Tensor:
    """What pictures (B, C, H, W) show at `places` (B, 2, h, w), enlarged to the size of the pictures; `beyond` says what
    lies outside."""
    grid = F.interpolate(places, size=pictures.shape[-2:], mode="bilinear", align_corners=False).permute(0, 2, 3, 1)
    return F.grid_sample(pictures, grid.to(pictures.dtype), padding_mode=beyond, align_corners=False)


def centres(side: int, like: Tensor) -> Tensor:
    """Of the cells of a picture, x and y from -1 to 1, (2, side, side), on the device of `like`."""
    axis = (torch.arange(side, device=like.device, dtype=torch.float32) + 0.5) / side * 2 - 1
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"))


def find_places(photo: Tensor, inversion: Tensor, made: Tensor, side: int) -> Tensor:
    """Where each part of what is to be shown lies in a photo, in its inversion and in a result, as landmarks say.

    Each is given by its landmarks (B, 68, 2) as fractions of the picture. Shown is the result in the photo's own shape: by
    as much as the inversion's landmarks are off the photo's, turned and stretched as these are on the whole, the result's
    are moved -> (B, 3, 2, side, side), x and y from -1 to 1 across the picture.
    """
    with torch.autocast(photo.device.type, enabled=False):
        photo, inversion, made = (2 * points.double() - 1 for points in (photo, inversion, made))
        shown = made + (photo - inversion) @ _stretching(inversion, made)
        grid = centres(side, photo).flatten(1).T.expand(len(photo), -1, -1)  # (B, side * side, 2)
        back = torch.cat([points - shown for points in (photo, inversion, made)], 2)
        moves = thin_plate(grid, shown, back).float().unflatten(2, (3, 2))  # (B, side * side, 3, 2)
        return (grid[:, :, None] + moves).permute(0, 2, 3, 1).unflatten(3, (side, side))


def _stretching(before: Tensor, now: Tensor) -> Tensor:
    """The linear map (B, 2, 2) that, about their centre, best takes landmarks (B, L, 2) to where they are now."""
    before, now = (points - points.mean(1, keepdim=True) for points in (before, now))
    return torch.linalg.lstsq(before, now).solution


def thin_plate(points: Tensor, landmarks: Tensor, values: Tensor) -> Tensor:
    """A thin plate that is bent as little as `values` (B, L, C) at `landmarks` (B, L, 2) allow (Bookstein 1989), at points
    (B, P, 2) -> (B, P, C), in the precision of the points."""
    affine = F.pad(landmarks, (1, 0), value=1.0)
    bending = _bending(landmarks, landmarks) + STIFFNESS * torch.eye(landmarks.shape[1]).to(landmarks)
    system = torch.cat([torch.cat([bending, affine], 2), F.pad(affine.transpose(1, 2), (0, 3))], 1)
    weights = torch.linalg.solve(system, F.pad(values, (0, 0, 0, 3))).to(points)
    return torch.cat([_bending(points, landmarks.to(points)), F.pad(points, (1, 0), value=1.0)], 2) @ weights


def _bending(points: Tensor, centres: Tensor) -> Tensor:
    """The plate's kernel r^2 log r, of points (B, N, 2) and centres (B, M, 2) -> (B, N, M)."""
    squares = (points[:, :, None] - centres[:, None]).square().sum(-1)
    return squares * squares.clamp_min(1e-12).log() / 2

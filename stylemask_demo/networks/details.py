"""A network that lays the photo's own detail, strands of hair and texture of skin, over what the generator made of it."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

REFINED = 4  # pixels on each side of the cells for which motion is refined
BLENDED = 2  # and of those in which layers are blended
FARTHEST = 0.2  # refinement of the motion at most, in half sides of the picture
STIFFNESS = 1e-3  # of the thin plate: landmarks are no surer


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.2, inplace=True))


class UNet(nn.Module):
    """Maps of as many sizes as there are widths, down and up again, with shortcuts (Ronneberger et al. 2015)."""

    def __init__(self, inputs: int, widths: tuple[int, ...], outputs: int):
        super().__init__()
        pairs = list(itertools.pairwise(widths))
        self.first = _convolution(inputs, widths[0])
        self.down = nn.ModuleList(nn.Sequential(_convolution(a, b, 2), _convolution(b, b)) for a, b in pairs)
        self.up = nn.ModuleList(_convolution(a + b, a) for a, b in reversed(pairs))
        self.last = nn.Conv2d(widths[0], outputs, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W); H and W can be halved for each width but the first."""
        maps = [self.first(x)]
        for down in self.down:
            maps.append(down(maps[-1]))
        x = maps.pop()
        for up in self.up:
            x = up(torch.cat([maps.pop(), _enlarged(x, 2)], 1))
        return self.last(x)


class DetailNetwork(nn.Module):
    """Photo, inversion and result -> the result with the photo's detail.

    Photo and inversion are moved to where the result shows the same parts of the head: as landmarks say first, then as a
    first U-Net refines it. A second one chooses for each pixel how much of the moved photo is added, as what the inversion
    has missed or in the result's place, where the background shows the photo unmoved, and what is corrected. After Wang et
    al., "High-Fidelity GAN Inversion for Image Attribute Editing" (2022), who align and add what an inversion has missed
    too, within the generator.
    """

    def __init__(self):
        super().__init__()
        self.motion = UNet(10 * REFINED**2 + 2, (48, 64, 96, 128), 2)
        self.blend = UNet(13 * BLENDED**2 + 2, (32, 48, 64), 6 * BLENDED**2)
        for network in (self.motion, self.blend):  # at first nothing is refined, and half of what was missed is added
            nn.init.zeros_(network.last.weight)
            nn.init.zeros_(network.last.bias)

    def forward(self, photo: Tensor, inversion: Tensor, made: Tensor, places: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) in -1..1 and `places` of `thin_plate` -> pictures (B, 3, S, S)."""
        return self.draw(photo, inversion, made, places)[0]

    def draw(self, photo: Tensor, inversion: Tensor, made: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and the moved photo with a fourth channel that is 1 where it has come from inside of the photo."""
        known = torch.cat([photo, inversion, torch.ones_like(photo[:, :1])], 1)
        places, motion = (p.permute(0, 3, 1, 2) for p in (places, places - _centres(places.shape[1], places)))
        cells = F.pixel_unshuffle(torch.cat([_moved(known, places), made], 1), REFINED)
        refinement = FARTHEST * torch.tanh(self.motion(torch.cat([cells, motion], 1)))
        moved = _moved(known, places + refinement)
        cells = F.pixel_unshuffle(torch.cat([moved, made, photo], 1), BLENDED)
        motion = _enlarged(motion + refinement, REFINED // BLENDED)
        layers = F.pixel_shuffle(self.blend(torch.cat([cells, motion], 1)), BLENDED)
        correction, *shares = layers.split([3, 1, 1, 1], 1)
        missed, instead, unmoved = (torch.sigmoid(share - start) for share, start in zip(shares, (0, 3, 3), strict=True))
        moved_photo, moved_inversion, inside = moved.split([3, 3, 1], 1)
        drawn = (
            made
            + missed * (moved_photo - moved_inversion)
            + instead * (moved_photo - made)
            + unmoved * (photo - made)
            + correction
        )
        return drawn, torch.cat([moved_photo, inside], 1)


def _enlarged(maps: Tensor, times: int) -> Tensor:
    return F.interpolate(maps, scale_factor=float(times), mode="bilinear", align_corners=False)


def _moved(pictures: Tensor, places: Tensor) -> Tensor:
    """What pictures (B, C, S, S) show at `places` (B, 2, S / REFINED, S / REFINED), nothing outside of them."""
    return F.grid_sample(pictures, _enlarged(places, REFINED).permute(0, 2, 3, 1), align_corners=False)


def _centres(side: int, like: Tensor) -> Tensor:
    """Of the cells of a picture, x and y from -1 to 1, (side, side, 2)."""
    axis = (torch.arange(side, device=like.device, dtype=torch.float32) + 0.5) / side * 2 - 1
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)


def thin_plate(now: Tensor, before: Tensor, side: int) -> Tensor:
    """Where each part of a picture was before its landmarks moved.

    A thin plate that is bent as little as landmarks (B, 68, 2) of now and before, as fractions of the picture, allow
    (Bookstein 1989) -> (B, side, side, 2), x and y from -1 to 1 across the picture.
    """
    with torch.autocast(now.device.type, enabled=False):
        now, before = (2 * points.double() - 1 for points in (now, before))
        count = now.shape[1]
        affine = F.pad(now, (1, 0), value=1.0)
        bending = _bending(now, now) + STIFFNESS * torch.eye(count).to(now)
        system = torch.cat([torch.cat([bending, affine], 2), F.pad(affine.transpose(1, 2), (0, 3))], 1)
        # Only displacements are solved for: of landmarks that have not moved they are nothing, to the bit.
        weights = torch.linalg.solve(system, F.pad(before - now, (0, 0, 0, 3))).float()
        grid = _centres(side, now).reshape(1, -1, 2)
        basis = torch.cat([_bending(grid, now.float()), F.pad(grid, (1, 0), value=1.0).expand(len(now), -1, -1)], 2)
        return (grid + basis @ weights).unflatten(1, (side, side))


def _bending(points: Tensor, centres: Tensor) -> Tensor:
    """The plate's kernel r^2 log r, of points (B, N, 2) and centres (B, M, 2) -> (B, N, M)."""
    squares = (points[:, :, None] - centres[:, None]).square().sum(-1)
    return squares * squares.clamp_min(1e-12).log() / 2

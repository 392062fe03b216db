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

    def __init__(self, inputs: int, widths: tuple[int, ...], outputs: int) -> None:
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

    All three are moved to where the result shows the same parts of the head: as landmarks say first, then, photo and
    inversion, as a first U-Net refines it. A second one chooses for each pixel how much of the moved photo is added, as
    what the inversion has missed or in the result's place, where the background shows the photo unmoved, and what is
    corrected. After Wang et al., "High-Fidelity GAN Inversion for Image Attribute Editing" (2022), who align and add what
    an inversion has missed too, within the generator.
    """

    def __init__(self) -> None:
        super().__init__()
        self.motion = UNet(10 * REFINED**2 + 2, (48, 64, 96, 128), 2)
        # Down to maps of 8 by 8 for 256 pixels: what a turning head uncovers can only be told from far around.
        self.blend = UNet(13 * BLENDED**2 + 2, (32, 48, 64, 96, 128), 6 * BLENDED**2)
        for network in (self.motion, self.blend):  # at first nothing is refined, and half of what was missed is added
            for parameter in network.last.parameters():
                nn.init.zeros_(parameter)

    def forward(self, photo: Tensor, inversion: Tensor, made: Tensor, places: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) in -1..1 and `places` of `find_places` -> pictures (B, 3, S, S)."""
        return self.draw(photo, inversion, made, places)[0]

    def draw(self, photo: Tensor, inversion: Tensor, made: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and the moved photo with a fourth channel that is 1 where it has come from inside of the photo."""
        of_photo, of_inversion, of_made = places.permute(1, 0, 4, 2, 3)  # (B, 2, S / REFINED, S / REFINED) each
        motion = of_photo - _centres(places.shape[2], places).permute(2, 0, 1)
        known = torch.cat([photo, torch.ones_like(photo[:, :1])], 1)
        made = _moved(made, of_made, beyond="reflection")
        cells = torch.cat([_moved(known, of_photo), _moved(inversion, of_inversion), made], 1)
        cells = F.pixel_unshuffle(cells, REFINED)
        refinement = FARTHEST * torch.tanh(self.motion(torch.cat([cells, motion], 1)))
        moved_photo = _moved(known, of_photo + refinement)
        moved_inversion = _moved(inversion, of_inversion + refinement)
        cells = F.pixel_unshuffle(torch.cat([moved_photo, moved_inversion, made, photo], 1), BLENDED)
        motion = _enlarged(motion + refinement, REFINED // BLENDED)
        layers = F.pixel_shuffle(self.blend(torch.cat([cells, motion], 1)), BLENDED)
        correction, *shares = layers.split([3, 1, 1, 1], 1)
        missed, instead, unmoved = (torch.sigmoid(share - start) for share, start in zip(shares, (0, 3, 3), strict=True))
        drawn = (
            made
            + missed * (moved_photo[:, :3] - moved_inversion)
            + instead * (moved_photo[:, :3] - made)
            + unmoved * (photo - made)
            + correction
        )
        return drawn, moved_photo


def _enlarged(maps: Tensor, times: int) -> Tensor:
    return F.interpolate(maps, scale_factor=float(times), mode="bilinear", align_corners=False)


def _moved(pictures: Tensor, places: Tensor, beyond: str = "zeros") -> Tensor:
    """What pictures (B, C, S, S) show at `places` (B, 2, S / REFINED, S / REFINED); `beyond` says what lies outside."""
    grid = _enlarged(places, REFINED).permute(0, 2, 3, 1)
    return F.grid_sample(pictures, grid, padding_mode=beyond, align_corners=False)


def _centres(side: int, like: Tensor) -> Tensor:
    """Of the cells of a picture, x and y from -1 to 1, (side, side, 2)."""
    axis = (torch.arange(side, device=like.device, dtype=torch.float32) + 0.5) / side * 2 - 1
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)


def find_places(photo: Tensor, inversion: Tensor, made: Tensor, side: int) -> Tensor:
    """Where each part of what is to be shown lies in a photo, in its inversion and in a result.

    Each is given by its landmarks (B, 68, 2) as fractions of the picture. Shown is the result in the photo's own shape: by
    as much as the inversion's landmarks are off the photo's, turned and stretched as these are on the whole, the result's
    are moved -> (B, 3, side, side, 2), x and y from -1 to 1 across the picture.
    """
    with torch.autocast(photo.device.type, enabled=False):
        photo, inversion, made = (2 * points.double() - 1 for points in (photo, inversion, made))
        shown = made + (photo - inversion) @ _stretching(inversion, made)
        grid = _centres(side, photo).reshape(1, -1, 2).expand(len(photo), -1, -1)
        back = torch.cat([points - shown for points in (photo, inversion, made)], 2)
        moves = thin_plate(grid, shown, back).float().unflatten(2, (3, 2))  # (B, side * side, 3, 2)
        return (grid[:, :, None] + moves).transpose(1, 2).unflatten(2, (side, side))


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

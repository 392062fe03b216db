"""What a head uncovers when it moves: the background of the photo goes on there, and clothes and hair keep its colours.

No photo shows it, and what the generator draws there has the colours of other people's pictures: a halo around the head.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from stylemask_demo.networks.correspondence import centres
from stylemask_demo.networks.detail import Layers

SIDE = 64  # pixels in which colours are continued: they change slowly
SURE = (0.85, 0.95)  # share of the unmoved photo from which on a place is background, and surely is
SEEN = (0.6, 0.9)  # of the moved photo, for the head
OPEN = (0.1, 0.6)  # how unsure a place has to be to be looked at, and to be changed
NEARER = (0.5, 0.8)  # how much nearer to the background's colour than to the head's a place has to be
FACE = (1.1, 1.3)  # half axes of the face's oval, in those of its landmarks
FOREHEAD = 0.1  # heights of the landmarks by which the oval's centre lies higher than theirs
STILL = (0.01, 0.06)  # half sides of the picture by which the head has to have moved, and from which on it surely has
KEPT = 0.3  # part of the generator's own colour where something else than background comes to light


def uncovered(layers: Layers, photo: Tensor, landmarks: Tensor) -> Layers:
    """Layers of B results of photos (B, 3, S, S) in -1..1, whose faces have `landmarks` (B, 68, 2) as fractions of the
    picture -> the same with the photo's background in the places that the head has left.

    A place that is neither surely background nor surely of the head belongs to that whose colour, continued from all
    around, is nearer to its own.
    """
    drawn = layers.drawn.clamp(-1, 1)
    seen = _small(torch.sigmoid(layers.found.seen.float()))
    unmoved, known, shown = _small(layers.unmoved), _small(photo), _small(drawn)
    face = oval(landmarks, SIDE)
    background = _rising(unmoved, SURE) * (1 - face)
    head = _rising(seen * (1 - unmoved), SEEN) * (1 - face)
    behind, around, skin = continued(known, background), continued(shown, head), continued(shown, face)
    moved = (_small(layers.found.places) - centres(SIDE, photo)).norm(dim=1, keepdim=True)
    left = _rising(continued(moved, torch.maximum(head, face)), STILL)
    sure = torch.maximum(torch.maximum(F.avg_pool2d(head, 3, 1, 1), face), background)
    unsure = _rising(1 - sure, OPEN) * (1 - _rising(seen, SEEN) * (1 - unmoved)) * left
    to_behind, to_head = _distance(shown, behind), torch.minimum(_distance(shown, around), _distance(shown, skin))
    nearer = _rising(to_head / (to_behind + to_head + 1e-3), NEARER)
    # Where the photo shows no background at all there is nothing to continue.
    share = F.avg_pool2d(unsure * nearer, 3, 1, 1) * (background.amax((2, 3), keepdim=True) > 0.5)
    coloured = (1 - KEPT) * unsure * (1 - share)
    share, coloured, behind, around = (
        F.interpolate(part, size=photo.shape[-1], mode="bilinear", align_corners=False)
        for part in (share, coloured, behind, around)
    )
    tint, kept = coloured * (_colour(around) - _colour(drawn)), 1 - share
    drawn, base = (torch.lerp(part + tint, behind, share) for part in (layers.drawn, layers.base))
    return Layers(drawn, base, kept * layers.moved, kept * layers.unmoved, layers.first, layers.found)


def continued(colours: Tensor, known: Tensor) -> Tensor:
    """Colours (B, C, S, S) where they are `known`, (B, 1, S, S) in 0..1, and beyond what is known around, smoothly.

    Means of ever larger squares go as far as nothing is known, and come back as far as little is (Burt 1988 calls that
    pull and push). S is a power of two.
    """
    sums = [(colours * known, known)]
    while sums[-1][1].shape[-1] > 1:
        sums.append((F.avg_pool2d(sums[-1][0], 2), F.avg_pool2d(sums[-1][1], 2)))
    colour, weight = sums[-1]
    found = colour / weight.clamp_min(1e-6)
    for colour, weight in sums[-2::-1]:
        found = F.interpolate(found, scale_factor=2.0, mode="bilinear", align_corners=False)
        rest = 0.5 * (1 - weight)
        found = (colour + rest * found) / (weight + rest).clamp_min(1e-6)
    return found


def oval(landmarks: Tensor, side: int) -> Tensor:
    """Where faces with landmarks (B, 68, 2), fractions of the picture, surely are: (B, 1, side, side), 1 or 0."""
    low, high = landmarks.amin(1), landmarks.amax(1)
    middle, size = (low + high) / 2, high - low
    middle = middle - size * size.new_tensor([0.0, FOREHEAD])
    axes = size / 2 * size.new_tensor(FACE)
    places = (centres(side, landmarks) + 1) / 2  # (2, side, side)
    away = (places - middle[:, :, None, None]) / axes[:, :, None, None]
    return (away.square().sum(1, keepdim=True) < 1).float()


def _small(picture: Tensor) -> Tensor:
    return F.interpolate(picture.float(), size=SIDE, mode="area")


def _rising(value: Tensor, ends: tuple[float, float]) -> Tensor:
    return ((value - ends[0]) / (ends[1] - ends[0])).clamp(0, 1)


def _distance(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).square().sum(1, keepdim=True)


def _colour(picture: Tensor) -> Tensor:
    """What is left of pictures (B, 3, S, S) without their brightness."""
    return picture - (picture * picture.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)

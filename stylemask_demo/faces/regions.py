"""Regions of a face: which part of what the target does a result takes over, and where in the picture that shows."""

from collections.abc import Sequence
from typing import Literal, get_args

import cv2
import numpy as np
from torch import Tensor

from stylemask_demo import messages
from stylemask_demo.errors import UnknownRegion
from stylemask_demo.faces.parameters import EXPRESSIONS

Region = Literal["all", "pose", "expression", "lips", "eyes"]
REGIONS: tuple[Region, ...] = get_args(Region)

# How the names of the expression coefficients begin that belong to a part of the face.
_PARTS: dict[str, tuple[str, ...]] = {"lips": ("jaw", "mouth"), "eyes": ("eye", "brow")}

# iBUG landmarks that lie around what moves while the head holds still.
_AROUND = {
    "expression": np.r_[0:27],
    "lips": np.r_[3:14, 31:36, 48:68],
    "eyes": np.r_[0:2, 15:27, 28:30, 36:48],
}
HEAD_STAYS = frozenset(_AROUND)  # regions that move no more than a part of the picture
_FOREHEAD = 0.3  # brows wrinkle the forehead up to here above them, in heights from chin to brows
_MARGIN, _FEATHER = 0.015, 0.02  # what moves is wider, and ends softly, in sides of the picture: a disc's radius, a blur
_AROUND_PART = 0.75  # radius of the skin around a part, in its widths
_CHIN, _BROWS = 8, slice(17, 27)


def check_region(region: str) -> None:
    """Raise UnknownRegion, which says what there is, for a name that is none."""
    if region not in REGIONS:
        raise UnknownRegion(messages.UNKNOWN_REGION.format(name=region, names=", ".join(REGIONS)))


def region_values(region: Region, like: Tensor) -> Tensor:
    """1 where a motion value belongs to a region, else 0, (56,): yaw, pitch, roll and the 53 expression coefficients.

    On the device and in the precision of `like`.
    """
    pose = region in ("all", "pose")
    expressions = [region in ("all", "expression") or name.startswith(_PARTS.get(region, ("-",))) for name in EXPRESSIONS]
    return like.new_tensor([pose, pose, pose, *expressions])


def region_mask(region: Region, side: int, landmarks: Sequence[np.ndarray]) -> np.ndarray | None:
    """Soft mask (side, side) in 0..1 of what a region moves in a picture of `side` pixels, or None where that is all of it.

    `landmarks` are those (68, 2) of the face before and after, in pixels of the picture.
    """
    if region not in _AROUND:
        return None
    mask: np.ndarray = np.zeros((side, side), np.float32)
    for points in landmarks:
        up = points[_BROWS].mean(0) - points[_CHIN]
        around = points[_AROUND[region]]
        if region != "lips":
            around = np.concatenate([around, points[_BROWS] + _FOREHEAD * up])
        hull = cv2.convexHull(around.astype(np.float32))
        cv2.fillConvexPoly(mask, hull.astype(np.int32), 1.0)
    radius = max(1, round(_MARGIN * side))
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2))
    return cv2.GaussianBlur(mask, (0, 0), _FEATHER * side)


def around(side: int, points: np.ndarray) -> np.ndarray:
    """Soft mask (side, side) in 0..1 of a part of a face and of the skin around it, as wide again to each side.

    `points` (N, 2) lie around the part, in pixels of a picture of `side` pixels.
    """
    mask: np.ndarray = np.zeros((side, side), np.float32)
    low, high = points.min(0), points.max(0)
    centre, reach = (low + high) / 2, float((high - low).max()) * _AROUND_PART
    cv2.circle(mask, [round(float(x)) for x in centre], round(reach), 1.0, -1)
    return cv2.GaussianBlur(mask, (0, 0), max(reach / 4, 0.5))

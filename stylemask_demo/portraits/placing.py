"""A head laid elsewhere in its picture: turned in it, made larger, shifted, and the photo with it."""

from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from stylemask_demo.faces.align import CropTransform
from stylemask_demo.faces.crops import recut
from stylemask_demo.faces.head_size import RIGID
from stylemask_demo.portraits.completion import completed
from stylemask_demo.portraits.portrait import Portrait

EDGE = 0.04  # sides of the result over which it fades into the photo around it
BLUR = 0.03  # standard deviation, in sides of the result, of what is mirrored beyond the photo: nobody should see two


class Placing(NamedTuple):
    """How a head is laid: turned by `roll` degrees, > 0 anticlockwise, larger by its part `zoom`, and shifted by parts of
    the picture's side, `right` and `up`."""

    roll: float = 0.0
    zoom: float = 0.0
    right: float = 0.0
    up: float = 0.0

    def of(self, landmarks: np.ndarray, side: int) -> np.ndarray:
        """The map (2, 3) of the points of a picture of `side` pixels that so lays the head with landmarks (68, 2) in it."""
        middle = landmarks[RIGID].mean(0)
        cos, sin = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        linear = (1 + self.zoom) * np.array([[cos, sin], [-sin, cos]])  # y is down
        shifted = middle + side * np.array([self.right, -self.up])
        return np.column_stack([linear, shifted - linear @ middle])


def laid(portrait: Portrait, result: Image.Image, placing: Placing) -> Image.Image:
    """A result made from a portrait, RGB, its head laid elsewhere: as the photo would have been cut out otherwise.

    Beyond the result the photo goes on, and beyond the photo the result is mirrored and blurred.
    """
    side = result.width
    landmarks = portrait.parameters.landmarks * (side / portrait.crop.width) - 0.5  # they count from edges
    to_place = placing.of(landmarks, side)
    pixels = np.asarray(result)
    size, flags = (side, side), cv2.INTER_CUBIC
    moved = cv2.warpAffine(pixels, to_place, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    transform = _before(portrait.transform.resized(side), to_place)
    beyond = Image.fromarray(cv2.GaussianBlur(moved, (0, 0), BLUR * side))
    around = completed(recut(portrait.photo, transform, side), beyond, transform)
    inside = cv2.warpAffine(_rim(side), to_place, size, flags=cv2.INTER_LINEAR)[..., None]
    joined = np.asarray(around, np.float32) * (1 - inside) + moved * inside
    return Image.fromarray(np.clip(np.rint(joined), 0, 255).astype(np.uint8))


def _before(transform: CropTransform, to_place: np.ndarray) -> CropTransform:
    """The way into the photo from where a map (2, 3) has laid the points of a crop."""
    back = np.linalg.inv(np.vstack([to_place, [0, 0, 1]]))
    first, second = (np.array(transform.matrix) @ back).tolist()
    return CropTransform((tuple(first), tuple(second)), transform.crop_size, transform.photo_size)


def _rim(side: int) -> np.ndarray:
    """1 within a picture of `side` pixels, falling to 0 at its border, (side, side) float32."""
    pixels = np.arange(side) + 0.5
    ramp = np.clip(np.minimum(pixels, side - pixels) / (EDGE * side), 0, 1)
    return np.minimum(ramp, ramp[:, None]).astype(np.float32)

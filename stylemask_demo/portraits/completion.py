"""Crops that reach beyond their photo: what lies there is drawn, because no photo shows it."""

import cv2
import numpy as np
from PIL import Image

from stylemask_demo.faces.align import CropTransform

EDGE = 0.02  # sides of the crop over which the photo fades into what is drawn
LIGHT = 0.1  # standard deviation, in sides of the crop, within which drawn light is that of the photo beside
UNKNOWN = 1e-3  # weight of no difference of light, where the photo is far


def completed(crop: Image.Image, drawn: Image.Image, transform: CropTransform) -> Image.Image:
    """A crop whose pixels beyond the photo are those of `drawn`, in the light of the photo beside them.

    Both are RGB and as large as the crop of the `transform`. A crop that lies within its photo is returned as it is.
    """
    if transform.inside:
        return crop
    share = np.clip(_depth(transform) / (EDGE * transform.crop_size), 0, 1)[..., None].astype(np.float32)
    pixels, made = np.asarray(crop, np.float32), np.asarray(drawn, np.float32)
    known = (share == 1).astype(np.float32)
    blurred = _blurred(np.concatenate([known * (pixels - made), known], 2))
    light = blurred[..., :3] / (blurred[..., 3:] + UNKNOWN)
    filled = made + light + share * (pixels - made - light)
    return Image.fromarray(np.clip(np.rint(filled), 0, 255).astype(np.uint8))


def _depth(transform: CropTransform) -> np.ndarray:
    """How far within the photo each pixel of a crop lies, in pixels of the crop, (S, S); negative outside."""
    side = transform.crop_size
    y, x = np.mgrid[:side, :side]
    points = transform.to_photo(np.stack([x, y], -1).reshape(-1, 2)).reshape(side, side, 2)
    far = np.minimum(points, np.subtract(transform.photo_size, 1) - points).min(2) + 0.5
    return far * (side / transform.side_in_photo)


def _blurred(layers: np.ndarray) -> np.ndarray:
    # Light varies slowly: a small copy is enough, and a wide blur of all is slow.
    side = len(layers)
    small = cv2.resize(layers, (64, 64), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 64 * LIGHT, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)

"""Arrays of numbers as pictures."""

import numpy as np
from PIL import Image


def from_array(array: np.ndarray, deep_integers: bool = False) -> Image.Image:
    """Turn an array into an 8-bit picture.

    `array` is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8 in 0..255, uint16 in 0..65535, floats in 0..1, or
    booleans; `deep_integers` takes 16-bit values of any integer type. Raises ValueError for anything else.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or not (array.ndim == 2 or array.ndim == 3 and array.shape[2] in (3, 4)):
        raise ValueError(f"an array of shape {array.shape} is not (height, width[, 1, 3 or 4])")
    if array.dtype == np.uint8:
        pixels = array
    elif array.dtype == bool:
        pixels = array.astype(np.uint8) * 255
    elif array.dtype.kind == "u" and array.dtype.itemsize == 2 or deep_integers and array.dtype.kind in "iu":
        pixels = (np.clip(array, 0, 65535).astype(np.float32) / 257).round().astype(np.uint8)
    elif array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError("some pixels are not finite numbers")
        pixels = (np.clip(array, 0, 1) * 255).round().astype(np.uint8)
    else:
        raise ValueError(f"pixels of type {array.dtype} are not uint8, uint16, boolean or floats")
    return Image.fromarray(np.ascontiguousarray(pixels))

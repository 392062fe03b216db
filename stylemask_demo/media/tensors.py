"""Between pictures and tensors."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylemask_demo.networks.trunk import INPUT_SIZE

RESAMPLING = {"area": Image.Resampling.BOX, "bilinear": Image.Resampling.BILINEAR}


def to_tensor(crops: Sequence[Image.Image], size: int = INPUT_SIZE) -> Tensor:
    """RGB crops -> (B, 3, size, size) in -1..1, resized by area."""
    arrays = [np.asarray(c if c.width == size else c.resize((size, size), Image.Resampling.BOX)) for c in crops]
    return from_pixels(torch.from_numpy(np.stack(arrays)))


def from_pixels(pixels: Tensor) -> Tensor:
    """Pixels (..., H, W, 3) in 0..255, of any type -> pictures (..., 3, H, W), float32 in -1..1."""
    return pixels.movedim(-1, -3).float() / 127.5 - 1


def to_images(made: Tensor, rounding: Literal["nearest", "down"] = "nearest") -> list[Image.Image]:
    """Pictures (B, 3, H, W) in about -1..1 -> B pictures, RGB; `rounding` is that of grey levels to whole ones."""
    levels = (made.detach().float().clamp(-1, 1) + 1) * 127.5
    levels = levels.round() if rounding == "nearest" else levels.floor()
    pixels = levels.byte().permute(0, 2, 3, 1)
    return [Image.fromarray(picture) for picture in pixels.cpu().numpy()]


def to_image(picture: Tensor) -> Image.Image:
    """Picture (3, H, W) in about -1..1 -> picture, RGB."""
    return to_images(picture[None])[0]

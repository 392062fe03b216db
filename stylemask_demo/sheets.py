"""Contact sheets: many small pictures on one, to look at."""

import math

from PIL import Image
from torch import Tensor


def to_image(picture: Tensor) -> Image.Image:
    """Picture (3, H, W) in -1..1 -> PIL image."""
    pixels = ((picture.detach().float().clamp(-1, 1).permute(1, 2, 0) + 1) * 127.5).round().byte()
    return Image.fromarray(pixels.cpu().numpy())


def contact_sheet(pictures: list[Image.Image], columns: int, side: int = 128) -> Image.Image:
    """Pictures in rows of `columns`, each resized to `side` pixels."""
    sheet = Image.new("RGB", (columns * side, math.ceil(len(pictures) / columns) * side), "white")
    for i, picture in enumerate(pictures):
        sheet.paste(
            picture.resize((side, side), Image.Resampling.LANCZOS), (i % columns * side, i // columns * side)
        )
    return sheet

"""Contact sheets: many small pictures on one, to look at."""

import math

from PIL import Image


def contact_sheet(pictures: list[Image.Image], columns: int, side: int = 128) -> Image.Image:
    """Pictures in rows of `columns`, each resized to `side` pixels."""
    sheet = Image.new("RGB", (columns * side, math.ceil(len(pictures) / columns) * side), "white")
    for i, picture in enumerate(pictures):
        sheet.paste(picture.resize((side, side), Image.Resampling.LANCZOS), (i % columns * side, i // columns * side))
    return sheet

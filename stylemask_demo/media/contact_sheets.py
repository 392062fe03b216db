"""Contact sheets: many small pictures on one, to look at, and tables of results beside what they were made of."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

INK = (70, 70, 70)  # of titles, on white


def contact_sheet(pictures: list[Image.Image], columns: int, side: int = 128) -> Image.Image:
    """Pictures in rows of `columns`, each resized to `side` pixels."""
    sheet = Image.new("RGB", (columns * side, math.ceil(len(pictures) / columns) * side), "white")
    for i, picture in enumerate(pictures):
        sheet.paste(_square(picture, side), (i % columns * side, i // columns * side))
    return sheet


def table(
    rows: Sequence[Sequence[Image.Image | None]], side: int, inputs: tuple[int, int] = (0, 0), titles: Sequence[str] = ()
) -> Image.Image:
    """Rows of square pictures, each resized to `side` pixels, on white; None leaves a place empty.

    The first `inputs` (rows, columns) show what the others were made of, and stand a little apart. `titles` are written
    over the columns.
    """
    gap, head = side // 16, side // 8 if titles else 0
    width = len(rows[0]) * side + (gap if inputs[1] else 0)
    height = head + len(rows) * side + (gap if inputs[0] else 0)
    sheet = Image.new("RGB", (width, height), "white")
    lefts = [column * side + (gap if inputs[1] and column >= inputs[1] else 0) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        top = head + number * side + (gap if inputs[0] and number >= inputs[0] else 0)
        for left, picture in zip(lefts, row, strict=True):
            if picture is not None:
                sheet.paste(_square(picture, side), (left, top))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=side / 16)
    for left, title in zip(lefts, titles, strict=False):
        draw.text((left + side / 2, head / 2), title, fill=INK, font=font, anchor="mm")
    return sheet


def _square(picture: Image.Image, side: int) -> Image.Image:
    return picture if picture.size == (side, side) else picture.resize((side, side), Image.Resampling.LANCZOS)

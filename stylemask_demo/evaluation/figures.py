"""Charts of the measurements, drawn with Pillow: errors by group, and commanded against measured slider changes."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylemask_demo.evaluation.bars import WORST_GROUP
from stylemask_demo.evaluation.sliders import Sweep

INK, FAINT, BLUE, RED = "#202530", "#c9ced8", "#3763c9", "#c4423a"
FONT_PIXELS = 15
BAR_ROW, LABEL_WIDTH, BAR_WIDTH = 26, 210, 420
PLOT, MARGIN = 360, 60


def group_chart(title: str, kinds: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Image.Image:
    """Bars of the pose error of each group; a red line stands at the largest error that a group may have."""
    rows = [(f"{kind}: {name}", group) for kind, groups in kinds.items() for name, group in groups.items()]
    # All groups have the same mean behind their ratios.
    limit = WORST_GROUP * rows[0][1]["pose error"] / max(rows[0][1]["ratio"], 1e-9)
    longest = max([limit, *(group["pose error"] for _, group in rows)])
    picture, draw, font = _canvas(LABEL_WIDTH + BAR_WIDTH + 130, 50 + BAR_ROW * len(rows) + 20)
    draw.text((12, 12), f"{title}: pose error by group (degrees)", INK, font)
    for i, (name, group) in enumerate(rows):
        y = 50 + BAR_ROW * i
        end = LABEL_WIDTH + BAR_WIDTH * group["pose error"] / longest
        draw.text((12, y), name, INK, font)
        draw.rectangle((LABEL_WIDTH, y, max(end, LABEL_WIDTH + 1), y + BAR_ROW - 9), BLUE)
        draw.text((end + 8, y), f"{group['pose error']:.2f}  ({group['count']})", INK, font)
    x = LABEL_WIDTH + BAR_WIDTH * limit / longest
    draw.line((x, 44, x, 46 + BAR_ROW * len(rows)), RED, 2)
    return picture


def slider_chart(sweeps: Sequence[Sweep]) -> Image.Image:
    """One plot for each slider: a dot for each person, a line through the means, and the ideal as a grey diagonal."""
    picture, draw, font = _canvas(len(sweeps) * (PLOT + MARGIN) + MARGIN, PLOT + 2 * MARGIN)
    for i, sweep in enumerate(sweeps):
        left = MARGIN + i * (PLOT + MARGIN)
        reach = max(sweep.reach, float(np.abs(sweep.measured).max())) * 1.05

        def place(x: float, y: float, left: int = left, reach: float = reach) -> tuple[float, float]:
            return left + (x / reach + 1) * PLOT / 2, MARGIN + (1 - y / reach) * PLOT / 2

        draw.rectangle((left, MARGIN, left + PLOT, MARGIN + PLOT), outline=FAINT)
        draw.line((*place(-reach, 0), *place(reach, 0)), FAINT)
        draw.line((*place(0, -reach), *place(0, reach)), FAINT)
        draw.line((*place(-reach, -reach), *place(reach, reach)), FAINT, 3)
        for value, changes in zip(sweep.commanded, sweep.measured.T, strict=True):
            for change in changes:
                x, y = place(value, change)
                draw.ellipse((x - 2, y - 2, x + 2, y + 2), BLUE)
        means = [place(value, mean) for value, mean in zip(sweep.commanded, sweep.measured.mean(0), strict=True)]
        draw.line(means, RED, 2)
        numbers = sweep.measures()
        title = f"{sweep.slider}: slope {numbers['slope']:.2f}, R2 {numbers['R2']:.2f}"
        draw.text((left, MARGIN - 26), title, INK, font)
        draw.text((left, MARGIN + PLOT + 8), f"-{reach:.3g}", INK, font)
        draw.text((left + PLOT, MARGIN + PLOT + 8), f"{reach:.3g}", INK, font, anchor="ra")
        draw.text((left + PLOT / 2, MARGIN + PLOT + 8), "commanded", INK, font, anchor="ma")
        draw.text((left + 6, MARGIN + 4), "measured", INK, font)
    return picture


def _canvas(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw, ImageFont.ImageFont]:
    picture = Image.new("RGB", (width, height), "white")
    return picture, ImageDraw.Draw(picture), ImageFont.load_default(FONT_PIXELS)

"""Face parameters made visible: landmarks and head axes drawn on the aligned crop."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylemask_demo import FaceParameters

CONTOURS = (  # (first, last + 1, closed) of each line through the 68 iBUG landmarks
    (0, 17, False),  # jaw
    (17, 22, False),  # eyebrows
    (22, 27, False),
    (27, 31, False),  # bridge of the nose
    (31, 36, False),  # nostrils
    (36, 42, True),  # eyes
    (42, 48, True),
    (48, 60, True),  # outer lips
    (60, 68, True),  # inner lips
)
NOSE_TIP = 30
RIGHT, UP, FORWARD = (255, 107, 107), (81, 207, 102), (77, 171, 247)  # one colour per head axis
LANDMARKS = (255, 255, 255)


def head_axes(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Return where the head's right, up and forward axes point in the picture.

    Angles in degrees: yaw > 0 turns the face to the right of the picture, pitch > 0 looks up, roll > 0
    turns it anticlockwise. Result: (3, 2), one unit axis a row, seen from far away, x right and y down.
    """
    y, p, r = np.radians([yaw, -pitch, roll])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (turn @ nod @ tilt).T[:, :2] * [1, -1]


def draw_parameters(crop: Image.Image, parameters: FaceParameters, size: int = 512) -> Image.Image:
    """Return the crop with its landmarks, head axes and three angles drawn on it.

    `crop` is the aligned crop that `parameters.landmarks` are pixels of; the result is RGB, `size` pixels
    square, and drawn at twice that so that the lines are smooth.
    """
    canvas_size = 2 * size
    canvas = crop.convert("RGB").resize((canvas_size, canvas_size), Image.Resampling.BICUBIC)
    canvas = Image.blend(canvas, Image.new("RGB", canvas.size, (15, 23, 28)), 0.25)  # so that lines stand out
    pen = ImageDraw.Draw(canvas)
    unit = canvas_size / 256
    points = np.asarray(parameters.landmarks, dtype=float) * (canvas_size / crop.width)

    for first, end, closed in CONTOURS:
        line = [tuple(point) for point in points[first:end]]
        pen.line(line + line[:1] if closed else line, fill=LANDMARKS, width=round(unit), joint="curve")
    for x, y in points:
        pen.circle((x, y), 1.4 * unit, fill=LANDMARKS)

    origin = points[NOSE_TIP]
    axes = head_axes(parameters.yaw, parameters.pitch, parameters.roll) * (62 * unit)
    for axis, colour in zip(axes, (RIGHT, UP, FORWARD), strict=True):
        pen.line([tuple(origin), tuple(origin + axis)], fill=colour, width=round(2.6 * unit))
        pen.circle(tuple(origin + axis), 2.6 * unit, fill=colour)

    _write_angles(canvas, parameters, unit)
    return canvas.resize((size, size), Image.Resampling.LANCZOS)


def _write_angles(canvas: Image.Image, parameters: FaceParameters, unit: float) -> None:
    """Write the three angles in the colour of the axis that each of them moves most, on a dark strip."""
    strip = Image.new("RGBA", (canvas.width, round(34 * unit)), (15, 23, 28, 200))
    canvas.paste(strip, (0, canvas.height - strip.height), strip)
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=15 * unit)
    angles = (
        ("yaw", parameters.yaw, FORWARD),
        ("pitch", parameters.pitch, UP),
        ("roll", parameters.roll, RIGHT),
    )
    for column, (name, degrees, colour) in enumerate(angles):
        place = (canvas.width * (2 * column + 1) / 6, canvas.height - strip.height / 2)
        pen.text(place, f"{name} {degrees:+.0f}°", font=font, fill=colour, anchor="mm")

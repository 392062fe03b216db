"""Frames of a video as they are looked at: upright, of square pixels, of one size."""

from typing import Any

import av
import numpy as np
from PIL import Image, ImageOps

MAXIMUM_SIDE = 1920  # pixels; larger frames are made smaller


def picture_of(frame: av.VideoFrame, stream: av.VideoStream) -> Image.Image:
    """A decoded frame -> upright picture, RGB, at most 1920 pixels a side."""
    width, height = _size(frame, stream)
    pixels = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    swapped, left_right, up_down = _turns(frame)
    pixels = pixels.swapaxes(0, 1) if swapped else pixels
    pixels = pixels[:, ::-1] if left_right else pixels
    pixels = pixels[::-1] if up_down else pixels
    return Image.fromarray(np.ascontiguousarray(pixels))


def fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture at `size` (width, height) in pixels, whole, with black beside it where its shape is another."""
    return picture if picture.size == size else ImageOps.pad(picture, size, Image.Resampling.LANCZOS)


def limited(picture: Image.Image) -> Image.Image:
    """The picture, made smaller where it has more than 1920 pixels a side."""
    if max(picture.size) <= MAXIMUM_SIDE:
        return picture
    return ImageOps.contain(picture, (MAXIMUM_SIDE, MAXIMUM_SIDE), Image.Resampling.LANCZOS)


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two pictures beside each other, RGB, as high as the right one."""
    left = left.resize((max(round(left.width * right.height / left.height), 1), right.height), Image.Resampling.LANCZOS)
    made = Image.new("RGB", (left.width + right.width, right.height))
    made.paste(left, (0, 0))
    made.paste(right, (left.width, 0))
    return made


def upright_size(frame: av.VideoFrame, stream: av.VideoStream) -> tuple[int, int]:
    """Width and height of `picture_of` in pixels."""
    width, height = _size(frame, stream)
    return (height, width) if _turns(frame)[0] else (width, height)


def _size(frame: av.VideoFrame, stream: av.VideoStream) -> tuple[int, int]:
    width = frame.width * float(stream.sample_aspect_ratio or 1)
    scale = min(1.0, MAXIMUM_SIDE / max(width, frame.height))
    return max(round(width * scale), 1), max(round(frame.height * scale), 1)


def _turns(frame: av.VideoFrame) -> tuple[bool, bool, bool]:
    """How a frame becomes upright: whether rows and columns are exchanged, then left and right, then up and down.

    These are the eight ways in which a camera can lie, or look into a mirror, of the display matrix (a b u; c d v; x y w)
    that takes a point (p, q) to (ap + cq, bp + dq).
    """
    try:
        beside: Any = frame.side_data
        matrix = np.frombuffer(bytes(beside["DISPLAYMATRIX"]), np.int32)
    except (KeyError, ValueError):  # none, or beside it something that PyAV has no name for
        return _turned(frame.rotation)
    a, b, c, d = (float(matrix[i]) for i in (0, 1, 3, 4))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


def _turned(degrees: int) -> tuple[bool, bool, bool]:
    """The same, of a rotation in degrees anticlockwise."""
    quarters = round(degrees / 90) % 4
    return bool(quarters % 2), quarters in (2, 3), quarters in (1, 2)

"""Marks on results that a host may ask for: a badge that people see, and a watermark that a program finds."""

import zlib
from functools import cache, lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylemask_demo import messages
from stylemask_demo.errors import WrongSetting
from stylemask_demo.host_settings import WATERMARK

BADGE = "Made by AI"
_BADGE_HEIGHT, _SMALLEST_BADGE = 0.045, 12  # of the picture's shorter side; pixels
# Zhang et al., "Robust Invisible Video Watermarking with Attention" (2019): 32 bits. It is made for a copy of one size and
# read from such a copy, so that it costs the same for every picture, and is found again in a resized one.
_METHOD, _BITS, _SIDE = "rivaGan", 32, 320
_WORD = [zlib.crc32(b"stylemask-demo") >> bit & 1 for bit in range(_BITS)]
_WRONG = 5  # bits that may be read wrongly: one unmarked picture in some fifteen thousand is taken for a marked one


def with_badge(picture: Image.Image) -> Image.Image:
    """A copy of a result (RGB) with the badge in its upper left corner, where nothing of the page lies over it."""
    badge = _badge(min(picture.size))
    edge, made = badge.height // 3, picture.copy()
    made.paste(badge, (edge, edge), badge)
    return made


def with_watermark(picture: Image.Image) -> Image.Image:
    """A copy of a result (RGB) with the watermark; takes a second or two. Raises WrongSetting without the library."""
    small = np.asarray(_reduced(picture))
    added = _encoder().encode(np.ascontiguousarray(small[:, :, ::-1]), _METHOD)[:, :, ::-1].astype(np.float32) - small
    import cv2  # here: a machine without a desktop is told what helps where faces are found

    layer = cv2.resize(added, picture.size, interpolation=cv2.INTER_CUBIC)
    made = Image.fromarray(np.clip(np.rint(np.asarray(picture) + layer), 0, 255).astype(np.uint8))
    made.info = picture.info
    return made


def has_watermark(picture: Image.Image) -> bool:
    """Whether a picture carries the watermark, also after JPEG and resizing. Raises WrongSetting without the library."""
    read = _decoder().decode(np.ascontiguousarray(np.asarray(_reduced(picture.convert("RGB")))[:, :, ::-1]), _METHOD)
    return sum(int(bit) != wanted for bit, wanted in zip(read, _WORD, strict=True)) <= _WRONG


def _reduced(picture: Image.Image) -> Image.Image:
    return picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, reducing_gap=3)


def check_library() -> None:
    """Raise WrongSetting where the library of the watermark is missing."""
    _library()


def _library() -> Any:
    try:
        import imwatermark  # here: it takes long, and most hosts do without
    except ImportError as error:
        told = f"{WATERMARK} needs invisible-watermark ({error}). Install it: pip install 'stylemask-demo[provenance]'"
        raise WrongSetting(messages.NO_MARKS, told) from None
    return imwatermark


@cache
def _encoder() -> Any:
    encoder = _library().WatermarkEncoder()
    encoder.loadModel()
    encoder.set_watermark("bits", _WORD)
    return encoder


@cache
def _decoder() -> Any:
    decoder = _library().WatermarkDecoder("bits", _BITS)
    decoder.loadModel()
    return decoder


@lru_cache(maxsize=16)
def _badge(side: int) -> Image.Image:
    """The badge for a picture whose shorter side has so many pixels, RGBA."""
    height = max(round(side * _BADGE_HEIGHT), _SMALLEST_BADGE)
    font = ImageFont.load_default(size=height * 0.72)
    width = round(font.getlength(BADGE) + height)
    badge = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    pen = ImageDraw.Draw(badge)
    pen.rounded_rectangle((0, 0, width - 1, height - 1), height / 3, fill=(15, 23, 28, 190))
    pen.text((width / 2, height / 2), BADGE, font=font, fill="white", anchor="mm")
    return badge

"""Pictures in: whatever a person has becomes upright 8-bit RGB within limits, or a clear error."""

import contextlib
import dataclasses
import hashlib
import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps
from pillow_heif import register_heif_opener

from stylemask_demo import messages
from stylemask_demo.errors import UnreadableMedia
from stylemask_demo.media.animations import count_pictures
from stylemask_demo.media.arrays import from_array
from stylemask_demo.media.colours import is_rgb_profile, to_srgb
from stylemask_demo.media.files import Limit, check_file, reason, told_of
from stylemask_demo.media.kinds import READ, kind_of
from stylemask_demo.media.origin import ORIENTATION, Origin, origin_of, with_origin, without_animation
from stylemask_demo.media.truncated import completed_jpeg

LIMIT = Limit(50_000_000, messages.LARGE_PICTURE_FILE, messages.EMPTY_PICTURE)
MAXIMUM_BYTES = LIMIT.bytes
MAXIMUM_PIXELS = 40_000_000
MINIMUM_SIDE = 64  # pixels; a smaller face tells too little of a person
NARROWEST = 20  # times may the longer side be the shorter one; panoramas are no more
LARGEST_PROFILE = 1_000_000  # bytes of a colour profile that is kept
MOST_PICTURES = 24  # of an animation that are looked at, spread over all of it, or
MOST_DECODED = 200_000_000  # over as much as has so many pixels: to show one picture those before it are decoded
ENOUGH_ROWS = 0.9  # of a picture whose end is missing

# Only formats that people keep photos in: Pillow's other readers, one of which starts Ghostscript, stay shut.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF")
register_heif_opener()

# What Pillow's readers raise on damaged files.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    OverflowError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_TIFF_KIND, _PREVIEW, _DNG = 254, 1, 50706  # tags of a TIFF, and the value of one that is a small copy of another picture

# The limit above is stricter than Pillow's and gives an error; its warning would come before ours.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

Picture = str | os.PathLike | bytes | BinaryIO | Image.Image | np.ndarray


def open_image(source: Picture) -> Image.Image:
    """Read a picture as upright 8-bit RGB, in the colours of sRGB.

    `source` is a path, the bytes of a file, a binary file, a PIL picture, or an array (H, W), (H, W, 1),
    (H, W, 3) or (H, W, 4) of uint8 in 0..255, uint16 in 0..65535, floats in 0..1, or booleans. EXIF rotation
    is applied, the colour profile too, transparency is laid over white, and grey, CMYK, palette and 16-bit pictures are
    converted; of an animation the first picture is taken, and `pictures_of` gives the others. Of a JPEG file whose end is
    missing nine tenths of the rows are enough. The result is a copy that shares nothing with `source`; `origin_of` tells
    what its file said beside its pixels.

    Raises UnreadableMedia for anything else, for files above 50 MB, for pictures above 40 megapixels (before
    they are decoded), for pictures with a side under 64 pixels, and for those 20 times as long as wide.
    """
    if isinstance(source, (str, os.PathLike)):
        try:
            return _read(source)
        except UnreadableMedia as error:
            raise UnreadableMedia(error.message, told_of(source, error)) from None
    if isinstance(source, (Image.Image, np.ndarray)):
        with _damage_explained():
            image = source if isinstance(source, Image.Image) else from_array(source)
            return _converted(image, _file_of(image))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decoded(bytes(source))
    if not hasattr(source, "read"):
        raise UnreadableMedia(messages.NOT_AN_IMAGE)
    content = source.read(LIMIT.bytes + 1)  # one byte more is enough to know, however much an endless file would give
    if not isinstance(content, bytes):
        raise UnreadableMedia(messages.TEXT_MODE)
    return _decoded(content)


def pictures_of(image: Image.Image) -> Iterator[Image.Image]:
    """A picture of `open_image`, then those that follow it in its file if that is an animation, in their order.

    At most 24, spread over all of the animation, or over as much of a huge one as can be decoded in seconds. Where it is
    damaged it ends. None of them holds on to the file.
    """
    yield without_animation(image)
    content = origin_of(image).animation
    if not content:
        return
    with contextlib.suppress(*_DAMAGE, UnreadableMedia), Image.open(io.BytesIO(content), formats=FORMATS) as animation:
        count = min(_count(animation, content), MOST_DECODED // (animation.width * animation.height))
        for number in range(1, count, -(-count // MOST_PICTURES)):
            animation.seek(number)
            yield without_animation(_converted(animation))


def content_hash(image: Image.Image) -> str:
    """Return the sha256 of a picture's mode, size and pixels, 64 hex digits: equal pictures, equal hash."""
    digest = hashlib.sha256(f"{image.mode} {image.width} {image.height} ".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def _read(path: str | os.PathLike) -> Image.Image:
    check_file(path, LIMIT)
    with open(path, "rb") as file:
        return _decoded(file.read(LIMIT.bytes + 1))


def _decoded(content: bytes) -> Image.Image:
    LIMIT.check(len(content))
    with _damage_explained(content):
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        try:
            return _converted(image, content)
        except OSError:
            if image.format not in ("JPEG", "MPO"):
                raise
            completed, part = completed_jpeg(content)
            if part < ENOUGH_ROWS:
                raise
            made = _converted(completed)
            note = messages.CUT_PICTURE.format(number=round(100 * part))
            return with_origin(made, dataclasses.replace(origin_of(made), note=note))


@contextlib.contextmanager
def _damage_explained(content: bytes = b"") -> Iterator[None]:
    """Turn what Pillow raises on files that it cannot read into what a person can do about it."""
    try:
        yield
    except Image.UnidentifiedImageError:
        kind = kind_of(content)
        if kind in READ:
            raise UnreadableMedia(messages.DAMAGED_PICTURE) from None
        raise UnreadableMedia(messages.KIND_OF_PICTURE.format(kind=kind) if kind else messages.NO_PICTURE) from None
    except Image.DecompressionBombError:
        raise UnreadableMedia(messages.LARGE_PICTURE.format(limit=MAXIMUM_PIXELS // 1_000_000)) from None
    except _DAMAGE as error:
        said = messages.DAMAGED_PICTURE
        raise UnreadableMedia(said, f"{said} ({reason(error)})") from None


def _converted(image: Image.Image, content: bytes = b"") -> Image.Image:
    """A picture that is not decoded yet -> what `open_image` gives; `content` is its file, where that is known."""
    if image.width * image.height > MAXIMUM_PIXELS:
        raise UnreadableMedia(messages.LARGE_PICTURE.format(limit=MAXIMUM_PIXELS // 1_000_000))
    if min(image.size) < MINIMUM_SIDE:
        raise UnreadableMedia(messages.SMALL_PICTURE.format(width=image.width, height=image.height, limit=MINIMUM_SIDE))
    if max(image.size) > NARROWEST * min(image.size):
        raise UnreadableMedia(messages.NARROW_PICTURE.format(width=image.width, height=image.height, limit=NARROWEST))
    if image.format == "TIFF" and _is_raw_photo(image):
        raise UnreadableMedia(messages.RAW_PHOTO)
    known, orientation = origin_of(image), image.getexif().get(ORIENTATION, 1)
    profile = image.info.get("icc_profile") or b""
    made = _upright_rgb(image, profile)
    if known.size == made.size and known != Origin(made.size):
        return with_origin(made, known)  # it was opened here before
    kept = profile if len(profile) <= LARGEST_PROFILE and is_rgb_profile(profile) else b""
    animation = content if _is_animated(image) else b""
    return with_origin(made, Origin(made.size, profile=kept, orientation=orientation, animation=animation))


def _upright_rgb(image: Image.Image, profile: bytes) -> Image.Image:
    is_bmp = image.format == "BMP"
    image = ImageOps.exif_transpose(image)  # a copy, decoded
    if image.mode.startswith(("I", "F")):
        image = from_array(np.asarray(image), deep_integers=True)
    alpha = None
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        alpha = clear.getchannel("A")
        image = image.convert("L") if image.mode == "LA" else clear.convert("RGB")
    elif image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    image = to_srgb(image, profile)
    # Programs that know nothing of transparency leave its place in a BMP file empty.
    if alpha is None or is_bmp and alpha.getextrema() == (0, 0):
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=alpha)
    return white


def _is_raw_photo(image: Image.Image) -> bool:
    """Whether the first picture of a TIFF is the small preview that cameras put before what they saw."""
    tags = getattr(image, "tag_v2", {})
    return bool(_DNG in tags or tags.get(_TIFF_KIND, 0) & _PREVIEW)


def _is_animated(image: Image.Image) -> bool:
    with contextlib.suppress(*_DAMAGE):
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    return False


def _count(animation: Image.Image, content: bytes) -> int:
    """How many pictures an animation has, as far as they are looked at; without a look at each of millions."""
    if animation.format == "GIF":  # whose beginning does not tell it
        return count_pictures(content, MOST_DECODED // MINIMUM_SIDE**2)
    return MOST_PICTURES if animation.format == "TIFF" else getattr(animation, "n_frames", 1)


def _file_of(image: Image.Image) -> bytes:
    """The file that an animation was opened from, if it is still there."""
    path = getattr(image, "filename", "")
    if path and _is_animated(image):
        with contextlib.suppress(OSError, UnreadableMedia):
            check_file(path, LIMIT)
            with open(path, "rb") as file:
                return file.read()
    return b""

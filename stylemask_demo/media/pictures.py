"""Pictures in and out: whatever a person has becomes upright 8-bit RGB within limits, or a clear error."""

import contextlib
import hashlib
import io
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from stylemask_demo.errors import UnreadableMedia, UnwritableMedia

MAXIMUM_BYTES = 50_000_000
MAXIMUM_PIXELS = 40_000_000
MINIMUM_SIDE = 64  # pixels; a smaller face tells too little of a person

# Only formats that people keep photos in: Pillow's other readers, one of which starts Ghostscript, stay shut.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")

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
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

# The limit above is stricter than Pillow's and gives an error; its warning would come before ours.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

Picture = str | os.PathLike | bytes | BinaryIO | Image.Image | np.ndarray


def open_image(source: Picture) -> Image.Image:
    """Read a picture as upright 8-bit RGB.

    `source` is a path, the bytes of a file, a binary file, a PIL picture, or an array (H, W), (H, W, 1),
    (H, W, 3) or (H, W, 4) of uint8 in 0..255, uint16 in 0..65535, floats in 0..1, or booleans. EXIF rotation
    is applied, transparency is laid over white, and grey, CMYK, palette and 16-bit pictures are converted; of
    an animation the first picture is taken. The result is a copy that shares nothing with `source`.

    Raises UnreadableMedia for anything else, for files above 50 MB, for pictures above 40 megapixels (before
    they are decoded), and for pictures with a side under 64 pixels.
    """
    name = "The picture"
    if isinstance(source, (str, os.PathLike)):
        name = f"'{os.fspath(source)}'"
        source = _read_path(Path(source), name)
    elif not isinstance(source, (bytes, bytearray, memoryview, Image.Image, np.ndarray)):
        if not hasattr(source, "read"):
            raise UnreadableMedia(
                f"A {type(source).__name__} is no picture. Give a file, its bytes, a PIL picture or an array."
            )
        source = _read_file(source, name)
    try:
        if isinstance(source, np.ndarray):
            image = _from_array(source)
        elif isinstance(source, Image.Image):
            image = source
        else:
            _check_bytes(len(source), name)
            image = Image.open(io.BytesIO(source), formats=FORMATS)
        _check_size(image, name)
        return _to_rgb(image)
    except Image.UnidentifiedImageError:
        raise UnreadableMedia(
            f"{name} is no picture, or in a format that is not read here. Save it as PNG, JPEG or WebP."
        ) from None
    except Image.DecompressionBombError:
        raise UnreadableMedia(_too_large(name)) from None
    except _DAMAGE as error:
        raise UnreadableMedia(
            f"{name} is damaged or of an unusual kind ({_first_line(error)}). "
            "Save it again as PNG or JPEG with 8 bits a channel, or take another picture."
        ) from None


def save_png(image: Image.Image, path: str | os.PathLike) -> None:
    """Write a picture as PNG, whole or not at all.

    Raises UnwritableMedia when the name does not end in `.png`, or the file cannot be written.
    """
    check_output_path(path, ".png")
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        image.save(temporary, format="PNG")
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise UnwritableMedia(
            f"'{path}' cannot be written ({error.strerror or error}). Name a folder that exists and is yours."
        ) from None


def check_output_path(path: str | os.PathLike, suffix: str) -> None:
    """Raise UnwritableMedia when no file of a kind (".png", ".mp4") can be written at `path`, before work is spent."""
    path = Path(path)
    if path.suffix.lower() != suffix:
        kind = suffix[1:].upper()
        raise UnwritableMedia(f"The result is a {kind}: give it a name that ends in {suffix}, not '{path}'.")
    if not os.path.isdir(path.parent):
        raise UnwritableMedia(f"There is no folder '{path.parent}'. Make it first, or name another one.")
    if os.path.isdir(path):
        raise UnwritableMedia(f"'{path}' is a folder. Name a file.")


def content_hash(image: Image.Image) -> str:
    """Return the sha256 of a picture's mode, size and pixels, 64 hex digits: equal pictures, equal hash."""
    digest = hashlib.sha256(f"{image.mode} {image.width} {image.height} ".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def _read_path(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            raise UnreadableMedia(f"{name} is a folder. Name one picture in it.")
        _check_bytes(path.stat().st_size, name)
        with path.open("rb") as file:
            return _read_file(file, name)
    except FileNotFoundError:
        raise UnreadableMedia(f"There is no file {name}. Check its name and folder.") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise UnreadableMedia(
            f"{name} cannot be read ({_first_line(error)}). Check its name and its permissions."
        ) from None


def _read_file(file: BinaryIO, name: str) -> bytes:
    # One byte over the limit is enough to know, however much an endless file would give.
    content = file.read(MAXIMUM_BYTES + 1)
    if not isinstance(content, bytes):
        raise UnreadableMedia(f"{name} was opened as text. Open it in binary mode ('rb').")
    _check_bytes(len(content), name)
    return content


def _check_bytes(size: int, name: str) -> None:
    if size == 0:
        raise UnreadableMedia(f"{name} is empty. Take another picture.")
    if size > MAXIMUM_BYTES:
        raise UnreadableMedia(
            f"{name} is larger than {MAXIMUM_BYTES // 1_000_000} MB. Save it smaller, for instance as JPEG."
        )


def _check_size(image: Image.Image, name: str) -> None:
    if image.width * image.height > MAXIMUM_PIXELS:
        raise UnreadableMedia(_too_large(name))
    if min(image.size) < MINIMUM_SIDE:
        raise UnreadableMedia(
            f"{name} is only {image.width} x {image.height} pixels. "
            f"Take a picture with at least {MINIMUM_SIDE} pixels a side."
        )


def _too_large(name: str) -> str:
    return f"{name} has more than {MAXIMUM_PIXELS // 1_000_000} megapixels. Make it smaller and try again."


def _to_rgb(image: Image.Image) -> Image.Image:
    image = ImageOps.exif_transpose(image)  # a copy, decoded
    if image.mode.startswith(("I", "F")):
        image = _from_array(np.asarray(image), deep_integers=True)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    image = image.convert("RGB")
    image.info = {}
    return image


def _from_array(array: np.ndarray, deep_integers: bool = False) -> Image.Image:
    """Turn an array into an 8-bit picture; `deep_integers` takes 16-bit values of any integer type."""
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


def _first_line(error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return reason.strip().splitlines()[0]

"""Results on their way to the disk: whole files or none, where a person asked for them."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from stylemask_demo import messages
from stylemask_demo.errors import UnwritableMedia
from stylemask_demo.media.files import reason, told_of
from stylemask_demo.media.origin import as_stored
from stylemask_demo.media.provenance import Marks, badged, encoded


def png_of(image: Image.Image, marks: Marks = "all") -> bytes:
    """The PNG file of a result (RGB, upright, in sRGB), with its provenance; `marks` are those of `encoded`.

    A photo with a result in it keeps the colour profile and the EXIF orientation of its file, and nothing else of it.
    """
    stored, profile, exif = as_stored(image)
    return encoded(stored, "PNG", marks, icc_profile=profile or None, exif=exif if len(exif) else None)


def gif_of(pictures: Sequence[Image.Image], milliseconds: int) -> bytes:
    """The animated GIF of results (RGB, of one size), each shown for `milliseconds`, that goes on for ever.

    All share one palette, so that what stands still does not flicker.
    """
    pictures = badged(pictures)  # before they have few colours
    reel = Image.new("RGB", (pictures[0].width, pictures[0].height * len(pictures)))
    for number, picture in enumerate(pictures):
        reel.paste(picture, (0, number * picture.height))
    palette = reel.quantize(256, Image.Quantize.MEDIANCUT)
    first, *others = (picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for picture in pictures)
    return encoded(first, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0)


def save_png(image: Image.Image, path: str | os.PathLike) -> None:
    """Write a result (RGB, upright, in sRGB) as PNG, whole or not at all; `png_of` tells what of its file goes along.

    Raises UnwritableMedia when the name does not end in `.png`, or the file cannot be written.
    """
    _save(png_of(image), path, ".png")


def save_gif(pictures: Sequence[Image.Image], path: str | os.PathLike, milliseconds: int) -> None:
    """Write pictures as an animated GIF, whole or not at all; see `gif_of`.

    Raises UnwritableMedia when the name does not end in `.gif`, or the file cannot be written.
    """
    _save(gif_of(pictures, milliseconds), path, ".gif")


def check_output_path(path: str | os.PathLike, *suffixes: str) -> None:
    """Raise UnwritableMedia when no file of these kinds (".png", ".mp4") can be written at `path`, before work is spent."""
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        kinds = " or ".join(suffix[1:].upper() for suffix in suffixes)
        said = messages.WRONG_ENDING.format(kind=kinds, ending=" or ".join(suffixes))
        raise UnwritableMedia(said, told_of(path, said))
    if not os.path.isdir(path.parent):
        raise UnwritableMedia(messages.NO_FOLDER, told_of(path.parent, messages.NO_FOLDER))
    if os.path.isdir(path):
        raise UnwritableMedia(messages.RESULT_IS_FOLDER, told_of(path, messages.RESULT_IS_FOLDER))


def unwritable(path: Path, error: BaseException) -> UnwritableMedia:
    """The error that reports why a result could not be written to `path`."""
    return UnwritableMedia(messages.UNWRITABLE, f"{told_of(path, messages.UNWRITABLE)} ({reason(error)})")


def _save(content: bytes, path: str | os.PathLike, suffix: str) -> None:
    check_output_path(path, suffix)
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}.{id(content)}{suffix}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise unwritable(path, error) from None

"""What is known of the file that a picture came from, beside its pixels: it travels with the picture."""

import dataclasses
from dataclasses import dataclass

from PIL import Image

from stylemask_demo.media.colours import from_srgb

_KEY = "origin"  # in the `info` of a picture
ORIENTATION = 0x0112  # EXIF's number of the tag
# What turns an upright picture into how it was stored, by EXIF orientation.
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True)
class Origin:
    """What a file told of its picture.

    `size` is that of the upright picture in pixels, `note` what its owner should be told, if anything, `profile` the ICC
    profile of its colours, if they have one that pictures in RGB can keep, `orientation` how EXIF says it was stored, and
    `animation` the whole file, where other pictures follow the first.
    """

    size: tuple[int, int]
    note: str = ""
    profile: bytes = b""
    orientation: int = 1
    animation: bytes = b""


def origin_of(image: Image.Image) -> Origin:
    """What is known of where a picture came from."""
    known = image.info.get(_KEY)
    return known if isinstance(known, Origin) else Origin(image.size)


def with_origin(image: Image.Image, origin: Origin) -> Image.Image:
    """The picture, which knows from now on where it came from, and nothing else beside its pixels."""
    image.info = {_KEY: origin}
    return image


def without_animation(image: Image.Image) -> Image.Image:
    """The picture, or a copy of it, that does not hold on to the pictures that follow it in its file."""
    origin = origin_of(image)
    return with_origin(image.copy(), dataclasses.replace(origin, animation=b"")) if origin.animation else image


def as_stored(image: Image.Image) -> tuple[Image.Image, bytes, Image.Exif]:
    """An upright picture in sRGB -> (picture, ICC profile, EXIF) as the file that it came from had them.

    Of the file's EXIF only the orientation is kept, so that nothing of the place where it was taken goes along. A picture
    of another size than the file's is not that photo any more, and keeps nothing.
    """
    origin, exif = origin_of(image), Image.Exif()
    if image.size != origin.size:
        return image, b"", exif
    if origin.profile:
        image = from_srgb(image, origin.profile)
    if origin.orientation in _STORED:
        image = image.transpose(_STORED[origin.orientation])
        exif[ORIENTATION] = origin.orientation
    return image, origin.profile, exif

"""Colour profiles: what the numbers of a picture mean, to and from sRGB."""

import io

import numpy as np
from PIL import Image, ImageCms

# The modes that profiles of these colour spaces speak of.
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_INTENT = ImageCms.Intent.PERCEPTUAL  # what browsers show
_ALIKE = 1  # levels by which a profile that is sRGB in another file's words may differ from it
_DAMAGE = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Picture of mode L, RGB or CMYK whose levels mean what an ICC profile says -> the same colours in sRGB, mode RGB.

    Without a profile, and with one that is damaged or of other colours than the picture's, levels are taken as sRGB.
    """
    read = _read(profile)
    if read is None:
        return image.convert("RGB")
    mode = _mode(read)
    # An RGB profile also tells what a grey picture means; one of grey or of inks tells nothing of other pictures.
    if mode is None or image.mode not in ((mode, "L") if mode == "RGB" else (mode,)):
        return image.convert("RGB")
    image = image.convert(mode)
    return image if mode == "RGB" and _is_srgb(read) else _transformed(image, read, _srgb(), mode)


def from_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Picture in sRGB -> the same colours in levels of an RGB profile, as far as it reaches, mode RGB."""
    read = _read(profile)
    if read is None or _is_srgb(read):
        return image
    return _transformed(image, _srgb(), read, "RGB")


def is_rgb_profile(profile: bytes | None) -> bool:
    """Whether these are the bytes of an ICC profile that says what levels of red, green and blue mean."""
    read = _read(profile)
    return read is not None and _mode(read) == "RGB"


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _read(profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else None
    except _DAMAGE:
        return None


def _mode(profile: ImageCms.ImageCmsProfile) -> str | None:
    return _MODES.get(profile.profile.xcolor_space.strip())


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Whether a profile means sRGB, by what it makes of colours from all over."""
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 9, 3)
    meant = np.asarray(_transformed(Image.fromarray(colours), profile, _srgb(), "RGB"))
    return int(np.abs(meant.astype(int) - colours).max()) <= _ALIKE


def _transformed(
    image: Image.Image, given: ImageCms.ImageCmsProfile, wanted: ImageCms.ImageCmsProfile, mode: str
) -> Image.Image:
    try:
        transform = ImageCms.buildTransform(given, wanted, mode, "RGB", _INTENT)
        made = ImageCms.applyTransform(image, transform)
    except _DAMAGE:  # a profile that can be read but lacks what it needs
        return image.convert("RGB")
    assert made is not None  # only a change in place returns nothing
    return made

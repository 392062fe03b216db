"""Faces in photos: finding them, cutting them out in the FFHQ way, and describing them by parameters."""

from importlib.metadata import version

from stylemask_demo import messages
from stylemask_demo.errors import LibraryMissing

try:
    import cv2  # noqa: F401  before the modules here that need it
except ImportError as error:
    if not str(error).startswith("lib"):
        raise
    # opencv-python, which face-alignment asks for, needs a desktop's libraries; its twin without windows does not.
    raise LibraryMissing(
        messages.LIBRARY_MISSING,
        f"OpenCV does not start ({error}). On a machine without a desktop install its twin without windows over it: "
        f"pip install --force-reinstall --no-deps opencv-python-headless=={version('opencv-python')}",
    ) from error

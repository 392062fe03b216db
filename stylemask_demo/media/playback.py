"""Which files browsers show by themselves; of others they are given copies."""

import io
import os

from PIL import Image

from stylemask_demo.media.colours import from_srgb
from stylemask_demo.media.containers import DAMAGE, moving, open_container
from stylemask_demo.media.origin import origin_of
from stylemask_demo.media.pictures import FORMATS
from stylemask_demo.media.videos import read_frames, write_video

SHOWN_PICTURES = {"PNG", "JPEG", "MPO", "WEBP", "GIF", "AVIF", "BMP"}  # as Pillow names them
# Codecs that every browser plays, by the container as FFmpeg names it, and the ends of names that say so to a browser.
PLAYED = {"mov": {"h264", "av1", "vp9"}, "matroska": {"vp8", "vp9", "av1"}}
PLAYED_NAMES = {".mp4", ".m4v", ".mov", ".webm"}
PLAYED_PIXELS = {"yuv420p", "yuvj420p"}


def is_shown(picture: str | os.PathLike | bytes) -> bool:
    """Whether every browser shows a picture file, given by its path or whole; True for what is no picture at all."""
    try:
        with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture, formats=FORMATS) as opened:
            return opened.format in SHOWN_PICTURES
    except (OSError, Image.DecompressionBombError):
        return True


def shown_copy(picture: Image.Image) -> bytes:
    """The PNG file of a picture as `open_image` gives it, which every browser shows: upright, in its own colour profile."""
    profile, file = origin_of(picture).profile, io.BytesIO()
    from_srgb(picture, profile).save(file, "PNG", icc_profile=profile or None)
    return file.getvalue()


def is_played(path: str | os.PathLike) -> bool:
    """Whether every browser plays a video file; True for what is no video at all."""
    try:
        with open_container(path) as container:
            films = moving(container)
            if not films:
                return True
            named, film = os.path.splitext(path)[1].lower() in PLAYED_NAMES, films[0].codec_context
            codecs = PLAYED.get(container.format.name.split(",")[0], set())
            return named and film is not None and film.name in codecs and film.pix_fmt in PLAYED_PIXELS
    except DAMAGE:
        return True


def write_played(path: str | os.PathLike, video: str | os.PathLike) -> None:
    """Write a video as an MP4 that every browser plays, with its sound. Raises UnreadableMedia and UnwritableMedia."""
    frames = read_frames(video)
    write_video(path, frames, frames.fps, audio_from=video, result=False)

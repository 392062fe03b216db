"""The kinds of files that films are written as, by how their names end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import av
import numpy as np
from PIL import Image


@dataclass(frozen=True)
class VideoFormat:
    """Codecs of pictures and sound, as FFmpeg names them, no `sound` where there can be none, and what they are told."""

    codec: str
    pixels: str
    sound: str | None
    options: Mapping[str, str] = field(default_factory=dict)
    muxer: Mapping[str, str] = field(default_factory=dict)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height in pixels that pictures of these are cut to."""
        return (width // 2 * 2, height // 2 * 2) if self.pixels == "yuv420p" else (width, height)  # which halves colours

    def frame(self, picture: Image.Image) -> av.VideoFrame:
        """A picture (RGB) as the codec takes it."""
        return _indexed(picture) if self.pixels == "pal8" else av.VideoFrame.from_image(picture)


VIDEO_FORMATS: Mapping[str, VideoFormat] = MappingProxyType(
    {
        ".mp4": VideoFormat("libx264", "yuv420p", "aac", {"crf": "18", "preset": "veryfast"}, {"movflags": "+faststart"}),
        ".webm": VideoFormat(
            "libvpx-vp9",
            "yuv420p",
            "libopus",
            {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6"},
        ),
        ".gif": VideoFormat("gif", "pal8", None),
    }
)


def _indexed(picture: Image.Image) -> av.VideoFrame:
    """A picture in 256 colours of its own, mixed by dithering."""
    colours = picture.quantize(256)
    indices = np.asarray(picture.quantize(palette=colours, dither=Image.Dither.FLOYDSTEINBERG))
    palette = np.full((256, 4), 255, np.uint8)  # ARGB
    known = np.array(colours.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette[: len(known), 1:] = known
    planes: Any = (np.ascontiguousarray(indices), palette)
    return av.VideoFrame.from_ndarray(planes, "pal8")

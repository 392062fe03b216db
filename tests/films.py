"""Films as other programs write them: any container, codecs, start of pictures and sound, gaps, overlaps, orientation."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from PIL import Image

CLOCK = Fraction(1, 90_000)  # seconds, of the times that go to the encoders
TONE = 440  # Hz


def film(
    path: Path,
    pictures: Sequence[Image.Image],
    times: Sequence[float],
    sound: Sequence[tuple[float, np.ndarray]] = (),
    lost: tuple[float, float] = (0.0, 0.0),
    rate: int = 48_000,
    codec: str = "libx264",
    sound_codec: str = "aac",
    layout: str = "mono",
    b_frames: int = 0,
    matrix: Sequence[int] | None = None,
    cover: Image.Image | None = None,
    **options: str,
) -> Path:
    """Write `pictures`, each shown from one of `times` on, and `sound`: pieces of samples (N,) and when each is heard.

    Times are in seconds, `rate` in samples a second. Each piece becomes one packet where the codec allows it (PCM), and
    packets that begin within the time `lost` are left out. `matrix` is a display matrix, `cover` a picture that stands
    still and comes first in the file, `options` are the muxer's.
    """
    with av.open(str(path), "w", options=options) as container:
        packets = [] if cover is None else _encoded_cover(container, cover)
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        if codec == "libx264":
            stream.options = {"crf": "10", "preset": "ultrafast", "bf": str(b_frames)}
        clock = CLOCK if codec in ("libx264", "libvpx") else Fraction(1, 30)  # what older codecs need
        stream.codec_context.time_base = clock
        if matrix is not None:
            stream.set_display_matrix(matrix)
        heard = container.add_stream(sound_codec, rate=rate, layout=layout) if sound else None
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = round(time / clock), clock
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for start, samples in sound:
            frame = av.AudioFrame.from_ndarray(np.float32(np.tile(samples, (heard.layout.nb_channels, 1))), "fltp", layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, round(start * rate), Fraction(1, rate)
            packets += [packet for packet in heard.encode(frame) if not lost[0] <= packet.pts * packet.time_base < lost[1]]
        packets += heard.encode(None) if heard is not None else []
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


def _encoded_cover(container: av.container.OutputContainer, cover: Image.Image) -> list[av.Packet]:
    stream = container.add_stream("mjpeg", rate=1, pix_fmt="yuvj420p")
    stream.width, stream.height = cover.size
    stream.disposition = Disposition.attached_pic
    frame = av.VideoFrame.from_image(cover)
    frame.pts, frame.time_base = 0, Fraction(1, 1)
    return [*stream.encode(frame), *stream.encode(None)]


def flash(at: float, times: Sequence[float], size: tuple[int, int] = (96, 64)) -> list[Image.Image]:
    """A picture for each of `times`: dark, and bright from the time `at` on."""
    return [Image.new("RGB", size, "white" if time >= at - 1e-6 else "black") for time in times]


def tone(at: float, start: float, end: float, rate: int = 48_000) -> np.ndarray:
    """Samples (N,) from `start` to `end`, in seconds: silent, and a tone from the time `at` on."""
    seconds = start + np.arange(round((end - start) * rate)) / rate
    return np.where(seconds >= at, np.sin(2 * np.pi * TONE * seconds) / 2, 0).astype(np.float32)


def seen_and_heard(path: Path) -> tuple[float, float, np.ndarray]:
    """When a film turns bright and when its tone begins, in seconds from its first picture, and its samples (N,)."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        bright = next(frame for frame in frames if frame.to_ndarray(format="gray").mean() > 128)
    with av.open(str(path)) as container:
        parts = list(container.decode(audio=0))
    mixer = av.AudioResampler("fltp", "mono")
    samples = np.concatenate([made.to_ndarray()[0] for part in parts for made in mixer.resample(part)])
    begun = parts[0].time + int(np.argmax(np.abs(samples) > 0.1)) / parts[0].sample_rate
    return bright.time - frames[0].time, begun - frames[0].time, samples

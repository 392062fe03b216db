"""Videos in and out: upright frames at a steady rate within limits, or a clear error; H.264 with the sound of another."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from stylemask_demo.errors import UnreadableMedia, UnwritableMedia
from stylemask_demo.media.pictures import MAXIMUM_PIXELS, MINIMUM_SIDE, check_output_path

MAXIMUM_BYTES = 100_000_000
MAXIMUM_SECONDS = 60.0
MAXIMUM_SIDE = 1920  # pixels; larger frames are made smaller
MAXIMUM_RATE = 30  # frames a second; of faster videos some frames are left out
USUAL_RATE = 25  # where a video does not tell its own

# Containers that people keep videos in. Playlists, which may name other files and addresses, stay shut.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpeg,mpegts,mpegvideo,ogg,asf,gif"
# What PyAV raises on damaged files.
_DAMAGE = (av.FFmpegError, ValueError, EOFError, OverflowError, MemoryError, RuntimeError)

Timed = tuple[float, av.VideoFrame]  # seconds from the first frame


class VideoFrames:
    """The frames of a video, RGB, upright, `fps` a second; can be iterated once, and reads as it goes.

    `width` and `height` are those of the frames in pixels, `count` is about how many there will be.
    """

    def __init__(self, fps: Fraction, width: int, height: int, count: int, frames: Iterator[Image.Image]) -> None:
        self.fps, self.width, self.height, self.count = fps, width, height, count
        self._frames = frames

    def __iter__(self) -> Iterator[Image.Image]:
        return self._frames


def read_frames(path: str | os.PathLike, seconds: float = MAXIMUM_SECONDS) -> VideoFrames:
    """Open a video file: MP4, MOV, WebM, MKV, AVI, MPEG, GIF.

    Rotation is applied, frames larger than 1920 pixels are made smaller, and a changing frame rate is made steady. Of a
    damaged or cut file the frames up to the damage are given.

    Raises UnreadableMedia for what is no video, has fewer than two frames, is longer than `seconds` or larger than 100 MB;
    where the length shows only while reading, the iterator raises it.
    """
    name = f"'{os.fspath(path)}'"
    _check_file(Path(path), name)
    try:
        container = _open_file(path)
    except _DAMAGE:
        raise UnreadableMedia(
            f"{name} is no video, or is cut short or damaged. Save it again, as MP4 for instance."
        ) from None
    try:
        return _open(container, name, seconds)
    except BaseException:
        container.close()
        raise


def write_video(
    path: str | os.PathLike,
    frames: Iterable[Image.Image],
    fps: Fraction | float,
    audio_from: str | os.PathLike | None = None,
) -> None:
    """Write pictures of one size as an H.264 MP4 that every browser plays, whole or not at all.

    The sound of the video `audio_from`, if it has one, goes along. Frames are written as they come. Raises UnwritableMedia
    when there are no frames or the file cannot be written, and whatever `frames` raises.
    """
    check_output_path(path, ".mp4")
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{id(frames)}.mp4")
    try:
        with contextlib.ExitStack() as stack:
            sound = None if audio_from is None else _open_sound(audio_from, stack)
            _encode(temporary, iter(frames), Fraction(fps).limit_denominator(1001), sound)
        os.replace(temporary, path)
    except (av.FFmpegError, OSError) as error:
        raise UnwritableMedia(
            f"'{path}' cannot be written ({error.strerror or error}). Name a folder that exists, is yours and has room."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _check_file(path: Path, name: str) -> None:
    try:
        if path.is_dir():
            raise UnreadableMedia(f"{name} is a folder. Name one video in it.")
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise UnreadableMedia(f"There is no file {name}. Check its name and folder.") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise UnreadableMedia(f"{name} cannot be read ({error}). Check its name and its permissions.") from None
    if size == 0:
        raise UnreadableMedia(f"{name} is empty. Take another video.")
    if size > MAXIMUM_BYTES:
        raise UnreadableMedia(
            f"{name} is larger than {MAXIMUM_BYTES // 1_000_000} MB. Cut a shorter piece, or save it smaller."
        )


def _open(container: av.container.InputContainer, name: str, seconds: float) -> VideoFrames:
    if not container.streams.video:
        raise UnreadableMedia(f"{name} holds no pictures. Take a video.")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    if stream.width * stream.height > MAXIMUM_PIXELS:
        raise UnreadableMedia(f"{name} has frames of {stream.width} x {stream.height} pixels. Save it smaller.")
    length = None
    if stream.duration is not None and stream.time_base is not None:
        length = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        length = container.duration / av.time_base
    # A tenth more: the last frame lasts, and the length may count sound that goes on.
    if length is not None and length > seconds * 1.1:
        raise UnreadableMedia(_too_long(name, seconds))
    rate = stream.average_rate or stream.guessed_rate
    fps = min(rate, Fraction(MAXIMUM_RATE)) if rate and rate >= 1 else Fraction(USUAL_RATE)
    timed = _decoded(container, stream, rate or Fraction(USUAL_RATE), name, seconds)
    first = list(itertools.islice(timed, 2))
    if len(first) < 2:
        raise UnreadableMedia(f"{name} has fewer than two frames that can be read. Take a video.")
    width, height = _upright_size(first[0][1], stream)
    if min(width, height) < MINIMUM_SIDE:
        raise UnreadableMedia(
            f"{name} is only {width} x {height} pixels. Take a video with at least {MINIMUM_SIDE} pixels a side."
        )
    count = stream.frames or 0
    if length is not None:
        count = round(length * fps)
    frames = _frames(container, first, timed, fps, stream)
    return VideoFrames(fps, width, height, max(count, 2), frames)


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream, rate: Fraction, name: str, seconds: float
) -> Iterator[Timed]:
    """Frames with their times, up to the end or to the first damage."""
    start, time = None, 0.0
    try:
        for index, frame in enumerate(container.decode(stream)):
            now = index / float(rate) if frame.time is None else frame.time
            start = now if start is None else start
            time = max(now - start, time)  # time does not run backwards, whatever a damaged file says
            if time > seconds:
                raise UnreadableMedia(_too_long(name, seconds))
            yield time, frame
    except _DAMAGE:
        return


def _frames(
    container: av.container.InputContainer,
    first: list[Timed],
    timed: Iterator[Timed],
    fps: Fraction,
    stream: av.VideoStream,
) -> Iterator[Image.Image]:
    """Pictures at a steady rate: at each tick the frame that is on the screen then."""
    with container:
        tick, (_, frame), picture = 0, first[0], None
        for time, following in itertools.chain(first[1:], timed):
            while tick + 0.5 <= time * fps:
                picture = _picture(frame, stream) if picture is None else picture
                yield picture
                tick += 1
            frame, picture = following, None
        yield _picture(frame, stream) if picture is None else picture


def _picture(frame: av.VideoFrame, stream: av.VideoStream) -> Image.Image:
    """The frame as it is looked at: upright, of square pixels, not larger than allowed."""
    width, height = _size(frame, stream)
    pixels = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    quarters = round(frame.rotation / 90)  # anticlockwise
    return Image.fromarray(np.ascontiguousarray(np.rot90(pixels, quarters)))


def _upright_size(frame: av.VideoFrame, stream: av.VideoStream) -> tuple[int, int]:
    width, height = _size(frame, stream)
    return (height, width) if round(frame.rotation / 90) % 2 else (width, height)


def _size(frame: av.VideoFrame, stream: av.VideoStream) -> tuple[int, int]:
    width = frame.width * float(stream.sample_aspect_ratio or 1)
    scale = min(1.0, MAXIMUM_SIDE / max(width, frame.height))
    return max(round(width * scale), 1), max(round(frame.height * scale), 1)


def _encode(path: Path, frames: Iterator[Image.Image], fps: Fraction, sound: Iterator[av.AudioFrame] | None) -> None:
    first = next(frames, None)
    if first is None:
        raise UnwritableMedia("There are no frames to write. Take a longer video.")
    first_sound = None if sound is None else next(sound, None)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        pictures = container.add_stream("libx264", rate=fps, options={"crf": "18", "preset": "veryfast"})
        pictures.width, pictures.height = first.width // 2 * 2, first.height // 2 * 2  # yuv420p halves the colours
        pictures.pix_fmt = "yuv420p"
        heard = None if sound is None or first_sound is None else _Sound(container, first_sound, sound)
        for number, picture in enumerate(itertools.chain([first], frames)):
            frame = av.VideoFrame.from_image(picture.crop((0, 0, pictures.width, pictures.height)))
            frame.pts, frame.time_base = number, 1 / fps
            container.mux(pictures.encode(frame))
            if heard is not None:
                heard.write(until=(number + 1) / fps)
        container.mux(pictures.encode(None))
        if heard is not None:
            heard.end()


class _Sound:
    """The sound of a file that is written: AAC, as far as the pictures have come."""

    def __init__(
        self, container: av.container.OutputContainer, first: av.AudioFrame, rest: Iterator[av.AudioFrame]
    ) -> None:
        self._container, self._rest = container, rest
        self._stream = container.add_stream("aac", rate=first.sample_rate)
        self._stream.layout = "mono" if first.layout.nb_channels == 1 else "stereo"
        self._resampler = av.AudioResampler(format="fltp", layout=self._stream.layout, rate=first.sample_rate)
        self._next: av.AudioFrame | None = first
        self._samples = 0

    def write(self, until: Fraction) -> None:
        """Writes what is heard before the time `until`, in seconds."""
        while self._next is not None and Fraction(self._samples, self._stream.rate) < until:
            self._put(self._next)
            self._next = next(self._rest, None)

    def end(self) -> None:
        """Writes what the encoder still holds."""
        self._put(None)
        self._container.mux(self._stream.encode(None))

    def _put(self, frame: av.AudioFrame | None) -> None:
        for part in self._resampler.resample(frame):
            part.pts, part.time_base = self._samples, Fraction(1, self._stream.rate)
            self._samples += part.samples
            self._container.mux(self._stream.encode(part))


def _open_sound(path: str | os.PathLike, stack: contextlib.ExitStack) -> Iterator[av.AudioFrame] | None:
    """The sound of a video, or None when it has none or cannot be read: a silent result is better than none."""
    try:
        container = stack.enter_context(_open_file(path))
    except _DAMAGE:
        return None
    return _sound(container) if container.streams.audio else None


def _sound(container: av.container.InputContainer) -> Iterator[av.AudioFrame]:
    with contextlib.suppress(*_DAMAGE):  # a cut file: the sound up to the cut
        yield from container.decode(container.streams.audio[0])


def _open_file(path: str | os.PathLike) -> av.container.InputContainer:
    return av.open(os.fspath(path), options={"protocol_whitelist": "file", "format_whitelist": FORMATS})


def _too_long(name: str, seconds: float) -> str:
    return f"{name} is longer than {seconds:g} seconds. Cut a shorter piece."

"""Videos in and out: upright frames at a steady rate within limits, or a clear error; files with the sound of another."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.errors import UnreadableMedia, UnwritableMedia
from stylemask_demo.host_settings import HostSettings
from stylemask_demo.media.containers import (
    DAMAGE,
    MAXIMUM_PICTURES,
    Film,
    decoded,
    find_film,
    moving,
    open_container,
    shown_at,
)
from stylemask_demo.media.files import Limit, address, check_file, kind_of_file, told_of
from stylemask_demo.media.frames import fitted, picture_of, upright_size
from stylemask_demo.media.marks import with_badge
from stylemask_demo.media.pictures import MAXIMUM_PIXELS, MINIMUM_SIDE, NARROWEST
from stylemask_demo.media.provenance import film_metadata, finish_film
from stylemask_demo.media.saving import check_output_path, unwritable
from stylemask_demo.media.sound import Sound, has_sound, open_sound
from stylemask_demo.media.video_formats import VIDEO_FORMATS, VideoFormat

LIMIT = Limit(100_000_000, messages.LARGE_VIDEO_FILE, messages.EMPTY_VIDEO)
MAXIMUM_SECONDS = 60.0
MAXIMUM_RATE = 30  # frames a second; of faster videos some frames are left out
_MORE = 1.01  # times its limit may a video last: one that is called a minute long often is a little longer
_LACKING = 0.5  # seconds that may be missing at the end of a file that is whole: sound and pictures end at other times

Timed = tuple[float, av.VideoFrame]  # seconds from the first frame


class VideoFrames:
    """The frames of a video, RGB, upright, `fps` a second; can be iterated once, and reads as it goes.

    `width` and `height` are those of the frames in pixels, `count` is how many there will be, and `note` is what the owner
    of the video should be told, if anything.
    """

    def __init__(
        self, fps: Fraction, width: int, height: int, count: int, note: str, frames: Iterator[Image.Image]
    ) -> None:
        self.fps, self.width, self.height, self.count, self.note = fps, width, height, count, note
        self._frames = frames

    def __iter__(self) -> Iterator[Image.Image]:
        return self._frames


def read_frames(path: str | os.PathLike, seconds: float = MAXIMUM_SECONDS) -> VideoFrames:
    """Open a video file: MP4, MOV, WebM, MKV, AVI, MPEG, GIF.

    Rotation and mirroring are applied, frames larger than 1920 pixels are made smaller, and a changing frame rate is made
    steady. Of a damaged or cut file what is there is given.

    Raises UnreadableMedia for what is no video, has fewer than two frames, or is outside of the limits: `seconds`, 15 000
    frames, 40 megapixels a frame, 64 pixels a side, 20 times as long as wide, 100 MB.
    """
    try:
        check_file(path, LIMIT)
        return _opened(path, seconds)
    except UnreadableMedia as error:
        raise UnreadableMedia(error.message, told_of(path, error)) from None


def write_video(
    path: str | os.PathLike,
    frames: Iterable[Image.Image],
    fps: Fraction | float,
    audio_from: str | os.PathLike | None = None,
    result: bool = True,
) -> None:
    """Write pictures of one size as a file that every browser plays, whole or not at all: MP4 (H.264), WebM (VP9) or GIF.

    The sound of the video `audio_from`, if it has one, goes along, but into a GIF: at the times at which it is heard there,
    counted from the first picture. Frames are written as they come. A `result` carries its provenance, and the badge and
    signature that its host asks for; what no model made, such as a copy of a visitor's video, does not. Raises
    UnwritableMedia when there are no frames or the file cannot be written, and whatever `frames` raises.
    """
    check_output_path(path, *VIDEO_FORMATS)
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}.{id(frames)}{path.suffix.lower()}")
    kind = VIDEO_FORMATS[temporary.suffix]
    try:
        with contextlib.ExitStack() as stack:
            sound = None if audio_from is None or kind.sound is None else open_sound(audio_from, stack, kind.sound)
            _encode(temporary, kind, iter(frames), Fraction(fps).limit_denominator(1001), sound, result)
        os.replace(temporary, path)
    except (av.FFmpegError, OSError) as error:
        raise unwritable(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def note_on_sound(path: str | os.PathLike, audio_from: str | os.PathLike) -> str:
    """What should be said of a result at `path` with the sound of a video: that its kind has none. Else nothing."""
    silent = VIDEO_FORMATS[Path(path).suffix.lower()].sound is None
    return messages.NO_SOUND_IN_GIF if silent and has_sound(audio_from) else ""


def _opened(path: str | os.PathLike, seconds: float) -> VideoFrames:
    try:
        with open_container(path) as container:
            film = _film(container, seconds)
        container = open_container(path)  # from its beginning
    except DAMAGE:
        kind = kind_of_file(path)
        said = messages.NO_VIDEO if kind is None or kind.endswith(("film", "GIF picture")) else messages.KIND_OF_VIDEO
        raise UnreadableMedia(said.format(kind=kind)) from None
    try:
        return _video_frames(container, film)
    except BaseException:
        container.close()
        raise


def _film(container: av.container.InputContainer, seconds: float) -> Film:
    """The film of a container, if it is within the limits."""
    streams = moving(container)
    if not streams:
        raise UnreadableMedia(messages.NO_PICTURES)
    for stream in streams:
        if stream.codec_context is not None and stream.width * stream.height > MAXIMUM_PIXELS:
            _refuse_frames(stream.width, stream.height)
    film = find_film(container)
    if film is None:
        raise UnreadableMedia(messages.ONE_FRAME)
    if container.streams[film.index].codec_context is None:
        raise UnreadableMedia(messages.UNKNOWN_CODING)
    if film.pictures > MAXIMUM_PICTURES:
        raise UnreadableMedia(messages.MANY_FRAMES.format(limit=MAXIMUM_PICTURES))
    if film.seconds > seconds * _MORE:
        raise UnreadableMedia(messages.LONG_VIDEO.format(limit=f"{seconds:g}"))
    return film


def _video_frames(container: av.container.InputContainer, film: Film) -> VideoFrames:
    stream = container.streams[film.index]
    assert isinstance(stream, av.VideoStream)
    stream.thread_type = "AUTO"
    fps = min(_steady_rate(stream, film), Fraction(MAXIMUM_RATE))
    timed = _timed(container, stream, film)
    first = list(itertools.islice(timed, 2))
    if len(first) < 2:
        raise UnreadableMedia(messages.ONE_FRAME)
    size = upright_size(first[0][1], stream)
    if min(size) < MINIMUM_SIDE:
        raise UnreadableMedia(messages.SMALL_FRAMES.format(width=size[0], height=size[1], limit=MINIMUM_SIDE))
    if max(size) > NARROWEST * min(size):
        raise UnreadableMedia(messages.NARROW_FRAMES.format(width=size[0], height=size[1], limit=NARROWEST))
    note = messages.CUT_VIDEO.format(number=f"{film.seconds:.1f}") if film.lacking > _LACKING else ""
    count = max(round(film.seconds * fps), 2)
    return VideoFrames(fps, *size, count, note, _frames(container, itertools.chain(first, timed), fps, count, stream, size))


def _steady_rate(stream: av.VideoStream, film: Film) -> Fraction:
    """How many frames a second there are: what the file says, unless its times speak against it."""
    measured = Fraction(film.rate).limit_denominator(1001)
    said = [rate for rate in (stream.average_rate, stream.guessed_rate) if rate and 0.9 * measured < rate < 1.5 * measured]
    return min(said, key=lambda rate: abs(rate - measured), default=max(measured, Fraction(1)))


def _timed(container: av.container.InputContainer, stream: av.VideoStream, film: Film) -> Iterator[Timed]:
    """Frames with their times."""
    start, time = None, 0.0
    for index, frame in enumerate(decoded(container, stream)):
        if frame.width * frame.height > MAXIMUM_PIXELS:  # more than the file says at its beginning
            _refuse_frames(frame.width, frame.height)
        now = shown_at(index, frame, film)
        start = now if start is None else start
        time = max(now - start, time)  # time does not run backwards, whatever a damaged file says
        yield time, frame


def _frames(
    container: av.container.InputContainer,
    timed: Iterator[Timed],
    fps: Fraction,
    count: int,
    stream: av.VideoStream,
    size: tuple[int, int],
) -> Iterator[Image.Image]:
    """Pictures at a steady rate: at each of `count` ticks the frame that is on the screen then."""
    with container:
        tick, (_, frame), picture = 0, next(timed), None
        for time, following in timed:
            while tick + 0.5 <= time * fps:
                picture = fitted(picture_of(frame, stream), size) if picture is None else picture
                yield picture
                tick += 1
            frame, picture = following, None
        picture = fitted(picture_of(frame, stream), size) if picture is None else picture
        yield from itertools.repeat(picture, max(count - tick, 1))


def _refuse_frames(width: int, height: int) -> None:
    raise UnreadableMedia(messages.LARGE_FRAMES.format(width=width, height=height, limit=MAXIMUM_PIXELS // 1_000_000))


def _encode(
    path: Path, kind: VideoFormat, frames: Iterator[Image.Image], fps: Fraction, sound: Sound | None, result: bool
) -> None:
    first = next(frames, None)
    if first is None:
        raise UnwritableMedia(messages.NOTHING_TO_WRITE)
    badge = result and HostSettings.from_environment().badge
    with av.open(address(path), "w", options=dict(kind.muxer)) as container:
        container.metadata.update(film_metadata(first) if result else {})
        pictures: Any = container.add_stream(kind.codec, rate=fps, options=dict(kind.options))
        pictures.width, pictures.height = kind.size(*first.size)
        pictures.pix_fmt = kind.pixels
        heard: Any = None
        if sound is not None and kind.sound is not None:
            heard = container.add_stream(kind.sound, rate=sound.rate, layout=sound.layout)
        for number, picture in enumerate(itertools.chain([first], frames)):
            picture = picture.crop((0, 0, pictures.width, pictures.height))
            frame = kind.frame(with_badge(picture) if badge else picture)
            frame.pts, frame.time_base = number, 1 / fps
            container.mux(pictures.encode(frame))
            if sound is not None and (samples := sound.until((number + 1) / fps)) is not None:
                container.mux(heard.encode(samples))
        container.mux(pictures.encode(None))
        if sound is not None:
            container.mux(heard.encode(None))
    if result:
        finish_film(path, first)

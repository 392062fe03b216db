"""What files of pictures and sound hold, measured packet by packet before anything is decoded."""

import contextlib
import itertools
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import av
from av.stream import Disposition, Stream

from stylemask_demo.media.files import address

# Containers that people keep videos in. Playlists, which may name other files and addresses, stay shut.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpeg,mpegts,mpegvideo,ogg,asf,gif"
# What PyAV raises on damaged files.
DAMAGE = (av.FFmpegError, ValueError, EOFError, OverflowError, MemoryError, RuntimeError)

_STILL = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
MAXIMUM_PICTURES = 15_000  # of a video: a minute of 240 a second, and some
_RESTARTING = ("mpegts", "mpeg")
_BACK, _AHEAD = 0.5, 10.0  # seconds by which the clock of such a file jumps at least where it begins anew
_MAXIMUM_PACKETS = 400_000  # of all streams together: a minute of any sound, and far more
_USUAL_RATE = 25.0  # pictures a second, where nothing tells


@dataclass
class Measured:
    """What the packets of one stream tell: `times` at which each is shown, and the `end` of the last, in seconds of the
    file's clock, and how many are `untimed`."""

    times: list[float] = field(default_factory=list)
    end: float = -float("inf")
    untimed: int = 0

    @property
    def count(self) -> int:
        """How many packets there are."""
        return len(self.times) + self.untimed

    @property
    def rate(self) -> float | None:
        """Packets a second on average, or None where their times do not tell."""
        length = max(self.times, default=0.0) - min(self.times, default=0.0)
        return (len(self.times) - 1) / length if length > 0 else None


@dataclass(frozen=True)
class Film:
    """The stream of a file whose pictures move.

    `index` is its number among the file's streams, `pictures` how many it has, `rate` how many a second on average,
    `seconds` the time from the first to the end of the last, `lacking` those that the file says it holds and does not, and
    `times` when its pictures are shown, in seconds of the file's clock, where they do not tell that themselves.
    """

    index: int
    pictures: int
    rate: float
    seconds: float
    lacking: float
    times: tuple[float, ...]


def open_container(path: str | os.PathLike) -> av.container.InputContainer:
    """Open a file of pictures and sound; whatever its name or its content says, nothing but files is read.

    Raises one of DAMAGE where it is none.
    """
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    return av.open(address(path), options=options, metadata_errors="replace")


def moving(container: av.container.InputContainer) -> list[av.VideoStream]:
    """The streams of pictures that are no covers nor other pictures that stand still."""
    return [stream for stream in container.streams.video if not stream.disposition & _STILL]


def find_film(container: av.container.InputContainer) -> Film | None:
    """The film of a container, or None where no stream has two pictures; reads the container to its end.

    Of several films the one that the file prefers is taken, or else the one with the most pictures. Packets are read and
    not decoded, which is quick, and no more of one stream than a video may have pictures.
    """
    measured = _measured(container)
    films = [stream for stream in moving(container) if measured[stream.index].count > 1]
    if not films:
        return None
    film = max(films, key=lambda stream: (_preferred(stream), measured[stream.index].count))
    shown = measured[film.index]
    rate = shown.rate or float(film.average_rate or film.guessed_rate or _USUAL_RATE)
    seconds = max(shown.end, max(shown.times) + 1 / rate) - min(shown.times) if shown.times else shown.count / rate
    said = float(film.frames / film.average_rate) if film.average_rate else 0.0
    lacking = max(said - seconds, _lacking(container, list(measured.values())))
    times = tuple(sorted(shown.times)) if _in_order_of_decoding(container) else ()
    return Film(film.index, shown.count, rate, seconds, lacking, times)


def _preferred(stream: av.VideoStream) -> tuple[bool, bool]:
    """Whether a stream can be decoded, and whether the file prefers it."""
    return stream.codec_context is not None, bool(stream.disposition & Disposition.default)


def shown_at(index: int, frame: av.VideoFrame, film: Film) -> float:
    """When the decoded frame of a number of a film is shown, in seconds of the file's clock."""
    if index < len(film.times):
        return film.times[index]
    return index / film.rate if frame.time is None or film.times else frame.time


def _in_order_of_decoding(container: av.container.InputContainer) -> bool:
    """Whether the file tells only when packets are decoded, which is not the order in which pictures are shown."""
    return container.format.name == "avi"


def _measured(container: av.container.InputContainer) -> dict[int, Measured]:
    """What the packets of each stream tell, up to the first damage."""
    measured: dict[int, Measured] = defaultdict(Measured)
    decoding = _in_order_of_decoding(container)
    with contextlib.suppress(*DAMAGE):
        for packet in itertools.islice(_packets(container), _MAXIMUM_PACKETS):
            if not packet.size or packet.is_discard:  # the end of a stream, and what an edit list has cut away
                continue
            stream, time = measured[packet.stream_index], packet.dts if decoding or packet.pts is None else packet.pts
            if time is None or packet.time_base is None:
                stream.untimed += 1
            else:
                seconds = float(time * packet.time_base)
                stream.times.append(seconds)
                stream.end = max(stream.end, seconds + float((packet.duration or 0) * packet.time_base))
            if stream.count > MAXIMUM_PICTURES and packet.stream.type == "video":
                break
    return measured


def _lacking(container: av.container.InputContainer, measured: list[Measured]) -> float:
    """Seconds that the file says it holds, after the last that is there."""
    end = max(stream.end for stream in measured)
    if container.duration is None or end < 0:
        return 0.0
    return (container.duration + (container.start_time or 0)) / av.time_base - end


def decoded(container: av.container.InputContainer, stream: Stream) -> Iterator[Any]:
    """The frames of a stream up to the end of the file, without those that are damaged."""
    with contextlib.suppress(*DAMAGE):  # the file ends where it cannot be read on
        for packet in _packets(container):
            # A damaged file may tell otherwise, on the way, what a stream is.
            if packet.stream_index == stream.index and packet.stream.type == stream.type:
                with contextlib.suppress(*DAMAGE):
                    yield from packet.decode()


def _packets(container: av.container.InputContainer) -> Iterator[av.Packet]:
    """The packets of all streams on one clock: a broadcast's begins anew where recordings of it were joined.

    Streams do not come to such a place at once. The first that does tells how much later all go on.
    """
    restarts = container.format.name in _RESTARTING
    later, parts, ends = [0.0], dict[int, int](), dict[int, float]()  # seconds by part; part and end by stream
    for packet in container.demux():
        if restarts and packet.dts is not None and packet.time_base is not None:
            part = parts.get(packet.stream_index, len(later) - 1)
            own = float(packet.dts * packet.time_base)
            end = ends.get(packet.stream_index, own + later[part])
            if not -_BACK < own + later[part] - end < _AHEAD:
                part += 1
                later += [end - own] if part == len(later) else []
            parts[packet.stream_index] = part
            ends[packet.stream_index] = own + later[part] + float((packet.duration or 0) * packet.time_base)
            ticks = round(later[part] / packet.time_base)
            packet.dts += ticks
            packet.pts = None if packet.pts is None else packet.pts + ticks
        yield packet

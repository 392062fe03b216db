"""Changes pictures and videos at random and reads them, as a visitor might send them: damaged, cut, put together wrongly.

Each file must be read or refused with one sentence, within ten seconds and 2 GB, by a process that lives on:

    make fuzz ARGS="pictures --count 10000"
    make fuzz ARGS="videos --count 1000 --first 500"

The same number is the same file each time, so that what was found can be looked at again; it is kept in the folder
`--keep`. Exits with 1 where something was found.
"""

import argparse
import collections
import gc
import io
import multiprocessing
import random
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from PIL import Image

from stylemask_demo.errors import UnreadableMedia
from stylemask_demo.media.pictures import open_image, pictures_of
from stylemask_demo.media.videos import read_frames

LONGEST, MOST_MEMORY = 10.0, 2000.0  # seconds and MB that one file may take
SILENCE = 60.0  # seconds after which a process that reads a file is ended
PORTION = 500  # files that one process reads
WIDTH, HEIGHT = 96, 80  # pixels of what is changed: small files, in which most bytes mean something
NUMBERS = (0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)  # that programs stumble over


class Outcome(NamedTuple):
    """What became of one file: how it ended, `read`, a sentence, or a `fault`, and the seconds that took."""

    number: int
    said: str
    seconds: float
    fault: bool = False


class Report(NamedTuple):
    """What became of many files, and the most memory in MB by which reading some made a process grow."""

    outcomes: list[Outcome]
    memory: float

    @property
    def faults(self) -> list[Outcome]:
        """The files that must not end so."""
        return [outcome for outcome in self.outcomes if outcome.fault]


def pictures() -> list[bytes]:
    """Files of all formats that are read."""
    shade = np.linspace(0, 255, WIDTH)[None] * np.ones((HEIGHT, 1))
    noise = np.random.default_rng(0).integers(0, 40, (HEIGHT, WIDTH, 3))
    colours = np.clip(np.stack([shade, shade[:, ::-1], shade * 0 + 90], 2) + noise, 0, 255).astype(np.uint8)
    picture = Image.fromarray(colours)
    deep = Image.fromarray((shade * 257).astype(np.uint16))
    turned = Image.Exif()
    turned[274] = 6
    more = {"save_all": True, "append_images": [picture.rotate(90), picture.rotate(180)], "duration": 50}
    kinds: list[tuple[Image.Image, str, dict[str, Any]]] = [
        (picture, "PNG", {}),
        (picture.convert("RGBA"), "PNG", {"exif": turned}),
        (picture.convert("P"), "PNG", {"transparency": 3}),
        (deep, "PNG", {}),
        (picture, "PNG", more),
        (picture, "JPEG", {"exif": turned, "quality": 80}),
        (picture, "JPEG", {"progressive": True}),
        (picture.convert("CMYK"), "JPEG", {}),
        (picture.convert("L"), "JPEG", {"icc_profile": b"\0" * 200}),
        (picture, "WEBP", {}),
        (picture.convert("RGBA"), "WEBP", {"lossless": True}),
        (picture, "WEBP", more),
        (picture, "GIF", more),
        (picture, "BMP", {}),
        (picture, "TIFF", {"compression": "tiff_lzw"}),
        (deep, "TIFF", {}),
        (picture, "TIFF", {"compression": "jpeg"}),
        (picture, "AVIF", {}),
        (picture, "HEIF", {}),
    ]
    return [_saved(image, form, options) for image, form, options in kinds]


def videos() -> list[bytes]:
    """Files of all kinds that are read, with sound where they can have some."""
    kinds = [
        ("mp4", "libx264", "aac"),
        ("mov", "mpeg4", "aac"),
        ("webm", "libvpx-vp9", "libopus"),
        ("matroska", "libx264", "libopus"),
        ("avi", "mpeg4", "mp2"),
        ("mpegts", "mpeg2video", "mp2"),
        ("gif", "gif", None),
    ]
    return [_film(*kind) for kind in kinds]


def changed(files: Sequence[bytes], number: int) -> bytes:
    """One of the files, changed in one to four ways; the same for the same number."""
    chance = random.Random(number)
    content = bytearray(chance.choice(files))
    for _ in range(chance.choice((1, 1, 2, 4))):
        chance.choice(CHANGES)(content, chance, files)
    return bytes(content)


def _place(content: bytearray, chance: random.Random) -> int:
    """A place in a file, more often near its beginning, where it says what it is."""
    return min(int(len(content) * chance.random() ** chance.choice((1, 3))), max(len(content) - 1, 0))


def _flip(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    for _flipped in range(chance.randint(1, 16) if content else 0):
        content[_place(content, chance)] ^= 1 << chance.randrange(8)


def _number(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    form, most = chance.choice((("B", 255), ("<H", 65535), (">H", 65535), ("<I", 2**32 - 1), (">I", 2**32 - 1)))
    value = struct.pack(form, min(chance.choice(NUMBERS), most))
    place = _place(content, chance)
    content[place : place + len(value)] = value


def _cut(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    del content[_place(content, chance) :]


def _remove(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    place = _place(content, chance)
    del content[place : place + chance.randint(1, 200)]


def _repeat(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    place = _place(content, chance)
    content[place:place] = content[place : place + chance.randint(1, 400)] * chance.randint(1, 8)


def _noise(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    place, noise = _place(content, chance), chance.randbytes(chance.randint(1, 64))
    content[place : place + len(noise) * chance.randint(0, 1)] = noise


def _join(content: bytearray, chance: random.Random, files: Sequence[bytes]) -> None:
    other = chance.choice(files)
    content[_place(content, chance) :] = other[chance.randrange(len(other)) :]


CHANGES: tuple[Callable[[bytearray, random.Random, Sequence[bytes]], None], ...] = (
    _flip,
    _flip,
    _number,
    _number,
    _cut,
    _remove,
    _repeat,
    _noise,
    _join,
)


def read_picture(content: bytes) -> None:
    """Read a picture, and all pictures that follow it. Raises UnreadableMedia."""
    for picture in pictures_of(open_image(content)):
        assert picture.mode == "RGB" and min(picture.size) >= 64, picture


def read_video(content: bytes) -> None:
    """Read all frames of a video. Raises UnreadableMedia."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video"
        path.write_bytes(content)
        sizes = {(frame.mode, frame.size) for frame in read_frames(path)}
        assert len(sizes) <= 1 and all(mode == "RGB" for mode, _ in sizes), sizes


KINDS: dict[str, tuple[Callable[[], list[bytes]], Callable[[bytes], None]]] = {
    "pictures": (pictures, read_picture),
    "videos": (videos, read_video),
}


@cache
def _files(kind: str) -> list[bytes]:
    return KINDS[kind][0]()


def attempt(kind: str, number: int) -> Outcome:
    """Read one changed file in this process."""
    content, began = changed(_files(kind), number), time.perf_counter()
    fault = False
    try:
        KINDS[kind][1](content)
        said = "read"
    except UnreadableMedia as error:
        said = error.message
    except Exception as error:
        said, fault = f"{type(error).__name__}: {error}", True
    seconds = time.perf_counter() - began
    return Outcome(number, said, seconds, fault or seconds > LONGEST)


def fuzz(kind: str, first: int, count: int, tell: Callable[[int], None] = lambda done: None) -> Report:
    """Read `count` changed files from the number `first` on, in processes of their own that may crash or hang."""
    _files(kind)  # made once, here
    outcomes, memory, number, end = list[Outcome](), 0.0, first, first + count
    while number < end:
        for item in _portion(kind, number, min(PORTION, end - number)):
            if isinstance(item, float):
                memory = max(memory, item)
            else:
                outcomes.append(item)
                number = item.number + 1
        tell(number - first)
    return Report(outcomes, memory)


def _portion(kind: str, first: int, count: int) -> Iterator[Outcome | float]:
    """The outcomes of a process's files, and at last how many MB it has grown; it ends early with a fault."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_read, args=(there, kind, first, count))
    process.start()
    there.close()
    number = first
    try:
        while number < first + count:
            if not here.poll(SILENCE):
                yield Outcome(number, "hangs", SILENCE, True)
                return
            outcome: Outcome = here.recv()
            yield outcome
            number = outcome.number + 1
        grown: float = here.recv()
        yield grown
        if grown > MOST_MEMORY:
            yield Outcome(number - 1, f"one of {count} took {grown:.0f} MB", 0.0, True)
    except EOFError:
        process.join(SILENCE)
        yield Outcome(number, f"ended its process ({process.exitcode})", 0.0, True)
    finally:
        process.kill()
        process.join()


def _read(there: Connection, kind: str, first: int, count: int) -> None:
    gc.freeze()  # what this process has inherited, threads and loops of others among it, is not its to clear away
    before = _peak()
    for number in range(first, first + count):
        there.send(attempt(kind, number))
    there.send(_peak() - before)


def _peak() -> float:
    """The most memory that this process has had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 2**20)


def _saved(image: Image.Image, form: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _film(container: str, coding: str, sound: str | None) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream: Any = output.add_stream(coding, rate=25)
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = "rgb8" if coding == "gif" else "yuv420p"
        heard: Any = output.add_stream(sound, rate=48000) if sound else None
        for number in range(12):
            shade = np.full((HEIGHT, WIDTH, 3), 20 * number, np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        if heard is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 24000), np.int16), format="s16", layout="stereo")
            silence.sample_rate, silence.pts = 48000, 0
            output.mux(heard.encode(silence))
            output.mux(heard.encode(None))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def parser() -> argparse.ArgumentParser:
    """What it can be called with."""
    made = argparse.ArgumentParser(description="Read files that are changed at random.")
    made.add_argument("kind", choices=KINDS, help="what is read")
    made.add_argument("--count", type=int, default=500, help="how many")
    made.add_argument("--first", type=int, default=0, help="number of the first")
    made.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="folder for files that were found")
    return made


def main() -> int:
    """Print what became of the files, and return the exit status."""
    asked = parser().parse_args()
    began = time.perf_counter()

    def tell(done: int) -> None:
        print(f"{done} of {asked.count}", file=sys.stderr)

    report = fuzz(asked.kind, asked.first, asked.count, tell)
    for said, times in collections.Counter(outcome.said for outcome in report.outcomes).most_common():
        print(f"{times:6}  {said}")
    slowest = max((outcome.seconds for outcome in report.outcomes), default=0.0)
    print(
        f"{len(report.outcomes)} {asked.kind} from number {asked.first} on in {time.perf_counter() - began:.0f} s.", end=" "
    )
    print(f"The slowest took {slowest:.2f} s; reading took up to {report.memory:.0f} MB.")
    for fault in report.faults:
        asked.keep.mkdir(parents=True, exist_ok=True)
        kept = asked.keep / f"{asked.kind}-{fault.number}"
        kept.write_bytes(changed(_files(asked.kind), fault.number))
        print(f"Found: {kept}: {fault.said} ({fault.seconds:.1f} s)")
    return int(bool(report.faults))


if __name__ == "__main__":
    sys.exit(main())

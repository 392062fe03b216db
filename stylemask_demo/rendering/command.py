"""The command `render`: pictures of synthetic people with exact labels, and contact sheets of them."""

import argparse
import io
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from stylemask_demo.downloads.progress_bars import ProgressBars
from stylemask_demo.errors import UnwritableMedia
from stylemask_demo.rendering import shards
from stylemask_demo.rendering.anatomy import Anatomy
from stylemask_demo.rendering.face_model import find_face_model, load_face_model
from stylemask_demo.rendering.sheets import SHEETS
from stylemask_demo.rendering.trajectory import FRAMES_PER_SECOND

FIRST_VALIDATION_PERSON = 900_000  # people from here on are kept for measuring, and never trained on
VIEWS, FRAMES = 4, 100
SMALLEST, LARGEST = 64, 1024


def main(argv: list[str]) -> int:
    """Renders what the arguments ask for; returns the exit status."""
    options = _parser().parse_args(argv)
    if options.sheet:
        _draw_sheets(options)
        return 0
    views = options.views or (FRAMES if options.video else VIEWS)
    order = shards.Order(views, options.size, options.video, options.scene)
    first = options.first
    if first is None:
        first = FIRST_VALIDATION_PERSON if options.validation else 0
    with ProgressBars() as bars:
        options.face_model = find_face_model(options.face_model, bars)
    for people in shards.shard_people(first, options.people):
        kind = "scene" if options.scene else "validation" if options.validation else "train"
        whole = kind == "validation" and options.people <= shards.SHARD_PEOPLE
        base = options.output / (kind if whole else f"{kind}-{people.start:06d}")
        if shards.finished(base, people, order):
            print(f"{base}.tar is there already.")
            continue
        _render_shard(base, people, order, options)
    return 0


def _render_shard(base: Path, people: range, order: shards.Order, options: argparse.Namespace) -> None:
    began = time.monotonic()

    def progress(done: int) -> None:
        each = (time.monotonic() - began) / (done * order.views)
        print(f"\r{base.name}: {done} of {len(people)} people, {each:.2f} s a picture", end="", file=sys.stderr, flush=True)

    pictures = shards.render_people(people, options.face_model, order, min(options.workers, len(people)))
    if order.moving:
        pictures = _with_films(pictures, options.output)
    shards.write_shard(base, pictures, len(people), progress)
    print(file=sys.stderr)
    print(f"{base}.tar")


def _with_films(pictures: Iterator[list[shards.Picture]], folder: Path) -> Iterator[list[shards.Picture]]:
    """Passes pictures on and writes those of each person as a film, where video can be written."""
    try:
        from stylemask_demo.media.videos import write_video
    except ImportError as error:
        print(f"Frames and labels only, no MP4 files: {error}. Install requirements.txt.", file=sys.stderr)
        yield from pictures
        return
    for frames in pictures:
        path = folder / f"{frames[0].name.split('_')[0]}.mp4"
        folder.mkdir(parents=True, exist_ok=True)
        drawn = (Image.open(io.BytesIO(frame.picture)).convert("RGB") for frame in frames)
        write_video(path, drawn, FRAMES_PER_SECOND, result=False)
        yield frames


def _draw_sheets(options: argparse.Namespace) -> None:
    with ProgressBars() as bars:
        anatomy = Anatomy(load_face_model(options.face_model, bars))
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        for name, draw in SHEETS.items():
            path = options.output / f"{name}.webp"
            draw(anatomy, options.first or 0, options.size).save(path, quality=90)
            print(path)
    except OSError as error:
        raise UnwritableMedia(f"{options.output} cannot be written: {error}. Choose another folder with -o.") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stylemask_demo render",
        description="Renders synthetic people with exact labels, in the shards that the training reads.",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the shards or sheets")
    parser.add_argument("--people", type=_count, default=1, help="how many people (default: 1)")
    parser.add_argument(
        "--views", type=_count, help=f"pictures of each person (default: {VIEWS}; with --video {FRAMES} frames)"
    )
    parser.add_argument("--size", type=_size, default=256, help="pixels on each side (default: 256)")
    parser.add_argument("--first", type=_number, metavar="PERSON", help="number of the first person (default: 0)")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--video", action="store_true", help="each person moves smoothly; also MP4 files")
    kinds.add_argument(
        "--scene",
        action="store_true",
        help="all views of a person in one light and place, in shards 'scene-*', which the network `details` learns from",
    )
    parser.add_argument(
        "--validation",
        action="store_true",
        help=f"people to measure with: from {FIRST_VALIDATION_PERSON} on, in a shard 'validation'",
    )
    parser.add_argument("--sheet", action="store_true", help="draw contact sheets instead of shards")
    parser.add_argument("--face-model", type=Path, metavar="PATH", help="converted face model, or the folder it is in")
    parser.add_argument("--workers", type=_count, default=os.cpu_count() or 1, help="processes (default: one a core)")
    return parser


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number")
    return int(text)


def _count(text: str) -> int:
    if _number(text) < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return int(text)


def _size(text: str) -> int:
    if not SMALLEST <= _number(text) <= LARGEST:
        raise argparse.ArgumentTypeError(f"it must be from {SMALLEST} to {LARGEST}")
    return int(text)

"""Photographs and videos of real people, read from a folder: what the judge is shown results of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image
from tqdm import tqdm

from stylemask_demo import Portrait, Reenactor
from stylemask_demo.errors import StyleMaskError, UnreadableMedia
from stylemask_demo.evaluation.people import portraits_of
from stylemask_demo.evaluation.videos import SUFFIXES as VIDEOS
from stylemask_demo.media.pictures import open_image
from stylemask_demo.media.videos import read_frames

PHOTOGRAPHS = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff"}
MOST = 40  # photographs, and videos, that are read of a folder, evenly over their names
FRAMES = 6  # of a video, evenly over its length: a source and five targets

T = TypeVar("T")


@dataclass(frozen=True)
class RealPeople:
    """Portraits of photographs by file name and of the frames of videos, two or more each, in the order of time.

    `left_out` says of each file that could not be used why.
    """

    photographs: Mapping[str, Portrait]
    videos: Mapping[str, Sequence[Portrait]]
    left_out: list[str]

    @property
    def portraits(self) -> list[Portrait]:
        """All of them."""
        return [*self.photographs.values(), *(portrait for frames in self.videos.values() for portrait in frames)]


def read_real_people(reenactor: Reenactor, folder: Path) -> RealPeople:
    """Reads the photographs and videos of a folder and of those below it, at most 40 of each.

    Raises UnreadableMedia where a face is found in none.
    """
    people = RealPeople({}, {}, [])
    photographs, videos = {}, {}
    for path in tqdm([*_files(folder, PHOTOGRAPHS), *_files(folder, VIDEOS)], desc="portraits"):
        name = path.relative_to(folder).as_posix()
        try:
            if path.suffix.lower() in PHOTOGRAPHS:
                photographs[name] = reenactor.portrait(open_image(path))
            else:
                videos[name] = _frames(reenactor, path)
        except StyleMaskError as error:
            people.left_out.append(f"{name} is left out: {error}")
    if not (photographs or videos):
        raise UnreadableMedia(
            f"No face was found in any photograph or video of {folder}. Name a folder with photographs "
            f"({', '.join(sorted(PHOTOGRAPHS))}) or videos ({', '.join(sorted(VIDEOS))}) of people."
        )
    return RealPeople(photographs, videos, people.left_out)


def evenly(items: Sequence[T], count: int) -> list[T]:
    """At most `count` of the items, the first and the last among them, in their order."""
    rows = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[row] for row in rows]


def _files(folder: Path, suffixes: set[str]) -> list[Path]:
    return evenly(sorted(p for p in folder.rglob("*") if p.suffix.lower() in suffixes and p.is_file()), MOST)


def _frames(reenactor: Reenactor, path: Path) -> list[Portrait]:
    frames = read_frames(path)
    chosen = _spread(frames, frames.count)
    portraits = [portrait for portrait in portraits_of(reenactor, chosen) if portrait is not None]
    if len(portraits) < 2:
        raise UnreadableMedia("A face was found in less than two of its frames.")
    return portraits


def _spread(frames: Iterable[Image.Image], count: int) -> list[Image.Image]:
    """Some frames evenly over a video of about `count`; all of them would not fit into memory."""
    ticks = {round(tick) for tick in np.linspace(0, count - 1, FRAMES)}
    return [frame for tick, frame in enumerate(frames) if tick in ticks]

"""The commands on many files: which go together, what was made before, and what has to be left out."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stylemask_demo import commands, messages
from stylemask_demo.batching import paired
from stylemask_demo.errors import StyleMaskError, UnreadableMedia, UnwritableMedia, WrongSetting
from stylemask_demo.media.files import reason, told_of

if TYPE_CHECKING:
    from stylemask_demo.reenactor import Portrait


class Job(NamedTuple):
    """Two files that go together, and the file that becomes of them."""

    source: Path
    target: Path
    output: Path


def batch(options: argparse.Namespace) -> None:
    """Write a picture for each pair of sources and targets, but for those that are there already."""
    jobs = plan(options.sources, options.targets, options.output, ".png", options.matrix)
    reenactor = commands.load(options, options.method)
    how = {"method": options.method, "strength": options.strength, "region": options.region}
    failed: dict[Path, str] = {}

    def known(path: Path, make: Callable[[Path], "Portrait"]) -> "Portrait":
        try:
            if path not in failed:
                return make(path)
        except StyleMaskError as error:
            failed[path] = told_of(path, error.message)
        raise _LeftOut(failed[path])

    @lru_cache(maxsize=1)  # which may have been tuned: in a matrix it comes again at once
    def source(path: Path) -> "Portrait":
        return commands.portrait_of(reenactor, commands.open_picture(path), options)

    def target(path: Path) -> "Portrait":
        return reenactor.portrait(commands.open_picture(path))

    def made(job: Job) -> None:
        commands.save(reenactor.reenact(known(job.source, source), known(job.target, target), **how), job.output)

    _work(jobs, made)


def drive(options: argparse.Namespace) -> None:
    """Write a video of the source that moves as the face in another, or for folders one for each pair."""
    if not (Path(options.source).is_dir() or Path(options.video).is_dir()):
        commands.drive(options)
        return
    jobs = plan(options.source, options.video, options.output, f".{options.format}", options.matrix)
    reenactor = commands.load(options, options.method)

    def made(job: Job) -> None:
        its = argparse.Namespace(**{**vars(options), "video": job.target, "output": job.output})
        commands.drive_file(reenactor, commands.open_source(job.source, its), commands.open_frames(job.target), its)

    _work(jobs, made)


class _LeftOut(Exception):
    """A job cannot be done, for a reason."""


def plan(sources: str, targets: str, folder: str, ending: str, matrix: bool = False) -> list[Job]:
    """What is made of files, or of those of folders, in the order of their names; the folder of results is made.

    They go in pairs, one file with every one of several, or in a `matrix` all with all. Raises UnreadableMedia for a folder
    without files, WrongSetting where they do not pair up, and UnwritableMedia.
    """
    first, second = _files(sources), _files(targets)
    try:
        pairs = [(one, other) for one in first for other in second] if matrix else paired(first, second)
    except ValueError:
        raise WrongSetting(messages.UNEQUAL_LISTS.format(count=len(first), number=len(second))) from None
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = messages.UNWRITABLE
        raise UnwritableMedia(said, f"{told_of(folder, said)} ({reason(error)})") from None
    names = _names(first), _names(second)
    return [Job(one, other, Path(folder) / f"{names[0][one]}--{names[1][other]}{ending}") for one, other in pairs]


def _files(named: str) -> list[Path]:
    path = Path(named)
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    if not found:
        raise UnreadableMedia(messages.NOTHING_TO_FOLLOW, told_of(path, messages.NOTHING_TO_FOLLOW))
    return found


def _names(files: Sequence[Path]) -> dict[Path, str]:
    """What files are called in the names of results: without their ending, where that is enough to tell them apart."""
    alike = Counter(file.stem for file in files)
    return {file: file.stem if alike[file.stem] == 1 else file.name for file in files}


def _work(jobs: Sequence[Job], made: Callable[[Job], None]) -> None:
    """Do what is not done yet, and list what had to be left out."""
    left_out: dict[Job, str] = {}
    for number, job in enumerate(jobs, 1):
        if not job.output.exists():
            try:
                made(job)
            except (_LeftOut, StyleMaskError) as error:
                left_out[job] = str(error)
        commands.tell_progress("result", number, len(jobs))
    for job, why in left_out.items():
        print(f"stylemask_demo: left out: {job.output.name}: {why}", file=sys.stderr)
    if jobs and len(left_out) == len(jobs):
        raise UnreadableMedia(messages.NOTHING_MADE)

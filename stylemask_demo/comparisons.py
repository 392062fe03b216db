"""Results side by side: the methods on one pair, a slider from one end to the other, a grid of sources by targets."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from PIL.Image import Image

from stylemask_demo import messages
from stylemask_demo.editing.commands import check_sliders
from stylemask_demo.errors import NoFaceFound, WrongSetting
from stylemask_demo.media.contact_sheets import table
from stylemask_demo.reenactor import SLIDERS, Portrait, Reenactor, Subject

METHOD_NAMES = {
    "stylemask": "StyleMask",
    "directions": "Finding Directions",
    "motion": "Pose and Expression Transfer",
}
STEPS = 11  # pictures from one end of a slider to the other
MILLISECONDS = 70  # that each is shown
MOST = 5  # sources, and targets, of a grid
WHICH = ("first", "second", "third", "fourth", "fifth")

Progress = Callable[[int, int], None]


def compare_methods(reenactor: Reenactor, source: Subject, target: Subject, side: int | None = None) -> Image:
    """A row with source, target, and the result of each method that the pack can do, with their names above.

    `side` is that of each picture in pixels, None for the pack's. Raises what `Reenactor.portrait` raises.
    """
    side = side or reenactor.resolution
    who, how = (face if isinstance(face, Portrait) else reenactor.portrait(face) for face in (source, target))
    results = [reenactor.reenact(who, how, method) for method in reenactor.methods]
    titles = ["Source", "Target", *(METHOD_NAMES[method] for method in reenactor.methods)]
    return table([[who.crop_of(side), how.crop_of(side), *results]], side, inputs=(0, 2), titles=titles)


def slider_strip(reenactor: Reenactor, source: Subject, slider: str, steps: int | None = None) -> Iterator[Image]:
    """Pictures of the source from one end of a slider to the other and back, for an animation that goes on for ever.

    There are 2 `steps` - 2 pictures, as they come, closer to each other at the ends; without `steps` it has `STEPS`. Raises
    UnknownSlider for one that the pack cannot do, UnknownMethod for a pack without directions, and what
    `Reenactor.portrait` raises.
    """
    check_sliders([slider], reenactor.sliders.names)
    steps, low, high = steps or STEPS, SLIDERS[slider].low, SLIDERS[slider].high
    who = source if isinstance(source, Portrait) else reenactor.portrait(source)
    there = []
    for step in range(steps):
        value: Any = {slider: (low + high) / 2 - (high - low) / 2 * math.cos(math.pi * step / (steps - 1))}
        there.append(reenactor.edit(who, **value))
        yield there[-1]
    yield from there[-2:0:-1]


def grid(
    reenactor: Reenactor,
    sources: Sequence[Subject],
    targets: Sequence[Subject],
    method: str = "stylemask",
    side: int | None = None,
    progress: Progress | None = None,
) -> Image:
    """A table of results, with the sources down its left edge and the targets along its top, as the papers show.

    There are up to `MOST` of each; `side` is that of each picture in pixels, None for the pack's. `progress` is called with
    the number of pictures done and of all, and may raise `errors.Cancelled` to stop. Raises WrongSetting for too many or
    none, UnknownMethod, and what `Reenactor.portrait` raises, which says in which of the pictures.
    """
    if not sources or not targets:
        raise WrongSetting(messages.GRID_NEEDED)
    if max(len(sources), len(targets)) > MOST:
        raise WrongSetting(messages.LARGE_GRID.format(limit=MOST))
    reenactor.check(method)
    side, done, total = side or reenactor.resolution, 0, len(sources) + len(targets) + len(sources) * len(targets)

    def count(more: int = 1) -> None:
        nonlocal done
        done += more
        if progress:
            progress(done, total)

    count(0)
    people: dict[str, list[Portrait]] = {"source": [], "target": []}
    for role, faces in (("source", sources), ("target", targets)):
        for which, face in zip(WHICH, faces, strict=False):
            people[role].append(_portrait(reenactor, face, f"{which} {role}"))
            count()
    who, how = people["source"], people["target"]
    rows: list[list[Image | None]] = [[None, *(portrait.crop_of(side) for portrait in how)]]
    for source in who:
        rows.append([source.crop_of(side)])
        for target in how:
            rows[-1].append(reenactor.reenact(source, target, method))
            count()
    return table(rows, side, inputs=(1, 1))


def _portrait(reenactor: Reenactor, face: Subject, role: str) -> Portrait:
    try:
        return face if isinstance(face, Portrait) else reenactor.portrait(face)
    except NoFaceFound as error:
        raise NoFaceFound(messages.IN_ROLE.format(role=role, message=error.message)) from error

"""The work on the accelerator behind the card that moves the source by hand; see `accelerator`."""

import time
from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
from PIL import Image

from stylemask_demo.moving import landmarks_shown, preview
from stylemask_demo.reenactor import SliderValues
from stylemask_demo.ui.accelerator import accelerated
from stylemask_demo.ui.compute import Computed, computed
from stylemask_demo.ui.lines import SHARED_GPUS
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.subjects import Subject, portrait_of

Values = tuple[tuple[str, float], ...]  # what sliders are set to, by name; hashable, so that results can be remembered


class Moved(NamedTuple):
    """A moved face, its landmarks (68, 2) as parts of the picture's width and height, and what `Sliders.held` tells."""

    picture: Image.Image
    landmarks: np.ndarray
    held: dict[str, float]


class MoveCompute(NamedTuple):
    """The functions that need the accelerator; the first argument of each is the name of the pack."""

    edit: Callable[[str, Subject, Values, bool, int | None], Computed[Moved]]
    preview: Callable[[str, Subject, Values, bool], Computed[Image.Image]]
    learn: Callable[[str, Subject, str], None]
    towards: Callable[[str, Subject, Subject | Values, float], Computed[SliderValues]]


def create_move_compute(registry: PackRegistry) -> MoveCompute:
    """Return the accelerator's functions over a registry of packs."""

    @accelerated(registry, seconds=10)
    def edit(pack: str, source: Subject, values: Values, into_photo: bool, size: int | None = None) -> Computed[Moved]:
        """Return the source as sliders move it, as a crop or as a whole photo; size is that of Reenactor.edit."""
        started, reenactor = time.perf_counter(), registry.get(pack)
        who = portrait_of(reenactor, source, "source")
        result = reenactor.edit(who, size=size, **cast(SliderValues, dict(values)))
        landmarks = landmarks_shown(reenactor, who, result, into_photo)
        shown = reenactor.into_photo(who, result) if into_photo else result
        held = reenactor.sliders.held(who, dict(values))
        return computed(Moved(shown, landmarks, held), started, reenactor)

    @accelerated(registry, seconds=10)
    def quick(pack: str, source: Subject, values: Values, into_photo: bool) -> Computed[Image.Image]:
        """Return what `edit` returns, nearly, at the pack's size, for a hand that moves."""
        started, reenactor = time.perf_counter(), registry.get(pack)
        who = portrait_of(reenactor, source, "source")
        if SHARED_GPUS:  # what is learned of a source goes with the process that learned it: to look is quicker
            result = reenactor.edit(who, **cast(SliderValues, dict(values)))
        else:
            result = preview(reenactor, who, dict(values))
        return computed(reenactor.into_photo(who, result) if into_photo else result, started, reenactor)

    @accelerated(registry, seconds=10)
    def learn(pack: str, source: Subject, slider: str) -> None:
        """Learn what `quick` needs of a source that a slider will move, so that the first move is as quick as the next."""
        reenactor = registry.get(pack)
        reenactor.sliders.learn(portrait_of(reenactor, source, "source"), slider)

    @accelerated(registry, seconds=10)
    def towards(pack: str, source: Subject, like: Subject | Values, ratio: float) -> Computed[SliderValues]:
        """Return the values of sliders that lead the source to the expression of another face, or to one by their names."""
        started, reenactor = time.perf_counter(), registry.get(pack)
        who = portrait_of(reenactor, source, "source")
        then = portrait_of(reenactor, like, "sample") if isinstance(like, Subject) else dict(like)
        return computed(reenactor.sliders.towards(who, then, ratio), started, reenactor)

    return MoveCompute(edit, quick, learn, towards)

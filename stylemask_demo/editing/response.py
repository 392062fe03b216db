"""What sliders miss of what they say, learned of each portrait when they first move it, so that no move is looked at."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from stylemask_demo.caching import VISITOR_SECONDS, Cache, bytes_of
from stylemask_demo.editing.table import ANGLES, SLIDERS
from stylemask_demo.portraits.portrait import Portrait

REMEMBERED, REMEMBERED_BYTES = 512, 1_000_000  # ways of portraits under one slider to one side, a kilobyte each
# Where such a way is looked at, in parts of it; what is missed in between is taken for straight. Turns need more: the
# photo's detail hides small ones, and large ones lead to where the generator knows few faces.
LEARNED = {"degrees": (1 / 6, 1 / 2, 5 / 6, 1.0), "coefficient": (1 / 2, 1.0)}
CORNER = 1 / 2  # part of the ways of both angles where their sum is looked at, because one turn shows what hides the other
SHOWS = LEARNED["degrees"][0]  # part of a way from which on a turn is not hidden

# Settings of N sliders of one portrait, to the same sides -> the motion values (N, V) that are missed, by looking.
Missed = Callable[[Portrait, Sequence[Mapping[str, float]]], Tensor]


class Response:
    """What the code of a portrait misses of what sliders say: what each alone misses, together.

    `missed` looks at some settings of a portrait at once; it is asked when a slider first moves a portrait to a side, and
    answers are remembered.
    """

    def __init__(self, missed: Missed):
        self._missed = missed
        self._ways: Cache[tuple[object, ...], Tensor] = Cache(REMEMBERED, REMEMBERED_BYTES, bytes_of, VISITOR_SECONDS)

    def __call__(self, portrait: Portrait, values: Mapping[str, float]) -> Tensor:
        """Motion values (V,) to be added to the code of a portrait that some sliders move to `values`, none of them 0."""
        alone = sum((self._way(portrait, name, value) for name, value in values.items()), start=torch.zeros(()))
        turns = {name: values[name] for name in ANGLES if name in values}
        return alone + self._corner(portrait, turns) if len(turns) == len(ANGLES) else alone

    def _way(self, portrait: Portrait, name: str, value: float) -> Tensor:
        """What is missed where one slider alone stands at a value, (V,)."""
        end, parts = _end(name, value), LEARNED[SLIDERS[name].unit]
        learned = self._ways.find(
            (portrait.look, name, end), lambda: self._missed(portrait, [{name: part * end} for part in parts])
        )
        known = torch.cat([torch.zeros_like(learned[:1]), learned]).cpu().numpy()  # (1 + N, V), from the middle on
        return learned.new_tensor(np.array([np.interp(value / end, (0.0, *parts), missed) for missed in known.T]))

    def _corner(self, portrait: Portrait, turns: Mapping[str, float]) -> Tensor:
        """What is missed less, or more, where both angles are turned than what each misses alone, (V,)."""
        ends = {name: _end(name, value) for name, value in turns.items()}

        def learn() -> Tensor:
            corner = {name: CORNER * end for name, end in ends.items()}
            return self._missed(portrait, [corner])[0] - sum(self._way(portrait, *one) for one in corner.items())

        learned = self._ways.find((portrait.look, *ends.items()), learn)
        return learned * float(np.prod([min(value / ends[name] / SHOWS, 1.0) for name, value in turns.items()]))


def _end(name: str, value: float) -> float:
    """The end of a slider on the side of a value."""
    return SLIDERS[name].high if value > 0 else SLIDERS[name].low

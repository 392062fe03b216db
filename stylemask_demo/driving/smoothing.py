"""Smoothing what is seen in a video, without lag where it moves."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from stylemask_demo.methods import FaceCode


class Smoothness(NamedTuple):
    """How a one-euro filter behaves.

    `still` is its cut-off in cycles a frame where nothing moves, and `quick` is how much the cut-off rises with the speed,
    in units of the signal a frame.
    """

    still: float
    quick: float


PLACE = Smoothness(0.08, 30.0)  # of landmarks, in sides of the crop
SPEED = 0.2  # cycles a frame: cut-off of the speed itself
CODE = Smoothness(0.12, 6.0)  # of codes and direction values, in parts of their size
MISSED = Smoothness(0.04, 0.05)  # of what results miss, in the units of the encoder's motion values
LOOKED_AT = 2  # of so many results one is looked at for what it misses
HEAD = Smoothness(0.2, 30.0)  # of the size of heads, in parts of it


class OneEuro:
    """Smooths a signal much while it rests and little while it moves (Casiez et al., "1 EUR Filter", 2012).

    A value is a whole tensor; one speed, the root mean square of its change in parts of `size`, sets the cut-off for all
    of it.
    """

    def __init__(self, smoothness: Smoothness, size: float = 1.0):
        self._smoothness, self._size = smoothness, size
        self._state: tuple[Tensor, Tensor, Tensor] | None = None  # the smoothed value, the raw one, and the speed

    def __call__(self, value: Tensor) -> Tensor:
        """The next value of the signal -> the smoothed value."""
        if self._state is None:
            self._state = value, value, torch.zeros_like(value)
            return value
        last, raw, speed = self._state
        speed = speed + _pace(SPEED) * (value - raw - speed)
        still, quick = self._smoothness
        cut_off = still + quick * float(speed.square().mean().sqrt()) / self._size
        smoothed = last + _pace(cut_off) * (value - last)
        self._state = smoothed, value, speed
        return smoothed


def _pace(cut_off: float) -> float:
    """How far a first-order filter goes towards the new value, for a cut-off in cycles a frame."""
    return 1 / (1 + 1 / (2 * np.pi * cut_off))


class CodeSmoother:
    """Smooths what methods know of the face of a video, frame by frame; `much` 0 not at all, 1 as usual."""

    def __init__(self, much: float = 1.0) -> None:
        self._filters: dict[str, OneEuro] = {}
        self._smoothness = Smoothness(CODE.still / much, CODE.quick / much) if much else None

    def __call__(self, codes: FaceCode) -> FaceCode:
        """Codes of the next B frames -> the same, smoothed."""
        return FaceCode(**{name: self._smoothed(name, rows) for name, rows in codes._asdict().items()})

    def _smoothed(self, name: str, rows: Tensor | None) -> Tensor | None:
        if rows is None or self._smoothness is None:
            return rows
        if name not in self._filters:
            # Values about 1 are large among angles and coefficients; how large codes are, each generator has by itself.
            size = 2 * float(rows[0].std()) if name in ("w_plus", "motion") else 1.0
            self._filters[name] = OneEuro(self._smoothness, size)
        return torch.stack([self._filters[name](row) for row in rows])


class Held:
    """What the results of a film miss, looked at in some of them: to look at one takes nearly as long as to draw it."""

    def __init__(self) -> None:
        self._frames, self._smooth = 0, OneEuro(MISSED)
        self._last: Tensor | None = None

    def __call__(self, missed: Callable[[list[int]], Tensor], count: int) -> Tensor:
        """What the next `count` results miss, (count, V); `missed` looks at those with such numbers, (N, V)."""
        numbers = [number for number in range(count) if (self._frames + number) % LOOKED_AT == 0]
        seen = dict(zip(numbers, missed(numbers), strict=True)) if numbers else {}
        self._frames += count
        rows = []
        for number in range(count):
            self._last = seen.get(number, self._last)
            assert self._last is not None  # the first one is looked at
            rows.append(self._smooth(self._last))
        return torch.stack(rows)


def steadied(smoothness: Smoothness) -> Callable[[Tensor], Tensor]:
    """A filter of values (B, ...) of B frames, one after another, which goes on where it was left."""
    smooth = OneEuro(smoothness)
    return lambda values: torch.stack([smooth(value) for value in values])

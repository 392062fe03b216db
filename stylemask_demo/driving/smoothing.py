"""Smoothing what is seen in a video, without lag where it moves."""

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


class SteadySize:
    """What brings heads of a film to one size: smooths factors (B,) of B frames, one after another."""

    def __init__(self) -> None:
        self._smooth = OneEuro(HEAD)
        self.last: Tensor | None = None  # factor, smoothed

    def __call__(self, factors: Tensor) -> Tensor:
        """Factors (B,) that bring heads to their size -> those that are to be used."""
        smoothed = torch.stack([self._smooth(factor) for factor in factors])
        self.last = smoothed[-1]
        return smoothed

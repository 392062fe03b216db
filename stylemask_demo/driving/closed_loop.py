"""Correcting results of a film by what earlier ones missed: looking at each before it is shown would double the work."""

from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

from stylemask_demo.driving.smoothing import OneEuro, Smoothness

BEHIND = 2  # groups of results: those before are known when one is asked for
KEPT = 0.75  # of what is added already: what no addition changes is not asked for ever more
FADING = 0.7  # what is left of a look's weight at the next one: what is missed changes with the face
DOUBT = 0.5  # that it changes with what is wanted, as a sum of squares of values
ADDED = Smoothness(0.15, 0.05)  # of what is added, in the units of motion values


class ClosedLoop:
    """What has to be added to the codes of results, group by group, for them to show what is wanted.

    Whatever was added and was still missing, in results that have been seen, is what should have been added there. It
    changes with what is wanted, since heads that turn further fall further short, and is told by a line through what was
    seen. Each group is told by `saw`, in turn, before the next but one is asked for; the first ones are looked at before
    they are shown.
    """

    def __init__(self) -> None:
        self._asked: deque[tuple[Tensor, Tensor]] = deque()  # wanted and added, of groups that are not learned from yet
        self._shown: deque[Tensor] = deque()
        self._lines, self._smooth = Lines(), OneEuro(ADDED)

    def __call__(self, wanted: Tensor, missed: Callable[[], Tensor]) -> Tensor:
        """What to add (B, V) to the next B results for them to show what is wanted, (B, V), and `missed` without it."""
        if len(self._asked) < BEHIND:  # the first ones
            self._lines.learn(wanted, missed())
        else:
            then, added = self._asked.popleft()
            self._lines.learn(then, KEPT * added + then - self._shown.popleft())
        added = torch.stack([self._smooth(row) for row in self._lines(wanted)])
        self._asked.append((wanted, added))
        return added

    def saw(self, shown: Tensor) -> None:
        """Tell what the group of results shows that was asked for first of those that were not seen, (B, V)."""
        self._shown.append(shown)


class Lines:
    """Values told by others, each by a line: least squares in which what was learned long ago counts less."""

    def __init__(self) -> None:
        # Weighted sums: of ones, causes and effects, of squares of causes, and of products.
        self._sums = [torch.zeros(())] * 5

    def learn(self, causes: Tensor, effects: Tensor) -> None:
        """Learn from (B, V) of both, one after another."""
        for x, y in zip(causes, effects, strict=True):
            terms = torch.ones(()).to(x), x, y, x * x, x * y
            self._sums = [FADING * total.to(term) + term for total, term in zip(self._sums, terms, strict=True)]

    def __call__(self, causes: Tensor) -> Tensor:
        """The effects (B, V) of causes (B, V); something has been learned."""
        count, x, y, squares, products = self._sums
        middle, mean = x / count, y / count
        slope = (products - count * middle * mean) / (squares - count * middle.square() + DOUBT)
        return mean + slope * (causes - middle)

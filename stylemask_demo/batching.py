"""Lists of any length in bounded memory: the pipeline works on a few pictures at a time."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

BATCH = 4  # pictures at once: on two CPU cores more are no faster, and each takes some 40 MB

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S")


def in_batches(function: Callable[[Sequence[T]], Iterable[R]], items: Sequence[T]) -> list[R]:
    """What a function of some items makes of all of them, batch after batch."""
    return [made for start in range(0, len(items), BATCH) for made in function(items[start : start + BATCH])]


def paired(first: Sequence[S], second: Sequence[T]) -> list[tuple[S, T]]:
    """Pairs of two lists of one length, or of one item with each of a list. Raises ValueError for other lengths."""
    count = len(first) if len(second) == 1 else len(second)
    if len(first) not in (1, count):
        raise ValueError("Give as many sources as targets, or one of either.")
    return [(first[i % len(first)], second[i % len(second)]) for i in range(count)]

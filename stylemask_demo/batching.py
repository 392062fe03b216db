"""Lists of any length in bounded memory: the pipeline works on a few pictures at a time."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch

from stylemask_demo import messages
from stylemask_demo.errors import OutOfMemory

ON_CPU, ON_GPU = 2, 16  # pictures at once; on CPUs more are no faster, and each takes some 40 MB

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S")


def batch_size(device: torch.device) -> int:
    """How many pictures are worked on at once on a device."""
    return ON_CPU if device.type == "cpu" else ON_GPU


def in_batches(function: Callable[[Sequence[T]], Iterable[R]], items: Sequence[T], device: torch.device) -> list[R]:
    """What a function that works on a device makes of some items after the other.

    Where the memory of a GPU does not hold as many at once as usual, because others use it too, it is tried with half of
    them, and so on; the next call begins with the usual number again. Raises OutOfMemory where it does not hold one.
    """
    size, made, done = batch_size(device), list[R](), 0
    while done < len(items):
        some = items[done : done + size]
        try:
            made.extend(function(some))
        except torch.OutOfMemoryError:
            if len(some) == 1:
                raise OutOfMemory(messages.NO_MEMORY) from None
            size = len(some) // 2
        else:
            done += len(some)
            continue
        # Here, because until the error is gone it holds what it has met.
        torch.cuda.empty_cache()
    return made


def as_list(value: T | Sequence[T]) -> Sequence[T]:
    """A sequence as it is, and one item as a list."""
    return value if isinstance(value, Sequence) else [value]


def paired(first: Sequence[S], second: Sequence[T]) -> list[tuple[S, T]]:
    """Pairs of two lists of one length, or of one item with each of a list. Raises ValueError for other lengths."""
    count = len(first) if len(second) == 1 else len(second)
    if len(first) not in (1, count):
        raise ValueError("Give as many sources as targets, or one of either.")
    return [(first[i % len(first)], second[i % len(second)]) for i in range(count)]

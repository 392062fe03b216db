"""Items that are made in a thread of their own while those before them are used, so that neither waits for the other."""

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator
from typing import Generic, NamedTuple, TypeVar

import torch

T = TypeVar("T")

LOOKED = 0.1  # seconds between two looks at whether anybody still wants what is made


class _Made(NamedTuple, Generic[T]):
    item: T


class _Over(NamedTuple):
    error: BaseException | None


def ahead(items: Generator[T, None, None], shares: int) -> Generator[T, None, None]:
    """The items, each made while the one before is used.

    They are computed on one of so many `shares` of the cores that the asking thread computes on. What `items` raises is
    raised here; when this generator is closed, `items` is closed too, after the item that it is at.
    """
    made: queue.Queue[_Made[T] | _Over] = queue.Queue(1)
    left = threading.Event()
    cores = max(torch.get_num_threads() // shares, 1)

    def put(item: _Made[T] | _Over) -> None:
        while not left.is_set():
            with contextlib.suppress(queue.Full):
                return made.put(item, timeout=LOOKED)

    def work() -> None:
        _compute_on(cores)
        try:
            with contextlib.closing(items):
                for item in items:
                    put(_Made(item))
                    if left.is_set():
                        return
        except BaseException as error:  # whatever it is, it is raised where the items are used
            put(_Over(error))
        else:
            put(_Over(None))

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        yield from _taken(made)
    finally:
        left.set()
        thread.join()


def _taken(made: "queue.Queue[_Made[T] | _Over]") -> Iterator[T]:
    while isinstance(item := made.get(), _Made):
        yield item.item
    if item.error is not None:
        raise item.error


def _compute_on(cores: int) -> None:
    """Let this thread compute on so many cores; those that begin later do as before.

    The number is each thread's own, but PyTorch gives the one that was set last to new threads.
    """
    usual = torch.get_num_threads()
    torch.set_num_threads(cores)
    restoring = threading.Thread(target=torch.set_num_threads, args=(usual,))
    restoring.start()
    restoring.join()

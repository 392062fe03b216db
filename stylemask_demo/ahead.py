"""Items that are made in a thread of their own while those before them are used, so that neither waits for the other."""

import contextlib
import queue
import threading
from collections.abc import Generator
from typing import Generic, NamedTuple, TypeVar

import torch

from stylemask_demo.cores import compute_on

T = TypeVar("T")


class _Made(NamedTuple, Generic[T]):
    item: T


class _Over(NamedTuple):
    error: BaseException | None


def ahead(items: Generator[T, None, None], shares: int, waiting: int = 0) -> Generator[T, None, None]:
    """The items, each made while the one before is used.

    None is begun earlier: what is learned by using an item is known when the next but one is made. Only so many may be
    `waiting`, made earlier yet. They are computed on one of so many `shares` of the cores that the asking thread computes
    on. What `items` raises is raised here; when this generator is closed, `items` is closed too, after the item that it is
    at.
    """
    made: queue.SimpleQueue[_Made[T] | _Over] = queue.SimpleQueue()
    turn, left = threading.Semaphore(1 + waiting), threading.Event()

    def work() -> None:
        compute_on(cores)
        try:
            with contextlib.closing(items):
                while turn.acquire() and not left.is_set():
                    made.put(_Made(next(items)))
        except StopIteration:
            made.put(_Over(None))
        except BaseException as error:  # whatever it is, it is raised where the items are used
            made.put(_Over(error))

    cores = max(torch.get_num_threads() // shares, 1)
    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while isinstance(item := made.get(), _Made):
            turn.release()
            yield item.item
        if item.error is not None:
            raise item.error
    finally:
        left.set()
        turn.release()
        thread.join()

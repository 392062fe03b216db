"""Long work that reports how far it is, as a stream that can be read slowly and left at any time."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from PIL import Image

from stylemask_demo import messages
from stylemask_demo.errors import Cancelled

T = TypeVar("T")
Report = Callable[..., None]

PATIENCE = 0.5  # seconds without a report after which the last one is repeated, so that a reader can leave


class Progress(NamedTuple):
    """How far some work is; `total` is 0 where nobody knows it, and `picture` shows what is there, if anything."""

    done: int = 0
    total: int = 0
    what: str = ""
    picture: Image.Image | None = None


@dataclass(frozen=True)
class Finished(Generic[T]):
    """The end of a stream: what the work returned."""

    value: T


class _Failed(NamedTuple):
    error: Exception


def stream(
    work: Callable[[Report], T], place: contextlib.AbstractContextManager | None = None
) -> Iterator[Progress | Finished[T]]:
    """Yields the Progress of `work` and at last a Finished with what it returns; raises what it raises.

    `work` gets a function to report with, `report(done, total, what, picture)`, and runs in a thread of its own. When
    the reader leaves the stream, the next report raises Cancelled in there. `place` is held while it runs, which is
    longer than anybody reads: a semaphore bounds how much works at once, with what was left and has not stopped yet.
    """
    items: queue.SimpleQueue[Progress | Finished[T] | _Failed] = queue.SimpleQueue()
    left = threading.Event()

    def report(done: int, total: int = 0, what: object = "", picture: Image.Image | None = None) -> None:
        if left.is_set():
            raise Cancelled(messages.STOPPED)
        items.put(Progress(int(done), int(total), str(what), picture))

    def run() -> None:
        try:
            with place or contextlib.nullcontext():
                if left.is_set():  # while others were at work
                    return
                items.put(Finished(work(report)))
        except Exception as error:  # whatever it is, it is raised where the stream is read
            items.put(_Failed(error))

    threading.Thread(target=run, daemon=True).start()
    latest = Progress()
    try:
        while True:
            try:
                item = items.get(timeout=PATIENCE)
                while isinstance(item, Progress) and not items.empty():
                    item = items.get()  # a slow reader sees the latest
            except queue.Empty:
                item = latest
            if isinstance(item, _Failed):
                raise item.error
            yield item
            if isinstance(item, Finished):
                return
            latest = item
    finally:
        left.set()

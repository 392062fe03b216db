"""Functions that run on the accelerator: plain CPU data in, plain CPU data out.

On a Space with shared GPUs each of these functions runs in a process of its own that borrows a GPU for at most
the seconds declared; elsewhere `spaces.GPU` leaves them as they are. Three things follow for shared GPUs:

- Nothing may be handed over but pictures, numbers, texts and bytes; files are named by their path.
- What a function changes in memory is gone with its process, so results are what it returns, and a cache in
  here only makes the next call quicker.
- An error that is raised in there arrives without its message. So errors are handed over as what they are,
  and raised on this side.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar, cast

import spaces
import torch

from stylemask_demo import messages
from stylemask_demo.errors import OutOfMemory, StyleMaskError
from stylemask_demo.ui.health import ACCELERATOR_WORK
from stylemask_demo.ui.lines import AT_ONCE
from stylemask_demo.ui.pack_registry import PackRegistry

F = TypeVar("F", bound=Callable[..., Any])

LOADING_SECONDS = 30  # more for a pack that is not in memory
LONGEST_SECONDS = 120  # that a visitor without an account may ask for at once
LONG_WORK = threading.BoundedSemaphore(AT_ONCE)  # held by long work until it has really stopped, after its reader too


def accelerated(registry: PackRegistry, seconds: float) -> Callable[[F], F]:
    """Return a decorator for functions, or generators, that borrow a GPU for at most `seconds`."""

    def duration(pack: str, *_: object) -> float:
        return seconds if registry.loaded(pack) else min(seconds + LOADING_SECONDS, LONGEST_SECONDS)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @spaces.GPU(duration=duration)
        @functools.wraps(function)
        def work(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except StyleMaskError as error:
                return error
            except torch.OutOfMemoryError:
                return OutOfMemory(messages.NO_MEMORY)

        @functools.wraps(function)
        def call(*arguments: Any) -> Any:
            with ACCELERATOR_WORK.watched():
                return _raised(work(*arguments))

        return call

    def decorate_stream(function: Callable[..., Any]) -> Callable[..., Any]:
        @spaces.GPU(duration=duration)
        @functools.wraps(function)
        def work(*arguments: Any) -> Iterator[Any]:
            try:
                yield from function(*arguments)
            except StyleMaskError as error:
                yield error
            except torch.OutOfMemoryError:
                yield OutOfMemory(messages.NO_MEMORY)

        @functools.wraps(function)
        def call(*arguments: Any) -> Iterator[Any]:
            with ACCELERATOR_WORK.watched() as watched, closing(work(*arguments)) as items:
                last = None
                for item in items:
                    if item != last:  # while there is no progress the last one is repeated
                        watched.goes_on()
                    last = item
                    yield _raised(item)

        return call

    def chosen(function: F) -> F:
        return cast(F, (decorate_stream if inspect.isgeneratorfunction(function) else decorate)(function))

    return chosen


def _raised(item: object) -> object:
    if isinstance(item, StyleMaskError):
        raise item
    return item

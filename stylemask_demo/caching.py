"""Bounded caches that forget, and values that are made at first use; both shared by threads."""

import dataclasses
import math
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from cachetools import TTLCache
from PIL import Image

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# What shows a visitor's face is forgotten within the hour, as the page promises:
VISITOR_SECONDS = 3300.0  # so long it is kept, however often it is used,
SWEEP_SECONDS = 120.0  # and so often what has expired is looked for, where nobody asks for it any more
_WATCHER = "forgetting"  # name of the thread that looks

now = time.monotonic  # seconds of a clock that never goes back


class Cache(Generic[K, V]):
    """Keeps the values used last: at most `count` of them, of at most `weight` together, each for at most `seconds`.

    `weigh` tells the weight of a value; one that is heavier than `weight` alone is not kept. `seconds` are counted from
    when a value was made, by `clock`, else by `now`. What has expired is let go of even where nobody asks any more.
    """

    def __init__(
        self,
        count: int,
        weight: float = math.inf,
        weigh: Callable[[V], float] = lambda value: 0.0,
        seconds: float = math.inf,
        clock: Callable[[], float] | None = None,
    ):
        def share(value: V) -> float:
            """The part of the cache that a value takes: of its places or of its weight, whichever is more."""
            return max(1 / count, weigh(value) / weight)

        # A little more than the whole, because the parts are rounded.
        self._values: TTLCache[K, V] = TTLCache(1 + 1e-9, seconds, clock or (lambda: now()), share)
        self._making: dict[K, threading.Event] = {}
        self._lock = threading.Lock()
        if seconds < math.inf:
            _watch(self)

    def __len__(self) -> int:
        with self._lock:
            return len(self._values)

    def __contains__(self, key: K) -> bool:
        with self._lock:
            return key in self._values

    def get(self, key: K) -> V | None:
        """The value of a key, or None when it is not, or no more, kept."""
        with self._lock:
            return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        """Keeps a value, in place of an earlier one."""
        with self._lock:
            self._keep(key, value)

    def drop(self, key: K) -> None:
        """Forgets a value, if it is there."""
        with self._lock:
            self._values.pop(key, None)

    def find(self, key: K, make: Callable[[], V]) -> V:
        """The value of a key, made where it is not kept; threads that ask at once wait for one of them to make it."""
        return self.find_all([key], lambda keys: [make()])[0]

    def find_all(self, keys: Iterable[K], make: Callable[[list[K]], Sequence[V]]) -> list[V]:
        """The value of each key; those that are not kept are made together: `make` gets their keys and returns values.

        What another thread is making already is waited for. Raises what `make` raises; another thread tries again then.
        """
        keys, found = list(keys), dict[K, V]()
        while missing := [key for key in dict.fromkeys(keys) if key not in found]:
            with self._lock:
                found.update((key, self._values[key]) for key in missing if key in self._values)
                missing = [key for key in missing if key not in found]
                mine = [key for key in missing if key not in self._making]
                others = [self._making[key] for key in missing if key in self._making]
                made = threading.Event()
                self._making.update(dict.fromkeys(mine, made))
            if mine:
                self._make(mine, make, found, made)
            for other in others:
                other.wait()
        return [found[key] for key in keys]

    def expire(self) -> None:
        """Let go of what has expired."""
        with self._lock:
            self._values.expire()

    def _make(
        self, keys: list[K], make: Callable[[list[K]], Sequence[V]], found: dict[K, V], made: threading.Event
    ) -> None:
        values: Sequence[V] = ()
        try:
            values = make(keys)
        finally:
            with self._lock:
                for key in keys:
                    del self._making[key]
                for key, value in zip(keys, values, strict=False):
                    found[key] = value
                    self._keep(key, value)
            made.set()

    def _keep(self, key: K, value: V) -> None:
        if self._values.getsizeof(value) <= self._values.maxsize:
            self._values[key] = value


def bytes_of(value: object) -> float:
    """About how much memory a value takes: its arrays, tensors, pictures and bytes, also in tuples, lists, dataclasses."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Image.Image):
        return len(value.getbands()) * value.width * value.height
    if isinstance(value, tuple | list):
        return sum(map(bytes_of, value))
    if dataclasses.is_dataclass(value):
        return sum(bytes_of(getattr(value, field.name)) for field in dataclasses.fields(value))
    return float(getattr(value, "nbytes", 0))


class Lazy(Generic[V]):
    """A value that is made when it is first asked for."""

    def __init__(self, make: Callable[[], V]):
        self._make: Callable[[], V] | None = make
        self._lock = threading.Lock()

    def get(self) -> V:
        """The value; threads that ask at once wait for one of them to make it."""
        with self._lock:
            if self._make is not None:
                self._value = self._make()
                self._make = None  # what it needed can go
            return self._value


_watched: "weakref.WeakSet[Cache]" = weakref.WeakSet()  # all caches that forget
_watching = threading.Lock()


def forget_expired() -> None:
    """Let go of what has expired in any cache."""
    with _watching:
        caches = list(_watched)
    for cache in caches:
        cache.expire()


def _watch(cache: Cache) -> None:
    with _watching:
        if not any(thread.name == _WATCHER for thread in threading.enumerate()):
            threading.Thread(target=_sweep, name=_WATCHER, daemon=True).start()
        _watched.add(cache)


def _sweep() -> None:
    while True:
        time.sleep(SWEEP_SECONDS)
        forget_expired()

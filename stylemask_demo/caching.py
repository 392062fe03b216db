"""A bounded memory of what was used last, shared by threads."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Keeps the values used last: at most `count`, and of several at most `weight` together.

    `weigh` tells the weight of a value. The newest value stays however heavy it is.
    """

    def __init__(self, count: int, weight: float = float("inf"), weigh: Callable[[V], float] = lambda value: 0.0):
        self._count, self._most, self._weigh = count, weight, weigh
        self._values: OrderedDict[K, V] = OrderedDict()
        self._weight = 0.0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value of a key, or None when it is not, or no more, remembered."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: K, value: V) -> V:
        """Remembers and returns `value`, or what another thread has remembered for the key meanwhile."""
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._weight += self._weigh(value)
            self._values.move_to_end(key)
            while len(self._values) > 1 and (len(self._values) > self._count or self._weight > self._most):
                self._weight -= self._weigh(self._values.popitem(last=False)[1])
            return self._values.get(key, value)

    def find(self, key: K, make: Callable[[], V]) -> V:
        """The value of a key, made where it is not remembered; threads may make it at the same time, one value wins."""
        found = self.get(key)
        return self.put(key, make()) if found is None else found

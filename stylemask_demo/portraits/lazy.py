"""Values that are made when they are needed."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """A value that is made when it is first asked for; copies by pickle hold the value itself."""

    def __init__(self, make: Callable[[], T]):
        self._make: Callable[[], T] | None = make
        self._lock = threading.Lock()

    def get(self) -> T:
        """The value; threads that ask at once wait for one of them to make it."""
        with self._lock:
            if self._make is not None:
                self._value = self._make()
                self._make = None  # what it needed can go
            return self._value

    def __reduce__(self):
        return _made, (self.get(),)


def _made(value: T) -> Lazy[T]:
    later = Lazy(lambda: value)
    later.get()
    return later

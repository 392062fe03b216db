"""One process at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

WAIT = 0.5  # seconds between two looks whether another process has finished


@contextmanager
def locked(path: Path, progress: Callable[[int, int, str], None], waiting: str) -> Iterator[None]:
    """Hold a lock between processes in the file `path`.

    While another one has it, `progress` is told twice a second that this is `waiting`; it may raise to stop.
    Raises OSError when the file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    while True:
        try:
            lock.acquire(timeout=WAIT)
            break
        except Timeout:
            progress(0, 0, waiting)
    try:
        yield
    finally:
        lock.release()

"""Progress of a download in a terminal."""

import sys

from tqdm import tqdm


class ProgressBars:
    """A bar for each file that is fetched, and a line for each other thing that is done; closed by `with`."""

    def __init__(self) -> None:
        self._what = ""
        self._bar: tqdm | None = None

    def __enter__(self) -> "ProgressBars":
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show that `done` of `total` bytes, 0 when not known, of `what` are here."""
        if what != self._what:
            self.__exit__()
            self._what, self._bar = what, None
            if not done and not total:
                print(what, file=sys.stderr, flush=True)
                return
            self._bar = tqdm(desc=what, unit="B", unit_scale=True, initial=done)
        if self._bar is not None:
            self._bar.total = total or None
            self._bar.update(done - self._bar.n)

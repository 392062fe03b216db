"""Portraits that the generator was tuned to, for the visitors who asked for it.

The visitor's page holds only a Match, a key that nobody can guess. What it stands for, some dozens of
megabytes, is kept here: within bounds, for an hour, and used for nothing but the face that it was made of.
"""

import secrets
import threading
import time
from collections import OrderedDict
from typing import NamedTuple

MOST_BYTES = 400_000_000
OLDEST = 3600.0  # seconds, as for the files that visitors add


class Match(NamedTuple):
    """What a visitor's page holds after matching: the key of the tuned portrait, and what it is of."""

    key: str
    face: str


class _Kept(NamedTuple):
    portrait: bytes
    added: float  # seconds of a clock that never goes back


class Matches:
    """Tuned portraits as bytes; the oldest go when there are too many or an hour has passed."""

    def __init__(self, most_bytes: int = MOST_BYTES, oldest: float = OLDEST):
        self._most_bytes, self._oldest = most_bytes, oldest
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, portrait: bytes, face: str) -> Match:
        """Keeps a tuned portrait; `face` says of which face in which picture, and for which pack."""
        match = Match(secrets.token_urlsafe(16), face)
        with self._lock:
            self._kept[match.key] = _Kept(portrait, time.monotonic())
            self._tidy()
        return match

    def find(self, match: Match) -> bytes | None:
        """The tuned portrait, or None when it had to go."""
        with self._lock:
            self._tidy()
            kept = self._kept.get(match.key)
        return None if kept is None else kept.portrait

    def drop(self, match: Match | None) -> None:
        """Forgets a tuned portrait, as when its visitor has left."""
        if match is not None:
            with self._lock:
                self._kept.pop(match.key, None)

    def _tidy(self) -> None:
        now = time.monotonic()
        while self._kept:
            first = next(iter(self._kept.values()))
            total = sum(len(kept.portrait) for kept in self._kept.values())
            if total <= self._most_bytes and now - first.added <= self._oldest:
                return
            self._kept.popitem(last=False)

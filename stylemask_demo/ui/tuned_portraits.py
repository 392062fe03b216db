"""Portraits that the generator was tuned to, for the visitors who asked for it.

The visitor's page holds only a Match, a key that nobody can guess. What it stands for, some dozens of
megabytes, is kept here: within bounds, for less than an hour, and used for nothing but the face that it was made of.
"""

import secrets
from collections.abc import Callable
from typing import NamedTuple

from stylemask_demo.caching import VISITOR_SECONDS, Cache

MOST, MOST_BYTES = 64, 400_000_000


class Match(NamedTuple):
    """What a visitor's page holds after matching: the key of the tuned portrait, and what it is of."""

    key: str
    face: str


class TunedPortraits:
    """Tuned portraits as bytes; those not used for longest go when there are too many."""

    def __init__(self, most_bytes: int = MOST_BYTES, clock: Callable[[], float] | None = None):
        self._kept: Cache[str, bytes] = Cache(MOST, most_bytes, len, VISITOR_SECONDS, clock)

    def add(self, portrait: bytes, face: str) -> Match:
        """Keeps a tuned portrait; `face` says of which face in which picture, and for which pack."""
        match = Match(secrets.token_urlsafe(16), face)
        self._kept.put(match.key, portrait)
        return match

    def find(self, match: Match) -> bytes | None:
        """The tuned portrait, or None when it had to go."""
        return self._kept.get(match.key)

    def drop(self, match: Match | None) -> None:
        """Forgets a tuned portrait, as when its visitor has left."""
        if match is not None:
            self._kept.drop(match.key)

"""Who is followed through a video, known by looks."""

from collections.abc import Sequence

import numpy as np

MOST = 12  # looks that are known of a person; faces look otherwise turned, and laughing
DOUBTED = 2 / 3  # of what makes a face the person's: a face that was followed to its place is believed as far as this


class Person:
    """The looks of one person, and of others seen beside: unit vectors of an identity network.

    `alike` is the cosine from which on the network means one person.
    """

    def __init__(self, look: np.ndarray, others: Sequence[np.ndarray], alike: float):
        self._alike = alike
        self._looks, self._others = [look], list(others)[:MOST]

    def among(self, looks: Sequence[np.ndarray]) -> int | None:
        """Which of the faces of a picture is the person's, by their looks, and None where the person is not among them."""
        likeness = [self._likeness(look) for look in looks]
        if not looks or max(likeness) < self._alike:
            return None
        found = int(np.argmax(likeness))
        for number, look in enumerate(looks):
            if number != found:
                self._learn(self._others, look)
        return found

    def is_followed(self, look: np.ndarray) -> bool:
        """Whether a face that was followed to where it is now is still the person's; how it looks there is learned."""
        likeness = self._likeness(look)
        if likeness >= self._alike:
            self._learn(self._looks, look)
        return likeness >= DOUBTED * self._alike

    def _likeness(self, look: np.ndarray) -> float:
        """The cosine with the most alike look of the person, or -1 where somebody else's look is more alike."""
        own = max(np.dot(known, look) for known in self._looks)
        other = max((np.dot(known, look) for known in self._others), default=-1.0)
        return float(own) if own > other else -1.0

    def _learn(self, looks: list[np.ndarray], look: np.ndarray) -> None:
        if len(looks) < MOST and max((np.dot(known, look) for known in looks), default=-1.0) < (1 + self._alike) / 2:
            looks.append(look)

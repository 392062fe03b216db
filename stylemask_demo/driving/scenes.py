"""The source of each frame of a result: one portrait for all of them, or the person of a film, frame by frame."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice, repeat
from typing import NamedTuple

import numpy as np
from PIL import Image

from stylemask_demo.portraits.portrait import Portrait


class Scene(NamedTuple):
    """The source in one frame: the whole picture, RGB, and the portrait of its face, None where it is not seen."""

    photo: Image.Image
    portrait: Portrait | None


Scenes = Callable[[int], list[Scene]]  # the scenes of the next so many frames


def still_scenes(portrait: Portrait) -> Scenes:
    """Scenes that are all the same."""
    return lambda count: list(repeat(Scene(portrait.photo, portrait), count))


def film_scenes(
    frames: Iterable[Image.Image],
    landmarks: Callable[[Image.Image], np.ndarray | None],
    portray: Callable[[Sequence[Image.Image], Sequence[np.ndarray]], list[Portrait]],
) -> Scenes:
    """Scenes of a film with at least one frame (RGB), whose last frame stays when it is over.

    `landmarks` gives those (68, 2) of the person in the next frame, or None; `portray` the portraits of faces with such
    landmarks in pictures.
    """
    coming, last = iter(frames), list[Scene]()

    def scenes(count: int) -> list[Scene]:
        photos = list(islice(coming, count))
        places = [landmarks(photo) for photo in photos]
        seen = [(photo, place) for photo, place in zip(photos, places, strict=True) if place is not None]
        made = iter(portray(*zip(*seen, strict=True)) if seen else ())
        found = [Scene(photo, None if place is None else next(made)) for photo, place in zip(photos, places, strict=True)]
        last[:] = (last + found)[-1:]
        return found + last * (count - len(found))

    return scenes


def at_rate(frames: Iterable[Image.Image], own: Fraction | float, wanted: Fraction | float) -> Iterator[Image.Image]:
    """Frames that come `own` times a second as they are shown `wanted` times a second."""
    tick = 0
    for number, frame in enumerate(frames, start=1):
        while tick * own < number * wanted:
            yield frame
            tick += 1

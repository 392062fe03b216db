"""Results of the example faces, remembered: every first visit asks for the same ones."""

import functools
from collections.abc import Callable, Hashable
from typing import TypeVar

from PIL import Image

from stylemask_demo.caching import Cache, bytes_of
from stylemask_demo.media.pictures import content_hash
from stylemask_demo.resources import resource
from stylemask_demo.ui.compute import Computed
from stylemask_demo.ui.pictures import load_picture
from stylemask_demo.ui.subjects import Subject

EXAMPLES = resource("assets/examples")
EXAMPLE_VIDEO = EXAMPLES / "driving_1.mp4"
MOVING_PORTRAIT, STILL_PORTRAIT = EXAMPLES / "moving.webp", EXAMPLES / "source_1.webp"  # of the page's head
T = TypeVar("T")

REMEMBERED, REMEMBERED_BYTES = 64, 150_000_000  # results, at most about 6 MB each


def example_faces(role: str) -> list[str]:
    """Return the paths of the example faces for "source" or "target"."""
    return sorted(str(path) for path in EXAMPLES.glob(f"{role}_*.webp"))


def remembering_examples(function: Callable[..., Computed[T]]) -> Callable[..., Computed[T]]:
    """Return the function with its results remembered where all pictures given are example faces.

    Nothing is computed before it is asked for the first time, and of visitors' own pictures nothing is kept. On
    a Space with shared GPUs this spares each visitor's share of GPU time.
    """
    results: Cache[Hashable, Computed[T]] = Cache(REMEMBERED, REMEMBERED_BYTES, bytes_of)

    @functools.wraps(function)
    def call(*arguments: Hashable) -> Computed[T]:
        key = tuple(_key(argument) for argument in arguments)
        return function(*arguments) if None in key else results.find(key, lambda: function(*arguments))

    return call


def _key(argument: Hashable) -> Hashable:
    """Return what stands for an argument in a key; None for a face that is not to be remembered."""
    if not isinstance(argument, Subject):
        return argument
    hashes = _hashes()
    if argument.matched is not None or argument.picture.size not in {size for size, _ in hashes}:
        return None
    key = _identify(argument.picture)
    return (key, argument.face) if key in hashes else None


@functools.lru_cache(maxsize=1)
def _hashes() -> frozenset[tuple[tuple[int, int], str]]:
    paths = (path for role in ("source", "target") for path in example_faces(role))
    return frozenset(_identify(load_picture(path)) for path in paths)


def _identify(picture: Image.Image) -> tuple[tuple[int, int], str]:
    return picture.size, content_hash(picture)

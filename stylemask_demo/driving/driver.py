"""A portrait driven by the frames of a video, as they come."""

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import islice

from PIL import Image

from stylemask_demo import messages
from stylemask_demo.errors import NoFaceFound


def drive(
    frames: Iterator[Image.Image],
    follow: Callable[[Image.Image], Image.Image | None],
    make: Callable[[Sequence[Image.Image]], list[Image.Image]],
    still: Callable[[], Image.Image],
    at_once: int,
) -> Generator[Image.Image, None, None]:
    """A picture for each frame of a video (RGB).

    `follow` gives the aligned crop of the face in the next frame, or None; `make` the results of the next crops; `still`
    the result before the first face; `at_once` frames are worked on together. A frame without a face repeats the last
    result. Raises NoFaceFound at the end of a video without any face.
    """
    last, found = still(), False
    while group := list(islice(frames, at_once)):
        crops = [follow(frame) for frame in group]
        seen = [crop for crop in crops if crop is not None]
        made = iter(make(seen) if seen else ())
        for crop in crops:
            last = last if crop is None else next(made)
            yield last
        found = found or bool(seen)
    if not found:
        raise NoFaceFound(messages.NO_FACE_IN_VIDEO)

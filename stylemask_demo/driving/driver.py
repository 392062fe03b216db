"""A source driven by the frames of a film, as they come."""

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import islice

from PIL import Image, ImageOps

from stylemask_demo import messages
from stylemask_demo.driving.options import Layout
from stylemask_demo.driving.scenes import Scene, Scenes
from stylemask_demo.errors import NoFaceFound
from stylemask_demo.media.frames import beside, limited
from stylemask_demo.portraits.portrait import Portrait


def drive(
    frames: Iterator[Image.Image],
    scenes: Scenes,
    follow: Callable[[Image.Image], Image.Image | None],
    make: Callable[[Sequence[Portrait], Sequence[Image.Image]], list[Image.Image]],
    still: Callable[[Portrait], Image.Image],
    show: Callable[[Image.Image, Scene, Image.Image], Image.Image],
    side: int,
    at_once: int,
) -> Generator[Image.Image, None, None]:
    """A picture for each frame of a film (RGB).

    `follow` gives the aligned crop of the face in the next frame, or None; `make` the results of portraits that are led by
    such crops; `still` that of a portrait before the first face; `show` what is shown of a frame, its scene and its result.
    Results are `side` pixels wide, and `at_once` frames are worked on together. Where either face is not seen the last
    result is repeated. Raises NoFaceFound at the end of a film without any face, and of a source without any.
    """
    last: Image.Image | None = None
    led = shown = False
    while group := list(islice(frames, at_once)):
        who, crops = scenes(len(group)), [follow(frame) for frame in group]
        pairs = [(scene.portrait, crop) for scene, crop in zip(who, crops, strict=True)]
        work = [(portrait, crop) for portrait, crop in pairs if portrait is not None and crop is not None]
        made = iter(make(*zip(*work, strict=True)) if work else ())
        for frame, scene, (portrait, crop) in zip(group, who, pairs, strict=True):
            if portrait is not None and crop is not None:
                last = next(made)
            elif last is None and portrait is not None:
                last = still(portrait)
            yield show(frame, scene, last or ImageOps.fit(scene.photo, (side, side)))
        led, shown = led or any(crops), shown or any(portrait for portrait, _ in pairs)
    if not led:
        raise NoFaceFound(messages.NO_FACE_IN_VIDEO)
    if not shown:
        raise NoFaceFound(messages.NO_FACE_IN_SOURCE)


def shower(
    layout: Layout, into_photo: Callable[[Portrait, Image.Image], Image.Image]
) -> Callable[[Image.Image, Scene, Image.Image], Image.Image]:
    """What shows a frame, its scene and its result in a layout; `into_photo` lays a portrait's result into its photo."""
    if layout == "beside":
        return lambda frame, scene, result: beside(frame, result)
    if layout == "photo":
        return lambda frame, scene, result: limited(into_photo(scene.portrait, result) if scene.portrait else scene.photo)
    return lambda frame, scene, result: result

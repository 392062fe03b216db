"""A source driven by the frames of a film, as they come: what is read of one is drawn while the next is read."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import NamedTuple, TypeVar

from PIL import Image, ImageOps

from stylemask_demo import messages
from stylemask_demo.ahead import ahead
from stylemask_demo.driving.options import Layout
from stylemask_demo.driving.scenes import Scene, Scenes
from stylemask_demo.errors import NoFaceFound
from stylemask_demo.media.frames import beside, limited
from stylemask_demo.portraits.portrait import Portrait

Code = TypeVar("Code")


class _Frame(NamedTuple):
    """A frame, the source in it, and whether a result is made of it: where both faces are seen."""

    picture: Image.Image
    scene: Scene
    led: bool


def drive(
    frames: Iterator[Image.Image],
    scenes: Scenes,
    follow: Callable[[Image.Image], Image.Image | None],
    lead: Callable[[Sequence[Portrait], Sequence[Image.Image]], Code],
    draw: Callable[[Sequence[Portrait], Code], list[Image.Image]],
    still: Callable[[Portrait], Image.Image],
    show: Callable[[Image.Image, Scene, Image.Image], Image.Image],
    side: int,
    at_once: int,
) -> Generator[Image.Image, None, None]:
    """A picture for each frame of a film (RGB).

    `follow` gives the aligned crop of the face in the next frame, or None; `lead` the codes of portraits that are led by
    such crops, and `draw` the results of portraits and codes; `still` that of a portrait before the first face; `show` what
    is shown of a frame, its scene and its result. Results are `side` pixels wide, and `at_once` frames are worked on
    together, while the next ones are read, each in a thread of its own. Where either face is not seen the last result is
    repeated. Raises NoFaceFound at the end of a film without any face, and of a source without any.
    """
    led = shown = False

    def read() -> Generator[tuple[list[_Frame], list[Portrait], Code | None], None, None]:
        nonlocal led, shown
        while group := list(islice(frames, at_once)):
            who, crops = scenes(len(group)), [follow(frame) for frame in group]
            pairs = [(scene.portrait, crop) for scene, crop in zip(who, crops, strict=True)]
            work = [(portrait, crop) for portrait, crop in pairs if portrait is not None and crop is not None]
            sure = [portrait is not None and crop is not None for portrait, crop in pairs]
            portraits, code = [portrait for portrait, _ in work], lead(*zip(*work, strict=True)) if work else None
            led, shown = led or any(crops), shown or any(portrait for portrait, _ in pairs)
            yield [_Frame(*parts) for parts in zip(group, who, sure, strict=True)], portraits, code
        if not led:
            raise NoFaceFound(messages.NO_FACE_IN_VIDEO)
        if not shown:
            raise NoFaceFound(messages.NO_FACE_IN_SOURCE)

    def drawn() -> Generator[Image.Image, None, None]:
        last: Image.Image | None = None
        with closing(ahead(read(), shares=1)) as groups:  # on as many cores as this thread has
            for group, portraits, code in groups:
                made = iter(() if code is None else draw(portraits, code))
                for frame, scene, led in group:
                    if led:
                        last = next(made)
                    elif last is None and scene.portrait is not None:
                        last = still(scene.portrait)
                    yield show(frame, scene, last or ImageOps.fit(scene.photo, (side, side)))

    with closing(ahead(drawn(), shares=2)) as pictures:
        yield from pictures


def shower(
    layout: Layout, into_photo: Callable[[Portrait, Image.Image], Image.Image]
) -> Callable[[Image.Image, Scene, Image.Image], Image.Image]:
    """What shows a frame, its scene and its result in a layout; `into_photo` lays a portrait's result into its photo."""
    if layout == "beside":
        return lambda frame, scene, result: beside(frame, result)
    if layout == "photo":
        return lambda frame, scene, result: limited(into_photo(scene.portrait, result) if scene.portrait else scene.photo)
    return lambda frame, scene, result: result

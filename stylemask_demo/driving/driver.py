"""A source driven by the frames of a film, as they come: while one is drawn, the next is led and the one after followed."""

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

Led = TypeVar("Led")


class _Frame(NamedTuple):
    """A frame, the source in it, and the crop of the face that leads where that is seen."""

    picture: Image.Image
    scene: Scene
    crop: Image.Image | None

    @property
    def pair(self) -> tuple[Portrait, Image.Image] | None:
        """The portrait and the crop that leads it, of which a result is made: where both faces are seen."""
        portrait = self.scene.portrait
        return None if portrait is None or self.crop is None else (portrait, self.crop)


def drive(
    frames: Iterator[Image.Image],
    scenes: Scenes,
    follow: Callable[[Image.Image], Image.Image | None],
    lead: Callable[[Sequence[Portrait], Sequence[Image.Image]], Led],
    draw: Callable[[Sequence[Portrait], Led], list[Image.Image]],
    still: Callable[[Portrait], Image.Image],
    show: Callable[[Image.Image, Scene, Image.Image], Image.Image],
    side: int,
    at_once: int,
) -> Generator[Image.Image, None, None]:
    """A picture for each frame of a film (RGB).

    `follow` gives the aligned crop of the face in the next frame, or None; `lead` what such crops make of portraits, and
    `draw` the results of that; `still` that of a portrait before the first face; `show` what is shown of a frame, its
    scene and its result. Results are `side` pixels wide, and `at_once` frames are worked on together: while some are
    drawn, the next ones are led and those after them followed, each in a thread of its own. Where either face is not seen
    the last result is repeated. Raises NoFaceFound at the end of a film without any face, and of a source without any.
    """

    def followed() -> Generator[list[_Frame], None, None]:
        face = shown = False
        while pictures := list(islice(frames, at_once)):
            group = [_Frame(*both, follow(both[0])) for both in zip(pictures, scenes(len(pictures)), strict=True)]
            face = face or any(frame.crop for frame in group)
            shown = shown or any(frame.scene.portrait for frame in group)
            yield group
        if not face:
            raise NoFaceFound(messages.NO_FACE_IN_VIDEO)
        if not shown:
            raise NoFaceFound(messages.NO_FACE_IN_SOURCE)

    def led() -> Generator[tuple[list[_Frame], Sequence[Portrait], Led | None], None, None]:
        with closing(ahead(followed(), shares=1, waiting=1)) as groups:  # on as many cores as this thread has
            for group in groups:
                pairs = [frame.pair for frame in group if frame.pair]
                portraits, crops = [portrait for portrait, _ in pairs], [crop for _, crop in pairs]
                yield group, portraits, lead(portraits, crops) if pairs else None

    def drawn() -> Generator[Image.Image, None, None]:
        last: Image.Image | None = None
        with closing(ahead(led(), shares=1)) as groups:
            for group, portraits, made in groups:
                results = iter(() if made is None else draw(portraits, made))
                for frame in group:
                    portrait = frame.scene.portrait
                    if frame.pair:
                        last = next(results)
                    elif last is None and portrait is not None:
                        last = still(portrait)
                    yield show(frame.picture, frame.scene, last or ImageOps.fit(frame.scene.photo, (side, side)))

    with closing(ahead(drawn(), shares=3)) as pictures:
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

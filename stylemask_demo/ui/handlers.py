"""What happens at each event of the page: files and numbers in, what the components show out.

Nothing is kept between two calls: every function gets all that it needs from the page that called it. A
StyleMaskError becomes a message on the page, and because no output is written then, whatever was on the
screen stays there.
"""

import functools
from collections.abc import Callable

import gradio as gr
from PIL import Image

from stylemask_demo.errors import StyleMaskError
from stylemask_demo.reenactor import Reenactor
from stylemask_demo.ui import texts
from stylemask_demo.ui.compute import create_compute
from stylemask_demo.ui.drawing import draw_parameters
from stylemask_demo.ui.pictures import load_original, load_picture

STAGE_SIDE = 512  # pixels; stages are looked at small


def explained(function: Callable) -> Callable:
    """Return the function with a StyleMaskError turned into a message that the page shows to the person."""

    @functools.wraps(function)
    def call(*arguments):
        try:
            return function(*arguments)
        except StyleMaskError as error:
            raise gr.Error(str(error), title="That did not work", print_exception=False) from error

    return call


def unasked(function: Callable) -> Callable:
    """Return the handler without its messages: what nobody has asked for yet must not complain."""

    @functools.wraps(function)
    def call(*arguments):
        try:
            return function(*arguments)
        except gr.Error:
            return gr.skip()

    return call


class Handlers:
    """The functions behind the page's events, for one reenactor; see `page` for where each is used."""

    def __init__(self, reenactor: Reenactor):
        self._reenactor = reenactor
        self._compute = create_compute(reenactor)

    def status(self, milliseconds: float | None = None) -> str:
        """Return the status line as HTML."""
        return texts.status(self._reenactor, milliseconds)

    @explained
    def preview(self, source, target, method: str, strength: float):
        """Show the source before and after: (before/after pictures, status line)."""
        if source is None or target is None:
            return gr.skip()
        pair, milliseconds = self._compute.reenact(load_picture(source), load_picture(target), method, strength)
        return pair, self.status(milliseconds)

    @explained
    def reenact(self, source, target, method: str, strength: float) -> Image.Image:
        """Give the source person the target's head pose and expression: a PNG of the pack's full size.

        source, target: pictures of a face; method: one of the pack's methods, such as "stylemask" or
        "directions"; strength: 0 (the source's own pose) to 1 (the target's).
        """
        if source is None or target is None:
            raise StyleMaskError("Two pictures are needed. Add a source and a target portrait.")
        pictures = load_picture(source), load_picture(target)
        return self._compute.reenact(*pictures, method, strength).value[1]

    @explained
    def preview_edit(self, source, yaw: float, pitch: float, smile: float):
        """Show the edited source: (picture, status line)."""
        if source is None:
            return gr.skip()
        picture, milliseconds = self._compute.edit(load_picture(source), yaw, pitch, smile)
        return picture, self.status(milliseconds)

    @explained
    def edit(self, source, yaw: float, pitch: float, smile: float) -> Image.Image:
        """Turn the source's head and change its smile: a PNG of the pack's full size.

        yaw: -30..30 degrees, positive turns the face to the right of the picture; pitch: -15..15 degrees,
        positive looks up; smile: -1..1. All are changes from the source.
        """
        if source is None:
            raise StyleMaskError("A picture is needed. Add a source portrait.")
        return self._compute.edit(load_picture(source), yaw, pitch, smile).value

    @explained
    def stages(self, picture):
        """Show what becomes of a picture: (aligned crop, inversion, face parameters drawn on the crop)."""
        if picture is None:
            return gr.skip()
        crop, inversion, parameters, _ = self._compute.stages(load_picture(picture)).value
        return _small(crop), _small(inversion), draw_parameters(crop, parameters)

    @explained
    def parameters(self, picture) -> dict:
        """Measure a face: JSON with yaw, pitch, roll (degrees), expression (by name) and landmarks (68 x 2,
        pixels of the picture sent, upright).
        """
        if picture is None:
            raise StyleMaskError("A picture is needed. Send a portrait.")
        _, _, parameters, landmarks = self._compute.stages(load_original(picture)).value
        return {
            "yaw": float(parameters.yaw),
            "pitch": float(parameters.pitch),
            "roll": float(parameters.roll),
            "expression": {name: float(value) for name, value in parameters.expression.items()},
            "landmarks": [[float(x), float(y)] for x, y in landmarks],
        }

    @explained
    def random_person(self, seed: float) -> Image.Image:
        """Make up a person: a picture sampled from the pack's generator. seed: a whole number; the same seed
        gives the same person.
        """
        return self._compute.sample(int(seed)).value


def _small(picture: Image.Image) -> Image.Image:
    if picture.width <= STAGE_SIDE:
        return picture
    return picture.resize((STAGE_SIDE, STAGE_SIDE), Image.Resampling.LANCZOS)

"""What happens at the events of the card that moves the source by hand: slider values in, what it shows out."""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import gradio as gr
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.errors import StyleMaskError
from stylemask_demo.reenactor import PRESETS, SLIDERS
from stylemask_demo.ui import texts
from stylemask_demo.ui.components import Shown, Upload
from stylemask_demo.ui.error_messages import explained
from stylemask_demo.ui.examples import remembering_examples
from stylemask_demo.ui.handlers import LARGEST, Handlers
from stylemask_demo.ui.lines import SHARED_GPUS
from stylemask_demo.ui.move_card import FOLDS
from stylemask_demo.ui.move_compute import MoveCompute, Values
from stylemask_demo.ui.pictures import load_picture
from stylemask_demo.ui.preparations import Preparations
from stylemask_demo.ui.subjects import Subject
from stylemask_demo.ui.tuned_portraits import Match


class MoveHandlers:
    """The functions behind the card and `/edit`; see `move_events` for where each is used."""

    def __init__(self, compute: MoveCompute, pictures: Handlers, preparations: Preparations):
        self._compute, self._pictures, self._preparations = compute, pictures, preparations
        self._edit = remembering_examples(compute.edit)

    def preview_moving(
        self, source: Upload, into_photo: bool, source_face: float, pack: str, match: Match | None, *values: float
    ) -> Shown:
        """Show the edited source while the hand moves, which must be quick: as preview_edit, but for where the face is."""
        who, lost = self._who(source, source_face, pack, match)
        result = self._compute.preview(pack, who, self._known(pack, values), bool(into_photo))
        return result.value, gr.skip(), self._pictures.status(result, who), *lost

    def preview_edit(
        self, source: Upload, into_photo: bool, source_face: float, pack: str, match: Match | None, *values: float
    ) -> Shown:
        """Show the edited source: (picture, where the face is on it, status line, match, match line)."""
        who, lost = self._who(source, source_face, pack, match)
        result = self._edit(pack, who, self._known(pack, values), bool(into_photo), LARGEST)
        face = {"landmarks": result.value.landmarks.round(4).tolist(), "sliders": self._preparations.sliders(pack)}
        line = self._pictures.status(result, who, texts.held(result.value.held))
        return result.value.picture, json.dumps(face), line, *lost

    def learn(self, slider: str, source: Upload, source_face: float, pack: str, match: Match | None) -> None:
        """Learn how the source follows a slider, before a hand moves it.

        What is wrong with a source is told elsewhere.
        """
        if SHARED_GPUS or slider not in self._preparations.sliders(pack):
            return
        with contextlib.suppress(StyleMaskError):
            who, _ = self._who(source, source_face, pack, match)
            self._compute.learn(pack, who, slider)

    @explained
    def save(
        self, source: Upload, into_photo: bool, source_face: float, pack: str, match: Match | None, *values: float
    ) -> Image.Image:
        """Give the edited source as it is kept: a PNG of the pack's full size, or of the photo's."""
        return self._kept(source, into_photo, source_face, pack, match, self._known(pack, values))

    @explained
    def edit(
        self,
        source: Upload,
        yaw: float,
        pitch: float,
        smile: float,
        into_photo: bool,
        source_face: float,
        pack: str,
        match: Match | None,
        **others: float,
    ) -> Image.Image:
        """Turn the source's head and change its expression: a PNG of the pack's full size, or of the photo's.

        yaw: -30..30 degrees, positive turns the face to the right of the picture; pitch: -15..15 degrees,
        positive looks up; smile: -0.5..1; jaw, lips, eyes, wink_left, wink_right, brows, gaze_x, gaze_y: of the expression;
        roll: degrees; shift_x, shift_y, zoom: of the head in the picture. All are changes from the source. into_photo: put
        the face back into the photo; source_face: which face of a picture with several, 0 is the clearest; pack: name of
        the weights.
        """
        values = {"yaw": yaw, "pitch": pitch, "smile": smile, **others}
        return self._kept(source, into_photo, source_face, pack, match, _moved(values))

    def towards_preset(
        self, name: str, asked: str, source: Upload, source_face: float, pack: str, match: Match | None, *values: float
    ) -> Shown:
        """Find what leads the source to an expression that has a name: (answer, why there is none)."""
        return self._towards(asked, source, source_face, pack, match, values, tuple(PRESETS[name].items()), 1.0)

    def towards_sample(
        self,
        sample: Upload,
        ratio: float,
        asked: str,
        source: Upload,
        source_face: float,
        pack: str,
        match: Match | None,
        *values: float,
    ) -> Shown:
        """Find what leads the source to the expression of a sample: (answer, why there is none)."""
        return self._towards(asked, source, source_face, pack, match, values, sample, float(ratio))

    @explained
    def sliders(self, pack: str, shown: str) -> Shown:
        """Show how far the sliders of a pack are: (pack whose sliders are ready, line, button, clock, moved picture, two
        choices of methods, sliders, folds, what else is of use then).

        shown: the pack whose sliders are ready as far as the page knows.
        """
        state = self._preparations.of(pack)
        if state.ready and shown == pack:
            return gr.skip()
        working = state.progress is not None
        line = gr.update(value=texts.preparation(state.progress, state.error), visible=not state.ready)
        clock = gr.Timer(active=working)
        methods = gr.update(choices=texts.method_choices(self._preparations.methods(pack)))
        picture = gr.skip() if state.ready else None
        usable = gr.update(interactive=state.ready)
        button = gr.update(visible=not state.ready and not working)
        name = pack if state.ready else ""
        known = self._preparations.sliders(pack)
        sliders = [_slider(name in known, state.ready) for name in SLIDERS]
        folds = [gr.update(visible=any(SLIDERS[name].group == group for name in known)) for group in FOLDS]
        return name, line, button, clock, picture, methods, methods, *sliders, *folds, *[usable] * USABLE

    @explained
    def prepare(self, pack: str, shown: str) -> Shown:
        """Begin to prepare the sliders, and show it as `sliders` does."""
        self._preparations.start(pack)
        return self.sliders(pack, shown)

    def _who(self, source: Upload, source_face: float, pack: str, match: Match | None) -> tuple[Subject, tuple[Any, ...]]:
        """Whom the sliders move, and what is to be shown where the match is lost; see `Handlers.source`."""
        if source is None:
            raise StyleMaskError(messages.SOURCE_NEEDED)
        if not self._preparations.of(pack).ready:
            raise StyleMaskError(messages.SLIDERS_NOT_READY)
        return self._pictures.source(load_picture(source), source_face, pack, match)

    def _kept(
        self, source: Upload, into_photo: bool, source_face: float, pack: str, match: Match | None, values: Values
    ) -> Image.Image:
        if source is None:
            raise StyleMaskError(messages.SOURCE_NEEDED)
        who = self._pictures.source_to_keep(source, into_photo, source_face, pack, match)
        return self._edit(pack, who, values, bool(into_photo), LARGEST).value.picture

    @explained
    def _towards(
        self,
        asked: str,
        source: Upload,
        source_face: float,
        pack: str,
        match: Match | None,
        values: tuple[float, ...],
        like: Upload | Values,
        ratio: float,
    ) -> Shown:
        try:
            if source is None:
                raise StyleMaskError(messages.SOURCE_NEEDED)
            if like is None:
                raise StyleMaskError(messages.SAMPLE_NEEDED)
            who, _ = self._pictures.source(load_picture(source), source_face, pack, match)
            how = like if isinstance(like, tuple) else Subject(load_picture(like))
            moved = self._compute.towards(pack, who, how, ratio).value
        except StyleMaskError as error:
            return None, texts.refusal(error.message)
        now = dict(zip(SLIDERS, values, strict=True))
        return {"asked": asked, "values": list({**now, **moved}.values())}, ""

    def _known(self, pack: str, values: tuple[float, ...]) -> Values:
        """The values of sliders that a pack can do: others may come with settings of another pack."""
        known = self._preparations.sliders(pack)
        return _moved({name: value for name, value in zip(SLIDERS, values, strict=True) if name in known})


USABLE = len(PRESETS) + 8  # parts of the card besides sliders that wait until these are ready


def _moved(values: Mapping[str, float]) -> Values:
    return tuple((name, float(value)) for name, value in values.items() if value)


def _slider(known: bool, ready: bool) -> Shown:
    return gr.update(interactive=ready, visible=True) if known else gr.update(value=0, visible=False)

"""What happens at each event of the page: files and numbers in, what the components show out.

Nothing is kept between two calls but what bounded caches hold: every function gets all that it needs from the
page that called it, the name of the pack too. A StyleMaskError becomes a message on the page, and because no
output is written then, whatever was on the screen stays there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.errors import StyleMaskError
from stylemask_demo.media.pictures import content_hash
from stylemask_demo.media.playback import is_shown, shown_copy
from stylemask_demo.reenactor import Region
from stylemask_demo.ui import texts
from stylemask_demo.ui.components import Shown, Upload
from stylemask_demo.ui.compute import Compute, Computed, Stages
from stylemask_demo.ui.drawing import draw_parameters
from stylemask_demo.ui.error_messages import explained
from stylemask_demo.ui.examples import remembering_examples
from stylemask_demo.ui.pictures import face_chooser, load_original, load_picture
from stylemask_demo.ui.subjects import Subject
from stylemask_demo.ui.tuned_portraits import Match, TunedPortraits

STAGE_SIDE = 512  # pixels; stages are looked at small
LARGEST = 1024  # pixels a side of results, where the photo shows the face so large


class Handlers:
    """The functions behind the page's quick events; see `events` for where each is used."""

    def __init__(self, compute: Compute, tuned: TunedPortraits):
        self._compute = compute
        self._tuned = tuned
        self._reenact = remembering_examples(compute.reenact)
        self._stages = remembering_examples(compute.stages)

    def preview(
        self,
        source: Upload,
        target: Upload,
        method: str,
        strength: float,
        into_photo: bool,
        source_face: float,
        target_face: float,
        pack: str,
        match: Match | None,
        region: Region = "all",
    ) -> Shown:
        """Show the source before and after: (before/after pictures, status line, match, match line)."""
        if source is None or target is None:
            raise StyleMaskError(messages.TWO_PICTURES_NEEDED)
        who, lost = self.source(load_picture(source), source_face, pack, match)
        how = Subject(load_picture(target), _index(target_face))
        result = self._reenact(pack, who, how, method, float(strength), bool(into_photo), LARGEST, region)
        return result.value, self.status(result, who), *lost

    @explained
    def reenact(
        self,
        source: Upload,
        target: Upload,
        method: str,
        strength: float,
        into_photo: bool,
        source_face: float,
        target_face: float,
        pack: str,
        match: Match | None,
        region: Region = "all",
    ) -> Image.Image:
        """Give the source person the target's head pose and expression: a PNG of the pack's full size, or of the
        photo's.

        source, target: pictures of a face; method: one of the pack's methods: "stylemask", "directions" or
        "motion"; strength: 0 (the source's own pose) to 1 (the target's); into_photo: put the face back into the
        source's photo; source_face, target_face: which face of a picture with several, 0 is the clearest; pack:
        name of the weights; region: what follows, "all", "pose", "expression", "lips" or "eyes".
        """
        if source is None or target is None:
            raise StyleMaskError(messages.TWO_PICTURES_NEEDED)
        who = self.source_to_keep(source, into_photo, source_face, pack, match)
        how = Subject(load_picture(target), _index(target_face))
        return self._reenact(pack, who, how, method, float(strength), bool(into_photo), LARGEST, region).value[1]

    def preview_stages(self, picture: Upload, face: float, pack: str) -> Shown:
        """Show what becomes of a face in a picture: (the picture's faces to choose from, three stages)."""
        if picture is None:
            raise StyleMaskError(messages.SOURCE_NEEDED)
        stages = self._stages(pack, Subject(load_picture(picture), _index(face))).value
        return face_chooser(stages.choice, _index(face)), *_drawn(stages)

    @explained
    def shown_picture(self, picture: Upload) -> Shown:
        """Show a picture that was added where browsers do not: (a copy that they show)."""
        if picture is None or is_shown(picture):
            return gr.skip()
        name = Path(picture).stem if isinstance(picture, str) else "picture"
        return save_bytes_to_cache(shown_copy(load_original(picture)), f"{name}.png", gr.utils.get_upload_folder())

    @explained
    def stages(self, picture: Upload, face: float, pack: str) -> Shown:
        """Show what becomes of a picture: (aligned crop, inversion, face parameters drawn on the crop).

        face: which face of a picture with several, 0 is the clearest; pack: name of the weights.
        """
        if picture is None:
            raise StyleMaskError(messages.PICTURE_NEEDED)
        return _drawn(self._stages(pack, Subject(load_picture(picture), _index(face))).value)

    @explained
    def parameters(self, picture: Upload, face: float, pack: str) -> dict[str, Any]:
        """Measure a face: JSON with yaw, pitch, roll (degrees), expression (by name) and landmarks (68 x 2,
        pixels of the picture sent, upright), and the boxes of all faces.

        face: which face of a picture with several, 0 is the clearest; pack: name of the weights.
        """
        if picture is None:
            raise StyleMaskError(messages.PICTURE_NEEDED)
        stages = self._stages(pack, Subject(load_original(picture), _index(face))).value
        measured = stages.parameters
        return {
            "yaw": float(measured.yaw),
            "pitch": float(measured.pitch),
            "roll": float(measured.roll),
            "expression": {name: float(value) for name, value in measured.expression.items()},
            "landmarks": [[float(x), float(y)] for x, y in stages.landmarks_in_photo],
            "faces": [list(box) for box in stages.faces],
        }

    @explained
    def random_person(
        self, seed: float | None, pack: str, like: float | None = None, truncation: float | None = None
    ) -> Image.Image:
        """Make up a person: a picture sampled from the pack's generator. seed: a whole number; the same seed gives the same
        person. pack: name of the weights. like: seed of another random person whose head pose and expression the person
        takes. truncation: 0 (the mean face) to 1 (as odd as they come).
        """
        return self._compute.sample(pack, int(seed or 0), None if like is None else int(like), truncation).value

    def source(
        self, picture: Image.Image, face: float | None, pack: str, match: Match | None
    ) -> tuple[Subject, tuple[Any, Any]]:
        """Return the source, with the portrait tuned to it if there is one, and what to write into match and
        match line: nothing, or that the tuned portrait is gone.
        """
        if match is None or match.face != face_key(picture, face, pack):
            return Subject(picture, _index(face)), (gr.skip(), gr.skip())
        portrait = self._tuned.find(match)
        if portrait is None:
            return Subject(picture, _index(face)), (None, texts.MATCH_GONE)
        return Subject(picture, _index(face), portrait), (gr.skip(), gr.skip())

    def source_to_keep(
        self, source: str | bytes, into_photo: bool, face: float | None, pack: str, match: Match | None
    ) -> Subject:
        """Return the source of a result that is kept: a whole photo keeps its own size."""
        who, _ = self.source(load_picture(source), face, pack, match)
        return who._replace(picture=load_original(source)) if into_photo else who

    @staticmethod
    def status(result: Computed[Any], who: Subject, more: Sequence[tuple[str, str]] = ()) -> str:
        """Return the status line of a result; see `texts.status`."""
        return texts.status(result.facts, result.milliseconds, who.matched is not None, more)


def face_key(picture: Image.Image, face: float | None, pack: str) -> str:
    """Return what tells one face in one picture, as seen by one pack, from all others."""
    return f"{pack} {content_hash(picture)} {_index(face)}"


def _index(face: float | None) -> int:
    return int(face or 0)


def _drawn(stages: Stages) -> tuple[Image.Image, Image.Image, Image.Image]:
    return _small(stages.crop), _small(stages.inversion), draw_parameters(stages.crop, stages.parameters)


def _small(picture: Image.Image) -> Image.Image:
    if picture.width <= STAGE_SIDE:
        return picture
    return picture.resize((STAGE_SIDE, STAGE_SIDE), Image.Resampling.LANCZOS)

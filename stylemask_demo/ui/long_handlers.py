"""What happens at the events that take a while: matching a person, driving by a video, fetching weights.

All are generators: each step shows how far the work is, and a visitor or a program that cancels or leaves ends it.
Programs get the end only, and nothing until then.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.errors import StyleMaskError, UnreadableMedia
from stylemask_demo.media.playback import is_played, write_played
from stylemask_demo.packs import download_pack
from stylemask_demo.reenactor import STEPS, Region
from stylemask_demo.ui import texts
from stylemask_demo.ui.components import Shown, Upload
from stylemask_demo.ui.compute import Compute, Computed
from stylemask_demo.ui.error_messages import explained
from stylemask_demo.ui.handlers import face_key
from stylemask_demo.ui.long_work import HIDDEN, SHOWN
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.pictures import face_chooser, first_frame, load_picture, thumbnails
from stylemask_demo.ui.progress import Finished, Progress, stream
from stylemask_demo.ui.subjects import Subject
from stylemask_demo.ui.tuned_portraits import Match, TunedPortraits

RESULT_NAME = "reenacted.mp4"


class LongHandlers:
    """The functions behind the page's slow events; see `events` for where each is used."""

    def __init__(self, registry: PackRegistry, compute: Compute, tuned: TunedPortraits):
        self._registry = registry
        self._compute = compute
        self._tuned = tuned

    @explained
    def match(self, source: Upload, face: float, pack: str) -> Iterator[Shown]:
        """Tune the generator to the source: yields (match, match line, match button, cancel button)."""
        if source is None:
            raise StyleMaskError(messages.SOURCE_NEEDED)
        yield None, texts.progress("Getting ready"), gr.skip(), gr.skip()
        for item in self._matched(source, STEPS, face, pack):
            if isinstance(item, Progress):
                yield gr.skip(), texts.progress("Matching, step", item.done, item.total), gr.skip(), gr.skip()
            else:
                yield item[0], texts.MATCHED, SHOWN, HIDDEN

    @explained
    def tune(self, source: Upload, steps: float, face: float, pack: str) -> Iterator[Shown]:
        """Tune the generator to the source, which takes a while: a PNG of what it makes of the face then.

        The calls of the same client that follow use it for the same picture. steps: how long it is tuned, 1..500; face:
        which face of a picture with several, 0 is the clearest; pack: name of the weights.
        """
        if source is None:
            raise StyleMaskError(messages.PICTURE_NEEDED)
        yield None, gr.skip()  # at once: what Gradio has not got yet it cannot end
        for item in self._matched(source, int(steps), face, pack):
            yield (None, gr.skip()) if isinstance(item, Progress) else item[::-1]

    def _matched(
        self, source: str | bytes, steps: int, face: float | None, pack: str
    ) -> Iterator[Progress | tuple[Match, Image.Image]]:
        who = Subject(load_picture(source), int(face or 0))
        for item in self._compute.match(pack, who, steps):
            if isinstance(item, Computed):
                portrait, inversion = item.value
                yield self._tuned.add(portrait, face_key(who.picture, face, pack)), inversion
            else:
                yield item

    @explained
    def new_video(self, video: str | None, pack: str) -> Shown:
        """Show a video that was added: (a copy where browsers do not play it, faces of its first frame, chosen face)."""
        if video is None:
            return gr.skip(), face_chooser([]), 0
        try:
            if not is_played(video):
                copy = (
                    Path(tempfile.mkdtemp(prefix="played-", dir=gr.utils.get_upload_folder())) / f"{Path(video).stem}.mp4"
                )
                write_played(copy, video)
                return str(copy), gr.skip(), gr.skip()  # as a new video it comes here again
            frame = first_frame(video)
        except UnreadableMedia:  # the card says so where a video is added
            return gr.skip(), face_chooser([]), 0
        return gr.skip(), face_chooser(thumbnails(frame, self._compute.faces(pack, frame).value)), 0

    @explained
    def drive(
        self,
        source: Upload,
        video: str | None,
        method: str,
        strength: float,
        source_face: float,
        pack: str,
        match: Match | None,
        video_face: float,
        region: Region = "all",
    ) -> Iterator[Shown]:
        """Let a video drive the source: yields (path, progress line, status line, start button, cancel button)."""
        keep = gr.skip()
        yield keep, texts.progress("Getting ready"), keep, keep, keep
        for item in self._driven(source, video, method, strength, source_face, pack, match, video_face, region):
            if isinstance(item, Progress):
                yield keep, texts.progress("Making frame", item.done, item.total), keep, keep, keep
            else:
                result, path = item
                yield path, "", texts.status(result.facts, result.milliseconds), SHOWN, HIDDEN

    @explained
    def driven_video(
        self,
        source: Upload,
        video: str | None,
        method: str,
        strength: float,
        source_face: float,
        pack: str,
        match: Match | None,
        video_face: float,
        region: Region = "all",
    ) -> Iterator[str | None]:
        """Let a video drive the source, which takes a while: an MP4.

        source: a picture of a face; video: at most 60 seconds and 50 MB; video_face: which face of its first frame is
        followed, 0 is the clearest; method, strength, source_face, pack and region: as for /reenact.
        """
        yield None  # at once: what Gradio has not got yet it cannot end
        for item in self._driven(source, video, method, strength, source_face, pack, match, video_face, region):
            yield None if isinstance(item, Progress) else item[1]

    def _driven(
        self,
        source: Upload,
        video: str | None,
        method: str,
        strength: float,
        face: float | None,
        pack: str,
        match: Match | None,
        video_face: float | None,
        region: Region,
    ) -> Iterator[Progress | tuple[Computed[None], str]]:
        if source is None or video is None:
            raise StyleMaskError(messages.VIDEO_NEEDED)
        who = Subject(load_picture(source), int(face or 0))
        if match is not None and match.face == face_key(who.picture, face, pack):
            who = who._replace(matched=self._tuned.find(match))
        folder = Path(tempfile.mkdtemp(prefix="video-", dir=gr.utils.get_upload_folder()))
        path = folder / RESULT_NAME
        try:
            steered = method, float(strength), int(video_face or 0), region
            for item in self._compute.drive(pack, who, video, str(path), *steered):
                yield (item, str(path)) if isinstance(item, Computed) else item
        except BaseException:  # an error, or the visitor has left: what is there of the video is of no use
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @explained
    def choose_pack(self, chosen: str, pack: str) -> Shown:
        """Take up other weights: (pack, pack details, download button, methods, methods, match, match line, status
        line); weights that are not here yet are only described."""
        info = self._registry.info(chosen)
        details = texts.pack_details(info)
        if not info.installed:
            keep = gr.skip()
            return pack, details, gr.update(visible=True), keep, keep, keep, keep, keep
        facts = self._compute.describe(chosen).facts
        methods = gr.update(choices=texts.method_choices(facts.methods), value=facts.methods[0])
        return chosen, details, HIDDEN, methods, methods, None, "", texts.status(facts)

    @explained
    def download(self, chosen: str) -> Iterator[Shown]:
        """Fetch weights: yields (progress line, download button, cancel button)."""
        yield texts.progress("Getting ready"), gr.skip(), gr.skip()
        for item in stream(lambda report: download_pack(chosen, progress=report)):
            if isinstance(item, Finished):
                yield "", HIDDEN, HIDDEN
            else:
                yield texts.download_progress(item.what, item.done, item.total), gr.skip(), gr.skip()

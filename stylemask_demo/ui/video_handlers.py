"""What happens when a video drives the source: see `long_handlers` for what takes long besides."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr

from stylemask_demo import messages
from stylemask_demo.errors import StyleMaskError, UnreadableMedia
from stylemask_demo.media.playback import is_played, write_played
from stylemask_demo.media.videos import note_on_sound
from stylemask_demo.reenactor import Crop, Driving, Layout, Motion, Region
from stylemask_demo.ui import texts
from stylemask_demo.ui.components import Shown, Upload
from stylemask_demo.ui.compute import Compute, Computed
from stylemask_demo.ui.error_messages import explained
from stylemask_demo.ui.handlers import face_key
from stylemask_demo.ui.long_work import HIDDEN, SHOWN
from stylemask_demo.ui.pictures import face_chooser, first_frames, load_picture, thumbnails
from stylemask_demo.ui.progress import Progress
from stylemask_demo.ui.subjects import Subject
from stylemask_demo.ui.tuned_portraits import Match, TunedPortraits

RESULT_NAME = "reenacted"
HIDDEN_PREVIEW = gr.update(value=None, visible=False)


class VideoHandlers:
    """The functions behind the card for videos; see `video_events` for where each is used."""

    def __init__(self, compute: Compute, tuned: TunedPortraits):
        self._compute = compute
        self._tuned = tuned

    @explained
    def new_video(self, video: str | None, pack: str) -> Shown:
        """Show a video that was added: (a copy where browsers do not play it, the first faces in it, chosen face)."""
        if video is None:
            return gr.skip(), face_chooser([]), 0
        try:
            if (copy := _played(video)) is not None:
                return copy, gr.skip(), gr.skip()  # as a new video it comes here again
            for frame in first_frames(video):
                if boxes := self._compute.faces(pack, frame).value:
                    return gr.skip(), face_chooser(thumbnails(frame, boxes)), 0
        except UnreadableMedia:  # the card says so where a video is added
            pass
        return gr.skip(), face_chooser([]), 0

    @explained
    def new_film(self, film: str | None) -> Shown:
        """Show a video of the source that was added: (a copy where browsers do not play it)."""
        try:
            return gr.skip() if film is None else _played(film) or gr.skip()
        except UnreadableMedia:  # the card says so where a video is added
            return gr.skip()

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
        motion: Motion = "absolute",
        smoothing: float = 1.0,
        crop: Crop = "follows",
        layout: Layout = "plain",
        format: str = "mp4",
        source_film: str | None = None,
    ) -> Iterator[Shown]:
        """Let a video drive the source: yields (path, preview, progress line, status line, start button, cancel button)."""
        keep = gr.skip()
        yield keep, HIDDEN_PREVIEW, texts.progress("Getting ready"), keep, keep, keep
        how = Driving(method, strength, region, int(video_face or 0), motion, smoothing, crop, layout)
        clock = _Clock()
        for item in self._driven(source, source_film, video, how, source_face, pack, match, format):
            if isinstance(item, Progress):
                preview = keep if item.picture is None else gr.update(value=item.picture, visible=True)
                line = texts.progress("Making frame", item.done, item.total, clock.left(item.done, item.total))
                yield keep, preview, line, keep, keep, keep
            else:
                result, path = item
                note = texts.note(note_on_sound(path, str(video)))
                yield path, HIDDEN_PREVIEW, note, texts.status(result.facts, result.milliseconds), SHOWN, HIDDEN

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
        motion: Motion = "absolute",
        smoothing: float = 1.0,
        crop: Crop = "follows",
        layout: Layout = "plain",
        format: str = "mp4",
        source_film: str | None = None,
    ) -> Iterator[str | None]:
        """Let a video drive the source, which takes a while: an MP4, WebM or GIF.

        source: a picture of a face; video: at most 60 seconds and 50 MB; video_face: which face of its first frame is
        followed, 0 is the clearest; strength: 0 to 1.5; method, source_face, pack and region: as for /reenact; motion:
        "absolute", or "relative" to the video's first frame; smoothing: 0 to 4; crop: "follows" the face in the video or
        "stays"; layout: "plain", "beside" the video, or back in the source's "photo"; format: "mp4", "webm" or "gif";
        source_film: a video of the person, in place of the source.
        """
        yield None  # at once: what Gradio has not got yet it cannot end
        how = Driving(method, strength, region, int(video_face or 0), motion, smoothing, crop, layout)
        for item in self._driven(source, source_film, video, how, source_face, pack, match, format):
            yield None if isinstance(item, Progress) else item[1]

    def _driven(
        self,
        source: Upload,
        film: str | None,
        video: str | None,
        how: Driving,
        face: float | None,
        pack: str,
        match: Match | None,
        kind: str,
    ) -> Iterator[Progress | tuple[Computed[None], str]]:
        if (source is None and film is None) or video is None:
            raise StyleMaskError(messages.VIDEO_NEEDED)
        who = film if film is not None else self._source(source, face, pack, match)
        folder = Path(tempfile.mkdtemp(prefix="video-", dir=gr.utils.get_upload_folder()))
        path = str(folder / f"{RESULT_NAME}.{kind}")
        try:
            for item in self._compute.drive(pack, who, video, path, how):
                yield (item, path) if isinstance(item, Computed) else item
        except BaseException:  # an error, or the visitor has left: what is there of the video is of no use
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _source(self, source: Upload, face: float | None, pack: str, match: Match | None) -> Subject:
        assert source is not None
        who = Subject(load_picture(source), int(face or 0))
        if match is not None and match.face == face_key(who.picture, face, pack):
            return who._replace(matched=self._tuned.find(match))
        return who


class _Clock:
    """Tells how long work that has begun will take, by how long each step took so far, but for the first."""

    def __init__(self) -> None:
        self._begun: tuple[float, int] | None = None  # when the first steps were done, and how many

    def left(self, done: int, total: int) -> float | None:
        """Seconds until all steps are done, None while nobody knows."""
        now = time.monotonic()
        if self._begun is None and done:
            self._begun = now, done
        if self._begun is None or done <= self._begun[1]:
            return None
        began, before = self._begun
        return (now - began) / (done - before) * (total - done)


def _played(video: str) -> str | None:
    """A copy of a video that browsers play, None where they play it as it is. Raises UnreadableMedia."""
    if is_played(video):
        return None
    folder = Path(tempfile.mkdtemp(prefix="played-", dir=gr.utils.get_upload_folder()))
    copy = folder / f"{Path(video).stem}.mp4"
    write_played(copy, video)
    return str(copy)

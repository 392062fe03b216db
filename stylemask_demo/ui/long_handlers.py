"""What happens at the events that take a while: matching a person, fetching weights; see `video_handlers` for videos.

All are generators: each step shows how far the work is, and a visitor or a program that cancels or leaves ends it.
Programs get the end only, and nothing until then.
"""

import threading
from collections.abc import Iterator

import gradio as gr
from gradio.context import LocalContext
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.errors import StyleMaskError
from stylemask_demo.host_settings import HostSettings
from stylemask_demo.packs import download_pack
from stylemask_demo.reenactor import STEPS
from stylemask_demo.ui import texts
from stylemask_demo.ui.components import Shown, Upload
from stylemask_demo.ui.compute import Compute, Computed
from stylemask_demo.ui.error_messages import explained
from stylemask_demo.ui.handlers import face_key
from stylemask_demo.ui.long_work import HIDDEN, SHOWN
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.pictures import load_picture
from stylemask_demo.ui.progress import Finished, Progress, stream
from stylemask_demo.ui.subjects import Subject
from stylemask_demo.ui.tuned_portraits import Match, TunedPortraits

DOWNLOADING = threading.BoundedSemaphore(1)  # held by a download until it has really stopped, after its visitor has left


class LongHandlers:
    """The functions behind the page's slow events; see `events` for where each is used."""

    def __init__(self, registry: PackRegistry, compute: Compute, tuned: TunedPortraits, settings: HostSettings):
        self._registry = registry
        self._compute = compute
        self._tuned = tuned
        self._settings = settings

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
    def choose_pack(self, chosen: str, pack: str) -> Shown:
        """Take up other weights: (pack, pack details, download button, methods, methods, match, match line, status
        line); weights that are not here yet are only described."""
        info = self._registry.info(chosen)
        details = texts.pack_details(info)
        if not info.installed:
            keep = gr.skip()
            return pack, details, gr.update(visible=self._may_download()), keep, keep, keep, keep, keep
        facts = self._compute.describe(chosen).facts
        methods = gr.update(choices=texts.method_choices(facts.methods), value=facts.methods[0])
        return chosen, details, HIDDEN, methods, methods, None, "", texts.status(facts)

    @explained
    def download(self, chosen: str) -> Iterator[Shown]:
        """Fetch weights: yields (progress line, download button, cancel button)."""
        if not self._may_download():
            raise StyleMaskError(messages.DOWNLOADS_OFF)
        yield texts.progress("Getting ready"), gr.skip(), gr.skip()
        for item in stream(lambda report: download_pack(chosen, progress=report), DOWNLOADING):
            if isinstance(item, Finished):
                yield "", HIDDEN, HIDDEN
            else:
                yield texts.download_progress(item.what or "Getting ready", item.done, item.total), gr.skip(), gr.skip()

    def _may_download(self) -> bool:
        """Whether who asks may start a download, by what the host says and where the page listens."""
        page = LocalContext.blocks.get(None)
        address = str(getattr(page, "server_name", None) or "")
        return self._settings.visitors_may_download(address, shared=bool(getattr(page, "share", False)))

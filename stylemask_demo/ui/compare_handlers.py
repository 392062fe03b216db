"""What happens at the events of the card of comparisons: files and choices in, what its parts show out."""

from collections.abc import Iterator, Sequence

from stylemask_demo import messages
from stylemask_demo.errors import StyleMaskError
from stylemask_demo.ui import texts
from stylemask_demo.ui.compare_compute import CompareCompute
from stylemask_demo.ui.components import Shown, Upload
from stylemask_demo.ui.compute import Computed
from stylemask_demo.ui.error_messages import explained
from stylemask_demo.ui.examples import remembering_examples
from stylemask_demo.ui.handlers import face_key
from stylemask_demo.ui.pictures import load_picture
from stylemask_demo.ui.progress import Progress
from stylemask_demo.ui.subjects import Subject
from stylemask_demo.ui.tuned_portraits import Match, TunedPortraits


class CompareHandlers:
    """The functions behind the card of comparisons; see `compare_events` for where each is used."""

    def __init__(self, compute: CompareCompute, tuned: TunedPortraits):
        self._tuned, self._grid = tuned, compute.grid
        self._methods, self._strip = remembering_examples(compute.methods), remembering_examples(compute.strip)

    def preview(
        self,
        kind: str,
        slider: str,
        source: Upload,
        target: Upload,
        source_face: float,
        target_face: float,
        pack: str,
        match: Match | None,
    ) -> Shown:
        """Show a comparison of the page's people: (picture, status line)."""
        if kind == "grid":
            raise StyleMaskError(messages.GRID_TO_MAKE)
        if source is None or (target is None and kind == "methods"):
            raise StyleMaskError(messages.SOURCE_NEEDED if kind == "strip" else messages.TWO_PICTURES_NEEDED)
        who = self._subject(source, source_face, pack, match)
        if kind == "strip":
            return shown(self._strip(pack, who, slider))
        assert target is not None
        return shown(self._methods(pack, who, Subject(load_picture(target), int(target_face or 0))))

    @explained
    def grid(self, sources: Sequence[str], targets: Sequence[str], pack: str, method: str) -> Iterator[Progress | Computed]:
        """Yield Progress of a grid, then the Computed bytes of its PNG."""
        yield Progress()  # at once: what Gradio has not got yet it cannot end
        who, how = ([load_picture(path) for path in paths] for paths in (sources, targets))
        yield from self._grid(pack, who, how, method)

    @explained
    def compared(
        self,
        source: Upload,
        target: Upload,
        source_face: float,
        target_face: float,
        pack: str,
        match: Match | None,
    ) -> bytes:
        """Show source, target, and the result of every method beside each other: a PNG.

        source_face, target_face: which face of a picture with several, 0 is the clearest; pack: name of the weights.
        """
        return self.preview("methods", "", source, target, source_face, target_face, pack, match)[0]

    @explained
    def strip(self, source: Upload, slider: str, source_face: float, pack: str, match: Match | None) -> bytes:
        """Move the source from one end of a slider to the other and back: an animated GIF.

        slider: "yaw", "pitch" or "smile"; source_face: which face of a picture with several, 0 is the clearest; pack: name
        of the weights.
        """
        return self.preview("strip", slider, source, None, source_face, 0, pack, match)[0]

    @explained
    def whole_grid(self, sources: Sequence[str], targets: Sequence[str], method: str, pack: str) -> Iterator[bytes | None]:
        """Give every source the pose and expression of every target: a PNG with sources at the left and targets above.

        sources, targets: one to five pictures each; method: as for /reenact; pack: name of the weights.
        """
        for item in self.grid(sources, targets, pack, method):
            yield None if isinstance(item, Progress) else item.value

    def _subject(self, source: str | bytes, face: float | None, pack: str, match: Match | None) -> Subject:
        who = Subject(load_picture(source), int(face or 0))
        if match is None or match.face != face_key(who.picture, face, pack):
            return who
        return who._replace(matched=self._tuned.find(match))


def shown(made: Computed[bytes]) -> Shown:
    """What the card and the status line show of a comparison."""
    return made.value, texts.status(made.facts, made.milliseconds)

"""The work on the accelerator for a source that a camera moves; see `accelerator`."""

from collections.abc import Callable
from typing import NamedTuple

from PIL import Image

from stylemask_demo import Portrait
from stylemask_demo.live import LiveFace, live_picture
from stylemask_demo.ui.accelerator import accelerated
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.subjects import Subject, portrait_of


class CameraCompute(NamedTuple):
    """The functions that need the accelerator; the first argument of each is the name of the pack."""

    portray: Callable[[str, Subject], Portrait]
    follow: Callable[[str, Portrait, Image.Image, LiveFace], tuple[Image.Image | None, LiveFace]]


def create_camera_compute(registry: PackRegistry) -> CameraCompute:
    """Return the accelerator's functions over a registry of packs."""

    @accelerated(registry, seconds=10)
    def portray(pack: str, source: Subject) -> Portrait:
        """Return the portrait of the source, once for all frames."""
        return portrait_of(registry.get(pack), source, "source")

    @accelerated(registry, seconds=5)
    def follow(pack: str, source: Portrait, frame: Image.Image, face: LiveFace) -> tuple[Image.Image | None, LiveFace]:
        """Return what `live_picture` makes of a frame, and what is known of the face by then."""
        return live_picture(registry.get(pack), source, frame, face), face

    return CameraCompute(portray, follow)

"""What happens at all events of the page, together: each card's functions under its name."""

from dataclasses import dataclass

from stylemask_demo.ui.camera_handlers import CameraHandlers
from stylemask_demo.ui.compare_handlers import CompareHandlers
from stylemask_demo.ui.handlers import Handlers
from stylemask_demo.ui.long_handlers import LongHandlers
from stylemask_demo.ui.move_handlers import MoveHandlers
from stylemask_demo.ui.video_handlers import VideoHandlers


@dataclass(frozen=True)
class PageHandlers:
    """The functions behind the page's events; see `events` for where each is used."""

    pictures: Handlers
    long: LongHandlers
    move: MoveHandlers
    video: VideoHandlers
    camera: CameraHandlers
    compare: CompareHandlers

"""The page as a whole."""

from typing import NamedTuple

import gradio as gr

from stylemask_demo.host_settings import HostSettings
from stylemask_demo.media.provenance import check_host
from stylemask_demo.ui import texts
from stylemask_demo.ui.camera_compute import create_camera_compute
from stylemask_demo.ui.camera_handlers import CameraHandlers
from stylemask_demo.ui.compare_compute import create_compare_compute
from stylemask_demo.ui.compare_handlers import CompareHandlers
from stylemask_demo.ui.components import DropZone, VideoZone
from stylemask_demo.ui.compute import create_compute, facts_of
from stylemask_demo.ui.events import connect
from stylemask_demo.ui.examples import EXAMPLES
from stylemask_demo.ui.gate import GatedBlocks
from stylemask_demo.ui.handlers import Handlers
from stylemask_demo.ui.layout import lay_out
from stylemask_demo.ui.leftovers import own_folder
from stylemask_demo.ui.long_handlers import LongHandlers
from stylemask_demo.ui.move_compute import create_move_compute
from stylemask_demo.ui.move_handlers import MoveHandlers
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.page_handlers import PageHandlers
from stylemask_demo.ui.preparations import Preparations
from stylemask_demo.ui.tuned_portraits import TunedPortraits
from stylemask_demo.ui.video_handlers import VideoHandlers

CACHE_CHECKED, CACHE_AGE = 300, 3000  # seconds: uploads and results are looked at so often, and deleted within the hour


class Page(NamedTuple):
    """The page, and the work that goes on behind it."""

    blocks: gr.Blocks
    preparations: Preparations
    pack: str  # name of the one that it opens with
    settings: HostSettings


def build_page(registry: PackRegistry) -> Page:
    """Return the page over a registry of packs, ready for `launch`. Raises WrongSetting where its host says nonsense."""
    own_folder()  # before Gradio looks for one
    settings = HostSettings.from_environment()
    check_host(settings)
    gr.set_static_paths([EXAMPLES])  # so that they need not be copied, wherever the page is started
    compute, tuned = create_compute(registry), TunedPortraits()
    preparations = Preparations(registry, compute)
    pictures = Handlers(compute, tuned)
    move = MoveHandlers(create_move_compute(registry), pictures, preparations)
    handlers = PageHandlers(
        pictures,
        LongHandlers(registry, compute, tuned, settings),
        move,
        VideoHandlers(compute, tuned),
        CameraHandlers(create_camera_compute(registry), pictures, settings.examples_only),
        CompareHandlers(create_compare_compute(registry), tuned),
    )
    lifetime = (CACHE_CHECKED, CACHE_AGE)
    with GatedBlocks(settings, title=texts.TITLE, analytics_enabled=False, delete_cache=lifetime) as blocks:
        facts = facts_of(registry.get(registry.default))
        components = lay_out(facts, registry.packs(), forget=tuned.drop, leave=handlers.camera.end)
        if settings.examples_only:
            for zone in blocks.blocks.values():
                if isinstance(zone, DropZone | VideoZone):
                    zone.interactive = False
        connect(blocks, components, handlers)
    return Page(blocks, preparations, registry.default, settings)

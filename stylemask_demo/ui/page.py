"""The page as a whole, and how it is launched."""

from typing import NamedTuple

import gradio as gr
from gradio.route_utils import delete_files_created_by_app

from stylemask_demo.ui import texts
from stylemask_demo.ui.compute import create_compute, facts_of
from stylemask_demo.ui.events import connect
from stylemask_demo.ui.examples import EXAMPLES
from stylemask_demo.ui.handlers import Handlers
from stylemask_demo.ui.layout import lay_out
from stylemask_demo.ui.long_handlers import LongHandlers
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.preparations import Preparations
from stylemask_demo.ui.theme import STYLE_SHEET, Calm
from stylemask_demo.ui.tuned_portraits import Matches

CACHE_CHECKED, CACHE_AGE = 600, 3600  # seconds: uploads and results are deleted after an hour
LARGEST_UPLOAD = 50_000_000  # bytes, as in media.open_image, so that more never reaches the disk


class Page(NamedTuple):
    """The page, and the work that goes on behind it."""

    blocks: gr.Blocks
    preparations: Preparations


def build_page(shelf: PackRegistry) -> Page:
    """Return the page over a shelf of packs, ready to launch with `launch_options`."""
    gr.set_static_paths([EXAMPLES])  # so that they need not be copied, wherever the page is started
    compute, matches = create_compute(shelf), Matches()
    preparations = Preparations(shelf, compute)
    handlers, long_handlers = Handlers(compute, matches, preparations), LongHandlers(shelf, compute, matches)
    lifetime = (CACHE_CHECKED, CACHE_AGE)
    with gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=lifetime) as blocks:
        facts = facts_of(shelf.get(shelf.default))
        components = lay_out(facts, shelf.packs(), forget=matches.drop)
        connect(blocks, components, handlers, long_handlers)
    return Page(blocks, preparations)


def launch_options() -> dict:
    """Return the arguments of `Blocks.launch`: look and limits; nothing is recorded or shared."""
    return {
        "theme": Calm(),
        "css_paths": [STYLE_SHEET],
        "footer_links": ["api"],
        "max_file_size": LARGEST_UPLOAD,
        "enable_monitoring": False,
        "run_history": False,
        "ssr_mode": False,
        "pwa": False,
    }


def delete_uploads(blocks: gr.Blocks) -> None:
    """Delete everything that visitors have added or made.

    Gradio does so too when it stops, but gives up after five seconds while a visitor's connection is open.
    """
    delete_files_created_by_app(blocks, age=None)

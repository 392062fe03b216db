"""Serving the page until it is stopped, for ``app.py`` and for ``stylemask-demo app``."""

import json
import os
import signal
import sys
from pathlib import Path

from gradio.route_utils import delete_files_created_by_app
from starlette.middleware import Middleware

from stylemask_demo import messages
from stylemask_demo.errors import WrongSetting
from stylemask_demo.ui import texts
from stylemask_demo.ui.gate import LARGEST_UPLOAD, Gate
from stylemask_demo.ui.headers import Headers
from stylemask_demo.ui.health import Health
from stylemask_demo.ui.leftovers import keep_sweeping, own_folder
from stylemask_demo.ui.link_preview import LinkPreview
from stylemask_demo.ui.page import Page
from stylemask_demo.ui.theme import STYLE_SHEETS, Calm

# In this order.
NAMES = ("page_script.js", "move_script.js", "move_drag_script.js", "camera_script.js", "waiting_script.js")
SCRIPTS = [Path(__file__).with_name(name) for name in NAMES]
CONSENT = Path(__file__).with_name("consent.js")


def launch(page: Page, port: int | None = None, share: bool = False, in_browser: bool | None = None) -> None:
    """Serve the page until the process is told to stop; delete everything that visitors have added then.

    `port`: None takes the first free one from GRADIO_SERVER_PORT, or else from 7860. `share` asks Gradio for an address
    that everybody can reach, `in_browser` opens the page in this machine's browser: None does so where it has a desktop.
    Raises WrongSetting where the port is taken.
    """
    # Stopped by the system, the page closes as it does by Ctrl+C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    middleware = [
        Middleware(Headers, framed_by=page.settings.framed_by),
        Middleware(Health, queue=page.blocks._queue),
        Middleware(Gate, settings=page.settings),
        Middleware(LinkPreview),
    ]
    try:
        page.blocks.launch(
            server_port=port,
            share=share or None,  # None leaves it to Gradio, which shares where a notebook could not be reached otherwise
            inbrowser=on_desktop() if in_browser is None else in_browser,
            prevent_thread_lock=True,
            app_kwargs={"middleware": middleware},
            theme=Calm(),
            css_paths=STYLE_SHEETS,
            head="".join(f"<script>{script}</script>" for script in [*map(Path.read_text, SCRIPTS), _asking()]),
            footer_links=["api"],
            max_file_size=LARGEST_UPLOAD,
            enable_monitoring=False,
            run_history=False,
            ssr_mode=False,
            pwa=False,
        )
    except OSError as error:
        if port is None:
            raise
        raise WrongSetting(messages.PORT_TAKEN.format(number=port)) from error
    keep_sweeping(own_folder())
    page.preparations.start(page.pack)  # after the launch: from then on shared GPUs are lent
    page.blocks.block_thread()
    # Gradio deletes them too when it stops, but gives up after five seconds while a visitor's connection is open.
    delete_files_created_by_app(page.blocks, age=None)


def _asking() -> str:
    """The script that asks for consent, with its words."""
    return f"const consent = {json.dumps(texts.CONSENT)};\n{CONSENT.read_text()}"


def on_desktop() -> bool:
    """Tell whether somebody sits before this machine: no Space, nobody from elsewhere, and a screen."""
    if "SPACE_ID" in os.environ or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

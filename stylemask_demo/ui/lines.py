"""The lines in which events wait: one for the accelerator, and others for what takes long, so that nobody's sliders stand
still behind it."""

import json
import os
from typing import Any

import gradio as gr

Event = dict[str, Any]  # arguments of one of Gradio's events

# On a Space with shared GPUs each call runs in a process and on a GPU of its own, elsewhere they would share one.
SHARED_GPUS = bool(os.environ.get("SPACES_ZERO_GPU"))
AT_ONCE = 4 if SHARED_GPUS else 1
ACCELERATOR: Event = {"concurrency_id": "accelerator", "concurrency_limit": AT_ONCE}
LONG: Event = {"concurrency_id": "long", "concurrency_limit": AT_ONCE}
DOWNLOAD: Event = {"concurrency_id": "download", "concurrency_limit": 1}
# Comparisons take seconds: sliders do not wait for them, and they do not wait for films.
COMPARISONS: Event = {"concurrency_id": "comparisons", "concurrency_limit": AT_ONCE}

# The page's own events: a picture never flickers, and programs do not find them.
UNSEEN: Event = {"show_progress": "hidden", "api_visibility": "undocumented"}
PREVIEW: Event = {**UNSEEN, **ACCELERATOR}
QUICK: Event = {**UNSEEN, "queue": False}


def name_lines(blocks: gr.Blocks) -> str:
    """Return a script that tells the browser which events wait in which line; see `waiting_script.js`."""
    lines = {number: event.concurrency_id for number, event in blocks.fns.items() if event.queue}
    return f"() => stylemaskWaiting.name({json.dumps(lines)})"

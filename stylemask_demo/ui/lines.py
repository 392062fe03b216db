"""The lines in which events wait: one for the accelerator, and others for what takes long, so that nobody's sliders stand
still behind it."""

import os
from typing import Any

Event = dict[str, Any]  # arguments of one of Gradio's events

# On a Space with shared GPUs each call runs in a process and on a GPU of its own, elsewhere they would share one.
AT_ONCE = 4 if os.environ.get("SPACES_ZERO_GPU") else 1
ACCELERATOR: Event = {"concurrency_id": "accelerator", "concurrency_limit": AT_ONCE}
LONG: Event = {"concurrency_id": "long", "concurrency_limit": AT_ONCE}
DOWNLOAD: Event = {"concurrency_id": "download", "concurrency_limit": 1}

# The page's own events: a picture never flickers, and programs do not find them.
UNSEEN: Event = {"show_progress": "hidden", "api_visibility": "undocumented"}
PREVIEW: Event = {**UNSEEN, **ACCELERATOR}
QUICK: Event = {**UNSEEN, "queue": False}

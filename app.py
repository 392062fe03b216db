"""Builds the page and launches it; a Space starts here."""

import signal

import spaces  # noqa: F401  on a Space with shared GPUs it must come before anything that touches CUDA

from stylemask_demo.ui import Shelf, build_page, delete_uploads, launch_options

shelf = Shelf.from_environment()
demo = build_page(shelf)

if __name__ == "__main__":
    # Stopped by the system, the page closes as it does by Ctrl+C, and deletes what visitors have added.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    demo.launch(**launch_options())
    delete_uploads(demo)

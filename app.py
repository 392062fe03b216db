"""Builds the page and launches it; a Space starts here."""

import signal

import spaces  # noqa: F401  on a Space with shared GPUs it must come before anything that touches CUDA

from stylemask_demo.ui import PackRegistry, build_page, delete_uploads, launch_options

shelf = PackRegistry.from_environment()
page = build_page(shelf)
demo = page.blocks

if __name__ == "__main__":
    # Stopped by the system, the page closes as it does by Ctrl+C, and deletes what visitors have added.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    demo.launch(**launch_options(), prevent_thread_lock=True)
    page.preparations.start(shelf.default)  # after the launch: from then on shared GPUs are lent
    demo.block_thread()
    delete_uploads(demo)

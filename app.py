"""Builds the page and launches it; a Space starts here."""

import spaces  # noqa: F401  on a Space with shared GPUs it must come before anything that touches CUDA

from stylemask_demo.ui import PackRegistry, build_page, launch

packs = PackRegistry.from_environment()
page = build_page(packs)
demo = page.blocks  # where Gradio's own tools look for it

if __name__ == "__main__":
    launch(page)

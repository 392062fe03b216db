"""The web page."""

from stylemask_demo.ui.launch import launch
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.page import build_page

__all__ = ["PackRegistry", "build_page", "launch"]

"""The web page."""

from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.page import build_page, delete_uploads, launch_options

__all__ = ["PackRegistry", "build_page", "delete_uploads", "launch_options"]

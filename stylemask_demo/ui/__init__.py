"""The web page."""

from stylemask_demo.ui.page import build_page, launch_options

__all__ = ["build_page", "launch_options"]

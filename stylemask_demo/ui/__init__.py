"""The web page."""

from stylemask_demo.ui.page import build_page, delete_uploads, launch_options
from stylemask_demo.ui.shelf import Shelf

__all__ = ["Shelf", "build_page", "delete_uploads", "launch_options"]

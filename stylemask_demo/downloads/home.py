"""Where all that is downloaded is kept."""

import os
from pathlib import Path


def home() -> Path:
    """Return the folder of all that is downloaded: `STYLEMASK_HOME`, else `stylemask_demo` in the user's cache."""
    if chosen := os.environ.get("STYLEMASK_HOME"):
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "stylemask_demo"

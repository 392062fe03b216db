"""Files of visitors that nobody else deletes: those of a page that was killed, and whatever Gradio loses sight of."""

import contextlib
import os
import tempfile
import threading
import time
from pathlib import Path

AGE = 3300.0  # seconds after which a file of a visitor goes, as the page promises
CHECKED = 300.0  # seconds between two looks
FOLDER = "GRADIO_TEMP_DIR"  # environment: where Gradio keeps uploads and results


def own_folder() -> Path:
    """The folder for uploads and results: that of GRADIO_TEMP_DIR, else one of this demo's, which Gradio takes up then."""
    if not os.environ.get(FOLDER):
        os.environ[FOLDER] = _made()
    return Path(os.environ[FOLDER])


def sweep(folder: Path, age: float = AGE) -> None:
    """Delete all files in a folder that are older than `age` in seconds, and folders that are as old and empty.

    Files from a future are as old: a clock that was set back would keep them.
    """

    def old(path: Path) -> bool:
        return abs(time.time() - path.lstat().st_mtime) > age

    for place, folders, files in os.walk(folder, topdown=False):
        for name in files:
            with contextlib.suppress(OSError):
                if old(Path(place, name)):
                    os.unlink(Path(place, name))
        for name in folders:
            with contextlib.suppress(OSError):
                if old(Path(place, name)):
                    os.rmdir(Path(place, name))


def keep_sweeping(folder: Path) -> None:
    """Sweep a folder now, and from time to time as long as this process lives."""

    def work() -> None:
        while True:
            sweep(folder)
            time.sleep(CHECKED)

    threading.Thread(target=work, name="sweeping", daemon=True).start()


def _made() -> str:
    """A folder that only this user reads, the same at each start, so that what was left behind is found."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()).resolve() / f"stylemask_demo-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.lstat().st_uid != user:  # somebody else has put it there
        return tempfile.mkdtemp(prefix="stylemask_demo-")
    return str(folder)

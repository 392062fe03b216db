"""The page as a process of its own, for tests that visit it."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A whole tuning takes minutes on a CPU, most of the time that a new face takes goes into its inversion, that of results
# into looking at what they miss, and a strip has many pictures. What others import comes first.
FEW_STEPS = """
from stylemask_demo.generator import inversion, tuning
inversion.STEPS, tuning.STEPS = 1, 10
from stylemask_demo.editing.correction import Correction
Correction.corrected = lambda self, code, *how, **more: code
Correction.followed = lambda self, code, wanted, *how, **more: 0 * wanted
from stylemask_demo import comparisons
comparisons.STEPS = 3
"""
START_SECONDS = 300  # a cold start imports torch and loads the pack, at times on a busy machine


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(address: str) -> bool:
    """Tell whether a page is there."""
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def page_process(log: Path, setup: str = "", **environment: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """Start the page on a free port, after the Python code `setup`; give its address and process, and end it at the end.

    What it writes goes to `log`.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    settings = {
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "BROWSER": "true",  # which opens nothing
    }
    environment = {**os.environ, **settings, **environment}
    start = f"import runpy\n{setup}\nrunpy.run_path('app.py', run_name='__main__')"
    with log.open("wb") as output:
        page = subprocess.Popen(
            [sys.executable, "-c", start], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(address):
            assert page.poll() is None, f"the page stopped:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"the page did not start:\n{log.read_text()}"
            time.sleep(0.2)
        yield address, page
    finally:
        page.terminate()
        page.wait(timeout=60)


@contextlib.contextmanager
def serving(log: Path, setup: str = "", **environment: str) -> Iterator[str]:
    """Start the page on a free port, after the Python code `setup`; give its address, and stop it at the end.

    What it writes goes to `log`; it may not stop by itself, and may not write a traceback.
    """
    with page_process(log, setup, **environment) as (address, page):
        yield address
        assert page.poll() is None, f"the page stopped:\n{log.read_text()}"
        assert "Traceback" not in log.read_text(), log.read_text()

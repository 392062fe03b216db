"""Many visitors at once on a page of its own, on this machine alone: does each get the right picture, and does memory grow?

    make load ARGS="--visitors 32 --seconds 120"
    make load ARGS="--visitors 4 --requests 2000"

Each visitor has a person of its own. First each asks alone, one after the other: these are the pictures that it must get,
bit for bit, whenever it asks for the same again while all others ask too. Memory of the page is read as Linux tells it.

Exits with 1 where a request failed or brought another picture, where somebody waited without being told a place in line,
where files of visitors outlived the page, or where memory grew by more than `--growth` percent.
"""

import argparse
import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import requests
from gradio_client import Client, handle_file
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
START, ANSWER = 300.0, 300.0  # seconds that the page may take to start, and to answer while many wait
NOTICED = 10.0  # seconds of a request, with sending its file, after which a place in line must have been told
LOOK = 0.5  # seconds between two looks at a place in line, and at memory
SMILES = (0.3, 0.6)  # what each visitor asks for in turn
MOST_VISITORS, MOST_SECONDS, MOST_REQUESTS = 64, 3600, 5000


class Visitor:
    """Somebody with a person of their own, who asks for pictures of it again and again."""

    def __init__(self, address: str, number: int, folder: Path):
        files = folder / str(number)
        files.mkdir()
        self.number = number
        self._client = Client(address, verbose=False, download_files=str(files), httpx_kwargs={"timeout": ANSWER})
        # A copy: what the client downloads is deleted.
        made = self._client.predict(number, api_name="/random_person")
        self._person = files / "person.png"
        Path(made).replace(self._person)
        self.waits: list[float] = []  # seconds of each request
        self.failures: list[str] = []
        self.told = 0  # the last place in line that it was told
        self._right = [self._ask(smile) for smile in SMILES]

    @property
    def right(self) -> str:
        """What tells this visitor's pictures from those of others."""
        return "".join(self._right)

    def ask(self, count: int) -> None:
        """Ask once more, and note what is wrong with the answer."""
        choice, began = count % len(SMILES), time.monotonic()
        try:
            got = self._ask(SMILES[choice])
        except Exception as error:
            self.failures.append(f"visitor {self.number}: {type(error).__name__}: {error}")
            time.sleep(1)
            return
        self.waits.append(time.monotonic() - began)
        if got != self._right[choice]:
            self.failures.append(f"visitor {self.number} got another picture")

    def _ask(self, smile: float) -> str:
        """The hash of the picture's pixels."""
        job = self._client.submit(handle_file(self._person), 0, 0, smile, api_name="/edit")
        began, told = time.monotonic(), False
        while not job.done():
            status: Any = job.status()
            if status.rank is not None:
                told, self.told = True, max(self.told, status.rank)
            if time.monotonic() - began > ANSWER:
                raise TimeoutError(f"no answer within {ANSWER:g} s")
            time.sleep(LOOK / 5)
        result = Path(job.result())
        if time.monotonic() - began > NOTICED and not told:
            self.failures.append(f"visitor {self.number} waited and was told no place in line")
        with Image.open(result) as picture:
            pixels = np.asarray(picture.convert("RGB")).tobytes()
        result.unlink()
        return hashlib.sha256(pixels).hexdigest()


class Memory:
    """The memory of a process in MB, read again and again in a thread."""

    def __init__(self, process: int):
        self._process, self._began = process, time.monotonic()
        self.readings: list[tuple[float, float]] = []  # seconds since the beginning, MB
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Read no more."""
        self._ended.set()
        self._thread.join()

    def around(self, second: float, width: float = 10.0) -> float:
        """The median of what was read around a time; garbage comes and goes."""
        near = [memory for at, memory in self.readings if abs(at - second) <= width]
        return median(near or [self.readings[-1][1]])

    @property
    def last(self) -> float:
        """Seconds at which was read last."""
        return self.readings[-1][0]

    def _work(self) -> None:
        while not self._ended.wait(LOOK):
            status = Path(f"/proc/{self._process}/status").read_text()
            (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
            self.readings.append((time.monotonic() - self._began, int(kilobytes) / 1024))


@contextlib.contextmanager
def page(folder: Path) -> Iterator[tuple[str, int]]:
    """The page on a free port of this machine: its address and process. What it writes goes to `folder`/log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "STYLEMASK_HOME": str(folder / "home"),
        "BROWSER": "true",
    }
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START
        while not _well(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The page did not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.5)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def _well(address: str) -> bool:
    try:
        return requests.get(f"{address}/health", timeout=10).ok
    except requests.RequestException:
        return False


def crowd(visitors: list[Visitor], seconds: float, most: int) -> None:
    """Let all ask at once, until the time is over or so many requests are made."""
    until = time.monotonic() + seconds
    taken = iter(range(most))
    turn = threading.Lock()

    def work(visitor: Visitor) -> None:
        count = 0
        while time.monotonic() < until:
            with turn:
                if next(taken, None) is None:
                    return
            visitor.ask(count)
            count += 1

    threads = [threading.Thread(target=work, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def judged(visitors: list[Visitor], memory: Memory, settled: float, most_growth: float) -> list[str]:
    """Print what was measured, and return what is wrong."""
    waits = sorted(wait for visitor in visitors for wait in visitor.waits)
    wrong = [failure for visitor in visitors for failure in visitor.failures]
    before, after = memory.around(settled), memory.around(memory.last)
    growth = 100 * (after - before) / before
    print(f"{len(waits)} requests of {len(visitors)} visitors in {memory.last:.0f} s, {len(wrong)} wrong.")
    if waits:
        late = waits[int(0.95 * (len(waits) - 1))]
        fair = sorted(len(visitor.waits) for visitor in visitors)
        print(f"Half waited less than {median(waits):.1f} s, 95 % less than {late:.1f} s, all less than {waits[-1]:.1f} s.")
        last = max(visitor.told for visitor in visitors)
        print(f"Each visitor got {fair[0]} to {fair[-1]} pictures; the last place in line was {last}.")
    print(f"Memory: {before:.0f} MB after {settled:.0f} s, {after:.0f} MB at the end: {growth:+.1f} %.")
    if growth > most_growth:
        wrong.append(f"memory grew by {growth:.1f} %")
    if len({visitor.right for visitor in visitors}) < len(visitors):
        wrong.append("visitors have the same pictures, so that a mix-up would not be seen")
    return wrong


def parser() -> argparse.ArgumentParser:
    """What it can be called with."""
    made = argparse.ArgumentParser(description="Many visitors at once on a page of its own.")
    made.add_argument("--visitors", type=int, default=32, choices=range(1, MOST_VISITORS + 1), metavar="N")
    made.add_argument("--seconds", type=float, default=None, help="how long all ask")
    made.add_argument("--requests", type=int, default=None, help="how many requests are made in all")
    made.add_argument("--growth", type=float, default=5.0, help="percent by which memory may grow")
    return made


def main() -> int:
    """Print what was measured, and return the exit status."""
    asked = parser().parse_args()
    seconds = min(asked.seconds or (MOST_SECONDS if asked.requests else 120.0), MOST_SECONDS)
    most = min(asked.requests or MOST_REQUESTS, MOST_REQUESTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        downloads = folder / "downloads"
        downloads.mkdir()
        with page(folder) as (address, process):
            visitors = [Visitor(address, number, downloads) for number in range(asked.visitors)]
            print(f"{len(visitors)} visitors have their pictures; now all ask at once.", flush=True)
            for visitor in visitors:
                visitor.told = 0
            memory = Memory(process)
            crowd(visitors, seconds, most)
            memory.end()
            # After the first minute, or the first tenth of a number of requests.
            settled = memory.last / 10 if asked.requests else min(60.0, memory.last / 2)
            wrong = judged(visitors, memory, settled, asked.growth)
        if left := [str(path) for path in (folder / "uploads").rglob("*") if path.is_file()]:
            wrong.append(f"{len(left)} files outlived the page")
        if "Traceback" in (log := (folder / "log").read_text()):
            wrong.append(f"the page has printed a traceback:\n{log[-3000:]}")
    for line in wrong[:20]:
        print(f"Wrong: {line}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

"""The weights of face-alignment: kept where it looks for them, fetched when the network allows, never long waited for."""

import threading
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import requests
import torch
from filelock import FileLock, Timeout

from stylemask_demo import messages
from stylemask_demo.downloads.checksum import sha256_of
from stylemask_demo.downloads.fetch import fetch
from stylemask_demo.downloads.hosts import Host
from stylemask_demo.errors import Cancelled, DownloadFailed

PROBE_SECONDS = 3.0  # for the host to answer at all
DOWNLOAD_SECONDS = 120.0  # for all files
LARGEST = 200_000_000  # bytes of one file


@dataclass(frozen=True)
class DetectorFile:
    """One file: its name, its address, and the first digits of its sha256 where its publisher tells them."""

    name: str
    url: str
    sha256: str = ""

    @property
    def path(self) -> Path:
        """Where the file is kept."""
        return weights_folder() / self.name


_BULAT = "https://www.adrianbulat.com/downloads/python-fan/"
_BLAZEFACE = "https://github.com/hollance/BlazeFace-PyTorch/raw/master/"
LANDMARKS = DetectorFile("2DFAN4-11f355bf06.pth.tar", f"{_BULAT}2DFAN4-11f355bf06.pth.tar", "11f355bf06")
# The files of each detector, its network first.
DETECTORS = {
    "sfd": (DetectorFile("s3fd-619a316812.pth", f"{_BULAT}s3fd-619a316812.pth", "619a316812"),),
    "blazeface": tuple(DetectorFile(name, _BLAZEFACE + name) for name in ("blazefaceback.pth", "anchorsback.npy")),
}


def weights_folder() -> Path:
    """Return where face-alignment looks for its weights."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def at_hand(detector: str) -> bool:
    """Tell whether all files of a detector and the landmark network are here, after fetching those that are not.

    Offline this takes a few seconds. A download is given up after two minutes, and the next one goes on from there.
    """
    missing = [file for file in (*DETECTORS[detector], LANDMARKS) if not file.path.is_file()]
    if not missing:
        return True
    if not _answers(missing[0].url):
        return False
    deadline = monotonic() + DOWNLOAD_SECONDS
    try:
        weights_folder().mkdir(parents=True, exist_ok=True)
        with FileLock(weights_folder() / ".stylemask_demo.lock", timeout=DOWNLOAD_SECONDS):
            for file in missing:
                if not file.path.is_file():  # unless another process has fetched it meanwhile
                    _download(file, deadline)
    except (DownloadFailed, Cancelled, Timeout, OSError):
        return False
    return True


def _download(file: DetectorFile, deadline: float) -> None:
    """Fetch and check one file."""

    def in_time(_done: int, _total: int, _what: str) -> None:
        if monotonic() > deadline:
            raise Cancelled(messages.SLOW_DETECTOR)

    # Under another name until it is checked: face-alignment trusts what it finds.
    unchecked = file.path.with_name(f".{file.name}.unchecked")
    host = Host("The host of the face finder", file.url, "put it where the other weights of the face finder are")
    fetch(host, unchecked, LARGEST, in_time, file.name)
    if not sha256_of(unchecked).startswith(file.sha256):
        unchecked.unlink()
        raise DownloadFailed(messages.OTHER_FILE.format(file=file.name))
    unchecked.replace(file.path)


def _answers(url: str) -> bool:
    """Tell whether the host of the weights answers; the thread is left behind when a name look-up hangs."""
    answers = threading.Event()

    def ask() -> None:
        try:
            requests.head(url, timeout=PROBE_SECONDS)
            answers.set()
        except requests.RequestException:
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answers.is_set()

"""Fetching one file over HTTP: resumed where it was cut, limited in size, and never left half as if it were whole."""

import errno
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

import requests

from stylemask_demo import messages
from stylemask_demo.downloads.hosts import Host, Interrupted, ask, failure
from stylemask_demo.errors import DownloadFailed

FRUITLESS_TRIES = 3  # attempts in a row that bring nothing before giving up
PAUSE = 2.0  # seconds between attempts
BLOCK = 1 << 14  # bytes; what came of a block before the connection broke is lost
NOTICE = 0.1  # seconds between two calls of the progress function
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

# Called with the bytes that are here, the bytes of the whole (0 when not known) and what is being done. May raise to stop.
Progress = Callable[[int, int, str], None]


class _Version(NamedTuple):
    """Which version of a file a part is the beginning of."""

    validator: str  # the host's tag or date of it; "" if it tells none
    total: int  # bytes of the whole, 0 if not known


def fetch(host: Host, path: Path, largest: int, progress: Progress, what: str) -> None:
    """Fetch a file to `path`.

    Until it is complete it lies beside it as `<name>.part`, with `<name>.part.json` on which version it is; the next
    call goes on from there. `largest` is the limit of its size in bytes. Raises DownloadFailed with one line that says
    why and what to do, and whatever `progress` raises. Not to be called for one path by two at once.
    """
    part = Path(f"{path}.part")
    fruitless = 0
    with requests.Session() as session:
        while True:
            before = _size(part)
            try:
                _transfer(session, host, part, largest, progress, what)
                break
            except (Interrupted, requests.RequestException) as error:
                fruitless = 0 if _size(part) > before else fruitless + 1
                if fruitless == FRUITLESS_TRIES:
                    raise failure(error, host, path.name) from None
            time.sleep(PAUSE)
    os.replace(part, path)
    _version_file(part).unlink(missing_ok=True)


def no_room(error: OSError) -> bool:
    """Tell whether a file could not be written because the disk, or what its user may have of it, is full."""
    return error.errno in NO_ROOM


def disk_full(folder: Path, needed: int = 0) -> DownloadFailed:
    """Return the error that reports a full disk; `needed` is how many bytes more are to be written, if known."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    more = f" {needed / 1e6:,.1f} MB are needed," if needed else ""
    return DownloadFailed(
        messages.NO_ROOM,
        f"There is no room in {folder}:{more} {free / 1e6:,.1f} MB are free. Free some, or set STYLEMASK_HOME to a folder "
        "on another disk, and download again: it goes on where it stopped.",
    )


def _transfer(session: requests.Session, host: Host, part: Path, largest: int, progress: Progress, what: str) -> None:
    """Bring `part` to its full size, or raise Interrupted or a requests error where another try may help."""
    version = _read_version(part)
    offset = _size(part) if version else 0
    if version and offset and offset == version.total:
        return  # stopped just before it got its name
    response = ask(session, host, part.stem, offset, version.validator if version else "")
    with response:
        if response.status_code == 416:  # what is here is no beginning of what is there
            part.unlink(missing_ok=True)
            raise Interrupted("its file changed meanwhile")
        start, total = _extent(response)
        if start != offset or (version and offset and total != version.total):
            if start:
                part.unlink(missing_ok=True)
                raise Interrupted("its file changed meanwhile")
            offset = 0
        if total > largest:
            offer = {"host": host.name, "file": part.stem, "number": f"{total:,}", "limit": f"{largest:,}"}
            raise DownloadFailed(messages.TOO_LARGE_OFFER.format(**offer))
        if total - offset > shutil.disk_usage(part.parent).free:
            raise disk_full(part.parent, total - offset)
        _write_version(part, _Version(_validator(response), total))
        with _opened(part, "ab" if offset else "wb") as file:
            _store(response, file, part, offset, total, largest, progress, what)
    if total and _size(part) < total:
        raise Interrupted("the connection broke")


def _store(
    response: requests.Response,
    file: IO[bytes],
    part: Path,
    offset: int,
    total: int,
    largest: int,
    progress: Progress,
    what: str,
) -> None:
    done, told = offset, 0.0
    progress(done, total, what)
    for block in response.iter_content(BLOCK):
        done += len(block)
        if done > largest:
            file.close()
            part.unlink()
            _version_file(part).unlink()
            raise DownloadFailed(messages.TOO_LARGE_FILE.format(file=part.stem, limit=f"{largest:,}"))
        try:
            file.write(block)
        except OSError as error:
            raise _unwritable(error, part.parent) from None
        if time.monotonic() - told > NOTICE:
            told = time.monotonic()
            progress(done, total, what)
    try:
        file.flush()
        os.fsync(file.fileno())  # the name it gets must never stand for blocks that a crash lost
    except OSError as error:
        raise _unwritable(error, part.parent) from None
    progress(done, total, what)


def _extent(response: requests.Response) -> tuple[int, int]:
    """The position of the first byte that follows, and the size of the whole file, 0 when the host does not tell."""
    if response.status_code == 206:
        extent = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if extent is None:
            raise Interrupted("it does not say which part of the file it sends")
        return int(extent[1]), int(extent[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() and "Content-Encoding" not in response.headers else 0


def _opened(part: Path, mode: str) -> IO[bytes]:
    try:
        return part.open(mode)
    except OSError as error:
        raise _unwritable(error, part.parent) from None


def _unwritable(error: OSError, folder: Path) -> DownloadFailed:
    if no_room(error):
        return disk_full(folder)
    unwritten = f"{folder} cannot be written ({error.strerror}). Set STYLEMASK_HOME to a folder that can."
    return DownloadFailed(messages.UNWRITABLE_DOWNLOAD, unwritten)


def _version_file(part: Path) -> Path:
    return Path(f"{part}.json")


def _validator(response: requests.Response) -> str:
    etag = response.headers.get("ETag", "")
    # A weak tag stands for files that may differ in some bytes.
    return response.headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag


def _write_version(part: Path, version: _Version) -> None:
    try:
        _version_file(part).write_text(json.dumps(version._asdict()), encoding="utf-8")
    except OSError as error:
        raise _unwritable(error, part.parent) from None


def _read_version(part: Path) -> _Version | None:
    """What is known of the version that `part` is the beginning of; None when it cannot be continued."""
    try:
        return _Version(**json.loads(_version_file(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0

"""Fetching one file over HTTP: resumed where it was cut, limited in size, and never left half as if it were whole."""

import errno
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests

from stylemask_demo.errors import DownloadFailed

CONNECT_TIMEOUT = 10.0  # seconds
SILENCE_TIMEOUT = 30.0  # seconds without a byte
FRUITLESS_TRIES = 3  # attempts in a row that bring nothing before giving up
PAUSE = 2.0  # seconds between attempts
BLOCK = 1 << 14  # bytes; what came of a block before the connection broke is lost
NOTICE = 0.1  # seconds between two calls of the progress function
LARGEST_PAGE = 1 << 20  # bytes of a web page that is read
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

# Called with the bytes that are here, the bytes of the whole (0 when not known) and what is being done. May raise to stop.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Host:
    """Where a file can be fetched."""

    name: str  # as a person knows it
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    asks: bool = False  # shows a page that wants a confirmation before it hands out large files, as Google Drive does


class _Interrupted(Exception):
    """The transfer stopped for a reason that may pass; another try goes on where this one stopped."""


def fetch(host: Host, path: Path, largest: int, progress: Progress, what: str) -> None:
    """Fetch a file to ``path``.

    Until it is complete it lies beside it as ``<name>.part``, with ``<name>.part.json`` on which version it is; the next
    call goes on from there. ``largest`` is the limit of its size in bytes. Raises DownloadFailed with one line that says
    why and what to do, and whatever ``progress`` raises. Not to be called for one path by two at once.
    """
    part = Path(f"{path}.part")
    fruitless = 0
    with requests.Session() as session:
        while True:
            before = _size(part)
            try:
                _transfer(session, host, part, largest, progress, what)
                break
            except (_Interrupted, requests.RequestException) as error:
                fruitless = 0 if _size(part) > before else fruitless + 1
                if fruitless == FRUITLESS_TRIES:
                    raise DownloadFailed(_why(error, host, path.name)) from None
            time.sleep(PAUSE)
    os.replace(part, path)
    _version_file(part).unlink(missing_ok=True)


def no_room(error: OSError) -> bool:
    """Tell whether a file could not be written because the disk, or what its user may have of it, is full."""
    return error.errno in NO_ROOM


def disk_full(folder: Path, needed: int = 0) -> DownloadFailed:
    """Return the error that reports a full disk; ``needed`` is how many bytes more are to be written, if known."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    more = f" {needed / 1e6:,.1f} MB are needed," if needed else ""
    return DownloadFailed(
        f"There is no room in {folder}:{more} {free / 1e6:,.1f} MB are free. Free some, or set STYLEMASK_HOME to a folder "
        "on another disk, and download again: it goes on where it stopped."
    )


def _transfer(session: requests.Session, host: Host, part: Path, largest: int, progress: Progress, what: str) -> None:
    """Bring ``part`` to its full size, or raise _Interrupted or a requests error where another try may help."""
    version = _read_version(part)
    offset = _size(part) if version else 0
    if offset and offset == version["total"]:
        return  # stopped just before it got its name
    response = _ask(session, host, part.stem, offset, version)
    with response:
        if response.status_code == 416:  # what is here is no beginning of what is there
            part.unlink(missing_ok=True)
            raise _Interrupted("its file changed meanwhile")
        start, total = _extent(response)
        if start != offset or (offset and total != version["total"]):
            if start:
                part.unlink(missing_ok=True)
                raise _Interrupted("its file changed meanwhile")
            offset = 0
        if total > largest:
            raise DownloadFailed(
                f"{host.name} offers {part.stem} with {total:,} bytes, more than the {largest:,} it may have. "
                "It is not what was published, and was not downloaded."
            )
        if total - offset > shutil.disk_usage(part.parent).free:
            raise disk_full(part.parent, total - offset)
        _write_version(part, response, total)
        with _opened(part, "ab" if offset else "wb") as file:
            _store(response, file, part, offset, total, largest, progress, what)
    if total and _size(part) < total:
        raise _Interrupted("the connection broke")


def _store(response, file, part: Path, offset: int, total: int, largest: int, progress: Progress, what: str) -> None:
    done, told = offset, 0.0
    progress(done, total, what)
    for block in response.iter_content(BLOCK):
        done += len(block)
        if done > largest:
            file.close()
            part.unlink()
            _version_file(part).unlink()
            raise DownloadFailed(f"{part.stem} is larger than the {largest:,} bytes it may have. It was not kept.")
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


def _ask(session: requests.Session, host: Host, name: str, offset: int, version: dict | None) -> requests.Response:
    """Ask for the file from ``offset`` on, passing the host's page of confirmation if there is one."""
    headers = dict(host.headers)
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if version["validator"]:
            headers["If-Range"] = version["validator"]
    url = _address(session, host, name) if host.asks else host.url
    response = _get(session, url, headers)
    page = _page(response)
    if page is None:
        _check_status(response, host, name)
        return response
    response.close()
    if host.asks:
        _confirmation(page, response, host, name)
    _check_status(response, host, name)
    raise DownloadFailed(f"{host.name} sent a web page instead of {name}. {_by_hand(host)}")


def _address(session: requests.Session, host: Host, name: str) -> str:
    """The address at which Google Drive hands out the file: behind a page that asks first, if the file is large."""
    with _get(session, host.url, host.headers) as response:
        page = _page(response)
        if page is None:
            _check_status(response, host, name)
            return response.url
    url = urljoin(response.url, _confirmation(page, response, host, name))
    known = {urlsplit(host.url).hostname, "drive.usercontent.google.com", "docs.google.com", "drive.google.com"}
    if urlsplit(url).hostname not in known:
        raise DownloadFailed(f"{host.name} sends elsewhere for {name}, to {urlsplit(url).hostname}. It was not downloaded.")
    return url


def _get(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    # Byte positions count stored bytes: no compression on the way.
    headers = {"Accept-Encoding": "identity", **headers}
    return session.get(url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT, SILENCE_TIMEOUT))


def _page(response: requests.Response) -> str | None:
    """The text of a web page, or None for anything else."""
    if "text/html" not in response.headers.get("Content-Type", ""):
        return None
    page = b""
    for block in response.iter_content(1 << 14):
        page += block
        if len(page) > LARGEST_PAGE:
            break
    return page.decode("utf-8", "replace")


def _confirmation(page: str, response: requests.Response, host: Host, name: str) -> str:
    """The address behind the button of Google Drive's page that asks whether to download without a virus scan.

    Raises DownloadFailed with what the page says when it has no such button.
    """
    # Here, because few downloads come this way and its parser takes long to import.
    from gdown.download import get_url_from_gdrive_confirmation
    from gdown.exceptions import FileURLRetrievalError

    try:
        return get_url_from_gdrive_confirmation(page)
    except (FileURLRetrievalError, KeyError, AssertionError) as error:
        if response.status_code not in (403, 429):
            _check_status(response, host, name)
        said = " ".join(re.sub("<[^>]*>", " ", str(error)).split()).partition(". ")[0]
        raise DownloadFailed(f"{host.name} does not hand out {name} now ({said}). {_by_hand(host)}") from None


def _by_hand(host: Host) -> str:
    return (
        f"Try again in a day, or open {host.url} in a browser, save the file in a folder and name that folder with --from."
    )


def _check_status(response: requests.Response, host: Host, name: str) -> None:
    status = response.status_code
    if status in (200, 206, 416):
        return
    response.close()
    if status in (404, 410):
        raise DownloadFailed(
            f"{name} is not at {host.name} any more (HTTP {status}, {host.url}). If you have the file, "
            "name its folder with --from."
        )
    if status in (401, 403):
        raise DownloadFailed(f"{host.name} refuses to hand out {name} (HTTP {status}, {host.url}). It needs other rights.")
    raise _Interrupted(f"it answered HTTP {status}")


def _extent(response: requests.Response) -> tuple[int, int]:
    """The position of the first byte that follows, and the size of the whole file, 0 when the host does not tell."""
    if response.status_code == 206:
        extent = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if extent is None:
            raise _Interrupted("it does not say which part of the file it sends")
        return int(extent[1]), int(extent[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() and "Content-Encoding" not in response.headers else 0


def _why(error: Exception, host: Host, name: str) -> str:
    slow = isinstance(error, requests.Timeout) or "timed out" in str(error)
    if slow:
        reason = f"it sent nothing for {SILENCE_TIMEOUT:g} seconds"
    elif isinstance(error, _Interrupted):
        reason = str(error)
    else:
        reason = "it cannot be reached, or the connection broke"
    return (
        f"{host.name} did not deliver {name}: {reason}. Check the network and download again: it goes on where it stopped."
    )


def _opened(part: Path, mode: str):
    try:
        return part.open(mode)
    except OSError as error:
        raise _unwritable(error, part.parent) from None


def _unwritable(error: OSError, folder: Path) -> DownloadFailed:
    if no_room(error):
        return disk_full(folder)
    return DownloadFailed(f"{folder} cannot be written ({error.strerror}). Set STYLEMASK_HOME to a folder that can.")


def _version_file(part: Path) -> Path:
    return Path(f"{part}.json")


def _write_version(part: Path, response: requests.Response, total: int) -> None:
    etag = response.headers.get("ETag", "")
    # A weak tag stands for files that may differ in some bytes.
    validator = response.headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag
    try:
        _version_file(part).write_text(json.dumps({"validator": validator, "total": total}), encoding="utf-8")
    except OSError as error:
        raise _unwritable(error, part.parent) from None


def _read_version(part: Path) -> dict | None:
    """What is known of the version that ``part`` is the beginning of; None when it cannot be continued."""
    try:
        version = json.loads(_version_file(part).read_text(encoding="utf-8"))
        return version if {"validator", "total"} <= set(version) else None
    except (OSError, ValueError, TypeError):
        return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0

"""Asking hosts for files: from any byte on, through Google Drive's page of confirmation, and what their answers mean."""

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import requests

from stylemask_demo import messages
from stylemask_demo.errors import DownloadFailed

CONNECT_TIMEOUT = 10.0  # seconds
SILENCE_TIMEOUT = 30.0  # seconds without a byte
LARGEST_PAGE = 1 << 20  # bytes of a web page that is read


@dataclass(frozen=True)
class Host:
    """Where a file can be fetched."""

    name: str  # as a person knows it
    url: str
    instead: str  # what to do with the file if one gets it in another way, such as "name its folder with --from"
    headers: dict[str, str] = field(default_factory=dict)
    asks: bool = False  # shows a page that wants a confirmation before it hands out large files, as Google Drive does


class Interrupted(Exception):
    """The transfer stopped for a reason that may pass; another try goes on where this one stopped."""


def ask(session: requests.Session, host: Host, name: str, offset: int, validator: str) -> requests.Response:
    """Ask a host for the file `name` from byte `offset` on, passing the host's page of confirmation if there is one.

    `validator` is the tag or date of the version that the earlier bytes are of, "" if unknown: of another version the host
    sends everything. Returns the response, of status 200, 206 or 416, whose content is not read yet. Raises DownloadFailed
    where no other try will help, else Interrupted or an error of requests.
    """
    headers = dict(host.headers)
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if validator:
            headers["If-Range"] = validator
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
    raise DownloadFailed(messages.WEB_PAGE.format(**_told(host, name)))


def failure(error: Exception, host: Host, name: str) -> DownloadFailed:
    """The error that reports in one line why the last of several tries failed."""
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        reason = f"it sent nothing for {SILENCE_TIMEOUT:g} seconds"
    elif isinstance(error, Interrupted):
        reason = str(error)
    else:
        reason = "it cannot be reached, or the connection broke"
    return DownloadFailed(messages.NOT_DELIVERED.format(host=host.name, file=name, said=reason))


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
        elsewhere = urlsplit(url).hostname
        raise DownloadFailed(messages.ELSEWHERE.format(host=host.name, file=name, address=elsewhere))
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
        raise DownloadFailed(messages.REFUSED.format(said=said, **_told(host, name))) from None


def _told(host: Host, name: str) -> dict[str, str]:
    """What messages say of a host and a file of it."""
    return {"host": host.name, "file": name, "address": host.url, "instead": host.instead}


def _check_status(response: requests.Response, host: Host, name: str) -> None:
    status = response.status_code
    if status in (200, 206, 416):
        return
    response.close()
    if status in (404, 410):
        raise DownloadFailed(messages.GONE.format(number=status, **_told(host, name)))
    if status in (401, 403):
        raise DownloadFailed(messages.FORBIDDEN.format(number=status, **_told(host, name)))
    raise Interrupted(f"it answered HTTP {status}")

"""The gate that everything sent to the page passes, by its own events and by programs.

`Gate` stands before the application and looks at requests: how long they are, and where they lead. `GatedBlocks` looks at
the values that an event or an endpoint is given before Gradio does anything with them. Gradio itself would fetch what an
address names, and take files of any size as data URLs.
"""

import re
import sys
from typing import Any

import gradio as gr
from gradio.exceptions import InvalidPathError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stylemask_demo import messages
from stylemask_demo.downloads import fetch
from stylemask_demo.host_settings import HostSettings
from stylemask_demo.media import pictures
from stylemask_demo.ui.fair_queue import FairQueue

LARGEST_UPLOAD = pictures.MAXIMUM_BYTES  # bytes of a file, so that more never reaches the disk
LARGEST_UPLOADS = 2 * LARGEST_UPLOAD  # of all files of one request, with what is around them
LARGEST_DATA_URL = LARGEST_UPLOAD * 4 // 3 + 100  # characters: base64 makes four of three bytes
LARGEST_REQUEST = 2 * LARGEST_DATA_URL + 1_000_000  # bytes: a source, a target, and settings

_ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]+:", re.IGNORECASE)  # of any scheme; one letter is a drive of Windows
# What Gradio would fetch from elsewhere for a visitor, or write to the disk to stay: nothing on the page needs it.
_CLOSED = re.compile(r"/(?:(?:file[=/])\s*[a-z][a-z0-9+.-]+:|proxy=|deep_link)", re.IGNORECASE)
_UPLOAD = re.compile(r"/upload/?$")


class Gate:
    """ASGI middleware that turns away requests that are too long or lead elsewhere, before anything of them is kept."""

    def __init__(self, app: ASGIApp, settings: HostSettings | None = None):
        self._app, self._settings = app, settings or HostSettings()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        uploading = bool(_UPLOAD.search(scope["path"]))
        limit = LARGEST_UPLOADS if uploading else LARGEST_REQUEST
        refusal: JSONResponse | None = None
        if _CLOSED.search(scope["path"]):
            refusal = JSONResponse({"detail": messages.ADDRESS_GIVEN}, 403)
        elif uploading and self._settings.examples_only:
            refusal = JSONResponse({"detail": messages.EXAMPLES_ONLY}, 403)
        elif _length(scope) > limit:
            refusal = JSONResponse({"detail": _too_long(limit)}, 413)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > limit:  # whatever it said of its length
                raise HTTPException(413, _too_long(limit))
            return message

        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except HTTPException:
            raise
        except Exception as error:  # what Gradio stumbles over in requests that no page sends
            if begun and isinstance(error.__cause__, HTTPException):  # a session has ended, as the answer has said
                await send({"type": "http.response.body", "body": b""})
                return
            print(f"stylemask_demo: {scope['path']!r} failed: {type(error).__name__}", file=sys.stderr)
            if begun:
                raise
            full = isinstance(error, OSError) and fetch.no_room(error)
            told, status = (messages.DISK_FULL, 507) if full else (messages.WRONG_ARGUMENT, 400)
            await JSONResponse({"detail": told}, status)(scope, receive, send)


class GatedBlocks(gr.Blocks):
    """Blocks whose events and endpoints wait in a fair queue, and are given no value that `check_value` refuses."""

    def __init__(self, settings: HostSettings, **options: Any):
        super().__init__(**options)
        self._settings = settings

    def queue(self, *arguments: Any, **options: Any) -> "GatedBlocks":
        """Set the queue up as Gradio does, and make it a fair one; Gradio calls this itself."""
        super().queue(*arguments, **options)
        self._queue = FairQueue(self._queue)
        return self

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *arguments: Any, **options: Any) -> list[Any]:
        """Every call of the server passes here, with what was sent, before a file is looked for or written."""
        check_value(inputs, self._settings)
        try:
            return await super().preprocess_data(block_fn, inputs, *arguments, **options)
        except InvalidPathError as error:  # whose message would name folders of this machine
            raise _refusal(messages.NOT_SENT_HERE) from error
        except gr.Error as error:  # of a component, such as for a number outside of its range
            raise _refusal(error.message) from error
        except Exception as error:  # components trust what they are given, and fail in a hundred ways
            full = isinstance(error, OSError) and fetch.no_room(error)
            raise _refusal(messages.DISK_FULL if full else messages.WRONG_ARGUMENT) from error

    async def postprocess_data(self, *arguments: Any, **options: Any) -> list[Any]:
        """Every result passes here, and is written to a file."""
        try:
            return await super().postprocess_data(*arguments, **options)
        except OSError as error:
            raise _refusal(messages.DISK_FULL if fetch.no_room(error) else messages.UNWRITABLE) from error


def check_value(value: Any, settings: HostSettings) -> None:
    """Raise gr.Error where something in a value that was sent, a list or dictionary of any depth, is no file sent here.

    Files are dictionaries with a `path` or a `url`; addresses of all schemes are refused, and data URLs that are too long.
    """
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            _check_file(value.get("path"), value.get("url"), settings)
            waiting.extend(value.values())


def _check_file(path: object, url: object, settings: HostSettings) -> None:
    if isinstance(path, str) and _ADDRESS.match(path):
        raise _refusal(messages.ADDRESS_GIVEN)
    if not isinstance(url, str):
        return
    if not url.startswith("data:"):
        if not path:
            raise _refusal(messages.ADDRESS_GIVEN)
    elif settings.examples_only:
        raise _refusal(messages.EXAMPLES_ONLY)
    elif len(url) > LARGEST_DATA_URL:
        raise _refusal(messages.LARGE_PICTURE_FILE.format(limit=LARGEST_UPLOAD // 1_000_000))


def _refusal(message: str) -> gr.Error:
    return gr.Error(message, title="That did not work", duration=None, print_exception=False)


def _too_long(limit: int) -> str:
    return messages.LARGE_REQUEST.format(limit=limit // 1_000_000)


def _length(scope: Scope) -> int:
    said = dict(scope["headers"]).get(b"content-length", b"")
    return int(said) if said.isdigit() else 0

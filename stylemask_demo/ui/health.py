"""Whether the page still works, at /health: for Docker, load balancers, and whoever watches.

A worker that hangs is not seen from outside: the page opens, and nothing is ever ready. So all work on the accelerator
gives signs of life, and the page is ill where there has been none for long.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gradio.queueing import Queue
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/health"
QUIET_SECONDS = 300.0  # without a sign of life of work after which it hangs; the longest step of any takes a tenth


class SignsOfLife:
    """When each work that goes on has last shown that it does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[object, float] = {}  # by work: when

    @contextmanager
    def watched(self) -> Iterator["Work"]:
        """Watch a work until it ends, in whatever way."""
        work = Work(self)
        self.note(work)
        try:
            yield work
        finally:
            with self._lock:
                self._last.pop(work, None)

    def note(self, work: "Work") -> None:
        """Note a sign of life."""
        with self._lock:
            self._last[work] = time.monotonic()

    def quiet(self) -> float:
        """Seconds since the last sign of the work that has been quiet for longest; 0 where nothing is at work."""
        with self._lock:
            return time.monotonic() - min(self._last.values()) if self._last else 0.0


class Work:
    """Something that goes on and is watched."""

    def __init__(self, signs: SignsOfLife):
        self._signs = signs

    def goes_on(self) -> None:
        """Show that it does."""
        self._signs.note(self)


ACCELERATOR_WORK = SignsOfLife()  # of all work of this process on the accelerator


class Health:
    """ASGI middleware that answers at /health: 200 where all is well, and 503 where work hangs or the queue has stopped."""

    def __init__(self, app: ASGIApp, queue: Queue, signs: SignsOfLife = ACCELERATOR_WORK):
        self._app, self._queue, self._signs = app, queue, signs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        state = "hangs" if self._signs.quiet() > QUIET_SECONDS else "stopped" if self._queue.stopped else "ok"
        told = {
            "state": state,
            "waiting": len(self._queue),
            "working": sum(len(events or ()) for events in self._queue.active_jobs),
        }
        await JSONResponse(told, 200 if state == "ok" else 503)(scope, receive, send)

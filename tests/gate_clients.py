"""Clients of an application behind the gate and the headers, in this process."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from stylemask_demo.host_settings import HostSettings
from stylemask_demo.ui.gate import Gate
from stylemask_demo.ui.headers import Headers


def before(answer: Callable[[Request], Awaitable[Response]], settings: HostSettings | None = None) -> TestClient:
    """A client of an application that answers every request in one way."""
    routes = [Route("/{path:path}", answer, methods=["GET", "POST"])]
    middleware = [Middleware(Headers, framed_by=("https://huggingface.co",)), Middleware(Gate, settings=settings)]
    return TestClient(Starlette(routes=routes, middleware=middleware))

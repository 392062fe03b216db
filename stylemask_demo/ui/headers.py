"""Headers that keep the page to itself: what it may load, who may frame it, and what it tells other sites."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio's page has scripts and styles inside, and makes functions of its components' templates: these three stay allowed.
# Nothing comes from elsewhere, pictures and videos in the making come as data and blobs.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
# What visitors sent, and results, opened by themselves: shown, and never run, whatever a browser takes them for.
FILES = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
}


class Headers:
    """ASGI middleware that adds them to every answer. `framed_by`: the pages that may show this one in a frame."""

    def __init__(self, app: ASGIApp, framed_by: Sequence[str] = ()):
        self._app = app
        ancestors = " ".join(["'self'", *framed_by])
        policy = {**POLICY, "frame-ancestors": ancestors}
        self._headers = {**FIXED, "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items())}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = {"Content-Security-Policy": FILES} if "/file=" in scope["path"] else {}
                MutableHeaders(scope=message).update({**self._headers, **policy})
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)

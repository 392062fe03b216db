"""What other pages say of this one where somebody links to it: title and description in the page as it is served."""

import re
from html import escape

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stylemask_demo.ui.texts import DESCRIPTION, TITLE

GRADIOS_OWN = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>')
OURS = (
    f'<meta name="description" content="{escape(DESCRIPTION)}" />'
    f'<meta property="og:type" content="website" />'
    f'<meta property="og:title" content="{escape(TITLE)}" />'
    f'<meta property="og:description" content="{escape(DESCRIPTION)}" />'
    f'<meta name="twitter:card" content="summary" />'
).encode()


class LinkPreview:
    """ASGI middleware that describes this page where Gradio's template describes Gradio."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].strip("/"):
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def rewrite(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = GRADIOS_OWN.sub(b"", body).replace(b"<head>", b"<head>" + OURS, 1)
            headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, rewrite)

"""A web server on this machine that stands in for Google Drive and the Hub, with everything that goes wrong there."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# As Google Drive asks before it hands out a file that it did not search for viruses: all in one line.
CONFIRM = (
    "<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>"
    '<form id="download-form" action="{address}/download" method="get"><input type="submit" value="Download anyway"/>'
    '<input type="hidden" name="id" value="{id}"><input type="hidden" name="confirm" value="t"></form></body></html>'
)
QUOTA = """<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head><body>
<p class="uc-error-caption">Sorry, you can't view or download this file at this time.</p>
<p class="uc-error-subcaption">Too many users have viewed or downloaded this file recently. Please try again later.</p>
</body></html>"""


@dataclass
class Answer:
    """How the next request for a file is answered."""

    status: int = 200
    page: str | None = None  # a web page in place of the file
    cut: int | None = None  # bytes after which the connection breaks
    silent: threading.Event | None = None  # nothing more after the cut until this is set
    ranges: bool = True  # whether parts are handed out
    length: bool = True  # whether the size is told


@dataclass
class FileHost:
    """Files by name and, as Google Drive has them, by id; `answers` are used up, then all goes well."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    asks: bool = False  # the page of confirmation comes before each file
    answers: dict[str, deque[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # (name, Range) of those answered with a file

    def next(self, name: str, *answers: Answer) -> None:
        self.answers.setdefault(name, deque()).extend(answers)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host: FileHost

    def log_message(self, *_arguments) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        drive = query.get("id", [""])[0]
        name = self.host.ids.get(drive, "") if drive else url.path.rsplit("/", 1)[-1]
        if drive and self.host.asks and "confirm" not in query:
            return self._page(200, CONFIRM.format(address=self.host.address, id=drive))
        waiting = self.host.answers.get(name)
        answer = waiting.popleft() if waiting else Answer()
        if name not in self.host.files:
            return self._page(404, "<html>Not found</html>")
        if answer.page or answer.status != 200:
            return self._page(answer.status, answer.page or "<html>Error</html>")
        self._file(name, self.host.files[name], answer)

    def _page(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _file(self, name: str, content: bytes, answer: Answer) -> None:
        tag = f'"{hash(content)}"'
        asked = self.headers.get("Range")
        self.host.requests.append((name, asked))
        start = 0
        if asked and answer.ranges and self.headers.get("If-Range", tag) == tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("ETag", tag)
        self.close_connection = True
        self.send_header("Connection", "close")
        if answer.length:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content) if answer.cut is None else start + answer.cut
        self.wfile.write(content[start:end])
        self.wfile.flush()
        if answer.silent is not None:
            answer.silent.wait(60)


@contextmanager
def file_host() -> Iterator[FileHost]:
    """Run the server on a free port of this machine."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.host = FileHost(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield handler.host
    finally:
        server.shutdown()
        server.server_close()

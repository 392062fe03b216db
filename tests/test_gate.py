"""The gate before the page: no address in place of a file, nothing too large, at every endpoint; and the page's headers."""

import base64
import http.server
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import gradio as gr
import numpy as np
import pytest
from gate_clients import before
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from loops import finished
from PIL import Image
from serving import ROOT
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from stylemask_demo import messages
from stylemask_demo.host_settings import HostSettings
from stylemask_demo.ui import gate
from stylemask_demo.ui.gate import check_value
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.page import Page, build_page

FILE = {"_type": "gradio.FileData"}
FACE = ROOT / "tests" / "assets" / "faces" / "900000_0.webp"
ADDRESSES = (
    "http://127.0.0.1:9/a.png",
    "https://example.org/a.png",
    "HTTP://EXAMPLE.ORG/a.png",
    " ftp://example.org/a.png",
    "file:///etc/hostname",
    "gopher://example.org/",
    "concat:/etc/hostname",
    "data:image/png;base64,AAAA",
)


@pytest.fixture(scope="module")
def page() -> Page:
    return build_page(PackRegistry())


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("depth", [0, 3, 100_000])
def test_an_address_in_place_of_a_file_is_refused_however_deep(address: str, depth: int) -> None:
    value: object = {"path": address, "meta": FILE}
    for _ in range(depth):
        value = [{"value": value}]
    with pytest.raises(gr.Error, match="Addresses are not opened"):
        check_value(value, HostSettings())


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a.png", "https://example.org/a.png"])
def test_an_address_without_a_file_is_refused(url: str) -> None:
    for path in (None, ""):
        with pytest.raises(gr.Error, match="Addresses are not opened"):
            check_value({"path": path, "url": url, "meta": FILE}, HostSettings())


def test_what_the_page_itself_sends_passes() -> None:
    shown = {
        "path": "/tmp/gradio/a/b.png",
        "url": "http://127.0.0.1:7860/gradio_api/file=/tmp/gradio/a/b.png",
        "meta": FILE,
    }
    windows = {"path": "C:\\Users\\somebody\\b.png", "url": None, "meta": FILE}
    small = {"path": None, "url": "data:image/png;base64,AAAA", "meta": FILE}
    check_value([shown, windows, small, None, 1.0, "https://example.org is only a text"], HostSettings())


def test_a_data_url_is_capped_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base64, "b64decode", lambda *_: pytest.fail("it was decoded"))
    value = {"path": None, "url": "data:image/png;base64," + "A" * gate.LARGEST_DATA_URL, "meta": FILE}
    with pytest.raises(gr.Error, match="larger than 50 MB"):
        check_value(value, HostSettings())


def test_every_event_and_every_endpoint_passes_the_gate(page: Page) -> None:
    payload = {"path": "http://127.0.0.1:9/a.png", "url": "http://127.0.0.1:9/a.png", "meta": FILE}
    passed = []
    for function in page.blocks.fns.values():
        if function.inputs and function.fn is not None:
            with pytest.raises(gr.Error, match="Addresses are not opened"):
                finished(page.blocks.preprocess_data(function, [payload] * len(function.inputs), None))
            passed.append(function.api_name)
    assert {"reenact", "edit", "drive", "tune", "stages", "parameters"} <= set(passed) and len(passed) > 20


def test_a_stream_of_a_session_that_has_ended_says_so_and_ends(address: str) -> None:
    """The page's log, which may hold no traceback, is looked at when the page ends."""
    with urllib.request.urlopen(f"{address}/gradio_api/queue/data?session_hash=left", timeout=60) as answer:
        (told,) = answer.read().decode().split("\n\n")[:-1]
    assert json.loads(told.removeprefix("data: "))["session_not_found"]


def test_a_host_may_take_examples_only() -> None:
    only = HostSettings(examples_only=True)
    check_value({"path": str(ROOT / "assets" / "examples" / "source_1.webp"), "url": None, "meta": FILE}, only)
    with pytest.raises(gr.Error, match="no pictures of your own"):
        check_value({"path": None, "url": "data:image/png;base64,AAAA", "meta": FILE}, only)
    with _before_an_app(settings=only) as client:
        answer = client.post("/gradio_api/upload", content=b"12345")
        assert answer.status_code == 403 and answer.json()["detail"] == messages.EXAMPLES_ONLY
        assert client.post("/gradio_api/queue/join", content=b"12345").text == "5"


def _before_an_app(settings: HostSettings | None = None) -> TestClient:
    """A client of an application behind the gate that answers how many bytes it was sent."""

    async def count(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    return before(count, settings)


@pytest.mark.parametrize(
    "path, limit", [("/gradio_api/upload", "LARGEST_UPLOADS"), ("/gradio_api/call/x", "LARGEST_REQUEST")]
)
@pytest.mark.parametrize("told", [True, False])
def test_too_long_a_request_is_refused_whatever_it_says_of_its_length(
    monkeypatch: pytest.MonkeyPatch, path: str, limit: str, told: bool
) -> None:
    monkeypatch.setattr(gate, limit, 1000)
    with _before_an_app() as client:
        for size, status in ((1000, 200), (1001, 413)):
            content = b"a" * size if told else iter([b"a" * 500, b"a" * (size - 500)])
            answer = client.post(path, content=content)
            assert answer.status_code == status
            assert "can be sent at once" in answer.text or status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://127.0.0.1:9/a.png",
        "/gradio_api/file=https%3A%2F%2Fexample.org/a.png",
        "/gradio_api/file=HTTP://example.org",
        "/gradio_api/file/http://example.org",
        "/gradio_api/proxy=http://example.org",
        "/gradio_api/deep_link?session_hash=a",
    ],
)
def test_the_page_fetches_nothing_for_a_visitor(path: str) -> None:
    with _before_an_app() as client:
        assert client.get(path).status_code == 403
        assert client.get("/gradio_api/file=/tmp/a.png").status_code == 200


def test_every_answer_keeps_the_page_to_itself() -> None:
    with _before_an_app() as client:
        assert "sandbox" in client.get("/gradio_api/file=/tmp/a.svg").headers["content-security-policy"]
        for answer in (client.get("/"), client.get("/gradio_api/proxy=x"), client.post("/a", content=b"1")):
            policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
            assert policy["default-src"] == "'self'" and policy["object-src"] == "'none'"
            assert policy["frame-ancestors"] == "'self' https://huggingface.co"
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_space_may_be_framed_by_its_host_and_others_only_where_it_is_said() -> None:
    assert HostSettings.from_environment({}).framed_by == ()
    assert "https://huggingface.co" in HostSettings.from_environment({"SPACE_ID": "a/b"}).framed_by
    assert HostSettings.from_environment({"STYLEMASK_FRAMED_BY": "https://a.org https://b.org"}).framed_by == (
        "https://a.org",
        "https://b.org",
    )


# --- the page itself


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine: its address, and what it was asked for."""
    asked: list[str] = []

    class Noting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(FACE.read_bytes())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Noting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/face.webp", asked
    server.shutdown()


def test_no_request_leaves_the_page_because_of_what_it_was_sent(client, address, elsewhere) -> None:
    there, asked = elsewhere
    for file in ({"path": there, "meta": FILE}, {"path": None, "url": there, "meta": FILE}):
        with pytest.raises(AppError, match="Addresses are not opened"):
            client.predict(file, api_name="/parameters")
    for route in ("file=", "proxy="):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{address}/gradio_api/{route}{there}", timeout=60)
    assert not asked


@pytest.mark.parametrize("path", ["/etc/hostname", "../../../etc/hostname", str(ROOT / "app.py"), str(FACE)])
def test_a_file_that_was_not_sent_is_refused_without_a_word_of_the_machine(address, path) -> None:
    told = _asked(address, "parameters", [{"path": path, "meta": FILE}, 0, "synthetic"])
    assert "event: error" in told and messages.NOT_SENT_HERE in told
    assert path not in told and "gradio" not in told and str(ROOT) not in told


def test_a_data_url_is_a_picture(client) -> None:
    content = base64.b64encode(FACE.read_bytes()).decode()
    sent = {"path": None, "url": f"data:image/webp;base64,{content}", "meta": FILE}
    measured = client.predict(sent, api_name="/parameters")
    assert measured == client.predict(handle_file(FACE), api_name="/parameters")


def test_the_page_sends_its_headers(address) -> None:
    with urllib.request.urlopen(address, timeout=60) as answer:
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_one_visitor_tuned_reaches_no_other(address) -> None:
    """The same picture, method and weights: the stranger's result is that of before."""
    mine, stranger = (Client(address, verbose=False, httpx_kwargs={"timeout": 60}) for _ in range(2))
    ask = (handle_file(FACE), 0, 0, 0.3)
    before = _pixels(mine.predict(*ask, api_name="/edit"))
    mine.predict(handle_file(FACE), 3, api_name="/tune")
    assert np.abs(_pixels(mine.predict(*ask, api_name="/edit")) - before).mean() > 0.05
    assert np.array_equal(_pixels(stranger.predict(*ask, api_name="/edit")), before)


def _asked(address: str, endpoint: str, data: list) -> str:
    """What the page answers to a call that was put together by hand: `gradio_client` would send files along."""
    call = f"{address}/gradio_api/call/{endpoint}"
    body = json.dumps({"data": data}).encode()
    request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{call}/{event}", timeout=60) as answer:
        return answer.read().decode()


def _pixels(path: str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=float)

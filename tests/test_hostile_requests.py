"""Requests that nobody's page would send, to every endpoint: each is answered with a sentence, and the page goes on."""

import json
import re
import string
import urllib.error
import urllib.request
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import ROOT

from stylemask_demo import messages

STEADY = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
FILE = {"_type": "gradio.FileData"}
ENDPOINTS = [
    "reenact", "edit", "tune", "drive", "random_person", "compare", "strip", "grid", "parameters", "stages",
]  # fmt: skip
FILES = [
    {"path": path, "meta": FILE}
    for path in (
        "/etc/passwd",
        "../../etc/passwd",
        "/proc/self/environ",
        "",
        "\0",
        "a" * 5000,
        str(ROOT / "app.py"),
        7,
        None,
    )
]
FILES += [
    {"path": None, "url": url, "meta": FILE} for url in ("data:image/png;base64,AAAA", "data:,", "http://127.0.0.1:9/a")
]
HOSTILE = st.sampled_from([
    None, True, 0, -1, 1e308, -1e308, 10**30, "nan", "1e9", "", "x" * 100_000, "../../etc/passwd", "synthetic", "\0",
    [], [[]], [None], {}, {"__type__": "update", "value": 1}, {"path": "/etc/passwd"}, [[[[[[[[]]]]]]]], *FILES,
])  # fmt: skip
MESSAGES = [text for name, text in vars(messages).items() if name.isupper() and isinstance(text, str)]


def _pattern(text: str) -> str:
    """What a message looks like when it is filled in."""
    return "".join(
        re.escape(part) + ("" if field is None else ".*") for part, field, _, _ in string.Formatter().parse(text)
    )


SENTENCE = re.compile(
    "|".join(_pattern(text) for text in MESSAGES) + r"|.*(minimum|maximum|list of choices|integer).*", re.S
)


def _sent(address: str, path: str, body: bytes, kind: str = "application/json") -> tuple[int, str]:
    """The status and the text of an answer."""
    request = urllib.request.Request(f"{address}/gradio_api/{path}", body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _harmless(text: str) -> None:
    """Nothing of the machine and of the program is told."""
    assert not re.search(r"Traceback|site-packages|\.py\b|root:|" + re.escape(str(ROOT)), text), text


@pytest.fixture(scope="module")
def takes(client) -> dict[str, int]:
    """How many values each endpoint takes."""
    told = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert {f"/{name}" for name in ENDPOINTS} == set(told)
    return {name: len(told[f"/{name}"]["parameters"]) for name in ENDPOINTS}


@settings(STEADY, max_examples=60)
@given(st.sampled_from(ENDPOINTS), st.lists(HOSTILE, min_size=20, max_size=20))
def test_every_value_is_refused_in_one_sentence(address: str, takes: dict[str, int], name: str, values: list[Any]) -> None:
    status, text = _sent(address, f"call/{name}", json.dumps({"data": values[: takes[name]]}).encode())
    assert status == 200, text
    with urllib.request.urlopen(f"{address}/gradio_api/call/{name}/{json.loads(text)['event_id']}", timeout=60) as answer:
        told = answer.read().decode()
    _harmless(told)
    *_, event, data = (line.partition(": ")[2] for line in told.splitlines() if line)
    if event == "error":
        assert SENTENCE.fullmatch(json.loads(data)["error"]), told
    else:
        assert (event, name) == ("complete", "random_person"), "there is no picture among these values"


@settings(STEADY, max_examples=40)
@given(
    st.sampled_from(
        ["call/edit", "call/nonesuch", "call/", "queue/join", "cancel", "reset", "upload", "run/edit", "api/edit"]
    ),
    st.binary(max_size=200)
    | st.sampled_from([b"", b"{}", b"[]", b"null", b'{"data": 1}', b'{"data": [], "fn_index": -1, "session_hash": "a"}'])
    | st.sampled_from(
        [b'{"data": [], "fn_index": 10000, "session_hash": "a"}', b"[" * 100_000, b'{"data": ' + b"[" * 5000]
    ),
    st.sampled_from(["application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x"]),
)
def test_whatever_is_sent_is_answered(address: str, path: str, body: bytes, kind: str) -> None:
    status, text = _sent(address, path, body, kind)
    assert status < 500, (status, text)
    _harmless(text)


def test_the_page_is_well_after_all_that(address: str) -> None:
    with urllib.request.urlopen(f"{address}/health", timeout=60) as answer:
        assert json.load(answer) == {"state": "ok", "waiting": 0, "working": 0}

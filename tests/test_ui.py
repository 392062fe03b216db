"""Parts of the page that need no browser: long work as a stream, tuned portraits within bounds, example results."""

import contextvars
import threading
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext
from PIL import Image

from stylemask_demo.caching import SWEEP_SECONDS
from stylemask_demo.errors import Cancelled, DownloadFailed, StyleMaskError
from stylemask_demo.host_settings import HostSettings
from stylemask_demo.ui import long_handlers, texts
from stylemask_demo.ui.components import DropZone, LivePicture, PictureDownload, PictureRow, VideoZone
from stylemask_demo.ui.compute import Computed
from stylemask_demo.ui.error_messages import explained, in_card
from stylemask_demo.ui.examples import example_faces, remembering_examples
from stylemask_demo.ui.launch import on_desktop
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.pictures import load_picture
from stylemask_demo.ui.progress import Finished, Progress, stream
from stylemask_demo.ui.questions import answering, new_place
from stylemask_demo.ui.subjects import Subject
from stylemask_demo.ui.tuned_portraits import TunedPortraits


def test_a_stream_ends_with_what_the_work_returns():
    def work(report):
        report(1, 2, "half")
        return "result"

    *before, last = stream(work)
    assert last == Finished("result")
    assert set(before) <= {Progress(), Progress(1, 2, "half")}


def test_a_stream_raises_what_the_work_raises():
    def work(report):
        raise StyleMaskError("It rains.")

    with pytest.raises(StyleMaskError, match="It rains"):
        list(stream(work))


def test_work_stops_when_nobody_reads_on():
    reading, stopped = threading.Event(), threading.Event()

    def work(report):
        report(1, 100)
        reading.wait(10)
        try:
            report(2, 100)
        except Cancelled:
            stopped.set()
            raise

    items = stream(work)
    assert next(items) == Progress(1, 100)
    items.close()
    reading.set()
    assert stopped.wait(10)


def test_work_that_was_left_keeps_its_place_until_it_stops():
    place, frame, begun = threading.Semaphore(1), threading.Event(), []

    def work(report):
        begun.append(report)
        frame.wait(10)
        report(1, 100)

    first, second, third = (stream(work, place) for _ in range(3))
    for items in (first, second):
        assert next(items) == Progress()
        items.close()  # one at work, one that waits
    assert next(third) == Progress()
    assert len(begun) == 1, "what was left works on, and others begin"
    frame.set()
    assert list(third)[-1] == Finished(None)
    assert len(begun) == 2, "nobody works for those who have left while they waited"


def test_a_reader_can_leave_work_that_never_reports():
    forever = threading.Event()
    items = stream(lambda report: forever.wait(30))
    assert next(items) == Progress()  # the latest there is, again and again
    assert next(items) == Progress()
    items.close()
    forever.set()


def test_tuned_portraits_stay_within_bounds():
    kept = TunedPortraits(most_bytes=100)
    first, second, third = (kept.add(letter * 40, "a face") for letter in (b"1", b"2", b"3"))
    assert kept.find(first) is None
    assert kept.find(second) == b"2" * 40
    assert kept.find(third) == b"3" * 40
    kept.drop(second)
    assert kept.find(second) is None
    kept.drop(None)


def test_tuned_portraits_are_forgotten_in_time():
    now = [0.0]
    kept = TunedPortraits(clock=lambda: now[0])
    match = kept.add(b"1", "a face")
    now[0] = 3600 - SWEEP_SECONDS - 1  # used up to the end: that makes it no younger
    assert kept.find(match) is None
    match = kept.add(b"2", "a face")
    now[0] += 3000
    assert kept.find(match) == b"2"


def test_a_key_tells_nothing_and_no_two_are_alike():
    kept = TunedPortraits()
    keys = {kept.add(b"1", "a face").key for _ in range(20)}
    assert len(keys) == 20 and min(len(key) for key in keys) > 20


def _counting():
    calls = []

    def function(*arguments):
        calls.append(arguments)
        return Computed(len(calls), 1.0, None)

    return calls, remembering_examples(function)


def test_results_of_examples_are_remembered_and_of_others_not():
    calls, function = _counting()
    example, other = (load_picture(path) for path in example_faces("source")[:2])
    for yaw in (1, 2, 1, 2):
        function("pack", Subject(example), yaw)
    assert len(calls) == 2
    function("another pack", Subject(example), 1)
    function("pack", Subject(other), 1)
    function("pack", Subject(example, matched=b"1"), 1)
    assert len(calls) == 5
    own = Image.new("RGB", example.size)  # as large as the examples
    function("pack", Subject(own), 1)
    function("pack", Subject(own), 1)
    assert len(calls) == 7


def test_the_page_opens_with_the_embedded_pack_when_another_cannot_be_fetched(monkeypatch, capsys):
    def refuse(name, progress):
        progress(50, 100, "weights.pt")
        raise DownloadFailed("The host does not answer. Try again later.")

    monkeypatch.setenv("STYLEMASK_PACK", "ffhq")
    monkeypatch.setattr("stylemask_demo.ui.pack_registry.download_pack", refuse)
    assert PackRegistry.from_environment().default == "synthetic"
    shown = capsys.readouterr().out
    assert "weights.pt: 50 %" in shown and "does not answer" in shown


@pytest.fixture
def handlers():
    return long_handlers.LongHandlers(None, None, TunedPortraits(), HostSettings(downloads=True))


def test_a_download_shows_its_progress(monkeypatch, handlers):
    seen = threading.Event()

    def fetch(name, progress):
        assert name == "ffhq"
        progress(50 * 10**6, 100 * 10**6, "weights.pt (1 of 2)")
        assert seen.wait(10)

    monkeypatch.setattr(long_handlers, "download_pack", fetch)
    lines = []
    for line, *_ in handlers.download("ffhq"):
        lines.append(line)
        if "50 of 100 MB" in line:
            seen.set()
    assert seen.is_set()
    assert lines[-1] == ""


def test_a_download_that_fails_is_explained(monkeypatch, handlers):
    def refuse(name, progress):
        raise DownloadFailed("The disk is full. Make room and try again.")

    monkeypatch.setattr(long_handlers, "download_pack", refuse)
    with pytest.raises(gr.Error, match="disk is full"):
        list(handlers.download("ffhq"))


def test_one_download_at_a_time_even_when_its_visitor_has_left(monkeypatch, handlers):
    begun, stop = [], threading.Event()

    def fetch(name, progress):
        begun.append(name)
        stop.wait(10)
        progress(1, 2, "weights.pt")

    monkeypatch.setattr(long_handlers, "download_pack", fetch)
    first, second = handlers.download("ffhq"), handlers.download("voxceleb")
    for items in (first, second):
        next(items), next(items)
    first.close()
    next(second)
    assert begun == ["ffhq"]
    stop.set()
    assert len(list(second)) and begun == ["ffhq", "voxceleb"]


@pytest.mark.parametrize(
    "address, shared, said, may",
    [
        ("127.0.0.1", False, None, True),
        ("localhost", False, None, True),
        ("[::1]", False, None, True),
        ("127.0.0.1", True, None, False),
        ("0.0.0.0", False, None, False),
        ("192.168.1.2", False, None, False),
        ("", False, None, False),
        ("0.0.0.0", False, True, True),
        ("127.0.0.1", False, False, False),
    ],
)
def test_the_owner_decides_who_may_download(monkeypatch, address, shared, said, may):
    def fetch(name, progress):
        assert may

    monkeypatch.setattr(long_handlers, "download_pack", fetch)
    handlers = long_handlers.LongHandlers(None, None, TunedPortraits(), HostSettings(downloads=said))
    page = SimpleNamespace(server_name=address, share=shared)
    told = contextvars.copy_context()
    told.run(LocalContext.blocks.set, page)
    if may:
        assert told.run(list, handlers.download("ffhq"))
    else:
        with pytest.raises(gr.Error, match="not downloaded for visitors"):
            told.run(list, handlers.download("ffhq"))


@pytest.mark.parametrize(
    "environment, there",
    [
        ({}, False),
        ({"DISPLAY": ":0"}, True),
        ({"DISPLAY": ":0", "SPACE_ID": "a/b"}, False),
        ({"SSH_CONNECTION": "1"}, False),
    ],
)
def test_the_browser_opens_only_on_a_desktop(monkeypatch, environment, there):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SPACE_ID", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert on_desktop() is there


def test_a_message_of_long_work_stays_in_its_line_and_is_not_shown_in_passing():
    @explained
    def work():
        yield "10 %", "running"
        raise StyleMaskError("It <rains>.")

    items = in_card(work, ["line", "button"], "line")()
    assert next(items) == ("10 %", "running")
    line, button = next(items)
    assert "It &lt;rains&gt;." in line and button == gr.skip()
    with pytest.raises(gr.Error) as error:
        next(items)
    assert not error.value.visible


def test_an_answer_brings_its_question_and_a_refusal_leaves_no_picture():
    with gr.Blocks():
        place = new_place("edited", [LivePicture(), gr.HTML()])

    def handler(source):
        if source is None:
            raise StyleMaskError("A picture is needed.")
        return Image.new("RGB", (4, 4)), "status", "told"

    answer, told = answering(handler, place, told=1)("a picture", "question")
    assert (answer["asked"], told) == ("question", "told")
    picture, status = answer["shown"]
    assert picture["url"].startswith("data:image/jpeg") and status == "status"
    answer, told = answering(handler, place, told=1)(None, "another")
    assert (answer["asked"], answer["message"]) == ("another", "A picture is needed.")
    assert answer["shown"] == [None, gr.skip()] and told == gr.skip()


def test_texts_from_elsewhere_cannot_become_markup():
    assert "<script>" not in texts.progress("<script>", 1, 2)
    assert "<script>" not in texts.download_progress("<script>", 1, 2)
    assert "<script>" not in texts.method_hint("<script>")


@pytest.mark.parametrize("kind", [DropZone, VideoZone, PictureRow, lambda **how: PictureDownload("face", **how)])
def test_files_of_components_that_were_updated_are_deleted_too(kind):
    with gr.Blocks() as blocks:
        component = kind()
    copy = kind(render=False)  # as Gradio makes it for a visitor at the first update
    copy.temp_files.add("a visitor's file")
    assert any("a visitor's file" in files for files in blocks.temp_file_sets)
    component.temp_files.discard("a visitor's file")

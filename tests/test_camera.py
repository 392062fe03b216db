"""A camera that moves the source: what is followed, what stays of a visitor, and what the page does."""

import base64
import io
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from browser import launch_or_skip
from people import LABELS, look, picture
from PIL import Image
from visiting import WAIT, Visit

from stylemask_demo import caching, messages
from stylemask_demo.driving.options import Driving
from stylemask_demo.live import LiveFace, live_picture
from stylemask_demo.media.provenance import settings_of
from stylemask_demo.ui.camera_compute import CameraCompute
from stylemask_demo.ui.camera_handlers import IDLE_SECONDS, LARGEST_FRAME, MOST_FOLLOWERS, CameraHandlers

WALL = (95, 105, 110)


def scene(face: Image.Image | None, x: int = 170) -> Image.Image:
    """What a camera sees: a face at x before a wall, or only the wall."""
    seen = Image.new("RGB", (640, 480), WALL)
    if face is not None:
        seen.paste(face.resize((300, 300)), (x, 90))
    return seen


@pytest.fixture(scope="module")
def source(reenactor):
    return reenactor.portrait(picture("900000_0"))


class Counting:
    """A finder that counts how often it is asked."""

    name = "counting"

    def __init__(self, finder):
        self.finder, self.calls = finder, 0

    def find(self, *asked):
        self.calls += 1
        return self.finder.find(*asked)


@pytest.mark.slow
@pytest.mark.parametrize("how", [{}, {"method": "directions"}, {"region": "pose"}], ids=str)
def test_the_source_follows_and_the_face_is_searched_once(reenactor, source, monkeypatch, how) -> None:
    monkeypatch.setattr(reenactor.pipeline, "finder", Counting(reenactor.pipeline.finder))
    face = LiveFace(Driving(smoothing=0.0, **how))
    names = ["900003_0"] * 2 + ["900003_1"] * 2
    made = [live_picture(reenactor, source, scene(picture(name), 170 + 6 * i), face) for i, name in enumerate(names)]
    assert reenactor.pipeline.finder.calls == 1
    assert settings_of(made[0])["region"] == face.how.region
    seen = [parameters.yaw for parameters in look(reenactor, [made[1], made[3]])[0]]
    true = [LABELS[name]["euler"][0] for name in ("900003_0", "900003_1")]
    assert np.abs(np.subtract(seen, true)).mean() < 6
    assert (seen[1] - seen[0]) / (true[1] - true[0]) > 0.7


@pytest.mark.slow
def test_who_has_gone_is_searched_now_and_then_and_numbers_are_all_that_is_kept(reenactor, source, monkeypatch) -> None:
    finder = Counting(reenactor.pipeline.finder)
    monkeypatch.setattr(reenactor.pipeline, "finder", finder)
    face = LiveFace(Driving(motion="relative"))
    assert live_picture(reenactor, source, scene(picture("900003_1")), face) is not None
    finder.calls = 0
    assert not any(live_picture(reenactor, source, scene(None), face) for _ in range(12))
    assert finder.calls == 3
    again = [live_picture(reenactor, source, scene(picture("900003_1"), 60), face) for _ in range(4)]
    assert again[-1] is not None
    kept = pickle.dumps(face)
    assert len(kept) < 256 * 256 * 3 and b"PIL" not in kept, "codes and landmarks, and no picture"
    assert live_picture(reenactor, source, scene(picture("900003_1"), 60), pickle.loads(kept)) is not None


class Pictures:
    """The part of the page's handlers that tells who the source is."""

    def source(self, picture, face, pack, match):
        return picture, ()


COMPUTE = CameraCompute(lambda pack, source: source, lambda pack, source, frame, face: (frame, face))


VISITOR = SimpleNamespace(session_hash="visitor")


@pytest.fixture
def handlers() -> CameraHandlers:
    return CameraHandlers(COMPUTE, Pictures())


def begin(handlers: CameraHandlers, key: str | None = None, source: str | None = None) -> tuple[str | None, str, str]:
    given = source or str(Path(__file__).parent / "assets" / "faces" / "900000_0.webp")
    how = ("stylemask", 1.0, "all", "absolute", 1.0, 0, "synthetic", None)
    return handlers.begin(given, *how, key, VISITOR)


def sent(frame: Image.Image) -> str:
    file = io.BytesIO()
    frame.save(file, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


written: list[str] = []


def _note(event: str, arguments: tuple) -> None:
    """Note each file that is opened to be written, whoever does it."""
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        written.append(str(arguments[0]))


def test_frames_never_reach_the_disk(handlers) -> None:
    sys.addaudithook(_note)
    key, told, line = begin(handlers)
    assert told == f"{key} visitor" and not line
    written.clear()
    answers = [handlers.follow(key, sent(scene(picture("900003_1"), x))) for x in (100, 120)]
    assert all(answer["picture"].startswith("data:image/jpeg") for answer in answers)
    assert not written
    with open("/dev/null", "w"):
        assert written, "what is written is noted"


def test_two_frames_of_a_visitor_are_at_work_at_once_and_a_third_is_not_taken() -> None:
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def follow(pack, source, frame, face):
        begun.release()
        assert go_on.acquire(timeout=10)
        return frame, face

    handlers = CameraHandlers(CameraCompute(lambda pack, source: source, follow), Pictures())
    key, *_ = begin(handlers)
    with ThreadPoolExecutor() as visitor:
        answers = [visitor.submit(handlers.follow, key, sent(scene(None))) for _ in range(2)]
        assert begun.acquire(timeout=10) and begun.acquire(timeout=10)
        assert handlers.follow(key, sent(scene(None))) == {"busy": True}
        go_on.release(3)
        assert all("picture" in answer.result(timeout=10) for answer in answers)
    assert "picture" in handlers.follow(key, sent(scene(None))), "there is room again"


@pytest.mark.slow
def test_a_frame_is_followed_while_the_one_before_is_drawn(reenactor, source, monkeypatch) -> None:
    """But not before that has been followed."""
    face, entered, go_on = LiveFace(Driving()), [], threading.Semaphore(0)
    crop, draw, followed = face.crop, reenactor.pipeline.results.pictures, threading.Semaphore(0)

    def follow(*frame):
        assert face.turn.locked()
        entered.append("followed")
        followed.release()
        return crop(*frame)

    def wait_and_draw(*code, **how):
        entered.append("drawn")
        assert go_on.acquire(timeout=30)
        return draw(*code, **how)

    monkeypatch.setattr(face, "crop", follow)
    monkeypatch.setattr(reenactor.pipeline.results, "pictures", wait_and_draw)
    with ThreadPoolExecutor() as visitor:
        made = []
        for name in ("900003_0", "900003_1"):
            made.append(visitor.submit(live_picture, reenactor, source, scene(picture(name)), face))
            assert followed.acquire(timeout=30)
        go_on.release(2)
        assert all(answer.result(timeout=30) for answer in made)
    assert sorted(entered) == ["drawn"] * 2 + ["followed"] * 2


def test_a_follower_is_forgotten_when_its_visitor_goes_or_rests(handlers, monkeypatch) -> None:
    key, *_ = begin(handlers)
    assert begin(handlers, key)[0] == key and len(handlers) == 1, "other settings make no other follower"
    handlers.end(key)
    assert len(handlers) == 0 and handlers.follow(key, sent(scene(None))) == {"gone": True}
    time = 1000.0
    monkeypatch.setattr(caching, "now", lambda: time)
    key, *_ = begin(handlers)
    time += IDLE_SECONDS - 1
    assert "picture" in handlers.follow(key, sent(scene(None)))
    time += IDLE_SECONDS - 1
    assert "picture" in handlers.follow(key, sent(scene(None))), "a frame keeps it"
    time += IDLE_SECONDS + 1
    assert handlers.follow(key, sent(scene(None))) == {"gone": True}
    key, *_ = begin(handlers)
    for _ in range(60):
        time += IDLE_SECONDS - 1
        last = handlers.follow(key, sent(scene(None)))
    assert last == {"gone": True}, "within the hour in any case"


def test_what_cannot_be_followed_is_refused(handlers) -> None:
    keys = [begin(handlers)[0] for _ in range(MOST_FOLLOWERS)]
    assert messages.MANY_CAMERAS in begin(handlers)[2]
    assert begin(handlers, keys[0])[0] == keys[0], "who is followed already goes on"
    for frame in ("A" * (LARGEST_FRAME + 1), "data:image/jpeg;base64,nothing", ""):
        with pytest.raises(Exception, match="camera|picture") as refused:
            handlers.follow(keys[0], frame)
        assert type(refused.value).__name__ == "Error"
    handlers.end(keys[1])
    key, _, line = handlers.begin(None, "stylemask", 1.0, "all", "absolute", 1.0, 0, "synthetic", None, None, VISITOR)
    assert key is None and messages.SOURCE_NEEDED in line
    closed = CameraHandlers(COMPUTE, Pictures(), closed=True)
    assert messages.EXAMPLES_ONLY in begin(closed)[2] and len(closed) == 0


@pytest.fixture(scope="module")
def filmed(tmp_path_factory) -> Path:
    """What the browser's false camera sees, over and over: a face that moves."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    with path.open("wb") as file:
        for number in range(40):
            face = picture("900003_1").rotate(8 * np.sin(number / 40 * 2 * np.pi), Image.Resampling.BICUBIC, fillcolor=WALL)
            scene(face, 170 + round(30 * np.cos(number / 40 * 2 * np.pi))).save(file, "JPEG", quality=90)
    return path


@pytest.fixture
def before_camera(playwright, address, filmed):
    """A tab of a browser with a camera."""
    false = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    browser = launch_or_skip(playwright, [*false, f"--use-file-for-fake-video-capture={filmed}"])
    tab = Visit(browser.new_context(viewport={"width": 1360, "height": 900}, permissions=["camera"]).new_page(), address)
    yield tab
    browser.close()
    assert not tab.problems


def test_the_camera_moves_the_source_until_the_tab_is_left(before_camera, uploads, client) -> None:
    tab, page = before_camera, before_camera.page
    tab.open("Follow a video")
    page.get_by_role("radio", name="Your camera").click()
    page.locator("#video").wait_for(state="hidden")
    keys, sessions = [], set()

    def note(request) -> None:
        if "follow_camera" in request.url:
            keys.append(request.post_data_json["data"][0])
        if "follow_camera" in request.url or "/queue/join" in request.url:
            sessions.add(request.post_data_json["session_hash"])

    page.on("request", note)
    tab.note_pictures(".live-view img")
    before = sorted(uploads.rglob("*"))
    page.click("#camera-start")
    page.wait_for_function("new Set(seen.map(one => one.picture)).size >= 6", timeout=WAIT)
    page.wait_for_function("/^\\d+\\.\\d pictures a second, \\d+\\.\\d\\d s late$/.test("
                           "document.querySelector('.live-view figcaption').innerText)", timeout=WAIT)  # fmt: skip
    page.get_by_role("radio", name="Head pose").last.click()
    count = page.evaluate("seen.length")
    page.wait_for_function(f"seen.length > {count} + 4", timeout=WAIT)
    for width in (1360, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        tab.keep(f"camera-{width}")
    assert len(set(keys)) == 1 and len(sessions) == 1, "Gradio makes a session of its own for each that names none"
    track = page.evaluate_handle("document.querySelector('.camera-view video').srcObject.getTracks()[0]")
    with page.expect_response(lambda answer: "end_camera" in answer.url, timeout=WAIT):
        tab.open("Move by hand")
    assert not page.evaluate("document.body.hasAttribute('data-camera')")
    assert track.evaluate("track => track.readyState") == "ended"
    assert client.predict(keys[0], "", api_name="/follow_camera") == {"gone": True}
    assert sorted(uploads.rglob("*")) == before


def test_a_camera_that_stays_closed_is_told(visit) -> None:
    tab = visit()
    tab.open("Follow a video")
    tab.page.get_by_role("radio", name="Your camera").click()
    tab.page.click("#camera-start")
    tab.page.get_by_text("There is no camera, or the browser keeps it closed.").wait_for(timeout=WAIT)
    assert tab.page.locator("#camera-start").is_visible()

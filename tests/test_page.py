"""The page over the shipped pack: through gradio_client, and in a real browser.

The pictures that the browser tests take are kept in build/page/.
"""

import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "assets" / "examples"
SCREENSHOTS = ROOT / "build" / "page"
SOURCE, TARGET = EXAMPLES / "source_3.webp", EXAMPLES / "target_2.webp"  # not those that the page opens with

START_SECONDS = 120  # a cold start imports torch and loads the pack
WAIT = 60_000  # milliseconds for anything in the browser
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def uploads(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="session")
def address(uploads, tmp_path_factory):
    """The address of the page, started as `make demo` starts it, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("page") / "log"
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(uploads)}
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(address):
            assert server.poll() is None, f"the page stopped:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"the page did not start:\n{log.read_text()}"
            time.sleep(0.2)
        yield address
        assert server.poll() is None, f"the page stopped:\n{log.read_text()}"
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        server.terminate()
        server.wait(timeout=60)
    assert not [file for file in uploads.rglob("*") if file.is_file()], "uploads outlived the page"


@pytest.fixture(scope="session")
def client(address):
    return Client(address, verbose=False)


@pytest.fixture
def no_face(tmp_path) -> Path:
    """A picture of a sunset without people."""
    rows = np.linspace(0, 1, 300)[:, None, None]
    sky = (1 - rows) * [70, 110, 180] + rows * [240, 170, 110]
    path = tmp_path / "sunset.png"
    Image.fromarray(np.broadcast_to(sky, (300, 400, 3)).astype(np.uint8)).save(path)
    return path


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


def _picture(path: str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=float)


# --- for programs


def test_programs_find_exactly_the_documented_endpoints(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(endpoints) == {"/reenact", "/edit", "/random_person", "/parameters", "/stages"}
    names = [parameter["parameter_name"] for parameter in endpoints["/reenact"]["parameters"]]
    assert names == ["source", "target", "method", "strength"]


def test_reenact_gives_a_png_quickly(client):
    started = time.monotonic()
    path = client.predict(handle_file(SOURCE), handle_file(TARGET), "stylemask", 1, api_name="/reenact")
    seconds = time.monotonic() - started
    print(f"reenactment of two new pictures: {seconds:.2f} s")
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width == picture.height >= 256
    assert seconds < 3


@pytest.mark.parametrize("method", ["stylemask", "directions"])
def test_strength_leads_from_the_source_towards_the_target(client, method):
    def result(strength):
        path = client.predict(handle_file(SOURCE), handle_file(TARGET), method, strength, api_name="/reenact")
        return _picture(path)

    own, half, full = result(0), result(0.5), result(1)
    assert np.abs(own - half).mean() > 0.5
    assert np.abs(own - full).mean() > np.abs(own - half).mean()


def test_edit_turns_the_head_both_ways(client):
    left, right = (client.predict(handle_file(SOURCE), yaw, 0, 0, api_name="/edit") for yaw in (-20, 20))
    yaws = [client.predict(handle_file(path), api_name="/parameters")["yaw"] for path in (left, right)]
    assert yaws[0] + 15 < yaws[1]


def test_a_seed_is_a_person(client):
    first, again, other = (client.predict(seed, api_name="/random_person") for seed in (3, 3, 4))
    assert np.array_equal(_picture(first), _picture(again))
    assert not np.array_equal(_picture(first), _picture(other))


def test_parameters_are_in_pixels_of_the_picture_sent(client, tmp_path):
    """A larger copy of a picture has the same angles, and its landmarks lie further out."""
    with Image.open(SOURCE) as picture:
        picture.resize((768, 768), Image.Resampling.BICUBIC).save(tmp_path / "large.png")
    small = client.predict(handle_file(SOURCE), api_name="/parameters")
    large = client.predict(handle_file(tmp_path / "large.png"), api_name="/parameters")
    assert abs(small["yaw"] - large["yaw"]) < 4
    assert len(small["expression"]) == 53
    points, further = np.array(small["landmarks"]), np.array(large["landmarks"])
    assert points.shape == (68, 2)
    assert np.abs(points * 3 - further).mean() < 0.03 * 768


def test_stages_are_three_pictures(client):
    crop, inversion, drawn = client.predict(handle_file(SOURCE), api_name="/stages")
    assert _picture(crop).shape == _picture(inversion).shape
    assert not np.array_equal(_picture(crop), _picture(drawn))


def test_a_picture_without_a_face_is_explained(client, no_face):
    with pytest.raises(AppError, match="(?i)face"):
        client.predict(handle_file(no_face), handle_file(TARGET), "stylemask", 1, api_name="/reenact")


def test_missing_pictures_are_asked_for(client):
    with pytest.raises(AppError, match="source and a target"):
        client.predict(None, handle_file(TARGET), "stylemask", 1, api_name="/reenact")


@pytest.mark.parametrize("name, message", [("large.png", "megapixels"), ("text.png", "PNG, JPEG")])
def test_bad_files_are_explained_without_paths(client, tmp_path, name, message):
    Image.new("1", (10_000, 10_000)).save(tmp_path / "large.png")
    (tmp_path / "text.png").write_text("no picture at all")
    with pytest.raises(AppError, match=message) as error:
        client.predict(handle_file(tmp_path / name), 0, 0, 0, api_name="/edit")
    assert "/" not in str(error.value)


def test_more_than_50_megabytes_never_arrive(address, uploads):
    boundary = b"--x\r\n"
    head = boundary + b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    request = urllib.request.Request(
        f"{address}/gradio_api/upload",
        data=head + bytes(51_000_000) + b"\r\n--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    with pytest.raises((urllib.error.HTTPError, ConnectionError, urllib.error.URLError)):
        urllib.request.urlopen(request, timeout=60)
    assert not any(file.stat().st_size > 50_000_000 for file in uploads.rglob("*") if file.is_file())


@pytest.mark.parametrize("place", ["/etc/hostname", str(ROOT), str(EXAMPLES), str(ROOT / "app.py")])
def test_other_files_and_folders_are_not_served(address, place):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{address}/gradio_api/file={place}", timeout=10)
    assert error.value.code in (403, 404)


# --- for people


class Visit:
    """A browser tab on the page that notes what must not happen."""

    def __init__(self, page, address: str):
        self.page = page
        self.problems = []
        page.on("console", lambda line: line.type == "error" and self.problems.append(line.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self._note(request.url))
        page.goto(address)
        self.wait_for_result()

    def _note(self, url: str) -> None:
        if not re.match(r"(http://127\.0\.0\.1[:/]|data:|blob:)", url):
            self.problems.append(f"request to {url}")

    def wait_for_result(self, other_than: str | None = None) -> str:
        """Wait until the result is there (or is another one) and the page is at rest; return it."""
        return self.wait_for("#result img.fixed, #result img:nth-of-type(2)", other_than)

    def wait_for(self, selector: str, other_than: str | None = None) -> str:
        self.page.wait_for_function(
            """([selector, other]) => {
                const picture = document.querySelector(selector);
                return picture && picture.naturalWidth && picture.src !== other;
            }""",
            arg=[selector, other_than],
            timeout=WAIT,
        )
        return self.page.get_attribute(selector, "src")

    def drop(self, zone: str, file: Path) -> None:
        """Drop a file on a drop zone as a hand would: on whatever lies in its middle."""
        self.page.locator(zone).scroll_into_view_if_needed()
        self.page.evaluate(
            """([zone, name, content]) => {
                const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
                const type = 'image/' + name.split('.').pop();
                const dragged = new DataTransfer();
                dragged.items.add(new File([bytes], name, {type}));
                const {x, y, width, height} = document.querySelector(zone).getBoundingClientRect();
                const under = document.elementFromPoint(x + width / 2, y + height / 2);
                for (const kind of ['dragenter', 'dragover', 'drop'])
                    under.dispatchEvent(
                        new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: dragged}));
            }""",
            [zone, file.name, base64.b64encode(file.read_bytes()).decode()],
        )

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page, with all that loads only when it is scrolled to."""
        self.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        self.wait_for("#target-stage-3 img")
        self.page.evaluate("window.scrollTo(0, 0)")
        self.page.mouse.move(0, 0)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("These tests need a browser: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """Return a function that opens the page; at the end no tab may have had a problem."""
    contexts, visits = [], []

    def open_page(width: int = 1280, height: int = 900, **settings) -> Visit:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **settings))
        visits.append(Visit(contexts[-1].new_page(), address))
        return visits[-1]

    yield open_page
    problems = [problem for visit in visits for problem in visit.problems]
    for context in contexts:
        context.close()
    assert not problems


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_first_visit_shows_a_result(visit, scheme):
    tab = visit(color_scheme=scheme)
    status = tab.page.inner_text("#status")
    assert re.search(r"synthetic, 256 px.*Device.*Face finder.*\d+ ms", status, re.S), status
    tab.keep(scheme)


def test_a_narrow_window_has_no_horizontal_scroll(visit):
    tab = visit(390, 844, device_scale_factor=2)
    for name in ("Follow a face", "Move by hand"):
        tab.page.get_by_role("tab", name=name).click()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    tab.page.get_by_role("tab", name="Follow a face").click()
    tab.keep("narrow")


def test_two_dropped_files_give_their_result(visit):
    tab = visit()
    first = tab.wait_for_result()
    tab.drop("#source", SOURCE)
    second = tab.wait_for_result(other_than=first)
    tab.drop("#target", TARGET)
    tab.wait_for_result(other_than=second)
    tab.keep("dropped")


def test_examples_and_random_people_give_results(visit):
    tab = visit()
    result = tab.wait_for_result()
    tab.page.get_by_role("button", name="target example 3").click()
    result = tab.wait_for_result(other_than=result)
    tab.page.click("#source-surprise")
    result = tab.wait_for_result(other_than=result)
    tab.page.get_by_label("Finding Directions").click()
    tab.wait_for_result(other_than=result)


def test_the_picture_follows_the_slider(visit):
    tab = visit()
    tab.page.get_by_role("tab", name="Move by hand").click()
    picture = tab.wait_for("#edited img")
    tab.page.evaluate(
        """() => {
            window.seen = [];
            window.asked = 0;
            const picture = document.querySelector('#edited img');
            new MutationObserver(() => seen.push(performance.now() - asked))
                .observe(picture, {attributes: true, attributeFilter: ['src']});
            document.querySelector('#yaw input[type=range]')
                .addEventListener('input', () => { window.asked = performance.now(); });
        }"""
    )
    slider = tab.page.locator("#yaw input[type=range]")
    slider.focus()
    for _ in range(8):
        slider.press("ArrowRight")
        picture = tab.wait_for("#edited img", other_than=picture)
        tab.page.wait_for_timeout(150)
    milliseconds = tab.page.evaluate("seen")
    print(f"slider to picture: {sorted(round(value) for value in milliseconds)} ms")
    assert len(milliseconds) >= 8, "the picture was taken away instead of replaced"
    assert tab.page.input_value("#yaw input[type=number]") == "8"

    tab.page.click("#reset")
    tab.wait_for("#edited img", other_than=picture)
    assert tab.page.input_value("#yaw input[type=number]") == "0"


def test_a_fast_hand_ends_at_its_last_position(visit):
    tab = visit()
    tab.page.get_by_role("tab", name="Move by hand").click()
    tab.wait_for("#edited img")
    slider = tab.page.locator("#yaw input[type=range]")
    slider.fill("20")
    tab.page.wait_for_timeout(2000)
    alone = tab.page.get_attribute("#edited img", "src")
    for yaw in range(-30, 21, 5):
        slider.fill(str(yaw))
    tab.page.wait_for_timeout(3000)
    assert tab.page.get_attribute("#edited img", "src") == alone


def test_an_error_is_read_once_and_the_result_stays(visit, no_face):
    tab = visit()
    result = tab.wait_for_result()
    tab.drop("#target", no_face)
    message = tab.page.get_by_test_id("toast-text").first
    message.wait_for(timeout=WAIT)
    assert "face" in message.inner_text().lower()
    assert "Traceback" not in tab.page.content()
    tab.page.wait_for_timeout(1000)
    tab.page.screenshot(path=SCREENSHOTS / "error.png")
    messages = tab.page.get_by_test_id("toast-text").all_inner_texts()
    assert len(messages) == 1, messages
    assert tab.wait_for_result() == result


@pytest.mark.parametrize("tab_name, button", [("Follow a face", "#save-result"), ("Move by hand", "#save-edited")])
def test_the_result_is_saved_as_png(visit, tab_name, button, tmp_path):
    tab = visit()
    tab.page.get_by_role("tab", name=tab_name).click()
    with tab.page.expect_download(timeout=WAIT) as download:
        tab.page.click(button)
    assert download.value.suggested_filename.endswith(".png")
    download.value.save_as(tmp_path / "saved.png")
    with Image.open(tmp_path / "saved.png") as picture:
        assert picture.format == "PNG" and picture.width >= 256

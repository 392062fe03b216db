"""What a visitor reaches for: every part answers at once, says what it does, and shows the people that are asked for."""

import base64
import io
import re
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from serving import ROOT
from visiting import WAIT, Visit

from stylemask_demo.media.videos import write_video

FACES = ROOT / "tests" / "assets" / "faces"


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> list[Path]:
    """Two photos of people who are no examples, upright as a phone takes them."""
    folder = tmp_path_factory.mktemp("photos")
    paths = []
    for number, name in enumerate(("900000_0.webp", "900003_1.webp")):
        photo = Image.new("RGB", (360, 640), (110, 120, 128))
        with Image.open(FACES / name) as face:
            photo.paste(face.convert("RGB").resize((300, 300)), (30, 90))
        paths.append(folder / f"photo{number}.png")
        photo.save(paths[-1])
    return paths


@pytest.fixture(scope="module")
def wall(tmp_path_factory) -> Path:
    """A picture of nobody."""
    path = tmp_path_factory.mktemp("wall") / "wall.png"
    Image.new("RGB", (300, 300), (90, 120, 160)).save(path)
    return path


def _pixels(url: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as picture:
        return np.asarray(picture.convert("RGB"), dtype=float)


def _before(tab: Visit) -> float:
    """How much of the source is shown over the result, in percent."""
    return float(
        tab.page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('.comparison .line')).left)"
            " / document.querySelector('.comparison .pictures').clientWidth * 100"
        )
    )


def _busy(tab: Visit, place: str = "result") -> None:
    """Wait for the sign that a place is being made anew, which comes before the picture does."""
    tab.page.wait_for_function(f"document.querySelector('#{place}').ariaBusy === 'true'", timeout=WAIT)
    tab.page.wait_for_function(f"document.querySelector('#{place} .sign').textContent", timeout=WAIT)


# --- the comparison


def test_it_opens_with_the_whole_result_whose_change_is_plain(tab):
    assert _before(tab) == 0
    assert tab.page.locator(".comparison .side").all_inner_texts() == ["Before", "After"]
    before, after = (_pixels(tab.page.get_attribute(f"#result img.{part}", "src")) for part in ("before", "after"))
    assert np.abs(before - after).mean() > 10
    names = [tab.page.get_attribute(f"#result img.{part}", "alt") for part in ("before", "after")]
    assert all(names) and names[0] != names[1]
    assert tab.page.inner_text("#announcer") == "The result is ready."


def test_the_whole_picture_drags_and_keys_move_the_line(tab):
    box = tab.page.locator(".comparison .pictures").bounding_box()
    x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"]
    tab.page.mouse.move(x, y)
    tab.page.mouse.down()
    tab.page.mouse.move(x + 0.4 * box["width"], y)
    tab.page.mouse.up()
    assert abs(_before(tab) - 70) < 3
    tab.page.keyboard.press("ArrowLeft")
    assert abs(_before(tab) - 69) < 3
    tab.page.keyboard.press("Home")
    assert _before(tab) == 0


def test_the_page_scrolls_by_wheel_and_finger_over_the_result(tab):
    tab.page.locator("#result").hover()
    tab.page.mouse.wheel(0, 200)
    tab.page.wait_for_function("scrollY > 0", timeout=WAIT)
    tab.page.evaluate("scrollTo(0, 0)")
    assert "pan-y" in tab.page.evaluate("getComputedStyle(document.querySelector('.comparison input')).touchAction")


def test_what_follows_is_chosen(tab):
    whole = tab.wait_for_result()
    tab.page.locator("#result-region").get_by_label("Lips").click()
    lips = tab.wait_for_result(other_than=whole)
    tab.page.locator("#result-region").get_by_label("Everything").click()
    tab.wait_for_result(other_than=lips)


def test_both_halves_of_a_photo_that_is_not_square_line_up(tab, photos):
    former = tab.wait_for_result()
    tab.drop("#source", photos[0])
    former = tab.wait_for_result(other_than=former)
    tab.page.get_by_label("Into the photo").first.click()
    tab.wait_for_result(other_than=former)
    boxes = [tab.page.locator(f"#result img.{part}").bounding_box() for part in ("before", "after")]
    assert boxes[0] == boxes[1]
    assert abs(boxes[0]["width"] / boxes[0]["height"] - 360 / 640) < 0.01
    photo = tab.wait_for_result()
    tab.page.get_by_label("Into the photo").first.click()
    tab.wait_for_result(other_than=photo)


# --- one question, one answer


def _open_stages(tab: Visit) -> None:
    """Unfold how the faces were understood, where it is folded."""
    if not tab.page.locator("#source-stage-1").is_visible():
        tab.page.get_by_role("button", name="How the two faces").click()
        tab.page.locator("#source-stage-1").wait_for(timeout=WAIT)


def test_quick_drops_end_with_the_last_person_everywhere(tab, photos):
    _open_stages(tab)
    tab.choose_and_wait("source", 2)
    tab.note_pictures("#result img.after")
    tab.drop("#source", photos[0])
    _busy(tab)
    tab.page.wait_for_timeout(100)  # as a hand would
    tab.drop("#source", photos[1])
    tab.wait_for_picture("source", photos[1].name)
    quick = tab.wait_for_result()
    stage = tab.wait_for_stage("source")
    late = [one for one in tab.page.evaluate("seen") if one["source"].endswith(photos[1].name)]
    assert {one["picture"] for one in late} == {quick}, "the result of the first drop was shown beside the second"
    other = tab.choose_and_wait("source", 2)
    tab.drop("#source", photos[1])
    assert tab.wait_for_result(other_than=other) == quick
    assert tab.wait_for_stage("source") == stage


def test_quick_clicks_on_examples_end_with_the_last_one(tab):
    alone = tab.choose_and_wait("source", 5)
    stage = tab.wait_for_stage("source")
    tab.choose_and_wait("source", 1)
    for number in (3, 4, 5):
        tab.choose("source", number)
        tab.page.locator(f"#source img[src$='source_{number}.webp']").wait_for(timeout=WAIT)
    tab.wait_for_picture("source", "source_5.webp")
    assert tab.wait_for_result() == alone
    assert tab.wait_for_stage("source") == stage


def test_of_a_refused_file_nothing_is_left_beside_it(tab, wall):
    _open_stages(tab)
    former = tab.choose_and_wait("source", 5)
    tab.wait_for_stage("source")
    assert tab.page.locator("#source-stage-1 img").is_visible()
    tab.drop("#source", wall)
    sign = tab.page.locator("#result .sign")
    for place in ("#result", "#source-stages"):  # each is told by an answer of its own
        tab.page.locator(f"{place}[data-refused]").wait_for(timeout=WAIT)
    assert "face" in sign.inner_text().lower() and "source" in sign.inner_text()
    assert not tab.page.locator("#result img.after").is_visible()
    assert not tab.page.locator("#source-stage-1 img").is_visible()
    assert "face" in tab.page.locator("#source-sign .sign").inner_text().lower()
    tab.keep("refused")
    tab.rest(300)
    assert tab.page.get_by_test_id("toast-text").count() == 0, "it is said twice"
    assert tab.choose_and_wait("source", 5) == former
    assert not sign.is_visible()


# --- places for pictures


def test_a_filled_picture_is_replaced_by_a_click_or_the_icon(tab, photos):
    for what in ("#source .image-frame img", "#source [aria-label='Upload file']"):
        with tab.page.expect_file_chooser(timeout=WAIT) as chooser:
            tab.page.click(what)
        assert tab.page.locator("#source img").count() == 1, "it was emptied"
    chooser.value.set_files(photos[1])
    tab.wait_for_picture("source", photos[1].name)
    tab.wait_for_result()


def test_a_refused_clipboard_is_told_and_keys_paste(tab, photos):
    tab.page.click("#source [aria-label='Paste from clipboard']")
    told = tab.page.locator("#source-sign .sign", has_text="Ctrl+V")
    told.wait_for(timeout=WAIT)
    tab.page.evaluate("document.body.append(document.createElement('i'))")  # as Gradio does now and then
    tab.rest(300)
    assert told.is_visible(), "it stays until another picture comes"
    assert tab.page.locator("#source img").count() == 1, "it was emptied"
    tab.page.evaluate(
        """content => {
            const pasted = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
            pasted.items.add(new File([bytes], 'pasted.png', {type: 'image/png'}));
            document.querySelector('#source button').focus();
            document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: pasted}));
        }""",
        base64.b64encode(photos[0].read_bytes()).decode(),
    )
    tab.wait_for_picture("source", "pasted.png")
    assert not told.is_visible()
    tab.wait_for_result()


def test_the_camera_icon_asks_for_the_camera(tab):
    tab.page.evaluate(
        """() => navigator.mediaDevices.getUserMedia = () => {
            window.cameraAsked = true;
            return Promise.reject(new DOMException("", "NotAllowedError"));
        }"""
    )
    tab.page.click("#source [aria-label='Capture from camera']")
    tab.page.wait_for_function("window.cameraAsked", timeout=WAIT)
    tab.page.locator("#source-sign").get_by_text("the browser keeps it closed").wait_for(timeout=WAIT)


def test_the_whole_card_takes_a_drop(tab, photos):
    tab.drop(".who .heading", photos[1])
    tab.wait_for_picture("source", photos[1].name)
    tab.wait_for_result()


def test_focus_stays_in_the_place_that_was_emptied(tab):
    tab.page.focus("#target [aria-label='Remove Image']")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_function("document.activeElement.closest('#target') !== null", timeout=WAIT)
    _busy(tab)
    assert not Axe().run(tab.page, options=SERIOUS).response["violations"]
    tab.choose_and_wait("target", 2)


# --- words, keys and readers

SERIOUS = {"resultTypes": ["violations"]}


def test_nothing_trips_keyboards_and_screen_readers(tab):
    for name in ("Follow a face", "Follow a video", "Move by hand", "Compare"):
        tab.open(name)
        tab.rest(300)  # by which the page has mended what Gradio lacks
        found = Axe().run(tab.page, options=SERIOUS).response["violations"]
        assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        tab.page.keyboard.press("Tab")


def test_arrow_keys_change_the_tab(tab):
    tab.open("Follow a face")
    tab.page.keyboard.press("ArrowRight")
    assert tab.page.get_by_role("tab", name="Follow a video").get_attribute("aria-selected") == "true"
    tab.page.keyboard.press("End")
    assert tab.page.get_by_role("tab", name="Compare").get_attribute("aria-selected") == "true"
    assert tab.page.evaluate("document.activeElement.innerText") == "Compare"


def test_buttons_are_large_enough_for_a_finger(tab):
    small = tab.page.evaluate(
        """() => [...document.querySelectorAll('.card button, .comparison button')]
            .map(button => [button.getBoundingClientRect(), button.ariaLabel ?? button.innerText])
            .filter(([box]) => box.width && (box.width < 24 || box.height < 24)).map(([, name]) => name)"""
    )
    assert not small


def test_an_untouched_slider_is_empty_and_an_emptied_number_harmless(tab):
    tab.open("Move by hand")
    picture = tab.wait_for("#edited img")
    slider = tab.page.locator("#yaw input[type=range]")
    with Image.open(io.BytesIO(slider.screenshot())) as shot:
        colours = [shot.convert("RGB").getpixel((int(shot.width * x), shot.height // 2)) for x in (0.2, 0.8)]
    assert colours[0] == colours[1]
    number = tab.page.locator("#yaw input[type=number]")
    number.fill("12")
    moved = tab.wait_for("#edited img", other_than=picture)
    number.fill("")
    tab.wait_for("#edited img", other_than=moved)
    slider.dblclick(position={"x": 20, "y": 10})
    assert number.input_value() == "0"
    number.fill("12")
    tab.page.keyboard.press("Tab")
    assert tab.page.get_by_test_id("toast-text").count() == 0


def test_a_video_that_is_too_long_is_refused_when_it_comes(tab, tmp_path):
    frames = (Image.new("RGB", (64, 64), (value, 80, 80)) for value in range(70))
    write_video(tmp_path / "long.mp4", frames, fps=1)
    tab.open("Follow a video")
    tab.drop("#video", tmp_path / "long.mp4")
    told = tab.page.locator("#video-refusal .refusal")
    told.wait_for(timeout=WAIT)
    assert "60 s" in told.inner_text() and "/" not in told.inner_text()
    tab.page.locator("#video video").wait_for(state="detached", timeout=WAIT)
    tab.page.click("#drive")
    told = tab.page.locator("#video-line .refusal")
    told.wait_for(timeout=WAIT)
    assert "A picture and a video are needed" in told.inner_text()
    tab.page.locator("#drive").wait_for(timeout=WAIT)


def test_a_reload_keeps_pictures_tab_and_sliders(tab):
    tab.open("Move by hand")
    tab.page.locator("#smile input[type=number]").fill("0.5")
    source = tab.page.get_attribute("#source img", "src")
    tab.page.wait_for_function("document.querySelector('#smile input[type=number]').value === '0.5'", timeout=WAIT)
    tab.rest(500)  # by which it is kept
    before = list(tab.problems)
    tab.page.reload()
    tab.problems[:] = before  # what the former page says when its connections end
    tab.wait_for("#edited img")
    assert tab.page.get_attribute("#source img", "src") == source
    assert tab.page.get_by_role("tab", name="Move by hand").get_attribute("aria-selected") == "true"
    assert tab.page.input_value("#yaw input[type=number]") == "12"
    assert tab.page.input_value("#smile input[type=number]") == "0.5"


def test_on_a_phone_the_result_is_right_under_both_pictures(tab):
    tab.open("Follow a face")
    tab.resize(390, 844)
    tab.page.evaluate("scrollTo(0, 0)")
    boxes = {part: tab.page.locator(f"#{part}").bounding_box() for part in ("source", "target", "result")}
    assert boxes["source"]["y"] == boxes["target"]["y"]
    assert boxes["source"]["x"] + boxes["source"]["width"] <= boxes["target"]["x"]
    assert boxes["result"]["y"] < 600
    for name in ("Follow a face", "Follow a video", "Move by hand", "Compare"):
        tab.open(name)
        tab.rest()
        assert tab.fits(), name
        tab.keep(f"phone-{name.split()[-1]}")


# --- for others


def test_a_link_to_the_page_says_what_it_is(address):
    with urllib.request.urlopen(address) as answer:
        page = answer.read().decode()
    titles = re.findall(r'og:title"\s+content="([^"]*)"', page)
    assert titles == ["StyleMask Demo"]
    assert 'name="description" content="Give one face' in page
    assert "raw.githubusercontent.com" not in page.partition("window.gradio_config")[0]


def test_endpoints_name_what_they_take_and_give_with_examples_of_ours(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    for name, endpoint in endpoints.items():
        assert not [given["label"] for given in endpoint["returns"] if re.match("value_|parameter_", given["label"])], name
        for taken in endpoint["parameters"]:
            example = str(taken["example_input"])
            assert "http" not in example and "bus" not in example
            if "assets" in example:
                files = taken["example_input"]
                assert all((ROOT / file["path"]).is_file() for file in (files if isinstance(files, list) else [files]))
                assert taken["parameter_default"] is None, "a picture of its own is nobody's default"
    defaults = {taken["parameter_name"]: taken["parameter_default"] for taken in endpoints["/edit"]["parameters"]}
    assert (defaults["yaw"], defaults["into_photo"], defaults["source_face"], defaults["pack"]) == (
        0,
        False,
        0,
        "synthetic",
    )

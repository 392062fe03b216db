"""Comparisons, random people, the first visit and waiting, in the browser and for programs."""

import base64
import io
import re
import time

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from gradio_client.utils import Status
from PIL import Image
from serving import ROOT
from visiting import WAIT, Visit

from stylemask_demo.comparisons import STEPS

FRAMES = 4  # of a strip with the few steps of the page of these tests

EXAMPLES = ROOT / "assets" / "examples"
SOURCES, TARGETS = (
    [handle_file(EXAMPLES / f"{role}_{number}.webp") for number in (1, 2, 3)] for role in ("source", "target")
)
WIDTHS = {390: 844, 768: 1024, 1360: 900}


def _compared(tab: Visit, other_than: str | None = None) -> str:
    """Wait until the comparison is there, or is another one, and up to date; return it."""
    tab.page.wait_for_selector("#compared[aria-busy=false]:not([data-working])", timeout=WAIT)
    return tab.wait_for("#compared img", other_than)


def _choose(tab: Visit, kind: str) -> None:
    """Open the card of comparisons with a kind of them."""
    tab.open("Compare")
    tab.page.locator(f"#compare-kind input[value={kind}]").click()


def _picture(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


# --- for programs


def test_programs_get_comparisons(client):
    with Image.open(client.predict(SOURCES[0], TARGETS[1], api_name="/compare")) as row:
        assert row.format == "PNG" and row.width > 4 * 256 and row.height == 256 + 32
    with Image.open(client.predict(SOURCES[0], "yaw", api_name="/strip")) as strip:
        assert (strip.format, strip.n_frames, strip.size) == ("GIF", FRAMES, (256, 256))
    with Image.open(client.predict(SOURCES[:1], TARGETS[1:], api_name="/grid")) as grid:
        assert grid.format == "PNG" and grid.size == (3 * 192 + 12, 2 * 192 + 12)
    with pytest.raises(AppError, match="at most 5"):
        client.predict(SOURCES * 2, TARGETS, api_name="/grid")


def test_programs_keep_the_person_and_vary_the_motion(client):
    def drawn(seed: int, **how: float) -> np.ndarray:
        with Image.open(client.predict(seed, api_name="/random_person", **how)) as picture:
            return np.asarray(picture, dtype=float)

    own, moved, mean = drawn(3), drawn(3, like=4), drawn(3, truncation=0)
    assert min(np.abs(own - other).mean() for other in (moved, mean)) > 1
    assert np.array_equal(mean, drawn(5, truncation=0))


# --- for people


def test_from_opening_to_a_shared_gif_is_less_than_a_minute(tab, tmp_path):
    begun = time.monotonic()
    head = tab.page.locator(".masthead .opening img")
    assert head.evaluate("picture => picture.complete && picture.naturalWidth > 0")
    tab.page.locator(".masthead .opening").click()
    assert tab.page.get_by_role("tab", name="Compare").get_attribute("aria-selected") == "true"
    _compared(tab)
    with tab.page.expect_download(timeout=WAIT) as download:
        tab.page.click("#save-compared")
    pictures = FRAMES / 2 + 1  # that were made, the others are the way back
    assert (time.monotonic() - begun) * STEPS / pictures < 60
    assert download.value.suggested_filename == "compared.gif"
    download.value.save_as(tmp_path / "shared.gif")
    with Image.open(tmp_path / "shared.gif") as shared:
        assert shared.n_frames == FRAMES and shared.size == (256, 256)


def test_methods_are_compared_on_the_people_of_the_page(tab):
    tab.open("Compare")
    strip = _compared(tab)
    _choose(tab, "methods")
    first = _compared(tab, other_than=strip)
    assert _picture(first).width > 4 * 256
    assert not tab.page.locator("#compare-slider, #grid-sources, #grid-start").locator("visible=true").count()
    tab.choose("source", 3)
    tab.page.wait_for_function("document.querySelector('#compared').ariaBusy === 'true'", timeout=WAIT)
    second = _compared(tab, other_than=first)
    _choose(tab, "strip")
    yaw = _compared(tab, other_than=second)
    assert _picture(yaw).format == "GIF"
    tab.page.locator("#compare-slider").get_by_label("Smile").click()
    assert _picture(_compared(tab, other_than=yaw)).format == "GIF"


def test_late_comparisons_are_dropped(tab):
    _choose(tab, "methods")
    former = _compared(tab)
    tab.note_pictures("#compared img")
    tab.choose("source", 4)
    tab.page.wait_for_function("document.querySelector('#compared').ariaBusy === 'true'", timeout=WAIT)
    tab.choose("source", 5)
    last = _compared(tab, other_than=former)
    late = [one for one in tab.page.evaluate("seen") if one["source"].endswith("source_5.webp")]
    assert {one["picture"] for one in late} <= {last}


def test_a_grid_is_made_when_it_is_asked_for(tab):
    _choose(tab, "grid")
    tab.page.get_by_text("press Make the grid").wait_for(timeout=WAIT)
    assert not tab.page.locator("#compared img").locator("visible=true").count()
    found = Axe().run(tab.page, options={"resultTypes": ["violations"]}).response["violations"]
    assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
    for row in ("sources", "targets"):
        assert tab.page.locator(f"#grid-{row} img").count() == 3
        tab.page.locator(f"#grid-{row} .gallery-item").first.hover()
        tab.page.locator(f"#grid-{row} .delete-button").first.click()
        tab.page.wait_for_function(f"document.querySelectorAll('#grid-{row} img').length === 2", timeout=WAIT)
    tab.page.click("#grid-start")
    tab.page.locator("#grid-line .progress").wait_for(timeout=WAIT)
    grid = _picture(_compared(tab))
    assert grid.size == (3 * 192 + 12, 3 * 192 + 12)
    assert tab.page.locator("#grid-start").is_visible() and not tab.page.locator("#grid-line .progress").count()
    tab.keep("grid")


def test_a_reload_keeps_what_is_compared(tab):
    _choose(tab, "strip")
    former = _compared(tab)
    tab.page.locator("#compare-slider").get_by_label("Pitch").click()
    _compared(tab, other_than=former)
    tab.page.reload()
    tab.page.wait_for_function(
        "document.querySelector('#compare-slider input[value=pitch]')?.checked"
        " && document.querySelector('#compare-kind input[value=strip]')?.checked",
        timeout=WAIT,
    )
    assert _picture(_compared(tab)).format == "GIF"
    assert tab.page.get_by_role("tab", name="Compare").get_attribute("aria-selected") == "true"
    assert tab.page.locator("#grid-sources img").count() == tab.page.locator("#grid-targets img").count() == 2


def test_comparisons_fit_every_width(tab):
    for kind in ("methods", "strip", "grid"):
        _choose(tab, kind)
        if kind != "grid":
            _compared(tab)
        for width, height in WIDTHS.items():
            tab.resize(width, height)
            assert tab.fits(), (kind, width)
            right = tab.page.locator("#compared").bounding_box()
            assert right["x"] >= 0 and right["x"] + right["width"] <= width, (kind, width)
            if width == min(WIDTHS):
                tab.keep(f"compare-{kind}-{width}")


def test_a_random_person_stays_while_the_motion_changes(tab):
    tab.open("Follow a face")
    tab.page.locator("#source-random .label-wrap").click()
    random = tab.page.locator("#source-random")
    result = tab.wait_for_result()

    def press() -> tuple[str, str]:
        nonlocal result
        tab.page.click("#source-surprise")
        result = tab.wait_for_result(other_than=result)
        return tuple(random.get_by_label(label, exact=True).input_value() for label in ("Person", "Motion of"))

    first = press()
    assert first[0] and not first[1]
    random.get_by_label("The motion").click()
    second, third = press(), press()
    assert first[0] == second[0] == third[0] and second[1] != third[1] != ""
    random.get_by_label("The person").click()
    fourth = press()
    assert fourth[0] != third[0] and fourth[1] == third[1]
    random.get_by_label("Person", exact=True).fill(third[0])
    random.get_by_label("Person", exact=True).press("Enter")
    tab.wait_for_result(other_than=result)


def test_how_many_wait_before_a_visitor_is_shown(tab, client):
    _choose(tab, "methods")
    _compared(tab)
    tab.page.evaluate(
        """() => {
            window.told = [];
            const look = () => {
                const note = document.querySelector('#waiting');
                if (note && !note.hidden) told.push(note.textContent);
            };
            new MutationObserver(look).observe(document.querySelector('.gradio-container'),
                { childList: true, subtree: true, attributes: true });
        }"""
    )
    five = [*SOURCES, *TARGETS[:2]]  # by five, which takes seconds
    others = [client.submit(five, five, api_name="/grid") for _ in range(2)]
    deadline = time.monotonic() + WAIT / 1000
    while others[1].status().code not in (Status.IN_QUEUE, Status.PROCESSING, Status.ITERATING):  # it is being sent
        assert time.monotonic() < deadline
        time.sleep(0.05)
    _choose(tab, "strip")
    tab.page.locator("#compare-slider").get_by_label("Yaw").click()
    tab.page.wait_for_function("told.length > 0", timeout=WAIT)
    assert re.search(r"[12] before you", tab.page.evaluate("told[0]"))
    for other in others:
        other.cancel()
    _compared(tab)
    tab.page.locator("#waiting").wait_for(state="hidden", timeout=WAIT)

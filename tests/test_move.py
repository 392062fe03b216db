"""Moving by hand in the browser: what sets the sliders, how to go back, and files."""

import json
from pathlib import Path

import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from serving import ROOT
from visiting import WAIT, Visit

from stylemask_demo.editing.table import SLIDERS
from stylemask_demo.ui.move_card import FOLDS

SOURCE = ROOT / "assets" / "examples" / "source_3.webp"
SAMPLE = ROOT / "assets" / "examples" / "target_2.webp"


@pytest.fixture(scope="module")
def tab(tab) -> Visit:
    """The tab of this file, which is on the sliders."""
    tab.open("Move by hand")
    tab.wait_for("#edited img")
    return tab


def _value(tab: Visit, name: str) -> float:
    return float(tab.page.input_value(f"#{name} input[type=number]"))


def _becomes(tab: Visit, name: str, value: float) -> None:
    """Wait until a slider stands somewhere."""
    tab.page.wait_for_function(
        "([name, value]) => document.querySelector(`#${name} input[type=number]`)?.valueAsNumber === value",
        arg=[name, value],
        timeout=WAIT,
    )


def _steps(tab: Visit) -> int:
    """How many settings there are to go back to."""
    return tab.page.evaluate("stylemask.sliders.steps()")


def _settled(tab: Visit, before: int) -> None:
    """Wait until there is a setting more to go back to than before."""
    tab.page.wait_for_function(f"stylemask.sliders.steps() > {before}", timeout=WAIT)


def _unfold(tab: Visit) -> None:
    for name in FOLDS:
        tab.page.click(f"#fold-{name} button.label-wrap")


def test_all_but_the_first_sliders_are_folded_and_nothing_is_cut(tab):
    seen = tab.page.locator(".slide:visible")
    assert seen.count() == sum(slider.group == "first" for slider in SLIDERS.values())
    _unfold(tab)
    tab.page.wait_for_function(f"document.querySelectorAll('.slide').length === {len(SLIDERS)}", timeout=WAIT)
    for width in (390, 768, 1280):
        tab.resize(width, 844)
        assert tab.fits(), width
        cut = tab.page.evaluate(
            """() => [...document.querySelectorAll('.move :is(.slide, .presets button, .tools button)')]
                .filter(part => !part.closest('.presets') || getComputedStyle(part.closest('.presets')).display === 'grid')
                .filter(part => part.getBoundingClientRect().right > part.closest('.card').getBoundingClientRect().right)
                .map(part => part.id)"""
        )
        assert not cut, width
        # Whoever moves the last slider still sees the face.
        tab.page.locator("#zoom input[type=range]").scroll_into_view_if_needed()
        box = tab.page.locator("#edited").bounding_box()
        assert box["y"] > -box["height"] / 4 and box["y"] < 844 / 2, width
        tab.keep(f"move-{width}")


def test_keys_move_a_slider_and_every_step_can_be_undone(tab):
    picture = tab.page.get_attribute("#edited img", "src")
    slider = tab.page.locator("#jaw input[type=range]")
    slider.press("ArrowRight")
    _becomes(tab, "jaw", 0.05)
    _settled(tab, 0)
    tab.wait_for("#edited img", other_than=picture)
    tab.page.locator("#brows input[type=number]").fill("0.5")
    _settled(tab, 1)
    tab.page.click("#undo")
    _becomes(tab, "brows", 0)
    assert _value(tab, "jaw") == 0.05
    tab.page.click("#undo")
    _becomes(tab, "jaw", 0)
    assert tab.page.locator("#undo").is_disabled()
    tab.page.click("#redo")
    _becomes(tab, "jaw", 0.05)
    slider.dblclick(position={"x": 12, "y": 10})
    _becomes(tab, "jaw", 0)


def test_presets_set_the_expression_and_leave_the_head(tab):
    steps = _steps(tab)
    tab.page.locator("#yaw input[type=number]").fill("10")
    _settled(tab, steps)
    before, steps = tab.page.get_attribute("#edited img", "src"), _steps(tab)
    tab.page.click("#preset-surprise")
    _settled(tab, steps)
    _becomes(tab, "yaw", 10)
    assert _value(tab, "jaw") > 0.3 and _value(tab, "brows") > 0.3
    tab.wait_for("#edited img", other_than=before)
    tab.page.click("#reset")
    _becomes(tab, "yaw", 0)


def test_an_expression_is_taken_from_a_sample(tab):
    tab.page.click("#fold-sample button.label-wrap")
    tab.page.click("#take-sample")
    tab.page.locator("#sliders-said .refusal").wait_for(timeout=WAIT)
    tab.drop("#sample", SAMPLE)
    tab.page.wait_for_function("document.querySelector('#sample img')?.naturalWidth", timeout=WAIT)
    steps = _steps(tab)
    tab.page.click("#take-sample")
    _settled(tab, steps)
    whole = {name: _value(tab, name) for name in ("smile", "jaw", "brows")}
    assert any(whole.values())
    tab.page.locator("#sample-ratio input[type=number]").fill("0")
    steps = _steps(tab)
    tab.page.click("#take-sample")
    _settled(tab, steps)
    assert not any(_value(tab, name) for name in whole)
    assert tab.page.inner_text("#sliders-said") == ""


def test_settings_are_saved_and_loaded(tab, tmp_path):
    tab.page.locator("#lips input[type=number]").fill("-0.5")
    _becomes(tab, "lips", -0.5)
    with tab.page.expect_download(timeout=WAIT) as download:
        tab.page.click("#store-sliders")
    download.value.save_as(tmp_path / "sliders.json")
    saved = json.loads((tmp_path / "sliders.json").read_text())["sliders"]
    assert set(saved) == set(SLIDERS) and saved["lips"] == -0.5
    _load(tab, tmp_path / "own.json", {"sliders": {"jaw": 0.3, "roll": 500, "ears": 1, "smile": "wide"}})
    _becomes(tab, "jaw", 0.3)
    assert (_value(tab, "roll"), _value(tab, "lips"), _value(tab, "smile")) == (20, 0, 0)
    _load(tab, tmp_path / "other.json", ["no", "sliders"])
    tab.page.locator("#sliders-said .refusal").wait_for(timeout=WAIT)
    assert _value(tab, "jaw") == 0.3
    _load(tab, tmp_path / "sliders.json", {"sliders": saved})
    _becomes(tab, "lips", -0.5)
    assert tab.page.inner_text("#sliders-said") == ""


def _load(tab: Visit, path: Path, content: object) -> None:
    path.write_text(json.dumps(content))
    with tab.page.expect_file_chooser(timeout=WAIT) as chooser:
        tab.page.click("#load-sliders")
    chooser.value.set_files(path)


def test_programs_name_the_other_sliders(client):
    source = handle_file(SOURCE)
    paths = [client.predict(source, 0, 0, 0, api_name="/edit", **moved) for moved in ({}, {"jaw": 0.8, "roll": 15})]
    still, moved = (client.predict(handle_file(path), api_name="/parameters") for path in paths)
    assert moved["expression"]["jawOpen"] > still["expression"]["jawOpen"] + 0.3
    across, up = np.subtract(moved["landmarks"][45], moved["landmarks"][36]) * (1, -1)
    assert np.degrees(np.arctan2(up, across)) > 10
    with Image.open(paths[1]) as picture:
        assert picture.format == "PNG"
    with pytest.raises(AppError, match="Roll cannot be set to 90. Choose a number from -20 to 20"):
        client.predict(source, 0, 0, 0, roll=90, api_name="/edit")

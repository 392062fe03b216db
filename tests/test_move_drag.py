"""The face on the picture is dragged itself, in the browser: the head turns, parts are pulled, and the sliders follow."""

import pytest
from visiting import WAIT, Visit

from stylemask_demo.ui.move_card import FOLDS

GRIPS = "#edited .grips:not([hidden])"


@pytest.fixture(scope="module")
def tab(tab) -> Visit:
    """The tab of this file, with all sliders unfolded; each test leaves the face at rest."""
    _open(tab)
    for name in FOLDS:
        tab.page.click(f"#fold-{name} button.label-wrap")
    tab.page.wait_for_selector("#zoom input[type=number]", timeout=WAIT)
    tab.page.evaluate("scrollTo(0, 0)")
    return tab


def _open(tab: Visit) -> None:
    tab.open("Move by hand")
    tab.wait_for("#edited img")
    tab.page.wait_for_selector(GRIPS, timeout=WAIT)


def _value(tab: Visit, name: str) -> float:
    return float(tab.page.input_value(f"#{name} input[type=number]"))


def _steps(tab: Visit) -> int:
    return tab.page.evaluate("stylemask.sliders.steps()")


def _middle(tab: Visit, selector: str) -> tuple[float, float]:
    box = tab.page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _pull(tab: Visit, start: tuple[float, float], right: float, down: float) -> None:
    """Press the button and move in four steps; it is not let go."""
    tab.page.mouse.move(*start)
    tab.page.mouse.down()
    for step in range(1, 5):
        tab.page.mouse.move(start[0] + right * step / 4, start[1] + down * step / 4)
        tab.page.wait_for_timeout(40)  # a frame of the browser


def _let_go(tab: Visit, steps: int) -> None:
    tab.page.mouse.up()
    tab.page.wait_for_function(f"stylemask.sliders.steps() === {steps}", timeout=WAIT)


def _reset(tab: Visit) -> None:
    tab.page.click("#undo")
    tab.page.wait_for_function(
        "[...document.querySelectorAll('.slide input[type=number]')].every(input => input.valueAsNumber === 0)",
        timeout=WAIT,
    )
    tab.wait_for_rest()


def _becomes(tab: Visit, name: str, what: str) -> None:
    """Wait until the number of a slider is so, such as "> 0"."""
    tab.page.wait_for_function(f"document.querySelector('#{name} input[type=number]').valueAsNumber {what}", timeout=WAIT)


def test_how_a_face_turns_is_learned_before_it_is_pulled(visit):
    tab = visit()
    names = tab.page.evaluate("Object.fromEntries(gradio_config.dependencies.map(event => [event.id, event.api_name]))")
    learned = []

    def learns(request) -> str:
        name = "/queue/join" in request.url and names[str(request.post_data_json["fn_index"])]
        return name if str(name).startswith("learn_") else ""

    tab.page.on("request", lambda request: learned.append(learns(request)))
    tab.choose_and_wait("source", 3)
    assert not any(learned), "nothing is pulled while the card is closed"
    with tab.page.expect_request(lambda request: learns(request) == "learn_pitch", timeout=WAIT):
        _open(tab)
    assert next(filter(None, learned)) == "learn_yaw"


def test_the_head_turns_under_the_hand_and_sliders_and_picture_follow(tab):
    before, steps = tab.page.get_attribute("#edited img", "src"), _steps(tab)
    x, y = _middle(tab, GRIPS)
    width = tab.page.locator(GRIPS).bounding_box()["width"]
    _pull(tab, (x, y), 0.2 * width, -0.05 * width)
    _becomes(tab, "yaw", "> 4")
    _becomes(tab, "pitch", "> 0")
    moving = tab.wait_for("#edited img", other_than=before)  # while it is still held
    assert moving.startswith("data:image/jpeg") and _steps(tab) == steps
    _let_go(tab, steps + 1)
    tab.wait_for("#edited img", other_than=moving)
    tab.wait_for_rest()
    tab.keep("move-dragged")
    _reset(tab)


@pytest.mark.parametrize(
    ("grip", "right", "down", "slider", "what"),
    [
        ("mouth", -0.1, -0.1, "smile", "> 0.1"),
        ("brow", 0, -0.08, "brows", "> 0.1"),
        ("lid", 0, 0.08, "eyes", "< -0.1"),
        ("pupil", 0.06, 0, "gaze-x", "> 0.1"),
    ],
)
def test_parts_of_the_face_are_pulled(tab, grip, right, down, slider, what):
    steps, width = _steps(tab), tab.page.locator(GRIPS).bounding_box()["width"]
    _pull(tab, _middle(tab, f"#edited .grips [data-grip={grip}]"), right * width, down * width)
    _becomes(tab, slider, what)
    assert _value(tab, "yaw") == 0
    _let_go(tab, steps + 1)
    _reset(tab)


@pytest.mark.parametrize("width", [1360, 768, 390])
def test_the_page_scrolls_beside_the_face(visit, width):
    tab = visit(width, 844, has_touch=True)
    _open(tab)
    tab.page.locator("#edited").scroll_into_view_if_needed()
    face, picture = (tab.page.locator(one).bounding_box() for one in (GRIPS, "#edited"))
    assert picture["x"] <= face["x"] and face["x"] + face["width"] <= picture["x"] + picture["width"]
    assert face["width"] * face["height"] < 0.7 * picture["width"] * picture["height"]
    touch = "([x, y]) => getComputedStyle(document.elementFromPoint(x, y)).touchAction"
    assert tab.page.evaluate(touch, _middle(tab, GRIPS)) == "none"
    assert tab.page.evaluate(touch, (picture["x"] + 6, picture["y"] + picture["height"] / 2)) in ("auto", "manipulation")
    tab.page.mouse.move(*_middle(tab, GRIPS))
    before = tab.page.evaluate("scrollY")
    tab.page.mouse.wheel(0, 200)
    tab.page.wait_for_function(f"scrollY !== {before}", timeout=WAIT)
    tab.keep(f"move-grips-{width}")

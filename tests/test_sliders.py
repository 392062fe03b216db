"""The sliders: what each commands, what packs can do of it, and that faces follow while nothing else changes."""

import dataclasses
from typing import get_type_hints

import numpy as np
import pytest
import torch
from people import alike, look, picture
from PIL import Image

from stylemask_demo import FaceParameters, Portrait
from stylemask_demo.editing.commands import POSE, commanded, motion_change, readings
from stylemask_demo.editing.correction import Correction
from stylemask_demo.editing.sliders import sliders_of
from stylemask_demo.editing.table import EXPRESSIVE, PLACES, PRESETS, SLIDERS, WINKS, SliderValues
from stylemask_demo.errors import UnknownSlider
from stylemask_demo.evaluation.instruments import Instruments
from stylemask_demo.evaluation.sliders import MEASURED, measured_changes
from stylemask_demo.faces.crops import FfhqCrop
from stylemask_demo.faces.parameters import DIRECTIONS, EXPRESSIONS
from stylemask_demo.packs.catalogue import PUBLISHED
from stylemask_demo.packs.recipe import OWN
from stylemask_demo.portraits.placing import Placing, laid


def face(**shown: float) -> torch.Tensor:
    """The motion values (56,) of a face that shows these coefficients and no others."""
    return torch.tensor([0.0] * POSE + [shown.get(name, 0.0) for name in EXPRESSIONS])


def changed(values: dict[str, float], seen: torch.Tensor) -> dict[str, float]:
    """What slider values change of a face, by name."""
    change = motion_change(values, seen)
    names = ("yaw", "pitch", "roll", *EXPRESSIONS)
    return {name: pytest.approx(float(one), abs=1e-6) for name, one in zip(names, change, strict=True) if one}


def test_the_table_is_whole():
    assert set(get_type_hints(SliderValues)) == set(SLIDERS)
    for name, slider in SLIDERS.items():
        assert slider.low <= 0 < slider.high and slider.step > 0
        assert {*slider.more, *slider.less} <= set(EXPRESSIONS) and set(slider.directions) <= set(DIRECTIONS), name
    for values in PRESETS.values():
        assert all(SLIDERS[name].low <= value <= SLIDERS[name].high for name, value in values.items())


def test_what_a_face_shows_goes_before_the_other_side_comes():
    frowning = face(browDown_L=0.4, browDown_R=0.4)
    assert changed({"brows": 0.3}, frowning) == {"browDown_L": -0.3, "browDown_R": -0.3}
    up = dict.fromkeys(SLIDERS["brows"].more, 0.2)
    assert changed({"brows": 0.6}, frowning) == {"browDown_L": -0.4, "browDown_R": -0.4, **up}
    assert changed({"brows": -0.9}, frowning) == {"browDown_L": 0.6, "browDown_R": 0.6}, "no further than faces go"


@pytest.mark.parametrize(
    ("turned", "wished", "given"), [(0, 30, 30), (-35, -30, -13), (-35, 30, 30), (60, 10, 0), (60, -30, -30), (40, 45, 8)]
)
def test_heads_turn_no_further_than_faces_hold(turned, wished, given):
    seen = face()
    seen[0] = turned / 20
    assert changed({"yaw": wished}, seen) == ({"yaw": given / 20} if given else {})


@pytest.mark.slow
def test_a_profile_is_turned_as_far_as_it_holds_and_this_is_told(reenactor):
    profile = reenactor.portrait(picture("900035_1"))  # by -36 degrees
    held = reenactor.sliders.held(profile, {"yaw": -30, "pitch": 0, "smile": 1})
    stops = -48 - profile.parameters.yaw
    assert held["yaw"] == pytest.approx(stops, abs=3) and set(held) == {"yaw"}
    assert reenactor.sliders.held(profile, {"yaw": 20}) == {}
    far, further = (reenactor.edit(profile, yaw=yaw) for yaw in (held["yaw"], -30))
    assert alike(far, further)
    assert -50 < look(reenactor, [further])[0][0].yaw < profile.parameters.yaw - 3


def test_a_gaze_moves_both_eyes_to_one_side():
    right = {"eyeLookOut_L": 0.3, "eyeLookIn_R": 0.3, "eyeLookIn_L": -0.3, "eyeLookOut_R": -0.3}
    assert changed({"gaze_x": 0.6}, face()) == right
    assert changed({"gaze_x": 0.6}, face(eyeLookOut_L=1, eyeLookIn_R=1)) == {}, "it looks there already"


def test_several_sliders_add_up():
    assert changed({"yaw": 20, "jaw": 0.5, "lips": -0.5, "eyes": -1}, face()) == {
        "yaw": 1.0,
        "jawOpen": 0.5,
        "mouthPucker": 0.5,
        "eyeBlink_L": 1.0,
        "eyeBlink_R": 1.0,
    }


def test_one_shut_eye_is_a_wink_and_two_are_shut_eyes():
    still = dict.fromkeys(EXPRESSIONS, 0.0)
    winking = readings({**still, "eyeBlink_R": 0.9, "eyeBlink_L": 0.2})
    assert (winking["wink_left"], winking["wink_right"], winking["eyes"]) == pytest.approx((0.7, 0, -0.2))
    asleep = readings({**still, "eyeBlink_R": 0.9, "eyeBlink_L": 0.9})
    assert (asleep["wink_left"], asleep["wink_right"], asleep["eyes"]) == pytest.approx((0, 0, -0.9))


def test_packs_do_what_their_matrices_hold():
    assert sliders_of(OWN.default) == tuple(SLIDERS)
    held = {"yaw", "pitch", "smile", "jaw", *PLACES}
    assert set(sliders_of(PUBLISHED["voxceleb"].recipes.default)) == held
    ours = set(sliders_of(dataclasses.replace(OWN.default, correction="directions")))
    assert ours == set(SLIDERS), "our own directions hold all of them"


def test_what_a_pack_cannot_move_is_refused(reenactor, sources, monkeypatch):
    with pytest.raises(UnknownSlider, match="no slider 'ears'. Choose one of: yaw, pitch"):
        reenactor.edit(sources[0], ears=1)
    monkeypatch.setattr(reenactor.pipeline.sliders, "names", ("yaw", "pitch"))
    with pytest.raises(ValueError, match="no slider 'jaw'. Choose one of: yaw, pitch."):
        reenactor.edit(sources[0], jaw=0.5)


def _open(seen: FaceParameters) -> bool:
    return readings(seen.expression)["eyes"] > -0.3


@pytest.fixture(scope="module")
def people(sources) -> list[Portrait]:
    """Three who look about straight ahead with open eyes."""
    straight = [
        one for one in sources if abs(one.parameters.yaw) < 20 and readings(one.parameters.expression)["eyes"] > -0.3
    ]
    return straight[:3]


@pytest.mark.parametrize(
    ("values", "least"),
    [({"eyes": -1}, -0.4), ({"jaw": 0.8}, 0.4), ({"brows": -0.8}, -0.4), ({"lips": -0.8}, -0.3), ({"gaze_x": 0.8}, 0.2)],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_faces_follow_and_heads_stay(reenactor, people, values, least):
    instruments = Instruments(reenactor.pipeline.networks)
    before, after = (instruments.look(reenactor.edit(people, **moved)) for moved in ({}, values))
    change = dict(zip(MEASURED, measured_changes(before, after, reenactor.resolution).mean(0), strict=True))
    (name,) = values
    assert change[name] / least > 1, change
    assert max(abs(change[angle]) for angle in ("yaw", "pitch", "roll")) < 2
    assert (before.identity * after.identity).sum(1).min() > 0.85


def test_a_wink_shuts_one_eye_alone(reenactor, people):
    source = people[0]
    still, winking, shut = (np.float32(reenactor.edit(source, **values)) for values in ({}, {"wink_left": 1}, {"eyes": -1}))
    left, right = (source.parameters.landmarks[eye].mean(0).round().astype(int) for eye in WINKS.values())

    def apart(one: np.ndarray, other: np.ndarray) -> list[float]:
        """How different two pictures are around the left eye and around the right one, in grey levels."""
        change = np.abs(one - other).mean(2)
        return [change[y - 6 : y + 7, x - 10 : x + 11].mean() for x, y in (left, right)]

    assert apart(winking, still)[0] > 5 and apart(winking, still)[1] < 0.2 * apart(winking, still)[0]
    assert apart(winking, shut)[0] < 0.1 * apart(shut, still)[0], "as far as both eyes are shut together"


def test_a_sample_leads_to_its_expression_and_a_ratio_part_of_the_way(reenactor, people, targets):
    source, sample = people[0], max(targets, key=lambda one: one.parameters.expression["jawOpen"])
    assert not any(reenactor.sliders.towards(source, source).values())
    whole, half = (reenactor.sliders.towards(source, sample, ratio) for ratio in (1.0, 0.5))
    assert set(whole) == set(EXPRESSIVE) and half["jaw"] == pytest.approx(whole["jaw"] / 2, abs=0.05)
    (seen,), _ = look(reenactor, [reenactor.edit(source, **whole)])
    gaps = [abs(one.expression["jawOpen"] - sample.parameters.expression["jawOpen"]) for one in (seen, source.parameters)]
    assert gaps[0] < 0.6 * gaps[1]


@pytest.mark.parametrize("placing", [Placing(roll=15), Placing(zoom=0.2), Placing(zoom=-0.2), Placing(right=0.1, up=-0.05)])
def test_a_head_is_laid_as_the_photo_would_have_been_cut(people, placing):
    side = 256
    y, x = np.mgrid[:600, :600] / 100
    photo = Image.fromarray(np.uint8(np.stack([128 + 90 * np.sin(3 * x), 128 + 90 * np.sin(2 * y + x), 20 * (x + y)], 2)))
    quad = np.array([[172, 172], [172, 428], [428, 428], [428, 172]])
    crop, transform = FfhqCrop().cut_square(photo, quad, side)
    portrait = dataclasses.replace(people[0], photo=photo, crop=crop, transform=transform)
    made = np.float32(laid(portrait, crop, placing))
    to_place = placing.of(portrait.parameters.landmarks - 0.5, side)
    corners = np.array([[0, 0], [0, side], [side, side], [side, 0]]) - 0.5
    before = np.linalg.solve(to_place[:, :2], (corners - to_place[:, 2]).T).T
    true, _ = FfhqCrop().cut_square(photo, transform.to_photo(before) + 0.5, side)
    assert np.abs(made - np.float32(true))[4:-4, 4:-4].max() < 12


def test_an_expression_that_is_not_followed_does_not_stop_another(monkeypatch):
    names = ("smile", "jaw")
    corrected = Correction(None, None, None)
    deaf = commanded(["jaw"]) > 0
    monkeypatch.setattr(corrected, "moved", lambda code, values: code + values)
    monkeypatch.setattr(corrected, "seen", lambda code, sources: torch.where(deaf, 0.0, 0.5 * code))
    wanted = motion_change({"smile": 0.8, "jaw": 0.8}, face())[None]
    expressions = torch.stack([commanded([name]) for name in names])
    code = corrected.followed(torch.zeros(1, 56), wanted, (), torch.ones(56), 3, expressions)
    smile, jaw = (code[0, expressions[i] > 0].mean() for i in range(2))
    assert smile > 1.3 and jaw == 0

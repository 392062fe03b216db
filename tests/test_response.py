"""What sliders miss is learned once of each portrait, and faces that were not looked at move as those that were."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from stylemask_demo.editing.response import Response
from stylemask_demo.evaluation.instruments import Instruments
from stylemask_demo.evaluation.sliders import MEASURED, measured_changes
from stylemask_demo.generator.synthesis import Synthesis


@pytest.fixture
def looks():
    """What was looked at: a portrait and some settings each time."""
    return []


@pytest.fixture
def response(looks) -> Response:
    """A stand-in misses a tenth of its yaw, and 2 once, because turns are hidden, however it is turned."""

    def missed(portrait, settings):
        looks.append((portrait, settings))
        return torch.tensor([[0.1 * abs(of.get("yaw", 0.0)), 2.0, 10 * of.get("smile", 0.0)] for of in settings])

    return Response(missed)


def portrait(key: str) -> SimpleNamespace:
    return SimpleNamespace(look=(key, None))


def test_a_way_is_looked_at_once_and_is_straight_in_between(response, looks):
    someone, other = portrait("someone"), portrait("other")
    assert response(someone, {"yaw": 10}).tolist() == pytest.approx([1, 2, 0])
    assert response(someone, {"yaw": 2.5}).tolist() == pytest.approx([0.25, 1, 0])
    assert len(looks) == 1
    assert response(someone, {"yaw": -15}).tolist() == pytest.approx([1.5, 2, 0])
    assert response(other, {"yaw": 10}).tolist() == pytest.approx([1, 2, 0])
    assert [one for one, _ in looks] == [someone, someone, other]


def test_sliders_add_up_but_what_one_turn_shows_the_other_does_not_hide(response):
    someone = portrait("someone")
    assert response(someone, {"yaw": 10, "smile": 0.8}).tolist() == pytest.approx([1, 4, 8])
    assert response(someone, {"yaw": 20, "pitch": 10}).tolist() == pytest.approx([2, 2, 0])
    assert response(someone, {"yaw": 2.5, "pitch": 10}).tolist() == pytest.approx([0.25, 2, 0])


@pytest.mark.parametrize("values", [{"yaw": -20}, {"jaw": 0.6}], ids=str)
def test_faces_move_as_when_they_are_looked_at_in_one_drawing(reenactor, sources, values, monkeypatch):
    straight = sorted(sources, key=lambda one: abs(one.parameters.yaw) + abs(one.parameters.pitch))[:2]
    instruments, edited = Instruments(reenactor.pipeline.networks), reenactor.pipeline.edited
    looked_at, drawings = edited(straight, values), []
    for one in straight:
        reenactor.sliders.learn(one, *values)

    draw = Synthesis.tensors
    monkeypatch.setattr(Synthesis, "tensors", lambda self, *how: drawings.append(how) or draw(self, *how))
    quick = edited(straight, values, quick=True)
    assert len(drawings) == 1

    before, slow, fast = (instruments.look(pictures) for pictures in (edited(straight, {}), looked_at, quick))
    changes = [measured_changes(before, after, reenactor.resolution).mean(0) for after in (slow, fast)]
    ((name, value),) = values.items()
    assert abs(changes[1][MEASURED.index(name)] / changes[0][MEASURED.index(name)] - 1) < 0.1, value
    for angle in {"yaw", "pitch", "roll"} - {name}:
        assert np.abs(np.subtract(*changes)[MEASURED.index(angle)]) < 0.8

"""Results are looked at and corrected: what is shown comes nearer to what is wanted, and nothing else changes."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from people import look

from stylemask_demo.editing.commands import bearable, commanded, motion_change
from stylemask_demo.editing.correction import Correction
from stylemask_demo.editing.sliders import Sliders
from stylemask_demo.faces.parameters import EXPRESSIONS
from stylemask_demo.generator.synthesis import Synthesis
from stylemask_demo.methods.code import motion_values
from stylemask_demo.packs.catalogue import PUBLISHED
from stylemask_demo.pipeline import Pipeline


@pytest.fixture(scope="module")
def portraits(sources) -> list:
    return sources[:8]


def _errors(reenactor, results, targets) -> tuple[float, float]:
    """Mean errors of the angles in degrees and of the expression."""
    seen, _ = look(reenactor, results)
    gaps = (motion_values(seen) - motion_values([target.parameters for target in targets])).abs()
    return float(gaps[:, :3].mean() * 20), float(gaps[:, 3:].mean())


@pytest.mark.parametrize("method", ["stylemask", "directions", "motion"])
def test_results_show_more_of_the_targets_motion(reenactor, portraits, monkeypatch, method):
    targets = portraits[1:] + portraits[:1]
    pose, expression = _errors(reenactor, reenactor.reenact(portraits, targets, method), targets)
    monkeypatch.setattr(reenactor.pipeline, "correction", None)
    plain = _errors(reenactor, reenactor.reenact(portraits, targets, method), targets)
    assert pose < 0.9 * plain[0] and expression < 0.9 * plain[1]


@pytest.fixture
def directed(reenactor) -> Pipeline:
    """The embedded pack with results that are corrected along its directions, as published packs' are."""
    networks = reenactor.pipeline.networks
    info = dataclasses.replace(networks.info, recipes=networks.info.recipes.updated(correction="directions"))
    return Pipeline(dataclasses.replace(networks, info=info), reenactor.pipeline.finder)


@pytest.mark.parametrize("method", ["stylemask", "directions", "motion"])
def test_directions_bring_results_nearer_too(reenactor, directed, portraits, method):
    targets = portraits[1:] + portraits[:1]
    pose, expression = _errors(reenactor, directed.reenacted(portraits, targets, method, 1.0), targets)
    directed.correction = None
    plain = _errors(reenactor, directed.reenacted(portraits, targets, method, 1.0), targets)
    assert pose < 0.7 * plain[0] and expression < 0.9 * plain[1]


def test_nothing_is_corrected_before_there_are_directions(directed, portraits):
    source, target = portraits[:2]
    directed.networks.directions = None
    made = directed.reenacted([source], [target], "stylemask", 1.0)[0]
    directed.correction = None
    assert np.array_equal(made, directed.reenacted([source], [target], "stylemask", 1.0)[0])


def test_the_published_programs_correct_nothing():
    assert all(pack.recipes.published.correction is None for pack in PUBLISHED.values())


def test_without_strength_nothing_is_corrected(reenactor, portraits):
    source, target = portraits[:2]
    made = np.int16(reenactor.reenact(source, target, strength=0.0))
    assert np.abs(made - np.int16(reenactor.edit(source))).max() <= 1


def test_what_is_shown_as_wanted_stays(reenactor, portraits):
    """The correction is a linear function of what is missing."""
    source = portraits[0]
    code = reenactor.pipeline.space.code(source.codes)
    seen, _ = look(reenactor, [source.inversion])
    face = reenactor.pipeline.transfer.sources([source], "stylemask")
    wanted = face._replace(values=motion_values(seen))
    with torch.inference_mode():
        stays = reenactor.pipeline.correction(code, face, wanted, 1.0)
        moves = reenactor.pipeline.correction(code, face, wanted._replace(values=wanted.values + 0.1), 1.0)
        further = reenactor.pipeline.correction(code, face, wanted._replace(values=wanted.values + 0.2), 1.0)
    for style, one, two, three in zip(code.styles, stays.styles, moves.styles, further.styles, strict=True):
        assert (one - style).abs().max() < 0.5 * (two - style).abs().max()  # seen at 128 and at 256 px
        assert torch.allclose(three - two, two - one, atol=1e-4)


def test_the_generator_that_draws_is_the_one_looked_at(reenactor, portraits, monkeypatch):
    looked = []
    draw = Synthesis.tensors

    def noted(self, code, tunings=(None,), size=None):
        looked.append((list(tunings), size))
        return draw(self, code, (None,), size)

    monkeypatch.setattr(Synthesis, "tensors", noted)
    tuned = [dataclasses.replace(portrait, tuning=SimpleNamespace(key=str(i))) for i, portrait in enumerate(portraits[:2])]
    reenactor.reenact(tuned, portraits[2])
    assert looked == [([portrait.tuning for portrait in tuned], None)] * 2


def test_values_are_angles_and_coefficients_in_order(portraits):
    (values,) = motion_values([portraits[0].parameters])
    parameters = portraits[0].parameters
    assert values[:3].tolist() == pytest.approx([a / 20 for a in (parameters.yaw, parameters.pitch, parameters.roll)])
    assert values[3:].tolist() == pytest.approx([parameters.expression[name] for name in EXPRESSIONS])


def test_an_edit_changes_what_it_says_and_little_else(reenactor, portraits):
    values = {"yaw": 15, "smile": 0.5}
    change = motion_change(values, torch.zeros(56))
    assert change[0] == 0.75 and change.count_nonzero() == 3
    watched = commanded(["smile"])
    watched[:3] = 1

    def error(sliders: Sliders) -> float:
        draw = reenactor.pipeline.results.pictures
        before, _ = look(reenactor, draw(sliders.code(portraits, {}), portraits))
        after, _ = look(reenactor, draw(sliders.code(portraits, values), portraits))
        missing = motion_values(after) - motion_values(before) - change
        return float((watched * missing).abs().mean())

    pipeline = reenactor.pipeline
    assert error(pipeline.sliders) < 0.8 * error(Sliders(pipeline.transfer, pipeline.space, None))


@pytest.mark.parametrize(
    ("shown", "wished", "given"),
    [(0.0, 0.5, 0.5), (0.0, -1, -0.3), (0.6, -1, -0.9), (0.9, 1, 0.4), (1.4, 0.5, 0), (1.3, -0.5, -0.5)],
)
def test_a_smile_stays_within_what_faces_do(shown, wished, given):
    smiling = motion_change({"yaw": 20, "pitch": 10, "smile": shown}, torch.zeros(56) - 1)
    assert bearable("smile", wished, smiling) == pytest.approx(given, abs=1e-6)


def test_nobody_smiles_less_than_can_be_drawn(reenactor, portraits):
    stern, sterner = (reenactor.edit(portraits[0], smile=smile) for smile in (-2, -3))
    assert np.array_equal(stern, sterner)
    assert not np.array_equal(stern, reenactor.edit(portraits[0]))


class Face:
    """A stand-in for the generator: a code is what is asked for, and a smile shows no further than to `widest`."""

    def __init__(self, widest: float):
        self.widest = widest

    def feedback(self, monkeypatch) -> Correction:
        feedback = Correction(None, None, None)
        monkeypatch.setattr(feedback, "moved", lambda code, values: code + values)
        monkeypatch.setattr(feedback, "seen", lambda code, sources: torch.where(SMILING, code.clamp(max=self.widest), code))
        return feedback


SMILING = commanded(["smile"]) > 0


@pytest.mark.parametrize(("widest", "pushed_to"), [(2.0, 1.2), (1.1, 1.2), (1.01, 1.0)])
def test_a_smile_is_pushed_only_as_long_as_the_face_follows(monkeypatch, widest, pushed_to):
    wanted = motion_change({"yaw": 20, "pitch": -10, "smile": 1.2}, torch.zeros(56))[None]
    start = motion_change({"yaw": 5, "smile": 1.0}, torch.zeros(56))[None]
    correction = Face(widest).feedback(monkeypatch)
    corrected = start + correction.followed(start, wanted, (), torch.ones(56), 3, commanded(["smile"])[None])
    assert torch.allclose(corrected[:, :3], wanted[:, :3])  # angles are corrected whatever the mouth does
    assert corrected[0, SMILING].tolist() == pytest.approx([pushed_to] * 2)
    assert (corrected[0, 3:][~SMILING[3:]] == 0).all()


def test_what_surely_follows_is_not_looked_at_once_more(monkeypatch):
    wanted = motion_change({"yaw": 20}, torch.zeros(56))[None]
    correction, looks = Face(2.0).feedback(monkeypatch), []
    monkeypatch.setattr(correction, "seen", lambda code, sources: looks.append(1) or 0.5 * code)  # it turns half as far
    smile, start = commanded(["smile"])[None], torch.zeros(1, 56)
    added, checked = (correction.followed(start, wanted, (), torch.ones(56), 2, smile, sure) for sure in (True, False))
    assert torch.equal(added, checked) and added[0, 0] == pytest.approx(1.5 * wanted[0, 0])
    assert len(looks) == 2 + 3

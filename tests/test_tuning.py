"""Tuning the generator to a face: it gets more like the face, can still be edited, and touches nobody else."""

import threading

import numpy as np
import pytest
import torch
from people import alike, look, picture
from PIL import Image

from stylemask_demo import Portrait
from stylemask_demo.errors import Cancelled
from stylemask_demo.media.origin import origin_of

pytestmark = pytest.mark.slow

STEPS = 25


def head_psnr(portrait: Portrait) -> float:
    """Of the inversion against the crop, in dB, inside an ellipse around the landmarks."""
    points = portrait.parameters.landmarks
    (x, y), (width, height) = points.mean(0), np.ptp(points, axis=0)
    rows, columns = np.mgrid[: portrait.crop.height, : portrait.crop.width]
    head = ((columns - x) / (0.62 * width)) ** 2 + ((rows - y) / (0.72 * height)) ** 2 < 1
    error = (np.float32(portrait.inversion) - np.float32(portrait.crop))[head] / 255
    return float(-10 * np.log10(np.square(error).mean()))


def pixels(image: Image.Image) -> np.ndarray:
    return np.int16(image)


@pytest.fixture(scope="module")
def portrait(reenactor):
    return reenactor.portrait(picture("900004_0"))


@pytest.fixture(scope="module")
def other(reenactor):
    return reenactor.portrait(picture("900003_1"))


@pytest.fixture(scope="module")
def tuned(reenactor, portrait, other):
    """The tuned portrait, made while another visitor keeps asking for pictures."""
    before = reenactor.reenact(other, portrait)
    results, done = [], threading.Event()

    def visit() -> None:
        while not done.is_set():
            results.append(np.array_equal(before, reenactor.reenact(other, portrait)))

    visitor = threading.Thread(target=visit)
    visitor.start()
    reports = []
    made = reenactor.tune(portrait, steps=STEPS, progress=lambda *report: reports.append(report))
    done.set()
    visitor.join()
    assert results and all(results), "tuning one face changed the picture of another"
    assert np.array_equal(before, reenactor.reenact(other, portrait))
    assert [(number, total) for number, total, _ in reports] == [(i + 1, STEPS) for i in range(STEPS)]
    assert reports[-1][2] < reports[0][2]
    return made


def test_the_inversion_comes_nearer(portrait, tuned):
    assert head_psnr(tuned) > head_psnr(portrait) + 1.5
    assert portrait.tuning is None and tuned.key == portrait.key


def test_the_tuned_face_still_moves(reenactor, tuned, other):
    turned, straight = reenactor.edit(tuned, yaw=20), reenactor.edit(tuned)
    after, before = look(reenactor, [turned, straight])[0]
    assert 10 < after.yaw - before.yaw < 30
    who = look(reenactor, [tuned.crop])[1][0]
    driven = look(reenactor, [reenactor.reenact(tuned, other), reenactor.reenact(other, tuned)])[1] @ who
    assert driven[0] > driven[1]


def test_tuned_and_untuned_sources_go_in_one_call(reenactor, portrait, tuned, other):
    together = reenactor.reenact([portrait, tuned, other], other)
    for source, result in zip([portrait, tuned, other], together, strict=True):
        assert alike(result, reenactor.reenact(source, other))
    assert np.abs(pixels(together[0]) - pixels(together[1])).mean() > 1


def test_the_changes_are_small_and_on_the_cpu(reenactor, tuned):
    generator = reenactor.pipeline.space.generator
    tensors = tuned.tuning.weights
    assert all(tensor.dtype == torch.float16 and tensor.device.type == "cpu" for tensor in tensors.values())
    assert tuned.tuning.bytes <= 2 * sum(parameter.numel() for parameter in generator.parameters())
    assert not any("modulation" in name or name.startswith("style.") for name in tensors)


def test_a_tuned_portrait_can_be_kept_and_used_again(reenactor, tuned, other):
    again = Portrait.from_bytes(tuned.to_bytes())
    assert np.array_equal(again.inversion, tuned.inversion) and origin_of(again.photo) == origin_of(tuned.photo)
    assert again.transform == tuned.transform and again.look == tuned.look and again.bytes == tuned.bytes
    assert again.parameters.expression == tuned.parameters.expression and again.views.keys() == tuned.views.keys()
    assert np.array_equal(reenactor.reenact(again, other), reenactor.reenact(tuned, other))


def test_who_brings_the_same_picture_is_not_handed_what_another_tuned(reenactor, portrait):
    mine, theirs = reenactor.tune(portrait, steps=1), reenactor.tune(picture("900004_0"), steps=1)
    assert mine.tuning is not theirs.tuning and mine.look != theirs.look
    assert reenactor.portrait(picture("900004_0")).tuning is None


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_it_works_whatever_it_is_called_in(reenactor, other, mode):
    with mode():
        made = reenactor.tune(picture("900003_1"), steps=2)
        assert np.abs(pixels(made.inversion) - pixels(other.inversion)).max() > 0
    again = reenactor.tune(made, steps=2)
    assert again.codes is made.codes and not made.codes.is_inference()
    assert all(not tensor.is_inference() for tensor in again.tuning.weights.values())


def test_cancelling_leaves_nothing(reenactor, other):
    before = {name: tensor.clone() for name, tensor in reenactor.pipeline.space.generator.state_dict().items()}

    def stop(done: int, total: int, loss: float) -> None:
        if done == 2:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        reenactor.tune(other, steps=5, progress=stop)
    assert other.tuning is None
    for name, tensor in reenactor.pipeline.space.generator.state_dict().items():
        assert torch.equal(tensor, before[name]), name

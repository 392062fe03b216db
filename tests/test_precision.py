"""Half precision where it is faster: as good as float32 to the eye, and never where exactness was asked for."""

import dataclasses
import os
import subprocess
import sys

import pytest
import torch
from people import alike, names, picture

from stylemask_demo import precision
from stylemask_demo.detail.photo_detail import PhotoDetail
from stylemask_demo.detail.results import Results
from stylemask_demo.generator.inversion import Inverter, OptimisingInverter
from stylemask_demo.generator.synthesis import Synthesis
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.pipeline import Pipeline
from stylemask_demo.precision import HALF, Precision, fastest

CPU = torch.device("cpu")


@pytest.fixture
def half(monkeypatch) -> Precision:
    """Half precision on a machine that may be slower in it."""
    monkeypatch.setattr(precision, "fastest", lambda device: HALF)
    return Precision(CPU, exact=False)


@pytest.mark.parametrize(("times", "chosen"), [((1.0, 0.5), HALF), ((1.0, 0.9), torch.float32), ((1, 8), torch.float32)])
def test_the_choice_is_measured(monkeypatch, times, chosen):
    monkeypatch.setattr(precision, "_seconds", lambda device, dtype: times[dtype == HALF])
    assert fastest.__wrapped__(CPU) == chosen


def test_what_is_measured_takes_time():
    assert 0 < precision._seconds(CPU, torch.float32) < 1


@pytest.mark.slow
def test_a_busy_machine_chooses_as_a_quiet_one():
    """Or two replicas of a page would show pictures that differ."""
    quiet = [precision._seconds(CPU, dtype) for dtype in (torch.float32, HALF)]
    threads = torch.get_num_threads()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        measured = [[precision._seconds(CPU, dtype) for dtype in (torch.float32, HALF)] for _ in range(3)]
    finally:
        for process in busy:
            process.kill()
            process.wait()
    for pair in measured:
        assert pair[0] / pair[1] == pytest.approx(quiet[0] / quiet[1], rel=0.25)
    assert torch.get_num_threads() == threads


def test_results_are_those_of_float32(reenactor, half):
    """Each stage beside its plain twin: 45 dB are a mean square of 1.4 grey levels, which nobody sees."""
    source, target = reenactor.portrait([picture(names(0)[0]), picture(names(1)[0])])
    pipeline, networks = reenactor.pipeline, reenactor.pipeline.networks
    code = pipeline.transfer("stylemask", *(pipeline.transfer.sources([face], "stylemask") for face in (source, target)))

    def results(how: Precision | None) -> Results:
        detail = PhotoDetail(networks.details, networks.extractor, how)
        return Results(pipeline.space, Synthesis(networks.generator, precision=how), detail, pipeline.reader)

    for sources in ([], [source]):  # without detail, and with it
        exact, fast = (results(how).tensors(code, sources) for how in (None, half))
        assert exact.dtype == fast.dtype == torch.float32 and not torch.equal(exact, fast)
        assert 10 * torch.log10(4 / (exact - fast).square().mean()) > 45
    exact, fast = (results(how).pictures(code, [source])[0] for how in (None, half))
    assert alike(exact, fast)


def test_descent_comes_to_pictures_as_good(reenactor, half):
    """A photo is inverted by steps that follow gradients, so that codes differ, and pictures of them are as near to it."""
    networks, encode = reenactor.pipeline.networks, Inverter(reenactor.pipeline.networks.encoder)
    crops = [picture(name) for name in names(0)[:3]]
    true = to_tensor(crops, networks.generator.size)

    def missed(how: Precision | None) -> torch.Tensor:
        codes = OptimisingInverter(encode, networks.generator, networks.extractor, how)(crops)
        return (networks.generator(codes).detach().clamp(-1, 1) - true).square().mean((1, 2, 3))

    lost = 10 * torch.log10(missed(half) / missed(None))
    assert lost.abs().max() < 0.3 and lost.abs().mean() > 0, f"decibels: {lost.tolist()}"


def test_compatibility_is_exact(reenactor, half):
    networks = reenactor.pipeline.networks
    code = reenactor.pipeline.space.code(networks.generator.repeat(reenactor.pipeline.space.mean_w))
    exact, fast = (
        Pipeline(dataclasses.replace(networks), reenactor.pipeline.finder, compatibility).synthesis.tensors(code)
        for compatibility in (True, False)
    )
    with torch.inference_mode():
        assert torch.equal(exact, networks.generator.synthesise(*code))
    assert not torch.equal(fast, exact)


def test_films_are_read_in_half_precision_where_the_last_layers_stay_exact(reenactor):
    own = reenactor.pipeline
    info = own.networks.info
    info = dataclasses.replace(info, recipes=info.recipes.updated(correction=None))
    published = dataclasses.replace(own.networks, encoder=torch.nn.Linear(1, 1), info=info)
    read = {
        "own": own,
        "compatible": Pipeline(dataclasses.replace(own.networks), own.finder, compatibility=True),
        "published": Pipeline(published, own.finder),
    }
    exact = {name: pipeline.film_precision.exact for name, pipeline in read.items()}
    assert exact == {"own": False, "compatible": True, "published": True}

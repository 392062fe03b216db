"""The command `bench`: its plain twins draw the same, and its tables tell what was done."""

import json
from functools import partial

import pytest
import torch

from stylemask_demo import cli
from stylemask_demo.evaluation.bench import command, work
from stylemask_demo.evaluation.bench.clock import OPERATIONS, Clock, convolution
from stylemask_demo.evaluation.bench.plain import operations, reenact_plainly, synthesise_plainly
from stylemask_demo.generator.sampling import draw_w
from stylemask_demo.networks import Generator

CPU = torch.device("cpu")


@torch.inference_mode()
def test_the_plain_synthesis_draws_the_same(reenactor):
    pipeline = reenactor.pipeline
    generator = pipeline.networks.generator
    code = pipeline.space.code(generator.repeat(draw_w(generator, 2)))
    assert (synthesise_plainly(generator, code) - generator.synthesise(*code)).abs().max() < 1e-4


def test_the_plain_path_draws_three_pictures_for_one(reenactor, sources, targets, monkeypatch):
    drawn, draw = [], synthesise_plainly
    monkeypatch.setattr(
        "stylemask_demo.evaluation.bench.plain.synthesise_plainly", lambda *how: drawn.append(how) or draw(*how)
    )
    made = reenact_plainly(reenactor, sources[0], targets[0])
    assert len(drawn) == 3 and made.size == (256, 256)
    assert drawn[2][1].styles[0].shape == drawn[0][1].styles[0].shape


def test_operations_are_those_of_the_convolutions():
    counted = []
    generator = Generator(16, channels={4: 8, 8: 6, 16: 4}, style_dim=8, n_mlp=1)
    real = torch.nn.functional.conv2d, torch.nn.functional.conv_transpose2d

    def count(x, weight, *rest, transposed=False, **more):
        made = real[transposed](x, weight, *rest, **more)
        if more.get("groups", 1) == 1:
            places = x if transposed else made
            counted.append(2 * weight.numel() * places.shape[-1] * places.shape[-2])
        return made

    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(torch.nn.functional, "conv2d", count)
        patch.setattr(torch.nn.functional, "conv_transpose2d", lambda *a, **k: count(*a, transposed=True, **k))
        generator(torch.randn(1, generator.num_latents, 8), 16)
    assert len(counted) == len(generator.layers) + len(generator.rgb_layers) and operations(generator) == sum(counted)


def test_medians_are_taken_after_a_round_that_does_not_count():
    calls = []
    medians = Clock(CPU).medians({"nothing": lambda: calls.append("nothing"), "sum": lambda: sum(range(10**6))}, rounds=3)
    assert len(calls) == 4 and 0 <= medians["nothing"] < medians["sum"] < 5


def test_the_large_convolution_is_as_large_as_it_is_said():
    made = convolution(CPU, torch.float32)()
    assert made.shape == (1, 512, 128, 128) and OPERATIONS == 2 * made.numel() * 512 * 9


@pytest.mark.slow
def test_the_command_writes_its_tables(tmp_path, monkeypatch, capsys, reenactor):
    monkeypatch.setattr(command.Reenactor, "from_pack", lambda pack, device: reenactor)
    monkeypatch.setattr(
        command.Clock, "medians", lambda self, works, rounds=0: {n: 0.5 for n, do in works.items() if [do()]}
    )
    monkeypatch.setattr(work, "FRAMES", 2)
    monkeypatch.setattr(command, "ffhq_shapes", partial(work.ffhq_shapes, size=32))
    file = tmp_path / "new" / "bench.json"
    assert cli.main(["bench", "--json", str(file)]) == 0
    report = json.loads(file.read_text())
    whats = [row["what"] for row in report["rows"]]
    assert whats[:4] == ["new portrait", "two new pictures to a result", "pair of known portraits", "video, each frame"]
    assert "slider move, while the hand moves" in whats and f"{command.FFHQ}pair of known portraits" in whats
    rows = {row["what"]: row for row in report["rows"]}
    assert rows["video, each frame"]["seconds"] == 0.25 and rows["new portrait"]["convolutions"] == 1
    assert rows["pair of known portraits"]["plain"] == 1 and rows["new portrait"]["plain"] is None
    assert report["peaks"]["float32"] == OPERATIONS / 0.5 and report["memory"] > 100
    said = capsys.readouterr().out
    assert file.with_suffix(".md").read_text() == said and "| new portrait | 0.500 | 1.00 |  |" in said

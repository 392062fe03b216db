"""Masks and directions trained for the generator of a pack with the published layout, tiny and with random weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from loaded_pack import load_pack
from PIL import Image

from stylemask_demo.faces.deca import DirectionScale, cut
from stylemask_demo.networks import DecaEncoder, Generator
from stylemask_demo.packs.recipe import ParameterReading, Recipes
from stylemask_demo.packs.store import describe_pack, save_network, save_recipes
from stylemask_demo.training import command, directions, masks, presets
from stylemask_demo.training.published import deca_crops


@pytest.fixture(scope="module")
def pack(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("packs") / "tiny"
    torch.manual_seed(0)
    size = {"size": 32, "channel_multiplier": 1}
    save_network(folder, "generator", Generator(**size), size)
    save_network(folder, "deca", DecaEncoder(), {})
    describe_pack(folder, title="Tiny", resolution=32, licence="for tests", origin="Made by a test.")
    scale = DirectionScale(factors=(0.1,) * 15, signs=(-1.0, -1.0, 1.0))
    save_recipes(folder, Recipes().updated(parameters=ParameterReading("deca"), directions=scale))
    return folder


@pytest.fixture
def few_faces(monkeypatch) -> None:
    """Let the CPU's preset take small batches of few faces."""
    preset = presets.PRESETS["cpu"]
    plans = {network: replace(plan, batch=4) for network, plan in preset.plans.items()}
    monkeypatch.setitem(presets.PRESETS, "cpu", replace(preset, plans=plans, bank=16))
    for module in (directions, masks):
        monkeypatch.setattr(module, "PEOPLE_SHOWN", 2)


@pytest.mark.slow
@pytest.mark.usefixtures("few_faces")
@pytest.mark.parametrize("network", ["masks", "directions"])
def test_two_steps_on_a_pack_are_saved_into_it(pack, tmp_path, network):
    options = [network, "--on", str(pack), "--run", str(tmp_path), "--preset", "cpu", "--steps", "2"]
    assert command.main(options) == 0
    trained = load_pack(pack)  # which verifies the sha256
    weights = list(trained[network].parameters())
    assert all(torch.isfinite(weight).all() for weight in weights) and weights[0].abs().max() > 0
    assert (tmp_path / f"{network}-loss.png").exists()
    if network == "directions":
        assert trained[network].linear.in_features == 15
    else:
        assert trained[network].style_sizes == trained["generator"].style_sizes[:10]


@pytest.mark.slow
@pytest.mark.usefixtures("few_faces")
def test_another_folder_takes_the_result(pack, tmp_path):
    before = (pack / "pack.json").read_text()
    places = ["--run", str(tmp_path / "run"), "--pack", str(tmp_path / "other")]
    assert command.main(["directions", "--on", str(pack), *places, "--preset", "cpu", "--steps", "1"]) == 0
    assert set(load_pack(tmp_path / "other").networks) == {"directions"}
    assert (pack / "pack.json").read_text() == before


def test_crops_are_those_that_deca_reads():
    rng = np.random.default_rng(0)
    picture = np.uint8(np.linspace(0, 255, 256)[:, None, None] * np.ones((1, 256, 3)) * [1, 0.5, 0.2])
    picture[:, :, 1] = np.linspace(0, 255, 256)[None]
    landmarks = rng.uniform(90, 170, (68, 2))
    expected = cut(Image.fromarray(picture), landmarks)
    made = deca_crops(
        torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1,
        torch.from_numpy((landmarks[None] + 0.5) / 256).float(),
    )
    assert np.abs(made[0].permute(1, 2, 0).numpy() - expected).mean() < 0.01


@pytest.mark.parametrize("options", [["masks"], ["masks", "--on", "tiny", "--data", "faces"]])
def test_either_pictures_or_a_pack_are_needed(options, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(options)
    assert stopped.value.code == 2 and "--on" in capsys.readouterr().err

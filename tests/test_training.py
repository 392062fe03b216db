"""Training: labels follow their pictures, runs resume, and all tasks together make a pack that loads."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from stylemask_demo.faces.parameters import EXPRESSIONS
from stylemask_demo.packs import load_pack
from stylemask_demo.training import command
from stylemask_demo.training.augment import head_angles, head_rotation, move, turn_head
from stylemask_demo.training.data import MIRRORED_LANDMARKS, load_faces, mirrored_expressions
from stylemask_demo.training.loop import Task, load_averages, run

FACES = Path(__file__).parent / "assets" / "faces"


def test_mirroring_twice_changes_nothing():
    assert (MIRRORED_LANDMARKS[MIRRORED_LANDMARKS] == np.arange(68)).all()
    order = mirrored_expressions(EXPRESSIONS)
    assert (order[order] == np.arange(len(EXPRESSIONS))).all()
    assert EXPRESSIONS[order[EXPRESSIONS.index("mouthSmile_L")]] == "mouthSmile_R"
    assert EXPRESSIONS[order[EXPRESSIONS.index("jawLeft")]] == "jawRight"


def test_head_angles_are_the_inverse_of_the_rotation():
    euler = torch.tensor([[30.0, -20.0, 10.0], [-50.0, 15.0, -5.0]])
    assert torch.allclose(head_angles(head_rotation(euler)), euler, atol=1e-4)


def test_turning_the_picture_turns_a_frontal_head_only_in_roll():
    turned = turn_head(torch.zeros(1, 3), torch.tensor([12.0]))
    assert torch.allclose(turned, torch.tensor([[0.0, 0.0, 12.0]]), atol=1e-4)


def test_landmarks_move_with_the_picture():
    picture = torch.full((1, 3, 64, 64), -1.0)
    picture[:, :, 20:22, 40:42] = 1  # a dot with its centre at (41, 21) of 64
    landmarks = torch.tensor([[[41 / 64, 21 / 64]]])
    settings = torch.tensor([15.0]), torch.tensor([1.2]), torch.tensor([[0.1, -0.05]])
    moved, points = move(picture, landmarks, 64, *settings)
    y, x = divmod(int(moved[0, 0].argmax()), 64)
    assert (points[0, 0] * 64 - torch.tensor([x + 0.5, y + 0.5])).abs().max() < 1.0


def _quadratic(steps: int) -> Task:
    torch.manual_seed(3)
    layer = nn.Linear(4, 1)
    return Task(
        "toy",
        {"layer": layer},
        torch.optim.Adam(layer.parameters(), lr=0.01),
        lambda step: {"square": layer(torch.randn(8, 4)).square().mean()},
        steps=steps,
        save_every=5,
    )


def test_interrupted_run_ends_where_an_uninterrupted_one_does(tmp_path):
    whole = run(_quadratic(20), tmp_path / "whole")["layer"]

    class Interrupted(Exception):
        pass

    halted = _quadratic(20)
    loss = halted.loss

    def stop_at(step: int):
        if step == 12:
            raise Interrupted
        return loss(step)

    halted.loss = stop_at
    with pytest.raises(Interrupted):
        run(halted, tmp_path / "halves")
    resumed = run(_quadratic(20), tmp_path / "halves")["layer"]
    assert torch.allclose(whole.weight, resumed.weight, atol=1e-6)
    history = json.loads((tmp_path / "halves" / "toy.json").read_text())
    assert [row["step"] for row in history] == [5, 10, 15, 20]
    assert (tmp_path / "halves" / "toy-loss.png").exists()
    again = nn.Linear(4, 1)
    load_averages(tmp_path / "halves", "toy", layer=again)
    assert torch.equal(again.weight, resumed.weight)


@pytest.fixture(scope="module")
def small_data(tmp_path_factory) -> Path:
    """The committed faces as one training shard and one validation shard; coefficients are made up."""
    folder = tmp_path_factory.mktemp("data")
    labels = dict(list(json.loads((FACES / "labels.json").read_text()).items())[:40])
    rng = np.random.default_rng(0)
    for shard in ("train-00", "validation"):
        with tarfile.open(folder / f"{shard}.tar", "w") as tar:
            for name in labels:
                tar.add(FACES / f"{name}.webp", f"{name}.webp")
        count = len(labels)
        np.savez(
            folder / f"{shard}.npz",
            person=np.arange(count) // 2,
            identity=rng.normal(size=(count, 100)).astype(np.float16),
            expression=rng.uniform(size=(count, 53)).astype(np.float16),
            euler=np.float32([label["euler"] for label in labels.values()]),
            landmarks=np.float16([label["landmarks"] for label in labels.values()]),
            tone=rng.uniform(size=count),
            female=rng.uniform(size=count) < 0.5,
            hair_style=np.array(["short"] * count),
        )
    return folder


def test_faces_are_read_in_the_order_of_their_labels(small_data, tmp_path):
    faces = load_faces(small_data, "train-*", tmp_path, (64,))
    again = load_faces(small_data, "train-*", tmp_path, (64,))  # from the cache
    assert len(faces) == 40
    assert (faces.pictures[64] == again.pictures[64]).all()
    assert faces.batch(np.array([3, 1]), 64).shape == (2, 3, 64, 64)
    with pytest.raises(FileNotFoundError, match="nowhere-"):
        load_faces(small_data, "nowhere-*", tmp_path)


def test_all_tasks_together_make_a_pack(small_data, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "BANK", 32)
    places = ["--data", str(small_data), "--run", str(tmp_path / "run"), "--pack", str(tmp_path / "pack")]
    for network in ("extractor", "identity", "autoencoder", "directions", "masks"):
        assert command.main([network, *places, "--steps", "3" if network == "autoencoder" else "1"]) == 0
        assert (tmp_path / "run" / f"{network}-loss.png").exists()
        assert (tmp_path / "run" / f"{network}-sheet.png").exists()
    assert command.main(["pack", *places]) == 0
    pack = load_pack(tmp_path / "pack")
    assert set(pack.networks) == {"generator", "encoder", "extractor", "identity", "masks", "directions"}
    picture = pack["generator"](pack["encoder"](torch.zeros(1, 3, 128, 128)))
    assert picture.shape == (1, 3, 256, 256)


def test_training_in_the_wrong_order_is_explained(small_data, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["masks", "--data", str(small_data), "--run", str(tmp_path)])
    assert stopped.value.code == 2
    assert "in order" in capsys.readouterr().err

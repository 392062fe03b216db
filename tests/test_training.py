"""Training: labels follow their pictures, runs resume, and all tasks together make a pack that loads."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import shared_training
import small_training
import torch
from accelerate.state import AcceleratorState
from loaded_pack import load_pack
from people import FACES, LABELS
from torch import nn

from stylemask_demo.faces.parameters import EXPRESSIONS, MIRRORED_LANDMARKS, mirrored_expressions
from stylemask_demo.networks.correspondence import find_places
from stylemask_demo.networks.parameter_extractor import ExtractedParameters
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.training import command, presets
from stylemask_demo.training.augment import head_angles, head_rotation, jitter, move, turn_head
from stylemask_demo.training.autoencoder import GENERATOR
from stylemask_demo.training.data import Faces, draw_pairs, draw_rows, load_faces
from stylemask_demo.training.discriminator import PatchDiscriminator, adversarial, cut_patch
from stylemask_demo.training.factors import fit_factors
from stylemask_demo.training.learning_rates import parameter_groups
from stylemask_demo.training.loop import Task, load_averages, run
from stylemask_demo.training.mapping import amplify_codes, read_all
from stylemask_demo.training.pairs import Pairs
from stylemask_demo.training.sample_bank import Bank, landmark_gap


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
        lambda step, done: {"square": layer(torch.randn(8, 4)).square().mean()},
        steps=steps,
        save_every=5,
    )


def test_views_of_one_person_are_moved_alike():
    views = torch.randn(2, 3, 32, 32).repeat_interleave(2, 0)
    points = torch.rand(2, 68, 2).repeat_interleave(2, 0)
    mirrored = torch.tensor([True, True, False, False])
    pictures, landmarks, degrees = jitter(views, points, mirrored, alike=2)
    for moved in (pictures, landmarks, degrees):
        assert (moved[::2] == moved[1::2]).all()
    assert (degrees[0] - degrees[2]).abs() > 1e-3
    assert (jitter(views, points, mirrored)[2].diff().abs() > 1e-3).all()


@pytest.mark.slow
def test_interrupted_run_ends_where_an_uninterrupted_one_does(tmp_path):
    whole = run(_quadratic(20), tmp_path / "whole")["layer"]

    class Interrupted(Exception):
        pass

    halted = _quadratic(20)
    loss = halted.loss

    def stop_at(step: int, done: float):
        if step == 12:
            raise Interrupted
        return loss(step, done)

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


def test_the_average_soon_forgets_where_it_came_from(tmp_path):
    task = _quadratic(40)
    layer, weights = task.modules["layer"], []
    task.optimiser.register_step_post_hook(lambda *_: weights.append(layer.weight.detach().clone()))
    averaged = run(task, tmp_path)["layer"]
    expected = weights[0]
    for count, weight in enumerate(weights[1:], 1):
        expected = torch.lerp(weight, expected, min(task.average, (count + 1) / (count + 10)))
    torch.testing.assert_close(averaged.weight, expected)
    assert not averaged.training and not averaged.weight.requires_grad


@pytest.mark.slow
def test_processes_share_their_gradients(tmp_path):
    in_two_processes(shared_training.__file__, tmp_path)
    (some, weights), (others, same) = (torch.load(tmp_path / rank) for rank in "01")
    assert not torch.equal(some, others)  # each draws its own batches,
    assert all(torch.equal(weights[name], same[name]) for name in weights)  # and all go the same way
    torch.manual_seed(3)
    layer = nn.Linear(4, 1)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1)
    for batch in torch.cat([some, others], 1):  # a batch of both is what they have seen
        optimiser.zero_grad()
        layer(batch).square().mean().backward()
        optimiser.step()
    torch.testing.assert_close(layer.weight.data, weights["weight"])


def in_two_processes(program: str, *arguments: object) -> None:
    """Run a Python file twice at a time, as `accelerate launch` does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    processes = []
    try:
        for rank in ("0", "1"):
            environment = os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank, "GLOO_SOCKET_IFNAME": "lo"}
            environment["PYTHONPATH"] = str(Path(__file__).parents[1])
            command_line = [sys.executable, program, *map(str, arguments)]
            processes.append(subprocess.Popen(command_line, env=environment, stderr=subprocess.PIPE, text=True))
        said = [process.communicate(timeout=500)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], said


@pytest.fixture(scope="module")
def small_data(tmp_path_factory) -> Path:
    """The committed faces as training shards and a validation shard; coefficients are made up."""
    folder = tmp_path_factory.mktemp("data")
    all_labels = list(LABELS.items())
    rng = np.random.default_rng(0)
    for shard, count in (("train-00", 40), ("scene-00", 8), ("validation", 16)):
        labels = dict(all_labels[:count])
        with tarfile.open(folder / f"{shard}.tar", "w") as tar:
            for name in labels:
                tar.add(FACES / f"{name}.webp", f"{name}.webp")
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
    pairs = np.array(
        [(view, other) for first in range(0, 8, 2) for view, other in ((first, first + 1), (first + 1, first))]
    )
    places = rng.uniform(-16000, 16000, (len(pairs), 64, 64, 2)).astype(np.int16)
    cells = rng.integers(0, 4, (len(pairs), 64, 64)).astype(np.uint8)
    np.savez(folder / "correspondence-scene-00.npz", rows=pairs, places=places, cells=cells)
    return folder


def test_faces_are_read_in_the_order_of_their_labels(small_data, tmp_path):
    faces = load_faces(small_data, "train-*", tmp_path, (64,))
    again = load_faces(small_data, "train-*", tmp_path, (64,))  # from the cache
    assert len(faces) == 40
    assert (faces.pictures[64] == again.pictures[64]).all()
    assert faces.batch(np.array([3, 1]), 64).shape == (2, 3, 64, 64)
    with pytest.raises(FileNotFoundError, match="nowhere-"):
        load_faces(small_data, "nowhere-*", tmp_path)


def test_people_with_glasses_are_drawn_more_often_and_shards_need_not_know_them(small_data, tmp_path):
    assert not load_faces(small_data, "train-*", tmp_path, (64,)).labels["glasses"].any()
    worn = np.arange(100) % 10 == 0
    faces = Faces({}, {"person": np.arange(100), "glasses": worn})
    assert worn[draw_rows(faces, 8000)].mean() == pytest.approx(0.1, abs=0.02)
    assert worn[draw_rows(faces, 8000, glasses=4.0)].mean() == pytest.approx(4 / 13, abs=0.03)


def test_pairs_are_two_pictures_of_one_person_who_may_have_many(small_data, tmp_path):
    faces = load_faces(small_data, "train-*", tmp_path, (64,))
    faces.labels["person"][:] = np.repeat([0, 1, 2, 3], [2, 5, 1, 32])  # one picture alone makes no pair
    views = faces.rows_by_person()
    assert [len(rows) for rows in views] == [2, 5, 32]
    pairs = np.concatenate([draw_pairs(views, 3) for _ in range(20)])
    person = faces.labels["person"][pairs]
    assert (person[:, 0] == person[:, 1]).all() and (pairs[:, 0] != pairs[:, 1]).all()
    assert len(np.unique(pairs[person == 3])) > 15  # not the first ones only
    often = np.concatenate([draw_pairs(views, 1, torch.tensor([0.0, 3.0, 1.0])) for _ in range(80)])[:, 0]
    drawn = np.bincount(faces.labels["person"][often], minlength=4)
    assert drawn[0] == 0 and drawn[1] > 1.5 * drawn[3] > 0


def _bank(pairs: torch.Tensor) -> Bank:
    """20 faces; every number of face n is n."""
    number = torch.arange(20.0)
    parameters = ExtractedParameters(*(number[:, None] for _ in ExtractedParameters._fields))
    return Bank(number[:, None, None], parameters, number[:, None], pairs)


def test_the_last_quarter_of_a_batch_is_one_person_twice():
    bank = Bank.from_state(_bank(torch.arange(8, 20).view(-1, 2)).state())
    source, target, same = bank.draw(400)
    assert same.tolist() == [0] * 300 + [1] * 100
    own, other = source.w_plus[300:].flatten(), target.w_plus[300:].flatten()
    assert (other == own + 1).all() and (own >= 8).all()
    assert (source.parameters.euler == source.embedding).all()
    assert len(source.w_plus[:300].unique()) == 20


def test_a_bank_without_pairs_draws_strangers():
    *_, same = _bank(torch.empty(0, 2, dtype=torch.long)).draw(8)
    assert not same.any()


def test_landmarks_of_strangers_do_not_count():
    found, wanted = torch.zeros(4, 68, 2), torch.full((4, 68, 2), 0.01)
    assert landmark_gap(found, wanted, torch.tensor([0.0, 0, 0, 1])) == pytest.approx(0.25)
    wanted[3] = 0
    assert landmark_gap(found, wanted, torch.tensor([0.0, 0, 0, 1])) == 0


def test_each_player_learns_from_its_own_loss_alone():
    torch.manual_seed(0)
    judge = PatchDiscriminator()
    made = torch.zeros(2, 3, 64, 64, requires_grad=True)
    losses = adversarial(judge, made, torch.randn(2, 3, 64, 64), step=0)
    losses["sharpness"].backward(retain_graph=True)
    assert made.grad.abs().sum() > 0 and all(p.grad is None for p in judge.parameters())
    made.grad = None
    (losses["judge"] + losses["penalty"]).backward()
    assert made.grad is None and all(p.grad is not None for p in judge.parameters())


def test_the_judge_comes_to_prefer_sharp_pictures():
    torch.manual_seed(0)
    judge = PatchDiscriminator()
    optimiser = torch.optim.Adam(judge.parameters(), lr=2e-3, betas=(0.0, 0.99))

    def pictures() -> tuple[torch.Tensor, torch.Tensor]:
        sharp = torch.randn(4, 3, 64, 64).clamp(-1, 1)
        return torch.nn.functional.avg_pool2d(sharp, 3, 1, 1), sharp

    for step in range(30):
        losses = adversarial(judge, *pictures(), step)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
    blurred, sharp = pictures()
    assert (judge(sharp).mean((1, 2, 3)) > judge(blurred).mean((1, 2, 3)) + 0.5).all()


def test_patches_are_cut_at_the_same_place():
    picture = torch.arange(256 * 256.0).view(1, 1, 256, 256)
    one, two = cut_patch(picture, -picture)
    assert one.shape == (1, 1, 128, 128) and torch.equal(one, -two)


def test_a_run_ends_when_its_time_is_over(tmp_path):
    task = _quadratic(10**9)
    task.seconds = 0.2
    run(task, tmp_path)
    last = json.loads((tmp_path / "toy.json").read_text())[-1]
    assert last["step"] < 10**9
    assert task.optimiser.param_groups[0]["lr"] < 0.01  # the learning rate falls by time, too


def test_pictures_that_are_missing_are_told_before_hours_of_training(small_data, tmp_path, capsys):
    for path in small_data.glob("[tv]*"):
        (tmp_path / path.name).symlink_to(path)
    with pytest.raises(SystemExit):
        command.main(["all", "--data", str(tmp_path), "--run", str(tmp_path / "run")])
    assert "no scene-*.tar" in (said := capsys.readouterr().err) and "render --scene" in said
    assert not (tmp_path / "run").exists()


def assert_trained(run: Path, network: str) -> None:
    """A run of two steps of a network has left its curve, its sheet and finite losses."""
    assert (run / f"{network}-loss.png").exists()
    assert (run / f"{network}-sheet.png").exists()
    (losses,) = json.loads((run / f"{network}.json").read_text())
    assert losses["step"] == 2 and np.isfinite(list(losses.values())).all(), losses
    if network == "factors":
        assert losses["own landmarks"] > 0 and "strangers" in losses


def assert_whole(run: Path, folder: Path) -> None:
    """A run of two steps of each network has left its curves and sheets, and a pack that works."""
    for network in presets.NETWORKS:
        assert_trained(run, network)
    pack = load_pack(folder)
    methods = {"masks", "directions", "motion_encoder", "motion_mapping", "details"}
    assert set(pack.networks) == {"generator", "encoder", "extractor", "identity", *methods}
    picture = torch.rand(1, 3, 128, 128) * 2 - 1
    code = pack["encoder"](picture)
    assert pack["generator"](code).shape == (1, 3, 256, 256)
    assert pack["motion_mapping"](code[:, :1], pack["motion_encoder"](picture)).shape == (1, 1, 512)
    crops = [torch.rand(1, 3, 256, 256) * 2 - 1 for _ in range(3)]
    places = find_places(*[torch.rand(1, 68, 2)] * 3, 64)
    assert pack["details"](*crops, places, torch.zeros(1, 6)).drawn.shape == (1, 3, 256, 256)
    card = (folder / "MODEL_CARD.md").read_text()
    assert "training: 40 pictures of 20 rendered people" in card
    assert all(f"| {network} | 2 |" in card for network in presets.NETWORKS)


@pytest.fixture(scope="module")
def whole_run(small_data, tmp_path_factory) -> Path:
    """The folder of a run of all tasks by one process in half precision, with the pack in it."""
    folder = tmp_path_factory.mktemp("run")
    AcceleratorState._reset_state(reset_partial_state=True)  # a process has one precision, else
    with pytest.MonkeyPatch.context() as patch:
        small_training.shrink(patch, "bf16")
        places = ["--data", str(small_data), "--run", str(folder), "--pack", str(folder / "finished")]
        assert command.main(["all", *small_training.ARGUMENTS, *places]) == 0
    AcceleratorState._reset_state(reset_partial_state=True)
    return folder


@pytest.mark.slow
def test_all_tasks_together_make_a_pack(whole_run):
    assert_whole(whole_run, whole_run / "finished")


@pytest.mark.slow
def test_two_processes_share_the_making_of_pairs_and_train_on_them(whole_run, small_data, tmp_path):
    """In full precision, going on from what one process has trained."""
    run = shutil.copytree(
        whole_run, tmp_path / "run", ignore=shutil.ignore_patterns("pairs*", "pack", "finished", "details*")
    )
    in_two_processes(small_training.__file__, "details", "--data", small_data, "--run", run)
    assert_trained(run, "details")
    pairs = Pairs.open(run / "pairs")
    assert (pairs.rows // 2 == np.repeat(np.arange(4), 2)[:, None]).all()  # people in their order, as many of each
    assert pairs.pictures.std((2, 3, 4)).all() and pairs.landmarks.any((2, 3)).all()  # both did their share


@pytest.mark.parametrize(("name", "promised", "besides"), [("cpu", 600, 45), ("gpu", 25, 4)])
def test_presets_leave_time_for_what_is_not_training(name, promised, besides):
    plans = presets.PRESETS[name].plans
    assert tuple(plans) == presets.NETWORKS
    assert sum(plan.minutes for plan in plans.values()) + besides <= promised


def test_units_behind_many_positive_inputs_stay_alive():
    torch.manual_seed(1)
    inputs, wanted = torch.rand(64, 3072), torch.randn(64, 8)

    def trained(groups) -> tuple[float, float]:
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3072, 64), nn.ReLU(), nn.Linear(64, 8))
        optimiser = torch.optim.Adam(groups(network))
        for _ in range(60):
            loss = (network(inputs) - wanted).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        heard = (network[:2](inputs) > 0).any(0).float().mean()
        return heard.item(), loss.item()

    heard, loss = trained(lambda network: parameter_groups(network, 2e-3))
    heard_plain, loss_plain = trained(lambda network: [{"params": network.parameters(), "lr": 2e-3}])
    assert heard > 0.5 > 0.25 > heard_plain
    assert loss < 0.5 * loss_plain


def test_every_trained_parameter_is_in_one_group():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(16, 4), nn.Linear(16, 2), nn.Linear(4, 4))
    network[3].requires_grad_(False)
    groups = parameter_groups(network, 0.1)
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    assert len(rates) == sum(len(group["params"]) for group in groups) == 6
    assert rates[id(network[0].weight)] == rates[id(network[1].bias)] == 0.1
    assert rates[id(network[1].weight)] == rates[id(network[2].weight)] == pytest.approx(0.1 * 3 / 4)


def test_identity_part_of_codes_is_found():
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    # 200 persons, 4 views: the first 8 dimensions belong to the person, the others to the view.
    codes = torch.cat([normal(200, 8).repeat_interleave(4, 0), normal(800, 24)], 1)
    found = fit_factors(codes, normal(800, 56), torch.arange(200).repeat_interleave(4), dimensions=8)
    swapped = found.with_identity(codes[:1], codes[-1:])[0]
    assert (swapped[:8] - codes[-1, :8]).abs().mean() < 0.1
    assert (swapped[8:] - codes[0, 8:]).abs().mean() < 0.25  # persons differ by chance in what belongs to the view
    assert (codes[0] - codes[-1]).abs().mean() > 0.8


def test_factors_are_as_exact_in_a_step_of_mixed_precision():
    torch.manual_seed(0)
    # Codes of a trained encoder lie far from zero and differ little along most axes.
    codes = 5 + torch.randn(400, 64) * torch.logspace(0, -3, 64)
    known = codes, torch.randn(400, 56), torch.arange(100).repeat_interleave(4)
    exact = fit_factors(*known, dimensions=8)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = fit_factors(*known, dimensions=8)
    assert torch.equal(mixed.identity, exact.identity) and torch.equal(mixed.looks, exact.looks)


def test_amplified_codes_vary_more_and_give_the_same_pictures(small_data, tmp_path):
    faces = load_faces(small_data, "train-*", tmp_path, (128,))
    generator, encoder = Generator(**GENERATOR).eval(), PortraitEncoder(14).eval()
    encoder.still.weight.data *= torch.linspace(1, 1e-2, 512)[:, None]  # an encoder that hardly uses most of W
    pictures = faces.batch(np.arange(4), 128)

    def codes_and_pictures() -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            return read_all(encoder.look, faces, faces.spread(40)), generator(encoder(pictures), 64)

    few, before = codes_and_pictures()
    amplify_codes(generator, encoder, faces)
    many, after = codes_and_pictures()
    assert (after - before).abs().max() < 1e-3 * before.std()

    def strong_axes(codes: torch.Tensor) -> int:
        return int((torch.linalg.svdvals(codes - codes.mean(0)) > 0.25 * len(codes) ** 0.5).sum())

    assert strong_axes(many) > 1.5 * strong_axes(few) > 0


def test_training_in_the_wrong_order_is_explained(small_data, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["masks", "--data", str(small_data), "--run", str(tmp_path)])
    assert stopped.value.code == 2
    assert "in order" in capsys.readouterr().err

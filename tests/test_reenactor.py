"""The pipeline on the shipped pack with pictures of people that no training saw."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from people import FACES, LABELS, alike, look, names, picture
from PIL import Image

from stylemask_demo import Reenactor
from stylemask_demo.errors import NoFaceFound, PackMissing
from stylemask_demo.methods.motion import move
from stylemask_demo.networks.compact_motion_encoder import CompactMotionEncoder
from stylemask_demo.networks.motion_mapping import MotionMapping
from stylemask_demo.packs import CHECKPOINTS
from stylemask_demo.packs.store import save_network
from stylemask_demo.pipeline import Pipeline
from stylemask_demo.portraits import builder


def angles(parameters) -> np.ndarray:
    return np.array([parameters.yaw, parameters.pitch, parameters.roll])


def test_portrait_tells_pose_and_landmarks(sources, targets):
    truth = [LABELS[name] for name in names(0) + names(1)]
    portraits = sources + targets
    errors = np.abs([angles(p.parameters) - t["euler"] for p, t in zip(portraits, truth, strict=True)]).mean(0)
    assert (errors < 3.5).all(), f"yaw, pitch, roll are {errors} degrees off"
    distances = []
    for portrait, label in zip(portraits, truth, strict=True):
        points = np.array(label["landmarks"])
        eyes = np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0))
        distances.append(np.linalg.norm(portrait.landmarks_in_photo - points, axis=1).mean() / eyes)
    assert np.mean(distances) < 0.05


@pytest.mark.slow
def test_eyes_behind_glasses_are_read_and_shown_open(reenactor):
    """An extractor that has seen no glasses takes their frames for shut lids, 0.58 too far shut on average."""
    folder = FACES.parent / "glasses"
    truth = json.loads((folder / "labels.json").read_text())
    portraits = reenactor.portrait([Image.open(folder / f"{name}.webp").convert("RGB") for name in truth])
    shown = look(reenactor, reenactor.reenact(portraits[0], portraits, "directions"))[0]

    def lids(parameters) -> np.ndarray:
        return np.array([(p.expression["eyeBlink_L"] + p.expression["eyeBlink_R"]) / 2 for p in parameters])

    expected = np.array([label["eyeBlink"] for label in truth.values()])
    read = [portrait.parameters for portrait in portraits]
    assert np.abs(lids(read) - expected).max() < 0.25 and np.abs(lids(read) - expected).mean() < 0.1
    assert np.abs(lids(shown) - expected).mean() < 0.15
    errors = np.abs([angles(p) - label["euler"] for p, label in zip(read, truth.values(), strict=True)]).mean(0)
    assert (errors < 3).all(), f"yaw, pitch, roll are {errors} degrees off"


@pytest.mark.parametrize(("method", "share"), [("stylemask", 0.7), ("directions", 0.6)])
def test_reenactment_takes_the_pose_and_keeps_the_person(reenactor, sources, targets, method, share):
    results = reenactor.reenact(sources, targets, method=method)
    assert len(results) == len(sources) == 8
    parameters, vectors = look(reenactor, results)
    _, who = look(reenactor, [p.crop for p in sources])
    _, how = look(reenactor, [p.crop for p in targets])
    poses = [np.stack([angles(p.parameters) for p in people]) for people in (sources, targets)]
    made = np.stack([angles(p) for p in parameters])
    to_source, to_target = (np.abs(made - pose).mean(1) for pose in poses)
    # Where source and target face the same way there is nothing to tell apart.
    differ = np.abs(poses[0] - poses[1]).mean(1) > 4
    assert differ.sum() >= 6
    assert (to_target < to_source)[differ].mean() >= 0.9
    nearer = (vectors * who).sum(1) > (vectors * how).sum(1)
    assert nearer.mean() >= share


def test_strength_zero_moves_nothing(reenactor, sources, targets):
    result = reenactor.reenact(sources[0], targets[0], strength=0.0)
    difference = np.abs(np.int16(result) - np.int16(reenactor.edit(sources[0])))
    assert difference.max() <= 1


@pytest.fixture(scope="module")
def unmoved(reenactor, sources) -> list:
    """What is seen of eight people whom the sliders leave as they are."""
    return look(reenactor, reenactor.edit(sources[:8]))[0]


def test_edit_turns_the_head_and_leaves_pitch(reenactor, sources, unmoved):
    before = np.stack([angles(p) for p in unmoved])
    for yaw in (20.0, -20.0):
        after = np.stack([angles(p) for p in look(reenactor, reenactor.edit(sources, yaw=yaw))[0]])
        change = (after - before).mean(0)
        assert 12 < change[0] * np.sign(yaw) < 28
        assert abs(change[1]) < 5


def test_edit_smile(reenactor, sources, unmoved):
    after = [p.smile for p in look(reenactor, reenactor.edit(sources, smile=0.6))[0]]
    assert np.mean(after) > np.mean([p.smile for p in unmoved]) + 0.15


def test_edit_of_nothing_is_the_inversion_with_its_detail(reenactor, sources):
    (detailed,) = reenactor.pipeline.results.detailed([sources[0].inversion], sources[:1])
    assert np.abs(np.int16(reenactor.edit(sources[0])) - np.int16(detailed)).mean() < 0.3  # of eight bits


def test_batches_agree_with_single_pictures(reenactor, sources, targets):
    together = reenactor.reenact(sources[:3], targets[0])
    for source, result in zip(sources[:3], together, strict=True):
        alone = reenactor.reenact(source, targets[0])
        assert alike(result, alone)


def test_identity_is_a_unit_vector_that_knows_people(reenactor):
    first, other = reenactor.identity([picture(names(0)[0]), picture(names(0)[3])])
    mirrored = reenactor.identity(picture(names(0)[0]).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert first.shape == (256,)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-4)
    assert first @ mirrored > first @ other


def test_sample_is_repeatable_and_various(reenactor):
    first, second = reenactor.sample([1, 2])
    assert first.size == (256, 256)
    assert alike(first, reenactor.sample(1))
    assert np.abs(np.int16(first) - np.int16(second)).mean() > 5
    with pytest.raises(ValueError, match="seed"):
        reenactor.sample(-1)


def test_portraits_are_remembered_and_cannot_be_changed(reenactor):
    first, again = (reenactor.portrait(picture(names(0)[0])) for _ in range(2))
    assert again is first
    with pytest.raises(dataclasses.FrozenInstanceError):
        again.key = "other"
    with pytest.raises(ValueError, match="read-only"):
        again.parameters.landmarks[0, 0] = 0


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_codes_are_of_one_kind_whatever_they_are_made_in(reenactor, mode):
    face = picture(names(0)[0])
    face.putpixel((0, 0), (["no_grad", "inference_mode", "enable_grad"].index(mode.__name__), 9, 9))
    with mode():
        codes = reenactor.portrait(face).codes
    assert not codes.is_inference() and not codes.requires_grad and codes.dtype == torch.float32


def test_a_pack_that_is_loaded_in_inference_mode_is_like_others(sources):
    with torch.inference_mode():
        loaded = Reenactor.from_pack("synthetic", device="cpu")
    networks = loaded.pipeline.networks
    kept = [*networks.generator.parameters(), *networks.identity.get().parameters(), loaded.pipeline.space.mean_w]
    assert not any(tensor.is_inference() for tensor in kept)
    assert loaded.portrait(sources[0].photo).codes.shape == sources[0].codes.shape  # which takes gradients


@pytest.mark.slow
def test_memory_of_portraits_is_bounded(reenactor, monkeypatch):
    monkeypatch.setattr(builder, "REMEMBERED", 3)
    reenactor = Reenactor(Pipeline(reenactor.pipeline.networks, reenactor.pipeline.finder))
    base = picture(names(0)[0])
    for shade in range(5):
        other = base.copy()
        other.putpixel((0, 0), (shade, 0, 0))
        reenactor.portrait(other)
    assert len(reenactor.pipeline.portraits) == 3


def test_face_in_a_large_photo_is_found(reenactor, sources):
    photo = Image.new("RGB", (1200, 800), (90, 110, 120))
    photo.paste(picture(names(0)[4]).resize((420, 420)), (600, 250))
    portrait = reenactor.portrait(photo)
    expected = np.array(LABELS[names(0)[4]]["landmarks"]) / 256 * 420 + [600, 250]
    assert np.linalg.norm(portrait.landmarks_in_photo - expected, axis=1).mean() < 0.1 * 100


@pytest.fixture(scope="module")
def couple() -> Image.Image:
    """A photo of two people, the larger face on the right."""
    photo = Image.new("RGB", (1000, 500), (90, 110, 120))
    photo.paste(picture(names(1)[0]).resize((300, 300)), (60, 120))
    photo.paste(picture(names(0)[4]).resize((420, 420)), (500, 40))
    return photo


def test_the_face_that_is_meant(reenactor, couple):
    faces = reenactor.faces(couple)
    assert len(faces) == 2
    left, right = sorted(faces, key=lambda face: face.centre[0])
    assert 60 < left.centre[0] < 360 and 500 < right.centre[0] < 920
    portraits = [reenactor.portrait(couple, face=number) for number in (0, 1)]
    assert portraits[0] is reenactor.portrait(couple) and portraits[0].key != portraits[1].key
    for face in faces:
        chosen = reenactor.portrait(couple, face=face.centre)
        assert chosen is portraits[faces.index(face)]
        assert np.linalg.norm(chosen.landmarks_in_photo.mean(0) - face.landmarks.mean(0)) < 0.1 * face.side
    with pytest.raises(NoFaceFound, match="no face number 2"):
        reenactor.portrait(couple, face=2)
    assert reenactor.faces(Image.new("RGB", (300, 300), "green")) == []


def test_the_result_goes_back_into_the_photo(reenactor, couple):
    portrait = reenactor.portrait(couple, face=(210, 270))
    assert portrait.photo.size == couple.size
    before = np.float32(couple)
    same = np.float32(reenactor.into_photo(portrait, reenactor.edit(portrait)))
    assert np.abs(same - before).mean() < 0.5
    turned = np.float32(reenactor.into_photo(portrait, reenactor.edit(portrait, yaw=20)))
    changed = np.abs(turned - before).mean(2) > 20
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 2000
    assert rows.min() > 60 and columns.max() < 480, "the other face stays as it is"


@pytest.mark.slow
def test_memory_of_large_photos_is_bounded(reenactor, monkeypatch):
    monkeypatch.setattr(builder, "REMEMBERED_BYTES", 30_000_000)
    reenactor = Reenactor(Pipeline(reenactor.pipeline.networks, reenactor.pipeline.finder))
    face = picture(names(0)[0]).resize((2000, 2000))
    for shade in range(4):
        face.putpixel((0, 0), (shade, 0, 0))
        reenactor.portrait(face)  # 12 MB each
    assert len(reenactor.pipeline.portraits) == 2


def test_real_photograph(reenactor):
    data = pytest.importorskip("skimage.data")
    portrait = reenactor.portrait(Image.fromarray(data.astronaut()))
    nose = portrait.landmarks_in_photo[30]
    assert np.linalg.norm(nose - [222, 125]) < 25


@pytest.mark.parametrize("kind", ["flat", "noise", "stripes"])
def test_pictures_without_a_face_are_refused(reenactor, kind):
    rng = np.random.default_rng(0)
    pixels = {
        "flat": np.full((300, 300, 3), 120),
        "noise": rng.integers(0, 256, (300, 300, 3)),
        "stripes": np.broadcast_to((np.arange(300) // 20 % 2 * 200)[:, None, None], (300, 300, 3)),
    }[kind]
    with pytest.raises(NoFaceFound, match="face"):
        reenactor.portrait(Image.fromarray(np.uint8(pixels)))


@pytest.fixture(scope="module")
def moving(tmp_path_factory):
    """A reenactor of the embedded pack with motion networks that learned nothing."""
    folder = tmp_path_factory.mktemp("packs") / "moving"
    shutil.copytree(CHECKPOINTS / "synthetic", folder)
    torch.manual_seed(0)
    mapping = MotionMapping(1)
    torch.nn.init.normal_(mapping.linear_relu[0].weight, std=0.05)
    encoder = CompactMotionEncoder(1)
    torch.nn.init.normal_(encoder.motion.weight, std=0.2)
    save_network(folder, "motion_encoder", encoder, {"num_latents": 1})
    save_network(folder, "motion_mapping", mapping, {"num_latents": 1})
    return Reenactor.from_pack(folder, device="cpu")


def test_a_pack_has_the_methods_that_it_has_networks_for(tmp_path, moving, targets):
    assert moving.methods == ("stylemask", "directions", "motion")
    folder = tmp_path / "pack"
    shutil.copytree(CHECKPOINTS / "synthetic", folder)
    document = json.loads((folder / "pack.json").read_text())
    for key in ("directions", "motion_encoder", "motion_mapping"):
        document["networks"].pop(key, None)
    (folder / "pack.json").write_text(json.dumps(document))
    few = Reenactor.from_pack(folder, device="cpu")
    assert few.methods == ("stylemask",)
    with pytest.raises(ValueError, match="no method 'directions'. Choose one of: stylemask"):
        few.edit(targets[0], yaw=5)


def test_motion_joins_who_and_how(moving, sources, targets):
    still = moving.reenact(sources[0], targets[0], method="motion", strength=0.0)
    assert np.abs(np.int16(still) - np.int16(moving.edit(sources[0]))).max() <= 1
    both = moving.reenact(sources[0], targets[:2], method="motion")
    other = moving.reenact(sources[1], targets[0], method="motion")
    assert np.abs(np.int16(both[0]) - np.int16(both[1])).mean() > 0.1, "the target makes no difference"
    assert np.abs(np.int16(both[0]) - np.int16(other)).mean() > 0.1, "the source makes no difference"


def test_a_mapping_of_one_code_keeps_what_sets_the_layers_apart():
    mapping, motion = MotionMapping(1), torch.randn(2, 1, 512)
    same = torch.randn(2, 1, 512).expand(-1, 14, -1)
    apart = torch.randn(2, 14, 512)
    apart -= apart.mean(1, keepdim=True)
    with torch.no_grad():
        moved = move(mapping, same, motion)
        assert moved.shape == (2, 14, 512) and (moved - moved[:, :1]).abs().max() < 1e-5
        torch.testing.assert_close(move(mapping, same + apart, motion), moved + apart, atol=1e-4, rtol=0)


@pytest.mark.parametrize("method", ["stylemask", "directions"])
def test_a_random_person_takes_the_pose_of_a_face(reenactor, targets, method):
    turned = sorted(targets, key=lambda target: target.parameters.yaw)
    yaws = []
    for target in (turned[0], turned[-1]):
        made = reenactor.sample([3, 4, 5, 6], like=target, method=method)
        yaws.append(np.mean([parameters.yaw for parameters in look(reenactor, made)[0]]))
    assert yaws[1] - yaws[0] > 0.5 * (turned[-1].parameters.yaw - turned[0].parameters.yaw)
    again = reenactor.sample(3, like=turned[-1], method=method)
    assert alike(again, made[0])


def test_a_random_person_stays_the_person(reenactor, targets):
    seeds = [3, 4, 5, 6]
    _, before = look(reenactor, reenactor.sample(seeds))
    _, after = look(reenactor, reenactor.sample(seeds, like=targets[0]))
    assert ((before @ after.T).argmax(0) == np.arange(4)).sum() >= 3


def test_unknown_pack_and_method(reenactor, sources, targets):
    with pytest.raises(PackMissing):
        Reenactor.from_pack("nonesuch")
    with pytest.raises(ValueError, match="Choose one of"):
        reenactor.reenact(sources[0], targets[0], method="nonesuch")

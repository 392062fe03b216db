"""Measuring: formulas against cases worked out by hand, and the command on a few people that no training saw."""

import io
import json
import sys
import tarfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from people import FACES, LABELS, names, picture
from PIL import Image

from stylemask_demo import cli
from stylemask_demo.editing import sliders
from stylemask_demo.errors import StyleMaskError, UnreadableMedia
from stylemask_demo.evaluation import baselines, command, sheets
from stylemask_demo.evaluation.bars import CROSS, SELF, verdicts
from stylemask_demo.evaluation.baselines import BASELINES, COPY_SOURCE, COPY_TARGET
from stylemask_demo.evaluation.metrics import (
    fit_line,
    frechet_distance,
    head_mask,
    normalised_mean_error,
    product_score,
    psnr,
)
from stylemask_demo.evaluation.people import by_group, read_people
from stylemask_demo.evaluation.portraits import measure_extractor
from stylemask_demo.evaluation.reenactment import Gallery, cross_pairs, measure_cross, measure_self, self_pairs
from stylemask_demo.evaluation.report import to_markdown
from stylemask_demo.evaluation.sliders import MEASURED, VALUES, Sweep, measured_changes, neutral_faces
from stylemask_demo.evaluation.videos import Clip, clip_pairs, find_videos, frechet_video_distance
from stylemask_demo.media.videos import read_frames, write_video
from stylemask_demo.networks.deca import SIZES, DecaParameters

PEOPLE = sorted([*names(0), *names(1), "900003_0", "900003_1"])
FEW = ("900003_0", "900003_1", "900000_0", "900001_0")


def write_shard(folder: Path, names: list[str]) -> Path:
    """Validation pictures as a shard; what the test assets do not tell of them is made up, person by person."""
    people = np.array([int(name[:6]) for name in names])
    np.savez(
        folder / "validation.npz",
        person=people,
        euler=np.float32([LABELS[name]["euler"] for name in names]),
        landmarks=np.float32([LABELS[name]["landmarks"] for name in names]),
        expression=np.zeros((len(names), 53), np.float16),
        tone=(people - 900000) / 40,
        female=people % 2 == 0,
        hair_style=np.array(["short", "long", "curly"])[people % 3],
        glasses=people % 10 == 0,
    )
    with tarfile.open(folder / "validation.tar", "w") as archive:
        for name in names:
            archive.add(FACES / f"{name}.webp", f"{name}.webp")
    return folder


@pytest.fixture(scope="module")
def setup(reenactor, tmp_path_factory):
    """The shipped pack, and none of the networks that would have to be downloaded."""
    with pytest.MonkeyPatch.context() as patch:
        offline(patch, tmp_path_factory.mktemp("home"))
        patch.setattr(command.Reenactor, "from_pack", lambda name: reenactor)  # it remembers the people already
        yield command.set_up("synthetic", "stylemask")


def offline(patch: pytest.MonkeyPatch, home: Path) -> None:
    patch.setenv("STYLEMASK_HOME", str(home))
    for module in ("torchmetrics.image.lpip", "torchmetrics.image.fid"):
        patch.setitem(sys.modules, module, None)
    patch.setattr(baselines, "SAMPLES", 40)


@pytest.fixture(scope="module")
def faces(setup, sources, targets, tmp_path_factory):  # who are remembered, so that they are not inverted again
    found, missed = read_people(setup.reenactor, write_shard(tmp_path_factory.mktemp("faces"), PEOPLE))
    assert len(found) + missed == len(PEOPLE) and missed == 0
    return found


@pytest.fixture(scope="module")
def gallery(setup, faces):
    return Gallery.labelled(faces, setup.instruments)


# Formulas


def test_frechet_distance_of_known_gaussians():
    spread = np.array([[1, 0], [-1, 0], [0, 2], [0, -2]]) * np.sqrt(3 / 2)  # covariance diag(1, 4)
    assert np.allclose(np.cov(spread.T), np.diag([1, 4]))
    wider = spread * [3, 0.5]  # covariance diag(9, 1)
    assert frechet_distance(spread, spread + [3, 4]) == pytest.approx(25)
    # Of Gaussians whose covariances commute: squares of the differences of the deviations, (1 - 3)^2 + (2 - 1)^2
    assert frechet_distance(spread, wider) == pytest.approx(5)
    assert frechet_distance(spread + [3, 4], wider) == pytest.approx(30)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert frechet_distance((spread + [3, 4]) @ turn, wider @ turn) == pytest.approx(30)


def test_frechet_distance_with_fewer_rows_than_dimensions():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(6, 40)), rng.normal(size=(9, 40)) + 1
    c1, c2 = np.cov(a.T), np.cov(b.T)
    root = np.sqrt(np.clip(np.linalg.eigvals(c1 @ c2).real, 0, None)).sum()
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(c1) + np.trace(c2) - 2 * root
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)
    assert np.isnan(frechet_distance(a[:1], b))


def test_landmark_error_counts_in_eye_distances():
    exact = np.zeros((2, 68, 2))
    exact[0, 36:42], exact[0, 42:48] = [10, 50], [40, 90]  # 50 pixels apart
    exact[1, 36:42], exact[1, 42:48] = [0, 0], [20, 0]
    found = exact + [3, 4]
    assert normalised_mean_error(found, exact) == pytest.approx([5 / 50, 5 / 20])
    one = exact.copy()
    one[0, 5] += [0, 34]
    assert normalised_mean_error(one, exact) == pytest.approx([34 / 68 / 50, 0])


def test_psnr_over_all_and_inside_a_mask():
    true = np.zeros((4, 4, 3), np.uint8)
    made, mask = true.copy(), np.zeros((4, 4), bool)
    made[:2], mask[:2] = 51, True  # a fifth of the range
    assert psnr(made, true, mask) == pytest.approx(10 * np.log10(25))
    assert psnr(made, true) == pytest.approx(10 * np.log10(50))
    assert psnr(true, true) == pytest.approx(100)


def test_head_mask_holds_the_face_and_a_forehead():
    landmarks = np.array(LABELS["900004_0"]["landmarks"])
    mask = head_mask(landmarks, 256)
    columns, rows = landmarks[17:].astype(int).T
    assert mask[rows, columns].all()
    brows = landmarks[17:27]
    x, y = brows.mean(0).astype(int)
    assert mask[y - 30, x] and not mask[:, :4].any() and not mask[-4:].any()
    assert 0.2 < mask.mean() < 0.6


def test_line_through_made_up_changes():
    commanded = np.array([-2.0, -1, 1, 2])
    exact = fit_line(commanded, 0.9 * commanded + 5)
    assert exact.slope == pytest.approx(0.9) and exact.r2 == pytest.approx(1)
    # Residuals (1, -2, 2, -1) are at right angles to the line: 10 of 10 + 0.5^2 * 10 are left.
    noisy = fit_line(commanded, 0.5 * commanded + np.array([1, -2, 2, -1]))
    assert noisy.slope == pytest.approx(0.5 + (-2 + 2 + 2 - 2) / 10)
    assert noisy.r2 == pytest.approx(2.5 / 12.5)
    assert fit_line(commanded, np.zeros(4)) == (0, 0)


def test_sweep_in_numbers():
    commanded = np.array([-30.0, 30.0])
    changes = np.zeros((2, 2, len(MEASURED)))
    changes[..., 0] = commanded * 0.5
    changes[0, 1, :4] += [0, 4, -1, 0.1]
    changes[1, 1, :4] += [0, -2, 0, -0.3]
    changes[:, 1, MEASURED.index("eyes")] = 0.4
    cosines = np.array([[0.9, 0.5], [0.7, 0.7]])
    numbers = Sweep("yaw", commanded, changes, cosines).measures()
    assert numbers["slope"] == pytest.approx(0.5) and numbers["R2"] == pytest.approx(1)
    assert numbers["crosstalk (degrees)"] == pytest.approx(3)  # pitch at +30: the mean of 4 and 2
    assert numbers["crosstalk (smile)"] == pytest.approx(0.2)
    assert numbers["crosstalk (expression)"] == pytest.approx(0.4)
    assert numbers["identity at the ends"] == pytest.approx(0.6)  # at +30
    smile = Sweep("smile", np.array([0.5, 1.0]), changes, cosines).measures()
    assert "crosstalk (smile)" not in smile and smile["identity at the ends"] == pytest.approx(0.6)
    winking = Sweep("wink_left", np.array([0.5, 1.0]), changes, cosines).measures()
    assert winking["crosstalk (expression)"] == 0, "a wink shuts an eye"


def test_changes_are_in_the_units_of_the_sliders(setup, faces):
    """A picture that is turned, enlarged and shifted as a whole."""
    crop = faces[0].portrait.crop
    side = crop.width
    turned = crop.transform(
        crop.size, Image.Transform.AFFINE, (0.9, 0, 0.05 * side, 0, 0.9, 0.1 * side), Image.Resampling.BICUBIC
    )
    (changes,) = measured_changes(*(setup.instruments.look([picture]) for picture in (crop, turned)), side)
    told = dict(zip(MEASURED, changes, strict=True))
    assert told["zoom"] == pytest.approx(1 / 0.9 - 1, abs=0.02)
    assert abs(told["shift_x"]) < 0.02 and told["shift_y"] == pytest.approx(0.06, abs=0.02)


def test_product_needs_both_pose_and_identity():
    assert product_score(0, 20, 1) == 1
    assert product_score(5, 20, 0.8) == pytest.approx(0.6)
    assert product_score(20, 20, 1) == 0 == product_score(30, 20, 1)


# Pairs


def test_self_pairs_are_views_of_one_person_and_evenly_spread():
    people = ["a", "b", "a", "c", "b", "a"]
    pairs = self_pairs(people, 100)
    rows = list(zip(pairs.sources, pairs.targets, strict=True))
    assert len(set(rows)) == len(rows) == 6 + 2
    assert all(people[s] == people[t] and s != t for s, t in rows)
    assert {people[s] for s, _ in rows[:2]} == {"a", "b"}
    assert len(self_pairs(people, 3).sources) == 3 and len(self_pairs(["a", "b"], 3).sources) == 0


def test_cross_pairs_are_of_different_people_and_everybody_is_source_as_often():
    people = ["a", "a", "a", "b", "c"]
    pairs = cross_pairs(people, 30)
    assert all(people[s] != people[t] for s, t in zip(pairs.sources, pairs.targets, strict=True))
    sources = [people[s] for s in pairs.sources]
    assert [sources.count(person) for person in "abc"] == [10, 10, 10]
    assert len(cross_pairs(["a", "a"], 5).sources) == 0


# Labelled people


def test_labels_follow_the_crop(faces):
    extracted = measure_extractor(faces)
    unturned = [LABELS[name]["euler"][2] for name in PEOPLE]
    rolls = np.array([face.portrait.parameters.roll for face in faces])
    # Aligned pictures are hardly turned once more: by as little as the roll is read wrong.
    assert extracted["roll"].mean() <= np.abs(rolls - unturned).mean() + 0.1
    assert extracted["landmarks"].mean() < 0.05 and extracted["pose error"].mean() < 2


def test_groups_add_up(faces):
    rng = np.random.default_rng(0)
    errors, cosines = rng.uniform(1, 3, len(faces)), rng.uniform(0, 1, len(faces))
    kinds = by_group(faces, errors, cosines)
    assert set(kinds) == {"skin tone", "sex", "hair style", "glasses"}
    assert set(kinds["skin tone"]) == {"light", "medium", "dark"} and set(kinds["sex"]) == {"female", "male"}
    assert kinds["glasses"]["with"]["count"] == sum(face.person % 10 == 0 for face in faces)
    for groups in kinds.values():
        counts = [group["count"] for group in groups.values()]
        assert sum(counts) == len(faces)
        for name, values in (("pose error", errors), ("CSIM", cosines)):
            assert np.average([group[name] for group in groups.values()], weights=counts) == pytest.approx(values.mean())
        assert np.average([group["ratio"] for group in groups.values()], weights=counts) == pytest.approx(1)
    people = {face.person: face.groups["skin tone"] for face in faces}
    assert people[900000] == "light" and people[900020] == "medium" and people[900032] == "dark"


def test_copying_keeps_one_thing_and_loses_the_other(setup, faces, gallery):
    pairs = cross_pairs(gallery.people, 20)

    def measured(name: str) -> dict[str, float]:
        way = setup.ways[name]
        return measure_cross(way, gallery, pairs, setup.instruments, setup.standard).means()

    source, target = measured(COPY_SOURCE), measured(COPY_TARGET)
    assert source["CSIM"] == pytest.approx(1) and source["nearer to source"] == 1
    assert source["product"] == pytest.approx(0, abs=1e-6) and source["pose error"] > 5
    reading = measure_extractor(faces)["pose error"]  # as good as the extractor can tell
    # Crops that reach beyond their photo are read before they are completed.
    assert target["pose error"] == pytest.approx(reading[pairs.targets].mean(), abs=0.05)
    assert target["CSIM to target"] == pytest.approx(1)
    assert target["CSIM"] < 0.4 and target["nearer to source"] == 0
    made = measured("stylemask")
    assert made["pose error"] < source["pose error"] / 2 and made["CSIM"] > target["CSIM"] + 0.2
    assert made["product"] > max(source["product"], target["product"])


def test_the_true_picture_is_the_best_self_reenactment(setup, gallery):
    pairs = self_pairs(gallery.people, 10)
    assert len(pairs.sources) == 2
    true, other = (
        measure_self(setup.ways[name], gallery, pairs, setup.instruments, setup.standard).means()
        for name in (COPY_TARGET, COPY_SOURCE)
    )
    assert true["PSNR"] == true["PSNR in head"] == pytest.approx(100)
    assert true["perceptual"] == pytest.approx(0, abs=1e-6) and true["CSIM"] == pytest.approx(1)
    assert true["NME"] < 0.08 < other["NME"] and other["perceptual"] > 0.1
    assert other["CSIM to source"] == pytest.approx(1) and other["pose error"] > true["pose error"]


def test_every_baseline_makes_pictures(setup, faces):
    some = [face.portrait for face in faces[:3]]
    assert set(setup.ways) == {"stylemask", *BASELINES}
    for way in setup.ways.values():
        made = way(some, some[::-1])
        assert [picture.size for picture in made] == [some[0].crop.size] * 3
    # Between equal portraits there is nothing to move.
    apart = [
        np.abs(np.float32(m) - np.float32(still)).mean()
        for name in (baselines.LINEAR, baselines.AVERAGE)
        for m, still in zip(setup.ways[name](some, some), setup.reenactor.edit(some), strict=True)
    ]
    assert max(apart) < 0.3  # of eight bits


def test_sliders_start_from_the_most_neutral_view(faces):
    chosen = neutral_faces([face for face in faces if face.person in (900003, 900008)])
    assert [face.person for face in chosen] == [900003, 900008]
    turned = {abs(face.euler[0]) / 30 + abs(face.euler[1]) / 15: face for face in faces if face.person == 900003}
    assert chosen[0] is turned[min(turned)]
    assert len(neutral_faces(faces, 5)) == 5


# Standard networks


def test_what_cannot_be_had_is_told(setup):
    lines = setup.standard.missing
    assert len(lines) == 4 and all("is left out" in line for line in lines)
    assert "requirements-train.txt" in lines[0] and "packs download" in lines[-1]


def test_standard_networks_measure_when_they_are_here(setup, faces, monkeypatch):
    def arcface(picture: torch.Tensor) -> torch.Tensor:
        assert picture.shape[1:] == (3, 256, 256)
        return torch.nn.functional.normalize(picture.mean((2, 3)) + 2)

    class Deca(torch.nn.Linear):
        input_size = 224

        def forward(self, picture: torch.Tensor) -> DecaParameters:
            assert picture.shape[1:] == (3, 224, 224) and picture.min() >= 0
            parameters = DecaParameters(*(torch.zeros(len(picture), size) for size in SIZES))
            parameters.pose[:, 2] = torch.deg2rad(picture.mean((1, 2, 3)) * 90)
            return parameters

    monkeypatch.setattr(setup.standard, "arcface", arcface)
    monkeypatch.setattr(setup.standard, "deca", Deca(1, 1))
    first, second = ([face.portrait.crop for face in some] for some in (faces[:3], faces[3:6]))
    same = setup.standard.faces(first, first, first)
    assert same["CSIM (ArcFace)"] == pytest.approx(1) and same["pose error (DECA)"] == pytest.approx(0)
    other = setup.standard.faces(first, second, second)
    assert other["CSIM (ArcFace)"] < 1 and other["pose error (DECA)"] > 0.1


# Bars


def test_bars_pass_and_fail():
    baseline = {name: {"product": 0.3} for name in BASELINES}
    report = {
        "extractor": {"yaw": 1.5, "roll": 1.1},
        CROSS: {"stylemask": {"pose error": 1.9, "product": 0.31}, **baseline},
        "sliders": {"yaw": {"slope": 1.2}, "smile": {"slope": 0.95}},
        "groups": {"cross": {"sex": {"male": {"ratio": 1.6}, "female": {"ratio": 0.4}}}},
    }
    held = {verdict.what: verdict.held for verdict in verdicts(report, ["stylemask"])}
    assert held == {
        "yaw error of the extractor (degrees)": True,
        "roll error of the extractor (degrees)": False,
        "cross: pose error (degrees), stylemask": True,
        "yaw slider: slope": False,
        "smile slider: slope": True,
        "cross: product, stylemask": True,
        "cross: worst sex (male), pose error over the mean": False,
    }
    baseline["W+ average"]["product"] = 0.32
    assert not {v.what: v.held for v in verdicts(report, ["stylemask"])}["cross: product, stylemask"]


# Videos


def test_videos_by_person(tmp_path):
    for place in ("id1/x/2.mp4", "id1/y/1.mp4", "id2/z/1.MP4", "alone.webm", "id1/x/notes.txt"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    found = find_videos(tmp_path)
    assert {person: len(paths) for person, paths in found.items()} == {"id1": 2, "id2": 1, "alone": 1}


def test_clip_pairs():
    clips = [Clip("a", [None] * 3), Clip("a", [None] * 2), Clip("b", [None] * 2)]
    own, of_clips = clip_pairs(clips, cross=False)
    assert list(own.sources) == [0, 0, 3, 5] and list(own.targets) == [1, 2, 4, 6] and list(of_clips) == [0, 0, 1, 2]
    others, _ = clip_pairs(clips, cross=True)
    assert list(others.sources) == [5, 5, 5, 0] and list(others.targets) == [1, 2, 4, 6]
    assert len(clip_pairs(clips[:2], cross=True)[0].sources) == 0


def test_frechet_distance_of_videos_sees_jitter():
    steady = np.array([[1.0], [1], [1], [3], [3], [3]])
    clips = np.array([0, 0, 0, 1, 1, 1])
    assert frechet_video_distance(steady, steady, clips) == pytest.approx(0)
    jumping = steady + np.tile([[0.5], [-1], [0.5]], (2, 1))  # equal means, changes of 1.5
    assert frechet_video_distance(jumping, steady, clips) == pytest.approx(1.5**2)


@pytest.mark.slow
def test_command_measures_videos(setup, tmp_path, monkeypatch, capsys):
    for person, name in (("id1", "900003_0"), ("id2", "900000_0")):
        folder = tmp_path / "videos" / person / "clip"
        folder.mkdir(parents=True)
        face = picture(name)
        write_video(folder / "00001.mp4", [face.crop((i, 0, 248 + i, 248)) for i in (0, 4, 8)], fps=5)
    (tmp_path / "videos" / "id2" / "broken.mp4").write_bytes(b"no video")
    monkeypatch.setattr(command, "set_up", lambda pack, method: setup)
    json_file = tmp_path / "videos.json"
    assert cli.main(["evaluate", "--data", str(tmp_path / "videos"), "--json", str(json_file)]) == 0
    report = json.loads(json_file.read_text())
    assert report["data"]["people"] == report["data"]["clips"] == 2
    assert report["data"]["frames"] == 6 and report["data"][f"pairs for {SELF}"] == 4
    assert report[SELF][COPY_TARGET]["pose error"] == pytest.approx(0, abs=1e-3)
    assert report[SELF][COPY_TARGET]["Frechet of videos"] == pytest.approx(0, abs=1e-6)
    assert report[CROSS][COPY_SOURCE]["CSIM"] == pytest.approx(1)
    assert report[CROSS]["stylemask"]["Frechet of videos"] > 0
    assert any("broken.mp4" in line for line in report["left out"])
    assert f"## {CROSS.capitalize()}" in capsys.readouterr().out


# The command


@pytest.mark.slow
def test_command_writes_tables_numbers_and_figures(setup, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "set_up", lambda pack, method: setup)
    monkeypatch.setattr(sheets, "SIDE", 1)
    monkeypatch.setattr(sliders, "CORRECTIONS", 1)
    monkeypatch.setattr(sheets, "STRIPS", {"yaw": (-20, 20)})
    few = {"yaw": (-20, 20), "smile": (0, 1), "zoom": (0, 0.2)}
    for module in (command, sheets):
        monkeypatch.setattr(module, "VALUES", few)
    for slider, ends in few.items():
        monkeypatch.setitem(VALUES, slider, ends)
    data, drawn, json_file = write_shard(tmp_path, list(FEW)), tmp_path / "sheets", tmp_path / "out" / "report.json"
    write_video(data / "film.mp4", (picture(name) for name in FEW), Fraction(25))
    arguments = ["--method", "stylemask", "--pairs", "2", "--sheets", str(drawn), "--json", str(json_file)]
    assert cli.main(["evaluate", "--data", str(data), *arguments]) == 0
    report = json.loads(json_file.read_text())
    assert report["data"] == {
        "people": 3,
        "pictures": 4,
        "no face found": 0,
        f"pairs for {SELF}": 2,
        f"pairs for {CROSS}": 2,
    }
    assert set(report[SELF]) == set(report[CROSS]) == {"stylemask", *BASELINES}
    assert set(report["sliders"]) == set(few)
    whats = [verdict["what"] for verdict in report["bars"]]
    assert len(whats) == len(set(whats)) and "cross: product, stylemask" in whats
    markdown = json_file.with_suffix(".md").read_text()
    assert markdown == capsys.readouterr().out
    assert "## By group: cross reenactment, stylemask" in markdown and "**fail**" in markdown
    for name in ("sliders.png", "groups-extractor-and-inversion.png", "groups-cross-reenactment-stylemask.png"):
        with Image.open(drawn / name) as figure:
            assert figure.format == "PNG" and len(figure.getcolors(10**6)) > 3
    driven = read_frames(drawn / "driven.mp4")
    assert (driven.count, driven.width, driven.height) == (len(FEW), 512, 256)
    assert {
        "driven.webp",
        "more-sliders.webp",
        "reenactment-stylemask.webp",
        "samples.webp",
        "sliders.webp",
        "inversions.webp",
    } <= {path.name for path in drawn.iterdir()}


def test_markdown_tables_have_equal_columns():
    report = {
        "pack": "p",
        "data": {"pictures": 4},
        CROSS: {"one": {"a": 1.0}, "two": {"a": 0.25, "b": 123.4}},
        "left out": ["FID is left out."],
    }
    text = to_markdown(report)
    assert "| way | a | b |\n| --- | --- | --- |\n| one | 1.00 |  |\n| two | 0.250 | 123.4 |" in text
    assert text.endswith("- FID is left out.\n")


def test_messages_tell_what_to_do(tmp_path, capsys):
    assert cli.main(["evaluate", "--data", str(tmp_path)]) == 2
    assert "validation.npz" in capsys.readouterr().err
    with pytest.raises(StyleMaskError, match="Choose one of: all, stylemask"):
        command.set_up("synthetic", "magic")


def test_damaged_shards_are_told(setup, tmp_path):
    write_shard(tmp_path, list(FEW))
    buffer = io.BytesIO((tmp_path / "validation.npz").read_bytes()[:500])
    (tmp_path / "validation.npz").write_bytes(buffer.getvalue())
    with pytest.raises(UnreadableMedia, match="cannot be read"):
        read_people(setup.reenactor, tmp_path)
    write_shard(tmp_path, list(FEW))
    with tarfile.open(tmp_path / "validation.tar", "w") as archive:
        archive.add(FACES / f"{FEW[0]}.webp", "one.webp")
    with pytest.raises(UnreadableMedia, match=f"1 pictures for {len(FEW)} rows"):
        read_people(setup.reenactor, tmp_path)

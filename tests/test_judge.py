"""The judge: formulas against heads made by hand, the command with a stand-in for its process, and the real eyes."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from mesh_heads import face_of, mesh_of
from people import LABELS, picture
from PIL import Image

from stylemask_demo import cli
from stylemask_demo.errors import JudgeMissing, UnreadableMedia
from stylemask_demo.evaluation import command
from stylemask_demo.evaluation.judge import results
from stylemask_demo.evaluation.judge.agreement import agreement
from stylemask_demo.evaluation.judge.environment import PLACE, find_judge, look
from stylemask_demo.evaluation.judge.material import evenly, read_real_people
from stylemask_demo.evaluation.judge.measures import JudgedFace, Judgement, judge, sharpness, summary, turn_between
from stylemask_demo.evaluation.judge.results import CROSS, EXPRESSION, INVERSION, VIDEO, choose_pairs
from stylemask_demo.evaluation.report import to_markdown
from stylemask_demo.faces.parameters import EXPRESSIONS, FaceParameters
from stylemask_demo.media.pictures import content_hash
from stylemask_demo.media.videos import write_video

PHOTOGRAPHS = ("900000_0", "900004_0", "900008_0")
PICTURE = Image.fromarray(np.tile(np.uint8([80, 100])[:, None], (256, 128, 3)).reshape(256, 256, 3))


def seen(identity: float = 0.0, **shape: float) -> JudgedFace:
    """What the judge makes of a head made by hand."""
    return JudgedFace.from_mesh(mesh_of(**shape), np.eye(128)[0] * identity, PICTURE)


# Formulas


@pytest.mark.parametrize("angle", ["yaw", "pitch", "roll"])
@pytest.mark.parametrize("degrees", [-25, 10])
def test_angles_have_the_sense_of_the_picture(angle, degrees):
    face = seen(**{angle: degrees})
    assert getattr(face, angle) == pytest.approx(degrees)
    others = {"yaw", "pitch", "roll"} - {angle}
    assert [getattr(face, other) for other in others] == pytest.approx([0, 0])


def test_gaps_count_in_eye_distances_however_the_head_is_turned():
    for turned in ({}, {"yaw": 30}, {"pitch": -20, "roll": 15}):
        face = seen(mouth=0.3, mouth_width=0.6, lids=0.08, **turned)
        assert (face.mouth, face.mouth_width, face.eye_opening) == pytest.approx((0.3, 0.6, 0.08))


def test_gaze_counts_to_the_right_in_eye_widths():
    assert seen(gaze=0.2).gaze == pytest.approx(0.2)
    assert seen(gaze=-0.1).gaze == pytest.approx(-0.1)


def test_sharpness_of_known_pictures():
    box = np.array([[16, 16], [48, 48]])
    ramp = np.repeat(np.arange(64, dtype=np.uint8)[None] * 4, 64, 0)
    lines = np.tile(np.uint8([100, 110]), (64, 32))
    # The Laplacian of a ramp is zero but at the mirrored edges; of lines one pixel wide it is twice their height.
    assert sharpness(Image.fromarray(ramp), box) == pytest.approx(2 * 4 * 2 / 32)
    assert sharpness(Image.fromarray(lines), box) == pytest.approx(2 * 10)


def test_turn_is_the_angle_between_where_faces_look_to():
    assert turn_between(seen(yaw=-10), seen(yaw=25)) == pytest.approx(35)
    assert turn_between(seen(pitch=60), seen(yaw=60)) == pytest.approx(np.degrees(np.arccos(1 / 4)))
    assert turn_between(seen(roll=30), seen()) == pytest.approx(0, abs=1e-5)


def test_a_result_is_held_against_what_was_wanted():
    source, made, target = seen(yaw=0, mouth=0), seen(0.3, yaw=18, mouth=0.15, gaze=0.1), seen(yaw=24, mouth=0.2, lids=0.2)
    found = judge("a as b", source, made, target)
    assert found.turn == pytest.approx(24) and found.same_person
    assert found.measures == pytest.approx(
        {
            "pose error": 2,
            "mouth error": 0.05,
            "eye opening error": 0.1,
            "gaze error": 0.1 * np.cos(np.radians(18)),
            "pose error of a copy": 8,
            "mouth error of a copy": 0.2,
            "eye opening error of a copy": 0.1,
            "gaze error of a copy": 0,
            "identity distance": 0.3,
            "sharpness": 1,
        },
        nan_ok=True,
    )


def test_a_slider_wants_its_change_and_all_else_as_it_was():
    source = seen(yaw=5, mouth=0.1)
    turned = source.turned({"yaw": 15})
    assert (turned.yaw, turned.pitch, turned.mouth) == pytest.approx((20, 0, 0.1))
    assert judge("", source, seen(yaw=14, mouth=0.1), turned).measures["pose error"] == pytest.approx(2)
    smiling = judge("", source, seen(yaw=5, mouth=0.3, mouth_width=0.62), source.turned({"smile": 1}), smiled=True)
    assert smiling.measures["mouth widening"] == pytest.approx(0.12)
    assert "mouth error" not in smiling.measures and smiling.measures["pose error"] == pytest.approx(0)


def test_a_result_without_a_face_is_a_failure():
    near, far = seen(), seen(yaw=40)
    judgements = [
        judge("kept", near, seen(0.5), near),
        judge("another", near, seen(0.7, yaw=37), far),
        judge("lost", near, None, far),
        judge("far", near, seen(0.2, yaw=40), far),
    ]
    numbers = summary(judgements)
    assert (numbers["results"], numbers["no face"]) == (4, 1)
    assert numbers["same person"] == 0.5 and numbers["same person beyond 20 degrees"] == pytest.approx(1 / 3)
    assert numbers["identity distance"] == pytest.approx((0.5 + 0.7 + 0.2) / 3)
    assert numbers["pose error"] == pytest.approx((0 + 1 + 0) / 3)
    assert summary([Judgement("lost", 5, {})]) == {"results": 1, "no face": 1, "same person": 0}


def parameters(yaw: float, mouth: float, lids: float, gaze: float) -> FaceParameters:
    """A reading whose landmarks and coefficients show a mouth, lids (in eye distances) and a gaze."""
    eyes = 80 * np.cos(np.radians(yaw))
    landmarks = np.zeros((68, 2))
    landmarks[45, 0] = eyes
    landmarks[66, 1] = 80 * mouth
    landmarks[[40, 41, 46, 47], 1] = 80 * lids
    expression = dict.fromkeys(EXPRESSIONS, 0.0) | {"jawOpen": mouth, "eyeBlink_L": -lids, "eyeBlink_R": -lids}
    expression |= {"eyeLookOut_L": gaze, "eyeLookIn_R": gaze, "eyeLookIn_L": -gaze, "eyeLookOut_R": -gaze}
    return FaceParameters(yaw + 2, 0.0, 0.0, expression, landmarks, np.zeros(100))


def test_readings_are_compared_with_the_judges():
    shapes = [(0, 0.0, 0.1, 0.1), (20, 0.2, 0.05, -0.1), (-30, 0.1, 0.0, 0.0)]
    faces = [seen(yaw=yaw, mouth=mouth, lids=lids, gaze=gaze) for yaw, mouth, lids, gaze in shapes]
    found = agreement([parameters(*shape) for shape in shapes], faces)
    assert found["yaw"] == pytest.approx({"correlation": 1, "mean difference": 2})
    assert found["pose"] == pytest.approx({"mean difference": 2 / 3})
    assert found["pitch"] == pytest.approx({"mean difference": 0})  # it never changes
    # The landmarks' eyes are those of a head that is turned two degrees less than is read.
    for name in ("mouth opening: landmarks", "lid opening: landmarks"):
        assert found[name]["correlation"] > 0.99 and found[name]["mean difference"] < 0.005
    for name in ("mouth opening: jaw", "lid opening: blink"):
        assert found[name] == pytest.approx({"correlation": 1})
    assert found["gaze"]["correlation"] > 0.99


# Photographs and videos


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three photographs, a picture without a face, a video and a broken one."""
    place = tmp_path_factory.mktemp("real")
    for name in PHOTOGRAPHS:
        picture(name).save(place / f"{name}.png")
    Image.new("RGB", (300, 300), "grey").save(place / "wall.jpg")
    (place / "videos").mkdir()
    face = picture("900019_0")
    write_video(place / "videos" / "clip.mp4", [face.crop((i, 0, 248 + i, 248)) for i in (0, 4, 8)], fps=5)
    (place / "broken.mp4").write_bytes(b"no video")
    return place


@pytest.fixture(scope="module")
def people(reenactor, folder):
    return read_real_people(reenactor, folder)


@pytest.mark.slow
def test_photographs_and_frames_of_videos_are_read(people):
    assert list(people.photographs) == [f"{name}.png" for name in PHOTOGRAPHS]
    assert [(name, len(frames)) for name, frames in people.videos.items()] == [("videos/clip.mp4", 3)]
    assert len(people.portraits) == 6
    assert [line.split(" ")[0] for line in people.left_out] == ["wall.jpg", "broken.mp4"]


def test_a_folder_without_faces_is_told(reenactor, tmp_path):
    Image.new("RGB", (300, 300), "grey").save(tmp_path / "wall.jpg")
    with pytest.raises(UnreadableMedia, match="No face was found in any photograph"):
        read_real_people(reenactor, tmp_path)


def test_a_choice_spreads_from_the_first_to_the_last():
    assert evenly(list(range(10)), 4) == [0, 3, 6, 9]
    assert evenly([1, 2], 4) == [1, 2] and evenly([], 4) == []


def test_pairs_are_different_people_and_the_same_in_each_run(people):
    names = [name for name, _, _ in choose_pairs(people, 4)]
    assert len(set(names)) == 4 and names == [name for name, _, _ in choose_pairs(people, 4)]
    assert all(len(set(name.split(" as "))) == 2 for name in names)
    assert len(choose_pairs(people, 40)) == 6


# The process, and the command with a stand-in for it


def stand_in(place: Path, patch: pytest.MonkeyPatch) -> None:
    """An environment whose Python is the stand-in judge."""
    python = place / "judge" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("stand_in_judge.py")}" "$@"\n')
    python.chmod(0o755)
    patch.setenv(PLACE, str(place / "judge"))


def test_a_missing_environment_is_told_before_anything_is_made(tmp_path, folder, monkeypatch, capsys):
    monkeypatch.setenv(PLACE, str(tmp_path))
    monkeypatch.setattr(command.Reenactor, "portrait", lambda *_: pytest.fail("a portrait was made"))
    assert cli.main(["evaluate", "--real", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "make judge" in said and str(tmp_path) in said and PLACE in said


def test_a_failing_judge_is_told(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch)
    monkeypatch.setenv("STAND_IN_FAILS", "No module named 'dlib'")
    with pytest.raises(JudgeMissing, match="No module named 'dlib'.*make judge"):
        look(find_judge(), [PICTURE])


def test_the_judge_looks_at_each_picture_once(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch)
    other = picture("900000_0")
    monkeypatch.setenv("STAND_IN_BLIND_TO", f"{np.asarray(other).mean():.6f}")
    found = look(find_judge(), [PICTURE, other, PICTURE.copy()])
    assert set(found) == {content_hash(PICTURE), content_hash(other)}
    assert found[content_hash(other)] is None
    assert found[content_hash(PICTURE)].yaw == pytest.approx(60 * 90 / 255 - 30)


@pytest.mark.slow
def test_command_judges_a_folder(reenactor, people, folder, tmp_path, monkeypatch, capsys):
    stand_in(tmp_path, monkeypatch)
    monkeypatch.setattr(command.Reenactor, "from_pack", lambda name: reenactor)  # it remembers the people already
    monkeypatch.setattr(results, "CHANGES", ({"yaw": 30}, {"smile": 1}))
    portraits = list(people.photographs.values())
    turned = reenactor.edit(portraits, yaw=30)[0]
    unseen = [np.asarray(shown).mean() for shown in (portraits[2].crop, turned)]
    monkeypatch.setenv("STAND_IN_BLIND_TO", " ".join(f"{mean:.6f}" for mean in unseen))
    sheets, json_file = tmp_path / "sheets", tmp_path / "real.json"
    arguments = ["--real", str(folder), "--method", "stylemask", "--json", str(json_file), "--sheets", str(sheets)]
    assert cli.main(["evaluate", *arguments]) == 0
    report = json.loads(json_file.read_text())
    assert report["data"] == {"photographs": 3, "videos": 1, "frames of videos": 3}
    # Of six pairs four are left out, because the judge does not see one of the three people.
    kinds = [f"{CROSS}: stylemask", f"{VIDEO}: stylemask", EXPRESSION, "yaw +30", "smile +1", INVERSION]
    assert {name: row["results"] for name, row in report["judged"].items()} == dict.fromkeys(kinds, 2)
    assert [name for name, row in report["judged"].items() if row["no face"]] == ["yaw +30"]
    assert report["judged"]["yaw +30"]["same person beyond 20 degrees"] == 0.5
    assert report["each"]["yaw +30"]["900000_0.png"] == {"turn": pytest.approx(30)}
    crop, made = (face_of(np.asarray(shown)) for shown in (portraits[0].crop, portraits[0].inversion))
    inverted = report["each"][INVERSION]["900000_0.png"]
    assert inverted["pose error"] == pytest.approx(abs(crop["yaw"] - made["yaw"]) / 3)
    assert inverted["mouth error"] == pytest.approx(abs(crop["mouth"] - made["mouth"]))
    assert "mouth widening" in report["judged"]["smile +1"] and "mouth error" not in report["judged"]["smile +1"]
    assert {"pose", "yaw", "mouth opening: landmarks"} <= set(report["agreement"])  # nobody here looks aside
    said = " ".join(report["left out"])
    assert "wall.jpg" in said and "broken.mp4" in said and "900008_0.png is left out: the judge" in said
    markdown = json_file.with_suffix(".md").read_text()
    assert markdown == capsys.readouterr().out and "## Judged by outside eyes" in markdown
    sizes = {path.name: Image.open(path).size for path in sheets.iterdir()}
    assert sizes == {
        "real-sliders.webp": (192 * 4, 192 * 3),
        "real-cross-reenactment-stylemask.webp": (192 * 12, 192 * 2),
        "real-own-video-stylemask.webp": (192 * 6, 192),
        "real-expression-alone.webp": (192 * 12, 192 * 2),
    }


def test_errors_stand_beside_those_of_a_copy():
    numbers = {"results": 4, "no face": 0, "pose error": 1.5, "pose error of a copy": 6.6, "same person": 0.95}
    judged = {"cross": numbers, "smile +1": {"results": 2, "mouth widening": 0.1}}
    text = to_markdown({"pack": "p", "data": {}, "judged": judged, "left out": []})
    assert "| result | results | no face | pose error (of a copy) | same person | mouth widening |" in text
    assert "| cross | 4 | 0 | 1.50 (6.60) | 0.950 |  |" in text and "| smile +1 | 2 |  |  |  | 0.100 |" in text


# The real eyes, where they are installed


def installed() -> bool:
    try:
        return bool(find_judge())
    except JudgeMissing:
        return False


@pytest.fixture(scope="module")
def eyes():
    if not installed():
        pytest.skip("the judge's environment is not here: make judge")
    return find_judge()


@pytest.mark.slow
def test_real_eyes_see_labelled_people_as_they_are(eyes):
    names = [name for name in sorted(LABELS) if abs(LABELS[name]["euler"][0]) < 35]
    pictures = {name: picture(name) for name in names}
    found = look(eyes, list(pictures.values()))
    faces = {name: face for name, shown in pictures.items() if (face := found[content_hash(shown)]) is not None}
    assert len(faces) >= 0.9 * len(names)
    judged = np.array([(face.yaw, face.pitch, face.roll) for face in faces.values()])
    labelled = np.array([LABELS[name]["euler"] for name in faces])
    assert np.corrcoef(judged[:, 0], labelled[:, 0])[0, 1] > 0.95
    assert np.corrcoef(judged[:, 1], labelled[:, 1])[0, 1] > 0.9
    assert np.abs(judged - labelled)[:, [0, 2]].mean() < 6


@pytest.mark.slow
def test_real_eyes_judge_a_folder(eyes, reenactor, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(command.Reenactor, "from_pack", lambda name: reenactor)
    json_file = tmp_path / "real.json"
    assert cli.main(["evaluate", "--real", str(folder), "--method", "stylemask", "--json", str(json_file)]) == 0
    judged = json.loads(json_file.read_text())["judged"]
    cross = judged[f"{CROSS}: stylemask"]
    assert cross["results"] == 6 and cross["pose error"] < cross["pose error of a copy"]
    alone = judged[EXPRESSION]
    assert alone["pose error of a copy"] == 0 and alone["mouth error"] < alone["mouth error of a copy"]
    assert alone["identity distance"] < cross["identity distance"]
    for name in ("yaw -15", "yaw +15"):
        assert judged[name]["pose error"] < judged[name]["pose error of a copy"]
        assert judged[name]["identity distance"] < 0.6

"""The command line, run as a person runs it: results as files, and bad input answered in one line with status 2."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from people import FACES
from PIL import Image, ImageOps

from stylemask_demo import cli, comparisons
from stylemask_demo.media.pictures import content_hash, open_image
from stylemask_demo.media.videos import read_frames, write_video
from stylemask_demo.reenactor import Reenactor

ROOT = Path(__file__).resolve().parents[1]
SOURCE, TARGET = str(FACES / "900000_0.webp"), str(FACES / "900003_1.webp")


def command(*arguments: object) -> subprocess.CompletedProcess:
    """Run the real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "stylemask_demo", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )


def assert_refused(done: subprocess.CompletedProcess, message: str) -> None:
    assert done.returncode == 2, done
    assert message in done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr, done.stderr
    assert done.stdout == ""


@pytest.fixture
def run(capfd: pytest.CaptureFixture, reenactor: Reenactor, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs a command in this process: quicker where a process of its own proves no more.

    The embedded pack is loaded already, and remembers who was seen before.
    """
    load = Reenactor.from_pack
    monkeypatch.setattr(
        Reenactor, "from_pack", lambda name, **options: reenactor if name == "synthetic" else load(name, **options)
    )

    def run(*arguments: object) -> subprocess.CompletedProcess:
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
        written = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, status, written.out, written.err)

    return run


@pytest.mark.slow
def test_reenact(tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    done = command("reenact", SOURCE, TARGET, "-o", output)
    assert (done.returncode, done.stdout) == (0, f"{output}\n"), done
    with Image.open(output) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (256, 256))


@pytest.mark.slow
def test_strength_and_method_matter(tmp_path: Path, run) -> None:
    hashes = set()
    for number, options in enumerate(
        (
            [],
            ["--strength", "0"],
            ["--strength", "0.5"],
            ["--method", "directions"],
            ["--region", "lips"],
            ["--pack", "synthetic"],
        )
    ):
        output = tmp_path / f"{number}.png"
        assert run("reenact", SOURCE, TARGET, "-o", output, *options).returncode == 0
        hashes.add(content_hash(open_image(output)))
    assert len(hashes) == 5


@pytest.mark.slow
def test_comparisons(tmp_path: Path, run, monkeypatch) -> None:
    monkeypatch.setattr(comparisons, "STEPS", 3)
    row, strip, table = tmp_path / "row.png", tmp_path / "strip.gif", tmp_path / "table.png"
    assert run("compare", SOURCE, TARGET, "-o", row).returncode == 0
    assert run("strip", SOURCE, "--slider", "pitch", "-o", strip).returncode == 0
    assert run("grid", "--sources", SOURCE, "--targets", TARGET, SOURCE, "-o", table).returncode == 0
    for path, kind, size in ((row, "PNG", (1296, 288)), (strip, "GIF", (256, 256)), (table, "PNG", (784, 528))):
        with Image.open(path) as picture:
            assert (picture.format, picture.size) == (kind, size)
            assert getattr(picture, "n_frames", 1) == (4 if kind == "GIF" else 1)
    for arguments, said in (
        (("strip", SOURCE, "--slider", "nose", "-o", strip), "yaw, pitch, smile"),
        (("grid", "--sources", *[SOURCE] * 6, "--targets", TARGET, "-o", table), "at most 5"),
        (("strip", SOURCE, "-o", row), ".gif"),
    ):
        refused = run(*arguments)
        assert refused.returncode == 2 and said in refused.stderr and refused.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_random_person_takes_the_motion_of_another(tmp_path: Path, run) -> None:
    hashes = set()
    for number, options in enumerate(([], ["--like", "8"], ["--truncation", "0"])):
        output = tmp_path / f"{number}.png"
        assert run("sample", "--seed", "7", "-o", output, *options).returncode == 0
        hashes.add(content_hash(open_image(output)))
    assert len(hashes) == 3


@pytest.mark.slow
def test_edit_follows_its_options(tmp_path: Path, run) -> None:
    outputs = {}
    for name, options in {
        "still": [],
        "yaw": ["--yaw", "-15"],
        "pitch": ["--pitch", "8.5"],
        "smile": ["--smile", "-0.5"],
        "alike": ["--like", TARGET, "--roll", "5"],
    }.items():
        outputs[name] = tmp_path / f"{name}.png"
        assert run("edit", SOURCE, "-o", outputs[name], *options).returncode == 0
    assert len({content_hash(open_image(output)) for output in outputs.values()}) == len(outputs)
    run("reenact", SOURCE, TARGET, "--strength", "0", "-o", tmp_path / "unmoved.png")
    still, unmoved = (np.int16(open_image(path)) for path in (outputs["still"], tmp_path / "unmoved.png"))
    assert np.abs(still - unmoved).max() <= 2


@pytest.mark.slow
def test_parameters_are_in_degrees_and_pixels_of_the_picture(tmp_path: Path, run) -> None:
    # The same face, larger and off the middle of a wide photo that is stored lying on its side.
    face = open_image(SOURCE)
    photo = Image.new("RGB", (1200, 800), "grey")
    photo.paste(face.resize((512, 512), Image.Resampling.BICUBIC), (600, 150))
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "photo.jpg", quality=95, exif=exif)
    assert ImageOps.exif_transpose(Image.open(tmp_path / "photo.jpg")).size == (1200, 800)

    small = json.loads(run("parameters", SOURCE, "--json").stdout)
    large = json.loads(run("parameters", tmp_path / "photo.jpg", "--json").stdout)
    for answer in (small, large):
        assert set(answer) == {"yaw", "pitch", "roll", "expression", "landmarks"}
        assert len(answer["expression"]) == 53 and "mouthSmile_L" in answer["expression"]
        assert np.shape(answer["landmarks"]) == (68, 2)
    for angle in ("yaw", "pitch", "roll"):
        assert large[angle] == pytest.approx(small[angle], abs=6)
    expected = np.array(small["landmarks"]) * 2 + (600, 150)
    distances = np.linalg.norm(np.array(large["landmarks"]) - expected, axis=1)
    assert distances.mean() < 0.06 * 512


def test_parameters_as_text(run) -> None:
    done = run("parameters", SOURCE)
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()[:3]] == ["yaw", "pitch", "roll"]


def test_sample_depends_on_its_seed_only(tmp_path: Path, run) -> None:
    hashes = []
    for number, seed in enumerate((1, 1, 2)):
        output = tmp_path / f"{number}.png"
        assert run("sample", "--seed", seed, "-o", output).returncode == 0
        hashes.append(content_hash(open_image(output)))
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_random_person_with_the_pose_of_a_picture(tmp_path: Path, run) -> None:
    hashes = set()
    for number, options in enumerate(([], ["--like", TARGET], ["--like", TARGET, "--method", "directions"])):
        output = tmp_path / f"{number}.png"
        assert run("sample", "--seed", 1, "-o", output, *options).returncode == 0
        hashes.add(content_hash(open_image(output)))
    assert len(hashes) == 3


def test_tuning_comes_first(tmp_path: Path, run, monkeypatch) -> None:
    tune = Reenactor.tune
    monkeypatch.setattr(Reenactor, "tune", lambda self, face, progress: tune(self, face, 3, progress))
    hashes = set()
    for number, options in enumerate(([], ["--tune"])):
        output = tmp_path / f"{number}.png"
        assert run("invert", SOURCE, "-o", output, *options).returncode == 0
        hashes.add(content_hash(open_image(output)))
    assert len(hashes) == 2


@pytest.mark.slow
def test_drive(tmp_path: Path) -> None:
    faces = [open_image(path).resize((256, 256)) for path in (SOURCE, TARGET, TARGET)]
    write_video(tmp_path / "motion.mp4", faces, fps=10)
    output = tmp_path / "out.mp4"
    done = command("drive", SOURCE, tmp_path / "motion.mp4", "-o", output, "--strength", "0.9")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{output}\n", ""), done
    made = read_frames(output)
    assert (made.fps, made.width, made.height, len(list(made))) == (10, 256, 256, 3)


def test_packs_lists_the_embedded_one() -> None:
    done = command("packs")
    assert done.returncode == 0 and done.stderr == ""
    assert any(line.startswith("synthetic") and " ready " in line for line in done.stdout.splitlines())


def test_help_names_every_command() -> None:
    done = command("--help")
    assert done.returncode == 0
    for name in ("reenact", "edit", "parameters", "invert", "sample", "drive", "packs", "train"):
        assert name in done.stdout


@pytest.mark.slow
def test_train_is_passed_on() -> None:
    done = command("train", "--help")
    assert done.returncode == 0 and "extractor" in done.stdout


def test_bad_picture_in_a_process_of_its_own(tmp_path: Path) -> None:
    letter = tmp_path / "letter.png"
    letter.write_text("Dear reader")
    assert_refused(command("reenact", letter, TARGET, "-o", tmp_path / "out.png"), "letter.png' is no picture")


def test_damaged_tiff_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Pillow warns about these before it gives up."""
    path = tmp_path / "cut.tif"
    open_image(SOURCE).save(path)
    path.write_bytes(path.read_bytes()[:-20])
    assert_refused(command("parameters", path), "cut.tif' ")


def test_no_face(tmp_path: Path, run) -> None:
    Image.new("RGB", (300, 300), "green").save(tmp_path / "lawn.png")
    done = run("reenact", tmp_path / "lawn.png", TARGET, "-o", tmp_path / "out.png")
    assert_refused(done, "No face was found")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["juggle"], "invalid choice: 'juggle'"),
        (["reenact", SOURCE, "-o", "out.png"], "required: TARGET"),
        (["reenact", SOURCE, TARGET], "required: -o"),
        (["reenact", SOURCE, "none.webp", "-o", "out.png"], "There is no file 'none.webp'"),
        (["reenact", SOURCE, str(ROOT), "-o", "out.png"], "is a folder"),
        (["reenact", SOURCE, TARGET, "-o", "out.jpg"], "ends in .png"),
        (["reenact", SOURCE, TARGET, "-o", "/none/such/out.png"], "There is no folder"),
        (["reenact", SOURCE, TARGET, "-o", "out.png", "--strength", "1.5"], "'1.5' is not a number from 0 to 1"),
        (["reenact", SOURCE, TARGET, "-o", "out.png", "--method", "magic"], "no method 'magic'"),
        (["reenact", SOURCE, TARGET, "-o", "out.png", "--pack", "nonesuch"], "There is no pack 'nonesuch'"),
        (["drive", SOURCE, "none.mp4", "-o", "out.mp4"], "There is no file 'none.mp4'"),
        (["drive", SOURCE, TARGET, "-o", "out.mp4"], "is no video"),
        (["drive", SOURCE, TARGET, "-o", "out.png"], "ends in .mp4"),
        (["sample", "-o", "out.png", "--like", "none.webp"], "There is no file 'none.webp'"),
        (["edit", SOURCE, "-o", "out.png", "--yaw", "left"], "'left' is not a number"),
        (["edit", SOURCE, "-o", "out.png", "--pitch", "nan"], "'nan' is not a number"),
        (["edit", SOURCE, "-o", "out.png", "--smile", "2"], "'2' is not a number from -1 to 1"),
        (["sample", "-o", "out.png", "--seed", "-1"], "'-1' is not a whole number"),
        (["invert", "-o", "out.png"], "required: IMAGE"),
        (["parameters", ""], "is a folder"),
    ],
)
def test_bad_arguments(arguments: list[str], message: str, run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(run(*arguments), message)
    assert list(tmp_path.iterdir()) == []


def test_damaged_pack(tmp_path: Path, run) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    for path in (ROOT / "checkpoints" / "synthetic").iterdir():
        (pack / path.name).write_bytes(path.read_bytes()[: -1 if path.name == "generator.safetensors" else None])
    done = run("sample", "-o", tmp_path / "out.png", "--pack", pack)
    assert_refused(done, "generator.safetensors was cut short")

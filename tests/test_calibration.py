"""Calibration on the embedded pack: directions fitted from random faces do what they are told."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from loaded_pack import load_pack

from stylemask_demo.calibration import calibrator, measuring, trials
from stylemask_demo.calibration.fitting import Calibration, calibrate
from stylemask_demo.cli import main
from stylemask_demo.errors import Cancelled
from stylemask_demo.faces.parameters import DIRECTIONS
from stylemask_demo.generator.style_space import StyleSpace
from stylemask_demo.media.tensors import to_image
from stylemask_demo.methods import Directions, FaceCode
from stylemask_demo.networks.style_direction_matrix import StyleDirectionMatrix
from stylemask_demo.packs import CHECKPOINTS
from stylemask_demo.portraits.readers import CompactReader

SAMPLES = 120


@pytest.fixture(scope="module")
def pack():
    return load_pack("synthetic")


@pytest.fixture(scope="module")
def reader(pack) -> CompactReader:
    return CompactReader(pack["extractor"])


@pytest.fixture(scope="module")
def calls() -> list:
    return []


@pytest.fixture(scope="module")
def fitted(pack, reader, calls) -> Calibration:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "PICTURE_SIDE", 128)
        patch.setattr(trials, "PEOPLE", 4)
        return calibrate(pack["generator"], reader, SAMPLES, lambda *call: calls.append(call))


@pytest.mark.slow
def test_yaw_turns_faces_the_right_way_by_the_right_amount(pack, reader, fitted):
    """On people that neither the fit nor its trials have seen."""
    generator = pack["generator"]
    with torch.inference_mode():
        w = generator.map(torch.randn(12, generator.style_dim, generator=torch.Generator().manual_seed(77)))
        faces = FaceCode(generator.repeat(w))
        directions = Directions(StyleSpace(generator, w.mean(0, keepdim=True)), fitted.matrix)

        def yaw(degrees: float) -> np.ndarray:
            shift = torch.from_numpy(reader.shift(yaw=degrees)).expand(len(w), -1)
            made = generator.synthesise(*directions.edit(faces, shift), 128)
            return np.array([reading.parameters.yaw for reading in reader.read([to_image(picture) for picture in made])])

        left, still, right = yaw(-12), yaw(0), yaw(12)
    slope = ((right - left) / 24).mean()
    print(f"yaw: measured over commanded {slope:.2f}")
    assert 0.5 < slope < 1.6
    assert right.mean() > still.mean() > left.mean()


@pytest.mark.slow
def test_the_report_says_which_space_won(fitted):
    report = fitted.report
    assert report["samples"] == SAMPLES and len(report["slope"]) == len(DIRECTIONS)
    errors = report["held_out_error"]
    assert report["space"] == min(errors, key=errors.get)
    assert errors[report["space"]] < 2.5  # of few people, tried on few
    assert isinstance(fitted.matrix, StyleDirectionMatrix) == (report["space"] == "style")
    assert report["slope"][DIRECTIONS.index("yaw")] == pytest.approx(1, abs=0.05)


@pytest.mark.slow
def test_progress_counts_every_picture(fitted, calls):
    done = [call[0] for call in calls]
    assert done == sorted(done) and calls[-1][0] == calls[-1][1] == calls[0][1]
    assert len({call[2] for call in calls}) == 2


def test_it_can_be_stopped(pack, reader):
    def stop(*call: object) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        calibrate(pack["generator"], reader, 100, stop)


def test_too_few_samples_are_refused(pack, reader):
    with pytest.raises(ValueError, match="at least 100"):
        calibrate(pack["generator"], reader, 10)


def copied(folder: Path, *without: str) -> Path:
    """The embedded pack in a folder of its own, with `without` left out."""
    shutil.copytree(CHECKPOINTS / "synthetic", folder)
    document = json.loads((folder / "pack.json").read_text())
    for key in without:
        del document["networks"][key]
        (folder / f"{key}.safetensors").unlink()
    (folder / "pack.json").write_text(json.dumps(document))
    return folder


@pytest.mark.slow
def test_a_pack_keeps_what_was_fitted(tmp_path, monkeypatch, fitted, capsys):
    folder = copied(tmp_path / "pack", "directions")
    assert "directions" not in load_pack(folder).networks
    monkeypatch.setattr(calibrator, "calibrate", lambda *arguments: fitted)
    assert main(["packs", "calibrate", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    pack = load_pack(folder)
    assert type(pack["directions"]) is type(fitted.matrix)
    assert torch.equal(pack["directions"].linear.weight, fitted.matrix.linear.weight)
    assert pack.info.settings["calibration"] == fitted.report
    assert main(["packs", "calibrate", str(folder)]) == 0  # and again


def test_directions_of_its_own_are_not_replaced(tmp_path, capsys):
    folder = copied(tmp_path / "pack")
    before = (folder / "directions.safetensors").read_bytes()
    assert main(["packs", "calibrate", str(folder)]) != 0
    assert "directions of their own" in capsys.readouterr().err
    assert (folder / "directions.safetensors").read_bytes() == before


def test_both_matrices_leave_the_face_alone_without_a_shift(pack):
    generator = pack["generator"]
    w_plus = generator.repeat(generator.map(torch.randn(2, generator.style_dim)))
    space = StyleSpace(generator, torch.zeros(1, generator.style_dim))
    matrix = StyleDirectionMatrix(generator.style_sizes[:4], 15)
    with torch.inference_mode():
        moved = Directions(space, matrix).edit(FaceCode(w_plus), torch.zeros(2, 15))
        further = Directions(space, matrix).edit(FaceCode(w_plus), torch.ones(2, 15))
        styles = generator.styles(w_plus)
    assert len(moved.styles) == len(styles)
    assert all(torch.equal(a, b) for a, b in zip(moved.styles, styles, strict=True))
    assert not torch.equal(further.styles[3], styles[3]) and torch.equal(further.styles[4], styles[4])

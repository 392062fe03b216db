"""The report on a pack, and what its files may be used for."""

import shutil

import pytest

from stylemask_demo import cli
from stylemask_demo.packs import CHECKPOINTS, licence_text
from stylemask_demo.packs.catalogue import PUBLISHED
from stylemask_demo.verification import report


@pytest.mark.slow
def test_the_embedded_pack_is_all_right(capsys):
    assert cli.main(["packs", "verify", "synthetic"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("synthetic: ") and "256 px" in lines[0]
    assert any(line.startswith("generator") and "46180016d849" in line for line in lines)
    assert any(line.startswith("recipe, default: ") and "optimised" in line for line in lines)
    table = {line.split()[0]: line for line in lines}
    assert {"inversion", "stylemask", "directions", "motion", "unmoved"} <= set(table)
    assert not any("DOUBTFUL" in line for line in lines)
    away = {name: float(table[name].split()[2]) for name in ("inversion", "stylemask", "unmoved")}
    assert away["inversion"] < away["unmoved"] and away["stylemask"] < away["unmoved"]


def test_a_damaged_file_ends_the_report_with_one_line(tmp_path, capsys):
    folder = tmp_path / "damaged"
    shutil.copytree(CHECKPOINTS / "synthetic", folder)
    path = folder / "masks.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    lines = report(folder)
    assert next(lines).startswith("synthetic")
    assert cli.main(["packs", "verify", str(folder)]) == 2
    assert "masks.safetensors was altered" in capsys.readouterr().err


LICENCES = {
    "mask_network_1024.pt": "no licence stated",
    "stylegan-voxceleb.pt": "no licence stated",
    "e4e-voxceleb.pt": "no licence stated",
    "A_matrix.pt": "no licence stated",
    "best_model.pt": "GPL-2",
    "e4e_ffhq_encode_1024.pt": "MIT",
    "restyle_psp_ffhq_encode.pt": "MIT",
    "stylegan2-ffhq-config-f_1024.pt": "NVIDIA Source Code License-NC",
    "deca_model.tar": "research",
}


@pytest.mark.parametrize("pack", PUBLISHED)
def test_licences_are_those_of_the_repositories(pack):
    lines = licence_text(pack).splitlines()
    for file in PUBLISHED[pack].files:
        (line,) = (line for line in lines if line.startswith(f"- {file.name}"))
        if file.name in LICENCES:
            assert LICENCES[file.name] in line
        assert "without a licence" not in line

"""Checkpoints are untrusted: no code in them runs, they cannot grow, and what does not fit is named."""

import argparse
import builtins
import io
import os
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from small_pack import MASKS, MATRIX, checkpoints

from stylemask_demo.errors import PackCorrupt
from stylemask_demo.packs import load_network, read_info
from stylemask_demo.packs.checkpoint import find_state, read_checkpoint, unpack_member
from stylemask_demo.packs.convert import convert

LIMIT = 1_000_000


class Evil:
    """Runs something when it is unpickled without protection."""

    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def write(path: Path, content: object, **options) -> Path:
    torch.save(content, path, **options)
    return path


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A file that exists only if code of a checkpoint has run."""
    return tmp_path / "trap"


def evils(trap: Path) -> dict[str, object]:
    return {
        "system": Evil(os.system, f"touch {trap}"),
        "eval": Evil(builtins.eval, f"open({str(trap)!r}, 'w')"),
        "open": Evil(builtins.open, str(trap), "w"),
        "mkdir": Evil(os.mkdir, str(trap)),
    }


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("evil", evils(Path("trap")))
@pytest.mark.parametrize("where", ["whole", "options", "weight"])
def test_no_code_runs(tmp_path: Path, trap: Path, evil: str, where: str, zipped: bool) -> None:
    bad = evils(trap)[evil]
    content = checkpoints()["masks.pt"]
    if where == "whole":
        content = bad
    elif where == "options":
        content["opts"] = argparse.Namespace(lr=bad)
    else:
        content["mask_net"]["network_00.masknet.0.bias"] = bad
    path = write(tmp_path / "masks.pt", content, _use_new_zipfile_serialization=zipped)
    folder = tmp_path / "pack"
    with pytest.raises(PackCorrupt, match="masks.pt is not a checkpoint of plain weights .*which may run code") as error:
        convert(MASKS, path, folder)
    assert "\n" not in str(error.value)
    assert not trap.exists()
    assert not folder.exists()


def test_the_same_runs_without_protection(tmp_path: Path, trap: Path) -> None:
    """Otherwise the test above would say nothing."""
    path = write(tmp_path / "masks.pt", {"opts": evils(trap)["system"]})
    torch.load(path, weights_only=False)
    assert trap.exists()


def test_no_code_of_a_plain_pickle_or_inside_an_archive_runs(tmp_path: Path, trap: Path) -> None:
    bad = evils(trap)["system"]
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(bad))
    with pytest.raises(PackCorrupt, match="plain.pt is not a checkpoint"):
        read_checkpoint(tmp_path / "plain.pt", LIMIT)
    write(tmp_path / "masks.pt", bad)
    with tarfile.open(tmp_path / "data.tar", "w") as archive:
        archive.add(tmp_path / "masks.pt", "masks.pt")
    assert unpack_member(tmp_path / "data.tar", "masks.pt", tmp_path / "out.pt", LIMIT)
    with pytest.raises(PackCorrupt, match="may run code"):
        read_checkpoint(tmp_path / "out.pt", LIMIT)
    assert not trap.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_what_training_leaves_behind_is_read(tmp_path: Path, zipped: bool) -> None:
    content = {
        "opts": argparse.Namespace(device="cuda:0", lr=1e-4, sizes=[1, 2], nested=argparse.Namespace(on=True)),
        "loss": np.float64(0.25),
        "steps": np.int64(7),
        "ranges": np.arange(6, dtype=np.float32).reshape(2, 3),
        "weights": OrderedDict(a=torch.nn.Parameter(torch.ones(2)), b=torch.zeros(2, dtype=torch.float16)),
    }
    read = read_checkpoint(write(tmp_path / "trained.pt", content, _use_new_zipfile_serialization=zipped), LIMIT)
    assert read["opts"] == content["opts"]
    assert (read["loss"], read["steps"]) == (0.25, 7)
    assert np.array_equal(read["ranges"], content["ranges"])
    assert torch.equal(read["weights"]["a"], torch.ones(2))


def test_numbers_named_as_numpy_1_did(tmp_path: Path) -> None:
    stream = io.BytesIO()
    torch.save({"loss": np.float64(0.25)}, stream, _use_new_zipfile_serialization=False)
    content = stream.getvalue()
    assert b"numpy._core.multiarray" in content
    (tmp_path / "old.pt").write_bytes(content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert read_checkpoint(tmp_path / "old.pt", LIMIT)["loss"] == 0.25


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\3\4", b"PK\3\4" + bytes(1000), b"\x80\x02", b"<html>", bytes(5000), b"\x80\x02}q\x00." * 3, b"cos\n"],
)
def test_bytes_that_make_no_sense(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "masks.pt").write_bytes(content)
    with pytest.raises(PackCorrupt, match="masks.pt is not a checkpoint"):
        read_checkpoint(tmp_path / "masks.pt", LIMIT)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9, 0.999])
def test_cut_short(tmp_path: Path, kept: float, zipped: bool) -> None:
    path = write(tmp_path / "masks.pt", checkpoints()["masks.pt"], _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(PackCorrupt, match="masks.pt"):
        convert(MASKS, path, tmp_path / "pack")


def test_too_large(tmp_path: Path) -> None:
    path = write(tmp_path / "masks.pt", {"a": torch.zeros(100_000)})
    with pytest.raises(PackCorrupt, match="more than the 100,000 it may have"):
        convert(MASKS, path, tmp_path / "pack")


def test_few_bytes_that_unpack_to_many(tmp_path: Path) -> None:
    path = write(tmp_path / "plain.pt", {"a": torch.zeros(10_000_000)})
    with zipfile.ZipFile(path) as plain, zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb:
        for entry in plain.infolist():
            bomb.writestr(entry.filename, plain.read(entry))
    assert (tmp_path / "bomb.pt").stat().st_size < LIMIT
    with pytest.raises(PackCorrupt, match="it is compressed"):
        read_checkpoint(tmp_path / "bomb.pt", LIMIT)
    with pytest.raises(PackCorrupt, match="larger than 1,000,000 bytes"):
        unpack_member(tmp_path / "bomb.pt", "0", tmp_path / "out", LIMIT)
    assert not (tmp_path / "out").exists()


def test_few_bytes_that_pretend_to_be_many(tmp_path: Path) -> None:
    content = checkpoints()["masks.pt"]
    content["mask_net"]["network_00.masknet.0.weight"] = torch.zeros(1).expand(10**6, 10**6)
    with pytest.raises(PackCorrupt, match=r"'network_00.masknet.0.weight' is .* \(1000000, 1000000\) instead of"):
        convert(MASKS, write(tmp_path / "masks.pt", content), tmp_path / "pack")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda state: state.pop("linear.bias"), "it has no 'linear.bias'"),
        (lambda state: state.update({"linear.bias": torch.zeros(4)}), "instead of torch.float32"),
        (lambda state: state.update({"linear.bias": torch.zeros(4096, dtype=torch.int32)}), "torch.int32"),
        (lambda state: state.update({"linear.bias": [0.0] * 4096}), "it has no 'linear.bias'"),
        (lambda state: state["linear.bias"].fill_(torch.nan), "not finite"),
        (lambda state: state.clear(), "it has no 'linear.weight'"),
    ],
)
def test_weights_that_are_not_the_published_ones(tmp_path: Path, change, line: str) -> None:
    content = checkpoints()["matrix.pt"]
    change(content["A_matrix"])
    with pytest.raises(PackCorrupt, match=f"matrix.pt does not hold the published DirectionMatrix.*{line}"):
        convert(MATRIX, write(tmp_path / "matrix.pt", content), tmp_path / "pack")


@pytest.mark.parametrize(
    "place",
    [
        lambda state: {"A_matrix": state},
        lambda state: state,
        lambda state: {"A_matrix": {f"module.{name}": value for name, value in state.items()}},
        lambda state: {"epoch": 3, "A_matrix": OrderedDict(state)},
    ],
)
def test_weights_are_found_where_they_lie(tmp_path: Path, place) -> None:
    state = checkpoints()["matrix.pt"]["A_matrix"]
    convert(MATRIX, write(tmp_path / "matrix.pt", place(state)), tmp_path / "pack")
    loaded = load_network(read_info(tmp_path / "pack"), "directions").state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in state.items())


def test_only_the_published_place_counts() -> None:
    published, other = {"e.w": torch.ones(1)}, {"e.w": torch.zeros(1), "w": torch.zeros(1)}
    assert find_state({"a": other, "s": published}, ["w"], "s", "e.")["w"] == 1
    assert find_state({"a": other, **published}, ["w"], "s", "e.")["w"] == 1  # without the section, the file itself
    known = {"k": torch.full((1,), 7.0), "w": torch.zeros(1)}
    assert find_state({"s": {"e.w": torch.ones(1)}}, [], "s", "e.", known) == {"k": 7, "w": 1}
    for checkpoint, names in (({"a": other, "s": {}}, ["w"]), ({"s": published}, ["v"]), ({"s": [1]}, ["w"])):
        with pytest.raises(KeyError, match="e.[wv]|s"):
            find_state(checkpoint, names, "s", "e.")


def test_an_archive_without_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("other")
    with tarfile.open(tmp_path / "data.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "file", "other.pt")
        link = tarfile.TarInfo("masks.pt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert not unpack_member(tmp_path / "data.tar.gz", "masks.pt", tmp_path / "out", LIMIT)
    assert not unpack_member(tmp_path / "file", "masks.pt", tmp_path / "out", LIMIT)


def test_a_damaged_archive(tmp_path: Path) -> None:
    (tmp_path / "masks.pt").write_bytes(os.urandom(50_000))
    with tarfile.open(tmp_path / "data.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "masks.pt", "masks.pt")
    content = (tmp_path / "data.tar.gz").read_bytes()
    (tmp_path / "data.tar.gz").write_bytes(content[:30_000])
    with pytest.raises(PackCorrupt, match="data.tar.gz"):
        unpack_member(tmp_path / "data.tar.gz", "masks.pt", tmp_path / "out", LIMIT)
    assert not (tmp_path / "out").exists()

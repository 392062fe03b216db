"""Faults: whatever happens in between, packs, locks and files are whole afterwards, and the next request works."""

import ast
import errno
import multiprocessing
import os
import random
import time
from pathlib import Path

import pytest
import torch
from gate_clients import before
from room_imports import PACKAGE
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from stylemask_demo import messages
from stylemask_demo.downloads.locking import locked
from stylemask_demo.errors import PackCorrupt
from stylemask_demo.host_settings import HostSettings
from stylemask_demo.networks import DirectionMatrix
from stylemask_demo.packs import read_info, store
from stylemask_demo.packs.loading import load_network
from stylemask_demo.packs.store import describe_pack, save_network, share_network
from stylemask_demo.ui import leftovers

SHAPE = {"num_directions": 2, "num_layers": 1}
forked = multiprocessing.get_context("fork")


def network(value: float) -> DirectionMatrix:
    """A small network all of whose weights are one number."""
    made = DirectionMatrix(**SHAPE)
    with torch.no_grad():
        for weight in made.parameters():
            weight.fill_(value)
    return made


def save(folder: Path, value: float, key: str = "directions") -> None:
    save_network(folder, key, network(value), SHAPE, dtype=torch.float32)


def value_of(folder: Path, key: str = "directions") -> float:
    """The number that all weights of a pack are. Raises PackCorrupt."""
    info = read_info(folder)
    assert info.installed
    (value,) = {float(number) for weight in load_network(info, key).parameters() for number in weight.flatten()}
    return value


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    save(folder, 1.0)
    describe_pack(folder, title="Small", resolution=256, licence="MIT", origin="A test.")
    return folder


def _save_for_ever(folder: Path) -> None:
    while True:
        for value in (2.0, 1.0):
            save(folder, value)


def test_a_kill_at_any_moment_leaves_the_old_pack_or_the_new_one(pack: Path) -> None:
    chance, seen = random.Random(0), set()
    for _ in range(20):
        process = forked.Process(target=_save_for_ever, args=(pack,))
        process.start()
        time.sleep(chance.uniform(0.01, 0.08))
        process.kill()
        process.join(60)
        seen.add(value_of(pack))
    assert seen == {1.0, 2.0}
    save(pack, 3.0)
    assert value_of(pack) == 3.0


def test_weights_that_others_share_stay_until_nobody_has_them(pack: Path) -> None:
    share_network(pack, "also", "directions")
    save(pack, 2.0)
    assert (value_of(pack), value_of(pack, "also")) == (2.0, 1.0)
    share_network(pack, "also", "directions")
    save(pack, 3.0)
    save(pack, 4.0, "also")
    assert (value_of(pack), value_of(pack, "also")) == (3.0, 4.0)
    described = {spec.file for spec in read_info(pack).networks.values()}
    save(pack, 5.0)
    assert len(described) == 2 and len(list(pack.glob("*.safetensors"))) <= 3


def test_a_full_disk_leaves_the_old_pack(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(tensors: dict, path: Path) -> None:
        path.write_bytes(b"the first half")
        raise OSError(errno.ENOSPC, "No space left on device")

    before = sorted(pack.iterdir())
    monkeypatch.setattr(store, "save_file", full)
    with pytest.raises(OSError, match="No space"):
        save(pack, 2.0)
    assert value_of(pack) == 1.0 and sorted(pack.iterdir()) == before


def test_a_pack_that_is_replaced_while_it_is_in_use(pack: Path, tmp_path: Path) -> None:
    """Whole files, moved there: what is loaded stays what it was, and no mixture is loaded."""
    known = read_info(pack)
    loaded = load_network(known, "directions")
    other = tmp_path / "other"
    save(other, 2.0)
    os.replace(other / "directions.safetensors", pack / "directions.safetensors")
    assert {float(number) for weight in loaded.parameters() for number in weight.flatten()} == {1.0}
    for info in (known, read_info(pack)):  # the description is not replaced yet
        with pytest.raises(PackCorrupt):
            load_network(info, "directions")
    os.replace(other / "pack.json", pack / "pack.json")
    assert value_of(pack) == 2.0


def _hold_for_ever(path: Path, held: object) -> None:
    with locked(path, lambda *_: None, "Waiting"):
        held.set()
        time.sleep(600)


def test_who_is_killed_lets_go_of_a_lock(tmp_path: Path) -> None:
    held = forked.Event()
    process = forked.Process(target=_hold_for_ever, args=(tmp_path / "lock", held))
    process.start()
    assert held.wait(60)
    told = []

    def waiting(*progress: object) -> None:
        told.append(progress)
        process.kill()

    with locked(tmp_path / "lock", waiting, "Waiting"):
        assert told
    process.join(60)


# --- files of visitors


def _aged(path: Path, seconds: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a face")
    for each in (path, path.parent):
        os.utime(each, (time.time() - seconds,) * 2)
    return path


def test_what_a_killed_page_left_behind_goes_within_the_hour(tmp_path: Path) -> None:
    old, new = _aged(tmp_path / "a" / "face.png", 3600), _aged(tmp_path / "b" / "face.png", 60)
    future = _aged(tmp_path / "c" / "face.png", -7200)  # the clock was set back since
    leftovers.sweep(tmp_path)
    leftovers.sweep(tmp_path)  # folders that files were deleted from are new
    assert new.exists() and not old.exists() and not future.exists()
    assert leftovers.AGE + leftovers.CHECKED <= 3600
    (tmp_path / "d").mkdir()
    leftovers.sweep(tmp_path)
    assert (tmp_path / "d").is_dir(), "an upload is about to come"


def test_sweeping_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "CHECKED", 0.01)
    leftovers.keep_sweeping(tmp_path)
    later = _aged(tmp_path / "a" / "face.png", 3600)
    deadline = time.monotonic() + 60
    while later.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    monkeypatch.setattr(leftovers, "CHECKED", 3600)


def test_the_page_keeps_its_files_apart_from_other_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(leftovers.FOLDER, "")
    assert leftovers.own_folder().name.startswith("stylemask_demo-")
    assert os.environ[leftovers.FOLDER] == str(leftovers.own_folder())
    monkeypatch.setenv(leftovers.FOLDER, str(tmp_path))
    assert leftovers.own_folder() == tmp_path


def test_a_full_disk_is_told_to_who_sends_a_file() -> None:
    async def full(request: Request) -> PlainTextResponse:
        raise OSError(errno.ENOSPC, "No space left on device")

    with before(full, HostSettings()) as client:
        answer = client.post("/gradio_api/upload", content=b"12345")
        assert (answer.status_code, answer.json()["detail"]) == (507, messages.DISK_FULL)


# --- clocks


def test_no_clock_that_can_be_set_decides_anything() -> None:
    """But when files of visitors are old, for which there is no other clock: see above."""
    readers = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if (node.value.id, node.attr) in {("time", "time"), ("datetime", "now"), ("time", "localtime")}:
                    readers.add(path.name)
    assert readers == {"leftovers.py"}

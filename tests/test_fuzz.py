"""What nobody would send, sent: files changed at random, descriptions of packs with anything in them, altered weights."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import fuzz
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import ROOT

from stylemask_demo.downloads.checksum import sha256_of
from stylemask_demo.errors import PackCorrupt
from stylemask_demo.networks import DirectionMatrix
from stylemask_demo.packs import read_info
from stylemask_demo.packs.info import PACK_FILE
from stylemask_demo.packs.loading import load_network
from stylemask_demo.packs.recipe import Recipes
from stylemask_demo.packs.store import describe_pack, save_network

EMBEDDED = ROOT / "checkpoints" / "synthetic"
# Derived from the test's name, so that a run is as good as the last one; nothing is kept between runs.
STEADY = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["../x", "nan", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


# --- pictures and videos


@pytest.mark.parametrize("kind, count", [("pictures", 500), ("videos", 50)])
def test_changed_files_are_read_or_refused_in_one_sentence(kind: str, count: int) -> None:
    report = fuzz.fuzz(kind, 0, count)
    assert not report.faults
    assert [outcome.number for outcome in report.outcomes] == list(range(count))
    said = Counter(outcome.said for outcome in report.outcomes)
    assert count / 10 < said["read"] < count * 0.9, "all are as before, or none is like anything"
    assert len(said) >= 4


# Memory that is the reader's alone: what Python has freed before might be enough for a list.
FILLED = "import mmap; mmap.mmap(-1, 80_000_000).write(bytes(80_000_000))"


def test_what_crashes_hangs_or_fails_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search itself, with a reader that has every fault."""
    faults = {3: "import os; os._exit(7)", 5: "import time; time.sleep(60)", 8: "1 / 0", 9: FILLED}
    contents = {fuzz.changed(fuzz.pictures(), number): code for number, code in faults.items()}

    def read(content: bytes) -> None:
        exec(contents.get(content, ""))

    monkeypatch.setitem(fuzz.KINDS, "pictures", (fuzz.pictures, read))
    monkeypatch.setattr(fuzz, "SILENCE", 3.0)  # a busy machine reads slowly
    monkeypatch.setattr(fuzz, "MOST_MEMORY", 50.0)
    report = fuzz.fuzz("pictures", 0, 11)
    found = {outcome.number: outcome.said for outcome in report.faults}
    assert found.pop(10) == f"one of 5 took {report.memory:.0f} MB" and report.memory > 50
    assert found == {3: "ended its process (7)", 5: "hangs", 8: "ZeroDivisionError: division by zero"}
    assert len(report.outcomes) == 12, "the others are read all the same"


def test_every_kind_of_file_is_read_as_it_is() -> None:
    for make, read in fuzz.KINDS.values():
        for content in make():
            read(content)


# --- packs


def _places(document: Any, way: tuple = ()) -> list[tuple]:
    """The ways to all values of a document."""
    items = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    return [way, *(place for key, value in items for place in _places(value, (*way, key)))]


def _with(document: Any, way: tuple, value: Any) -> Any:
    """A document with another value at one place."""
    if not way:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[way[0]] = _with(document[way[0]], way[1:], value)
    return copy


DESCRIBED = json.loads((EMBEDDED / PACK_FILE).read_text())


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("described")


@STEADY
@given(st.sampled_from(_places(DESCRIBED)), ANYTHING)
def test_a_description_with_anything_in_it_is_read_or_refused(described: Path, place: tuple, value: Any) -> None:
    (described / PACK_FILE).write_text(json.dumps(_with(DESCRIBED, place, value)))
    try:
        info = read_info(described)
    except PackCorrupt:
        return
    assert all(Path(spec.file).name == spec.file for spec in info.networks.values()), "it reaches no other folder"
    assert not info.installed or not info.networks


@STEADY
@given(st.binary(max_size=300))
def test_a_description_that_is_none_is_refused(described: Path, content: bytes) -> None:
    (described / PACK_FILE).write_bytes(content)
    with pytest.raises(PackCorrupt):
        read_info(described)


@STEADY
@given(st.sampled_from(_places(DESCRIBED["recipe"])), ANYTHING)
def test_a_recipe_with_anything_in_it_is_understood_or_refused(place: tuple, value: Any) -> None:
    try:
        recipes = Recipes.read(_with(DESCRIBED["recipe"], place, value))
    except (KeyError, TypeError, ValueError, AttributeError):  # what read_info makes a PackCorrupt of
        return
    assert Recipes.read(recipes.document()) == recipes


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of one small network."""
    folder = tmp_path_factory.mktemp("small")
    torch.manual_seed(0)
    save_network(
        folder, "directions", DirectionMatrix(num_directions=2, num_layers=1), {"num_directions": 2, "num_layers": 1}
    )
    describe_pack(folder, title="Small", resolution=256, licence="MIT", origin="A test.")
    return folder


@STEADY
@given(st.integers(0, 10**6))
def test_altered_weights_are_refused_though_the_description_agrees(small: Path, number: int) -> None:
    """Somebody who alters a file can alter its checksum: the reader itself holds, and the weights fit or are refused."""
    altered = small.parent / "altered"
    shutil.copytree(small, altered, dirs_exist_ok=True)
    weights = altered / "directions.safetensors"
    weights.write_bytes(fuzz.changed([(small / weights.name).read_bytes()], number))
    document = json.loads((altered / PACK_FILE).read_text())
    document["networks"]["directions"] |= {"bytes": weights.stat().st_size, "sha256": sha256_of(weights)}
    (altered / PACK_FILE).write_text(json.dumps(document))
    try:
        network = load_network(read_info(altered), "directions")
    except PackCorrupt:
        return
    like = DirectionMatrix(num_directions=2, num_layers=1).state_dict()
    assert {name: value.shape for name, value in network.state_dict().items()} == {k: v.shape for k, v in like.items()}


@STEADY
@given(st.dictionaries(st.sampled_from(["num_directions", "num_layers", "x"]), ANYTHING, max_size=3))
def test_a_network_that_nobody_can_build_is_refused(small: Path, arguments: dict) -> None:
    altered = small.parent / "built"
    shutil.copytree(small, altered, dirs_exist_ok=True)
    document = json.loads((altered / PACK_FILE).read_text())
    document["networks"]["directions"]["arguments"] = arguments
    (altered / PACK_FILE).write_text(json.dumps(document))
    try:
        load_network(read_info(altered), "directions")
    except PackCorrupt:
        return
    assert arguments == {"num_directions": 2, "num_layers": 1}

"""The app on a Space with shared GPUs: under a stand-in for `spaces` that enforces its rules, and at import under `spaces`
itself.

`tests/space/spaces.py` says what the rules are; the first tests here show that it notices when they are broken.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import types
from pathlib import Path

import gradio
import numpy as np
import pytest
import torch
from bare_pack import QUICK, bare_pack
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from serving import FEW_STEPS, ROOT, serving

from stylemask_demo.media.videos import read_frames, write_video

STAND_IN = ROOT / "tests" / "space" / "spaces.py"
EXAMPLES = ROOT / "assets" / "examples"
SOURCE, TARGET = EXAMPLES / "source_3.webp", EXAMPLES / "target_2.webp"


# --- the stand-in notices what breaks the rules


@pytest.fixture
def space():
    """A fresh stand-in."""
    specification = importlib.util.spec_from_file_location("stand_in", STAND_IN)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _leaves_the_cpu(number):
    return torch.zeros(number, device="meta")


def _returns_a_module(number):
    return torch.nn.Linear(number, number)


def _returns_a_function(number):
    return lambda: number


def _yields_a_module(number):
    yield number
    yield {"network": [torch.nn.Linear(number, number)]}


def _changes_the_environment(number):
    os.environ["SEEN"] = str(number)


def _runs(decorated, number):
    return list(decorated(number)) if "yields" in decorated.__name__ else decorated(number)


@pytest.mark.parametrize(
    "bad, rule",
    [
        (_leaves_the_cpu, "result of _leaves_the_cpu holds a tensor on meta"),
        (_returns_a_module, "a module"),
        (_returns_a_function, "cannot be pickled"),
        (_yields_a_module, "a module"),
        (_changes_the_environment, "changes os.environ.'SEEN'"),
    ],
)
def test_what_must_not_cross_is_noticed(space, bad, rule):
    with pytest.raises(space.Violation, match=rule):
        _runs(space.GPU(bad), 2)


def test_arguments_are_checked_too(space):
    with pytest.raises(space.Violation, match="argument of .* tensor on meta"):
        space.GPU(np.sum)([torch.zeros(1, device="meta")])
    with pytest.raises(space.Violation, match="argument of .* cannot be pickled"):
        space.GPU(np.sum)(open(STAND_IN))


CARELESS_APP = """
visitors, count = [], 0

def remember(name):
    visitors.append(name)

def add(number):
    global count
    count += number
"""


def test_a_changed_global_is_noticed(space, monkeypatch):
    app = types.ModuleType("app")
    exec(CARELESS_APP, app.__dict__)
    monkeypatch.setitem(sys.modules, "app", app)
    with pytest.raises(space.Violation, match="remember changes app.visitors"):
        space.GPU(app.remember)("somebody")
    with pytest.raises(space.Violation, match="add changes app.count"):
        space.GPU(app.add)(1)
    assert app.visitors == [] and app.count == 0


def test_too_long_a_duration_is_noticed(space):
    with pytest.raises(space.Violation, match="asks for 600 seconds"):
        space.GPU(np.sum, duration=600)([1])
    with pytest.raises(space.Violation, match="asks for 500 seconds"):
        space.GPU(np.sum, duration=lambda numbers: 500)([1])


def test_the_message_of_an_error_is_lost_as_there(space):
    with pytest.raises(gradio.Error, match="^'ValueError'$"):
        space.GPU(int)("no number")


def test_what_keeps_the_rules_passes(space):
    assert space.GPU(np.sum, duration=5)([1, 2]) == 3

    def count(number):
        yield from range(number)

    assert list(space.GPU(count)(3)) == [0, 1, 2]


# --- the app keeps the rules


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("space") / "report"


@pytest.fixture(scope="module")
def another_pack(tmp_path_factory) -> Path:
    """The embedded pack under another name."""
    folder = tmp_path_factory.mktemp("packs") / "another"
    shutil.copytree(ROOT / "checkpoints" / "synthetic", folder)
    description = json.loads((folder / "pack.json").read_text())
    (folder / "pack.json").write_text(json.dumps({**description, "name": "another", "title": "Another"}))
    return folder


@pytest.fixture(scope="module")
def client(report, another_pack, tmp_path_factory):
    """A client of the app, which runs under the stand-in and opens with another pack than usual."""
    folder = tmp_path_factory.mktemp("page")
    environment = {"PYTHONPATH": str(STAND_IN.parent), "SPACE_REPORT": str(report), "OMP_NUM_THREADS": "1"}
    environment["STYLEMASK_PACK"] = str(another_pack)
    with serving(folder / "log", FEW_STEPS, **environment, GRADIO_TEMP_DIR=str(folder / "uploads")) as address:
        yield Client(address, verbose=False)


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("video") / "target.mp4"
    with Image.open(TARGET) as picture:
        picture = picture.convert("RGB")
    write_video(path, [picture.rotate(angle, Image.Resampling.BICUBIC) for angle in (-4, 0, 4)], fps=10)
    return path


def _calls(report: Path) -> list[dict]:
    return [json.loads(line) for line in report.read_text().splitlines()]


def _pixels(path: str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=float)


def test_each_endpoint_runs_in_a_process_of_its_own(client, report, video):
    source, target = handle_file(SOURCE), handle_file(TARGET)
    client.predict(source, target, "stylemask", 1, api_name="/reenact")
    client.predict(source, 20, 0, 0, api_name="/edit")
    client.predict(source, api_name="/stages")
    client.predict(source, api_name="/parameters")
    client.predict(3, api_name="/random_person")
    made = client.predict(source, handle_file(video), "stylemask", 1, api_name="/drive")
    assert sum(1 for _ in read_frames(made)) == 3
    calls = _calls(report)
    assert {call["function"] for call in calls} >= {"reenact", "edit", "stages", "sample", "drive"}
    assert not [call for call in calls if "violation" in call]
    assert len({call["process"] for call in calls}) == len(calls)
    assert all(call["seconds"] <= 120 for call in calls)


def test_a_match_outlives_the_process_that_made_it(client):
    source, target = handle_file(SOURCE), handle_file(TARGET)
    ask = (source, target, "stylemask", 1)
    before = _pixels(client.predict(*ask, api_name="/reenact"))
    client.predict(source, 5, api_name="/tune")  # steps; it takes many more to look good
    after = _pixels(client.predict(*ask, api_name="/reenact"))
    assert np.abs(before - after).mean() > 0.3
    stranger = Client(client.src, verbose=False)
    assert np.array_equal(_pixels(stranger.predict(*ask, api_name="/reenact")), before)


def test_each_request_names_its_weights(client, report):
    """A pack that the app did not open with is loaded by the process that needs it, which gets longer for that."""
    own = client.predict(11, api_name="/random_person")
    named = client.predict(11, "synthetic", api_name="/random_person")
    assert np.array_equal(_pixels(own), _pixels(named))
    first, second = _calls(report)[-2:]
    assert first["seconds"] < second["seconds"] <= 120
    assert client.predict(11, "another", api_name="/random_person")


def test_errors_keep_their_message(client, tmp_path):
    Image.new("RGB", (200, 200), "navy").save(tmp_path / "navy.png")
    with pytest.raises(AppError, match="(?i)face"):
        client.predict(handle_file(tmp_path / "navy.png"), 10, 0, 0, api_name="/edit")


def test_results_of_example_faces_are_remembered(client, report):
    ask = (handle_file(EXAMPLES / "source_4.webp"), handle_file(EXAMPLES / "target_4.webp"), "stylemask", 1)
    first = _pixels(client.predict(*ask, api_name="/reenact"))
    before = len(_calls(report))
    assert np.array_equal(_pixels(client.predict(*ask, api_name="/reenact")), first)
    assert len(_calls(report)) == before


@pytest.mark.slow
def test_sliders_are_prepared_when_the_page_starts(tmp_path):
    """In pieces that are short, outside of any visitor's request, and without a reload for who is there already."""
    pack, report = bare_pack(tmp_path / "bare"), tmp_path / "report"
    environment = {"PYTHONPATH": str(STAND_IN.parent), "SPACE_REPORT": str(report), "OMP_NUM_THREADS": "1"}
    environment["STYLEMASK_PACK"] = str(pack)
    with serving(tmp_path / "log", FEW_STEPS + QUICK, **environment, GRADIO_TEMP_DIR=str(tmp_path / "uploads")) as address:
        client = Client(address, verbose=False)
        client.predict(3, api_name="/random_person")  # the rest of the page works meanwhile
        deadline = time.monotonic() + 300
        while "directions" not in json.loads((pack / "pack.json").read_text())["networks"]:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        client.predict(handle_file(SOURCE), 20, 0, 0, api_name="/edit")
    calls = _calls(report)
    assert [call["function"] for call in calls if call["function"] != "measure"].count("fit") == 2
    assert not [call for call in calls if "violation" in call]


@pytest.mark.slow
def test_models_are_on_cuda_at_import():
    """Under `spaces` itself, which acts at import as if there was a GPU, and takes the models to it later."""
    code = """
import app, torch
from spaces.zero.torch import patching
from spaces.zero.decorator import decorated_cache
reenactor = app.packs.get(app.packs.default)
assert reenactor.device.type == "cuda", reenactor.device
on_gpu = list(patching.cuda_aliases)
assert sum(tensor.numel() for tensor in on_gpu) > 5_000_000, len(on_gpu)
# Each of them is given its data on the GPU later, which inference tensors do not allow.
assert not [tensor.shape for tensor in on_gpu if tensor.is_inference()]
assert len(decorated_cache) >= 7
"""
    environment = {**os.environ, "SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:9"}
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr

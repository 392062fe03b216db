"""Sliders for packs without directions: fitted once in the background, and then used by who is there already."""

import threading
import time

import gradio as gr
import numpy as np
import pytest
from bare_pack import bare_pack

from stylemask_demo.calibration import PackCalibration
from stylemask_demo.calibration.fitting import SPACES, Fitted, best
from stylemask_demo.packs import read_info
from stylemask_demo.reenactor import Reenactor
from stylemask_demo.ui import preparations, texts
from stylemask_demo.ui.compute import Computed
from stylemask_demo.ui.preparations import Preparation, Preparations
from stylemask_demo.ui.progress import Progress

TOTAL = 9
LONGEST = 60  # seconds


def fitted(space: str) -> Fitted:
    sizes = {"style_sizes": [512] * 8} if space == "style" else {"num_layers": 8, "style_dim": 512}
    return Fitted(space, {"num_directions": 15, **sizes}, np.zeros((8 * 512, 15), np.float32), 0.5, 1.0, [1.0] * 15)


class Work:
    """Stands in for the accelerator; `refused` pieces fail first, and each waits until it `may` go on."""

    def __init__(self, refused: int = 0):
        self.refused, self.asked, self.may = refused, [], threading.Event()
        self.may.set()

    def measure(self, pack: str, first: int) -> Computed:
        assert self.may.wait(LONGEST)
        if self.refused:
            self.refused -= 1
            raise gr.Error("No GPU was available")
        self.asked.append(first)
        parts = [np.full((2, 15), first), np.full((1, 15), first)] if first < TOTAL else []
        return Computed((TOTAL, parts), 1, None)

    def fit(self, pack: str, values: np.ndarray, space: str):
        assert values[:, 0].tolist() == [0, 0, 0, 3, 3, 3, 6, 6, 6]
        yield Progress(5, 10)
        yield Computed(fitted(space), 1, None)


class Packs:
    def __init__(self, folder):
        self.folder = folder

    def info(self, name):
        assert name == self.folder.name
        return read_info(self.folder)


@pytest.fixture
def folder(tmp_path):
    return bare_pack(tmp_path / "bare")


def ended(preparations: Preparations) -> Preparation:
    deadline = time.monotonic() + LONGEST
    while preparations.of("bare").progress is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return preparations.of("bare")


def test_however_many_ask_it_is_done_once_and_kept(folder):
    work = Work()
    work.may.clear()
    made = Preparations(Packs(folder), work)
    assert made.of("bare") == Preparation(ready=False) and "directions" not in made.methods("bare")
    for _ in range(3):
        made.start("bare")
    assert made.of("bare").progress is not None
    work.may.set()
    assert ended(made).ready and "directions" in made.methods("bare")
    made.start("bare")
    assert ended(made).ready and work.asked == [0, 3, 6]
    again = Preparations(Packs(folder), Work())  # the next start of the page
    assert again.of("bare").ready


@pytest.mark.slow
def test_who_has_loaded_the_pack_before_uses_it(folder):
    reenactor = Reenactor.from_pack(folder, device="cpu")
    assert "directions" not in reenactor.methods and PackCalibration(reenactor.info).missing
    PackCalibration(reenactor.info).keep(best([fitted(space) for space in SPACES], TOTAL))
    reenactor.renew()
    assert "directions" in reenactor.methods
    assert reenactor.sample(1, like=reenactor.sample(1), method="directions").size == (256, 256)


def test_what_another_process_does_is_waited_for_and_not_done_again(folder):
    work = Work()
    made = Preparations(Packs(folder), work)
    pack = PackCalibration(read_info(folder))
    with pack.alone():
        made.start("bare")
        deadline = time.monotonic() + LONGEST
        while "another program" not in made.of("bare").progress.what:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        pack.keep(best([fitted("style")], TOTAL))
    assert ended(made).ready and not work.asked


def test_a_refused_gpu_is_asked_for_again(folder, monkeypatch):
    monkeypatch.setattr(preparations, "PAUSE", 0)
    work = Work(refused=3)
    made = Preparations(Packs(folder), work)
    made.start("bare")
    assert ended(made).ready


def test_what_was_measured_is_used_after_giving_up(folder, monkeypatch):
    monkeypatch.setattr(preparations, "PAUSE", 0)
    monkeypatch.setattr(preparations, "REFUSALS", 2)
    work = Work()
    made = Preparations(Packs(folder), work)
    fit, work.fit = work.fit, lambda *arguments: (_ for _ in ()).throw(gr.Error("No GPU was available"))
    made.start("bare")
    assert "No GPU" in ended(made).error
    work.fit = fit
    made.start("bare")
    assert ended(made).ready and work.asked == [0, 3, 6, TOTAL]


def test_a_folder_that_cannot_be_written_is_told(folder, monkeypatch, capsys):
    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(PackCalibration, "keep", refuse)
    made = Preparations(Packs(folder), Work())
    made.start("bare")
    error = ended(made).error
    assert "cannot be kept" in error and str(folder) not in error
    assert f"{folder} cannot be written (Permission denied)" in capsys.readouterr().out, "who runs the page is not told"
    assert error in texts.preparation(None, error)


def test_the_page_says_how_far_it_is():
    assert "50 of 100" in texts.preparation(Progress(50, 100, "Measuring"), "")
    assert "being prepared" in texts.preparation(Progress(), "")
    assert "<b>" not in texts.preparation(None, "<b>")

"""The tool that lets many visitors ask at once, tried with two: it counts right answers, and notices wrong ones."""

import os
from pathlib import Path

import load
import pytest


def test_visitors_get_their_own_pictures_and_others_would_be_noticed(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(load, "LOOK", 0.05)
    visitors = [load.Visitor(address, number, tmp_path) for number in (900, 901)]
    memory = load.Memory(os.getpid())
    load.crowd(visitors, 60, 4)
    memory.end()
    assert load.judged(visitors, memory, 0.0, 1000.0) == []
    assert "4 requests of 2 visitors" in capsys.readouterr().out
    assert load.judged(visitors, memory, 0.0, -1000.0)[0].startswith("memory grew")

    visitors[0]._right, visitors[1]._right = visitors[1]._right, visitors[0]._right
    load.crowd(visitors, 60, 2)
    wrong = load.judged(visitors, memory, 0.0, 1000.0)
    assert len(wrong) == 2 and all("got another picture" in line for line in wrong)
    visitors[0]._right = visitors[1]._right
    wrong = load.judged(visitors, memory, 0.0, 1000.0)
    assert "visitors have the same pictures, so that a mix-up would not be seen" in wrong

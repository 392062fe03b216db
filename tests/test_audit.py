"""What `make check` says of weaknesses of locked packages, by what pip-audit has answered."""

import json
from types import SimpleNamespace

import audit
import pytest

WEAK = {"name": "gradio", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
SOUND = {"name": "torch", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "numpy", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    "packages, excepted, status, said",
    [
        ([SOUND, UNKNOWN], {}, 0, "1 of 2 locked packages looked up, 0 weaknesses known"),
        ([SOUND, WEAK], {}, 1, "gradio 1.0: PYSEC-1, mended in 1.1"),
        ([SOUND, WEAK], {"PYSEC-1": "The part is not used."}, 0, "The part is not used."),
        ([UNKNOWN, UNKNOWN], {}, 0, "Not audited"),
        (None, {}, 0, "Not audited: the package index tells nothing of weaknesses here (no route)"),
    ],
)
def test_weaknesses_fail_and_silence_is_told(monkeypatch, capsys, packages, excepted, status, said) -> None:
    answer = "" if packages is None else json.dumps({"dependencies": packages})
    asked = SimpleNamespace(stdout=answer, stderr="ERROR:\nno route\n", returncode=1)
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: asked)
    monkeypatch.setattr(audit, "EXCEPTIONS", excepted)
    assert audit.main() == status
    assert said in capsys.readouterr().out

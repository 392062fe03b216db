"""`make space`: what goes up, what stays here, and what is refused before anything goes anywhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hub import LARGE, hub
from serving import ROOT
from upload_space import NotReady, needed_files, read_settings, settings_problems

TOKEN = "hf_standin"


@pytest.fixture
def host():
    with hub(owner="somebody", token=TOKEN) as host:
        yield host


def upload(host, tmp_path: Path, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess:
    """Run the command as the Makefile does, against the stand-in."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": host.address,
        "HF_TOKEN": token,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",  # the newer way is the Hub's alone; it is left to its client
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "tools/upload_space.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_a_space_gets_what_it_needs_and_loses_what_it_had_before(host, tmp_path):
    first = upload(host, tmp_path, "somebody/portraits")
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines()[-1] == f"{host.address}/spaces/somebody/portraits"
    assert [(asked["type"], asked["sdk"]) for asked in host.made] == [("space", "gradio")]
    files = host.spaces["somebody/portraits"]
    assert set(files) == {".gitattributes", *needed_files(ROOT, read_settings(ROOT))}
    for name, data in files.items():
        assert name == ".gitattributes" or data == (ROOT / name).read_bytes(), name
    large = {name for name, data in files.items() if len(data) > LARGE}
    assert len(large) == 2 and large <= host.outside_git

    files["stylemask_demo/of_an_earlier_version.py"] = b"gone"
    second = upload(host, tmp_path, "somebody/portraits")
    assert second.returncode == 0, second.stderr
    assert len(host.made) == 1 and len(host.commits) == 2
    assert set(files) == {".gitattributes", *needed_files(ROOT, read_settings(ROOT))}


def test_what_the_page_does_not_need_stays_here():
    files = needed_files(ROOT, read_settings(ROOT))
    assert {"app.py", "README.md", "requirements.txt", "stylemask_demo/ui/style.css"} <= set(files)
    assert {name.split("/")[0] for name in files} == {
        "app.py", "README.md", "requirements.txt", "LICENSE", "NOTICE", "stylemask_demo", "checkpoints", "assets",
    }  # fmt: skip
    assert not [name for name in files if name.endswith((".pyc", ".pyi"))]
    assert sum(path.stat().st_size for path in files.values()) < 100e6


def test_a_dry_run_lists_and_uploads_nothing(host, tmp_path):
    done = upload(host, tmp_path, "somebody/portraits", "--dry-run")
    assert done.returncode == 0, done.stderr
    *lines, total = done.stdout.splitlines()
    listed = dict(re.fullmatch(r" *([\d.]+) MB  (\S+)(?:  .*)?", line).groups()[::-1] for line in lines)
    files = needed_files(ROOT, read_settings(ROOT))
    assert list(listed) == list(files)
    assert all(abs(float(size) - files[name].stat().st_size / 1e6) < 0.001 for name, size in listed.items())
    assert f"in {len(files)} files" in total
    assert sum("outside of git" in line for line in lines) == 2
    assert not host.made and not host.commits


@pytest.mark.parametrize(
    "space, token, message",
    [
        ("portraits", TOKEN, "not OWNER/NAME"),
        ("somebody/portraits", "", "Log in"),
        ("somebody/portraits", "hf_wrong", "could not be uploaded"),
        ("nobody/portraits", TOKEN, "may not make a Space of nobody"),
    ],
)
def test_a_refusal_says_why(host, tmp_path, space, token, message):
    done = upload(host, tmp_path, space, token=token)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not host.commits


def test_the_settings_fit_the_repository():
    assert settings_problems(read_settings(ROOT), ROOT) == []


@pytest.mark.parametrize(
    "name, value",
    [
        ("title", ""),
        ("emoji", None),
        ("colorFrom", "teal"),
        ("sdk", "docker"),
        ("sdk_version", "5.0.0"),
        ("python_version", "3.9"),
        ("app_file", "main.py"),
        ("thumbnail", "assets/none.png"),
        ("license", None),
        ("short_description", "word " * 20),
        ("models", None),
        ("tags", "faces"),
        ("suggested_hardware", None),
    ],
)
def test_a_wrong_setting_is_noticed(name, value):
    problems = settings_problems({**read_settings(ROOT), name: value}, ROOT)
    assert len(problems) == 1 and f"'{name}'" in problems[0]


def test_a_readme_without_settings_is_refused(tmp_path):
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / "README.md").write_text("# Only words\n")
    with pytest.raises(NotReady, match="'title' is missing.*sdk_version"):
        read_settings(tmp_path)

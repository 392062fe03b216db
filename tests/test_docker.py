"""The Dockerfile without docker: what it copies, installs and promises, and the page started from just that."""

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from serving import ROOT, START_SECONDS, free_port


def _instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.M).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def _values(name: str) -> list[str]:
    return [value for instruction, value in _instructions() if instruction == name]


def _environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for value in _values("ENV") for pair in shlex.split(value))


def _list(value: str) -> list[str]:
    """Return a command, which must be a list: then signals reach the program, and no shell stands between."""
    assert value.startswith("["), value
    return [part.strip('"') for part in re.findall(r'"[^"]*"', value)]


def _ignored(path: str) -> bool:
    """Tell whether .dockerignore leaves a file out: the last rule that fits decides."""
    ignored = False
    for rule in (ROOT / ".dockerignore").read_text().splitlines():
        if rule and not rule.startswith("#"):
            pattern = rule.removeprefix("!")
            names = [path, *(str(parent) for parent in Path(path).parents)]
            names += [Path(name).name for name in names] if pattern.startswith("**/") else []
            if any(fnmatch.fnmatchcase(name, pattern.removeprefix("**/")) for name in names):
                ignored = not rule.startswith("!")
    return ignored


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    """The folder of the app as the image holds it."""
    app = tmp_path_factory.mktemp("image")
    for copied in _values("COPY"):
        *sources, target = copied.split()
        for source in sources:
            files = [ROOT / source] if (ROOT / source).is_file() else [f for f in (ROOT / source).rglob("*") if f.is_file()]
            files = [file for file in files if not _ignored(str(file.relative_to(ROOT)))]
            assert files, f"nothing of {source} gets into the image"
            for file in files:
                inside = file.name if (ROOT / source).is_file() else Path(target) / file.relative_to(ROOT / source)
                (app / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, app / inside)
    return app


def test_only_what_the_page_needs_gets_in(image):
    assert {path.name for path in image.iterdir()} == {
        "app.py", "LICENSE", "NOTICE", "requirements.txt", "requirements.lock", "requirements-headless.lock",
        "stylemask_demo", "checkpoints", "assets",
    }  # fmt: skip
    assert not [path for path in image.rglob("*") if path.suffix in (".pyc", ".pyi")]


def test_the_page_does_not_run_as_root():
    instructions = _instructions()
    users = [place for place, (name, _) in enumerate(instructions) if name == "USER"]
    assert instructions[users[-1]][1] not in ("root", "0")
    assert any("useradd" in value and instructions[users[-1]][1] in value for value in _values("RUN"))
    started = [place for place, (name, _) in enumerate(instructions) if name == "CMD"]
    assert max(users) < min(started)


def test_the_python_is_one_that_the_project_knows():
    assert _values("FROM") == ["$BASE"]
    (base,) = [value.removeprefix("BASE=") for value in _values("ARG") if value.startswith("BASE=")]
    version = tuple(int(number) for number in re.fullmatch(r"python:(\d+)\.(\d+)\.\d+-slim-\w+", base).groups())
    low, high = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text()).groups()
    assert (3, int(low)) <= version < (3, int(high))


@pytest.mark.parametrize("build, index", [(None, "cpu"), ("cu130", "cu130")])
def test_each_build_installs_the_pinned_versions(tmp_path, build, index):
    """The shell line that installs, run with a pip that notes what it is asked for."""
    (line,) = [value for value in _values("RUN") if "pip install" in value]
    (tmp_path / "pip").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncp /tmp/others.lock {tmp_path}/others || true\n'
    )
    (tmp_path / "pip").chmod(0o755)
    for name in ("requirements.txt", "requirements.lock", "requirements-headless.lock"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (torch,) = (
        [build] if build else [value.removeprefix("TORCH=") for value in _values("ARG") if value.startswith("TORCH=")]
    )
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TORCH": torch}
    subprocess.run(["sh", "-ec", line], cwd=tmp_path, env=environment, check=True)
    asked = (tmp_path / "asked").read_text().splitlines()
    pinned = dict(re.findall(r"^([\w-]+)==([^\s]+)", (ROOT / "requirements.txt").read_text(), flags=re.M))
    assert asked[0].split()[1:] == [
        "--index-url",
        f"https://download.pytorch.org/whl/{index}",
        f"torch=={pinned['torch']}",
        f"torchvision=={pinned['torchvision']}",
    ]
    assert asked[1].startswith("install --require-hashes -r ")
    assert asked[2] == "install --force-reinstall --no-deps --require-hashes -r requirements-headless.lock"
    names = {
        entry: re.findall(r"^([\w.-]+)==", (tmp_path / entry).read_text(), re.M)
        for entry in ("others", "requirements.lock")
    }
    left_out = set(names["requirements.lock"]) - set(names["others"])
    assert {"torch", "torchvision", "triton"} <= left_out and "gradio" in names["others"]
    assert all(re.match("torch|torchvision|triton|nvidia-|cuda-", name) for name in left_out)
    assert not re.search(
        r"^    --hash", re.sub(r"^\w.*(\n    --hash.*)+", "", (tmp_path / "others").read_text(), flags=re.M), re.M
    )


def test_it_is_told_how_to_run_it_without_rights():
    """The root of its file system read-only, no capabilities: everything it writes has a place of its own."""
    told = (ROOT / "Dockerfile").read_text(), (ROOT / "docs" / "space-and-docker.md").read_text()
    for text in told:
        assert "--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges" in text
    written = {name: place for name, place in _environment().items() if name in ("GRADIO_TEMP_DIR", "MPLCONFIGDIR")}
    assert len(written) == 2 and all(place.startswith("/tmp/") for place in written.values())


@pytest.mark.slow
def test_the_page_starts_from_the_image_and_is_healthy(image, tmp_path):
    """The image's own command, environment and health check; only the port is another one."""
    port = str(free_port())
    declared = _environment()
    assert _values("EXPOSE") == [declared["GRADIO_SERVER_PORT"]]
    assert declared["GRADIO_SERVER_NAME"] == "0.0.0.0"  # reachable from outside the container
    home = {"HOME": str(tmp_path), "GRADIO_TEMP_DIR": str(tmp_path / "uploads"), "GRADIO_SERVER_PORT": port}
    environment = {**os.environ, **declared, **home}
    environment.pop("PYTHONPATH", None)

    def python(command: list[str]) -> list[str]:
        assert command[0] == "python"
        return [sys.executable, *command[1:]]

    (health,) = _values("HEALTHCHECK")
    check = python(_list(health[health.index("CMD") + 3 :].strip()))
    (start,) = _values("CMD")

    def healthy() -> bool:
        return subprocess.run(check, env=environment, capture_output=True, timeout=30).returncode == 0

    assert not healthy(), "the check finds a page that is not there"
    log = tmp_path / "log"
    with log.open("wb") as output:
        page = subprocess.Popen(python(_list(start)), cwd=image, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not healthy():
            assert page.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
    finally:
        page.terminate()
        page.wait(timeout=60)

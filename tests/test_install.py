"""The package as `pip install .` leaves it: built into a wheel, installed outside of the checkout, used from elsewhere."""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from people import alike
from PIL import Image
from serving import ROOT, START_SECONDS, answers, free_port

import stylemask_demo
from stylemask_demo.media.pictures import open_image

pytestmark = pytest.mark.slow

FACES = ROOT / "tests" / "assets" / "faces"
SOURCE, TARGET = FACES / "900000_0.webp", FACES / "900003_1.webp"
# What the build reads of the repository. A copy is built: setuptools would keep what an earlier build left in build/.
TEXTS = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE")
FOLDERS = ("stylemask_demo", "checkpoints", "assets/examples")


def pip(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--no-input", *map(str, arguments)], check=True, timeout=300)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    sources, wheels = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheels")
    for name in TEXTS:
        shutil.copyfile(ROOT / name, sources / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, sources)
    (built,) = wheels.iterdir()
    return built


class Installation:
    """An environment of its own with the wheel, which borrows all other packages, and a folder to work in."""

    def __init__(self, folder: Path, wheel: Path):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
        self.scripts = folder / "venv" / "bin"
        pip("--python", self.scripts / "python", "install", "--quiet", "--no-deps", wheel)
        (package,) = (folder / "venv").glob("lib/python*/site-packages/stylemask_demo")
        self.site_packages = package.parent
        borrowed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
        (self.site_packages / "borrowed.pth").write_text("\n".join(borrowed))
        self.home, self.elsewhere = folder / "home", folder / "elsewhere"
        self.elsewhere.mkdir()
        names = ("HOME", "STYLEMASK_HOME", "GRADIO_TEMP_DIR", "XDG_CACHE_HOME")
        self.environment = {**os.environ, **{name: str(self.home) for name in names}}
        for name in ("PYTHONPATH", "STYLEMASK_PACK", "GRADIO_SERVER_PORT"):
            self.environment.pop(name, None)

    def command(self, *arguments: object) -> list[str]:
        return [str(self.scripts / "stylemask-demo"), *map(str, arguments)]

    def run(self, *arguments: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.elsewhere,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def files(self) -> set[str]:
        """All files of the package; what Python compiles does not count."""
        files = {str(path.relative_to(self.site_packages)) for path in self.site_packages.rglob("*") if path.is_file()}
        return {file for file in files if "__pycache__" not in file}


@pytest.fixture(scope="module")
def installation(wheel, tmp_path_factory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), wheel)


def test_the_wheel_carries_the_package_and_its_resources_alone(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        *(ROOT / "stylemask_demo").rglob("*.py"),
        *(path for path in (ROOT / "stylemask_demo").rglob("*.*") if path.suffix in (".css", ".js", ".json", ".typed")),
    }
    expected = {str(path.relative_to(ROOT)) for path in expected}
    for folder in ("checkpoints/synthetic", "assets/examples"):
        expected |= {f"stylemask_demo/{folder}/{path.name}" for path in (ROOT / folder).iterdir()}
    assert names == expected


def test_the_version_is_the_same_everywhere(wheel, installation):
    assert wheel.name.split("-")[1] == stylemask_demo.__version__
    assert installation.run("--version").stdout == f"stylemask-demo {stylemask_demo.__version__}\n"


def test_the_command_reenacts_from_another_folder(installation, reenactor):
    before = installation.files()
    done = installation.run("reenact", SOURCE, TARGET, "-o", "result.png")
    assert (done.returncode, done.stdout) == (0, "result.png\n"), done.stderr
    with Image.open(installation.elsewhere / "result.png") as picture:
        installed = picture.convert("RGB")
    checkout = reenactor.reenact(open_image(SOURCE), open_image(TARGET))
    assert alike(installed, checkout)  # threads add in another order
    assert installation.files() == before


def test_a_damaged_pack_says_what_helps_here(installation):
    damaged = installation.site_packages / "stylemask_demo" / "checkpoints" / "synthetic" / "generator.safetensors"
    kept = damaged.with_suffix(".kept")
    damaged.rename(kept)
    try:
        done = installation.run("sample", "-o", "result.png")
    finally:
        kept.rename(damaged)
    assert done.returncode == 2 and "--force-reinstall" in done.stderr and "git" not in done.stderr, done.stderr


def test_a_machine_without_a_desktop_is_told_what_helps(installation, tmp_path, monkeypatch):
    missing = "libGL.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "cv2.py").write_text(f"raise ImportError('{missing}')")
    monkeypatch.setitem(installation.environment, "PYTHONPATH", str(tmp_path))
    done = installation.run("sample", "-o", "result.png")
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert missing in done.stderr and "opencv-python-headless==" in done.stderr


def test_the_command_opens_the_page(installation, tmp_path):
    port, opened, log = free_port(), tmp_path / "opened", tmp_path / "log"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    before = installation.files()
    environment = {**installation.environment, "BROWSER": f"{browser} %s", "DISPLAY": ":0"}
    environment.pop("SSH_CONNECTION", None)
    with log.open("wb") as output:
        page = subprocess.Popen(
            installation.command("app", "--port", port),
            cwd=installation.elsewhere,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (answers(address) and opened.exists()):
            assert page.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        assert opened.read_text().strip().rstrip("/") == address
        example = installation.site_packages / "stylemask_demo" / "assets" / "examples" / "source_1.webp"
        assert answers(f"{address}/gradio_api/file={example}")
        taken = installation.run("app", "--port", port)
        assert taken.returncode == 2 and f"Port {port} cannot be used" in taken.stderr, taken.stderr
        page.send_signal(signal.SIGTERM)
        assert page.wait(timeout=60) == 0, log.read_text()
    finally:
        page.kill()
        page.wait(timeout=60)
    assert "Traceback" not in log.read_text(), log.read_text()
    assert installation.files() == before

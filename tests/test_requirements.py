"""The exact locks and the declared ranges name the same packages and never contradict each other."""

import re
from pathlib import Path

import pytest
import tomlkit
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from serving import ROOT

import stylemask_demo

PROJECT = tomlkit.parse((ROOT / "pyproject.toml").read_text()).unwrap()["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Each lock with the ranges that it fixes: the demo's own, then those of an extra.
LOCKS = {
    "requirements.txt": PROJECT["dependencies"],
    "requirements-train.txt": EXTRAS["train"],
    "requirements-provenance.txt": EXTRAS["provenance"],
    "requirements-dev.txt": EXTRAS["dev"],
    "requirements-judge.txt": EXTRAS["judge"],
}


def locked(path: Path) -> dict[str, str]:
    """Return the version of each package that a lock names itself; every line must be exact."""
    lines = [line.split("  #")[0].strip() for line in path.read_text().splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", line) for line in lines), lines
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def declared(ranges: list[str]) -> dict[str, Requirement]:
    requirements = [Requirement(text) for text in ranges]
    return {canonicalize_name(found.name): found for found in requirements if found.name != PROJECT["name"]}


@pytest.mark.parametrize("lock", LOCKS)
def test_each_lock_lies_within_the_ranges(lock):
    pins, ranges = locked(ROOT / lock), declared(LOCKS[lock])
    assert set(pins) == set(ranges)
    outside = {name: version for name, version in pins.items() if not ranges[name].specifier.contains(version)}
    assert not outside


def test_each_range_ends():
    """A new major version may change what the code relies on; packages of types alone, and of tools, may come."""
    for name, found in declared(
        [*PROJECT["dependencies"], *EXTRAS["train"], *EXTRAS["provenance"], *EXTRAS["judge"]]
    ).items():
        assert {"<", "=="} & {part.operator for part in found.specifier}, name


def test_the_extras_build_on_each_other_as_the_locks_do():
    assert f"{PROJECT['name']}[train,provenance]" in EXTRAS["dev"]
    assert (ROOT / "requirements-train.txt").read_text().startswith("-r requirements.txt\n")
    begin = "-r requirements-train.txt\n-r requirements-provenance.txt\n"
    assert (ROOT / "requirements-dev.txt").read_text().startswith(begin)


# The locks with hashes, and what each is made of.
HASHED = {
    "requirements.lock": ["requirements.txt"],
    "requirements-dev.lock": [name for name in LOCKS if name != "requirements-judge.txt"],
}


@pytest.mark.parametrize("lock", HASHED)
def test_the_locks_are_up_to_date_and_every_file_has_a_hash(lock):
    entries = re.findall(
        r"^([\w.-]+)==([\w.]+)(?: ; [^\\\n]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", text(lock), re.M
    )
    assert len(entries) == len([line for line in text(lock).splitlines() if line[0].isalpha()]) > 60
    versions = {canonicalize_name(name): version for name, version, _ in entries}
    pins = dict(pin for name in HASHED[lock] for pin in locked(ROOT / name).items())
    assert {name: versions.get(name) for name in pins} == pins, "run make lock"


def test_the_headless_opencv_is_of_the_same_version():
    version = locked(ROOT / "requirements.txt")["opencv-python"]
    assert text("requirements-headless.lock").startswith(f"opencv-python-headless=={version} \\\n    --hash=sha256:")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def test_the_version_stands_in_one_place():
    assert "version" in PROJECT["dynamic"] and "version" not in PROJECT
    assert re.fullmatch(r"\d+\.\d+\.\d+", stylemask_demo.__version__)
    assert f"\n## [{stylemask_demo.__version__}] - " in (ROOT / "CHANGELOG.md").read_text()

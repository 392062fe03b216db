"""More than one machine: two replicas behind nginx, one of which dies; and the file that describes it to Docker."""

import itertools
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml
from front import DEPLOY, front
from gradio_client import Client, handle_file
from PIL import Image
from serving import FEW_STEPS, ROOT, page_process

SMILES = itertools.count(0.31, 0.01)
FACE = ROOT / "tests" / "assets" / "faces" / "900000_0.webp"


def test_compose_runs_several_replicas_without_rights_behind_nginx() -> None:
    described = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    page, nginx = described["services"]["page"], described["services"]["front"]
    assert page["deploy"]["replicas"] == "${REPLICAS:-3}" and "ports" not in page
    assert described["networks"]["inside"] == {"internal": True} and page["networks"] == ["inside"]
    for service in (page, nginx):
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and "/tmp" in service["tmpfs"]
        assert any("/health" in part for part in service["healthcheck"]["test"])
        assert service["restart"] == "unless-stopped"
    mounted = [volume.split(":")[0] for volume in nginx["volumes"]]
    assert sorted(mounted) == sorted(f"./{path.name}" for path in DEPLOY.glob("*.conf"))
    assert "server page:7860 resolve" in (DEPLOY / "replicas.conf").read_text()


class Visitor:
    """Somebody with a browser: a cookie, and a session."""

    def __init__(self, address: str):
        self.address = address
        with urllib.request.urlopen(address, timeout=60) as page:
            self.cookie = page.headers["Set-Cookie"].split(";")[0]
            assert "HttpOnly" in page.headers["Set-Cookie"]
        self.come()

    def come(self) -> None:
        """Open the page, again."""
        headers = {"Cookie": self.cookie}
        self.client = Client(self.address, headers=headers, verbose=False, httpx_kwargs={"timeout": 60})

    def edit(self, smile: float = 0.3) -> np.ndarray:
        result = self.client.predict(handle_file(FACE), 0, 0, smile, api_name="/edit")
        with Image.open(result) as picture:
            return np.asarray(picture.convert("RGB"), dtype=float)


class Replicated(NamedTuple):
    """A page of two replicas, the second of which can be killed."""

    address: str
    uploads: tuple[Path, Path]
    second: object


@pytest.fixture(scope="module")
def replicated(address: str, uploads: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicated]:
    folder = tmp_path_factory.mktemp("replica")
    own = folder / "uploads"
    environment = {"GRADIO_TEMP_DIR": str(own), "STYLEMASK_HOME": str(folder / "home")}
    with page_process(folder / "log", FEW_STEPS, **environment) as (second, process):
        parts = [each.removeprefix("http://") for each in (address, second)]
        nginx = tmp_path_factory.mktemp("nginx")
        with front(nginx, parts) as before:
            yield Replicated(before, (uploads, own), process)


def _count(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def _visitor_of(replica: int, replicated: Replicated) -> Visitor:
    """A visitor whom nginx sends to one of the replicas; by chance every other one is."""
    for _ in range(40):
        before = [_count(folder) for folder in replicated.uploads]
        visitor = Visitor(replicated.address)
        visitor.edit(next(SMILES))  # another result than any before, which is a file at one replica
        grown = [_count(folder) > count for folder, count in zip(replicated.uploads, before, strict=True)]
        assert grown.count(True) == 1, "a visit is spread over replicas"
        if grown[replica]:
            return visitor
    raise AssertionError("nobody is sent there")


@pytest.mark.slow
def test_a_whole_visit_and_a_replica_that_dies(replicated: Replicated) -> None:
    """Visitors of the other replica notice nothing; its own lose what was tuned, and begin again."""
    staying, moving = (_visitor_of(replica, replicated) for replica in (0, 1))
    before = moving.edit()
    moving.client.predict(handle_file(FACE), 3, api_name="/tune")
    assert np.abs(moving.edit() - before).mean() > 0.05, "what was tuned is where it was tuned"
    assert np.array_equal(staying.edit(), before)

    failures: dict[Visitor, list[Exception]] = {staying: [], moving: []}
    results: dict[Visitor, int] = {staying: 0, moving: 0}
    ended = threading.Event()

    def work(visitor: Visitor) -> None:
        while not ended.is_set():
            try:
                visitor.edit()
                results[visitor] += 1
            except Exception as error:
                failures[visitor].append(error)
                time.sleep(0.2)

    threads = [threading.Thread(target=work, args=(visitor,), daemon=True) for visitor in failures]
    for thread in threads:
        thread.start()
    _until(lambda: min(results.values()) >= 1)
    replicated.second.kill()
    replicated.second.wait(60)
    _until(lambda: failures[moving])
    done = results[staying]
    _until(lambda: results[staying] >= done + 2)
    ended.set()
    for thread in threads:
        thread.join(60)
    assert not failures[staying], failures[staying]
    moving.come()
    assert np.array_equal(moving.edit(), before), "they begin again, at the replica that is left, with nothing tuned"


def _until(happened) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)

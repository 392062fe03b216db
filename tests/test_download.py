"""Downloads from a server on this machine: right result or one clear line, and nothing half left as if it were whole."""

import json
import os
import resource
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from file_host import QUOTA, Answer, FileHost, file_host
from loaded_pack import load_pack
from small_pack import PACK, checkpoints, saved

from stylemask_demo import cli
from stylemask_demo.downloads import fetch, hosts
from stylemask_demo.errors import DownloadFailed, PackCorrupt, PackMissing
from stylemask_demo.packs import available_packs, download_pack, licence_text, missing_files
from stylemask_demo.packs.catalogue import PUBLISHED

NAME = PACK.name
FILES = {name: saved(content) for name, content in checkpoints().items()}
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a small pack in the place of a published one."""
    monkeypatch.setenv("STYLEMASK_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(PUBLISHED, NAME, PACK)
    monkeypatch.setattr(fetch, "PAUSE", 0.0)
    return tmp_path / "home"


@pytest.fixture
def host(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileHost]:
    """A server with the published files, in the place of Google Drive."""
    with file_host() as host:
        host.files.update(FILES)
        host.ids.update({file.drive_id: file.name for file in PACK.files})
        monkeypatch.setenv("STYLEMASK_DRIVE_URL", host.address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield host


def is_right() -> bool:
    """Whether the pack is whole and has the published values."""
    pack = load_pack(NAME)
    published = checkpoints()
    return (
        torch.equal(pack["directions"].linear.weight, published["matrix.pt"]["A_matrix"]["linear.weight"])
        and all(torch.equal(pack["masks"].state_dict()[k], v) for k, v in published["masks.pt"]["mask_net"].items())
        and torch.equal(pack["average"].latent, published["average.pt"]["latent_avg"])
    )


def leftovers(home: Path) -> list[str]:
    """Names of files in the cache that are neither the pack's nor the lock's."""
    names = (path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    return sorted(name for name in names if not name.startswith(f"packs/{NAME}/") and not name.endswith(".lock"))


def test_a_pack_is_listed_before_and_after(host: FileHost) -> None:
    before = {info.name: info for info in available_packs()}[NAME]
    assert (before.state, before.installed, before.resolution) == ("not downloaded", False, 256)
    with pytest.raises(PackMissing, match=f"packs download {NAME}"):
        load_pack(NAME)
    assert "matrix.pt: for tests" in licence_text(NAME)
    info, left_out = download_pack(NAME)
    assert left_out == ()
    after = {info.name: info for info in available_packs()}[NAME]
    assert after == info
    assert (after.state, after.installed, missing_files(after)) == ("ready", True, ())
    assert is_right()


def test_the_real_packs_tell_their_licences() -> None:
    for name in ("ffhq", "voxceleb"):
        text = licence_text(name)
        assert "research" in text
        assert all(file.name in text for file in PUBLISHED[name].files)
    assert licence_text("synthetic") == ""


@pytest.mark.parametrize("asks", [False, True])
def test_everything_well(host: FileHost, home: Path, asks: bool) -> None:
    host.asks = asks
    told = []
    download_pack(NAME, lambda *progress: told.append(progress))
    assert is_right()
    assert leftovers(home) == ["sha256.json"]
    assert json.loads((home / "sha256.json").read_text()).keys() == FILES.keys()
    size = len(FILES["matrix.pt"])
    assert (size, size, "matrix.pt (1 of 3)") in told
    assert (0, 0, "Converting matrix.pt (1 of 3)") in told
    host.requests.clear()
    download_pack(NAME)
    assert host.requests == []  # all is there


def test_stored_as_published_in_full_precision(host: FileHost) -> None:
    info = download_pack(NAME).info
    assert info.networks["directions"].bytes > 4 * info.networks["directions"].parameters
    assert info.recipe().directions.factors[0] == 3 / 40  # the file's scale


@pytest.mark.parametrize("asks", [False, True])
def test_a_cut_is_resumed(host: FileHost, asks: bool) -> None:
    host.asks = asks
    # Google Drive's files are asked for twice where no page comes first: once for the address alone.
    first = [] if asks else [Answer()]
    host.next("matrix.pt", *first, Answer(cut=6 * fetch.BLOCK), *first, Answer(cut=3 * fetch.BLOCK))
    download_pack(NAME)
    assert is_right()
    ranges = [asked for name, asked in host.requests if name == "matrix.pt" and asked]
    assert ranges == [f"bytes={6 * fetch.BLOCK}-", f"bytes={9 * fetch.BLOCK}-"]


def test_a_stop_is_resumed_by_the_next_call(host: FileHost, home: Path) -> None:
    host.asks = True

    class Stopped(Exception):
        pass

    def stop(done: int, total: int, what: str) -> None:
        if "matrix" in what and 0 < done:
            raise Stopped

    host.next("matrix.pt", Answer(cut=6 * fetch.BLOCK))
    with pytest.raises(Stopped):
        download_pack(NAME, stop)
    part = home / "downloads" / NAME / "matrix.pt.part"
    kept = part.stat().st_size
    assert 0 < kept < len(FILES["matrix.pt"])
    assert not {info.name: info for info in available_packs()}[NAME].installed
    download_pack(NAME)
    assert is_right()
    assert ("matrix.pt", f"bytes={kept}-") in host.requests


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_changes_between_two_parts_is_fetched_whole(host: FileHost, ranges: bool) -> None:
    host.asks = True
    other = checkpoints()["matrix.pt"]
    other["A_matrix"]["linear.bias"] += 1
    host.files["matrix.pt"] = saved(other)
    host.next("matrix.pt", *[Answer(cut=6 * fetch.BLOCK)] + [Answer(status=503)] * fetch.FRUITLESS_TRIES)
    with pytest.raises(DownloadFailed, match="HTTP 503"):
        download_pack(NAME)
    host.files["matrix.pt"] = FILES["matrix.pt"]
    host.next("matrix.pt", Answer(ranges=ranges))
    download_pack(NAME)
    assert is_right()


def test_size_not_told(host: FileHost) -> None:
    host.asks = True
    for name in FILES:
        host.next(name, Answer(length=False))
    download_pack(NAME)
    assert is_right()


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Answer(page=QUOTA), "Too many users have viewed or downloaded this file recently"),
        (Answer(page=QUOTA, status=403), "Too many users"),
        (Answer(page="<html>Sign in</html>"), "Google Drive does not hand out matrix.pt now"),
        (Answer(status=404), "matrix.pt is not at Google Drive any more"),
        (Answer(status=500), "HTTP 500"),
        (Answer(cut=0), "the connection broke"),
    ],
)
@pytest.mark.parametrize("asks", [False, True])
def test_what_hosts_refuse(host: FileHost, home: Path, answer: Answer, line: str, asks: bool) -> None:
    host.asks = asks
    host.next("matrix.pt", *[answer] * 10)
    with pytest.raises(DownloadFailed, match=line) as error:
        download_pack(NAME)
    assert "\n" not in str(error.value)
    assert not any(name.endswith(".pt") for name in leftovers(home))
    assert {info.name: info for info in available_packs()}[NAME].state == "not downloaded"
    host.answers.clear()
    download_pack(NAME)
    assert is_right()


def test_a_host_that_falls_silent(host: FileHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "SILENCE_TIMEOUT", 0.2)
    host.asks = True
    go_on = threading.Event()
    host.next("matrix.pt", *[Answer(cut=0, silent=go_on)] * fetch.FRUITLESS_TRIES)
    with pytest.raises(DownloadFailed, match="sent nothing for 0.2 seconds"):
        download_pack(NAME)
    go_on.set()


def test_a_host_that_is_not_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEMASK_DRIVE_URL", "http://127.0.0.1:9")
    with pytest.raises(DownloadFailed, match="cannot be reached"):
        download_pack(NAME)


def test_a_file_larger_than_it_may_be(host: FileHost, home: Path) -> None:
    host.files["masks.pt"] = bytes(200_000)
    host.next("masks.pt", Answer(), Answer(), Answer(length=False), Answer(length=False))
    with pytest.raises(DownloadFailed, match="more than the 100,000 it may have"):
        download_pack(NAME)
    with pytest.raises(DownloadFailed, match="larger than the 100,000 bytes it may have"):
        download_pack(NAME)
    assert not any("masks" in name for name in leftovers(home))


def test_something_else_in_place_of_the_file(host: FileHost, home: Path) -> None:
    host.files["masks.pt"] = b"version https://git-lfs.github.com/spec/v1\n" * 20
    with pytest.raises(PackCorrupt, match="masks.pt is not a checkpoint"):
        download_pack(NAME)
    assert not any("masks" in name for name in leftovers(home))
    host.files["masks.pt"] = FILES["masks.pt"]
    download_pack(NAME)
    assert is_right()


def test_another_file_than_at_first_use(host: FileHost, home: Path) -> None:
    info = download_pack(NAME).info
    (info.folder / "masks.safetensors").unlink()
    other = checkpoints()["masks.pt"]
    other["mask_net"]["network_00.masknet.0.bias"] += 1
    host.files["masks.pt"] = saved(other)
    with pytest.raises(DownloadFailed, match="masks.pt is not the file that was used here before.*sha256.json"):
        download_pack(NAME)
    assert {info.name: info for info in available_packs()}[NAME].state == "damaged"
    known = json.loads((home / "sha256.json").read_text())
    (home / "sha256.json").write_text(json.dumps({name: known[name] for name in known if name != "masks.pt"}))
    download_pack(NAME)
    assert torch.equal(load_pack(NAME)["masks"].network_00.masknet[0].bias, other["mask_net"]["network_00.masknet.0.bias"])


@pytest.mark.parametrize("damage", ["network", "description", "altered"])
def test_a_damaged_pack_is_repaired(host: FileHost, damage: str) -> None:
    info = download_pack(NAME).info
    network = info.folder / "masks.safetensors"
    if damage == "network":
        network.write_bytes(b"")
    elif damage == "altered":
        network.write_bytes(network.read_bytes()[:-1] + b"\0")
    else:
        (info.folder / "pack.json").write_text("{")
    with pytest.raises(PackCorrupt, match=f"packs download {NAME}"):
        load_pack(NAME)
    host.requests.clear()
    download_pack(NAME)
    assert is_right()
    fetched = {name for name, _ in host.requests}
    assert fetched == (set(FILES) if damage == "description" else {"masks.pt"})


def test_an_optional_file_may_be_missing(host: FileHost) -> None:
    del host.files["average.pt"]
    info, left_out = download_pack(NAME)
    assert [("average.pt" in line and "HTTP 404" in line) for line in left_out] == [True]
    assert (info.state, missing_files(info)) == ("ready", ("average.pt",))
    assert set(load_pack(NAME).networks) == {"directions", "masks"}
    host.files["average.pt"] = FILES["average.pt"]
    host.requests.clear()
    download_pack(NAME)
    assert {name for name, _ in host.requests} == {"average.pt"}
    assert is_right()


def test_a_mirror_comes_first_and_drive_after_it(host: FileHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with file_host() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setenv("STYLEMASK_MIRROR", "someone/weights")
        hub.files["matrix.pt"] = FILES["matrix.pt"]
        hub.next("matrix.pt", Answer(cut=6 * fetch.BLOCK))
        download_pack(NAME)
        assert is_right()
        assert hub.requests == [("matrix.pt", None), ("matrix.pt", f"bytes={6 * fetch.BLOCK}-")]
        assert {name for name, _ in host.requests} == {"masks.pt", "average.pt"}


def test_files_in_the_cache_of_the_hub_are_used(host: FileHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a Space's `preload_from_hub` leaves them."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("STYLEMASK_MIRROR", "someone/weights")
    snapshot = tmp_path / "models--someone--weights" / "snapshots" / "1234"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("1234")
    for name, content in FILES.items():
        (snapshot / name).write_bytes(content)
    download_pack(NAME)
    assert is_right()
    assert host.requests == []
    assert len(list(snapshot.iterdir())) == len(FILES)


def test_a_mirror_that_is_no_repository(host: FileHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEMASK_MIRROR", "https://example.org/weights")
    with pytest.raises(DownloadFailed, match="not OWNER/NAME"):
        download_pack(NAME)


@pytest.mark.parametrize("archive", [None, "tar.gz", "zip"])
def test_from_a_folder(home: Path, tmp_path: Path, archive: str | None) -> None:
    folder = tmp_path / "published"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    if archive == "zip":
        with zipfile.ZipFile(folder / "data.zip", "w", zipfile.ZIP_DEFLATED) as file:
            file.write(folder / "masks.pt", "data/masks.pt")
    elif archive == "tar.gz":
        with tarfile.open(folder / "data.tar.gz", "w:gz") as file:
            file.add(folder / "masks.pt", "../../data/masks.pt")
    if archive:
        (folder / "masks.pt").unlink()
    before = sorted(folder.iterdir())
    download_pack(NAME, source=folder)
    assert is_right()
    assert sorted(folder.iterdir()) == before
    assert leftovers(home) == ["sha256.json"]


def test_from_a_folder_without_the_files(home: Path, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="has no file matrix.pt"):
        download_pack(NAME, source=tmp_path)


@pytest.fixture(params=["small disk", "limited user"])
def little_room(request: pytest.FixtureRequest, home: Path) -> Iterator[int]:
    """A cache in which files of about 350 kB do not all fit; gives how many bytes there are."""
    room = 350_000
    if request.param == "limited user":
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room // 2, hard))
        yield room // 2
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(home)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here; the case 'limited user' stands for it")
    yield room
    subprocess.run(["umount", "--lazy", str(home)], check=True)


@pytest.mark.parametrize("length", [True, False])
def test_no_room(little_room: int, host: FileHost, home: Path, length: bool) -> None:
    """The file fits, but not what it is converted to; or (limited user) the file does not fit either."""
    host.asks = True
    host.next("matrix.pt", *[Answer(length=length)] * 4)
    with pytest.raises(DownloadFailed, match="There is no room in") as error:
        download_pack(NAME)
    assert "\n" not in str(error.value)
    left = [home / name for name in leftovers(home)]
    assert all(path.read_bytes() == FILES[path.name] for path in left if path.suffix == ".pt")
    assert not any("safetensors" in path.name for path in left)


def test_a_file_for_which_there_is_no_room_is_not_begun(host: FileHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    host.asks = True
    with pytest.raises(DownloadFailed, match=r"0\.3 MB are needed, 0\.0 MB are free"):
        download_pack(NAME)


def test_a_cache_that_cannot_be_made(host: FileHost, home: Path) -> None:
    home.write_text("a file in the place of the folder")
    with pytest.raises(DownloadFailed, match="cannot be read or written"):
        download_pack(NAME)


def program(home: Path, host: FileHost) -> subprocess.Popen:
    """Start another process that downloads the same pack."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "small_pack.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_two_processes_at_once(host: FileHost, home: Path, killed: bool) -> None:
    host.asks = True
    go_on = threading.Event()
    host.next("matrix.pt", Answer(cut=6 * fetch.BLOCK, silent=go_on))
    first = program(home, host)
    part = home / "downloads" / NAME / "matrix.pt.part"
    deadline = time.monotonic() + 120
    while not (part.is_file() and part.stat().st_size):
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    waited = threading.Event()

    def second(done: int, total: int, what: str) -> None:
        if what.startswith("Waiting") and not waited.is_set():
            waited.set()
            if killed:
                first.kill()
            go_on.set()

    download_pack(NAME, second)
    assert waited.is_set()
    assert is_right()
    output, lines = first.communicate(timeout=60)
    if not killed:
        assert (first.returncode, output.strip()) == (0, str(home / "packs" / NAME)), lines
    # Whoever went on, nothing was fetched twice.
    assert [name for name, asked in host.requests if not asked] == ["matrix.pt", "masks.pt", "average.pt"]
    assert [name for name, asked in host.requests if asked] == ["matrix.pt"]


def test_command_line(host: FileHost, home: Path, capsys: pytest.CaptureFixture) -> None:
    del host.files["average.pt"]
    assert cli.main(["packs", "download", NAME]) == 0
    output, lines = capsys.readouterr()
    assert output.strip() == str(home / "packs" / NAME)
    assert "for tests" in lines
    assert "left out: average.pt is not at Google Drive" in lines
    assert cli.main(["packs"]) == 0
    listed = capsys.readouterr().out
    assert "not downloaded" in listed  # ffhq
    assert "Small (without average.pt)" in listed
    host.files.clear()
    (home / "packs" / NAME / "masks.safetensors").unlink()
    assert cli.main(["packs", "download", NAME]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("stylemask_demo: masks.pt is not at Google Drive")
    assert cli.main(["packs", "download", "nonesuch"]) == 2
    assert "There is no pack 'nonesuch' to download" in capsys.readouterr().err

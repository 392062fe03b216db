"""Making a pack of published files: fetched or taken from a folder, checked, converted once, and kept in the cache."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock
from safetensors import SafetensorError

from stylemask_demo import messages
from stylemask_demo.downloads.checksum import sha256_of
from stylemask_demo.downloads.fetch import Progress, disk_full, fetch, no_room
from stylemask_demo.downloads.home import home
from stylemask_demo.downloads.hosts import Host
from stylemask_demo.downloads.locking import locked
from stylemask_demo.errors import DownloadFailed, PackCorrupt, PackMissing
from stylemask_demo.packs.catalogue import PUBLISHED, PublishedFile, PublishedPack
from stylemask_demo.packs.checkpoint import unpack_member
from stylemask_demo.packs.convert import convert, describe
from stylemask_demo.packs.info import PackInfo, downloaded_packs, read_info
from stylemask_demo.packs.loading import verify_file

INSTEAD = "name its folder with --from"


class Downloaded(NamedTuple):
    """What a download brought."""

    info: PackInfo
    left_out: tuple[str, ...]  # a line for each optional file that could not be had, with the reason


def download_pack(name: str, progress: Progress | None = None, source: str | Path | None = None) -> Downloaded:
    """Make the published pack `name` ready, by fetching and converting what is missing or damaged of it.

    `source` is a folder that has the files under their original names, to be used instead of the network. `progress` is
    called with the bytes that are done, the bytes in all (0 when not known) and what is being done, about ten times a
    second; it may raise to stop, and what was fetched by then is kept. Files that are fetched come from the Hub repository
    `STYLEMASK_MIRROR` if it is set and has them, else from Google Drive. When another process is at the same pack, this
    one waits for it.

    Raises PackMissing for an unknown name, DownloadFailed when a file cannot be had or is not the one that was used
    before, and PackCorrupt when it is not what was published; for optional files the pack is made without them.
    """
    if name not in PUBLISHED:
        raise PackMissing(messages.NO_SUCH_DOWNLOAD.format(name=name, names=", ".join(PUBLISHED)))
    tell = progress or (lambda done, total, what: None)
    lock = locked(downloaded_packs() / f".{name}.lock", tell, "Waiting for another download of this pack")
    with _failures_explained(), lock:
        return _install(PUBLISHED[name], Path(source) if source is not None else None, tell)


def _install(pack: PublishedPack, source: Path | None, progress: Progress) -> Downloaded:
    final = downloaded_packs() / pack.name
    # Others see a pack when all that it cannot do without is there.
    folder = final if _description(final) else downloaded_packs() / f".{pack.name}.unfinished"
    left_out = []
    for number, file in enumerate(sorted(pack.files, key=lambda file: file.optional), 1):
        if file.optional and folder != final:
            folder = _publish(folder, final)
        what = f"{file.name} ({number} of {len(pack.files)})"
        progress(0, 0, f"Checking {what}")
        if _is_converted(file, folder):
            continue
        try:
            with _failures_explained():
                _add(file, pack, folder, source, progress, what)
        except (DownloadFailed, PackCorrupt) as error:
            if not file.optional:
                raise
            left_out.append(str(error))
    if folder != final:
        folder = _publish(folder, final)
    return Downloaded(read_info(folder), tuple(left_out))


def _publish(unfinished: Path, final: Path) -> Path:
    shutil.rmtree(final, ignore_errors=True)  # there only if it has no readable description
    os.replace(unfinished, final)
    return final


def _add(
    file: PublishedFile, pack: PublishedPack, folder: Path, source: Path | None, progress: Progress, what: str
) -> None:
    """Get one file, convert it into the pack in ``folder`` and forget it."""
    downloads = home() / "downloads" / pack.name
    downloads.mkdir(parents=True, exist_ok=True)
    fetched, unpacked = downloads / file.name, downloads / f"{file.name}.unpacked"
    path = _in_folder(file, source) if source else _from_network(file, fetched, progress, what)
    try:
        progress(0, 0, f"Converting {what}")
        if file.archives and unpack_member(path, file.name, unpacked, file.largest):
            path = unpacked
        digest = sha256_of(path)
        _check_known(file.name, digest)
        convert(file, path, folder)
        describe(pack, folder)  # which takes up what the file says
        _remember(file.name, digest)
    except (PackCorrupt, DownloadFailed):
        fetched.unlink(missing_ok=True)  # useless: fetched anew next time
        raise
    finally:
        unpacked.unlink(missing_ok=True)
    fetched.unlink(missing_ok=True)


def _in_folder(file: PublishedFile, source: Path) -> Path:
    for name in (file.name, *file.archives):
        if (source / name).is_file():
            return source / name
    names = " or ".join((file.name, *file.archives))
    raise DownloadFailed(messages.NOT_IN_FOLDER.format(file=names), f"{source} has no file {names}.")


def _from_network(file: PublishedFile, path: Path, progress: Progress, what: str) -> Path:
    if path.is_file():
        return path  # fetched before, and then something else went wrong
    mirror = os.environ.get("STYLEMASK_MIRROR")
    if mirror:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", mirror):
            wrong = f"STYLEMASK_MIRROR is '{mirror}', not OWNER/NAME of a repository on the Hub."
            raise DownloadFailed(messages.WRONG_MIRROR, wrong)
        # Here, because only a mirror needs it.
        from huggingface_hub import try_to_load_from_cache

        kept = try_to_load_from_cache(mirror, file.name)
        if isinstance(kept, str):
            return Path(kept)
    refused: list[DownloadFailed] = []
    for host in _hosts(file, mirror):
        try:
            fetch(host, path, file.largest, progress, what)
            return path
        except DownloadFailed as error:
            refused.append(error)
    raise DownloadFailed(" ".join(error.message for error in refused), " ".join(map(str, refused)))


def _hosts(file: PublishedFile, mirror: str | None) -> Iterator[Host]:
    if mirror:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers

        url = hf_hub_url(mirror, file.name, endpoint=os.environ.get("HF_ENDPOINT"))
        yield Host(f"The Hub repository {mirror}", url, INSTEAD, build_hf_headers())
    drive = os.environ.get("STYLEMASK_DRIVE_URL", "https://drive.google.com").rstrip("/")
    yield Host("Google Drive", f"{drive}/uc?id={file.drive_id}&export=download", INSTEAD, asks=True)


def _description(folder: Path) -> PackInfo | None:
    try:
        return read_info(folder)
    except PackCorrupt:
        return None


def _is_converted(file: PublishedFile, folder: Path) -> bool:
    info = _description(folder)
    if info is None or not set(file.becomes) <= set(info.networks):
        return False
    try:
        for key in file.becomes:
            verify_file(folder, info.networks[key])
        return True
    except PackCorrupt:
        return False


def _known() -> tuple[Path, dict]:
    """The file that remembers the sha256 of each published file from its first use on, and what it says."""
    path = home() / "sha256.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(known, dict):
            raise ValueError("it is not a list of names and sha256")
        return path, known
    except FileNotFoundError:
        return path, {}
    except ValueError as error:
        raise DownloadFailed(
            messages.UNWRITABLE_DOWNLOAD,
            f"{path} cannot be read ({error}). It says which published files were used before; repair or delete it.",
        ) from None


def _check_known(name: str, digest: str) -> None:
    path, known = _known()
    if known.get(name, digest) != digest:
        raise DownloadFailed(
            messages.CHANGED_FILE.format(file=name),
            f"{name} is not the file that was used here before: its sha256 is {digest} instead of {known[name]}. "
            f"It was not used. If its publisher replaced it, remove its line from {path} and download again.",
        )


def _remember(name: str, digest: str) -> None:
    with FileLock(home() / "sha256.lock"):
        path, known = _known()
        if name in known:
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps({**known, name: digest}, indent=2) + "\n", encoding="utf-8")
        os.replace(temporary, path)


@contextmanager
def _failures_explained() -> Iterator[None]:
    """Turn what goes wrong on the disk into one line for a person."""
    try:
        yield
    except OSError as error:
        if no_room(error):
            raise disk_full(home()) from None
        raise DownloadFailed(
            messages.UNWRITABLE_DOWNLOAD,
            f"{error.filename or home()} cannot be read or written ({error.strerror or error}). Change its rights, "
            "or set STYLEMASK_HOME to another folder.",
        ) from None
    except SafetensorError as error:
        if "os error 28" in str(error) or "os error 27" in str(error) or "os error 122" in str(error):
            raise disk_full(home()) from None
        unwritten = f"The converted weights cannot be written to {home()} ({error})."
        raise DownloadFailed(messages.UNWRITABLE_DOWNLOAD, unwritten) from None

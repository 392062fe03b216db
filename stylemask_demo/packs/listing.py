"""What packs there are: in the repository, downloaded, and published ones that can be downloaded."""

from pathlib import Path

from stylemask_demo import messages
from stylemask_demo.errors import PackCorrupt, PackMissing
from stylemask_demo.packs.catalogue import PUBLISHED, PublishedPack
from stylemask_demo.packs.info import CHECKPOINTS, PACK_FILE, PackInfo, downloaded_packs, read_info


def available_packs() -> list[PackInfo]:
    """List the packs of the repository, then the downloaded ones and those that can be downloaded, each by name.

    Raises PackCorrupt when a pack of the repository has no readable `pack.json`.
    """
    shipped = [read_info(path.parent) for path in sorted(CHECKPOINTS.glob(f"*/{PACK_FILE}"))]
    others = {name: _not_downloaded(pack) for name, pack in PUBLISHED.items()}
    for folder in _downloaded():
        try:
            others[folder.name] = read_info(folder)
        except PackCorrupt:
            continue  # as good as not downloaded: a download replaces it
    names = {info.name for info in shipped}
    return shipped + [info for name, info in sorted(others.items()) if name not in names]


def missing_files(info: PackInfo) -> tuple[str, ...]:
    """Return the names of the published files that a downloaded pack is without; none for other packs."""
    published = PUBLISHED.get(info.name)
    if published is None or not info.networks:
        return ()
    return tuple(file.name for file in published.files if not set(file.becomes) <= set(info.networks))


def licence_text(name: str) -> str:
    """Return what to show before a pack is downloaded: its files, whose they are and what they may be used for.

    An empty text for packs that are not downloaded.
    """
    published = PUBLISHED.get(name)
    return published.licence_text() if published else ""


def find_pack(name_or_folder: str | Path) -> Path:
    """Return the folder of a pack given by its name or its folder.

    Raises PackMissing when there is none, and tells how to get it where it can be downloaded.
    """
    name = str(name_or_folder)
    known = {path.name: path for path in (*_downloaded(), *CHECKPOINTS.glob("*")) if path.is_dir()}
    if name in known:
        return known[name]
    if name in PUBLISHED:
        raise PackMissing(
            messages.WEIGHTS_NOT_HERE.format(name=name),
            f"The pack '{name}' is not downloaded. 'python -m stylemask_demo packs download {name}' fetches it.",
        )
    if name and Path(name_or_folder).is_dir():
        return Path(name_or_folder)
    here = f"The packs here are: {', '.join(sorted(known))}." if known else f"There are no packs in {CHECKPOINTS}."
    raise PackMissing(
        messages.NO_SUCH_WEIGHTS.format(name=Path(name).name, names=", ".join(sorted(known))),
        f"There is no pack '{name_or_folder}'. {here} Name one of them, or a folder that holds {PACK_FILE}; "
        "'python -m stylemask_demo packs' lists them.",
    )


def _downloaded() -> list[Path]:
    # Those whose download is not finished have a name that begins with a dot.
    return [path.parent for path in downloaded_packs().glob(f"[!.]*/{PACK_FILE}")]


def _not_downloaded(pack: PublishedPack) -> PackInfo:
    return PackInfo(
        name=pack.name,
        title=pack.title,
        resolution=pack.resolution,
        licence=pack.licence,
        origin=pack.origin,
        folder=downloaded_packs() / pack.name,
        installed=False,
        networks={},
        settings={},
        recipes=pack.recipes,
    )

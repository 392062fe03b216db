"""Where packs lie and what `pack.json` says about them; reads no weights."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylemask_demo import messages
from stylemask_demo.downloads.home import home
from stylemask_demo.errors import PackCorrupt
from stylemask_demo.packs.formats import up_to_date
from stylemask_demo.packs.recipe import Recipe, Recipes
from stylemask_demo.resources import installed, resource

CHECKPOINTS = resource("checkpoints")
PACK_FILE = "pack.json"


@dataclass(frozen=True)
class NetworkSpec:
    """One network of a pack: where its weights lie and how to build the module that takes them."""

    file: str  # a plain file name inside the pack's folder
    class_name: str  # key of stylemask_demo.networks.NETWORKS
    arguments: dict[str, Any]  # keyword arguments of the class
    sha256: str  # of the file's bytes, 64 hex digits
    bytes: int
    parameters: int


@dataclass(frozen=True)
class PackInfo:
    """What `pack.json` says about a pack, and whether all its files are there at their full size."""

    name: str
    title: str
    resolution: int  # pixels a side of the pictures the generator makes
    licence: str
    origin: str
    folder: Path
    installed: bool
    networks: dict[str, NetworkSpec]
    settings: dict[str, Any]  # free values that belong to these weights, such as the report of a calibration
    recipes: Recipes  # what is done around the networks

    def recipe(self, compatibility: bool = False) -> Recipe:
        """What is done around the networks: as the published programs do or, as a rule, what is best."""
        return self.recipes.published if compatibility else self.recipes.default

    @property
    def state(self) -> str:
        """What a list shows of the pack: "ready", "not downloaded" or "damaged"."""
        if self.installed:
            return "ready"
        return "damaged" if self.networks else "not downloaded"


def downloaded_packs() -> Path:
    """Return the folder that holds one folder for each downloaded pack."""
    return home() / "packs"


def cure(folder: Path) -> str:
    """Return the sentence that tells how to restore a damaged pack."""
    if folder.resolve().parent == CHECKPOINTS:
        if installed():
            return "Install the demo again, with pip's option --force-reinstall."
        return (
            f"Restore it with 'git checkout -- checkpoints/{folder.name}' in the repository, or clone the repository again."
        )
    if folder.resolve().parent == downloaded_packs().resolve():
        return f"'python -m stylemask_demo packs download {folder.name}' fetches what is missing or damaged."
    return f"Copy the folder {folder} again from where it came."


def read_info(folder: str | Path) -> PackInfo:
    """Read the description of the pack in `folder`.

    Raises PackCorrupt when `pack.json` is missing or does not describe a pack.
    """
    folder = Path(folder)
    path = folder / PACK_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"{path} is missing. {cure(folder)}") from None
    except (OSError, ValueError) as error:
        raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"{path} cannot be read ({error}). {cure(folder)}") from None
    try:
        document = up_to_date(document)
        networks = {key: _network_spec(entry) for key, entry in document["networks"].items()}
        return PackInfo(
            name=str(document["name"]),
            title=str(document["title"]),
            resolution=int(document["resolution"]),
            licence=str(document["licence"]),
            origin=str(document["origin"]),
            folder=folder,
            installed=all(_size(folder / spec.file) == spec.bytes for spec in networks.values()),
            networks=networks,
            settings=dict(document["settings"]),
            recipes=Recipes.read(document["recipe"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        wrong = f"{path} does not describe a pack ({type(error).__name__}: {error})."
        raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"{wrong} {cure(folder)}") from None


def _size(path: Path) -> int:
    """Return the size of a file in bytes, or -1 when there is none."""
    return path.stat().st_size if path.is_file() else -1


def _network_spec(entry: dict[str, Any]) -> NetworkSpec:
    file = str(entry["file"])
    # A pack may come from a stranger: its description must not reach files outside its own folder.
    if file != Path(file).name or not file.endswith(".safetensors"):
        raise ValueError(f"'{file}' is not a plain name of a .safetensors file")
    return NetworkSpec(
        file=file,
        class_name=str(entry["class"]),
        arguments=_revive(dict(entry["arguments"])),
        sha256=str(entry["sha256"]),
        bytes=int(entry["bytes"]),
        parameters=int(entry["parameters"]),
    )


def _revive(value: Any) -> Any:
    """Give dictionaries whose keys are all whole numbers their integer keys back: JSON has only text keys."""
    if isinstance(value, dict):
        whole = bool(value) and all(isinstance(key, str) and key.isdigit() for key in value)
        return {int(key) if whole else key: _revive(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_revive(item) for item in value]
    return value

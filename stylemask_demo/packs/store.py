"""Writing packs: weights as safetensors, and the `pack.json` that describes them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from stylemask_demo.downloads.checksum import sha256_of
from stylemask_demo.packs.formats import FORMAT, up_to_date
from stylemask_demo.packs.info import PACK_FILE
from stylemask_demo.packs.recipe import OWN, Recipes


def save_network(
    folder: str | Path,
    key: str,
    module: nn.Module,
    arguments: dict[str, Any],
    dtype: torch.dtype = torch.float16,
) -> Path:
    """Write `module` as `<key>.safetensors` into the pack in `folder` and enter it in `pack.json`.

    Where the pack has a file of this name already, the new one is `<key>.2.safetensors`, and the old one goes at the end.

    Floating tensors are stored as `dtype` (as float32 where float16 would overflow), the others as they are.
    `arguments` are the keyword arguments that build the module again; they must be JSON values, where
    dictionaries may have whole numbers as keys. Folder and `pack.json` are made when missing.
    Returns the path of the weights. Raises ValueError for weights that are not finite, and OSError or SafetensorError
    when they cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, torch.Tensor] = {}
    memory: set[int] = set()
    for name, tensor in module.state_dict().items():
        tensor = _stored(name, tensor, dtype)
        if tensor.untyped_storage().data_ptr() in memory:  # safetensors refuses tensors that share memory
            tensor = tensor.clone()
        memory.add(tensor.untyped_storage().data_ptr())
        tensors[name] = tensor
    document = _read(folder)
    earlier = document["networks"].get(key, {}).get("file")
    path = folder / _free_name(document, key)
    with _replacing(path) as temporary:
        save_file(tensors, temporary)
    document["networks"][key] = {
        "class": type(module).__name__,
        "arguments": arguments,
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": sha256_of(path),
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
    }
    _write(folder, document)
    if earlier is not None and earlier not in _used(document):
        (folder / earlier).unlink(missing_ok=True)
    return path


def share_network(folder: str | Path, key: str, other: str) -> None:
    """Enter under `key` of the pack in ``folder`` the very weights that it has under the key `other`."""
    document = _read(Path(folder))
    document["networks"][key] = document["networks"][other]
    _write(Path(folder), document)


def save_recipes(folder: str | Path, recipes: Recipes) -> None:
    """Set what is done around the networks of the pack in ``folder``."""
    document = _read(Path(folder))
    document["recipe"] = recipes.document()
    _write(Path(folder), document)


def update_settings(folder: str | Path, **settings: Any) -> None:
    """Set values of the free `settings` of the pack in `folder`; the others stay as they are."""
    document = _read(Path(folder))
    document["settings"].update(settings)
    _write(Path(folder), document)


def describe_pack(
    folder: str | Path, *, title: str, resolution: int, licence: str, origin: str, name: str | None = None
) -> None:
    """Set what `pack.json` says of the pack as a whole; `name` is the folder's name unless given."""
    folder = Path(folder)
    document = _read(folder)
    document.update(name=name or folder.resolve().name, title=title, resolution=resolution, licence=licence, origin=origin)
    _write(folder, document)


def _used(document: dict[str, Any]) -> set[str]:
    return {entry["file"] for entry in document["networks"].values()}


def _free_name(document: dict[str, Any], key: str) -> str:
    """A name for weights that no network has: until the new ones are entered the pack is the old one, whatever happens."""
    names = (f"{key}.safetensors", *(f"{key}.{number}.safetensors" for number in range(2, len(document["networks"]) + 3)))
    return next(name for name in names if name not in _used(document))


def _stored(name: str, tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} holds values that are not finite")
        converted = tensor.to(dtype)
        tensor = converted if torch.isfinite(converted).all() else tensor.to(torch.float32)
    return tensor.contiguous()


def _read(folder: Path) -> dict[str, Any]:
    path = folder / PACK_FILE
    if path.is_file():
        return up_to_date(json.loads(path.read_text(encoding="utf-8")))
    name = folder.resolve().name
    return {
        "format": FORMAT,
        "name": name,
        "title": name,
        "resolution": 256,
        "licence": "MIT",
        "origin": "Trained with python -m stylemask_demo train.",
        "recipe": OWN.document(),
        "settings": {},
        "networks": {},
    }


def _write(folder: Path, document: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    with _replacing(folder / PACK_FILE) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path that becomes `path` whole or not at all, so that a reader never meets half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode
        yield temporary
        temporary.chmod(mode)  # safetensors makes files that no other user can read
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)

"""Writing packs: weights as float16 safetensors, and the ``pack.json`` that describes them."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from stylemask_demo.packs.info import PACK_FILE

FORMAT = 1


def save_network(folder: str | Path, key: str, module: nn.Module, arguments: dict[str, Any]) -> Path:
    """Write ``module`` as ``<key>.safetensors`` into the pack in ``folder`` and enter it in ``pack.json``.

    Floating tensors are stored as float16 (as float32 where float16 would overflow), the others as they are.
    ``arguments`` are the keyword arguments that build the module again; they must be JSON values, where
    dictionaries may have whole numbers as keys. Folder and ``pack.json`` are made when missing.
    Returns the path of the weights. Raises ValueError for weights that are not finite.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # clone: tensors that share memory cannot be stored in one safetensors file
    tensors = {name: _compact(name, tensor) for name, tensor in module.state_dict().items()}
    content = save(tensors)
    path = folder / f"{key}.safetensors"
    _replace(path, content)
    document = _read(folder)
    document["networks"][key] = {
        "class": type(module).__name__,
        "arguments": arguments,
        "file": path.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
    }
    _write(folder, document)
    return path


def update_settings(folder: str | Path, **settings: Any) -> None:
    """Set values of the free ``settings`` of the pack in ``folder``; the others stay as they are."""
    document = _read(Path(folder))
    document["settings"].update(settings)
    _write(Path(folder), document)


def describe_pack(
    folder: str | Path, *, title: str, resolution: int, licence: str, origin: str, name: str | None = None
) -> None:
    """Set what ``pack.json`` says of the pack as a whole; ``name`` is the folder's name unless given."""
    folder = Path(folder)
    document = _read(folder)
    document.update(
        name=name or folder.resolve().name, title=title, resolution=resolution, licence=licence, origin=origin
    )
    _write(folder, document)


def _compact(name: str, tensor: torch.Tensor) -> torch.Tensor:
    tensor = tensor.detach().cpu()
    if not tensor.is_floating_point():
        return tensor.clone().contiguous()
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{name} holds values that are not finite")
    half = tensor.to(torch.float16)
    compact = half if torch.isfinite(half).all() else tensor.to(torch.float32)
    return compact.clone().contiguous()


def _read(folder: Path) -> dict[str, Any]:
    path = folder / PACK_FILE
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    name = folder.resolve().name
    return {
        "format": FORMAT,
        "name": name,
        "title": name,
        "resolution": 256,
        "licence": "MIT",
        "origin": "Trained with python -m stylemask_demo train.",
        "settings": {},
        "networks": {},
    }


def _write(folder: Path, document: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    _replace(folder / PACK_FILE, text.encode("utf-8"))


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, so that a reader never meets half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    os.replace(temporary, path)

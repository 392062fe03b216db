"""Loading packs: every file is verified by its sha256 before it is parsed, and parsed without pickle."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from stylemask_demo.errors import PackCorrupt, PackMissing
from stylemask_demo.networks import NETWORKS
from stylemask_demo.packs.info import CHECKPOINTS, PACK_FILE, NetworkSpec, PackInfo, cure, read_info

LONGEST_REASON = 200  # characters of what PyTorch says about weights that do not fit


@dataclass(frozen=True)
class Pack:
    """A loaded pack: what is known of it, and its networks (float32, evaluation mode, no gradients)."""

    info: PackInfo
    networks: dict[str, nn.Module]

    def __getitem__(self, key: str) -> nn.Module:
        return self.networks[key]


def load_pack(name_or_folder: str | Path, device: str | torch.device = "cpu") -> Pack:
    """Load all networks of a pack onto ``device``.

    ``name_or_folder`` is the name of a pack in the repository's ``checkpoints``, or a folder with
    ``pack.json``. Raises PackMissing when there is no such pack, and PackCorrupt naming the file and the cure
    when a file is missing, truncated or altered, or does not fit its network.
    """
    info = read_info(find_pack(name_or_folder))
    networks = {key: _load_network(info.folder, spec, device) for key, spec in info.networks.items()}
    return Pack(info=info, networks=networks)


def find_pack(name_or_folder: str | Path) -> Path:
    """Return the folder of a pack given by its name or its folder; raises PackMissing when there is none."""
    names = sorted(path.name for path in CHECKPOINTS.glob("*") if path.is_dir())
    if str(name_or_folder) in names:
        return CHECKPOINTS / name_or_folder
    if str(name_or_folder) and Path(name_or_folder).is_dir():
        return Path(name_or_folder)
    here = f"The packs here are: {', '.join(names)}." if names else f"There are no packs in {CHECKPOINTS}."
    raise PackMissing(
        f"There is no pack '{name_or_folder}'. {here} Name one of them, or a folder that holds {PACK_FILE}; "
        "'python -m stylemask_demo packs' lists them."
    )


def _load_network(folder: Path, spec: NetworkSpec, device: str | torch.device) -> nn.Module:
    path = folder / spec.file
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise PackCorrupt(f"{path} is missing. {cure(folder)}") from None
    except OSError as error:
        raise PackCorrupt(f"{path} cannot be read ({error.strerror}). {cure(folder)}") from None
    if len(content) != spec.bytes:
        raise PackCorrupt(
            f"{path} was cut short or replaced: it has {len(content)} bytes instead of {spec.bytes}. "
            f"{cure(folder)}"
        )
    if hashlib.sha256(content).hexdigest() != spec.sha256:
        raise PackCorrupt(f"{path} was altered: its sha256 is not the one in {PACK_FILE}. {cure(folder)}")
    if spec.class_name not in NETWORKS:
        raise PackCorrupt(
            f"{folder / PACK_FILE} names a network '{spec.class_name}' that this version does not know. "
            f"{cure(folder)}"
        )
    try:
        module = NETWORKS[spec.class_name](**spec.arguments)
        module.load_state_dict(load(content), strict=True)
    except (SafetensorError, TypeError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:LONGEST_REASON]
        raise PackCorrupt(
            f"{path} does not fit the network {spec.class_name} ({reason}). {cure(folder)}"
        ) from None
    return module.to(device=device, dtype=torch.float32).eval().requires_grad_(False)

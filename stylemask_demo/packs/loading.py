"""Loading packs: every file is verified by its sha256 before it is parsed, and parsed without pickle."""

from contextlib import nullcontext
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from stylemask_demo import messages
from stylemask_demo.downloads.checksum import sha256_of
from stylemask_demo.errors import PackCorrupt
from stylemask_demo.networks import NETWORKS
from stylemask_demo.packs.info import PACK_FILE, NetworkSpec, PackInfo, cure

# From here on, networks are built without initial weights, which saves time and memory; for smaller ones it would cost
# more, because the first use of such tensors imports a thousand modules of PyTorch.
MANY_PARAMETERS = 40_000_000
LONGEST_REASON = 200  # characters of what PyTorch says about weights that do not fit


@torch.inference_mode(False)  # tensors that are kept must be of use outside of it too
def load_network(info: PackInfo, key: str, device: str | torch.device = "cpu") -> nn.Module:
    """Load one network of a pack: float32, evaluation mode, no gradients.

    On the CPU, weights that are stored as float32 stay in the file and are read where they are used. Raises KeyError
    when the pack has no such network, and PackCorrupt naming the file and the cure when its file is missing, truncated or
    altered, or does not fit the network.
    """
    folder, spec = info.folder, info.networks[key]
    path = folder / spec.file
    verify_file(folder, spec)
    if spec.class_name not in NETWORKS:
        unknown = f"{folder / PACK_FILE} names a network '{spec.class_name}' that this version does not know."
        raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"{unknown} {cure(folder)}")
    try:
        with torch.device("meta") if spec.parameters > MANY_PARAMETERS else nullcontext():
            module = NETWORKS[spec.class_name](**spec.arguments)
        module.load_state_dict(load_file(path), strict=True, assign=True)
    except (SafetensorError, TypeError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:LONGEST_REASON]
        unfit = f"{path} does not fit the network {spec.class_name} ({reason})."
        raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"{unfit} {cure(folder)}") from None
    return module.to(device=device, dtype=torch.float32).eval().requires_grad_(False)


def verify_file(folder: Path, spec: NetworkSpec) -> None:
    """Raise PackCorrupt, naming the file and the cure, unless the network's file is what `pack.json` says."""
    path = folder / spec.file
    try:
        size = path.stat().st_size
        if size != spec.bytes:
            cut = f"{path} was cut short or replaced: it has {size} bytes instead of {spec.bytes}."
            raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"{cut} {cure(folder)}")
        if sha256_of(path) != spec.sha256:
            altered = f"{path} was altered: its sha256 is not the one in {PACK_FILE}."
            raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"{altered} {cure(folder)}")
    except FileNotFoundError:
        raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"{path} is missing. {cure(folder)}") from None
    except OSError as error:
        raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"{path} cannot be read ({error.strerror}). {cure(folder)}") from None

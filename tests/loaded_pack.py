"""All networks of a pack, to look into."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from stylemask_demo.packs import PackInfo, find_pack, load_network, read_info


@dataclass(frozen=True)
class LoadedPack:
    """What is known of a pack, and its networks by key."""

    info: PackInfo
    networks: dict[str, nn.Module]

    def __getitem__(self, key: str) -> nn.Module:
        return self.networks[key]


def load_pack(name_or_folder: str | Path, device: str | torch.device = "cpu") -> LoadedPack:
    """Load every network of a pack; raises as `find_pack` and `load_network` do."""
    info = read_info(find_pack(name_or_folder))
    return LoadedPack(info, {key: load_network(info, key, device) for key in info.networks})

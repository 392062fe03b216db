"""The networks of a pack in use: those that everybody needs at once, large others when somebody needs them."""

import contextlib
import threading
from pathlib import Path

import torch
from torch import nn

from stylemask_demo.errors import PackCorrupt
from stylemask_demo.packs import CHECKPOINTS, PackInfo, find_pack, load_network, read_info

ALWAYS = ("generator", "encoder", "average", "extractor", "deca", "masks", "directions")
LARGE = 100_000_000  # bytes of a network that waits until it is needed
# Packs without these borrow the embedded pack's: they read any aligned face, whoever drew it.
BORROWED = ("extractor", "identity")


class PackNetworks:
    """The networks of the pack `name_or_folder` on a device, by key. Raises PackMissing or PackCorrupt."""

    def __init__(self, name_or_folder: str | Path, device: torch.device):
        self.info: PackInfo = read_info(find_pack(name_or_folder))
        self._device = device
        self._networks: dict[str, nn.Module] = {}
        self._lock = threading.RLock()
        for key, spec in self.info.networks.items():
            if key in ALWAYS or spec.bytes < LARGE:
                self[key]

    def renew(self) -> None:
        """Takes up networks that were added to the pack's folder, or replaced there, since it was loaded."""
        with self._lock, contextlib.suppress(PackCorrupt):  # a folder that is gone: what is in memory stays of use
            before, self.info = self.info.networks, read_info(self.info.folder)
            for key, spec in self.info.networks.items():
                if key in before and spec.sha256 != before[key].sha256:
                    self._networks.pop(key, None)

    def __contains__(self, key: str) -> bool:
        """Whether the pack itself has this network, in memory or not."""
        return key in self.info.networks

    def __getitem__(self, key: str) -> nn.Module:
        with self._lock:
            if key not in self._networks:
                lender = self.info if key in self or key not in BORROWED else read_info(CHECKPOINTS / "synthetic")
                self._networks[key] = load_network(lender, key, self._device)
            return self._networks[key]

"""Packs: folders of weights that work together, described by ``pack.json`` and verified before use."""

from stylemask_demo.packs.info import CHECKPOINTS, NetworkSpec, PackInfo, available_packs, read_info
from stylemask_demo.packs.loading import Pack, load_pack

__all__ = ["CHECKPOINTS", "NetworkSpec", "Pack", "PackInfo", "available_packs", "load_pack", "read_info"]

"""Packs: folders of weights that work together, described by `pack.json` and verified before use."""

from stylemask_demo.downloads.home import home
from stylemask_demo.packs.download import Downloaded, download_pack
from stylemask_demo.packs.info import CHECKPOINTS, NetworkSpec, PackInfo, read_info
from stylemask_demo.packs.listing import available_packs, find_pack, licence_text, missing_files
from stylemask_demo.packs.loading import load_network, verify_file

__all__ = [
    "CHECKPOINTS",
    "Downloaded",
    "NetworkSpec",
    "PackInfo",
    "available_packs",
    "download_pack",
    "find_pack",
    "home",
    "licence_text",
    "load_network",
    "missing_files",
    "read_info",
    "verify_file",
]

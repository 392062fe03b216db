"""The networks of a pack in use: small ones at once, large ones that few need when somebody needs them."""

import contextlib
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stylemask_demo import messages
from stylemask_demo.caching import Lazy
from stylemask_demo.errors import PackCorrupt
from stylemask_demo.networks.arcface import ArcFace
from stylemask_demo.networks.compact_motion_encoder import CompactMotionEncoder
from stylemask_demo.networks.deca import DecaEncoder
from stylemask_demo.networks.detail import DetailNetwork
from stylemask_demo.networks.direction_matrix import DirectionMatrix
from stylemask_demo.networks.e4e import Encoder4Editing
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.latent_average import LatentAverage
from stylemask_demo.networks.mask_predictors import MaskPredictors
from stylemask_demo.networks.memory_format import channels_last
from stylemask_demo.networks.motion_encoder import MotionEncoder
from stylemask_demo.networks.motion_mapping import MotionMapping
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.restyle import ReStyleEncoder
from stylemask_demo.networks.style_direction_matrix import StyleDirectionMatrix
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.packs.info import CHECKPOINTS, PackInfo, cure, read_info
from stylemask_demo.packs.listing import find_pack
from stylemask_demo.packs.loading import load_network

# The classes that may stand under each key of pack.json.
CLASSES: dict[str, tuple[type[nn.Module], ...]] = {
    "generator": (Generator,),
    "encoder": (PortraitEncoder, Encoder4Editing),
    "extractor": (ParameterExtractor,),
    "identity": (IdentityNetwork, ArcFace),
    "average": (LatentAverage,),
    "deca": (DecaEncoder,),
    "masks": (MaskPredictors,),
    "directions": (DirectionMatrix, StyleDirectionMatrix),
    "details": (DetailNetwork,),
    "restyle": (ReStyleEncoder,),
    "restyle_average": (LatentAverage,),
    "motion_encoder": (MotionEncoder, CompactMotionEncoder),
    "motion_mapping": (MotionMapping,),
    "motion_decoder": (Generator,),
    "restyle_decoder": (Generator,),
}
NEEDED = ("generator", "encoder")
# Packs without these borrow the embedded pack's: they read any aligned face, whoever drew it.
BORROWED = ("extractor", "identity")
LENDER = CHECKPOINTS / "synthetic"
LATE = ("identity", "restyle", "restyle_decoder", "motion_encoder", "motion_mapping", "motion_decoder")  # not for all,
DECODERS = ("restyle_decoder", "motion_decoder")  # as a rule the generator over again, which then serves for them
LARGE = 100_000_000  # bytes from which on they wait until somebody does
# Their weights in the order in which CPUs convolve make these a quarter faster.
CHANNELS_LAST = ("encoder", "details", "restyle", "motion_encoder")


@dataclass
class PackNetworks:
    """The networks of a pack on a device, float32 and frozen; None is what the pack came without.

    `extractor` and `identity` are the embedded pack's where the pack has none of its own.
    """

    info: PackInfo
    device: torch.device
    generator: Generator
    encoder: PortraitEncoder | Encoder4Editing
    extractor: ParameterExtractor
    identity: Lazy[IdentityNetwork | ArcFace]
    average: LatentAverage | None = None
    deca: DecaEncoder | None = None
    masks: MaskPredictors | None = None
    directions: DirectionMatrix | StyleDirectionMatrix | None = None
    details: DetailNetwork | None = None
    restyle: Lazy[ReStyleEncoder] | None = None
    restyle_average: LatentAverage | None = None
    motion_encoder: Lazy[MotionEncoder | CompactMotionEncoder] | None = None
    motion_mapping: Lazy[MotionMapping] | None = None
    motion_decoder: Lazy[Generator] | None = None
    restyle_decoder: Lazy[Generator] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def load(cls, name_or_folder: str | Path, device: torch.device) -> "PackNetworks":
        """Loads the pack of a name or in a folder. Raises PackMissing or PackCorrupt."""
        info = read_info(find_pack(name_or_folder))
        for key in NEEDED:
            if key not in info.networks:
                raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"The pack '{info.name}' has no {key}. {cure(info.folder)}")
        held = {key: _held(info, key, device) for key in CLASSES if key in info.networks or key in BORROWED}
        return cls(info, device, **held)

    def decoder(self, key: str) -> Generator:
        """The network of a key that draws pictures; the pack's generator where the pack has none of that key."""
        own: Lazy[Generator] | None = getattr(self, key) if key != "generator" else None
        if own is None or self.info.networks[key].sha256 == self.info.networks["generator"].sha256:
            return self.generator  # one in memory serves both
        return own.get()

    def renew(self) -> None:
        """Takes up networks that were added to the pack's folder, or replaced there, since it was loaded."""
        with self._lock, contextlib.suppress(PackCorrupt):  # a folder that is gone: what is in memory stays of use
            known, info = self.info.networks, read_info(self.info.folder)
            for key, spec in info.networks.items():
                if key in CLASSES and (key not in known or known[key].sha256 != spec.sha256):
                    setattr(self, key, _held(info, key, self.device))
            self.info = info


def network_of(info: PackInfo, key: str, device: torch.device) -> Any:
    """One network of a pack, or the embedded pack's where that is borrowed, as PackNetworks types it.

    Float32, evaluation mode, no gradients. Raises KeyError where the pack has none, and PackCorrupt.
    """
    network = load_network(_owner(info, key), key, device)
    if not isinstance(network, CLASSES[key]):
        wrong = f"'{type(network).__name__}' cannot be the {key} of a pack."
        raise PackCorrupt(messages.DAMAGED_WEIGHTS, f"{wrong} {cure(info.folder)}")
    return channels_last(network) if key in CHANNELS_LAST else network


def _held(info: PackInfo, key: str, device: torch.device) -> Any:
    """The network of a key as its field in PackNetworks holds it."""
    if key not in LATE:
        return network_of(info, key, device)
    lazy = Lazy(partial(network_of, info, key, device))
    if _owner(info, key).networks[key].bytes < LARGE and key not in DECODERS:
        lazy.get()
    return lazy


def _owner(info: PackInfo, key: str) -> PackInfo:
    return read_info(LENDER) if key in BORROWED and key not in info.networks else info

"""The networks that papers measure with: LPIPS and FID of torchmetrics, ArcFace and DECA of downloaded packs.

None of them comes with this project. What cannot be had is left out of the tables, and `missing` says so in one line each.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import torch
from PIL import Image
from torch import nn

from stylemask_demo.errors import PackCorrupt
from stylemask_demo.evaluation.instruments import Instruments, batches
from stylemask_demo.evaluation.metrics import cosines
from stylemask_demo.faces.deca import DecaReader
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.networks.arcface import ArcFace
from stylemask_demo.networks.deca import DecaEncoder
from stylemask_demo.packs import available_packs, load_network

N = TypeVar("N", bound=nn.Module)

CACHE_HINT = "They are downloaded at first use: run once with a network"
PACK_HINT = "'python -m stylemask_demo packs download voxceleb' may bring it"


class StandardNetworks:
    """Those of the standard networks that can be had here; `missing` tells in a line each which cannot, and why.

    `lpips`, `fid`, `arcface` and `deca` are the networks, or None.
    """

    def __init__(self, device: torch.device, instruments: Instruments) -> None:
        self.device = device
        self.missing: list[str] = []
        self._instruments = instruments
        self.lpips = self._metric("LPIPS", _lpips)
        self.fid = self._metric("FID", _fid)
        self.arcface = self._network("ArcFace", ArcFace)
        self.deca = self._network("DECA", DecaEncoder)

    def against_truth(self, made: list[Image.Image], true: list[Image.Image]) -> dict[str, float]:
        """`LPIPS` (AlexNet) of pairs of result and true picture."""
        if self.lpips is None:
            return {}
        self.lpips.reset()
        for some, others in zip(batches(made), batches(true), strict=True):
            self.lpips.update(*(to_tensor(b, b[0].width).to(self.device) for b in (some, others)))
        return {"LPIPS": float(self.lpips.compute())}

    def faces(self, made: list[Image.Image], sources: list[Image.Image], targets: list[Image.Image]) -> dict[str, float]:
        """`FID` to the targets, `CSIM (ArcFace)` to the sources, pose (degrees) and expression errors by DECA."""
        measures = {}
        if self.fid is not None and len(made) > 1:
            self.fid.reset()
            for pictures, real in ((made, False), (targets, True)):
                for batch in batches(pictures):
                    self.fid.update(torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2).to(self.device), real=real)
            measures["FID"] = float(self.fid.compute())
        if self.arcface is not None:
            identities = [self._identities(self.arcface, crops) for crops in (made, sources)]
            measures["CSIM (ArcFace)"] = float(cosines(*identities).mean())
        if self.deca is not None:
            (pose, expression), (true_pose, true_expression) = (self._head(self.deca, crops) for crops in (made, targets))
            measures["pose error (DECA)"] = float(np.abs(pose - true_pose).mean())
            measures["expression error (DECA)"] = float(np.abs(expression - true_expression).mean())
        return measures

    @torch.inference_mode()
    def _identities(self, arcface: ArcFace, crops: list[Image.Image]) -> np.ndarray:
        found = [arcface(to_tensor(batch, ArcFace.input_size).to(self.device)) for batch in batches(crops)]
        return torch.cat(found).double().cpu().numpy()

    def _head(self, deca: DecaEncoder, crops: list[Image.Image]) -> tuple[np.ndarray, np.ndarray]:
        """Head pose (N, 3) in degrees and expression coefficients (N, 50) of FLAME."""
        landmarks = self._instruments.look(crops).landmarks
        pairs = zip(batches(crops), batches(list(landmarks - 0.5)), strict=True)  # from edges to centres of pixels
        found = [face for some, points in pairs for face in DecaReader(deca).read(some, points)]
        pose = np.array([[face.yaw, face.pitch, face.roll] for face in found])
        return pose, np.stack([face.expression for face in found])

    def _metric(self, name: str, make: Callable[[], Any]) -> Any:
        """A metric of torchmetrics, or None."""
        try:
            return make().to(self.device)
        except ImportError as error:  # torchmetrics turns a missing part of its own into one too
            self.missing.append(f"{name} is left out: {_reason(error)}. Install requirements-train.txt.")
        except OSError as error:  # what a failed download raises
            self.missing.append(f"{name} is left out: its weights cannot be had ({_reason(error)}). {CACHE_HINT}.")
        return None

    def _network(self, name: str, network: type[N]) -> N | None:
        for info in available_packs():
            for key, spec in info.networks.items():
                if spec.class_name == network.__name__ and (info.folder / spec.file).is_file():
                    try:
                        return cast(N, load_network(info, key, self.device))
                    except PackCorrupt as error:
                        self.missing.append(f"{name} is left out: {error}")
                        return None
        self.missing.append(f"{name} is left out: no pack here has it; {PACK_HINT}.")
        return None


def _lpips() -> Any:
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

    return LearnedPerceptualImagePatchSimilarity(net_type="alex")


def _fid() -> Any:
    from torchmetrics.image.fid import FrechetInceptionDistance

    return FrechetInceptionDistance(feature=2048)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120].rstrip(".")

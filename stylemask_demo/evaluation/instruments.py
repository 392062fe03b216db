"""What measures pictures: the pack's own parameter extractor and identity network, looked into as far as their features."""

from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from stylemask_demo.faces.extract import read_twice
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.packs import load_network, read_info
from stylemask_demo.packs.networks import LENDER, PackNetworks

BATCH = 16


class Sight(NamedTuple):
    """What the instruments see in N aligned crops.

    `euler` (N, 3) degrees of yaw, pitch, roll; `expression` (N, 53); `landmarks` (N, 68, 2) in pixels of the crop;
    `identity` (N, 256) unit vectors; `features` (N, 512) of the identity network, for Frechet distances.
    """

    euler: np.ndarray
    expression: np.ndarray
    landmarks: np.ndarray
    identity: np.ndarray
    features: np.ndarray

    def at(self, rows: np.ndarray) -> "Sight":
        """What is seen in some of the crops, in the order of `rows` (M,)."""
        return Sight(*(array[rows] for array in self))


class Instruments:
    """Reads aligned crops. A pack with another identity network is measured with that of the embedded pack."""

    def __init__(self, networks: PackNetworks) -> None:
        self.device = networks.device
        self._extractor = networks.extractor
        identity = networks.identity.get()
        if not isinstance(identity, IdentityNetwork):
            identity = cast(IdentityNetwork, load_network(read_info(LENDER), "identity", networks.device))
        self._identity = identity

    @torch.inference_mode()
    def look(self, crops: list[Image.Image]) -> Sight:
        """What is seen in one crop or more, RGB of equal size."""
        parts = []
        for batch in batches(crops):
            picture = to_tensor(batch).to(self.device)
            found = read_twice(self._extractor, picture)
            maps = self._identity.trunk.maps(picture)
            parts.append(
                (
                    found.euler,
                    found.expression,
                    found.landmarks * batch[0].width,
                    self._identity.read(maps),
                    self._identity.trunk.pool(maps),
                )
            )
        return Sight(*(torch.cat(column).double().cpu().numpy() for column in zip(*parts, strict=True)))

    @torch.inference_mode()
    def perceptual(self, made: list[Image.Image], true: list[Image.Image]) -> np.ndarray:
        """Perceptual distance of pairs of crops, (N,): 0 for equal pictures.

        As LPIPS (Zhang et al. 2018) with all weights one, on the three feature maps of the trunks of the identity network
        and of the extractor: squared differences of the features of each place, scaled to unit vectors, averaged over the
        places and summed over the maps.
        """
        distances = []
        for first, second in zip(batches(made), batches(true), strict=True):
            of_maps = [
                (F.normalize(a, dim=1) - F.normalize(b, dim=1)).square().sum(1).mean((1, 2))
                for a, b in zip(self._maps(first), self._maps(second), strict=True)
            ]
            distances.append(torch.stack(of_maps).sum(0).double().cpu().numpy())
        return np.concatenate(distances)

    def _maps(self, crops: list[Image.Image]) -> list[Tensor]:
        picture = to_tensor(crops).to(self.device)
        return self._identity.trunk.maps(picture) + self._extractor.trunk.maps(picture)


def batches(items: list, size: int = BATCH) -> list[list]:
    """A list cut into lists of at most `size`."""
    return [items[start : start + size] for start in range(0, len(items), size)]

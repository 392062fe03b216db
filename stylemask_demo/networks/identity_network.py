"""Identity network of the embedded pack."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylemask_demo.networks.trunk import ExactLinear, Trunk


class IdentityNetwork(nn.Module):
    """Face crop -> embedding in which pictures of one person point the same way."""

    alike: ClassVar[float] = 0.75  # cosine from which on two pictures are taken for one person's

    def __init__(self, dimensions: int = 256) -> None:
        super().__init__()
        self.trunk = Trunk()
        # Normalised, because what all faces share would drown what tells them apart.
        inputs = Trunk.features + sum(Trunk.channels)
        self.embed = nn.Sequential(nn.BatchNorm1d(inputs), ExactLinear(inputs, dimensions))

    def forward(self, picture: Tensor) -> Tensor:
        """Picture (B, 3, 128, 128) in -1..1 -> (B, dimensions), unit vectors."""
        return self.read(self.trunk.maps(picture))

    def read(self, maps: list[Tensor]) -> Tensor:
        """Embedding (B, dimensions), unit vectors, of the pictures that the trunk's feature maps `maps` are of."""
        means = [x.mean((2, 3)) for x in maps]
        return F.normalize(self.embed(torch.cat([self.trunk.pool(maps), *means], 1)), dim=1)

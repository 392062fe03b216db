"""Parameter extractor of the embedded pack: head pose, expression, landmarks and identity coefficients of a face crop."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylemask_demo.networks.trunk import ExactLinear, Trunk, convolution, dense

LANDMARK_FIELD = 1.25  # the landmark grid covers this many crops, so that points just outside can be told


class ExtractedParameters(NamedTuple):
    """What the parameter extractor reads in B crops: see `ParameterExtractor.forward`."""

    euler: Tensor
    expression: Tensor
    landmarks: Tensor
    identity: Tensor


class ParameterExtractor(nn.Module):
    """Face crop -> head pose, expression, landmarks and identity coefficients.

    Landmarks are the centres of mass of learned maps. The other parameters are read from the features of the whole face,
    the features around each landmark, and the landmarks.
    """

    def __init__(self, expressions: int = 53, identities: int = 100, points: int = 68) -> None:
        super().__init__()
        self.split = (expressions, identities)
        self.trunk = Trunk()
        self.lateral32, self.lateral16, self.lateral8 = (nn.Conv2d(c, 64, 1) for c in Trunk.channels)
        self.merge, self.maps = convolution(64, 64), nn.Conv2d(64, points, 1)
        self.local = nn.Sequential(*dense(64 * points, 192))
        inputs = Trunk.features + 192 + 2 * points
        self.pose = nn.Sequential(*dense(inputs, 256), ExactLinear(256, 3))
        # Apart from the pose, which would drown it, and normalised: a smile moves landmarks by a few hundredths.
        self.shape = nn.Sequential(nn.BatchNorm1d(inputs), *dense(inputs, 256), ExactLinear(256, sum(self.split)))

    def forward(self, picture: Tensor) -> ExtractedParameters:
        """Picture (B, 3, 128, 128) in -1..1 -> ExtractedParameters.

        `euler` (B, 3) degrees of yaw, pitch, roll; `expression` (B, 53) coefficients about 0..1; `landmarks` (B, 68, 2)
        x and y as a fraction of the crop, 0..1 inside it; `identity` (B, 100) coefficients of the 3D face model.
        """
        return self.read(self.trunk.maps(picture))

    def read(self, maps: list[Tensor]) -> ExtractedParameters:
        """Parameters, see `forward`, of the pictures that the trunk's feature maps `maps` are of."""
        features = self.trunk.pool(maps)
        x32, x16, x8 = maps
        x = self.lateral16(x16) + F.interpolate(self.lateral8(x8), scale_factor=2.0)
        x = self.merge(self.lateral32(x32) + F.interpolate(x, scale_factor=2.0))  # (B, 64, 32, 32)
        weights = self.maps(x).flatten(2).softmax(-1)  # (B, 68, 32 * 32)
        side = x.shape[-1]
        axis = ((torch.arange(side, device=x.device) + 0.5) / side - 0.5) * LANDMARK_FIELD + 0.5
        grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)  # (32 * 32, 2), x first
        with torch.autocast(x.device.type, enabled=False):  # to fractions of a pixel
            landmarks = weights.float() @ grid  # (B, 68, 2)
        around = weights @ x.flatten(2).transpose(1, 2)  # (B, 68, 64)
        joined = torch.cat([features, self.local(around.flatten(1)), (landmarks - 0.5).flatten(1) * 4], 1)
        expression, identity = self.shape(joined).split(self.split, 1)
        return ExtractedParameters(self.pose(joined) * 30, expression, landmarks, identity)

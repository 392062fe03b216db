"""The small networks of the embedded pack: parameter extractor, identity network and encoder to W+.

They share one convolutional trunk that reads a 128 px face crop. Their size is chosen for two CPU cores.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INPUT_SIZE = 128  # pixels of the crop that every network of this module reads
COARSE_SIZE = 32  # pixels of the reduced picture that the encoder reads colours from
LANDMARK_FIELD = 1.25  # the landmark grid covers this many crops, so that points just outside can be told


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def _dense(inputs: int, outputs: int) -> tuple[nn.Linear, nn.LeakyReLU]:
    # Leaky, so that a unit that falls silent goes on learning: of plain ReLUs one in twenty was heard in the end.
    return nn.Linear(inputs, outputs), nn.LeakyReLU(inplace=True)


class ExactLinear(nn.Linear):
    """A linear layer that mixed precision leaves alone: codes, angles and embeddings need more than eight bits."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.first = _convolution(inputs, outputs, stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class Trunk(nn.Module):
    """Picture (B, 3, 128, 128) -> 512 features, by way of maps of 32, 16 and 8 px with 64, 128 and 192 channels."""

    features = 512
    channels = (64, 128, 192)

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(_convolution(3, 32, 2), _convolution(32, 64, 2))
        self.stage32 = ResidualBlock(64, 64)
        self.stage16 = nn.Sequential(ResidualBlock(64, 128, 2), ResidualBlock(128, 128))
        self.stage8 = nn.Sequential(ResidualBlock(128, 192, 2), ResidualBlock(192, 192))
        self.stage4 = _convolution(192, 192, 2)
        self.head = nn.Sequential(nn.Flatten(), *_dense(192 * 16, self.features))

    def maps(self, picture: Tensor) -> list[Tensor]:
        """The three feature maps; pictures of other sizes give maps of other sizes."""
        x = picture.contiguous(memory_format=torch.channels_last)
        x32 = self.stage32(self.stem(x))  # (B, 64, 32, 32)
        x16 = self.stage16(x32)  # (B, 128, 16, 16)
        x8 = self.stage8(x16)  # (B, 192, 8, 8)
        return [x32, x16, x8]

    def pool(self, maps: list[Tensor]) -> Tensor:
        """Features (B, 512) of the whole picture from its maps."""
        return self.head(self.stage4(maps[-1]))

    def forward(self, picture: Tensor) -> Tensor:
        return self.pool(self.maps(picture))


class ExtractedParameters(NamedTuple):
    """Output of the parameter extractor: see there."""

    euler: Tensor
    expression: Tensor
    landmarks: Tensor
    identity: Tensor


class ParameterExtractor(nn.Module):
    """Face crop -> head pose, expression, landmarks and identity coefficients.

    Landmarks are the centres of mass of learned maps. The other parameters are read from the features of the whole face,
    the features around each landmark, and the landmarks.
    """

    def __init__(self, expressions: int = 53, identities: int = 100, points: int = 68):
        super().__init__()
        self.split = (expressions, identities)
        self.trunk = Trunk()
        self.lateral32, self.lateral16, self.lateral8 = (nn.Conv2d(c, 64, 1) for c in Trunk.channels)
        self.merge, self.maps = _convolution(64, 64), nn.Conv2d(64, points, 1)
        self.local = nn.Sequential(*_dense(64 * points, 192))
        inputs = Trunk.features + 192 + 2 * points
        self.pose = nn.Sequential(*_dense(inputs, 256), ExactLinear(256, 3))
        # Apart from the pose, which would drown it, and normalised: a smile moves landmarks by a few hundredths.
        self.shape = nn.Sequential(nn.BatchNorm1d(inputs), *_dense(inputs, 256), ExactLinear(256, sum(self.split)))

    def forward(self, picture: Tensor) -> ExtractedParameters:
        """Picture (B, 3, 128, 128) in -1..1 -> ExtractedParameters.

        `euler` (B, 3) degrees of yaw, pitch, roll; `expression` (B, 53) coefficients about 0..1; `landmarks` (B, 68, 2)
        x and y as a fraction of the crop, 0..1 inside it; `identity` (B, 100) coefficients of the 3D face model.
        """
        return self.read(self.trunk.maps(picture))

    def read(self, maps: list[Tensor]) -> ExtractedParameters:
        """The same from the feature maps of the trunk."""
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


class IdentityNetwork(nn.Module):
    """Face crop -> embedding in which pictures of one person point the same way."""

    def __init__(self, dimensions: int = 256):
        super().__init__()
        self.trunk = Trunk()
        # Normalised, because what all faces share would drown what tells them apart.
        inputs = Trunk.features + sum(Trunk.channels)
        self.embed = nn.Sequential(nn.BatchNorm1d(inputs), ExactLinear(inputs, dimensions))

    def forward(self, picture: Tensor) -> Tensor:
        """Picture (B, 3, 128, 128) in -1..1 -> (B, dimensions), unit vectors."""
        return self.read(self.trunk.maps(picture))

    def read(self, maps: list[Tensor]) -> Tensor:
        """The same from the feature maps of the trunk."""
        means = [x.mean((2, 3)) for x in maps]
        return F.normalize(self.embed(torch.cat([self.trunk.pool(maps), *means], 1)), dim=1)


class PortraitEncoder(nn.Module):
    """Face crop -> code in W of the generator: what a portrait looks like, plus its motion.

    Motion is head pose and expression as a parameter extractor reads them, turned into a code by one linear layer, so that
    the rest of the code need not hold it.
    """

    def __init__(self, num_latents: int, style_dim: int = 512):
        super().__init__()
        self.num_latents = num_latents
        self.trunk = Trunk()
        # Colours, light and background, which the trunk of the parameter extractor has learned to look past.
        self.appearance = nn.Sequential(nn.Flatten(), *_dense(3 * COARSE_SIZE**2, Trunk.features))
        self.still = ExactLinear(2 * Trunk.features, style_dim)
        self.reader = ParameterExtractor()
        self.motion = ExactLinear(3 + self.reader.split[0], style_dim, bias=False)

    def look(self, picture: Tensor) -> Tensor:
        """Picture (B, 3, 128, 128) in -1..1 -> the part of w (B, style_dim) that is not motion."""
        coarse = F.avg_pool2d(picture, picture.shape[-1] // COARSE_SIZE)
        return self.still(torch.cat([self.trunk(picture), self.appearance(coarse)], 1))

    @staticmethod
    def motion_values(euler: Tensor, expression: Tensor) -> Tensor:
        """Angles (B, 3) in degrees and coefficients (B, 53) -> input (B, 56) of the linear layer `motion`."""
        return torch.cat([euler / 20, expression], 1)

    def forward(self, picture: Tensor) -> Tensor:
        """Picture (B, 3, 128, 128) in -1..1 -> W+ code (B, num_latents, style_dim)."""
        read = self.reader(picture)
        w = self.look(picture) + self.motion(self.motion_values(read.euler, read.expression))
        return w[:, None].repeat(1, self.num_latents, 1)


class CompactMotionEncoder(nn.Module):
    """Face crop -> what its head pose and expression are, without who it is, as one vector per style."""

    def __init__(self, num_latents: int = 1, style_dim: int = 512):
        super().__init__()
        self.num_latents = num_latents
        self.trunk = Trunk()
        self.motion = ExactLinear(Trunk.features, num_latents * style_dim)

    def forward(self, picture: Tensor) -> Tensor:
        """Picture (B, 3, 128, 128) in -1..1 -> motion codes (B, num_latents, style_dim)."""
        return self.motion(self.trunk(picture)).unflatten(1, (self.num_latents, -1))

"""The trunk that the small networks of the embedded pack share, and the blocks that they are made of.

The trunk reads a 128 px face crop. Its size is chosen for two CPU cores.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INPUT_SIZE = 128  # pixels of the crop that the networks with this trunk read


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A 3x3 convolution with batch norm and ReLU: (B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def dense(inputs: int, outputs: int) -> tuple[nn.Linear, nn.LeakyReLU]:
    """A linear layer and its leaky ReLU: (B, inputs) -> (B, outputs)."""
    # Leaky, so that a unit that falls silent goes on learning: of plain ReLUs one in twenty was heard in the end.
    return nn.Linear(inputs, outputs), nn.LeakyReLU(inplace=True)


class ExactLinear(nn.Linear):
    """A linear layer that mixed precision leaves alone: codes, angles and embeddings need more than eight bits."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class Trunk(nn.Module):
    """Picture (B, 3, 128, 128) -> 512 features, by way of maps of 32, 16 and 8 px with 64, 128 and 192 channels."""

    features = 512
    channels = (64, 128, 192)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(convolution(3, 32, 2), convolution(32, 64, 2))
        self.stage32 = ResidualBlock(64, 64)
        self.stage16 = nn.Sequential(ResidualBlock(64, 128, 2), ResidualBlock(128, 128))
        self.stage8 = nn.Sequential(ResidualBlock(128, 192, 2), ResidualBlock(192, 192))
        self.stage4 = convolution(192, 192, 2)
        self.head = nn.Sequential(nn.Flatten(), *dense(192 * 16, self.features))

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

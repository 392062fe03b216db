"""IR-SE-50: the residual trunk that the photo encoders and the identity network share.

The improved ResNet-50 of ArcFace (Deng et al. 2019) with squeeze-and-excitation (Hu et al. 2018). The
networks on top of it subclass `IRSE50`, because published checkpoints keep `input_layer` and `body` at the
top level.
"""

import torch
from torch import Tensor, nn

# (channels, residual units) of the four stages; each stage halves the picture in its first unit.
STAGES = ((64, 3), (128, 4), (256, 14), (512, 3))


class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate in 0..1 that is computed from the averages of all channels."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate = x.mean((2, 3), keepdim=True)  # (B, C, 1, 1)
        gate = self.fc2(torch.relu(self.fc1(gate))).sigmoid()  # (B, C, 1, 1)
        return x * gate  # (B, C, H, W)


class ResidualUnit(nn.Module):
    """Two 3x3 convolutions with squeeze-and-excitation, added to a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module
        if channels_in == channels:
            # A window of one pixel: it only drops every other row and column when the stride is two.
            self.shortcut_layer = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(channels_in),
            nn.Conv2d(channels_in, channels, 3, 1, 1, bias=False),
            nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
            SqueezeExcitation(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.res_layer(x) + self.shortcut_layer(x)  # (B, channels, H / stride, W / stride)


class IRSE50(nn.Module):
    """The trunk without a head: subclasses add one and call `features`."""

    def __init__(self, channels_in: int = 3) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(nn.Conv2d(channels_in, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        units, width, self.stage_ends = [], 64, []
        for channels, count in STAGES:
            for index in range(count):
                units.append(ResidualUnit(width, channels, stride=2 if index == 0 else 1))
                width = channels
            self.stage_ends.append(len(units) - 1)
        self.body = nn.Sequential(*units)

    def features(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the trunk and return the outputs of its last three stages.

        `x` (B, channels_in, H, W) are pictures in -1..1, whose sides are divisible by 16 -> c1 (B, 128, H/4, W/4),
        c2 (B, 256, H/8, W/8) and c3 (B, 512, H/16, W/16).
        """
        outputs = []
        x = self.input_layer(x)  # (B, 64, H, W)
        for index, unit in enumerate(self.body):
            x = unit(x)
            if index in self.stage_ends:
                outputs.append(x)
        _, c1, c2, c3 = outputs
        return c1, c2, c3

"""Coarse encoder of DECA (Feng et al. 2021): a face crop to the parameters of the FLAME head model."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class DecaParameters(NamedTuple):
    """What DECA reads from a face, in the order of its output."""

    shape: Tensor  # (B, 100) identity modes of FLAME
    texture: Tensor  # (B, 50) albedo modes
    expression: Tensor  # (B, 50) expression modes of FLAME
    pose: Tensor  # (B, 6) axis-angle in radians: head rotation, then jaw rotation
    camera: Tensor  # (B, 3) scale and shift of the orthographic camera
    light: Tensor  # (B, 27) spherical harmonics, 9 for each colour


SIZES = (100, 50, 50, 6, 3, 27)  # of each


class DecaEncoder(nn.Module):
    """ResNet-50 followed by two linear layers."""

    input_size = 224

    def __init__(self) -> None:
        super().__init__()
        # Here, because importing torchvision takes as long as torch itself and only this network needs it.
        from torchvision.models import resnet50

        self.encoder = resnet50(weights=None)
        self.encoder.fc = nn.Identity()
        self.layers = nn.Sequential(nn.Linear(2048, 1024), nn.ReLU(), nn.Linear(1024, sum(SIZES)))

    def forward(self, image: Tensor) -> DecaParameters:
        """Regress FLAME parameters of face crops (B, 3, 224, 224) in 0..1, not -1..1 as elsewhere.

        `axis_angle_to_euler(parameters.pose[:, :3])` gives the head pose.
        """
        parameters = self.layers(self.encoder(image))  # (B, 236)
        return DecaParameters(*parameters.split(SIZES, 1))


def axis_angle_to_euler(axis_angle: Tensor) -> Tensor:
    """Convert rotations from axis-angle to the Euler angles that the published methods call head pose.

    `axis_angle` (B, 3), rotation axis times angle in radians -> yaw, pitch and roll (B, 3) in degrees, for the rotation
    Rz(roll) Ry(-yaw) Rx(pitch).
    """
    half = axis_angle.norm(dim=1, keepdim=True) / 2  # (B, 1)
    # sinc is sin(pi x) / (pi x) and 1 at 0, so the rotation by nothing needs no special case.
    x, y, z = (axis_angle / 2 * torch.sinc(half / torch.pi)).unbind(1)  # vector part of the unit quaternion
    w = half.cos().squeeze(1)  # (B,)
    pitch = torch.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    yaw = -torch.asin((2 * (w * y - x * z)).clamp(-1, 1))
    roll = torch.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return torch.stack((yaw, pitch, roll), 1).rad2deg()  # (B, 3)

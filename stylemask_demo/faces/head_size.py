"""How large a head is in a picture, whatever its face does: from points that expressions do not move."""

import torch
import torch.nn.functional as F
from torch import Tensor

# iBUG landmarks: corners of the eyes, bridge of the nose, and where the outline of the face begins, before the ears.
RIGID = [36, 39, 42, 45, 27, 28, 29, 0, 16]
# Where they lie in a head that looks straight ahead, x to the right, y up and z out of the picture; their root mean square
# distance from the middle is 1. Fitted to rendered people.
SHAPE = torch.tensor(
    [
        (-0.852, 0.047, -0.041),
        (-0.348, 0.016, 0.119),
        (0.348, 0.016, 0.119),
        (0.852, 0.047, -0.041),
        (0.000, 0.122, 0.471),
        (0.000, -0.091, 0.644),
        (0.000, -0.293, 0.818),
        (-1.354, 0.068, -1.044),
        (1.354, 0.068, -1.044),
    ]
)


def head_rotation(euler: Tensor) -> Tensor:
    """Yaw, pitch, roll (B, 3) in degrees -> rotation matrices (B, 3, 3) = Ry(yaw) Rx(-pitch) Rz(roll), y up."""
    yaw, pitch, roll = torch.deg2rad(euler).unbind(1)
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)

    def matrix(*entries: Tensor) -> Tensor:
        return torch.stack(entries, 1).unflatten(1, (3, 3))

    about_y = matrix(yaw.cos(), zero, yaw.sin(), zero, one, zero, -yaw.sin(), zero, yaw.cos())
    about_x = matrix(one, zero, zero, zero, pitch.cos(), pitch.sin(), zero, -pitch.sin(), pitch.cos())
    about_z = matrix(roll.cos(), -roll.sin(), zero, roll.sin(), roll.cos(), zero, zero, zero, one)
    return about_y @ about_x @ about_z


def head_size(landmarks: Tensor, euler: Tensor) -> Tensor:
    """Sizes (B,) of heads with landmarks (B, 68, 2), y down, and poses (B, 3), degrees, in the units of the landmarks.

    It is the scale at which an average head, seen in the same pose from afar, fits `RIGID` best.
    """
    seen = landmarks[:, RIGID] * landmarks.new_tensor([1.0, -1.0])
    fitted = SHAPE.to(landmarks) @ head_rotation(euler)[:, :2].transpose(1, 2).to(landmarks)  # (B, points, 2)
    seen, fitted = (points - points.mean(1, keepdim=True) for points in (seen, fitted))
    return (seen * fitted).sum((1, 2)) / fitted.square().sum((1, 2))


def zoomed(pictures: Tensor, middle: Tensor, factors: Tensor) -> Tensor:
    """Pictures (B, 3, S, S) in -1..1, magnified by factors (B,) about points (B, 2), which are fractions of the picture."""
    shares = 1 / factors.to(middle)[:, None]  # of the picture that are still seen
    offset = (2 * middle - 1) * (1 - shares)
    matrix = torch.cat([torch.eye(2).to(middle) * shares[:, :, None], offset[:, :, None]], 2)
    grid = F.affine_grid(matrix, list(pictures.shape), align_corners=False).to(pictures)
    made = F.grid_sample(pictures, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return made.clamp(-1, 1)

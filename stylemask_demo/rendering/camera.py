"""The camera: perspective, and turned and cropped so that the picture is aligned as FFHQ aligns photographs.

T. Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks", CVPR 2019: the crop is centred
between eyes and mouth, upright along the line between eyes and mouth, and as large as the face.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """A camera at (0, 0, `distance`) cm that looks along -z.

    `roll` (radians) is how far the crop is turned anticlockwise; `centre` (2,) and `side` of the square crop are tangents:
    sizes at a distance of one, measured in the turned crop.
    """

    distance: float
    roll: float
    centre: np.ndarray
    side: float

    @classmethod
    def aligned(cls, landmarks: np.ndarray, distance: float) -> "Camera":
        """The camera whose crop is FFHQ's for 68 landmarks (68, 3) in centimetres."""
        flat = landmarks[:, :2] / (distance - landmarks[:, 2:3])
        left_eye, right_eye = flat[36:42].mean(0), flat[42:48].mean(0)
        eyes, mouth = (left_eye + right_eye) / 2, (flat[48] + flat[54]) / 2
        apart, down = right_eye - left_eye, mouth - eyes
        # In FFHQ's terms, with y up: the eye vector, and the mouth vector turned by a quarter.
        across = apart + np.array([-down[1], down[0]])
        across *= max(2.0 * np.hypot(*apart), 1.8 * np.hypot(*down)) / np.hypot(*across)
        roll = float(np.arctan2(across[1], across[0]))
        centre = eyes + 0.1 * down
        return cls(distance, roll, _turned(centre, -roll), 2 * float(np.hypot(*across)))

    def project(self, points: np.ndarray, size: int) -> np.ndarray:
        """Points (..., 3) in centimetres -> (..., 3): x and y in pixels of a crop of `size`, and z unchanged."""
        flat = points[..., :2] / (self.distance - points[..., 2:3])
        across, up = np.moveaxis((_turned(flat, -self.roll) - self.centre) / self.side, -1, 0)
        return np.stack([(across + 0.5) * size, (0.5 - up) * size, points[..., 2]], -1).astype(np.float32)

    def pixels_per_centimetre(self, size: int) -> float:
        """Scale of a crop of `size` pixels at z = 0."""
        return size / (self.side * self.distance)

    def angles(self, rotation: np.ndarray) -> tuple[float, float, float]:
        """Yaw, pitch and roll in degrees, as seen in the crop, of a head turned by `rotation` (3, 3).

        Yaw > 0 turns the face to the right of the picture, pitch > 0 looks up, roll > 0 turns it anticlockwise.
        """
        c, s = np.cos(-self.roll), np.sin(-self.roll)
        seen = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ rotation
        yaw, roll = np.arctan2(seen[0, 2], seen[2, 2]), np.arctan2(seen[1, 0], seen[1, 1])
        return tuple(np.degrees([yaw, np.arcsin(np.clip(seen[1, 2], -1, 1)), roll]))


def _turned(points: np.ndarray, angle: float) -> np.ndarray:
    """Points (..., 2) turned anticlockwise by `angle`."""
    c, s = np.cos(angle), np.sin(angle)
    x, y = points[..., 0], points[..., 1]
    return np.stack([x * c - y * s, x * s + y * c], -1)

"""Face parameters as DECA reads them (Feng et al. 2021), in the units of the published direction matrices."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from PIL import Image

from stylemask_demo.networks.deca import DecaEncoder, axis_angle_to_euler

# DECA's crop: a square around the landmarks' bounding box, this much larger than its mean side.
BOX_SCALE = 1.1
CROP_SCALE = 1.25

# The published directions: yaw, pitch and roll in degrees, the jaw in radians, then the first expression coefficients.
EXPRESSIONS = 11
DECA_DIRECTIONS = ("yaw", "pitch", "roll", "jaw", *(f"exp_{i:02}" for i in range(EXPRESSIONS)))


@dataclass(frozen=True)
class DecaFace:
    """What DECA tells about one face.

    `yaw`, `pitch` and `roll` in degrees as in `FaceParameters`: yaw > 0 turns to the right of the picture, pitch > 0 looks
    up, roll > 0 tilts anticlockwise. `published_angles` are the same as the published methods count them: yaw and pitch the
    other way round. `jaw` in radians, > 0 opens. `expression` (50,) and `identity` (100,) are coefficients of FLAME.
    """

    yaw: float
    pitch: float
    roll: float
    jaw: float
    expression: np.ndarray
    identity: np.ndarray

    @property
    def published_angles(self) -> tuple[float, float, float]:
        """Yaw, pitch and roll in degrees, yaw > 0 to the left of the picture and pitch > 0 down."""
        return -self.yaw, -self.pitch, self.roll

    @property
    def parameters(self) -> np.ndarray:
        """The values (15,) along `DECA_DIRECTIONS`, in degrees, radians and coefficients."""
        return np.array([*self.published_angles, self.jaw, *self.expression[:EXPRESSIONS]], np.float32)


class DecaReader:
    """Reads pictures with DECA's encoder."""

    def __init__(self, encoder: DecaEncoder) -> None:
        self.encoder = encoder

    @torch.inference_mode()
    def read(self, pictures: Sequence[Image.Image], landmarks: Sequence[np.ndarray]) -> list[DecaFace]:
        """Parameters of the faces in pictures, RGB of any sizes.

        `landmarks` (68, 2) of each picture's face, in its pixels. Raises ValueError for landmarks that span no face.
        """
        size = self.encoder.input_size
        crops = [cut(np.asarray(p), points, size) for p, points in zip(pictures, landmarks, strict=True)]
        batch = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)  # (B, 3, 224, 224)
        return deca_faces(self.encoder, batch.to(next(self.encoder.parameters()).device))


def deca_faces(encoder: DecaEncoder, crops: torch.Tensor) -> list[DecaFace]:
    """Parameters of DECA's crops (B, 3, 224, 224) in 0..1."""
    found = encoder(crops)
    angles = axis_angle_to_euler(found.pose[:, :3]).float().cpu().numpy().astype(float)  # (B, 3)
    jaw = found.pose[:, 3].float().cpu().numpy().astype(float)
    expression, identity = (tensor.float().cpu().numpy() for tensor in (found.expression, found.shape))
    for array in (expression, identity):
        array.setflags(write=False)
    return [
        DecaFace(-yaw, -pitch, roll, float(jaw[i]), expression[i], identity[i])
        for i, (yaw, pitch, roll) in enumerate(angles.tolist())
    ]


def crop_square(landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Find the square that DECA cuts out: its centre (x, y) and its side, in pixels of the picture of `landmarks` (68, 2).

    Raises ValueError when the landmarks have another shape or span no face.
    """
    landmarks = np.asarray(landmarks, np.float64)
    if landmarks.shape != (68, 2):
        raise ValueError(f"DECA's crop needs 68 landmarks as an array (68, 2), not {landmarks.shape}.")
    low, high = landmarks.min(0), landmarks.max(0)
    side = float((high - low).sum() / 2 * BOX_SCALE * CROP_SCALE)
    if not side > 1e-6:
        raise ValueError("The landmarks do not span a face: they fall together.")
    return (low + high) / 2, side


def cut(picture: np.ndarray, landmarks: np.ndarray, size: int = DecaEncoder.input_size) -> np.ndarray:
    """DECA's crop of a face: (H, W, 3) uint8 and landmarks (68, 2) -> (size, size, 3) float32 in 0..1, black outside."""
    centre, side = crop_square(landmarks)
    # DECA's own warp aliases where the face is larger than its crop; the mean over each pixel's area does not.
    finer = int(np.clip(np.ceil(side / size), 1, 8))
    step = side / (size * finer)
    matrix = np.array([[step, 0, centre[0] - side / 2], [0, step, centre[1] - side / 2]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(picture.astype(np.float32) / 255, matrix, (size * finer, size * finer), flags=flags)
    return cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA) if finer > 1 else crop


def deca_direction_values(face: DecaFace, factors: np.ndarray) -> np.ndarray:
    """Where a face stands along `DECA_DIRECTIONS`, (15,): the difference of two faces' values is the published shift.

    `factors` (15,) are the pack's setting `direction_factors`: what a change of each parameter is multiplied by.
    """
    return face.parameters * factors


def deca_direction_shift(factors: np.ndarray, yaw: float = 0.0, pitch: float = 0.0, jaw: float = 0.0) -> np.ndarray:
    """The change (15,) that turns a face by `yaw` and `pitch` degrees, right and up, and opens its jaw by `jaw` radians."""
    change = np.zeros(len(DECA_DIRECTIONS), np.float32)
    change[:4] = -yaw, -pitch, 0.0, jaw
    return change * factors

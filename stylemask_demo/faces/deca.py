"""Face parameters as DECA reads them (Feng et al. 2021), in the units of the published direction matrices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from stylemask_demo.networks.deca import DecaEncoder, axis_angle_to_euler

# DECA's crop: a square around the landmarks' bounding box, this much larger than its mean side.
BOX_SCALE = 1.1
CROP_SCALE = 1.25
LARGEST_PICTURE = 256  # pixels a side that DECA's warp reads; it takes one sample a pixel, and would alias in larger ones

# What DECA tells: yaw, pitch and roll in degrees, the jaw in radians, then expression coefficients.
EXPRESSIONS = 11
DECA_PARAMETERS = ("yaw", "pitch", "roll", "jaw", *(f"exp_{i:02}" for i in range(50)))
# And which of it the published directions are.
DECA_DIRECTIONS = DECA_PARAMETERS[: 4 + EXPRESSIONS]


@dataclass(frozen=True)
class DirectionScale:
    """What a direction matrix calls a change of face parameters.

    Attributes:
        names: of the parameters, in the matrix's order: some of `DECA_PARAMETERS`.
        factors: what a change of each is multiplied by: degrees, radians or coefficients.
        signs: of yaw, pitch and roll; -1 where the matrix counts them the other way round than `FaceParameters`.
    """

    names: tuple[str, ...] = DECA_DIRECTIONS
    factors: tuple[float, ...] = (1.0,) * len(DECA_DIRECTIONS)
    signs: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def values(self, face: "DecaFace") -> np.ndarray:
        """Where a face stands along the directions, (N,): the difference of two faces' values is the published shift."""
        return self._scaled((face.yaw, face.pitch, face.roll), {"jaw": face.jaw, **_named(face.expression)})

    def shift(self, yaw: float = 0.0, pitch: float = 0.0, jaw: float = 0.0) -> np.ndarray:
        """The change (N,) that turns a face by `yaw` and `pitch` degrees, right and up, and opens its jaw by radians."""
        return self._scaled((yaw, pitch, 0.0), {"jaw": jaw})

    def _scaled(self, angles: tuple[float, float, float], others: dict[str, float]) -> np.ndarray:
        signed = {name: sign * angle for name, sign, angle in zip(DECA_DIRECTIONS, self.signs, angles, strict=False)}
        known = {**signed, **others}
        return np.array([known.get(name, 0.0) for name in self.names], np.float32) * np.array(self.factors, np.float32)


@dataclass(frozen=True)
class DecaFace:
    """What DECA tells about one face.

    `yaw`, `pitch` and `roll` in degrees as in `FaceParameters`: yaw > 0 turns to the right of the picture, pitch > 0 looks
    up, roll > 0 tilts anticlockwise; DECA itself counts the first two the other way round. `jaw` in radians, > 0 opens.
    `expression` (50,) and `identity` (100,) are coefficients of FLAME.
    """

    yaw: float
    pitch: float
    roll: float
    jaw: float
    expression: np.ndarray
    identity: np.ndarray


class DecaReader:
    """Reads pictures with DECA's encoder; `white` is what it is given for white, black being 0."""

    def __init__(self, encoder: DecaEncoder, white: float = 1.0) -> None:
        self.encoder, self._white = encoder, white

    @torch.inference_mode()
    def read(self, pictures: Sequence[Image.Image], landmarks: Sequence[np.ndarray]) -> list[DecaFace]:
        """Parameters of the faces in pictures, RGB of any sizes.

        Args:
            pictures: RGB, square.
            landmarks: (68, 2) of each picture's face, in its pixels, whose centres are whole numbers.

        Raises:
            ValueError: landmarks that span no face.
        """
        size = self.encoder.input_size
        crops = [self._white * cut(picture, points, size) for picture, points in zip(pictures, landmarks, strict=True)]
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


def crop_square(landmarks: np.ndarray) -> tuple[np.ndarray, int]:
    """Find the square that DECA cuts out: its centre (x, y) and its whole side, in pixels of the picture of `landmarks`.

    Raises ValueError when the landmarks have another shape than (68, 2) or span no face.
    """
    landmarks = np.asarray(landmarks, np.float64)
    if landmarks.shape != (68, 2):
        raise ValueError(f"DECA's crop needs 68 landmarks as an array (68, 2), not {landmarks.shape}.")
    low, high = landmarks.min(0), landmarks.max(0)
    side = float((high - low).sum() / 2 * BOX_SCALE * CROP_SCALE)
    if not side >= 1:
        raise ValueError("The landmarks do not span a face: they fall together.")
    return (low + high) / 2, int(side)


def cut(picture: Image.Image, landmarks: np.ndarray, size: int = DecaEncoder.input_size) -> np.ndarray:
    """DECA's crop of a face, as the published programs warp it: (size, size, 3) float32 in 0..1, black outside.

    The picture is RGB and square; `landmarks` (68, 2) in its pixels, whose centres are whole numbers. The warp spreads the
    picture by one part in its side: places were divided by one less than that, and pixels then counted from their edges.
    """
    scale = min(LARGEST_PICTURE / picture.width, 1.0)
    if scale < 1:
        picture = picture.resize((LARGEST_PICTURE,) * 2, Image.Resampling.BOX)
        landmarks = (np.asarray(landmarks, np.float64) + 0.5) * scale - 0.5
    centre, side = crop_square(landmarks)
    step, spread = side / size, picture.width / (picture.width - 1)
    corner = (centre - side / 2 + step / 2) * spread - 0.5  # of the picture, at the middle of the crop's first pixel
    x, y = (start + step * spread * np.arange(size) for start in corner)
    pixels = np.asarray(picture, np.float32) / 255
    # Every place by itself: OpenCV's affine warp knows places to a thirty-second of a pixel only.
    return _sampled(_sampled(pixels, y, 0), x, 1)


def _sampled(pixels: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """Rows or columns of a picture (H, W, 3) at fractional places along an axis, interpolated linearly, 0 outside."""
    last = pixels.shape[axis]
    below = np.floor(places).astype(int)
    share = places - below
    made = np.zeros(1, np.float32)
    for index, weight in ((below, 1 - share), (below + 1, share)):
        inside = (index >= 0) & (index < last)
        shape = [1, 1, 1]
        shape[axis] = -1
        taken = np.take(pixels, np.clip(index, 0, last - 1), axis)
        made = made + taken * (weight * inside).astype(np.float32).reshape(shape)
    return made


def _named(expression: np.ndarray) -> dict[str, float]:
    return {f"exp_{i:02}": float(value) for i, value in enumerate(expression)}

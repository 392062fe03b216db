"""Where crops lie in their photos, and the square that FFHQ cuts out around a face.

All points are pixels (x, y) with pixel centres at whole numbers.
"""

from dataclasses import dataclass

import numpy as np

LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)  # iBUG landmarks, left and right as seen in the picture
MOUTH_CORNERS = [48, 54]


@dataclass(frozen=True)
class CropTransform:
    """Where a crop lies in its photo: an affine map between the pixels of both.

    `matrix`, two rows of three, maps crop points (x, y, 1) to photo points; `crop_size` is the side of the crop and
    `photo_size` the (width, height) of the photo in pixels.
    """

    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]
    crop_size: int
    photo_size: tuple[int, int]

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """Map crop points (N, 2) to photo points (N, 2), in pixels; points may lie outside of both."""
        matrix = np.array(self.matrix)
        return np.asarray(points) @ matrix[:, :2].T + matrix[:, 2]

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Map photo points (N, 2) to crop points (N, 2), in pixels: the inverse of `to_photo`."""
        matrix = np.array(self.matrix)
        return (np.asarray(points) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T

    @property
    def inside(self) -> bool:
        """Whether all of the crop lies in the photo."""
        edge = self.crop_size - 0.5
        corners = self.to_photo(np.array([[-0.5, -0.5], [-0.5, edge], [edge, edge], [edge, -0.5]]))
        return bool((corners >= -0.5 - 1e-6).all() and (corners <= np.subtract(self.photo_size, 0.5) + 1e-6).all())

    @property
    def side_in_photo(self) -> float:
        """Side of the crop in pixels of the photo."""
        return float(np.hypot(*np.array(self.matrix)[:, 0]) * self.crop_size)

    def resized(self, size: int) -> "CropTransform":
        """The way of the same part of the photo as a crop of `size` pixels."""
        scale, matrix = self.crop_size / size, np.array(self.matrix)
        offset = matrix[:, 2] + matrix[:, :2] @ np.full(2, 0.5 * scale - 0.5)  # pixel centres lie elsewhere
        first, second = np.column_stack([matrix[:, :2] * scale, offset]).tolist()
        return CropTransform((tuple(first), tuple(second)), size, self.photo_size)


def crop_quad(landmarks: np.ndarray) -> np.ndarray:
    """Find the square that FFHQ cuts out around a face: appendix C of Karras et al. 2019 (StyleGAN).

    `landmarks` (68, 2), iBUG, in pixels of the photo -> corners (4, 2) in pixels of the photo, named as seen in the crop:
    top left, bottom left, bottom right, top right. Raises ValueError when the landmarks have another shape, or eyes and
    mouth fall together.
    """
    landmarks = np.asarray(landmarks, np.float64)
    if landmarks.shape != (68, 2):
        raise ValueError(f"Alignment needs 68 landmarks as an array (68, 2), not {landmarks.shape}.")
    left_eye, right_eye = landmarks[LEFT_EYE].mean(0), landmarks[RIGHT_EYE].mean(0)
    eyes = (left_eye + right_eye) / 2
    eye_to_eye = right_eye - left_eye
    eyes_to_mouth = landmarks[MOUTH_CORNERS].mean(0) - eyes
    # The crop's x axis is between the line of the eyes and the normal of the line from eyes to mouth.
    x = eye_to_eye + np.array([eyes_to_mouth[1], -eyes_to_mouth[0]])
    length = np.hypot(*x)
    if not length > 1e-6:
        raise ValueError("The landmarks do not span a face: eyes and mouth fall together.")
    x *= max(np.hypot(*eye_to_eye) * 2.0, np.hypot(*eyes_to_mouth) * 1.8) / length
    y = np.array([-x[1], x[0]])
    centre = eyes + eyes_to_mouth * 0.1
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])

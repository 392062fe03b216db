"""FFHQ alignment: cut the face out of a photo, upright and centred, and remember where it came from.

The rule is appendix C of Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
Networks" (2019). All points are pixels (x, y) with pixel centres at whole numbers.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

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


def crop_quad(landmarks: np.ndarray) -> np.ndarray:
    """Find the square that FFHQ cuts out around a face.

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


def align(image: Image.Image, landmarks: np.ndarray, size: int) -> tuple[Image.Image, CropTransform]:
    """Cut out a face by the published FFHQ procedure: shrink, crop, pad by blurred reflection, resample.

    The photo `image` is RGB of any size, `landmarks` (68, 2), iBUG, in its pixels. Returns the crop, RGB of `size` pixels a
    side, and the transform between crop and photo. Raises ValueError when the landmarks do not describe a face, or the face
    lies outside of the photo.
    """
    quad = crop_quad(landmarks)
    side = np.hypot(*(quad[3] - quad[0]))

    # Faces much larger than the crop are first reduced by a whole number, against aliasing.
    shrink = max(int(side / size * 0.5), 1)
    small_size = np.maximum(np.rint(np.array(image.size) / shrink), 1).astype(int)
    stretch = np.array(image.size) / small_size  # differs from `shrink` by rounding
    quad, side = quad / shrink, side / shrink

    # Only the part that is needed is reduced: all of a large photo would take seconds.
    margin = max(int(np.rint(side * 0.1)), 3)
    low = np.maximum(np.floor(quad.min(0)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(quad.max(0)).astype(int) + margin, small_size)
    if (low >= high).any():
        raise ValueError("The landmarks lie outside of the picture.")
    if shrink > 1:
        box = (*(low * stretch), *(high * stretch))
        region = image.resize(tuple(high - low), Image.Resampling.LANCZOS, box=box)
    else:
        region = image.crop((*low, *high))

    corners = quad - low
    before = np.maximum(margin - np.floor(corners.min(0)).astype(int), 0)
    after = np.maximum(np.ceil(corners.max(0)).astype(int) + margin - region.size, 0)
    if max(*before, *after) > margin - 4:
        before = np.maximum(before, int(np.rint(side * 0.3)))
        after = np.maximum(after, int(np.rint(side * 0.3)))
        region = _pad(region, before, after, blur=side * 0.01)
        corners = corners + before
    # Pillow wants the corners in coordinates with whole numbers at the pixels' edges.
    crop = region.transform((size, size), Image.Transform.QUAD, (corners + 0.5).ravel(), Image.Resampling.BILINEAR)

    top_left, bottom_left, _, top_right = (quad + 0.5) * stretch  # edges of the photo's pixels
    axes = np.stack([top_right - top_left, bottom_left - top_left], 1) / size  # (2, 2)
    offset = top_left + axes @ [0.5, 0.5] - 0.5  # from edges to centres, in the crop and in the photo
    (a, b, right), (c, d, down) = np.column_stack([axes, offset]).tolist()
    return crop, CropTransform(((a, b, right), (c, d, down)), size, image.size)


def _pad(image: Image.Image, before: np.ndarray, after: np.ndarray, blur: float) -> Image.Image:
    """Extend a picture by its reflection, which fades into blur and then into the median colour.

    `before` and `after` are (x, y) numbers of pixels, `blur` is the standard deviation in pixels. The
    published crops were made with half the blur of FFHQ's own script.
    """
    pixels = cv2.copyMakeBorder(np.asarray(image), before[1], after[1], before[0], after[0], cv2.BORDER_REFLECT_101)
    height, width, _ = pixels.shape
    # What is blurred is worked out in a small copy: at full size it would take half a second.
    step = max(int(blur / 2), 1)
    small = cv2.resize(pixels, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    small = small.astype(np.float32)
    outside = _outside(small.shape[1], small.shape[0], before / step, after / step)[..., None]
    blurred = cv2.GaussianBlur(small, (0, 0), blur / step, borderType=cv2.BORDER_REFLECT)
    median = np.median(small + (blurred - small) * np.clip(outside * 3 + 1, 0, 1), axis=(0, 1))
    blurred = np.rint(blurred + (median - blurred) * np.clip(outside, 0, 1)).astype(np.uint8)
    blurred = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
    share = np.clip(_outside(width, height, before, after) * 3 + 1, 0, 1)
    return Image.fromarray(cv2.blendLinear(blurred, pixels, share, 1 - share))


def _outside(width: int, height: int, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(height, width): 1 at the outermost pixels, 0 where the photo begins, negative inside of it."""
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    outside_x = 1 - np.minimum(x / np.float32(before[0]), (width - 1 - x) / np.float32(after[0]))
    outside_y = 1 - np.minimum(y / np.float32(before[1]), (height - 1 - y) / np.float32(after[1]))
    return np.maximum(outside_x, outside_y[:, None])

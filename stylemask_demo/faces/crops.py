"""Crop rules: how a face is cut out of its photo, and where the crop lies in it.

Each rule knows both ways: `cut` into the crop, and by the `CropTransform` that it gives back into the photo. All points are
pixels (x, y) with pixel centres at whole numbers.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import cv2
import numpy as np
from PIL import Image

from stylemask_demo.faces.align import CropTransform, crop_quad
from stylemask_demo.faces.padding import pad, pad_plainly

WIDTH = 1000  # pixels that photos are brought to before `BoxCrop` cuts
BOX_BLUR = 5.0  # pixels, standard deviation of what lies beyond their border
UPWARDS = 6  # the box is moved up by this part of half its side


class CropRule(Protocol):
    """Cuts faces out of photos."""

    upright: ClassVar[bool]  # whether crops are FFHQ's, as the embedded extractor knows them

    def cut(self, photo: Image.Image, landmarks: np.ndarray, size: int) -> tuple[Image.Image, CropTransform]:
        """Cut out a face.

        Args:
            photo: RGB, any size.
            landmarks: (68, 2) iBUG landmarks in pixels of the photo.
            size: side of the crop in pixels.

        Returns:
            The crop (RGB, size x size) and the transform between crop and photo.

        Raises:
            ValueError: the landmarks do not describe a face, or the face lies outside of the photo.
        """
        ...

    def searched(self, photo: Image.Image) -> Image.Image:
        """The picture in which the rule's authors look for the face: the photo itself, or a copy of another size."""
        ...


@dataclass(frozen=True)
class FfhqCrop:
    """FFHQ alignment (Karras et al. 2019, appendix C): shrink, crop, pad by blurred reflection, turn upright, resample.

    Attributes:
        blur: standard deviation of what lies beyond the photo's border, in sides of the crop; FFHQ's own script has 0.02.
        finer: the crop is sampled at this many times its size and then reduced; 1 takes one sample a pixel.
        whole: landmarks are rounded to whole pixels first, as dlib gives them.
        plain: every step at full size, as the published programs do; without it, blur is worked out in a small copy.
    """

    blur: float = 0.01
    finer: int = 1
    whole: bool = False
    plain: bool = False
    upright: ClassVar[bool] = True

    def cut(self, photo: Image.Image, landmarks: np.ndarray, size: int) -> tuple[Image.Image, CropTransform]:
        """Cut out a face; see `CropRule.cut`."""
        return self.cut_square(photo, crop_quad(np.rint(landmarks) if self.whole else landmarks), size)

    def cut_square(self, photo: Image.Image, quad: np.ndarray, size: int) -> tuple[Image.Image, CropTransform]:
        """Cut out the square with corners `quad` (4, 2), as `crop_quad` gives them; else as `CropRule.cut`."""
        side = np.hypot(*(quad[3] - quad[0]))

        # Faces much larger than the crop are first reduced by a whole number, against aliasing.
        shrink = _shrinking(side, size)
        small_size = np.maximum(np.rint(np.array(photo.size) / shrink), 1).astype(int)
        stretch = np.array(photo.size) / small_size  # differs from `shrink` by rounding
        quad, side = quad / shrink, side / shrink

        # Only the part that is needed is reduced: all of a large photo would take seconds.
        margin = max(int(np.rint(side * 0.1)), 3)
        low = np.maximum(np.floor(quad.min(0)).astype(int) - margin, 0)
        high = np.minimum(np.ceil(quad.max(0)).astype(int) + margin, small_size)
        if (low >= high).any():
            raise ValueError("The landmarks lie outside of the picture.")
        if shrink > 1:
            box = (*(low * stretch), *(high * stretch))
            region = photo.resize(tuple(high - low), Image.Resampling.LANCZOS, box=box)
        else:
            region = photo.crop((*low, *high))

        corners = quad - low
        before = np.maximum(margin - np.floor(corners.min(0)).astype(int), 0)
        after = np.maximum(np.ceil(corners.max(0)).astype(int) + margin - region.size, 0)
        if max(*before, *after) > margin - 4:
            before = np.maximum(before, int(np.rint(side * 0.3)))
            after = np.maximum(after, int(np.rint(side * 0.3)))
            region = self._padded(region, before, after, side * self.blur)
            corners = corners + before
        # Pillow wants the corners in coordinates with whole numbers at the pixels' edges.
        sampled = (size * self.finer,) * 2
        edges = (corners + 0.5).ravel()
        crop = region.transform(sampled, Image.Transform.QUAD, edges, Image.Resampling.BILINEAR)
        if self.finer > 1:
            crop = crop.resize((size, size), Image.Resampling.LANCZOS)

        top_left, bottom_left, _, top_right = (quad + 0.5) * stretch  # edges of the photo's pixels
        axes = np.stack([top_right - top_left, bottom_left - top_left], 1) / size  # (2, 2)
        return crop, _transform(axes, top_left, size, photo.size)

    def searched(self, photo: Image.Image) -> Image.Image:
        """The photo itself; see `CropRule.searched`."""
        return photo

    def _padded(self, region: Image.Image, before: np.ndarray, after: np.ndarray, blur: float) -> Image.Image:
        if not self.plain:
            return Image.fromarray(pad(np.asarray(region), before, after, blur))
        pixels = pad_plainly(np.asarray(region), before, after, blur)
        return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


@dataclass(frozen=True)
class BoxCrop:
    """The square of Finding Directions (Bounareli et al. 2022), which is never turned: twice the landmarks' extent.

    Photos are first brought to a width of 1000 pixels, smaller ones too. What sticks out of them is padded by blurred
    reflection.
    """

    upright: ClassVar[bool] = False

    def cut(self, photo: Image.Image, landmarks: np.ndarray, size: int) -> tuple[Image.Image, CropTransform]:
        """Cut out a face; see `CropRule.cut`."""
        resized = self.searched(photo)
        stretch = np.array(photo.size) / resized.size  # the height's differs from the width's by rounding
        left, top, right, bottom = box = self.box((np.asarray(landmarks, np.float64) + 0.5) / stretch - 0.5)
        width, height = resized.size
        if right <= 0 or bottom <= 0 or left >= width or top >= height:
            raise ValueError("The landmarks lie outside of the picture.")
        pixels = np.asarray(resized)
        before, after = np.maximum([-left, -top], 0), np.maximum([right - width, bottom - height], 0)
        if before.any() or after.any():
            pixels = pad_plainly(pixels, before, after, BOX_BLUR, edge_doubled=True)
        left, top, right, bottom = np.add(box, [*before, *before])
        boxed = Image.fromarray(pixels[top:bottom, left:right].astype(np.uint8))  # which cuts fractions off
        crop = boxed.resize((size, size), Image.Resampling.BICUBIC)
        axes = np.diag(stretch) * (right - left) / size
        return crop, _transform(axes, np.array(box[:2]) * stretch, size, photo.size)

    def searched(self, photo: Image.Image) -> Image.Image:
        """The photo at a width of 1000 pixels; see `CropRule.searched`."""
        if photo.width == WIDTH:
            return photo
        size = (WIDTH, max(int(photo.height * (WIDTH / photo.width)), 1))
        return Image.fromarray(cv2.resize(np.asarray(photo), size, interpolation=cv2.INTER_AREA))

    @staticmethod
    def box(landmarks: np.ndarray) -> tuple[int, int, int, int]:
        """The square (left, top, right, bottom) around landmarks (68, 2), all in pixels of the resized photo.

        Right and bottom are the first pixels beyond it. Raises ValueError when the landmarks have
        another shape or span no face.
        """
        points = np.asarray(landmarks, np.float32)
        if points.shape != (68, 2):
            raise ValueError(f"A crop needs 68 landmarks as an array (68, 2), not {points.shape}.")
        low, high = points.min(0), points.max(0)
        extent = float((high - low).max())
        if not 1 <= extent < np.inf:
            raise ValueError("The landmarks do not span a face: they fall together.")
        half = int(extent)
        x, y = (int(middle) for middle in np.rint((low + high) / 2))
        y -= half // UPWARDS
        return x - half, y - half, x + half, y + half


def recut(photo: Image.Image, transform: CropTransform, size: int) -> Image.Image:
    """Cut out once more, as `size` x `size` pixels, RGB, what a transform has cut out of a photo."""
    edge = transform.crop_size - 0.5
    corners = transform.to_photo(np.array([[-0.5, -0.5], [-0.5, edge], [edge, edge], [edge, -0.5]]))
    shrink = _shrinking(transform.side_in_photo, size)
    return FfhqCrop().cut_square(photo, corners + 0.5 - 0.5 * shrink, size)[0]


def _shrinking(side: float, size: int) -> int:
    """By how much a photo is reduced before a square of `side` pixels is cut out of it as one of `size` pixels."""
    return max(int(side / size * 0.5), 1)


# By the names that recipes have for them.
CROP_RULES: dict[str, type[FfhqCrop] | type[BoxCrop]] = {"ffhq": FfhqCrop, "box": BoxCrop}


def _transform(axes: np.ndarray, top_left: np.ndarray, size: int, photo_size: tuple[int, int]) -> CropTransform:
    """The transform of a crop whose sides are `size` times the columns of `axes` (2, 2), from its corner, an edge, on."""
    offset = top_left + axes @ [0.5, 0.5] - 0.5  # from edges to centres, in the crop and in the photo
    (a, b, c), (d, e, f) = np.column_stack([axes, offset]).tolist()
    return CropTransform(((a, b, c), (d, e, f)), size, photo_size)

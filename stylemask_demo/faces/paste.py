"""Back into the photo: a result laid over the face it was made from, without a seam.

Everything is decided in the small crop, as two layers: what of the photo gives way, and what is added in its place.
Only these two are brought to the photo's pixels, in strips, so the size of the photo hardly matters.
"""

from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from stylemask_demo.faces.align import LEFT_EYE, RIGHT_EYE, CropTransform
from stylemask_demo.faces.clearing import left_behind

NOSE = slice(27, 36)
CHIN, BROWS, MOUTH = 8, slice(17, 27), slice(48, 68)

# Lengths as fractions of the crop's side.
BORDER = 0.09  # the mask falls to nothing over this width along the crop's border
FEATHER = 0.13  # and over this width around the head
HAIR = 0.75  # hair ends this far above the brows, in heights from chin to brows
WIDTH = 1.35  # of the head with its hair, in widths of the face
UNMOVED = 0.012  # eyes and nose that moved by less did not move: landmarks are no surer
NEIGHBOURHOOD = 0.05  # the photo stays where nothing changes this far around
SMOOTHNESS = 0.08  # standard deviation of the colour match: it corrects light, not features

UNCHANGED = 7.0  # grey levels of change up to which the photo's own detail stays
UNLIKE = 15.0  # grey levels by which hair differs from a wall: no measure of the light
BRIGHTEST_MATCH = 50.0  # grey levels; a larger difference is another thing, not another light
FACE_WEIGHT = 0.5  # of the colour of the face as a whole against the pixels that stayed in place
UNKNOWN_WEIGHT = 0.05  # of no correction at all
BACKGROUND = 0.8  # share from which on a pixel is taken for the background
STRIP = 256  # rows of the photo worked on at a time


class Behind(NamedTuple):
    """Where a result shows what was behind the head: `background` (S, S) in 0..1 is its share that the photo shows too, and
    `left` (S, S) is True where the photo does not, because the head was there."""

    background: np.ndarray
    left: np.ndarray


def paste_back(
    photo: Image.Image,
    result: Image.Image,
    crop: Image.Image,
    transform: CropTransform,
    landmarks: np.ndarray,
    result_landmarks: np.ndarray | None = None,
    inversion: Image.Image | None = None,
    behind: Behind | None = None,
) -> Image.Image:
    """Lay a result over the face in its photo, at its place and size, with a soft mask and matched colours.

    Where the result changes nothing the photo keeps its own pixels, and a small change is added to them, so that detail
    finer than the crop survives. Where the head has moved that would leave a ghost, and the result stands alone.

    `crop` was cut from `photo`, `transform` leads back into it, and `result` is the changed face: RGB, of the crop's size.
    `landmarks` (68, 2) are those of the crop, in its pixels, counted from its edge as in `FaceParameters`;
    `result_landmarks` those of the result, without which the head counts as unmoved. `inversion` is what the generator
    makes of the unchanged face; without it the result is compared with the crop. `behind` tells where the result shows what
    was behind the head: that then covers all of the old head, and of its hair above the crop. Returns a new picture of the
    photo's size: the photo itself for a result equal to `inversion` or, without one, to `crop`. Raises ValueError when
    sizes do not fit the transform, or landmarks are not (68, 2).
    """
    side = transform.crop_size
    for name, picture in (("result", result), ("crop", crop), ("inversion", inversion)):
        if picture is not None and picture.size != (side, side):
            raise ValueError(f"The {name} is {picture.width} x {picture.height} pixels, not {side} x {side}.")
    if photo.size != transform.photo_size:
        raise ValueError(f"This is not the photo of the crop: {photo.size}, not {transform.photo_size} pixels.")
    landmarks = _checked(landmarks)
    moved_landmarks = landmarks if result_landmarks is None else _checked(result_landmarks)

    new, old = _floats(result), _floats(crop)
    reference = old if inversion is None else _floats(inversion)
    kept = _unchanged(new, reference, landmarks, moved_landmarks)
    mask = head_mask(side, landmarks, moved_landmarks)[..., None]
    if behind is not None:
        covered = _smooth_step((BACKGROUND - behind.background) / BACKGROUND * 2) * _rim(side)
        below = (np.arange(side) - landmarks[MOUTH, 1].mean()) / (FEATHER * side)  # neck and shoulders stay
        mask = np.maximum(mask, (covered * (1 - _smooth_step(below))[:, None])[..., None].astype(np.float32))
        left = behind.left & (kept[..., 0] < 0.5)
        gone = left_behind(photo, transform, left, behind.background > BACKGROUND)
        photo = photo if gone is None else _lay_over(photo, *gone)
    matched = new + _colour_match(new, old, kept, mask, landmarks, moved_landmarks)
    # Where the photo stays it becomes photo + new - reference, where it gives way it becomes the matched result.
    gives_way = mask * (1 - kept)
    added = mask * kept * (new - reference) + gives_way * matched
    return _lay_over(photo, np.concatenate([gives_way, added], 2), transform)


def head_mask(side: int, *landmarks: np.ndarray) -> np.ndarray:
    """Soft mask (side, side) in 0..1 of the heads that have these landmarks (68, 2) in a crop of `side` pixels.

    1 on the heads with their hair, falling smoothly around them, and 0 at the crop's border.
    """
    heads = _filled(side, [_head(points) for points in landmarks])
    distance = cv2.distanceTransform((heads == 0).astype(np.uint8), cv2.DIST_L2, 5)
    mask = 1 - _smooth_step(distance / (FEATHER * side))
    return (mask * _rim(side)).astype(np.float32)


def _rim(side: int) -> np.ndarray:
    """How much of a crop of `side` pixels stays near its border, (side, side): the last pixels are 0."""
    rows = np.arange(side) + 0.5
    ramp = _smooth_step((np.minimum(rows, side - rows) - 1.5) / (BORDER * side))
    return ramp * ramp[:, None]


def _unchanged(new: np.ndarray, reference: np.ndarray, landmarks: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Where the photo's own detail can stay, (S, S, 1): 1 where nothing changes, 0 where something else is there now."""
    side = len(new)
    change = np.abs(new - reference).max(2)
    # One pixel that changes speaks for its neighbourhood: half of an eye must not stay.
    change = cv2.GaussianBlur(change, (0, 0), side * NEIGHBOURHOOD / 4)
    change = cv2.dilate(change, _disc(side * NEIGHBOURHOOD / 2))
    kept = np.exp(-((change / UNCHANGED) ** 2))
    # A head that turned has moved everywhere, also where smooth skin lies over smooth skin.
    rigid = np.r_[NOSE, LEFT_EYE, RIGHT_EYE]
    motion = np.linalg.norm(moved[rigid] - landmarks[rigid], axis=1).mean() / side
    stays = 1 - _smooth_step(motion / UNMOVED - 1)
    heads = _filled(side, [landmarks, moved])
    kept *= 1 - (1 - stays) * heads
    return cv2.GaussianBlur(kept.astype(np.float32), (0, 0), side * NEIGHBOURHOOD / 2)[..., None]


def _colour_match(
    new: np.ndarray, old: np.ndarray, kept: np.ndarray, mask: np.ndarray, landmarks: np.ndarray, moved: np.ndarray
) -> np.ndarray:
    """What to add to the result (S, S, 3) so that its light is the photo's, in grey levels and without fine detail.

    Pixels that stayed in place, and those where the mask ends, tell the difference of light where they are; the face as a
    whole tells it for the face; in between the correction is their weighted mean.
    """
    side = len(new)
    difference = old - new
    in_place = np.maximum(kept, 4 * mask * (1 - mask))
    # Where the result shows another thing than the photo, hair for a wall, the difference is none of light.
    typical = np.median(difference[in_place[..., 0] > 0.5], axis=0) if (in_place > 0.5).any() else np.zeros(3)
    unlike = np.abs(difference - typical).max(2, keepdims=True)
    in_place = in_place * np.exp(-((unlike / UNLIKE) ** 2))
    faces = [_filled(side, [points])[..., None] for points in (landmarks, moved)]
    skin = _mean(old, faces[0]) - _mean(new, faces[1])
    in_face = faces[1] * (1 - kept) * FACE_WEIGHT
    # Where neither is near, as in the middle of the hair, nothing is known and little is changed.
    field = _blur(in_place * difference + in_face * skin, side * SMOOTHNESS)
    field /= _blur(in_place + in_face, side * SMOOTHNESS)[..., None] + UNKNOWN_WEIGHT
    return np.clip(field, -BRIGHTEST_MATCH, BRIGHTEST_MATCH)


def _lay_over(photo: Image.Image, layers: np.ndarray, transform: CropTransform) -> Image.Image:
    """Bring layers (S, S, 4) from crop to photo: the first says how much of the photo gives way, the others are added."""
    side = transform.crop_size
    corners = transform.to_photo(np.array([[0, 0], [0, side], [side, side], [side, 0]]) - 0.5)
    left, top = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, transform.photo_size)
    made = photo.copy()
    for row in range(top, bottom, STRIP):
        box = (left, row, right, min(row + STRIP, bottom))
        below = np.asarray(photo.crop(box), np.float32)
        warped = _warp(layers, transform, box)
        pixels = below * (1 - np.clip(warped[..., :1], 0, 1)) + warped[..., 1:]
        made.paste(Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)), (int(left), int(row)))
    return made


def _warp(layers: np.ndarray, transform: CropTransform, box: tuple[int, int, int, int]) -> np.ndarray:
    """Layers (S, S, C) as they lie in the box (left, top, right, bottom) of the photo; outside of the crop 0.

    A crop larger than its place is averaged over the area of each pixel, a smaller one interpolated by cubics.
    """
    matrix = np.array(transform.matrix)
    crop_pixels = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))  # of the crop for each one of the photo
    finer = int(np.ceil(crop_pixels))
    left, top, right, bottom = box
    size = (right - left, bottom - top)
    to_box = matrix.copy()
    to_box[:, 2] -= (left, top)
    to_box[:, 2] = finer * (to_box[:, 2] + 0.5) - 0.5
    to_box[:, :2] *= finer
    warped = cv2.warpAffine(
        layers, to_box, (finer * size[0], finer * size[1]), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT
    )
    return cv2.resize(warped, size, interpolation=cv2.INTER_AREA) if finer > 1 else warped


def _head(landmarks: np.ndarray) -> np.ndarray:
    """Outline of the head with its hair: the points whose hull it is."""
    brows, chin = landmarks[BROWS], landmarks[CHIN]
    up = (brows.mean(0) - chin) * HAIR
    outline = np.concatenate([landmarks, brows + up, landmarks[[0, 16]] + up * 0.8])
    along = up / max(np.linalg.norm(up), 1e-6)
    middle = outline.mean(0)
    across = (outline - middle) - ((outline - middle) @ along)[:, None] * along
    return outline + across * (WIDTH - 1)


def _filled(side: int, outlines: list[np.ndarray]) -> np.ndarray:
    """1 inside the convex hull of any of the outlines (N, 2), 0 elsewhere, (side, side) float32."""
    filled = np.zeros((side, side), np.uint8)
    for outline in outlines:
        cv2.fillConvexPoly(filled, cv2.convexHull(np.rint(outline - 0.5).astype(np.int32)), 1)
    return filled.astype(np.float32)


def _smooth_step(x: np.ndarray | float) -> np.ndarray:
    """0 up to x = 0, 1 from x = 1, without a corner in between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _disc(radius: float) -> np.ndarray:
    size = 2 * max(round(radius), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def _blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    # Light varies slowly: an eighth of the pixels is enough, and a wide blur of all is slow.
    side = len(picture)
    small = cv2.resize(picture, (max(side // 8, 8),) * 2, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * len(small) / side, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)


def _mean(picture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return (picture * weight).sum((0, 1)) / max(float(weight.sum()), 1.0)


def _floats(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB"), np.float32)


def _checked(landmarks: np.ndarray) -> np.ndarray:
    landmarks = np.asarray(landmarks, np.float64)
    if landmarks.shape != (68, 2):
        raise ValueError(f"Pasting needs 68 landmarks as an array (68, 2), not {landmarks.shape}.")
    return landmarks

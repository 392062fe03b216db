"""What a head leaves behind in the photo above its crop: hair that stood there, and the background for its place."""

import cv2
import numpy as np
from PIL import Image

from stylemask_demo.faces.align import CropTransform
from stylemask_demo.faces.crops import recut

SIDE = 192  # pixels of the copy that is worked in
REACH = 0.45  # sides of the crop around it in which hair may stand
RIM = 0.12  # sides of the crop at its top in which a result fades into the photo
TOP = 0.03  # sides of the crop: the head has left where it has left so far at the top of the crop,
GAP = 0.4  # and between two such places that are nearer than this: tufts that the network takes for unmoved are none
EDGE = 2  # pixels of the copy: hair has no sharp outline
ROUNDS = 3  # of GrabCut


def left_behind(
    photo: Image.Image, transform: CropTransform, left: np.ndarray, background: np.ndarray
) -> tuple[np.ndarray, CropTransform] | None:
    """Layers (SIDE, SIDE, 4), how much of the photo gives way and what is added, and where they lie; None for nothing.

    `left` (S, S) is True where the crop shows the head and a result what was behind it, `background` (S, S) where both show
    the background. Above the crop, the hair that its border cuts through there is found (GrabCut, Rother et al. 2004), and
    the background is continued into its place (Telea 2004).
    """
    side = transform.crop_size
    columns = np.flatnonzero(left[: round(TOP * side)].any(0))
    if not len(columns):
        return None
    rim = np.zeros_like(left)
    for first, second in zip(columns, [*columns[1:], columns[-1] + 1], strict=True):
        if second - first < GAP * side:
            rim[: round(RIM * side), first:second] = True
    scale = SIDE / (side * (1 + 2 * REACH))
    place = np.array([[scale, 0, scale * REACH * side], [0, scale, scale * REACH * side]])  # of the crop in the copy
    wide = _widened(transform)
    around = np.asarray(recut(photo, wide, SIDE))

    def brought(mask: np.ndarray, border: int) -> np.ndarray:
        return cv2.warpAffine(mask.astype(np.float32), place, (SIDE, SIDE), borderMode=border) > 0.5

    guess = np.full((SIDE, SIDE), cv2.GC_PR_BGD, np.uint8)
    guess[brought(background, cv2.BORDER_CONSTANT)] = cv2.GC_BGD
    guess[brought(left, cv2.BORDER_CONSTANT)] = cv2.GC_FGD
    if not (guess == cv2.GC_FGD).any() or not (guess != cv2.GC_FGD).any():
        return None
    whole = (0, 0, SIDE, SIDE)
    cv2.grabCut(around, guess, whole, np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    head = (guess & 1) == 1
    # Only what goes on from the rim: the place beyond the border is that of the nearest point of it.
    hair = head & brought(rim, cv2.BORDER_REPLICATE)
    _, parts = cv2.connectedComponents(hair.astype(np.uint8))
    hair &= np.isin(parts, np.unique(parts[brought(rim, cv2.BORDER_CONSTANT) & hair]))
    around_hair = np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8)
    taken = cv2.dilate(hair.astype(np.uint8), around_hair)
    known = brought(background, cv2.BORDER_CONSTANT) | ~brought(np.ones_like(left), cv2.BORDER_CONSTANT)
    unknown = cv2.dilate((~known | head).astype(np.uint8), around_hair)
    filled = cv2.inpaint(around, unknown, 3, cv2.INPAINT_TELEA)
    share = cv2.GaussianBlur(taken.astype(np.float32), (0, 0), EDGE / 2)[..., None]
    return np.concatenate([share, share * filled], 2).astype(np.float32), wide


def _widened(transform: CropTransform) -> CropTransform:
    """Of a square around the crop, of `SIDE` pixels."""
    matrix, side = np.array(transform.matrix), transform.crop_size
    step = side * (1 + 2 * REACH) / SIDE  # pixels of the crop
    start = (step - 1) / 2 - REACH * side
    axes, offset = matrix[:, :2] * step, matrix[:, 2] + matrix[:, :2] @ [start, start]
    first, second = np.column_stack([axes, offset]).tolist()
    return CropTransform((tuple(first), tuple(second)), SIDE, transform.photo_size)

"""Photos that go on beyond their border: by their reflection, which fades into blur and then into the median colour."""

import cv2
import numpy as np

REACH = 4  # standard deviations at which a Gaussian ends
LEAST_BLUR = 1.25  # pixels of the small copy that the blur's standard deviation keeps there
NOTHING = np.float32(1e-10)  # stands for no pixels where they are divided by


def pad(pixels: np.ndarray, before: np.ndarray, after: np.ndarray, blur: float) -> np.ndarray:
    """Extend a picture (H, W, 3) uint8; what is blurred is worked out in a small copy, in place of half a second.

    `before` and `after` are (x, y) numbers of pixels, none of them 0, `blur` is the standard deviation in pixels. The plain
    twin is `pad_plainly`.
    """
    pixels = _reflected(pixels, before, after, cv2.BORDER_REFLECT_101)
    height, width, _ = pixels.shape
    step = max(int(blur / LEAST_BLUR), 1)
    small = cv2.resize(pixels, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    small = small.astype(np.float32)
    outside = _outside(small.shape[1], small.shape[0], before / step, after / step)[..., None]
    blurred = cv2.GaussianBlur(small, (0, 0), blur / step, borderType=cv2.BORDER_REFLECT)
    median = np.median(small + (blurred - small) * np.clip(outside * 3 + 1, 0, 1), axis=(0, 1))
    blurred = np.rint(blurred + (median - blurred) * np.clip(outside, 0, 1)).astype(np.uint8)
    blurred = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
    share = np.clip(_outside(width, height, before, after) * 3 + 1, 0, 1)
    return cv2.blendLinear(blurred, pixels, share, 1 - share)


def pad_plainly(
    pixels: np.ndarray, before: np.ndarray, after: np.ndarray, blur: float, edge_doubled: bool = False
) -> np.ndarray:
    """Extend a picture (H, W, 3) uint8 as the published programs do, every pixel at full size: (H', W', 3) float32.

    `before` and `after` are (x, y) numbers of pixels, `blur` is the standard deviation in pixels. The reflection begins
    with the outermost pixel itself where the `edge_doubled` is, else with the one before it.
    """
    border = cv2.BORDER_REFLECT if edge_doubled else cv2.BORDER_REFLECT_101
    padded = _reflected(pixels, before, after, border).astype(np.float32)
    height, width, _ = padded.shape
    # A side without padding counts as padded by almost nothing: its outermost pixels become the median colour.
    outside = _outside(width, height, np.maximum(before, NOTHING), np.maximum(after, NOTHING))[..., None]
    side = 2 * int(REACH * blur + 0.5) + 1
    padded += (cv2.GaussianBlur(padded, (side, side), blur, borderType=cv2.BORDER_REFLECT) - padded) * np.clip(
        outside * 3 + 1, 0, 1
    )
    padded += (np.median(padded, axis=(0, 1)) - padded) * np.clip(outside, 0, 1)
    return padded


def _reflected(pixels: np.ndarray, before: np.ndarray, after: np.ndarray, border: int) -> np.ndarray:
    return cv2.copyMakeBorder(pixels, int(before[1]), int(after[1]), int(before[0]), int(after[0]), border)


def _outside(width: int, height: int, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(height, width): 1 at the outermost pixels, 0 where the photo begins, negative inside of it."""
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    outside_x = 1 - np.minimum(x / np.float32(before[0]), (width - 1 - x) / np.float32(after[0]))
    outside_y = 1 - np.minimum(y / np.float32(before[1]), (height - 1 - y) / np.float32(after[1]))
    return np.maximum(outside_x, outside_y[:, None])

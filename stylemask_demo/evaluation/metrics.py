"""Measures as plain formulas on arrays: no networks, no files."""

from typing import NamedTuple

import cv2
import numpy as np

from stylemask_demo.faces.align import LEFT_EYE, RIGHT_EYE

JAW = slice(0, 17)  # iBUG landmarks from ear to ear along the chin


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine of each row of two arrays of unit vectors, both (N, D) -> (N,)."""
    return (first * second).sum(1)


def eye_distance(landmarks: np.ndarray) -> np.ndarray:
    """Distance of the centres of both eyes, each the mean of its six landmarks, (..., 68, 2) -> (...)."""
    apart = landmarks[..., LEFT_EYE, :].mean(-2) - landmarks[..., RIGHT_EYE, :].mean(-2)
    return np.linalg.norm(apart, axis=-1)


def normalised_mean_error(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """NME: mean distance of the 68 landmarks to the exact ones, divided by the exact distance of the eyes' centres.

    Both (N, 68, 2) in pixels of the same picture -> (N,), a fraction: 0.04 is four percent. Of a head in profile the eyes
    come close in the picture and the error counts more, as is usual.
    """
    return np.linalg.norm(found - exact, axis=-1).mean(-1) / eye_distance(exact)


def psnr(made: np.ndarray, true: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio in dB of two pictures (H, W, 3) uint8, over all pixels or those of `mask` (H, W).

    Equal pictures have 100 dB, which stands for infinity so that means stay finite.
    """
    errors = np.square(made.astype(np.float64) - true) / 255**2
    error = errors.mean() if mask is None else errors[mask].mean()
    return float(-10 * np.log10(max(error, 1e-10)))


def head_mask(landmarks: np.ndarray, size: int) -> np.ndarray:
    """The pixels of a head, (68, 2) landmarks in pixels -> (size, size) bool.

    The head is the convex hull of the landmarks and of the jaw line mirrored over the line from ear to ear (its first and
    last landmark), which adds forehead and front hair, and leaves background, clothes and long hair out.
    """
    points = np.asarray(landmarks, np.float64)
    ear, other_ear = points[JAW][0], points[JAW][-1]
    along = (other_ear - ear) / np.linalg.norm(other_ear - ear)
    jaw = points[JAW] - ear
    mirrored = ear + 2 * np.outer(jaw @ along, along) - jaw
    hull = cv2.convexHull(np.concatenate([points, mirrored]).round().astype(np.int32))
    mask = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(mask, hull, 1)
    return mask.astype(bool)


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Frechet distance of the Gaussians of two sets of features, (N, D) and (M, D); NaN where a set has under two rows.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), Heusel et al. 2017 (the FID). The last trace is computed as the sum of the
    singular values of the product of the centred features: exact also where there are fewer rows than dimensions.
    Few rows make it larger: only distances of equally many rows can be compared.
    """
    if min(len(first), len(second)) < 2:
        return float("nan")
    first, second = first.astype(np.float64), second.astype(np.float64)
    shift = first.mean(0) - second.mean(0)
    a = (first - first.mean(0)) / np.sqrt(len(first) - 1)
    b = (second - second.mean(0)) / np.sqrt(len(second) - 1)
    common = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(shift @ shift + np.square(a).sum() + np.square(b).sum() - 2 * common)


class Line(NamedTuple):
    """A straight line through points: its slope, and R2, the share of the variance that it explains."""

    slope: float
    r2: float


def fit_line(commanded: np.ndarray, measured: np.ndarray) -> Line:
    """Least squares line of `measured` over `commanded`, both (N,) with at least two different commanded values."""
    x, y = commanded - commanded.mean(), measured - measured.mean()
    slope = (x @ y) / (x @ x)
    left, total = np.square(y - slope * x).sum(), np.square(y).sum()
    return Line(float(slope), float(1 - left / total) if total > 0 else 0.0)


def product_score(pose_error: float, untouched_error: float, identity_cosine: float) -> float:
    """How well both at once are done: the share of the pose difference that was closed, times the identity cosine.

    `pose_error` of the results and `untouched_error` of the unchanged sources, in degrees. Copying the source scores 0
    (nothing closed), copying the target about 0 (nobody kept), perfect reenactment 1; no share is below 0.
    """
    return max(0.0, 1 - pose_error / untouched_error) * identity_cosine if untouched_error > 0 else 0.0

"""The pack's own reading of faces against the judge's: our extractor both corrects results and measures them."""

from collections.abc import Sequence

import numpy as np

from stylemask_demo.evaluation.judge.measures import ANGLES, JudgedFace
from stylemask_demo.faces.parameters import EXPRESSION_DIRECTIONS, FaceParameters

# iBUG landmarks, the nearest to those that the judge measures between.
INNER_LIPS, OUTER_CORNERS = (62, 66), (36, 45)
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))


def agreement(read: Sequence[FaceParameters], seen: Sequence[JudgedFace]) -> dict[str, dict[str, float]]:
    """How well our readings of N pictures and the judge's go together, by what is read.

    `correlation` (Pearson's, left out where one side never changes) of the angles, of mouth and lid opening, and of the
    horizontal gaze; `mean difference`, absolute, of what both measure in one unit: degrees, for `pose` the mean of the
    three angles, and distances between the outer eye corners.
    """
    angles = np.array([[getattr(face, name) for name in ANGLES] for face in read])
    judged = np.array([[getattr(face, name) for name in ANGLES] for face in seen])
    rows = {"pose": {"mean difference": float(np.abs(angles - judged).mean())}}
    for column, name in enumerate(ANGLES):
        rows[name] = _compared(angles[:, column], judged[:, column], one_unit=True)
    mouth, lids = np.array([face.mouth for face in seen]), np.array([face.eye_opening for face in seen])
    rows["mouth opening: landmarks"] = _compared(_gaps(read, [INNER_LIPS]), mouth, one_unit=True)
    rows["mouth opening: jaw"] = _compared(_coefficients(read, "jaw"), mouth)
    rows["lid opening: landmarks"] = _compared(_gaps(read, LIDS), lids, one_unit=True)
    rows["lid opening: blink"] = _compared(-_coefficients(read, "blink"), lids)
    # The person's left is the picture's right.
    rows["gaze"] = _compared(_coefficients(read, "lookLeft"), np.array([face.gaze for face in seen]))
    return {name: row for name, row in rows.items() if row}


def _compared(ours: np.ndarray, theirs: np.ndarray, one_unit: bool = False) -> dict[str, float]:
    row = {}
    if min(ours.std(), theirs.std()) > 0:
        row["correlation"] = float(np.corrcoef(ours, theirs)[0, 1])
    if one_unit:
        row["mean difference"] = float(np.abs(ours - theirs).mean())
    return row


def _gaps(read: Sequence[FaceParameters], gaps: Sequence[tuple[int, int]]) -> np.ndarray:
    """Mean gap between pairs of landmarks in distances between the outer eye corners, (N,)."""
    return np.array([_gap(face, gaps) for face in read])


def _gap(face: FaceParameters, gaps: Sequence[tuple[int, int]]) -> float:
    first, second = (face.landmarks[[pair[i] for pair in gaps]] for i in (0, 1))
    left, right = face.landmarks[list(OUTER_CORNERS)]
    # The judge measures in space; in the picture a turned head's eyes come nearer to each other.
    eyes = np.linalg.norm(left - right) / np.cos(np.radians(face.yaw))
    return float(np.linalg.norm(first - second, axis=1).mean() / eyes)


def _coefficients(read: Sequence[FaceParameters], direction: str) -> np.ndarray:
    weights = EXPRESSION_DIRECTIONS[direction]
    return np.array([sum(weight * face.expression[name] for name, weight in weights.items()) for face in read])

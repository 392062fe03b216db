"""The sliders: commanded against measured change, what else changes with it, and whether the person stays the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from PIL import Image

from stylemask_demo import Reenactor
from stylemask_demo.editing.table import EXPRESSIVE, SLIDERS, SliderValues
from stylemask_demo.evaluation.instruments import Instruments, Sight
from stylemask_demo.evaluation.metrics import cosines, fit_line
from stylemask_demo.evaluation.people import BATCH, Face
from stylemask_demo.faces.head_size import RIGID, head_size
from stylemask_demo.faces.parameters import EXPRESSIONS

# What each slider is set to.
VALUES: dict[str, tuple[float, ...]] = {
    name: tuple(sorted({slider.low, slider.low / 2, 0.0, slider.high / 2, slider.high})) for name, slider in SLIDERS.items()
} | {"yaw": (-30, -20, -10, 0, 10, 20, 30), "pitch": (-15, -10, -5, 0, 5, 10, 15), "smile": (0, 0.25, 0.5, 0.75, 1)}
ANGLES = ("yaw", "pitch", "roll")
MEASURED = (*ANGLES, *EXPRESSIVE, "shift_x", "shift_y", "zoom")  # in the units of the sliders
PEOPLE = 24
OPEN = 0.08  # how far apart the lids of open eyes are, in distances between the outer corners of both
WIDER = 0.25  # of the width of a mouth at rest, by which lips at 1 are wider


@dataclass(frozen=True)
class Sweep:
    """One slider moved over its values for P people.

    `commanded` (V,) changes; `changes` (P, V, 15) measured changes of `MEASURED` against the unmoved face; `cosines`
    (P, V) of the identity to the source's crop.
    """

    slider: str
    commanded: np.ndarray
    changes: np.ndarray
    cosines: np.ndarray

    @property
    def measured(self) -> np.ndarray:
        """Measured changes (P, V) of what the slider is for."""
        return self.changes[..., MEASURED.index(self.slider)]

    def measures(self) -> dict[str, float]:
        """The sweep in numbers.

        `slope` and `R2` of one line through the changes of all people; crosstalk, the mean absolute change of what should
        stay, at the value where that is largest: `crosstalk (degrees)` over the angles, `crosstalk (smile)`, `crosstalk
        (expression)` over all else that sliders command, but for those of the same coefficients; `identity at the ends`,
        the mean cosine at the worse of the sweep's ends.
        """
        commanded = np.broadcast_to(self.commanded, self.measured.shape)
        line = fit_line(commanded.ravel(), self.measured.ravel())
        astray = dict(zip(MEASURED, np.abs(self.changes).mean(0).max(0), strict=True))
        own = _coefficients(self.slider)
        angles = [astray[name] for name in ANGLES if name != self.slider]
        others = [astray[name] for name in EXPRESSIVE if name != "smile" and not own & _coefficients(name)]
        numbers = {"slope": line.slope, "R2": line.r2, "crosstalk (degrees)": float(max(angles))}
        if self.slider != "smile":
            numbers["crosstalk (smile)"] = float(astray["smile"])
        numbers["crosstalk (expression)"] = float(max(others))
        ends = np.abs(self.commanded) == self.reach
        return numbers | {"identity at the ends": float(self.cosines[:, ends].mean(0).min())}

    @property
    def reach(self) -> float:
        """The largest commanded change."""
        return float(np.abs(self.commanded).max())


def neutral_faces(faces: Sequence[Face], count: int = PEOPLE) -> list[Face]:
    """Of evenly spread people, the view nearest to frontal and neutral, so that the sweep stays within what faces do."""
    best: dict[int, Face] = {}
    for face in faces:
        if face.person not in best or _turned(face) < _turned(best[face.person]):
            best[face.person] = face
    people = list(best.values())
    return [people[i] for i in np.linspace(0, len(people) - 1, min(count, len(people))).astype(int)]


def move(slider: str, value: float) -> SliderValues:
    """The arguments of `Reenactor.edit` that set one slider alone."""
    return cast(SliderValues, {slider: value})


def sweep(reenactor: Reenactor, faces: Sequence[Face], instruments: Instruments, slider: str) -> Sweep:
    """Moves one slider over its values for all faces."""
    portraits = [face.portrait for face in faces]

    def edited(value: float) -> list[Image.Image]:
        parts = (portraits[start : start + BATCH] for start in range(0, len(portraits), BATCH))
        return [picture for part in parts for picture in reenactor.edit(part, **move(slider, value))]

    before = instruments.look(edited(0))
    true = instruments.look([portrait.crop for portrait in portraits]).identity
    changes, likeness = [], []
    for value in VALUES[slider]:
        after = instruments.look(edited(value))
        changes.append(measured_changes(before, after, reenactor.resolution))
        likeness.append(cosines(after.identity, true))
    return Sweep(slider, np.array(VALUES[slider], float), np.stack(changes, 1), np.stack(likeness, 1))


def measured_changes(before: Sight, after: Sight, side: int) -> np.ndarray:
    """Changes (N, 15) of `MEASURED` from N pictures of `side` pixels to N others."""
    expressions = [_standing(after, name) - _standing(before, name) for name in EXPRESSIVE]
    # Wide mouths and wide eyes have no coefficient.
    expressions[EXPRESSIVE.index("lips")] = (_mouths(after) / _mouths(before) - 1) / WIDER
    expressions[EXPRESSIVE.index("eyes")] = (_lids(after) - _lids(before)) / OPEN
    right, down = ((after.landmarks - before.landmarks)[:, RIGID].mean(1) / side).T
    larger = _sizes(after) / _sizes(before) - 1
    return np.column_stack([after.euler - before.euler, *expressions, right, -down, larger])


def _standing(sight: Sight, name: str) -> np.ndarray:
    """Where a slider would stand for N faces, (N,)."""
    sides = [[EXPRESSIONS.index(one) for one in side] for side in (SLIDERS[name].more, SLIDERS[name].less)]
    more, less = (sight.expression[:, side].mean(1) if side else 0.0 for side in sides)
    return np.asarray(more - less)


def _sizes(sight: Sight) -> np.ndarray:
    return head_size(torch.from_numpy(sight.landmarks), torch.from_numpy(sight.euler)).numpy()


def _mouths(sight: Sight) -> np.ndarray:
    """Widths of mouths, in distances between the outer corners of the eyes, (N,)."""
    left, right, eye, other = (sight.landmarks[:, point] for point in (48, 54, 36, 45))
    return np.asarray(np.linalg.norm(right - left, axis=1) / np.linalg.norm(other - eye, axis=1))


def _lids(sight: Sight) -> np.ndarray:
    """How far eyes are open, the mean of both, in distances between their outer corners, (N,)."""
    above, below = (sight.landmarks[:, points].mean(1) for points in ([37, 38, 43, 44], [41, 40, 47, 46]))
    corners = sight.landmarks[:, 45] - sight.landmarks[:, 36]
    return np.asarray(np.linalg.norm(above - below, axis=1) / np.linalg.norm(corners, axis=1))


def _coefficients(slider: str) -> set[str]:
    return {*SLIDERS[slider].more, *SLIDERS[slider].less}


def _turned(face: Face) -> float:
    return float(abs(face.euler[0]) / 30 + abs(face.euler[1]) / 15 + abs(face.smile))

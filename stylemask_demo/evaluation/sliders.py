"""The sliders: commanded against measured change, what else changes with it, and whether the person stays the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

import numpy as np
from PIL import Image

from stylemask_demo import Reenactor
from stylemask_demo.evaluation.instruments import Instruments
from stylemask_demo.evaluation.metrics import cosines, fit_line
from stylemask_demo.evaluation.people import BATCH, SMILE, Face

SLIDERS = {"yaw": (-30, -20, -10, 0, 10, 20, 30), "pitch": (-15, -10, -5, 0, 5, 10, 15), "smile": (0, 0.25, 0.5, 0.75, 1)}
MEASURED = ("yaw", "pitch", "roll", "smile")  # degrees, and the smile's coefficient
PEOPLE = 24


@dataclass(frozen=True)
class Sweep:
    """One slider moved over its values for P people.

    `commanded` (V,) changes; `changes` (P, V, 4) measured changes of `MEASURED` against the unmoved face; `cosines`
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
        stay, at the value where that is largest: `crosstalk (degrees)` over the angles, `crosstalk (smile)`; `identity at
        the ends`, the mean cosine at the worse of the sweep's ends.
        """
        commanded = np.broadcast_to(self.commanded, self.measured.shape)
        line = fit_line(commanded.ravel(), self.measured.ravel())
        astray = np.abs(self.changes).mean(0).max(0)  # (4,)
        angles = [astray[i] for i, name in enumerate(MEASURED[:3]) if name != self.slider]
        numbers = {"slope": line.slope, "R2": line.r2, "crosstalk (degrees)": float(max(angles))}
        if self.slider != "smile":
            numbers["crosstalk (smile)"] = float(astray[3])
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


class Move(TypedDict, total=False):
    """What one slider is set to."""

    yaw: float
    pitch: float
    smile: float


def move(slider: str, value: float) -> Move:
    """The arguments of `Reenactor.edit` that set one slider alone."""
    return cast(Move, {slider: value})


def sweep(reenactor: Reenactor, faces: Sequence[Face], instruments: Instruments, slider: str) -> Sweep:
    """Moves one slider over its values for all faces."""
    portraits = [face.portrait for face in faces]

    def edited(value: float) -> list[Image.Image]:
        parts = (portraits[start : start + BATCH] for start in range(0, len(portraits), BATCH))
        return [picture for part in parts for picture in reenactor.edit(part, **move(slider, value))]

    before, _ = _read(instruments, edited(0))
    true = instruments.look([portrait.crop for portrait in portraits]).identity
    changes, likeness = [], []
    for value in SLIDERS[slider]:
        after, identity = _read(instruments, edited(value))
        changes.append(after - before)
        likeness.append(cosines(identity, true))
    return Sweep(slider, np.array(SLIDERS[slider], float), np.stack(changes, 1), np.stack(likeness, 1))


def _turned(face: Face) -> float:
    return float(abs(face.euler[0]) / 30 + abs(face.euler[1]) / 15 + abs(face.smile))


def _read(instruments: Instruments, pictures: list[Image.Image]) -> tuple[np.ndarray, np.ndarray]:
    """Values (N, 4) of `MEASURED`, and identity vectors."""
    sight = instruments.look(pictures)
    return np.column_stack([sight.euler, sight.expression[:, SMILE].mean(1)]), sight.identity

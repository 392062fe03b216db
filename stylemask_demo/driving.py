"""Following the face of a video: where it is in each frame, and what it does, without jitter."""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.detect import FaceFinder, LandmarkFaceFinder
from stylemask_demo.faces.extract import locate
from stylemask_demo.faces.finding import AGREEMENT, choose_face, find_faces
from stylemask_demo.methods import FaceCode
from stylemask_demo.networks.compact import ParameterExtractor


class Smoothness(NamedTuple):
    """How a one-euro filter behaves.

    `still` is its cut-off in cycles a frame where nothing moves, and `quick` is how much the cut-off rises with the speed,
    in units of the signal a frame.
    """

    still: float
    quick: float


PLACE = Smoothness(0.08, 30.0)  # of landmarks, in sides of the crop
SPEED = 0.2  # cycles a frame: cut-off of the speed itself
CODE = Smoothness(0.12, 6.0)  # of codes and direction values, in parts of their usual size


class OneEuro:
    """Smooths a signal much while it rests and little while it moves (Casiez et al., "1 EUR Filter", 2012).

    A value is a whole tensor; one speed, the root mean square of its change, sets the cut-off for all of it.
    """

    def __init__(self, smoothness: Smoothness):
        self._smoothness = smoothness
        self._value: Tensor | None = None
        self._raw: Tensor | None = None
        self._speed: Tensor | None = None

    def __call__(self, value: Tensor) -> Tensor:
        """The next value of the signal -> the smoothed value."""
        if self._value is None:
            self._value, self._raw, self._speed = value, value, torch.zeros_like(value)
            return value
        self._speed = self._speed + _pace(SPEED) * (value - self._raw - self._speed)
        still, quick = self._smoothness
        cut_off = still + quick * float(self._speed.square().mean().sqrt())
        self._value = self._value + _pace(cut_off) * (value - self._value)
        self._raw = value
        return self._value


def _pace(cut_off: float) -> float:
    """How far a first-order filter goes towards the new value, for a cut-off in cycles a frame."""
    return 1 / (1 + 1 / (2 * np.pi * cut_off))


class FaceFollower:
    """Finds one face again in every frame of a video: the clearest at first, then the one nearest to where it was."""

    def __init__(self, finder: FaceFinder, extractor: ParameterExtractor):
        self._finder, self._extractor = finder, extractor
        self._last: np.ndarray | None = None  # landmarks as they were found, not smoothed
        self._filter = OneEuro(PLACE)

    def landmarks(self, frame: Image.Image) -> np.ndarray | None:
        """Landmarks (68, 2) in pixels of the next frame (RGB), or None where there is no face."""
        found = self._found(frame)
        if found is None:
            self._last, self._filter = None, OneEuro(PLACE)  # it may come back anywhere
            return None
        self._last = found
        quad = crop_quad(found)
        side = float(np.linalg.norm(quad[3] - quad[0]))
        return self._filter(torch.from_numpy(found / side)).numpy() * side

    def _found(self, frame: Image.Image) -> np.ndarray | None:
        # A finder that knows landmarks is surer of photographs; else looking around the last place is quicker.
        if self._last is not None and not isinstance(self._finder, LandmarkFaceFinder):
            landmarks, disagreement = locate(self._extractor, np.asarray(frame), crop_quad(self._last))
            if disagreement < AGREEMENT:
                return landmarks
        faces = find_faces(frame, self._finder, self._extractor)
        if not faces:
            return None
        return choose_face(faces, None if self._last is None else tuple(crop_quad(self._last).mean(0))).landmarks


class CodeSmoother:
    """Smooths what methods know of the face of a video, frame by frame."""

    def __init__(self) -> None:
        self._filters: dict[str, OneEuro] = {}

    def __call__(self, codes: FaceCode) -> FaceCode:
        """Codes of the next B frames -> the same, smoothed."""
        return FaceCode(**{name: self._smoothed(name, rows) for name, rows in codes._asdict().items()})

    def _smoothed(self, name: str, rows: Tensor | None) -> Tensor | None:
        if rows is None:
            return None
        smooth = self._filters.setdefault(name, OneEuro(CODE))
        return torch.stack([smooth(row) for row in rows])

"""Following the face of a video: where it is in each frame, and what it does, without jitter."""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.detect import FaceFinder
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
CODE = Smoothness(0.12, 6.0)  # of codes and direction values, in parts of their size
PATIENT = 4  # frames without a face after which only every such frame is searched, because that takes long


class OneEuro:
    """Smooths a signal much while it rests and little while it moves (Casiez et al., "1 EUR Filter", 2012).

    A value is a whole tensor; one speed, the root mean square of its change in parts of `size`, sets the cut-off for all
    of it.
    """

    def __init__(self, smoothness: Smoothness, size: float = 1.0):
        self._smoothness, self._size = smoothness, size
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
        cut_off = still + quick * float(self._speed.square().mean().sqrt()) / self._size
        self._value = self._value + _pace(cut_off) * (value - self._value)
        self._raw = value
        return self._value


def _pace(cut_off: float) -> float:
    """How far a first-order filter goes towards the new value, for a cut-off in cycles a frame."""
    return 1 / (1 + 1 / (2 * np.pi * cut_off))


class FaceFollower:
    """Finds one face again in every frame of a video: the clearest at first, then the one nearest to where it was.

    Searching a whole frame takes up to seconds, reading a face around its last place a tenth of one. So the face is
    followed by reading, and searched anew when the reading is no face any more.
    """

    def __init__(self, finder: FaceFinder, extractor: ParameterExtractor):
        self._finder, self._extractor = finder, extractor
        self._last: np.ndarray | None = None  # landmarks as they were read, not smoothed
        self._lost = 0  # frames since a face was seen
        # A finder with landmarks of its own sees them a little differently, by this much in sides of the crop.
        self._difference = np.zeros((68, 2))
        self._filter = OneEuro(PLACE)

    def landmarks(self, frame: Image.Image) -> np.ndarray | None:
        """Landmarks (68, 2) in pixels of the next frame (RGB), or None where there is no face."""
        read = self._followed(frame)
        if read is None:
            read = self._searched(frame)
        if read is None:
            self._lost, self._filter = self._lost + 1, OneEuro(PLACE)
            if self._lost >= PATIENT:
                self._last = None  # it may come back anywhere
            return None
        self._last, self._lost = read, 0
        quad = crop_quad(read)
        side = float(np.linalg.norm(quad[3] - quad[0]))
        found = read + self._difference @ _axes(quad)
        return self._filter(torch.from_numpy(found / side)).numpy() * side

    def _followed(self, frame: Image.Image) -> np.ndarray | None:
        """What is read where the face was last, if that is a face whose middle is in the frame."""
        if self._last is None:
            return None
        try:
            landmarks, disagreement = locate(self._extractor, np.asarray(frame), crop_quad(self._last))
            x, y = crop_quad(landmarks).mean(0)
        except ValueError:  # eyes and mouth in one place: this is no face
            return None
        inside = 0 <= x < frame.width and 0 <= y < frame.height
        return landmarks if disagreement < AGREEMENT and inside else None

    def _searched(self, frame: Image.Image) -> np.ndarray | None:
        """What is read where the finder sees the face."""
        if self._lost > PATIENT and self._lost % PATIENT:
            return None
        faces = find_faces(frame, self._finder, self._extractor)
        if not faces:
            return None
        found = choose_face(faces, None if self._last is None else tuple(crop_quad(self._last).mean(0))).landmarks
        quad = crop_quad(found)
        read, disagreement = locate(self._extractor, np.asarray(frame), quad)
        if disagreement > AGREEMENT:  # only the finder knows this face: it is searched in every frame
            self._difference = np.zeros_like(found)
            return found
        self._difference = (found - read) @ np.linalg.inv(_axes(crop_quad(read)))
        return read


def _axes(quad: np.ndarray) -> np.ndarray:
    """The crop's sides to the right and down, (2, 2): they take what is in sides of the crop to pixels of the frame."""
    return np.stack([quad[3] - quad[0], quad[1] - quad[0]])


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
        if name not in self._filters:
            # Values about 1 are large among angles and coefficients; how large codes are, each generator has by itself.
            size = 2 * float(rows[0].std()) if name in ("w_plus", "motion") else 1.0
            self._filters[name] = OneEuro(CODE, size)
        return torch.stack([self._filters[name](row) for row in rows])

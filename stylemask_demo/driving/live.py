"""A face before a camera, followed frame by frame as they come: no more than a picture needs that is seen for a moment."""

import threading
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from stylemask_demo.driving.following import USUAL_RATE
from stylemask_demo.driving.options import Driving
from stylemask_demo.driving.relative import RelativeMotion
from stylemask_demo.driving.smoothing import PLACE, CodeSmoother, OneEuro, Smoothness
from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.crops import CropRule
from stylemask_demo.faces.finding import AGREEMENT

LIVE_RATE = 8.0  # frames a second that two cores make of a camera; filters count frames
QUICKER = USUAL_RATE / LIVE_RATE
LIVE_PLACE = Smoothness(PLACE.still * QUICKER, PLACE.quick * QUICKER)
SEARCHED = 4  # of so many frames without a face it is searched in one, because that takes long

# The landmarks (68, 2) of a face in a frame: read around a place, with how much they disagree; or found anew, if at all.
Read = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, float]]
Find = Callable[[Image.Image], np.ndarray | None]


class LiveFace:
    """What is known of the one who sits before a camera, from frame to frame: numbers alone, no picture.

    Of `Driving` the method, strength, region, motion and smoothing count. Nobody else is looked for: whoever is at the
    place of the last face is followed, and after a loss the clearest face. Frames that come at once take their `turn`.
    """

    def __init__(self, how: Driving):
        self.how, self.turn = how, threading.Lock()
        self.smooth, self.relative = CodeSmoother(how.smoothing / QUICKER), RelativeMotion()
        self._last: np.ndarray | None = None  # landmarks as they were read
        self._filter, self._lost = OneEuro(LIVE_PLACE), 0  # frames since a face was seen

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "turn"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state, turn=threading.Lock())

    def led(self, how: Driving) -> "LiveFace":
        """The same face where it is, followed otherwise from now on."""
        other = LiveFace(how)
        other._last, other._filter = self._last, self._filter
        return other

    def crop(self, frame: Image.Image, read: Read, find: Find, rule: CropRule, size: int) -> Image.Image | None:
        """The crop by a rule of the face in the next frame (RGB), `size` pixels a side; None where none is seen."""
        self._last = self._read(frame, read) if self._last is not None else None
        if self._last is None:
            self._filter = OneEuro(LIVE_PLACE)
            self._last = find(frame) if self._lost % SEARCHED == 0 else None
        self._lost = 0 if self._last is not None else self._lost + 1
        if self._last is None:
            return None
        side = _side(self._last)
        try:
            return rule.cut(frame, self._filter(torch.from_numpy(self._last / side)).numpy() * side, size)[0]
        except ValueError:  # it has left the picture
            return None

    def _read(self, frame: Image.Image, read: Read) -> np.ndarray | None:
        assert self._last is not None
        try:
            landmarks, disagreement = read(np.asarray(frame), crop_quad(self._last))
            x, y = crop_quad(landmarks).mean(0)
        except ValueError:  # eyes and mouth in one place: this is no face
            return None
        inside = 0 <= x < frame.width and 0 <= y < frame.height
        return landmarks if inside and disagreement < AGREEMENT else None


def _side(landmarks: np.ndarray) -> float:
    quad = crop_quad(landmarks)
    return float(np.linalg.norm(quad[3] - quad[0]))

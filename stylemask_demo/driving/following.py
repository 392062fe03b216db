"""Following the face of a video: where it is in each frame, and what it does, without jitter."""

import numpy as np
import torch
from PIL import Image

from stylemask_demo.driving.smoothing import PLACE, OneEuro
from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.crops import CropRule
from stylemask_demo.faces.detect import FaceFinder
from stylemask_demo.faces.extract import locate
from stylemask_demo.faces.finding import AGREEMENT, choose_face, find_faces
from stylemask_demo.networks.parameter_extractor import ParameterExtractor

PATIENT = 4  # frames without a face after which only every such frame is searched, because that takes long


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

    def crop(self, frame: Image.Image, rule: CropRule, size: int) -> Image.Image | None:
        """The crop by a rule of the face in the next frame (RGB), `size` pixels a side, or None where there is no face."""
        landmarks = self.landmarks(frame)
        try:
            return None if landmarks is None else rule.cut(frame, landmarks, size)[0]
        except ValueError:  # it has left the picture
            return None

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

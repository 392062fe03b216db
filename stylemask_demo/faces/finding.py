"""All faces of a photo with their landmarks, and which of them is meant."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.errors import NoFaceFound
from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.detect import BOX_OF_CROP, SEARCH_SIDE, FaceBox, FaceFinder
from stylemask_demo.faces.extract import locate
from stylemask_demo.networks.parameter_extractor import ParameterExtractor

AGREEMENT = 0.12  # largest disagreement of the landmarks on a face that the face finder saw
STRICT_AGREEMENT = 0.08  # and where it saw none, so that the whole picture is tried as a crop
SAME_FACE = 0.5  # faces whose middles are nearer than this part of a box are one face
SMALLEST = 16.0  # pixels; a smaller box shows no face worth reenacting
FULL_SIZE = 256.0  # pixels of a box from which on a larger face is no clearer
FULL_DETAIL = 12.0  # grey levels that a sharp face differs from its blurred self, on average
LOOK_SIDE = 64  # pixels of the copy that sharpness is measured in


@dataclass(frozen=True)
class Face:
    """One face of a photo, in its pixels.

    The box `x0, y0, x1, y1` is square, centred where FFHQ alignment centres its crop, 0.66 times as large, and may reach
    beyond the photo; `landmarks` (68, 2) in iBUG order, read-only; `clarity` 0..1 says how good a portrait it would make.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    landmarks: np.ndarray
    clarity: float

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box (x, y)."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def side(self) -> float:
        """Side of the box in pixels."""
        return self.x1 - self.x0

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies in the box."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


def find_faces(photo: Image.Image, finder: FaceFinder, extractor: ParameterExtractor) -> list[Face]:
    """Find the faces of a photo, RGB of any size, the clearest first; none gives an empty list.

    `finder` tells where faces may be. `extractor` reads landmarks where the finder knows none: on a face they agree however
    it is cut out, so that boxes without a face are told and left out. Where the finder sees nothing, the whole photo is
    tried as a crop.
    """
    pixels = np.asarray(photo)
    faces = _confirmed_faces(finder.find(photo), pixels, extractor, AGREEMENT)
    if not faces:
        # A face crop fills its picture too much for a face finder at times.
        half = min(photo.size) * BOX_OF_CROP / 2
        x, y = (photo.width - 1) / 2, (photo.height - 1) / 2
        whole = FaceBox(x - half, y - half, x + half, y + half)
        faces = _confirmed_faces([whole], pixels, extractor, STRICT_AGREEMENT)
    if not faces and max(photo.size) > SEARCH_SIDE:
        faces = _confirmed_faces(finder.find(photo, small=True), pixels, extractor, AGREEMENT)
    return sorted(faces, key=lambda face: -face.clarity)


def choose_face(faces: Sequence[Face], face: int | tuple[float, float] | None = None) -> Face:
    """Return the face that is meant: by its place in the list, by a point (x, y) of the photo, else the clearest.

    Of faces whose boxes hold the point, and else of all, the one with the nearest middle is meant. Raises NoFaceFound when
    there are no faces, or none with this number.
    """
    if not faces:
        raise NoFaceFound(messages.NO_FACE)
    if face is None:
        return faces[0]
    if isinstance(face, int):
        if not 0 <= face < len(faces):
            raise NoFaceFound(messages.NO_SUCH_FACE.format(number=face, count=len(faces)))
        return faces[face]
    around = [candidate for candidate in faces if candidate.contains(*face)] or faces
    return min(around, key=lambda candidate: np.hypot(*np.subtract(candidate.centre, face)))


def _confirmed_faces(
    boxes: Sequence[FaceBox], pixels: np.ndarray, extractor: ParameterExtractor, limit: float
) -> list[Face]:
    """The faces at boxes whose landmarks agree within `limit`, each face once."""
    faces: list[Face] = []
    for box in boxes:
        if box.x1 - box.x0 < SMALLEST:
            continue
        try:
            landmarks, disagreement = (
                (box.landmarks, 0.0) if box.landmarks is not None else locate(extractor, pixels, _quad(box))
            )
            quad = crop_quad(landmarks)
        except ValueError:  # eyes and mouth in one place: this is no face
            continue
        if disagreement < limit:
            face = _face(landmarks, quad, pixels)
            # The surest boxes come first: of two on one face the later is dropped.
            if face is not None and not any(_same(face, other) for other in faces):
                faces.append(face)
    return faces


def _face(landmarks: np.ndarray, quad: np.ndarray, pixels: np.ndarray) -> Face | None:
    """The face with these landmarks and this FFHQ crop, or None when its middle is not in the photo."""
    height, width, _ = pixels.shape
    x, y = quad.mean(0)
    if not (0 <= x < width and 0 <= y < height):
        return None
    half = float(np.linalg.norm(quad[3] - quad[0])) * BOX_OF_CROP / 2
    landmarks = np.array(landmarks, np.float64)
    landmarks.setflags(write=False)
    box = float(x - half), float(y - half), float(x + half), float(y + half)
    return Face(*box, landmarks, _clarity(pixels, box, landmarks))


def _clarity(pixels: np.ndarray, box: tuple[float, float, float, float], landmarks: np.ndarray) -> float:
    """How good a portrait a face makes, 0..1: large, sharp, whole, and near the middle of the photo."""
    height, width, _ = pixels.shape
    x0, y0, x1, y1 = box
    size = min((x1 - x0) / FULL_SIZE, 1.0)
    left, top, right, bottom = max(int(x0), 0), max(int(y0), 0), min(int(x1) + 1, width), min(int(y1) + 1, height)
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (LOOK_SIDE, LOOK_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    sharp = min(float(np.abs(small - cv2.GaussianBlur(small, (0, 0), 2)).mean()) / FULL_DETAIL, 1.0)
    whole = float(((landmarks >= 0) & (landmarks < (width, height))).all(1).mean())
    away = np.hypot((x0 + x1) / width - 1, (y0 + y1) / height - 1) / np.sqrt(2)  # 0 in the middle, 1 in a corner
    return float(size * (0.4 + 0.6 * sharp) * whole * (1 - 0.3 * away))


def _same(first: Face, second: Face) -> bool:
    return np.hypot(*np.subtract(first.centre, second.centre)) < SAME_FACE * min(first.side, second.side)


def _quad(box: FaceBox) -> np.ndarray:
    """Corners (4, 2) of the FFHQ crop for a face finder's box."""
    half = (box.x1 - box.x0) / 2 / BOX_OF_CROP
    angle = np.radians(box.roll)
    x = half * np.array([np.cos(angle), -np.sin(angle)])
    y = half * np.array([np.sin(angle), np.cos(angle)])
    return np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]) + np.stack([-x - y, -x + y, x + y, x - y])

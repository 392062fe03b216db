"""Finding faces in photos: face-alignment where its weights can be had, else OpenCV's cascades."""

import math
import os
import threading
import warnings
from dataclasses import dataclass, replace
from pickle import UnpicklingError  # nosec B403
from typing import Protocol

import cv2
import numpy as np
import torch
from cv2.data import haarcascades
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.errors import WrongSetting
from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.detector_weights import DETECTORS, at_hand

# Faces are searched in copies of these sizes, pixels of the longer side. A face worth reenacting is large in its photo.
SEARCH_SIDE = 640
SECOND_SEARCH_SIDE = 400  # beside a face that was found already
LARGE_SEARCH_SIDE = 1600  # for small faces
# The box of a face is centred where FFHQ would centre the crop, with this part of the crop's side.
BOX_OF_CROP = 0.66

DETECTOR_SETTING = "STYLEMASK_DETECTOR"  # environment variable that names face-alignment's detector


@dataclass(frozen=True)
class FaceBox:
    """Where a face is in a photo, in pixels.

    The box is square and centred where FFHQ alignment would centre its crop; its side is 0.66 of the crop's.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    landmarks: np.ndarray | None = None  # (68, 2) iBUG points, when the finder knows them
    roll: float = 0.0  # degrees anticlockwise by which the face was found tilted: 0 or the tilt tried


class FaceFinder(Protocol):
    """Finds the places of faces in a photo; `name` says by what means."""

    name: str

    def find(self, image: Image.Image, small: bool = False) -> list[FaceBox]:
        """Return where faces of an RGB photo may be, the surest first and of equally sure ones the largest.

        `small` looks for faces that are too small for the first look; it takes longer.
        """
        ...


def create_face_finder(device: str | torch.device = "cpu", detector: str | None = None) -> FaceFinder:
    """Return face-alignment's finder when its weights are cached or can be downloaded, else the cascades.

    `detector` is "sfd", the surest, or "blazeface", the fastest, which sees the middle square of the photo; without one the
    environment variable STYLEMASK_DETECTOR says, else it is "sfd". Offline this returns within a few seconds; a download is
    given up after two minutes and goes on the next time. Raises WrongSetting for any other detector.
    """
    detector = detector or os.environ.get(DETECTOR_SETTING) or "sfd"
    if detector not in DETECTORS:
        raise WrongSetting(
            messages.WRONG_DETECTOR.format(names=", ".join(DETECTORS)),
            f"There is no face detector '{detector}'. Set {DETECTOR_SETTING} to one of: {', '.join(DETECTORS)}.",
        )
    if not at_hand(detector):
        return CascadeFaceFinder()
    try:
        return LandmarkFaceFinder(device, detector)
    except (RuntimeError, ValueError, KeyError, EOFError, UnpicklingError):
        for file in DETECTORS[detector]:
            file.path.unlink(missing_ok=True)  # damaged: fetched anew next time
        return CascadeFaceFinder()


class LandmarkFaceFinder:
    """face-alignment: a detector of its choice, and 2DFAN-4 landmarks (Bulat and Tzimiropoulos, 2017)."""

    name = "face-alignment"

    def __init__(self, device: str | torch.device = "cpu", detector: str = "sfd") -> None:
        # Imported here: it takes seconds, and is of no use without its weights.
        import face_alignment

        # Given as a path, the detector's weights are read as plain tensors; its own download unpickles.
        network, *anchors = (str(file.path) for file in DETECTORS[detector])
        options: dict[str, str | bool] = {"path_to_detector": network}
        if detector == "blazeface":
            options |= {"path_to_anchor": anchors[0], "back_model": True}
        self._network = face_alignment.FaceAlignment(
            face_alignment.LandmarksType.TWO_D,
            device=str(device),
            compile=False,
            face_detector=detector,
            face_detector_kwargs=options,
        )

    def find(self, image: Image.Image, small: bool = False) -> list[FaceBox]:
        """Return the faces of an RGB photo with their landmarks, largest first; `small` searches a larger copy."""
        pixels, scale = _search_copy(image, LARGE_SEARCH_SIDE if small else SEARCH_SIDE)
        found = self._network.face_detector.detect_from_image(pixels)
        boxes = [np.append(np.asarray(box[:4], dtype=np.float64) * scale, box[4]) for box in found]
        if not boxes:
            return []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            landmarks = self._network.get_landmarks_from_image(np.asarray(image).copy(), detected_faces=boxes)
        faces = [_box_of_landmarks(points) for points in landmarks]
        return sorted((face for face in faces if face is not None), key=_size, reverse=True)


@dataclass(frozen=True)
class _Cascade:
    """One of OpenCV's cascades, and how its boxes lie in FFHQ crops (measured on rendered people)."""

    file: str
    neighbours: int  # how many raw hits make a face; fewer finds more, and more that is none
    right: float  # from the middle of the crop to the middle of the box, in sides of the crop
    down: float
    size: float  # side of the box in sides of the crop
    mirrored: bool = False  # searches the mirrored picture: the profile cascade knows one side only


_SURE = _Cascade("haarcascade_frontalface_alt2.xml", 4, 0.0, 0.036, 0.66)
_UNSURE = (
    _Cascade("haarcascade_frontalface_default.xml", 4, 0.0, 0.035, 0.68),
    _Cascade("haarcascade_frontalface_alt.xml", 3, 0.0, 0.035, 0.66),
    _Cascade("haarcascade_profileface.xml", 3, 0.116, 0.023, 0.70),
    _Cascade("haarcascade_profileface.xml", 3, -0.116, 0.023, 0.70, mirrored=True),
)
_TILTS = (30.0, -30.0)  # degrees; the cascades themselves stand about 15 either way
_SMALLEST = 24  # pixels of the copy that is searched; the cascades know 20 and more
_ROOM = 0.1  # of the copy's longer side is added around it for faces at the border
_FILLED = 0.5  # a crop of this part of the photo's area leaves no room for a second face
_LARGE = 0.35  # sides of such faces in parts of the photo's side, with room for the raw hits that are averaged
_SAME_FACE = 0.4  # boxes that share this part of their union are one face


class CascadeFaceFinder:
    """OpenCV's cascades (Viola and Jones, 2001): need no download, and know no landmarks.

    The surest frontal cascade looks first. Unless its face fills the photo there may be others: it looks again beyond the
    border of the photo and at the photo tilted either way, and the other frontal cascades and the profile one, which looks
    both ways, vote.
    """

    name = "OpenCV cascade"

    def __init__(self) -> None:
        self._classifiers = {
            cascade.file: cv2.CascadeClassifier(os.path.join(haarcascades, cascade.file)) for cascade in (_SURE, *_UNSURE)
        }
        self._lock = threading.Lock()  # a classifier keeps buffers between calls

    def find(self, image: Image.Image, small: bool = False) -> list[FaceBox]:
        """Return where faces may be: upright ones, tilted ones, then those voted for, of each kind the largest first.

        The last kind is no face at times. For `small` faces only upright ones are looked for, in a larger copy.
        """
        photo = image.convert("L")
        if small:
            return self._find_upright(*_search_copy(photo, LARGE_SEARCH_SIDE))
        grey, scale = _search_copy(photo, SEARCH_SIDE)
        # Nearly all of the time goes into small faces, and most portraits are filled by one.
        boxes = self._find_upright(grey, scale, smallest=round(_LARGE * math.sqrt(grey.size)))
        if boxes and (_size(boxes[0]) / BOX_OF_CROP) ** 2 > _FILLED * image.width * image.height:
            return boxes
        boxes = self._find_upright(grey, scale)
        # Beside a face that was found, those that are harder to see are searched for less thoroughly.
        return _distinct(
            boxes + self._find_harder(*_search_copy(photo, SECOND_SEARCH_SIDE if boxes else SEARCH_SIDE), boxes)
        )

    def _find_harder(self, grey: np.ndarray, scale: float, known: list[FaceBox]) -> list[FaceBox]:
        """Look for faces at the border, tilted ones and turned ones; those that are `known` make votes count for less."""
        # The cascades want some room around a face.
        room = round(_ROOM * max(grey.shape))
        grey = cv2.copyMakeBorder(grey, room, room, room, room, cv2.BORDER_REPLICATE)
        boxes = self._find_upright(grey, scale) + self._find_tilted(grey, scale)
        groups = _groups([square for cascade in _UNSURE for square in self._detect(grey, cascade)])
        if boxes or known:
            groups = [group for group in groups if len(group) > 1]
        groups.sort(key=lambda group: (len(group), np.mean([side for _, _, side in group])), reverse=True)
        boxes += [_box(*np.mean(group, axis=0) * scale) for group in groups]
        away = room * scale
        return [replace(box, x0=box.x0 - away, y0=box.y0 - away, x1=box.x1 - away, y1=box.y1 - away) for box in boxes]

    def _find_upright(self, grey: np.ndarray, scale: float, smallest: int = _SMALLEST) -> list[FaceBox]:
        boxes = [_box(*np.multiply(square, scale)) for square in self._detect(grey, _SURE, smallest)]
        return sorted(boxes, key=_size, reverse=True)

    def _find_tilted(self, grey: np.ndarray, scale: float) -> list[FaceBox]:
        """Look for faces in copies turned upright by the tilts tried."""
        height, width = grey.shape
        boxes = []
        for tilt in _TILTS:
            # A head tilted anticlockwise stands upright after a clockwise turn, which OpenCV counts negative.
            turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -tilt, 1.0)
            turned = cv2.warpAffine(grey, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
            back = cv2.invertAffineTransform(turn)
            for x, y, side in self._detect(turned, _SURE):
                x, y = back @ (x, y, 1.0)
                boxes.append(_box(x * scale, y * scale, side * scale, roll=tilt))
        return sorted(boxes, key=_size, reverse=True)

    def _detect(self, grey: np.ndarray, cascade: _Cascade, smallest: int = _SMALLEST) -> list[tuple[float, float, float]]:
        """Return (x, y, side) of the FFHQ crops of the faces that one cascade sees."""
        picture = np.ascontiguousarray(grey[:, ::-1]) if cascade.mirrored else grey
        with self._lock:
            found = self._classifiers[cascade.file].detectMultiScale(
                picture, scaleFactor=1.1, minNeighbors=cascade.neighbours, minSize=(smallest, smallest)
            )
        squares = []
        for left, top, width, _ in np.asarray(found, dtype=np.float64).reshape(-1, 4):
            if cascade.mirrored:
                left = grey.shape[1] - left - width
            side = width / cascade.size
            x, y = left + (width - 1) / 2, top + (width - 1) / 2
            squares.append((x - cascade.right * side, y - cascade.down * side, side))
        return squares


def _search_copy(image: Image.Image, side: int) -> tuple[np.ndarray, float]:
    """Return a copy (H, W[, 3]) of at most `side` pixels, and the factor from its pixels to those of the photo."""
    scale = max(1.0, max(image.size) / side)
    if scale > 1:
        # Reduced first by whole numbers, which is fast: a large photo takes a tenth of the time.
        image = image.resize((max(1, round(image.width / scale)), max(1, round(image.height / scale))), reducing_gap=2.0)
    return np.array(image), scale


def _distinct(boxes: list[FaceBox]) -> list[FaceBox]:
    """Boxes without those that lie on the face of an earlier one."""
    kept: list[FaceBox] = []
    for box in boxes:
        if all(_overlap(_square(box), _square(other)) <= _SAME_FACE for other in kept):
            kept.append(box)
    return kept


def _square(box: FaceBox) -> tuple[float, float, float]:
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, _size(box)


def _box(x: float, y: float, crop_side: float, landmarks: np.ndarray | None = None, roll: float = 0.0) -> FaceBox:
    half = crop_side * BOX_OF_CROP / 2
    return FaceBox(float(x - half), float(y - half), float(x + half), float(y + half), landmarks, roll)


def _box_of_landmarks(landmarks: np.ndarray) -> FaceBox | None:
    try:
        quad = crop_quad(landmarks)
    except ValueError:  # eyes and mouth in one place: this is no face
        return None
    x, y = quad.mean(axis=0)
    return _box(x, y, float(np.linalg.norm(quad[3] - quad[0])), landmarks=landmarks)


def _size(box: FaceBox) -> float:
    return box.x1 - box.x0


def _groups(squares: list[tuple[float, float, float]]) -> list[list[tuple[float, float, float]]]:
    """Gather squares that lie on the same face."""
    groups: list[list[tuple[float, float, float]]] = []
    for square in squares:
        for group in groups:
            if _overlap(square, group[0]) > _SAME_FACE:
                group.append(square)
                break
        else:
            groups.append([square])
    return groups


def _overlap(first: tuple[float, float, float], second: tuple[float, float, float]) -> float:
    """Return intersection over union of two squares (x, y, side)."""
    reach = (first[2] + second[2]) / 2
    common = min(first[2], second[2])
    wide = np.clip(reach - abs(first[0] - second[0]), 0, common)
    high = np.clip(reach - abs(first[1] - second[1]), 0, common)
    return float(wide * high / (first[2] ** 2 + second[2] ** 2 - wide * high))

"""What outside eyes see of a face as numbers, and how far a result is from what was wanted. Formulas, no networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image

ANGLES = ("yaw", "pitch", "roll")
ERRORS = ("pose error", "mouth error", "eye opening error", "gaze error")  # see `errors`
SAME_PERSON = 0.6  # dlib: pictures of one person lie nearer to each other than this
LARGE_TURN = 20.0  # degrees
OF_A_COPY = " of a copy"  # what the unchanged source would miss

# Points of MediaPipe's face mesh, left and right as in the picture: ears, forehead, chin, lips, eyes, irises.
EARS, FOREHEAD, CHIN = (234, 454), 10, 152
INNER_LIPS, MOUTH_CORNERS = (13, 14), (61, 291)
EYES = ((33, 133), (362, 263))  # corners of each, from left to right
LIDS, IRISES = ((159, 145), (386, 374)), (468, 473)
OUTER_CORNERS = (EYES[0][0], EYES[1][1])


@dataclass(frozen=True)
class JudgedFace:
    """One face as outside eyes see it.

    `yaw`, `pitch` and `roll` in degrees as seen in the picture: yaw > 0 turns the face to the right, pitch > 0 looks up,
    roll > 0 turns the head anticlockwise. `mouth`, the gap between the inner lips, `mouth_width` and `eye_opening`, the
    mean gap between the lids, in distances between the outer eye corners. `gaze`, how far the irises lie to the right of
    the middle of the eyes, in eye widths. `sharpness`, the mean absolute Laplacian of the face in grey levels, 0..255.
    `identity` (128,): see `identity_distance`.
    """

    yaw: float
    pitch: float
    roll: float
    mouth: float
    mouth_width: float
    eye_opening: float
    gaze: float
    sharpness: float
    identity: np.ndarray

    @classmethod
    def from_mesh(cls, mesh: np.ndarray, identity: np.ndarray, picture: Image.Image) -> "JudgedFace":
        """The face of a picture with MediaPipe's face mesh (478, 3) in its pixels and dlib's identity vector (128,)."""
        across, up = _unit(mesh[EARS[1]] - mesh[EARS[0]]), _unit(mesh[FOREHEAD] - mesh[CHIN])
        eyes = _distance(mesh, OUTER_CORNERS)
        return cls(
            yaw=float(np.degrees(np.arctan2(across[2], across[0]))),
            pitch=float(np.degrees(np.arctan2(up[2], -up[1]))),
            roll=float(np.degrees(np.arctan2(-across[1], across[0]))),
            mouth=_distance(mesh, INNER_LIPS) / eyes,
            mouth_width=_distance(mesh, MOUTH_CORNERS) / eyes,
            eye_opening=float(np.mean([_distance(mesh, lids) for lids in LIDS])) / eyes,
            gaze=float(np.mean([_gaze(mesh, iris, corners) for iris, corners in zip(IRISES, EYES, strict=True)])),
            sharpness=sharpness(picture, mesh[:, :2]),
            identity=identity,
        )

    def turned(self, change: Mapping[str, float]) -> "JudgedFace":
        """The same face with its angles changed by degrees; other changes are passed over."""
        return replace(self, **{name: getattr(self, name) + change[name] for name in ANGLES if name in change})

    def facing_as(self, other: "JudgedFace") -> "JudgedFace":
        """The same face with the angles of another."""
        return replace(self, **{name: getattr(other, name) for name in ANGLES})


def sharpness(picture: Image.Image, points: np.ndarray) -> float:
    """Mean absolute Laplacian of the grey levels (0..255) within the box around points (N, 2) in pixels."""
    grey = cv2.cvtColor(np.asarray(picture.convert("RGB")), cv2.COLOR_RGB2GRAY).astype(np.float64)
    (left, top), (right, bottom) = points.min(0).astype(int), points.max(0).astype(int)
    return float(np.abs(cv2.Laplacian(grey[max(top, 0) : bottom, max(left, 0) : right], cv2.CV_64F)).mean())


def identity_distance(first: JudgedFace, second: JudgedFace) -> float:
    """Euclidean distance of dlib's identity vectors (King 2017, "High quality face recognition"): under 0.6 one person."""
    return float(np.linalg.norm(first.identity - second.identity))


def turn_between(first: JudgedFace, second: JudgedFace) -> float:
    """The angle in degrees between the directions that two faces look to; roll does not count."""
    cosine = float(_direction(first) @ _direction(second))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def errors(seen: JudgedFace, wanted: JudgedFace) -> dict[str, float]:
    """How far a face is from what is wanted.

    `pose error`, the mean of the absolute differences of yaw, pitch and roll in degrees; `mouth error` and `eye opening
    error` in distances between the outer eye corners; `gaze error` in eye widths.
    """
    pose = float(np.mean([abs(getattr(seen, name) - getattr(wanted, name)) for name in ANGLES]))
    missed = [abs(getattr(seen, name) - getattr(wanted, name)) for name in ("mouth", "eye_opening", "gaze")]
    return dict(zip(ERRORS, (pose, *missed), strict=True))


@dataclass(frozen=True)
class Judgement:
    """What became of one result: the `turn` in degrees that was asked for, and its `measures`.

    `measures` is empty where no face is seen in the result: it failed.
    """

    name: str
    turn: float
    measures: dict[str, float]

    @property
    def same_person(self) -> bool:
        """Whether the result shows the source person."""
        return bool(self.measures) and self.measures["identity distance"] < SAME_PERSON


def judge(name: str, source: JudgedFace, made: JudgedFace | None, wanted: JudgedFace, smiled: bool = False) -> Judgement:
    """Holds a result against its source and against the pose and expression that were wanted of it.

    Measures: those of `errors`, for the result and, ending in "of a copy", for the unchanged source; `identity distance` to
    the source; `sharpness`, that of the face over the source's. Where a smile was asked for, which may open the mouth,
    `mouth widening` in distances between the outer eye corners stands instead of the mouth error.
    """
    turn = turn_between(source, wanted)
    if made is None:
        return Judgement(name, turn, {})
    copied = {f"{key}{OF_A_COPY}": value for key, value in errors(source, wanted).items()}
    measures = errors(made, wanted) | copied
    if smiled:
        measures = {key: value for key, value in measures.items() if not key.startswith("mouth")}
        measures["mouth widening"] = made.mouth_width - source.mouth_width
    measures["identity distance"] = identity_distance(made, source)
    measures["sharpness"] = made.sharpness / source.sharpness
    return Judgement(name, turn, measures)


def summary(judgements: Sequence[Judgement]) -> dict[str, float]:
    """One number for each measure, of at least one result.

    `results` and how many of them show `no face`; means of the measures of the others; `same person`, the share of results,
    those without a face counting as failures; `same person beyond 20 degrees`, the share of those that were turned further.
    """
    seen = [judgement.measures for judgement in judgements if judgement.measures]
    numbers: dict[str, float] = {"results": len(judgements), "no face": len(judgements) - len(seen)}
    numbers |= {name: float(np.mean([measures[name] for measures in seen])) for name in (seen[0] if seen else ())}
    numbers["same person"] = float(np.mean([judgement.same_person for judgement in judgements]))
    if far := [judgement.same_person for judgement in judgements if judgement.turn > LARGE_TURN]:
        numbers[f"same person beyond {LARGE_TURN:g} degrees"] = float(np.mean(far))
    return numbers


def _gaze(mesh: np.ndarray, iris: int, corners: tuple[int, int]) -> float:
    left, right = mesh[corners[0]], mesh[corners[1]]
    return float((mesh[iris] - (left + right) / 2)[0] / np.linalg.norm(left - right))


def _direction(face: JudgedFace) -> np.ndarray:
    yaw, pitch = np.radians(face.yaw), np.radians(face.pitch)
    return np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])


def _distance(mesh: np.ndarray, points: tuple[int, int]) -> float:
    return float(np.linalg.norm(mesh[points[0]] - mesh[points[1]]))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)

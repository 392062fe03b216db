"""Face parameters: head pose, expression, landmarks and identity coefficients of one face."""

from dataclasses import dataclass

import numpy as np

# Expression coefficients in the order of ICT-FaceKit's 53 expression modes; _L and _R are the person's left and right.
EXPRESSIONS = tuple(
    "browDown_L browDown_R browInnerUp_L browInnerUp_R browOuterUp_L browOuterUp_R cheekPuff_L cheekPuff_R "
    "cheekSquint_L cheekSquint_R eyeBlink_L eyeBlink_R eyeLookDown_L eyeLookDown_R eyeLookIn_L eyeLookIn_R "
    "eyeLookOut_L eyeLookOut_R eyeLookUp_L eyeLookUp_R eyeSquint_L eyeSquint_R eyeWide_L eyeWide_R jawForward jawLeft "
    "jawOpen jawRight mouthClose mouthDimple_L mouthDimple_R mouthFrown_L mouthFrown_R mouthFunnel mouthLeft "
    "mouthLowerDown_L mouthLowerDown_R mouthPress_L mouthPress_R mouthPucker mouthRight mouthRollLower mouthRollUpper "
    "mouthShrugLower mouthShrugUpper mouthSmile_L mouthSmile_R mouthStretch_L mouthStretch_R mouthUpperUp_L "
    "mouthUpperUp_R noseSneer_L noseSneer_R".split()
)

# The iBUG landmark that each one becomes in a mirrored picture.
MIRRORED_LANDMARKS = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31]
    + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    + [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
)


def mirrored_expressions(names: tuple[str, ...]) -> np.ndarray:
    """Order of the expression coefficients of a mirrored picture: left and right change places."""
    other = {"L": "R", "R": "L"}
    swap = {
        "jawLeft": "jawRight",
        "jawRight": "jawLeft",
        "mouthLeft": "mouthRight",
        "mouthRight": "mouthLeft",
    }
    return np.array([names.index(swap.get(n, n[:-1] + other[n[-1]] if n[-2:] in ("_L", "_R") else n)) for n in names])


MIRRORED_EXPRESSIONS = mirrored_expressions(EXPRESSIONS)


@dataclass(frozen=True)
class FaceParameters:
    """What the parameter extractor tells about one aligned crop.

    `yaw`, `pitch`, `roll` in degrees as seen in the crop: yaw > 0 turns the face to the right of the picture, pitch > 0
    looks up, roll > 0 turns the head anticlockwise. `expression` maps each name of `EXPRESSIONS` to a coefficient, about
    0..1. `landmarks` (68, 2) in pixels of the crop, iBUG order. `identity` (100,) coefficients of the 3D face model.
    The arrays are read-only.
    """

    yaw: float
    pitch: float
    roll: float
    expression: dict[str, float]
    landmarks: np.ndarray
    identity: np.ndarray

    @property
    def smile(self) -> float:
        """Mean of the left and right smile coefficient, 0 neutral, 1 a full smile."""
        return (self.expression["mouthSmile_L"] + self.expression["mouthSmile_R"]) / 2


# The directions of the linear method, each a weighted mean of expression coefficients. Yaw, pitch and roll come before.
EXPRESSION_DIRECTIONS: dict[str, dict[str, float]] = {
    "jaw": {"jawOpen": 1.0},
    "smile": {"mouthSmile_L": 0.5, "mouthSmile_R": 0.5},
    "browDown": {"browDown_L": 0.5, "browDown_R": 0.5},
    "browUp": {"browOuterUp_L": 0.35, "browOuterUp_R": 0.35, "browInnerUp_L": 0.15, "browInnerUp_R": 0.15},
    "blink": {"eyeBlink_L": 0.5, "eyeBlink_R": 0.5},
    "squint": {"eyeSquint_L": 0.5, "eyeSquint_R": 0.5},
    "lookLeft": {"eyeLookOut_L": 0.5, "eyeLookIn_R": 0.5, "eyeLookIn_L": -0.5, "eyeLookOut_R": -0.5},
    "lookUp": {"eyeLookUp_L": 0.5, "eyeLookUp_R": 0.5, "eyeLookDown_L": -0.5, "eyeLookDown_R": -0.5},
    "frown": {"mouthFrown_L": 0.5, "mouthFrown_R": 0.5},
    "pucker": {"mouthPucker": 1.0},
    "upperLipUp": {"mouthUpperUp_L": 0.5, "mouthUpperUp_R": 0.5},
    "sneer": {"noseSneer_L": 0.5, "noseSneer_R": 0.5},
}
ANGLES = ("yaw", "pitch", "roll")
DIRECTIONS = (*ANGLES, *EXPRESSION_DIRECTIONS)
ANGLE_UNIT = 20.0  # degrees that count as much as a whole expression coefficient


def _direction_weights() -> np.ndarray:
    weights = np.zeros((3 + len(EXPRESSIONS), len(DIRECTIONS)), np.float32)
    weights[:3, :3] = np.eye(3) / ANGLE_UNIT
    for column, mean in enumerate(EXPRESSION_DIRECTIONS.values(), start=3):
        for name, weight in mean.items():
            weights[3 + EXPRESSIONS.index(name), column] = weight
    return weights


DIRECTION_WEIGHTS = _direction_weights()  # (3 + 53, 15): [yaw, pitch, roll, expression] to direction values
DIRECTION_WEIGHTS.setflags(write=False)


def direction_values(parameters: FaceParameters) -> np.ndarray:
    """Where a face stands along each of `DIRECTIONS`, (15,): angles in units of 20 degrees, coefficients as they are."""
    angles = (parameters.yaw, parameters.pitch, parameters.roll)
    values = [*angles, *(parameters.expression[name] for name in EXPRESSIONS)]
    return np.array(values, np.float32) @ DIRECTION_WEIGHTS


def direction_shift(**changes: float) -> np.ndarray:
    """The change (15,) along `DIRECTIONS` that changes by name make: degrees of angles, coefficients of expressions."""
    shift = np.zeros(len(DIRECTIONS), np.float32)
    for name, change in changes.items():
        shift[DIRECTIONS.index(name)] = change / ANGLE_UNIT if name in ANGLES else change
    return shift

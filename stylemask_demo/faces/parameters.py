"""Face parameters: head pose, expression, landmarks and identity coefficients of one face."""

from dataclasses import dataclass

import numpy as np

# Expression coefficients in the order of ICT-FaceKit's 53 expression modes; _L and _R are the person's left and right.
EXPRESSIONS = (
    "browDown_L browDown_R browInnerUp_L browInnerUp_R browOuterUp_L browOuterUp_R cheekPuff_L cheekPuff_R "
    "cheekSquint_L cheekSquint_R eyeBlink_L eyeBlink_R eyeLookDown_L eyeLookDown_R eyeLookIn_L eyeLookIn_R "
    "eyeLookOut_L eyeLookOut_R eyeLookUp_L eyeLookUp_R eyeSquint_L eyeSquint_R eyeWide_L eyeWide_R jawForward jawLeft "
    "jawOpen jawRight mouthClose mouthDimple_L mouthDimple_R mouthFrown_L mouthFrown_R mouthFunnel mouthLeft "
    "mouthLowerDown_L mouthLowerDown_R mouthPress_L mouthPress_R mouthPucker mouthRight mouthRollLower mouthRollUpper "
    "mouthShrugLower mouthShrugUpper mouthSmile_L mouthSmile_R mouthStretch_L mouthStretch_R mouthUpperUp_L "
    "mouthUpperUp_R noseSneer_L noseSneer_R"
).split()


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

"""How a person is seen: expression, head pose, gaze, distance of the camera, and seeds for light and background."""

from dataclasses import dataclass, replace

import numpy as np

from stylemask_demo.faces.parameters import EXPRESSIONS
from stylemask_demo.rendering.vectors import head_rotation, normalised

_INDEX = {name: i for i, name in enumerate(EXPRESSIONS)}
EYES = np.array([0, 3.6, 8])  # between the eyes of the mean face
MOST_YAW, MOST_PITCH = 55.0, 28.0
MOST_GAZE_YAW, MOST_GAZE_PITCH = 28.0, 20.0


@dataclass(frozen=True)
class View:
    """Expression (53,) 0..1 in the order of `EXPRESSIONS`; head angles in degrees (yaw > 0 right of the picture, pitch > 0
    up, roll > 0 anticlockwise); gaze as (yaw, pitch) in degrees relative to the head; camera distance in centimetres;
    `scene_seed` chooses light, background and exposure."""

    expression: np.ndarray
    yaw: float
    pitch: float
    roll: float
    gaze: tuple[float, float]
    distance: float
    scene_seed: int

    @property
    def rotation(self) -> np.ndarray:
        """Rotation matrix (3, 3) of the head."""
        return head_rotation(self.yaw, self.pitch, self.roll)

    def value(self, name: str) -> float:
        """An expression coefficient, the mean of both sides for a name without its _L or _R."""
        names = [name] if name in _INDEX else [name + "_L", name + "_R"]
        return float(np.mean([self.expression[_INDEX[n]] for n in names]))


def plain_view(yaw: float = 0.0, pitch: float = 0.0, scene_seed: int = 0, **expression: float) -> View:
    """A view that looks at the camera from 110 cm; expressions by name, both sides for a name without _L or _R."""
    values = np.zeros(len(EXPRESSIONS), np.float32)
    for name, value in expression.items():
        for key in [name] if name in _INDEX else [name + "_L", name + "_R"]:
            values[_INDEX[key]] = value
    view = View(values, yaw, pitch, 0.0, (0.0, 0.0), 110.0, scene_seed)
    return with_gaze(view, *gaze_at_camera(view))


def random_view(seed: int) -> View:
    """A view as a snapshot has it; equal seeds give equal views."""
    rng = np.random.default_rng(seed)
    view = View(
        expression=random_expression(rng),
        yaw=float(np.clip(rng.normal() * 20, -MOST_YAW, MOST_YAW)),
        pitch=float(np.clip(rng.normal() * 10, -MOST_PITCH, MOST_PITCH)),
        roll=float(rng.normal() * 5),
        gaze=(0.0, 0.0),
        distance=float(rng.uniform(70, 160)),
        scene_seed=seed,
    )
    looks_at_camera = float(rng.random() < 0.65)
    yaw, pitch = gaze_at_camera(view)
    wander = 1 - looks_at_camera
    yaw = yaw * looks_at_camera + rng.normal() * (2 + 9 * wander)
    pitch = pitch * looks_at_camera + rng.normal() * (1.5 + 6 * wander)
    return with_gaze(view, yaw, pitch)


def gaze_at_camera(view: View) -> tuple[float, float]:
    """Gaze (yaw, pitch) in degrees, relative to the head, that meets the camera."""
    toward = normalised(view.rotation.T @ (np.array([0, 0, view.distance]) - EYES))
    return float(np.degrees(np.arctan2(toward[0], toward[2]))), float(np.degrees(np.arcsin(toward[1])))


def with_gaze(view: View, yaw: float, pitch: float) -> View:
    """The view with eyes turned to (yaw, pitch) degrees relative to the head, as far as eyes turn, and lids that follow."""
    yaw = float(np.clip(yaw, -MOST_GAZE_YAW, MOST_GAZE_YAW))
    pitch = float(np.clip(pitch, -MOST_GAZE_PITCH, MOST_GAZE_PITCH))
    expression = view.expression.copy()
    for side, outward in (("_L", yaw), ("_R", -yaw)):
        expression[_INDEX["eyeLookOut" + side]] = max(outward, 0) / 30
        expression[_INDEX["eyeLookIn" + side]] = max(-outward, 0) / 30
        expression[_INDEX["eyeLookUp" + side]] = max(pitch, 0) / 25
        expression[_INDEX["eyeLookDown" + side]] = max(-pitch, 0) / 25
        blink = expression[_INDEX["eyeBlink" + side]]
        squint, down = expression[_INDEX["eyeSquint" + side]], expression[_INDEX["eyeLookDown" + side]]
        if blink < 0.9:
            # Half a blink, a squint and a look down would add up to shut eyes that nobody meant.
            expression[_INDEX["eyeBlink" + side]] = min(blink, max(0, 0.45 - 0.5 * down - 0.3 * squint))
        else:
            for name in ("eyeWide", "eyeSquint", "eyeLookDown"):
                expression[_INDEX[name + side]] = 0
    return replace(view, expression=expression, gaze=(yaw, pitch))


def random_expression(rng: np.random.Generator) -> np.ndarray:
    """Expression coefficients (53,), each 0..1, combined as faces combine them: smiles narrow the eyes, and so on."""
    values = np.zeros(len(EXPRESSIONS), np.float32)

    def put(name: str, value: float, uneven: float = 0.08) -> None:
        """Sets one expression; both sides, not quite alike, for a name without its side."""
        if name in _INDEX:
            values[_INDEX[name]] = np.clip(value, 0, 1)
            return
        for side in ("_L", "_R"):
            values[_INDEX[name + side]] = np.clip(value + rng.normal() * uneven * (value > 0), 0, 1)

    smile = float(np.clip(rng.normal(0.33, 0.4), 0, 1))
    put("mouthSmile", smile)
    put("cheekSquint", 0.6 * smile * rng.uniform(0.3, 1))
    put("eyeSquint", min(0.5, 0.5 * smile * rng.uniform(0, 1)))
    put("mouthDimple", 0.25 * smile * rng.uniform(0, 1))
    if smile > 0.35 and rng.random() < 0.7:
        put("mouthUpperUp", rng.uniform(0.1, 0.45) * smile)
        put("mouthLowerDown", rng.uniform(0, 0.5) * smile)
        put("jawOpen", rng.uniform(0, 0.12))
    mouth = rng.choice(["", "open", "pucker", "funnel", "frown", "press"], p=[0.48, 0.22, 0.08, 0.06, 0.1, 0.06])
    if mouth in ("pucker", "funnel", "frown"):
        put("mouthSmile", 0)
    if mouth == "open":
        put("jawOpen", rng.uniform(0.05, 0.5))
    elif mouth == "pucker":
        put("mouthPucker", rng.uniform(0.2, 0.8))
    elif mouth == "funnel":
        put("mouthFunnel", rng.uniform(0.2, 0.7))
        put("jawOpen", rng.uniform(0, 0.25))
    elif mouth == "frown":
        put("mouthFrown", rng.uniform(0.2, 0.8))
    elif mouth == "press":
        put("mouthPress", rng.uniform(0.2, 0.8))
    brows = rng.choice(["", "up", "down"], p=[0.55, 0.25, 0.2])
    if brows == "up":
        up = rng.uniform(0.1, 0.9)
        put("browInnerUp", up * rng.uniform(0.2, 0.8))
        put("browOuterUp", up)
        put("eyeWide", up * rng.uniform(0, 0.6))
        put("eyeSquint", 0)
    elif brows == "down":
        put("browDown", rng.uniform(0.2, 0.9))
        put("eyeSquint", rng.uniform(0, 0.5))
    lids = rng.random()
    if lids < 0.06:
        put("eyeBlink", 1, 0)
    elif lids < 0.3:
        put("eyeBlink", rng.uniform(0, 0.35), 0.02)
    if rng.random() < 0.08:
        put("noseSneer", rng.uniform(0.2, 0.7))
    put("jawLeft", max(0, rng.normal() * 0.08))
    put("mouthLeft", max(0, rng.normal() * 0.1))
    put("mouthRight", max(0, rng.normal() * 0.1))
    return values

"""Glasses: a frame of tubes around two lenses, with temples to the ears."""

from dataclasses import dataclass

import numpy as np

from stylemask_demo.rendering.vectors import linear, normalised, spline

SIDES = 6  # of a tube
LENS_X, LENS_Y = 3.15, 3.35  # middle of a lens on the mean face
EAR = np.array([7.7, 3.9, 1.5])  # where a temple meets the ear of the mean face
FRAMES = linear([[22, 20, 20], [66, 42, 28], [120, 96, 66], [150, 150, 154], [40, 44, 64], [110, 36, 40]])
# Half width, half height, and how square the lens is: 2 an ellipse, more a rounded rectangle.
SHAPES = {"round": (2.35, 2.1, 2.0), "rectangle": (2.7, 1.55, 4.0), "square": (2.6, 2.0, 3.4), "cat": (2.65, 1.75, 2.8)}


@dataclass(frozen=True)
class Glasses:
    """Shape of `SHAPES`, linear colour, half width of the rim in centimetres, and how much light the lenses keep back."""

    shape: str
    colour: np.ndarray
    half_width: float
    tint: float


def random_glasses(rng: np.random.Generator, age: float) -> Glasses:
    """Glasses that leave the eyes to be seen; older people wear thinner frames."""
    thin = rng.random() < (0.6 if age > 55 else 0.35)
    return Glasses(
        str(rng.choice(list(SHAPES))),
        FRAMES[rng.choice([2, 3, 3, 0]) if thin else rng.choice([0, 0, 1, 1, 4, 5])],
        rng.uniform(0.06, 0.09) if thin else rng.uniform(0.13, 0.24),
        rng.uniform(0.02, 0.1),
    )


def outline(glasses: Glasses, side: int) -> np.ndarray:
    """The rim (40, 3) of one lens on the mean face: side 1 the left one, -1 the right one."""
    width, height, square = SHAPES[glasses.shape]
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    x = np.sign(c) * np.abs(c) ** (2 / square) * width
    y = np.sign(s) * np.abs(s) ** (2 / square) * height
    if glasses.shape == "cat":
        y = y + 0.45 * np.maximum(x / width, 0) ** 2 * np.maximum(s, 0)
    # A frame bends around the face: its outer ends lie farther back.
    z = 11.25 - 0.028 * (x + LENS_X - 1) ** 2
    return np.stack([side * (LENS_X + x), LENS_Y + y, z], 1)


def frame(glasses: Glasses, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) and triangles (T, 3) of the frame on a resting face; `shift` (3,) moves it from the mean face.

    Temples go on to where the ears are.
    """
    tubes = []
    for side in (1, -1):
        rim = outline(glasses, side)
        tubes.append(_tube(rim, glasses.half_width, closed=True))
        corner = rim[np.argmax(side * rim[:, 0] + 0.25 * rim[:, 1])]
        ear = EAR * [side, 1, 1]
        hinge = np.array([side * 6.6, corner[1] + 0.1, corner[2] - 1.2])
        path = spline(np.array([corner, hinge, (hinge + ear) / 2 + [side * 0.5, 0.2, 0], ear]), 6, closed=False)
        tubes.append(_tube(path, glasses.half_width * 0.9, closed=False))
    left, right = outline(glasses, 1), outline(glasses, -1)
    near = left[np.argmin(left[:, 0] - 0.2 * left[:, 1])], right[np.argmax(right[:, 0] + 0.2 * right[:, 1])]
    bridge = np.array([near[0], (near[0] + near[1]) / 2 + [0, 0.25, 0.35], near[1]])
    tubes.append(_tube(spline(bridge, 6, closed=False), glasses.half_width, closed=False))
    vertices, triangles, first = [], [], 0
    for points, faces in tubes:
        vertices.append(points)
        triangles.append(faces + first)
        first += len(points)
    return (np.concatenate(vertices) + shift).astype(np.float32), np.concatenate(triangles).astype(np.int32)


def lenses(glasses: Glasses, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) and triangles (T, 3) of both lenses, each a fan around its middle."""
    vertices, triangles, first = [], [], 0
    for side in (1, -1):
        rim = outline(glasses, side)
        vertices += [rim.mean(0)[None] + [0, 0, 0.25], rim]
        step = np.arange(len(rim))
        fan = np.stack([np.zeros(len(rim), int), step + 1, (step + 1) % len(rim) + 1], 1)
        triangles.append(fan + first)
        first += len(rim) + 1
    return (np.concatenate(vertices) + shift).astype(np.float32), np.concatenate(triangles).astype(np.int32)


def _tube(path: np.ndarray, radius: float, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """A tube with `SIDES` sides along a path (N, 3)."""
    if closed:
        tangent = normalised(np.roll(path, -1, 0) - np.roll(path, 1, 0))
    else:
        tangent = normalised(np.gradient(path, axis=0))
    up = np.where(np.abs(tangent[:, 1:2]) > 0.9, [1.0, 0, 0], [0, 1.0, 0])
    across = normalised(np.cross(tangent, up))
    other = np.cross(across, tangent)
    angle = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)
    ring = across[:, None] * np.cos(angle)[:, None] + other[:, None] * np.sin(angle)[:, None]
    points = (path[:, None] + radius * ring).reshape(-1, 3)
    rings = len(path) if closed else len(path) - 1
    here = np.arange(rings * SIDES)
    beside = here // SIDES * SIDES + (here + 1) % SIDES
    ahead, beside_ahead = (here + SIDES) % len(points), (beside + SIDES) % len(points)
    return points, np.concatenate([np.stack([here, beside, ahead], 1), np.stack([beside, beside_ahead, ahead], 1)])

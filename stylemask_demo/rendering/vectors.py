"""The little geometry that the whole renderer uses. Points are (..., 3) float arrays in centimetres."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products of vectors (..., 3) and (..., 3): (...). Several times faster than a sum over so short an axis."""
    return np.einsum("...k,...k->...", a, b)


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length one; the zero vector stays zero."""
    return vectors / (np.sqrt(dot(vectors, vectors)) + 1e-9)[..., None]


def smoothstep(x: np.ndarray | float, low: float, high: float) -> np.ndarray:
    """0 up to `low`, 1 from `high` on, a smooth cubic between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def bump(points: np.ndarray, centre: ArrayLike, widths: ArrayLike) -> np.ndarray:
    """A Gaussian bump of height 1 with a standard deviation per axis: (..., 3) -> (...)."""
    away = (points - np.asarray(centre, np.float32)) / np.asarray(widths, np.float32)
    return np.exp(-0.5 * dot(away, away))


def mirrored(points: np.ndarray) -> np.ndarray:
    """Points with |x| for x, so that one rule serves both sides of a face."""
    return np.concatenate([np.abs(points[..., :1]), points[..., 1:]], -1)


def signed_distance(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Distance of points (N, 2) to the outline of a polygon (M, 2), positive inside."""
    distance = np.full(len(points), np.inf)
    inside = np.zeros(len(points), bool)
    for a, b in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        edge = b - a
        along = np.clip((points - a) @ edge / (edge @ edge + 1e-12), 0, 1)
        aside = points - (a + along[:, None] * edge)
        distance = np.minimum(distance, np.hypot(aside[:, 0], aside[:, 1]))
        crosses = (a[1] > points[:, 1]) != (b[1] > points[:, 1])
        inside ^= crosses & (points[:, 0] < edge[0] * (points[:, 1] - a[1]) / (edge[1] + 1e-12) + a[0])
    return np.where(inside, distance, -distance)


def spline(points: np.ndarray, steps: int, closed: bool) -> np.ndarray:
    """Catmull-Rom curve through points (N, D): `steps` points for every span."""
    ends = points[[-1, *range(len(points)), 0, 1]] if closed else points[[0, *range(len(points)), -1]]
    t = (np.arange(steps) / steps)[:, None]
    curve = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False)
    ]
    return np.concatenate(curve if closed else [*curve, points[-1:]])


def triangulated(polygons: np.ndarray) -> np.ndarray:
    """Triangles (T, 3) of polygons (F, 4) in which a triangle has -1 for its fourth corner."""
    quads = polygons[polygons[:, 3] >= 0]
    return np.concatenate([polygons[:, :3], quads[:, [0, 2, 3]]])


def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3): the mean of the normals of the triangles around a vertex, weighted by area."""
    corners = points[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.empty((len(points), 3), np.float32)
    flat = triangles.T.ravel()
    for axis in range(3):
        normals[:, axis] = np.bincount(flat, np.tile(faces[:, axis], 3), len(points))
    return normalised(normals)


def head_rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation matrix (3, 3) from degrees; x right, y up, z towards the camera.

    Yaw > 0 turns the face to the right of the picture, pitch > 0 looks up, roll > 0 turns anticlockwise.
    """
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (about_y @ about_x @ about_z).astype(np.float32)


def rotate_partly(points: np.ndarray, share: np.ndarray, rotation: np.ndarray, pivot: np.ndarray) -> np.ndarray:
    """Points (N, 3) turned about `pivot` by `share` (N,) of the angle of `rotation`: how a neck bends."""
    vector = Rotation.from_matrix(rotation).as_rotvec()
    angle = np.linalg.norm(vector) + 1e-9
    axis = (vector / angle).astype(np.float32)
    turn = (angle * share).astype(np.float32)[:, None]
    arm = (points - pivot).astype(np.float32)
    along = axis * (arm @ axis)[:, None]
    return pivot + arm * np.cos(turn) + np.cross(axis, arm) * np.sin(turn) + along * (1 - np.cos(turn))


def linear(srgb: ArrayLike) -> np.ndarray:
    """sRGB 0..255 -> linear 0..1 (IEC 61966-2-1)."""
    c = np.asarray(srgb, float) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def srgb(colour: np.ndarray) -> np.ndarray:
    """Linear 0..1 -> sRGB 0..1 (IEC 61966-2-1)."""
    return np.where(colour < 0.0031308, colour * 12.92, 1.055 * np.maximum(colour, 1e-6) ** (1 / 2.4) - 0.055)

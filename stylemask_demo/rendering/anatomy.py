"""Where things are on the face model: lips, brows, hairline, eyes, lashes, neck. Measured once on the mean face.

Coordinates are centimetres of the mean face: x to the right of the picture, y up, z out of the face. "Rest" points are
where a point of the surface lies on the mean face, whoever the person is and whatever the face does.
"""

from functools import cached_property

import numpy as np

from stylemask_demo.rendering.face_model import FaceModel
from stylemask_demo.rendering.vectors import bump, mirrored, normalised, signed_distance, smoothstep, spline, vertex_normals

NECK_PIVOT = np.array([0, -7, -1.5], np.float32)
EYE_CENTRE = np.array([3.108, 3.604, 7.896], np.float32)  # of the left eye; the right one mirrors it
CORNEA = np.array([3.258, 3.572, 9.645])  # the pole of the left cornea
BROW_LANDMARKS = {-1: range(17, 22), 1: range(22, 27)}
DRAWN_PARTS = (
    *("face", "head_neck", "mouth_socket", "eye_socket_l", "eye_socket_r"),
    *("gums_tongue", "teeth", "sclera_l", "sclera_r"),
)
LASH_KNOTS = 6  # vertices along a lash of the model's strips

# The hairline seen from the side: its height at each depth, from the nape over the ear to the forehead.
_HAIRLINE_Z = [-12, -7.5, -4.0, -1.2, -0.6, 0.2, 1.2, 2.4, 3.2, 4.3, 5.2, 6.6, 8.2, 10.0, 14.0]
_HAIRLINE_Y = [-6, -6, -4.6, -2.5, 3.6, 4.8, 3.6, 0.3, 2.8, 6.2, 7.6, 8.6, 9.4, 9.9, 10.0]
# Likewise the upper border of a beard, along the jaw and the cheek.
_BEARD_Z = [-2, 1.0, 3, 6.0, 8, 9.5]
_BEARD_Y = [-1.0, -0.5, -2.2, -3.8, -4.6, -5.2]


class Anatomy:
    """Regions of a face model, as weights or distances per vertex or per point."""

    def __init__(self, model: FaceModel) -> None:
        self.model = model
        self.rest = model.mean
        self.landmarks = model.mean[model.landmarks]
        self.skin_count = model.vertex_ranges["eye_socket_r"][1]
        self.surface_count = model.vertex_ranges["head_neck"][1]
        self.skin_rest = model.mean[: self.skin_count]
        self.skin_triangles = model.triangles("face", "head_neck")
        self.face_triangles = model.triangles("face_narrow")
        self.drawn_triangles = model.triangles(*DRAWN_PARTS).astype(np.int32)
        self.neck_share = smoothstep(self.rest[:, 1], -17.5, -9.5)

    @cached_property
    def lip_distance(self) -> np.ndarray:
        """Distance (S,) of skin vertices into the lips, seen from the front, positive inside."""
        outline = spline(self.landmarks[48:60, :2], 6, closed=True)
        return np.where(self.skin_rest[:, 2] > 7, signed_distance(self.skin_rest[:, :2], outline), -9)

    @cached_property
    def brow_distance(self) -> dict[int, np.ndarray]:
        """Distance (S,) of skin vertices into each brow: -1 the person's right one, 1 the left one."""
        distances = {}
        for side, landmarks in BROW_LANDMARKS.items():
            line = self.landmarks[list(landmarks), :2]
            line = line if side > 0 else line[::-1]  # from the nose outwards
            line = line + np.array([[0, -0.07], [0, -0.02], [0, 0.01], [0, -0.07], [0, -0.17]])
            half = np.array([0.2, 0.24, 0.23, 0.17, 0.07])[:, None] * [0, 1]
            outline = spline(np.concatenate([line + half, (line - half)[::-1]]), 3, closed=True)
            distances[side] = np.where(self.skin_rest[:, 2] > 6, signed_distance(self.skin_rest[:, :2], outline), -9)
        return distances

    def brow_line(self, side: int, x: np.ndarray) -> np.ndarray:
        """Height of the middle of a brow at x."""
        line = self.landmarks[list(BROW_LANDMARKS[side]), :2]
        return np.interp(x, line[:, 0], line[:, 1]) - 0.05

    @cached_property
    def eyelid_distance(self) -> np.ndarray:
        """Distance (S,) of skin vertices to the rim of the nearer eye."""
        rim = spline(self.landmarks[36:42], 4, closed=True), spline(self.landmarks[42:48], 4, closed=True)
        return np.min([np.linalg.norm(self.skin_rest - point, axis=1) for point in np.concatenate(rim)], axis=0)

    def above_hairline(self, rest: np.ndarray, recession: float) -> np.ndarray:
        """How far (N,) rest points are above the hairline; `recession` centimetres move it back at the temples."""
        x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
        line = np.interp(z, _HAIRLINE_Z, _HAIRLINE_Y)
        line = line + recession * smoothstep(z, 2.5, 7) * (1.2 + 1.6 * np.exp(-(((x - 4.2) / 1.8) ** 2)))
        return y - line + 0.35 * np.exp(-((x / 1.2) ** 2)) * (z > 6)

    def beard_weight(self, kind: str) -> np.ndarray:
        """Where a beard grows, 0..1 (S,): kind "full", "stubble", "goatee" or "moustache"."""
        rest = self.skin_rest
        x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
        moustache = 1.6 * bump(rest, [0, -2.35, 11], [1.9, 0.42, 2])
        chin = 1.4 * bump(rest, [0, -7.6, 9.6], [2.2, 1.7, 2.4])
        jaw = smoothstep(np.interp(z, _BEARD_Z, _BEARD_Y) - y, -0.1, 1.2) * smoothstep(y, -10.6, -8.8)
        jaw *= np.clip(smoothstep(z, 4.5, 6.5) + smoothstep(-y, 6.5, 8.5), 0, 1) * smoothstep(z, 0.8, 2)
        zones = {
            "full": [moustache, chin, jaw],
            "stubble": [moustache, chin, 0.8 * jaw],
            "goatee": [moustache, chin],
            "moustache": [moustache],
        }[kind]
        weight = np.clip(np.max(zones, axis=0), 0, 1) * smoothstep(-self.lip_distance, 0.02, 0.2) * (x < 7.6)
        return np.where(weight < 0.06, 0, weight)

    def eye_centre(self, side: int) -> np.ndarray:
        """Centre of an eyeball of the mean face: side 1 the left eye, -1 the right one."""
        return EYE_CENTRE * np.array([side, 1, 1], np.float32)

    def corneal_axis(self, side: int) -> np.ndarray:
        """Where an eye of the mean face looks: the model's eyes turn outward by 4.9 degrees and down by 1."""
        return normalised((CORNEA - EYE_CENTRE) * np.array([side, 1, 1]))

    @cached_property
    def lashes(self) -> list[np.ndarray]:
        """Vertices (columns, 6) of each strip of lashes, from the lid to the tip."""
        strips = []
        for part, side in (("lashes_l", 1), ("lashes_r", -1)):
            for vertices, uv in self._strips(part):
                columns = np.argsort(uv[:, 0], kind="stable").reshape(-1, LASH_KNOTS)
                order = np.take_along_axis(columns, np.argsort(uv[columns, 1], axis=1), 1)
                strip = vertices[order]
                away = np.linalg.norm(self.rest[strip] - self.eye_centre(side), axis=2).mean(0)
                strips.append(strip if away[0] < away[-1] else strip[:, ::-1])
        return strips

    def _strips(self, part: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Connected pieces of a part: vertices and their texture coordinates (N, 2)."""
        faces = slice(*self.model.polygon_ranges[part])
        first, end = self.model.vertex_ranges[part]
        polygons, uv_polygons = self.model.polygons[faces], self.model.uv_polygons[faces]
        uv = np.zeros((end - first, 2))
        uv[polygons[polygons >= 0] - first] = self.model.uv[uv_polygons[polygons >= 0]]
        piece = np.arange(end - first)
        while True:
            # Every polygon takes the smallest number among its corners until nothing changes.
            corners = np.where(polygons >= 0, polygons, polygons[:, :1]) - first
            smallest = piece[corners].min(1)
            merged = piece.copy()
            np.minimum.at(merged, corners, smallest[:, None])
            if np.array_equal(merged, piece):
                break
            piece = merged
        return [(first + np.flatnonzero(piece == number), uv[piece == number]) for number in np.unique(piece)]

    @cached_property
    def bust_rim(self) -> np.ndarray:
        """Vertices around the lower end of the model's bust, in order."""
        edges = np.concatenate([self.skin_triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
        keys, counts = np.unique(np.sort(edges, 1), axis=0, return_counts=True)
        following: dict[int, list[int]] = {}
        for a, b in keys[counts == 1]:
            following.setdefault(int(a), []).append(int(b))
            following.setdefault(int(b), []).append(int(a))
        # The rims of eyes and mouth are open edges too; the bust's is the lowest.
        start = min(following, key=lambda vertex: self.rest[vertex, 1])
        rim = [start, following[start][0]]
        while rim[-1] != start:
            rim.append(next(v for v in following[rim[-1]] if v != rim[-2]))
        return np.array(rim[:-1])

    @cached_property
    def rest_normals(self) -> np.ndarray:
        """Normals (V, 3) of the skin of the mean face; zero elsewhere."""
        return vertex_normals(self.rest, self.skin_triangles)

    @cached_property
    def blush(self) -> np.ndarray:
        """Where blood shows, 0..1 (S,): cheeks, nose, ears and chin."""
        p = mirrored(self.skin_rest)
        ears = smoothstep(p[:, 0], 7.4, 8.6) * (p[:, 1] > -2) * (p[:, 1] < 6)
        cheeks = bump(p, [4.6, -0.6, 8.3], [1.9, 1.5, 3])
        nose, chin = bump(p, [0, 0.3, 12.6], [1.2, 1.2, 1.6]), bump(p, [0, -7.6, 10], [1.3, 1, 2])
        return np.clip(cheeks + 0.9 * nose + 0.8 * ears + 0.4 * chin, 0, 1)

    @cached_property
    def eye_shade(self) -> np.ndarray:
        """Where skin around the eyes is darker, 0..1 (S,)."""
        p = mirrored(self.skin_rest)
        below, inner = bump(p, [3.2, 2.3, 9], [1.5, 0.75, 1.5]), bump(p, [1.7, 3.7, 9.3], [0.6, 1, 1.2])
        return np.clip(below + 0.7 * inner + 0.55 * bump(p, [3.2, 4.8, 9.3], [1.6, 0.7, 1.5]), 0, 1)


def sample_surface(
    rng: np.random.Generator, rest: np.ndarray, triangles: np.ndarray, weight: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Random places on triangles (T, 3), spread by area times `weight` (T,): corners (N, 3) and their shares (N, 3)."""
    a, b, c = (rest[triangles[:, corner]] for corner in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) * weight
    chosen = rng.choice(len(triangles), count, p=area / area.sum())
    u, v = rng.random((2, count))
    flip = u + v > 1
    u[flip], v[flip] = 1 - u[flip], 1 - v[flip]
    return triangles[chosen], np.stack([1 - u - v, u, v], 1).astype(np.float32)


def at_places(values: np.ndarray, corners: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Values (V, D) at places of `sample_surface`: (N, D)."""
    return (values[corners] * shares[..., None]).sum(1)

"""Brows, beards and lashes: short strands that move with the face."""

from dataclasses import dataclass

import numpy as np

from stylemask_demo.rendering.anatomy import Anatomy, at_places, sample_surface
from stylemask_demo.rendering.vectors import dot, normalised, smoothstep, vertex_normals

KNOTS = 5
BROW_STRANDS = 420  # each, of a brow of density 1
BEARD_STRANDS = {"stubble": 6000, "full": 8000, "goatee": 3500, "moustache": 1500}
LASHES_BETWEEN = 3  # lashes for every one in the model's strips


@dataclass(frozen=True)
class Strands:
    """Strands rooted on the face: corners and shares (N, 3) of the roots, directions (N, 3) on the resting mean face,
    lengths (N,), how far they stand off (N,) as a share of the length, and offsets of the tips (N, 3)."""

    corners: np.ndarray
    shares: np.ndarray
    directions: np.ndarray
    lengths: np.ndarray
    rise: np.ndarray
    tips: np.ndarray

    def on(self, vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
        """Strands (N, KNOTS, 3) on a face with these vertices (V, 3)."""
        roots = at_places(vertices, self.corners, self.shares)
        normals = normalised(at_places(vertex_normals(vertices, triangles), self.corners, self.shares))
        lying = self.directions - normals * dot(self.directions, normals)[:, None]
        t = np.linspace(0, 1, KNOTS, dtype=np.float32)
        along = self.lengths[:, None] * t
        off = (self.lengths * self.rise)[:, None] * np.sin(1.9 * t)
        strands = roots[:, None] + normalised(lying)[:, None] * along[..., None] + normals[:, None] * off[..., None]
        return (strands + self.tips[:, None] * t[:, None]).astype(np.float32)


def grow_brows(rng: np.random.Generator, anatomy: Anatomy, thickness: float, density: float) -> Strands:
    """Both brows; `thickness` widens the mean brow by centimetres."""
    triangles = anatomy.face_triangles
    centres = anatomy.rest[triangles].mean(1)
    parts = []
    for side, distance in anatomy.brow_distance.items():
        inside = smoothstep(distance[triangles].mean(1) + thickness, -0.2, 0.25)
        # Thin at the root of the nose and towards the tail, as brows are.
        outward = np.abs(centres[:, 0])
        taper = (0.35 + 0.65 * smoothstep(outward, 0.9, 2)) * (0.3 + 0.7 * smoothstep(-outward, -6, -4.2))
        count = int(BROW_STRANDS * density)
        corners, shares = sample_surface(rng, anatomy.rest, triangles, inside**1.5 * taper, count)
        rest = at_places(anatomy.rest, corners, shares)
        # Upwards at the nose, outwards and down at the tail, and towards the middle line of the brow.
        out = np.clip((side * rest[:, 0] - 1.2) / 4, 0, 1)
        up = 1.1 - 1.55 * out - 0.8 * (rest[:, 1] - anatomy.brow_line(side, rest[:, 0]))
        heading = np.stack([side * (0.35 + 0.9 * out), up, np.zeros(count)], 1) + rng.normal(size=(count, 3)) * 0.15
        lengths = rng.uniform(0.35, 0.75, count) * (1 - 0.2 * out)
        parts.append((corners, shares, heading, lengths, np.full(count, 0.1), np.zeros((count, 3))))
    return Strands(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def grow_beard(rng: np.random.Generator, anatomy: Anatomy, kind: str, length: float) -> Strands:
    """A beard of a kind of `BEARD_STRANDS` and a length in centimetres."""
    triangles, count = anatomy.skin_triangles, BEARD_STRANDS[kind]
    weight = anatomy.beard_weight(kind)[triangles].mean(1)
    corners, shares = sample_surface(rng, anatomy.rest, triangles, weight, count)
    rest = at_places(anatomy.rest, corners, shares)
    aside = np.sign(rest[:, 0]) * 0.35 * (rest[:, 1] > -4.5)
    heading = np.stack([aside, np.full(count, -1.0), np.zeros(count)], 1) + rng.normal(size=(count, 3)) * 0.25
    lengths = length * rng.uniform(0.6, 1.4, count)
    # A moustache that is not trimmed would hang into the mouth.
    lengths = np.where(rest[:, 1] > -3.6, np.minimum(lengths, 0.4), lengths)
    tips = rng.normal(size=(count, 3)) * 0.08 * length
    return Strands(corners, shares, heading, lengths, np.full(count, 0.45), tips)


def lashes_on(anatomy: Anatomy, vertices: np.ndarray, length: float) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower lashes (N, 6, 3) each, on a face with these vertices; `length` 1 is the model's."""
    upper: list[np.ndarray] = []
    lower: list[np.ndarray] = []
    for strip in anatomy.lashes:
        # Between the model's lashes there are more, each a mean of its neighbours.
        place = np.linspace(0, len(strip) - 1, LASHES_BETWEEN * (len(strip) - 1) + 1)
        left = np.minimum(place.astype(int), len(strip) - 2)
        share = (place - left)[:, None, None].astype(np.float32)
        lashes = vertices[strip[left]] * (1 - share) + vertices[strip[left + 1]] * share
        rises = anatomy.rest[strip[:, -1], 1].mean() > anatomy.rest[strip[:, 0], 1].mean() - 0.3
        # Lashes are not equally long; the pattern repeats but never for neighbours.
        uneven = (0.75 + 0.25 * np.cos(np.arange(len(lashes)) * 2.4)) * (length if rises else 0.6 * length)
        roots = lashes[:, :1]
        (upper if rises else lower).append(roots + (lashes - roots) * uneven[:, None, None].astype(np.float32))
    return np.concatenate(upper), np.concatenate(lower)

"""Skin: colours per vertex, freckles and pores per pixel, and wrinkles as normal detail."""

import numba
import numpy as np

from stylemask_demo.rendering.anatomy import Anatomy
from stylemask_demo.rendering.hair import covers
from stylemask_demo.rendering.noise import value_noise, wave_noise
from stylemask_demo.rendering.person import GREY, Person
from stylemask_demo.rendering.vectors import bump, linear, mirrored, smoothstep, spline
from stylemask_demo.rendering.view import View

_MOUTH_LINING = linear([120, 50, 50]) * 0.6

SHALLOWEST = 0.004  # centimetres; what is less deep is not seen
# Creases on the front of the mean face, one side: name -> lines of (|x|, y) in centimetres.
CREASES: dict[str, list[list[tuple[float, float]]]] = {
    "smile": [[(1.75, -0.5), (2.5, -1.3), (3.1, -2.4), (3.45, -3.7)]],
    "corner": [[(2.75, -3.9), (3.05, -4.7), (3.1, -5.6)]],
    "eye": [
        [(4.75, 3.6), (5.5, 4.05), (6.3, 4.3)],
        [(4.8, 3.35), (5.6, 3.4), (6.5, 3.3)],
        [(4.7, 3.05), (5.4, 2.65), (6.2, 2.2)],
        [(4.3, 2.6), (5.0, 2.0), (5.7, 1.4)],
    ],
    "bag": [[(1.9, 2.75), (2.5, 2.15), (3.3, 1.85), (4.2, 2.1)], [(2.0, 2.35), (2.8, 1.45), (3.8, 1.2), (4.7, 1.7)]],
    "forehead": [
        [(0, 6.9), (1.2, 6.85), (2.6, 7.15), (4.0, 6.9)],
        [(0, 7.65), (1.4, 7.75), (3.0, 7.95), (4.4, 7.6)],
        [(0, 8.5), (1.5, 8.6), (3.2, 8.7)],
    ],
    "frown": [[(0.42, 4.9), (0.5, 5.6), (0.42, 6.5)], [(1.0, 5.0), (1.15, 5.8)]],
    "nose": [[(0.25, 4.1), (0.9, 4.0)], [(0.2, 3.6), (0.85, 3.35)]],
    "neck": [[(0, -10.4), (2, -10.2), (4, -9.6)], [(0, -12.2), (2.2, -12.0), (4.5, -11.3)]],
}
# Width in centimetres, depth of an old face, and which expressions deepen the crease at any age.
_CREASE_SHAPE: dict[str, tuple[float, float, tuple[str, ...]]] = {
    "smile": (0.28, 0.14, ("mouthSmile", "noseSneer", "mouthUpperUp")),
    "corner": (0.26, 0.08, ("mouthFrown",)),
    "eye": (0.11, 0.055, ("cheekSquint", "eyeSquint", "mouthSmile")),
    "bag": (0.22, 0.07, ("cheekSquint",)),
    "forehead": (0.13, 0.06, ("browInnerUp", "browOuterUp")),
    "frown": (0.13, 0.06, ("browDown",)),
    "nose": (0.12, 0.03, ("noseSneer",)),
    "neck": (0.2, 0.07, ()),
}


def vertex_colours(rng: np.random.Generator, anatomy: Anatomy, person: Person) -> np.ndarray:
    """Linear colours (S, 3) of the skin's vertices: blood, shade, lips, make-up, the scalp under hair."""
    rest = anatomy.skin_rest
    base = person.skin
    colours = np.tile(base, (len(rest), 1))

    def blend(weight: np.ndarray, colour: np.ndarray) -> None:
        share = np.clip(weight, 0, 1)[:, None]
        colours[:] = colours * (1 - share) + colour * share

    blend(anatomy.blush * person.blush, base * [1.0, 0.7, 0.64])
    blend(anatomy.eye_shade * person.eye_shade, base * [0.64, 0.5, 0.48])
    lid = smoothstep(-anatomy.eyelid_distance, -0.35, -0.04)
    blend(lid * (0.4 + 0.45 * person.makeup.liner), base * [0.5, 0.36, 0.34])
    lids = bump(mirrored(rest), [3.2, 4.45, 9.6], [1.5, 0.5, 1])
    blend(lids * person.makeup.shadow, person.makeup.shadow_colour)
    blend(0.6 * bump(mirrored(rest), [0.75, -1.35, 11.3], [0.45, 0.3, 0.8]), base * 0.25)
    blend(smoothstep(anatomy.lip_distance, -0.1, 0.14) * person.makeup.lips, person.makeup.lip_colour)
    vertex = np.arange(len(rest))
    first, end = anatomy.model.vertex_ranges["mouth_socket"]
    # The lining of the mouth gets darker towards the throat.
    depth = 0.15 + 0.85 * smoothstep(rest[:, 2], 5, 10)[:, None]
    blend((vertex >= first) & (vertex < end), _MOUTH_LINING * depth)
    blend(vertex >= anatomy.model.vertex_ranges["eye_socket_l"][0], base * [0.8, 0.45, 0.42])
    hair = person.hair_colour * (1 - person.grey) + GREY * person.grey
    if person.beard.shade > 0:
        shaved = anatomy.beard_weight("stubble")
        blend(shaved * person.beard.shade, hair * 0.5 + base * [0.3, 0.32, 0.35])
    if person.beard.kind not in ("", "stubble"):
        blend(anatomy.beard_weight(person.beard.kind) * 0.6, hair * 0.5 + base * 0.15)
    on_head = vertex < anatomy.surface_count
    thin = 0.55 if person.hair_style.bald else 0.93
    blend(covers(anatomy, rest, person.hair_style) * on_head * thin, hair * 0.65 + base * 0.02)
    for distance in anatomy.brow_distance.values():
        brow = smoothstep(distance + person.brow_thickness, -0.25, 0.35)
        blend(brow * min(0.6, 0.34 * person.brow_density), person.brow_colour * 0.5 + base * 0.35)
    blotches = wave_noise(rng, rest, 1.2, 8)[:, :1] * 0.035 + wave_noise(rng, rest, 3.5) * [0.03, 0.04, 0.03]
    return np.clip(colours * (1 + blotches), 0.002, 0.95).astype(np.float32)


def surface_detail(
    person: Person, view: View, rest: np.ndarray, colours: np.ndarray, pixel: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detail finer than the mesh at rest points (N, 3) of skin with linear colours (N, 3).

    `pixel` is the size of a pixel in centimetres: detail finer than that is left out. Returns colours (N, 3), what to add
    to normals (N, 3) of a head that looks at the camera, and a factor (N,) for highlights.
    """
    coarse, fine = value_noise(rest, 2.2, 1), value_noise(rest, 6.0, 2)
    colours = colours * (1 + 0.04 * coarse + 0.05 * fine)[:, None]
    if person.freckles > 0:
        spots = smoothstep(value_noise(rest, 4.5, 5), 0.35, 0.6) * person.freckles
        spots = np.clip(spots * (0.25 + bump(mirrored(rest), [2.2, 0.2, 10], [3.2, 1.8, 3])), 0, 0.8)
        colours = colours * (1 - spots[:, None] * [0.36, 0.52, 0.62])
    pores = np.stack([value_noise(rest, 5.0, seed) for seed in (11, 12, 13)], 1)
    pores = pores + 0.7 * np.stack([value_noise(rest, 11.0, seed) for seed in (14, 15, 16)], 1)
    slope, depth = creases(rest + 0.12 * coarse[:, None], _crease_lines(person, view), pixel)
    colours = colours * (1 - np.clip(depth * 2.2, 0, 0.35)[:, None] * [0.7, 1, 1])
    normals = pores * (0.028 + 0.03 * person.wrinkles) * np.clip(0.05 / pixel, 0.3, 1)
    normals[:, 0] -= slope[:, 0] * np.sign(rest[:, 0])
    normals[:, 1] -= slope[:, 1]
    return colours.astype(np.float32), normals.astype(np.float32), 0.75 + 0.5 * fine


def _crease_lines(person: Person, view: View) -> np.ndarray:
    """Segments (C, 6) of all creases of a face: x, y of both ends, width and depth."""
    lines = []
    for name, (width, depth, expressions) in _CREASE_SHAPE.items():
        moved = min(1.0, sum(view.value(expression) for expression in expressions))
        deep = depth * (0.75 * person.wrinkles + (0.25 + 0.6 * person.wrinkles) * moved)
        if deep < SHALLOWEST:
            continue
        for crease in CREASES[name]:
            points = spline(np.array(crease, float), 3, closed=False)
            # Creases fade out at their ends.
            fade = 0.25 + 0.75 * np.sin(np.linspace(0, np.pi, len(points) - 1))
            fade[0] = fade[0] if points[0, 0] > 0.01 else fade.max()
            lines += [(*a, *b, width, deep * f) for a, b, f in zip(points, points[1:], fade, strict=False)]
    return np.array(lines, np.float32).reshape(-1, 6)


@numba.njit(cache=True, fastmath=True, nogil=True)
def creases(rest: np.ndarray, lines: np.ndarray, pixel: float) -> tuple[np.ndarray, np.ndarray]:
    """Slope (N, 2) and depth (N,) in centimetres of creases (C, 6) at points (N, 3) of the front of the face.

    A crease is a valley with a Gaussian profile, at least a pixel wide; the deepest at a point counts. The slope is that of
    the height, along |x| and y.
    """
    slope = np.zeros((len(rest), 2), np.float32)
    depth = np.zeros(len(rest), np.float32)
    for i in range(len(rest)):
        if rest[i, 2] < 2:
            continue
        x, y = abs(rest[i, 0]), rest[i, 1]
        for line in range(len(lines)):
            ax, ay, bx, by = lines[line, 0], lines[line, 1], lines[line, 2], lines[line, 3]
            width = max(lines[line, 4], pixel)
            reach = 2.5 * width
            if x < min(ax, bx) - reach or x > max(ax, bx) + reach or y < min(ay, by) - reach or y > max(ay, by) + reach:
                continue
            along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2 + 1e-9)
            along = min(1.0, max(0.0, along))
            dx, dy = x - ax - along * (bx - ax), y - ay - along * (by - ay)
            here = lines[line, 5] * np.exp(-(dx * dx + dy * dy) / (width * width))
            if here > depth[i]:
                depth[i] = here
                slope[i, 0] = 2 * here * dx / (width * width)
                slope[i, 1] = 2 * here * dy / (width * width)
    return slope, depth

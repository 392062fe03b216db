"""Shoulders and clothes: the model's bust continued downwards, and a garment with a neckline over both."""

from dataclasses import dataclass

import numpy as np

from stylemask_demo.rendering.anatomy import Anatomy
from stylemask_demo.rendering.noise import value_noise
from stylemask_demo.rendering.vectors import linear, smoothstep

RINGS = 9  # of the torso, from the bust's rim down
SHOULDER = np.array([20.5, -21.5, 10.0])  # half width, height and half depth of the shoulders
WAIST_Y = -48.0
COLOURS = linear(
    [
        [28, 30, 38], [204, 203, 200], [236, 235, 232], [116, 40, 44], [48, 70, 102], [76, 86, 66], [150, 124, 98],
        [24, 24, 26], [168, 120, 126], [96, 98, 104], [132, 150, 172], [64, 48, 42], [186, 170, 140], [84, 60, 96],
    ]
)  # fmt: skip
# Kind -> height of the neckline at the side of the neck, how deep and how wide it is cut in front, thickness.
CUTS = {
    "crew": (-11.6, 1.2, 6.0, 0.2),
    "scoop": (-12.6, 4.5, 6.0, 0.15),
    "v": (-11.8, 6.5, 4.6, 0.2),
    "shirt": (-10.2, 6.0, 2.3, 0.25),
    "turtleneck": (-8.7, 0.0, 6.0, 0.3),
    "suit": (-10.4, 16.0, 5.2, 0.35),
    "hood": (-10.6, 2.2, 6.0, 0.6),
}
FEMALE_SHARES = {"crew": 0.24, "scoop": 0.26, "v": 0.18, "shirt": 0.12, "turtleneck": 0.1, "suit": 0.04, "hood": 0.06}
MALE_SHARES = {"crew": 0.32, "scoop": 0.03, "v": 0.1, "shirt": 0.24, "turtleneck": 0.06, "suit": 0.15, "hood": 0.1}


@dataclass(frozen=True)
class Garment:
    """Kind of `CUTS`, linear colours of the cloth, of what is under it (a suit's shirt) and of a tie, and a pattern:
    "plain", "stripes" or "check" in a second colour."""

    kind: str
    colour: np.ndarray
    second: np.ndarray
    under: np.ndarray
    tie: np.ndarray | None
    pattern: str


def random_garment(rng: np.random.Generator, female: bool) -> Garment:
    """Clothes for a person."""
    shares = FEMALE_SHARES if female else MALE_SHARES
    kind = str(rng.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values())))
    colour, second = COLOURS[rng.choice(len(COLOURS), 2, replace=False)] * rng.uniform(0.75, 1.15, (2, 1))
    if kind == "suit":
        colour = COLOURS[rng.choice([0, 7, 9, 4])] * rng.uniform(0.6, 1.1)
    pattern = str(rng.choice(["plain", "stripes", "check"], p=[0.7, 0.18, 0.12]))
    return Garment(
        kind,
        np.clip(colour, 0.008, 0.8),
        np.clip(second, 0.008, 0.8),
        np.clip(COLOURS[rng.choice([1, 2, 2, 10])], 0, 0.75),
        second if kind == "suit" and not female and rng.random() < 0.6 else None,
        pattern if kind in ("crew", "shirt", "scoop") else "plain",
    )


def torso(anatomy: Anatomy, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shoulders and chest below the bust's rim: vertices (RINGS * R, 3), the first ring next to the rim, and triangles.

    Corner r of the triangles below R = len(anatomy.bust_rim) is vertex r of the rim; R and up are the torso's vertices.
    """
    rim = vertices[anatomy.bust_rim].astype(float)
    centre = np.array([rim[:, 0].mean(), 0, -1.5])
    angle = np.arctan2(rim[:, 2] - centre[2], rim[:, 0] - centre[0])
    # A rounded rectangle: shoulders are broad and flat.
    round_x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.75
    round_z = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.75
    chest = SHOULDER[2] * (1 + 0.12 * np.sin(angle))
    shoulder = centre + np.stack([SHOULDER[0] * round_x, np.full(len(rim), SHOULDER[1]), chest * round_z], 1)
    waist = centre + np.stack([SHOULDER[0] * 0.95 * round_x, np.full(len(rim), WAIST_Y), chest * round_z], 1)
    rings = []
    for t in np.arange(1, RINGS + 1) / RINGS:
        # A quadratic curve: from the rim outwards over the shoulder and down.
        rings.append(rim * (1 - t) ** 2 + 2 * shoulder * t * (1 - t) + waist * t**2)
    count = len(rim)
    here = np.arange(RINGS * count)
    beside = here // count * count + (here + 1) % count
    triangles = [np.stack([here, beside, here + count], 1), np.stack([beside, beside + count, here + count], 1)]
    return np.concatenate(rings).astype(np.float32), np.concatenate(triangles).astype(np.int32)


def below_neckline(rest: np.ndarray, garment: Garment) -> np.ndarray:
    """How far (N,) rest points are inside the cloth, in centimetres; negative on skin."""
    side, depth, width, _ = CUTS[garment.kind]
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    front = smoothstep(z, -1.0, 4.0)
    cut = np.maximum(0, 1 - x / width) if garment.kind in ("v", "shirt", "suit") else np.exp(-((x / width) ** 2) * 1.5)
    # The neck leans forward: a neckline rises towards the nape.
    line = side - 0.12 * z - depth * cut * front
    return line - y


def thickness(rest: np.ndarray, garment: Garment) -> np.ndarray:
    """How far (N,) cloth stands off the body, in centimetres."""
    inside = below_neckline(rest, garment)
    collar = 0.35 * np.exp(-(((inside - 0.8) / 0.9) ** 2)) if garment.kind in ("shirt", "suit", "hood") else 0.0
    return (CUTS[garment.kind][3] + collar) * smoothstep(inside, -0.05, 0.5)


def cloth(rest: np.ndarray, garment: Garment) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which rest points (N, 3) are cloth, (N,) bool; its linear colours (N, 3) and what to add to normals (N, 3)."""
    inside = below_neckline(rest, garment)
    x, y = rest[:, 0], rest[:, 1]
    colours = np.tile(garment.colour, (len(rest), 1))
    if garment.pattern == "stripes":
        colours[(y % 2.4) < 1.0] = garment.second
    elif garment.pattern == "check":
        bands = ((x % 3.0) < 1.2).astype(float) + ((y % 3.0) < 1.2)
        colours = colours * (1 - bands[:, None] / 2) + garment.second * bands[:, None] / 2
    worn = inside > 0
    if garment.kind == "suit":
        # Within the jacket's deep cut are a shirt with its own neckline and perhaps a tie.
        shirt = below_neckline(rest, Garment("shirt", garment.under, garment.under, garment.under, None, "plain"))
        within = ~worn & ((shirt > 0) | ((np.abs(x) < 2.6) & (y < -13.2)))
        colours[within] = garment.under
        if garment.tie is not None:
            knot = 0.9 + 0.06 * np.clip(-13.5 - y, 0, 15)
            colours[within & (np.abs(x) < knot) & (y < -12.2)] = garment.tie
        worn = worn | within
    weave = np.stack([value_noise(rest, 9.0, seed) for seed in (31, 32, 33)], 1)
    folds = np.stack([value_noise(rest * np.array([1, 0.45, 1], np.float32), 0.35, seed) for seed in (34, 35, 36)], 1)
    ribs = np.zeros_like(weave)
    if garment.kind in ("crew", "turtleneck", "hood"):
        ribbed = inside < (6 if garment.kind == "turtleneck" else 1.4)
        ribs[:, 0] = 0.2 * np.sin(np.arctan2(x, rest[:, 2] + 2) * 90) * ribbed
    edge = smoothstep(inside, 0, 0.35)[:, None] * 0.25 + 0.75
    colours = colours * edge * (1 + 0.06 * weave[:, :1])
    return worn, colours.astype(np.float32), (0.1 * weave + 0.3 * folds + ribs).astype(np.float32)

"""Hair as strands: a few hundred guides grow over the head, thousands of children follow the nearest three."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from stylemask_demo.rendering.anatomy import Anatomy, at_places, sample_surface
from stylemask_demo.rendering.noise import wave_noise
from stylemask_demo.rendering.vectors import dot, normalised, smoothstep, vertex_normals

GUIDES, CHILDREN, KNOTS = 700, 9000, 18
EAR_X = 7.9  # beyond this are the ears
FRINGE_LENGTH = 5.2
FEMALE_STYLES = {
    "bob": 0.2, "long": 0.32, "tied": 0.14, "side": 0.04, "curly": 0.14, "short": 0.05, "messy": 0.05, "afro": 0.06,
}  # fmt: skip
MALE_STYLES = {
    "buzz": 0.13, "short": 0.28, "side": 0.2, "slick": 0.09, "curly": 0.09, "afro": 0.05, "messy": 0.1, "long": 0.05,
    "bald": 0.01,
}  # fmt: skip


@dataclass(frozen=True)
class HairStyle:
    """How hair grows; lengths in centimetres, weights without unit.

    `length`, shorter at the sides by the share `taper`, longer by `top` on top and shorter by the share `short_front` in
    front; `parting` is its x, and `split` keeps hair on its side of it. `crown`, `aside`, `back` and `forward` weigh
    where hair is combed. `lift` raises roots, `volume` is how far hair stays off the head, `noise` and `follow` how it
    bends, `gravity` how it falls. `clump`, `frizz`, `flyaway` and the curl (`curl` wide, `curl_rate` turns) shape single
    strands. `recession` moves the hairline back, `bald` empties the top, `fringe` combs the front over the forehead.
    """

    kind: str
    length: float
    taper: float = 0.5
    top: float = 1.0
    short_front: float = 0.0
    parting: float = 0.0
    split: float = 0.0
    crown: float = 1.0
    aside: float = 0.0
    back: float = 0.0
    forward: float = 0.0
    lift: float = 0.5
    volume: float = 0.6
    noise: float = 0.25
    follow: float = 0.35
    gravity: float = 0.05
    clump: float = 0.35
    frizz: float = 0.6
    curl: float = 0.0
    curl_rate: float = 1.0
    flyaway: float = 0.2
    recession: float = 0.0
    bald: float = 0.0
    fringe: bool = False
    half_width: float = 0.045


def random_style(rng: np.random.Generator, kind: str) -> HairStyle:
    """A style of one kind: "buzz", "short", "side", "slick", "tied", "bob", "long", "curly", "afro", "messy", "bald"."""

    def u(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    side = float(rng.choice([-1, 1]))
    if kind == "buzz":
        return HairStyle(
            kind, u(0.5, 1.1), taper=0.4, lift=1.2, volume=0.1, noise=0.1, gravity=0, clump=0.1, flyaway=0.08,
            recession=u(0, 0.8), half_width=0.035,
        )  # fmt: skip
    if kind == "short":
        return HairStyle(
            kind, u(3, 5), taper=0.7, short_front=u(0, 0.3), lift=u(0.5, 0.9), volume=u(0.5, 0.9), forward=u(0.5, 1),
            aside=u(0.3, 0.8) * side, noise=0.35, recession=u(-0.2, 0.6), clump=0.55,
        )  # fmt: skip
    if kind == "side":
        return HairStyle(
            kind, u(5, 8), taper=u(0.65, 0.8), lift=0.8, volume=u(0.6, 1.0), parting=side * u(2.5, 3.8), aside=u(1, 1.6),
            back=u(0.2, 0.6), crown=0.5, split=1, recession=u(-0.2, 0.5), clump=0.4, gravity=0.06,
        )  # fmt: skip
    if kind in ("slick", "tied"):
        tied = kind == "tied"
        return HairStyle(
            kind, u(9, 12) if tied else u(7, 11), taper=0.2 if tied else 0.5, lift=0.35 if tied else 0.8,
            volume=u(0.25, 0.5) if tied else u(0.5, 0.9), back=1.8, crown=0.1, noise=0.1, follow=0.5 if tied else 0.4,
            recession=u(-0.4, 0) if tied else u(-0.2, 0.7), clump=0.45, gravity=0.0 if tied else 0.04,
            parting=side * u(0, 3) if tied else 0.0, aside=u(0, 0.6) if tied else 0.0, split=float(tied),
            fringe=tied and rng.random() < 0.15,
        )  # fmt: skip
    if kind in ("bob", "long"):
        return HairStyle(
            kind, u(13, 19) if kind == "bob" else u(24, 34), taper=0.0, top=1.15, lift=0.45, volume=u(0.35, 0.8),
            parting=float(rng.choice([-1, 0, 1])) * u(0.5, 3.5), aside=u(0.9, 1.3), back=u(0.4, 0.9), crown=0.6, split=1,
            gravity=0.3, clump=u(0.3, 0.5), curl=u(0, 0.4) * (rng.random() < 0.6), curl_rate=u(0.35, 0.75),
            recession=u(-0.4, 0), fringe=rng.random() < 0.25,
        )  # fmt: skip
    if kind == "curly":
        return HairStyle(
            kind, u(6, 13), taper=0.15, short_front=u(0.3, 0.65), lift=0.9, volume=u(0.7, 1.3), parting=side * u(0, 3),
            aside=0.7, crown=0.8, gravity=0.1, clump=0.7, curl=u(0.3, 0.5), curl_rate=u(1.5, 2.3), flyaway=0.4,
            frizz=0.5, recession=u(-0.3, 0.3), noise=0.4,
        )  # fmt: skip
    if kind == "afro":
        return HairStyle(
            kind, u(3, 8), taper=0.25, short_front=0.3, lift=3, volume=u(1.2, 2.4), crown=0.2, follow=0.1, noise=0.5,
            gravity=0, clump=0.4, curl=0.35, curl_rate=u(2.5, 3.5), flyaway=0.45, frizz=3, half_width=0.05,
        )  # fmt: skip
    if kind == "messy":
        return HairStyle(
            kind, u(4, 7), taper=0.45, short_front=u(0, 0.4), lift=1.2, volume=u(0.8, 1.3), forward=0.8, noise=0.8,
            clump=0.7, flyaway=0.35, recession=u(-0.2, 0.4),
        )  # fmt: skip
    return HairStyle(kind, u(0.8, 2.2), taper=0.2, lift=0.6, volume=0.2, bald=1, recession=1.2, clump=0.2)


def with_age(style: HairStyle, age: float, female: bool, rng: np.random.Generator) -> HairStyle:
    """The style at an age: men's hairlines move back, and a third of old men are bald on top."""
    old = float(smoothstep(age, 30, 75))
    if female:
        return replace(style, recession=style.recession + 0.3 * old * rng.random())
    if rng.random() < 0.35 * old and style.kind in ("short", "side", "buzz", "slick", "messy"):
        return random_style(rng, "bald")
    return replace(style, recession=style.recession + 1.2 * old * rng.random())


def covers(anatomy: Anatomy, rest: np.ndarray, style: HairStyle) -> np.ndarray:
    """Where on the head hair grows, 0..1 (N,), at rest points."""
    weight = smoothstep(anatomy.above_hairline(rest, style.recession), -0.05, 0.5)
    weight = weight * (1 - style.bald * smoothstep(rest[:, 1] + 0.35 * rest[:, 2], 8.5, 11.5))
    return np.where(np.abs(rest[:, 0]) > EAR_X, weight * (rest[:, 1] > 6), weight)


def grow(rng: np.random.Generator, anatomy: Anatomy, body: np.ndarray, style: HairStyle) -> np.ndarray:
    """Strands (CHILDREN, KNOTS, 3) on a person with a resting face.

    `body` (V, 3) are the vertices of the person; hair stays outside of them.
    """
    triangles = anatomy.skin_triangles
    centres = anatomy.rest[triangles].mean(1)
    weight = covers(anatomy, centres, style)
    normals = vertex_normals(body, triangles)
    guides = _grow_guides(rng, anatomy, body, normals, weight, style)
    above = np.maximum(anatomy.above_hairline(centres, style.recession), 0)
    # Denser along the hairline in front and along the parting, where gaps would show.
    edge = 2.5 * np.exp(-((above / 0.8) ** 2)) * (centres[:, 2] > 1)
    part = 5.0 * style.split * np.exp(-(((centres[:, 0] - style.parting) / 0.6) ** 2)) * (centres[:, 1] > 8)
    places = sample_surface(rng, anatomy.rest, triangles, weight * (1 + edge + part), CHILDREN)
    roots = at_places(body, *places)
    strands = _follow(rng, anatomy, guides, at_places(anatomy.rest, *places), roots, style)
    strands = _keep_outside(strands, body[: anatomy.surface_count], normals[: anatomy.surface_count])
    strands[:, 0] = roots - normalised(at_places(normals, *places)) * 0.08
    return strands.astype(np.float32)


@dataclass(frozen=True)
class _Guides:
    strands: np.ndarray  # (GUIDES, KNOTS, 3)
    rest: np.ndarray  # (GUIDES, 3) roots on the mean face
    lengths: np.ndarray  # (GUIDES,)
    sides: np.ndarray  # (GUIDES,) of the parting, -1 or 1


def _side(rest: np.ndarray, style: HairStyle, jitter: float | np.ndarray = 0.0) -> np.ndarray:
    return np.where(rest[:, 0] - style.parting + jitter >= 0, 1.0, -1.0)


def _grow_guides(
    rng: np.random.Generator,
    anatomy: Anatomy,
    body: np.ndarray,
    normals: np.ndarray,
    weight: np.ndarray,
    style: HairStyle,
) -> _Guides:
    places = sample_surface(rng, anatomy.rest, anatomy.skin_triangles, weight, GUIDES)
    rest = at_places(anatomy.rest, *places)
    here = at_places(body, *places)
    normal = normalised(at_places(normals, *places))
    side = _side(rest, style)
    front, high = smoothstep(rest[:, 2], 3, 7), smoothstep(rest[:, 1], 6, 11)
    in_fringe = style.fringe * front * smoothstep(4.8 - np.abs(rest[:, 0]), 0, 1) > 0.5

    lengths = style.length * (1 - style.taper * (1 - smoothstep(rest[:, 1], 2, 8.5)))
    lengths *= rng.uniform(0.85, 1.15, GUIDES) * np.where(rest[:, 1] < 10, 1, style.top)
    lengths *= 1 - style.short_front * front
    lengths = np.where(in_fringe, FRINGE_LENGTH * rng.uniform(0.85, 1.15, GUIDES), lengths)
    step = (lengths / (KNOTS - 1))[:, None].astype(np.float32)

    crown = np.array([style.parting * 0.4, 14.2, -3], np.float32)
    zero = np.zeros(GUIDES)
    combed = np.stack([side * style.aside, -0.25 * np.abs(style.aside) + zero, zero], 1) * high[:, None]
    combed = combed + np.array([0, 0.25, -1]) * style.back + np.array([0, -0.35, 1]) * style.forward * front[:, None]
    over_forehead = np.stack([rest[:, 0] * 0.06, zero - 0.7, zero + 0.8], 1)
    # Hair lies flat at the parting and rises beside it: the valley of raised roots would show the scalp.
    near_part = style.split * np.exp(-(((rest[:, 0] - style.parting) / 1.6) ** 2)) * (rest[:, 1] > 7)
    lift = style.lift * (1 - 0.6 * near_part)
    stay_off = (0.2 + style.volume * (0.35 + 0.65 * rng.random(GUIDES))) * (1 - 0.5 * near_part)

    tree = cKDTree(body[: anatomy.surface_count])
    bend_seed = int(rng.integers(1 << 30))

    def direction(points: np.ndarray, normal: np.ndarray) -> np.ndarray:
        v = normalised(points - crown) * style.crown + combed
        v = np.where(in_fringe[:, None], over_forehead, v)
        return normalised(v - normal * dot(v, normal)[:, None])

    strands = np.empty((GUIDES, KNOTS, 3), np.float32)
    strands[:, 0] = here
    heading = normalised(normal * lift[:, None] + direction(here, normal))
    nearest = tree.query(here)[1]
    for knot in range(1, KNOTS):
        t = knot / (KNOTS - 1)
        normal = normals[nearest]
        bend = wave_noise(np.random.default_rng(bend_seed), here + rest * 0.3, 2.2) * style.noise
        comb = direction(here, normal) * (1 - t * min(1.0, 0.3 + 2.2 * style.gravity))
        fall = np.array([0, -1, 0]) * (np.where(in_fringe, 0.12, style.gravity) * (0.3 + t))[:, None]
        heading = normalised(heading * (1 - style.follow) + style.follow * (comb + bend) + fall)
        moved = here + heading * step
        distance, nearest = tree.query(moved)
        normal = normals[nearest]
        height = dot(moved - body[nearest], normal)
        off = stay_off * min(1, 0.15 + 3 * t)
        close = distance < 4 + off
        # Pushed out of the head, and drawn back to it where it would stand off.
        push = np.maximum(off - height, 0) - 0.35 * np.maximum(height - 1.6 * off - 0.3, 0) * (style.lift < 1)
        heading = normalised(moved + normal * (push * close)[:, None] - here)
        here = here + heading * step
        strands[:, knot] = here
    return _Guides(strands, rest, lengths, side)


def _follow(
    rng: np.random.Generator,
    anatomy: Anatomy,
    guides: _Guides,
    rest: np.ndarray,
    roots: np.ndarray,
    style: HairStyle,
) -> np.ndarray:
    """Children: a mean of the three nearest guides on their side, drawn towards the nearest, then curled and cut."""
    apart = style.split * 3
    tree = cKDTree(np.column_stack([guides.rest, guides.sides * apart]))
    side = _side(rest, style, rng.normal(size=CHILDREN) * 0.3)
    distance, near = tree.query(np.column_stack([rest, side * apart]), k=3)
    share = 1 / (distance + 0.15) ** 2
    share = (share / share.sum(1, keepdims=True)).astype(np.float32)
    grown = guides.strands - guides.strands[:, :1]
    t = np.linspace(0, 1, KNOTS, dtype=np.float32)
    strands = roots[:, None] + np.einsum("ca,cakx->ckx", share, grown[near])
    clump = (style.clump * t**1.2)[None, :, None] * rng.uniform(0.4, 1, (CHILDREN, 1, 1)).astype(np.float32)
    strands = strands * (1 - clump) + guides.strands[near[:, 0]] * clump

    if style.curl > 0:
        # A helix around the strand, in step within a clump.
        phase = (rng.random(GUIDES) * 2 * np.pi)[near[:, 0]] + rng.normal(size=CHILDREN) * style.frizz
        along = t * guides.lengths[near[:, 0]][:, None]
        turn = along * style.curl_rate * rng.uniform(0.85, 1.15, GUIDES)[near[:, 0]][:, None] + phase[:, None]
        wide = np.minimum(1, along / 2) * style.curl
        tangent = normalised(np.gradient(strands, axis=1))
        first = normalised(np.cross(tangent, np.array([0.3, 0.2, 1])))
        strands = strands + first * (np.cos(turn) * wide)[..., None]
        strands = strands + np.cross(tangent, first) * (np.sin(turn) * wide)[..., None]
    strands = strands + rng.normal(size=(CHILDREN, 1, 3)) * (style.flyaway * t**1.5)[:, None]

    # Ends do not lie on one line: each strand keeps a share of its length.
    place = t * np.minimum(rng.uniform(0.72, 1.15, CHILDREN), 1)[:, None] * (KNOTS - 1)
    knot = np.minimum(place.astype(int), KNOTS - 2)
    rest_of = (place - knot)[..., None]
    row = np.arange(CHILDREN)[:, None]
    return (strands[row, knot] * (1 - rest_of) + strands[row, knot + 1] * rest_of).astype(np.float32)


def _keep_outside(strands: np.ndarray, surface: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Moves knots that are inside the head, or hardly above it, out of it."""
    third = np.minimum((np.arange(KNOTS) + 1) // 3 * 3, KNOTS - 1)
    asked, back = np.unique(third, return_inverse=True)
    nearest = cKDTree(surface).query(strands[:, asked].reshape(-1, 3), distance_upper_bound=3.5)[1]
    # Knots far from the head find nothing and get the number past the last.
    nearest = np.where(nearest == len(surface), 0, nearest).reshape(len(strands), -1)[:, back]
    away = strands - surface[nearest]
    height = dot(away, normals[nearest])
    above = np.where(np.linspace(0, 1, KNOTS) > 0.12, 0.12, 0.0)
    push = np.maximum(above - height, 0) * (dot(away, away) < 9)
    return strands + normals[nearest] * push[..., None]

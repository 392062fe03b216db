"""A person as geometry: what is built once for a person, and what each view makes of it."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy.spatial.transform import Rotation

from stylemask_demo.rendering import clothes, glasses, strands
from stylemask_demo.rendering.anatomy import NECK_PIVOT, Anatomy
from stylemask_demo.rendering.hair import grow
from stylemask_demo.rendering.person import GREY, Person
from stylemask_demo.rendering.skin import vertex_colours
from stylemask_demo.rendering.vectors import linear, rotate_partly, smoothstep, vertex_normals
from stylemask_demo.rendering.view import View

GUMS = linear([166, 80, 80])
HAIR_SEED, SKIN_SEED, SHADE_SEED = 1, 2, 3  # what a person's seed is combined with, so that each part has its own
SOFT_HAIR = 10  # one strand in so many is thin and drawn softly


class Material(IntEnum):
    """What a vertex is made of."""

    SKIN = 0
    GUMS = 1
    TEETH = 2
    EYE = 3
    TORSO = 4
    FRAME = 5


@dataclass(frozen=True)
class Tuft:
    """Strands (N, K, 3) in a view with linear colours (N, 3), half widths (K,) in centimetres, and how opaque they are
    where they are drawn softly; 1 and `soft` False for strands that hide what is behind."""

    points: np.ndarray
    colours: np.ndarray
    half_widths: np.ndarray
    opacity: float = 1.0
    soft: bool = True


@dataclass(frozen=True)
class Surface:
    """Meshes of a view: vertices (V, 3), normals (V, 3), triangles (T, 3), and what stays with each vertex: its place on
    the mean face (V, 3), linear colour (V, 3), `Material` (V,), and how far it is inside the mouth or lips (V,)."""

    vertices: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    rest: np.ndarray
    colours: np.ndarray
    materials: np.ndarray
    mouth: np.ndarray


@dataclass(frozen=True)
class Posed:
    """A figure in a view: its surface, hair and other tufts, lenses as (vertices, triangles) or None, and landmarks
    (68, 3)."""

    surface: Surface
    tufts: list[Tuft]
    lenses: tuple[np.ndarray, np.ndarray] | None
    landmarks: np.ndarray


class Figure:
    """A person's geometry; build it once and pose it in every view."""

    def __init__(self, anatomy: Anatomy, person: Person) -> None:
        self.anatomy, self.person = anatomy, person
        self.neutral = anatomy.model.neutral(person.identity)
        self._thickness = clothes.thickness(anatomy.rest[: anatomy.surface_count], person.garment)
        self._build_surface()
        self._build_strands()

    def pose(self, view: View) -> Posed:
        """The figure with the expression, gaze and head pose of a view."""
        anatomy, rotation = self.anatomy, view.rotation
        face = self.neutral + anatomy.model.expression_offset(view.expression)
        self._turn_eyes(face, *view.gaze)
        posed = rotate_partly(face, anatomy.neck_share, rotation, NECK_PIVOT)
        landmarks = posed[anatomy.model.landmarks]
        count = anatomy.surface_count
        dressed = posed.copy()
        dressed[:count] += self._thickness[:, None] * vertex_normals(posed, anatomy.skin_triangles)[:count]
        parts = [dressed, clothes.torso(anatomy, dressed)[0]]
        lenses = None
        if self.person.glasses:
            parts.append(_with_head(self._frame, rotation))
            lenses = _with_head(self._lenses[0], rotation), self._lenses[1]
        vertices = np.concatenate(parts).astype(np.float32)
        surface = Surface(
            vertices,
            vertex_normals(vertices, self._triangles),
            self._triangles,
            self._rest,
            self._colours,
            self._materials,
            self._mouth,
        )
        return Posed(surface, self._tufts(face, posed, rotation), lenses, landmarks)

    def _build_surface(self) -> None:
        anatomy, person = self.anatomy, self.person
        ranges = anatomy.model.vertex_ranges
        count = len(anatomy.rest)
        dressed_rest = anatomy.rest.copy()
        torso_rest, torso_triangles = clothes.torso(anatomy, dressed_rest)
        # The torso's first ring hangs on the rim of the bust.
        torso_vertices = np.concatenate([anatomy.bust_rim, count + np.arange(len(torso_rest))])
        triangles = [anatomy.drawn_triangles, torso_vertices[torso_triangles]]
        rest = [anatomy.rest, torso_rest]
        materials: np.ndarray = np.full(count + len(torso_rest), Material.SKIN, np.int8)
        materials[count:] = Material.TORSO
        colours = np.zeros((count, 3), np.float32)
        skin_rng = np.random.default_rng([person.seed, SKIN_SEED])
        colours[: anatomy.skin_count] = vertex_colours(skin_rng, anatomy, person)
        mouth = np.full(count, -9, np.float32)
        mouth[: anatomy.skin_count] = anatomy.lip_distance
        for part, material, colour in (
            ("gums_tongue", Material.GUMS, GUMS),
            ("teeth", Material.TEETH, person.tooth),
            ("sclera_l", Material.EYE, np.ones(3)),
            ("sclera_r", Material.EYE, np.ones(3)),
        ):
            within = slice(*ranges[part])
            materials[within] = material
            colours[within] = colour
        for part in ("mouth_socket", "gums_tongue", "teeth"):
            mouth[slice(*ranges[part])] = 1
        below = [np.tile(person.skin, (len(torso_rest), 1))]
        if person.glasses:
            # Glasses sit on the bridge of the person's nose.
            bridge = anatomy.model.landmarks[27:29]
            shift = (self.neutral[bridge] - anatomy.rest[bridge]).mean(0)
            self._frame, frame_triangles = glasses.frame(person.glasses, shift)
            self._lenses = glasses.lenses(person.glasses, shift)
            triangles.append(frame_triangles + len(materials))
            rest.append(self._frame)
            below.append(np.tile(person.glasses.colour, (len(self._frame), 1)))
            materials = np.concatenate([materials, np.full(len(self._frame), Material.FRAME, np.int8)])
        self._triangles = np.concatenate(triangles).astype(np.int32)
        self._rest = np.concatenate(rest).astype(np.float32)
        self._colours = np.concatenate([colours, *below]).astype(np.float32)
        self._materials = materials
        self._mouth = np.concatenate([mouth, np.full(len(materials) - count, -9, np.float32)])

    def _build_strands(self) -> None:
        anatomy, person = self.anatomy, self.person
        rng = np.random.default_rng([person.seed, HAIR_SEED])
        self._hair = grow(rng, anatomy, self.neutral, person.hair_style)
        self._brows = strands.grow_brows(rng, anatomy, person.brow_thickness, person.brow_density)
        self._beard = None
        if person.beard.kind:
            self._beard = strands.grow_beard(rng, anatomy, person.beard.kind, person.beard.length)
        shade = np.random.default_rng([person.seed, SHADE_SEED])
        self._hair_colours = _strand_colours(shade, person.hair_colour, person.grey, len(self._hair))
        self._brow_colours = _strand_colours(shade, person.brow_colour, 0, len(self._brows.lengths))
        if self._beard:
            # Beards grey first, and are a little darker than hair.
            grey = min(1.0, 1.3 * person.grey)
            self._beard_colours = _strand_colours(shade, person.hair_colour * 0.8, grey, len(self._beard.lengths))

    def _tufts(self, face: np.ndarray, posed: np.ndarray, rotation: np.ndarray) -> list[Tuft]:
        person = self.person
        hair = _with_hair(self._hair, rotation)
        thin = np.arange(len(hair)) % SOFT_HAIR == 0
        width = person.hair_style.half_width
        tufts = [
            Tuft(hair[~thin], self._hair_colours[~thin], _tapered(width, hair.shape[1], 0.5), soft=False),
            Tuft(hair[thin], self._hair_colours[thin], _tapered(0.4 * width, hair.shape[1], 0.8), 0.7),
        ]
        triangles = self.anatomy.skin_triangles
        brows = self._brows.on(posed, triangles)
        tufts.append(Tuft(brows, self._brow_colours, _tapered(0.024, brows.shape[1], 0.8), 0.85))
        if self._beard:
            beard = self._beard.on(posed, triangles)
            half = 0.013 if person.beard.kind == "stubble" else 0.026
            tufts.append(Tuft(beard, self._beard_colours, _tapered(half, beard.shape[1], 0.5), 0.9))
        upper, lower = strands.lashes_on(self.anatomy, posed, person.lash_length)
        for lashes, half, opacity in ((upper, 0.011, 0.75), (lower, 0.008, 0.3)):
            colours = np.tile(np.minimum(person.brow_colour * 0.3, 0.01) * 0.7, (len(lashes), 1)).astype(np.float32)
            tufts.append(Tuft(lashes, colours, _tapered(half, lashes.shape[1], 0.8), opacity))
        return tufts

    def _turn_eyes(self, face: np.ndarray, yaw: float, pitch: float) -> None:
        """Turns both eyeballs so that their corneal axes point to yaw and pitch in degrees, relative to the head."""
        y, p = np.radians([yaw, pitch])
        toward = np.array([np.sin(y) * np.cos(p), np.sin(p), np.cos(y) * np.cos(p)])
        for part, side in (("sclera_l", 1), ("sclera_r", -1)):
            within = slice(*self.anatomy.model.vertex_ranges[part])
            shift = (self.neutral[within] - self.anatomy.rest[within]).mean(0)
            centre = self.anatomy.eye_centre(side) + shift
            turn = Rotation.align_vectors(toward[None], self.anatomy.corneal_axis(side)[None])[0].as_matrix()
            face[within] = centre + (face[within] - centre) @ turn.T.astype(np.float32)


def _with_head(points: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    return NECK_PIVOT + (points - NECK_PIVOT) @ rotation.T


def _with_hair(hair: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Strands (N, K, 3) turned with the head; what hangs down turns less and less, and lies on the shoulders."""
    turned = _with_head(hair, rotation)
    hangs = hair[..., 1] < -9.5
    low = hair[hangs]
    turned[hangs] = rotate_partly(low, smoothstep(low[:, 1], -20, -9.5), rotation, NECK_PIVOT)
    return turned.astype(np.float32)


def _tapered(half_width: float, knots: int, taper: float) -> np.ndarray:
    """Half widths (K,) of a strand that loses the share `taper` towards its tip."""
    return (half_width * (1 - taper * np.linspace(0, 1, knots) ** 2)).astype(np.float32)


def _strand_colours(rng: np.random.Generator, colour: np.ndarray, grey: float, count: int) -> np.ndarray:
    """Linear colours (count, 3): no two hairs are equally dark, or equally `grey`, 0..1."""
    # Between the colours in equal ratios: white hairs in black hair would look like stripes.
    share = np.clip(grey + 0.25 * rng.normal(size=(count, 1)), 0, 1) if grey > 0 else 0.0
    base = (colour * 1.15 + 0.005) ** (1 - share) * GREY**share
    return (base * rng.uniform(0.68, 1.32, (count, 1))).astype(np.float32)

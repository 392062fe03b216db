"""One picture: draws a posed figure, shades it, exposes it like a photograph, and labels it."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from PIL import Image

from stylemask_demo.rendering.background import random_background
from stylemask_demo.rendering.camera import Camera
from stylemask_demo.rendering.figure import Figure, Material, Posed, Tuft
from stylemask_demo.rendering.glasses import Glasses
from stylemask_demo.rendering.lighting import Light, random_light
from stylemask_demo.rendering.occlusion import ambient_occlusion
from stylemask_demo.rendering.raster import Buffers, SoftLayer, blend_strands, draw_strands, draw_triangles
from stylemask_demo.rendering.shading import ShadowMap, Stage, interpolate, shade_strands, shade_surface
from stylemask_demo.rendering.vectors import dot, normalised, srgb, vertex_normals
from stylemask_demo.rendering.view import View

SAMPLES = 2  # on each side of a pixel
SHADOW_SIDE = 384  # pixels of the shadow map
SHADOW_EXTENT = 38.0  # centimetres it shows
SHADOW_CENTRE = np.array([0, 0, 2], np.float32)
SOFT_BIAS = 0.12  # centimetres that a brow may lie under the skin and still be seen
LIGHT_SEED, BACKGROUND_SEED, EXPOSURE_SEED = 11, 12, 13
SHOULDER = 0.45  # linear light from which highlights are compressed
CONTRAST, SATURATION = 0.28, 1.05  # of a camera's picture, against the light as it is
WHITEST = 4.0  # more light than this makes no difference
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


class Region(IntEnum):
    """Values of a segmentation."""

    BACKGROUND = 0
    SKIN = 1
    HAIR = 2
    EYES = 3
    MOUTH = 4
    CLOTHES = 5
    GLASSES = 6


@dataclass(frozen=True)
class Rendering:
    """A picture, its segmentation (size, size) of `Region` values, head angles in degrees as seen in the crop (yaw, pitch,
    roll), and 68 landmarks (68, 2) in pixels of the picture."""

    picture: Image.Image
    segmentation: np.ndarray
    angles: tuple[float, float, float]
    landmarks: np.ndarray


def render(figure: Figure, view: View, size: int, camera: Camera | None = None) -> Rendering:
    """Renders a figure in a view as a square of `size` pixels, aligned like FFHQ unless `camera` says otherwise."""
    posed = figure.pose(view)
    camera = camera or Camera.aligned(posed.landmarks, view.distance)
    side = size * SAMPLES
    scale = camera.pixels_per_centimetre(side)
    light = random_light(np.random.default_rng([view.scene_seed, LIGHT_SEED]))
    stage = Stage(figure.anatomy, figure.person, view, light, _shadow_map(posed, light), 1 / scale)

    buffers = Buffers.empty(side)
    surface, solid = posed.surface, posed.tufts[0]
    draw_triangles(camera.project(surface.vertices, side), surface.triangles, buffers, 0)
    draw_strands(camera.project(solid.points, side), solid.half_widths * scale, buffers, len(surface.triangles))
    openness = ambient_occlusion(buffers.depth, scale)
    picture, regions = _shade(stage, posed, buffers, openness)
    layer = SoftLayer.empty(side)
    for number, tuft in enumerate(posed.tufts[1:]):
        _draw_softly(stage, tuft, camera, buffers, openness, layer, on_skin=number > 0)
    picture = layer.over(picture)
    if posed.lenses and stage.person.glasses:
        _draw_lenses(stage, stage.person.glasses, posed.lenses, camera, buffers, picture)
    skin = regions == Region.SKIN
    exposed = _expose(stage, picture, skin)
    return Rendering(
        picture=_develop(stage, exposed, regions, layer, size),
        segmentation=_most_common(regions),
        angles=camera.angles(view.rotation),
        landmarks=camera.project(posed.landmarks, size)[:, :2],
    )


def _shadow_map(posed: Posed, light: Light) -> ShadowMap:
    across = normalised(np.cross([0, 1, 0], light.key_direction))
    axes = np.stack([across, np.cross(light.key_direction, across), light.key_direction], 1).astype(np.float32)
    buffers = Buffers.empty(SHADOW_SIDE)
    shadows = ShadowMap(buffers.depth, axes, SHADOW_CENTRE, SHADOW_SIDE / SHADOW_EXTENT)
    draw_triangles(shadows.project(posed.surface.vertices), posed.surface.triangles, buffers, 0)
    hair = posed.tufts[0]
    draw_strands(shadows.project(hair.points), hair.half_widths * shadows.scale, buffers, 0)
    return shadows


def _shade(stage: Stage, posed: Posed, buffers: Buffers, openness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear picture (H, W, 3) of all that is opaque, and its regions (H, W)."""
    picture = np.zeros((*buffers.depth.shape, 3), np.float32)
    regions = np.full(buffers.depth.shape, Region.BACKGROUND, np.uint8)
    first = len(posed.surface.triangles)
    on_mesh = (buffers.index >= 0) & (buffers.index < first)
    shaded = shade_surface(stage, posed.surface, buffers.index[on_mesh], buffers.place[on_mesh], openness[on_mesh])
    picture[on_mesh] = shaded.light
    region = np.full(len(shaded.materials), Region.SKIN, np.uint8)
    region[shaded.mouth] = Region.MOUTH
    region[shaded.cloth] = Region.CLOTHES
    region[shaded.materials == Material.EYE] = Region.EYES
    region[shaded.materials == Material.FRAME] = Region.GLASSES
    regions[on_mesh] = region

    on_hair = buffers.index >= first
    hair = posed.tufts[0]
    strand, knot = np.divmod(buffers.index[on_hair] - first, hair.points.shape[1])
    start, end = hair.points[strand, knot], hair.points[strand, knot + 1]
    points = start + (end - start) * buffers.place[on_hair][:, :1]
    tangents = normalised(end - start)
    picture[on_hair] = shade_strands(stage, points, tangents, hair.colours[strand], openness[on_hair], on_skin=False)
    regions[on_hair] = Region.HAIR
    return picture, regions


def _draw_softly(
    stage: Stage, tuft: Tuft, camera: Camera, buffers: Buffers, openness: np.ndarray, layer: SoftLayer, on_skin: bool
) -> None:
    side = len(openness)
    screen = camera.project(tuft.points, side)
    columns, rows = np.clip(screen[..., :2].astype(int), 0, side - 1).reshape(-1, 2).T
    tangents = normalised(np.gradient(tuft.points, axis=1)).reshape(-1, 3)
    colours = np.repeat(tuft.colours, tuft.points.shape[1], 0)
    light = shade_strands(stage, tuft.points.reshape(-1, 3), tangents, colours, openness[rows, columns], on_skin)
    widths = tuft.half_widths / stage.pixel
    blend_strands(screen, light.reshape(tuft.points.shape), widths, tuft.opacity, SOFT_BIAS, buffers.depth, layer)


def _draw_lenses(
    stage: Stage,
    glasses: Glasses,
    lenses: tuple[np.ndarray, np.ndarray],
    camera: Camera,
    buffers: Buffers,
    picture: np.ndarray,
) -> None:
    """Lenses take a little light away and mirror the room, most of it where they are seen at a slant."""
    vertices, triangles = lenses
    glass = Buffers.empty(len(picture))
    draw_triangles(camera.project(vertices, len(picture)), triangles, glass, 0)
    seen = (glass.index >= 0) & (glass.depth > buffers.depth)
    corners, place = triangles[glass.index[seen]], glass.place[seen]
    normals = normalised(interpolate(vertex_normals(vertices, triangles), corners, place))
    normals *= np.sign(normals[:, 2:3])
    toward = stage.toward_camera(interpolate(vertices, corners, place))
    facing = np.clip(dot(normals, toward), 0, 1)[:, None]
    direction = 2 * facing * normals - toward
    window = np.clip(((direction @ stage.light.key_direction)[:, None] - 0.93) * 30, 0, 1)
    mirrored = stage.light.reflected(direction) + 0.8 * window * stage.light.key
    fresnel = 0.03 + 0.9 * (1 - facing) ** 5
    picture[seen] = picture[seen] * (1 - glasses.tint) + mirrored * fresnel


def _expose(stage: Stage, picture: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Exposes for the face, as a camera does, not always quite right; and balances white not always quite right."""
    rng = np.random.default_rng([stage.view.scene_seed, EXPOSURE_SEED])
    face = float(np.median(picture[skin] @ LUMINANCE)) if skin.any() else 0.2
    # Dark skin is exposed darker than light skin, but less so than it is.
    wanted = 0.37 * (0.11 / 0.37) ** stage.person.tone
    balance = 1 + rng.normal() * 0.03 * np.array([1, 0, -1], np.float32)
    return picture * (wanted / max(face, 1e-3) * 2 ** np.clip(rng.normal() * 0.22, -0.45, 0.4)) * balance


def _develop(stage: Stage, picture: np.ndarray, regions: np.ndarray, layer: SoftLayer, size: int) -> Image.Image:
    """Compresses highlights, puts the background behind, and makes sRGB with a little noise of a sensor."""
    rng = np.random.default_rng([stage.view.scene_seed, BACKGROUND_SEED])
    background = random_background(rng, size)
    cover = np.where(regions == Region.BACKGROUND, 1 - layer.passing, 1)[..., None]
    # Each sample is compressed for itself: averaging first would leave jagged highlights.
    front, cover = _mean(_film(picture) * cover), _mean(cover)
    result = front + _film(background) * (1 - cover)
    grey = (result @ LUMINANCE)[..., None]
    result = grey + (result - grey) * SATURATION
    result = result + rng.normal(size=result.shape) * rng.uniform(0.002, 0.012)
    return Image.fromarray((np.clip(result, 0, 1) * 255 + 0.5).astype(np.uint8))


def _film_curve(light: np.ndarray) -> np.ndarray:
    """Linear light -> sRGB 0..1 as a camera makes it: slowly to white from a shoulder on, and a little more contrast."""
    above = np.maximum(light - SHOULDER, 0) / (1 - SHOULDER)
    plain = srgb(np.minimum(light, SHOULDER) + (1 - SHOULDER) * np.tanh(above))
    return plain + CONTRAST * plain * (1 - plain) * (2 * plain - 1)


# By the root of the light, so that shadows get as many steps as highlights; powers are slow.
_FILM = _film_curve(np.linspace(0, 1, 8192) ** 2 * WHITEST).astype(np.float32)


def _film(light: np.ndarray) -> np.ndarray:
    place = np.sqrt(np.clip(light, 0, WHITEST) / WHITEST) * (len(_FILM) - 1)
    return _FILM[place.astype(np.int32)]


def _samples(values: np.ndarray) -> list[np.ndarray]:
    """The samples of all pixels (H, W, ...), first all upper left ones, and so on."""
    return [values[row::SAMPLES, column::SAMPLES] for row in range(SAMPLES) for column in range(SAMPLES)]


def _mean(values: np.ndarray) -> np.ndarray:
    first, *others = _samples(values)
    return sum(others, start=first) / SAMPLES**2


def _most_common(regions: np.ndarray) -> np.ndarray:
    """The region that most samples of a pixel have: (H, W) -> (size, size)."""
    known = np.array(list(Region), np.uint8)[:, None, None]
    votes = sum((sample == known).astype(np.uint8) for sample in _samples(regions))
    return votes.argmax(0).astype(np.uint8)

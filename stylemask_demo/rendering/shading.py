"""From what is visible in each pixel to the light it sends to the camera, linear."""

from dataclasses import dataclass

import numpy as np

from stylemask_demo.rendering import clothes
from stylemask_demo.rendering.anatomy import NECK_PIVOT, Anatomy
from stylemask_demo.rendering.figure import Material, Surface
from stylemask_demo.rendering.lighting import Light
from stylemask_demo.rendering.occlusion import shadow
from stylemask_demo.rendering.person import Person
from stylemask_demo.rendering.skin import surface_detail
from stylemask_demo.rendering.vectors import dot, linear, normalised, smoothstep
from stylemask_demo.rendering.view import View

SKIN_WRAP = np.array([0.18, 0.06, 0.03], np.float32)  # light that skin carries around into the shade
OCCLUSION_POWER = np.array([0.8, 1.0, 1.1], np.float32)  # creases of skin stay red
HEAD_CENTRE = np.array([0, 4, 0], np.float32)
SCLERA = linear([205, 198, 192])


@dataclass(frozen=True)
class ShadowMap:
    """Depth (S, S) seen from the key light, and how to get there: axes (3, 3), centre (3,) and pixels per centimetre."""

    depth: np.ndarray
    axes: np.ndarray
    centre: np.ndarray
    scale: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) -> pixels and depth (..., 3) of the map."""
        seen = (points - self.centre) @ self.axes
        seen[..., :2] = seen[..., :2] * self.scale + len(self.depth) / 2
        return seen.astype(np.float32)

    def lit(self, points: np.ndarray) -> np.ndarray:
        """How much of the key light reaches points (N, 3), 0..1."""
        return shadow(self.project(points), self.depth, 0.15)


@dataclass(frozen=True)
class Stage:
    """What all shading needs: who, how, the light and its shadows, the camera's distance and a pixel's size (cm)."""

    anatomy: Anatomy
    person: Person
    view: View
    light: Light
    shadows: ShadowMap
    pixel: float

    def toward_camera(self, points: np.ndarray) -> np.ndarray:
        """Unit vectors (N, 3) from points (N, 3) to the camera."""
        return normalised(np.array([0, 0, self.view.distance], np.float32) - points)


@dataclass(frozen=True)
class Shaded:
    """Light (N, 3), what the surface is, and whether it is clothes (N,) or within the mouth or lips (N,)."""

    light: np.ndarray
    materials: np.ndarray
    cloth: np.ndarray
    mouth: np.ndarray


def shade_surface(stage: Stage, surface: Surface, triangles: np.ndarray, place: np.ndarray, openness: np.ndarray) -> Shaded:
    """Shades points on triangles (N,), at shares (N, 2) of their second and third corners, `openness` (N,) to light."""
    corners = surface.triangles[triangles]
    packed = np.concatenate([surface.vertices, surface.rest, surface.colours, surface.normals, surface.mouth[:, None]], 1)
    between = interpolate(packed, corners, place)
    points, rest, colours, normals = (between[:, i : i + 3] for i in (0, 3, 6, 9))
    mouth = between[:, 12] > 0
    materials = surface.materials[corners[:, 0]]
    roughness = np.full(len(points), stage.person.roughness, np.float32)
    gloss = np.full(len(points), 0.026, np.float32)

    body = (materials == Material.SKIN) | (materials == Material.TORSO)
    low = np.flatnonzero(body & (rest[:, 1] < -6))
    worn, cloth_colours, cloth_normals = clothes.cloth(rest[low], stage.person.garment)
    cloth = np.zeros(len(points), bool)
    cloth[low] = worn
    colours[cloth] = cloth_colours[worn]
    normals[cloth] += cloth_normals[worn]
    roughness[cloth], gloss[cloth] = 0.9, 0.008

    skin = body & ~cloth
    colours[skin], detail, shine = surface_detail(stage.person, stage.view, rest[skin], colours[skin], stage.pixel)
    normals[skin] += detail @ stage.view.rotation.T
    lips = skin & mouth
    gloss[skin] *= shine
    roughness[lips], gloss[lips] = 0.36, 0.03
    wet = (materials == Material.GUMS) | (materials == Material.TEETH)
    roughness[wet], gloss[wet] = 0.25, 0.03
    # Little light finds its way to the back of the mouth; but wet walls send it on to teeth and tongue.
    colours[wet] *= (0.15 + 0.85 * smoothstep(rest[wet, 2], 6, 9.8))[:, None]
    openness = np.where(wet, 0.4 + 0.6 * openness, openness)
    eye = materials == Material.EYE
    colours[eye] = _eye_colours(stage, rest[eye]) * (1 - 0.3 * stage.person.tone)
    roughness[eye], gloss[eye] = 0.12, 0.06
    frame = materials == Material.FRAME
    roughness[frame], gloss[frame] = 0.25, 0.06

    normals = normalised(normals)
    light = _lit(stage, points, normals, colours, roughness, gloss, openness)
    return Shaded(light, materials, cloth, mouth)


def interpolate(values: np.ndarray, corners: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Values (V, D) between the corners (N, 3) of triangles, at shares (N, 2) of the second and third: (N, D)."""
    first, second, third = values[corners[:, 0]], values[corners[:, 1]], values[corners[:, 2]]
    return first + (second - first) * place[:, :1] + (third - first) * place[:, 1:]


def _lit(
    stage: Stage,
    points: np.ndarray,
    normals: np.ndarray,
    colours: np.ndarray,
    roughness: np.ndarray,
    gloss: np.ndarray,
    openness: np.ndarray,
) -> np.ndarray:
    """Diffuse light that wraps around as in skin, and GGX highlights (B. Walter et al., EGSR 2007)."""
    light, toward = stage.light, stage.toward_camera(points)
    lit = stage.shadows.lit(points + normals * 0.2 + light.key_direction * 0.1)[:, None]
    facing = (normals @ light.key_direction)[:, None]
    ambient = light.diffuse(normals) * openness[:, None] ** OCCLUSION_POWER
    diffuse = np.clip((facing + SKIN_WRAP) / (1 + SKIN_WRAP), 0, 1)
    result = colours * (ambient + light.key / np.pi * diffuse * lit)

    half = normalised(light.key_direction + toward)
    across = np.clip(dot(normals, half), 0, 1)
    spread = np.maximum(roughness, 0.2) ** 4
    peak = spread / (np.pi * (across**2 * (spread - 1) + 1) ** 2)
    fresnel = 0.04 + 0.96 * (1 - np.clip(dot(toward, half), 0, 1)) ** 5
    highlight = peak * fresnel * 0.25 * gloss / 0.035
    result += (highlight[:, None] * np.clip(facing, 0, None)) * light.key * lit
    seen = np.clip(dot(normals, toward), 0, 1)
    mirrored = light.reflected(2 * seen[:, None] * normals - toward)
    result += mirrored * ((0.035 + 0.5 * (1 - seen) ** 5 * (1 - roughness)) * openness)[:, None]
    return result.astype(np.float32)


def _eye_colours(stage: Stage, rest: np.ndarray) -> np.ndarray:
    """Pupil, iris with its fibres and dark rim, and sclera, by the angle from the middle of the cornea."""
    side = np.sign(rest[:, :1])
    centre = stage.anatomy.eye_centre(1) * np.concatenate([side, side * 0 + 1, side * 0 + 1], 1)
    arm = normalised(rest - centre)
    arm[:, 0] *= side[:, 0]
    axis = stage.anatomy.corneal_axis(1)
    degrees = np.degrees(np.arccos(np.clip(arm @ axis, -1, 1)))
    around = np.arctan2(arm[:, 1] - axis[1], arm[:, 0] - axis[0])
    fibres = 0.5 * np.sin(around * 23 + 2 * np.sin(around * 5)) + 0.5 * np.sin(around * 41)
    iris = stage.person.iris
    stops = [0, 8.1, 9.3, 15.6, 20.7, 23.7, 42]
    black = np.full(3, 0.004)
    paints = np.array([black, black, iris * 0.7, iris * 1.25, iris * 0.45, SCLERA * 0.82, SCLERA * 0.93])
    colours = np.stack([np.interp(degrees, stops, paints[:, channel]) for channel in range(3)], 1)
    in_iris = (degrees > 9) & (degrees < 20)
    # The inner corner is pink.
    pink = smoothstep(-(rest[:, 0] * side[:, 0]), -2.35, -1.9)[:, None] * np.array([0.1, 0.35, 0.35])
    return (colours * (1 + 0.16 * fibres * in_iris)[:, None] * (1 - pink)).astype(np.float32)


def shade_strands(
    stage: Stage, points: np.ndarray, tangents: np.ndarray, colours: np.ndarray, openness: np.ndarray, on_skin: bool
) -> np.ndarray:
    """Light (N, 3) from points of strands with unit tangents (N, 3) and linear colours (N, 3).

    Two highlights, one of the light and one of the hair's colour, as S. Marschner et al. measured ("Light Scattering from
    Human Hair Fibers", SIGGRAPH 2003) and J. Kajiya and T. Kay shaded. Strands on the skin show less of their own.
    """
    light, toward = stage.light, stage.toward_camera(points)
    # A strand alone faces everywhere; as a part of hair it also faces away from the head.
    facing_camera = normalised(toward - tangents * dot(toward, tangents)[:, None])
    centre = NECK_PIVOT + (HEAD_CENTRE - NECK_PIVOT) @ stage.view.rotation.T
    normals = normalised(facing_camera * 0.45 + normalised(points - centre) * 0.75)
    lit = stage.shadows.lit(points + normals * 0.2 + light.key_direction * 0.1)[:, None]
    facing = (normals @ light.key_direction)[:, None]
    ambient = light.diffuse(normals) * openness[:, None] ** OCCLUSION_POWER
    result = colours * (ambient + light.key / np.pi * np.clip(facing * 0.7 + 0.3, 0, 1) * lit)
    along = dot(tangents, normalised(light.key_direction + toward))[:, None]
    first = np.clip(1 - along**2, 0, 1) ** 20
    second = np.clip(1 - (along + 0.12) ** 2, 0, 1) ** 8
    shine = (0.25 if on_skin else 1.0) * np.clip(facing * 0.6 + 0.4, 0, 1)
    result += (0.09 * first + 0.75 * colours * second) * shine * light.key / np.pi * lit
    return result.astype(np.float32)

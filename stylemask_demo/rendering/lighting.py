"""Light as photographs have it: a random room of soft boxes, split into one key light and the ambient rest."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stylemask_demo.rendering.vectors import normalised

ROWS, COLUMNS = 32, 64  # directions in which the room is sampled
# Cosine lobe of a diffuse surface over the nine harmonics, divided by pi. R. Ramamoorthi, P. Hanrahan, "An Efficient
# Representation for Irradiance Environment Maps", SIGGRAPH 2001.
DIFFUSE = np.array([1, 2 / 3, 2 / 3, 2 / 3, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 4], np.float32)
SHINY = np.array([1, 0.8, 0.8, 0.8, 0.5, 0.5, 0.5, 0.5, 0.5], np.float32) / np.pi


@dataclass(frozen=True)
class Light:
    """`ambient` (9, 3): spherical harmonics of the room without its key light; `key_direction` (3,) towards the key light
    and `key` (3,), the irradiance of a surface that faces it."""

    ambient: np.ndarray
    key_direction: np.ndarray
    key: np.ndarray

    def diffuse(self, normals: np.ndarray) -> np.ndarray:
        """Ambient light (N, 3) that white surfaces with these normals (N, 3) send back."""
        return np.maximum((harmonics(normals) * DIFFUSE) @ self.ambient, 0)

    def reflected(self, directions: np.ndarray) -> np.ndarray:
        """Ambient light (N, 3) that a glossy surface mirrors from these directions (N, 3)."""
        return np.maximum((harmonics(directions) * SHINY) @ self.ambient, 0)


def harmonics(directions: np.ndarray) -> np.ndarray:
    """The nine real spherical harmonics up to the second band: (..., 3) -> (..., 9)."""
    x, y, z = np.moveaxis(directions, -1, 0)
    bands = [0.282095 + 0 * x, 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y, 1.092548 * y * z]
    bands += [0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y)]
    return np.stack(bands, -1).astype(np.float32)


def random_light(rng: np.random.Generator) -> Light:
    """A room with a key light, a weaker fill, often a light from behind; a face gets about one unit of light."""
    directions, solid_angle = _sphere()
    warmth = np.clip(rng.normal() * 0.08, -0.16, 0.16)
    height = directions[:, 1:2] * 0.5 + 0.5
    above, below = np.array([0.95, 1.0, 1.07]), np.array([1.05, 0.95, 0.85])
    room = (above * height + below * (1 - height) * 0.7) * rng.uniform(0.22, 0.6)

    azimuth, elevation = np.radians([np.clip(rng.normal() * 38, -75, 75), rng.uniform(8, 52)])
    toward = np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
    size = rng.uniform(0.3, 0.8)
    warm = np.array([1 + warmth, 1, 1 - warmth])
    room += _soft_box(directions, toward, size, warm * rng.uniform(0.6, 1.5) / size**2)
    fill = np.array([-toward[0] + rng.normal() * 0.2, 0.1, 0.9])
    room += _soft_box(directions, fill, 0.7, warm[::-1] * rng.uniform(0.1, 0.6))
    if rng.random() < 0.5:
        behind = np.array([rng.choice([-1.0, 1.0]), 0.6, -0.9])
        room += _soft_box(directions, behind, 0.4, rng.uniform(0.9, 1.1, 3) * rng.uniform(1.5, 6))
    return _split((room / _on_face(room)).astype(np.float32))


def _soft_box(directions: np.ndarray, toward: np.ndarray, size: float, colour: np.ndarray) -> np.ndarray:
    """A bright disc of about `size` radians around a direction, with soft edges."""
    beyond = (directions @ normalised(toward) - np.cos(size)) * 8 / size**2
    return colour / (1 + np.exp(-np.clip(beyond, -60, 60)))[:, None]


def _on_face(room: np.ndarray) -> float:
    """Mean irradiance, divided by pi, of the directions a face shows to the camera."""
    directions, solid_angle = _sphere()
    facing = normalised(np.array([[0, 0, 1], [0.5, 0.2, 0.85], [-0.5, 0.2, 0.85], [0, 0.5, 0.85], [0, -0.4, 0.9]]))
    cosine = np.clip(directions @ facing.T, 0, None) * solid_angle[:, None]
    return float((room.mean(-1) @ cosine).mean() / np.pi)


def _split(room: np.ndarray) -> Light:
    """Takes the brightest part of the room out as the key light; the rest becomes harmonics."""
    directions, solid_angle = _sphere()
    brightness = room.mean(-1)
    dimmed = np.minimum(room, np.percentile(brightness, 60) * 1.3 + 0.05)
    bright = (room - dimmed) * (directions[:, 2:3] > -0.2)
    direction = normalised((bright.mean(-1) * solid_angle) @ directions)
    ambient = harmonics(directions).T @ ((room - 0.75 * bright) * solid_angle[:, None])
    key = 0.75 * (bright * solid_angle[:, None]).sum(0)
    return Light(ambient.astype(np.float32), direction.astype(np.float32), key.astype(np.float32))


@lru_cache(maxsize=1)
def _sphere() -> tuple[np.ndarray, np.ndarray]:
    """Directions (N, 3) all around and the solid angle (N,) of each."""
    elevation = ((np.arange(ROWS) + 0.5) / ROWS - 0.5) * np.pi
    azimuth = (np.arange(COLUMNS) + 0.5) / COLUMNS * 2 * np.pi
    azimuth, elevation = (grid.ravel() for grid in np.meshgrid(azimuth, elevation))
    x, z = np.sin(azimuth) * np.cos(elevation), np.cos(azimuth) * np.cos(elevation)
    directions = np.stack([x, np.sin(elevation), z], -1)
    return directions, np.cos(elevation) * (np.pi / ROWS) * (2 * np.pi / COLUMNS)

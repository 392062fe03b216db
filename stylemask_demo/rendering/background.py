"""What is behind a person: walls, rooms, trees and lights, all out of focus, as photographs have them."""

import numpy as np
from scipy.ndimage import gaussian_filter

from stylemask_demo.rendering.vectors import linear

SIDE = 96  # pixels in which a background is painted before it is enlarged; it is blurred anyway
# Colours of walls and rooms, streets and parks, linear.
INDOORS = linear(
    [[226, 220, 210], [190, 182, 172], [142, 134, 126], [98, 90, 84], [66, 58, 54], [208, 196, 176], [120, 104, 88],
     [84, 96, 108], [156, 164, 170], [46, 44, 46], [176, 150, 124], [110, 118, 112]]
)  # fmt: skip
FOLIAGE = linear([[58, 74, 40], [86, 104, 58], [120, 134, 84], [40, 50, 32], [150, 158, 118], [92, 88, 62]])
SKIES = linear([[196, 212, 230], [222, 228, 234], [168, 192, 220], [232, 226, 216]])
GROUNDS = linear([[128, 122, 112], [96, 92, 86], [110, 112, 84], [150, 140, 124]])


def random_background(rng: np.random.Generator, size: int) -> np.ndarray:
    """A background (size, size, 3), linear 0..1."""
    kinds = [_wall, _studio, _room, _park, _street, _night]
    kind = kinds[rng.choice(len(kinds), p=[0.2, 0.18, 0.26, 0.16, 0.14, 0.06])]
    picture = np.clip(kind(rng) * rng.uniform(0.7, 1.15), 0.003, 1.2)
    rows = np.clip((np.arange(size) + 0.5) * SIDE / size - 0.5, 0, SIDE - 1)
    low, share = rows.astype(int), (rows % 1)[:, None]
    high = np.minimum(low + 1, SIDE - 1)
    tall = picture[low] * (1 - share[:, None]) + picture[high] * share[:, None]
    return (tall[:, low] * (1 - share) + tall[:, high] * share).astype(np.float32)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """x to the right and y down, 0..1."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    return x[..., None], y[..., None]


def _pick(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    return colours[rng.choice(len(colours))] * (1 + rng.normal(size=3) * 0.04)


def _blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    return gaussian_filter(picture, (sigma, sigma, 0), mode="nearest")


def _cloud(rng: np.random.Generator, roughness: float) -> np.ndarray:
    """Noise (SIDE, SIDE, 1) of mean 0 and unit spread whose waves have the sizes of natural things."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    frequency[0, 0] = np.inf
    shape = frequency.shape
    noise = np.fft.irfft2((rng.normal(size=shape) + 1j * rng.normal(size=shape)) / frequency**roughness, (SIDE, SIDE))
    return (noise / noise.std())[..., None]


def _falloff(rng: np.random.Generator, strength: float) -> np.ndarray:
    """Light that fades across the picture."""
    x, y = _grid()
    angle = rng.uniform(0, 2 * np.pi)
    return 1 + strength * ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle))


def _wall(rng: np.random.Generator) -> np.ndarray:
    wall = _pick(rng, INDOORS) * _falloff(rng, rng.uniform(0.1, 0.9))
    return wall * (1 + 0.03 * _cloud(rng, 1.8))


def _studio(rng: np.random.Generator) -> np.ndarray:
    x, y = _grid()
    glow = np.exp(-((x - rng.uniform(0.3, 0.7)) ** 2 + (y - rng.uniform(0.2, 0.6)) ** 2) / rng.uniform(0.15, 0.6))
    return _pick(rng, INDOORS) * (rng.uniform(0.3, 0.8) + rng.uniform(0.2, 0.9) * glow)


def _room(rng: np.random.Generator) -> np.ndarray:
    x, y = _grid()
    room = np.broadcast_to(_pick(rng, INDOORS), (SIDE, SIDE, 3)) * _falloff(rng, 0.5)
    for _ in range(rng.integers(3, 12)):
        # Furniture, doors and frames stand upright.
        left, top = rng.uniform(-0.2, 1), rng.uniform(-0.2, 1)
        wide, tall = rng.uniform(0.04, 0.4), rng.uniform(0.1, 0.9)
        inside = (x > left) & (x < left + wide) & (y > top) & (y < top + tall)
        room = np.where(inside, _pick(rng, INDOORS) * rng.uniform(0.4, 1.1), room)
    if rng.random() < 0.45:
        left, wide = rng.uniform(-0.1, 0.9), rng.uniform(0.15, 0.5)
        window = (x > left) & (x < left + wide) & (y > rng.uniform(-0.1, 0.2)) & (y < rng.uniform(0.45, 0.9))
        room = np.where(window, _pick(rng, SKIES) * rng.uniform(0.9, 1.6), room)
    return _blurred(room, rng.uniform(1.5, 6)) * (1 + 0.03 * _cloud(rng, 1.5))


def _park(rng: np.random.Generator) -> np.ndarray:
    x, y = _grid()
    leaves = _cloud(rng, rng.uniform(1.1, 1.6))
    a, b = _pick(rng, FOLIAGE), _pick(rng, FOLIAGE)
    park = a + (b - a) * np.clip(0.5 + 0.4 * leaves, 0, 1)
    park = park * (1 + 0.4 * np.clip(_cloud(rng, 1.3), -1.5, 2))
    if rng.random() < 0.6:
        light = np.clip(_cloud(rng, 1.4) + 1.8 * (0.35 - y), 0, 1)
        park = park * (1 - light) + _pick(rng, SKIES) * light
    ground = np.clip((y - rng.uniform(0.55, 1.1)) * 8, 0, 1)
    return _blurred(park * (1 - ground) + _pick(rng, GROUNDS) * ground, rng.uniform(1.2, 4))


def _street(rng: np.random.Generator) -> np.ndarray:
    x, y = _grid()
    horizon = rng.uniform(0.3, 0.8)
    street = np.where(y < horizon, _pick(rng, SKIES), _pick(rng, GROUNDS)) * _falloff(rng, 0.3)
    for _ in range(rng.integers(3, 9)):
        left, wide, top = rng.uniform(-0.2, 1), rng.uniform(0.1, 0.45), rng.uniform(-0.2, horizon)
        house = (x > left) & (x < left + wide) & (y > top) & (y < horizon + rng.uniform(0, 0.15))
        street = np.where(house, _pick(rng, INDOORS) * (1 + 0.25 * np.sign(np.sin(y * rng.uniform(20, 60)))), street)
    return _blurred(street, rng.uniform(2, 5)) * (1 + 0.04 * _cloud(rng, 1.4))


def _night(rng: np.random.Generator) -> np.ndarray:
    x, y = _grid()
    night = np.broadcast_to(linear([30, 28, 30]) * rng.uniform(0.6, 2), (SIDE, SIDE, 3)).copy()
    for _ in range(rng.integers(6, 22)):
        # Lamps out of focus are discs, all of one size.
        distance = np.hypot(x - rng.random(), y - rng.random())
        warm = linear([[255, 214, 160], [255, 236, 214], [214, 226, 255]][rng.choice(3)])
        night += np.clip((0.05 - distance) * SIDE, 0, 1) * warm * rng.uniform(0.05, 0.45)
    return _blurred(night, rng.uniform(0.8, 2.5))

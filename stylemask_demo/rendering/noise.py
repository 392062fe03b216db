"""Repeatable noise in space: for pores, hair that does not lie quite straight, and folds."""

import numba
import numpy as np


@numba.njit(cache=True, fastmath=True, nogil=True)
def value_noise(points: np.ndarray, frequency: float, seed: int) -> np.ndarray:
    """Smooth noise, about -1..1, at points (N, 3): random values on a lattice of `frequency` cells a centimetre."""
    noise = np.empty(len(points), np.float32)
    for i in range(len(points)):
        total = 0.0
        x, y, z = (points[i, 0] * frequency + 1000, points[i, 1] * frequency + 1000, points[i, 2] * frequency + 1000)
        left, low, back = int(x), int(y), int(z)
        x, y, z = x - left, y - low, z - back
        x, y, z = x * x * (3 - 2 * x), y * y * (3 - 2 * y), z * z * (3 - 2 * z)
        for a in range(2):
            for b in range(2):
                for c in range(2):
                    share = (x if a else 1 - x) * (y if b else 1 - y) * (z if c else 1 - z)
                    total += share * _lattice(left + a, low + b, back + c, seed)
        noise[i] = total
    return noise


@numba.njit(cache=True, fastmath=True, nogil=True)
def _lattice(x: int, y: int, z: int, seed: int) -> float:
    mixed = (x * 73856093) ^ (y * 19349663) ^ (z * 83492791) ^ (seed * 2654435)
    mixed = ((mixed ^ (mixed >> 13)) * 1274126177) & 0x7FFFFFFF
    return ((mixed ^ (mixed >> 16)) & 65535) / 32767.5 - 1


def wave_noise(rng: np.random.Generator, points: np.ndarray, scale: float, waves: int = 6) -> np.ndarray:
    """Smooth vectors (..., 3) of about unit size at points (..., 3): a sum of random sines of length about 6 `scale`."""
    total = np.zeros_like(points)
    for _ in range(waves):
        frequency = (rng.normal(size=3) / scale).astype(np.float32)
        phase, size = rng.random(3) * 2 * np.pi, rng.normal(size=3)
        total += (size * np.sin((points @ frequency)[..., None] + phase)).astype(points.dtype)
    return total / np.sqrt(waves)

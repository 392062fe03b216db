"""How much light reaches what a depth buffer shows: ambient occlusion, and shadows by a shadow map.

Points on the screen and depths are those of `raster`; the compiled functions have plain twins in the tests.
"""

import numba
import numpy as np

from stylemask_demo.rendering.raster import EMPTY

TAPS = 12  # of the spiral that ambient occlusion looks along
TURNS = 16  # ways in which the spiral is turned, so that no pattern shows
TURN = 0.3927  # radians
SHADOW_REACH = 3  # pixels of the shadow map averaged on each side

_compiled = numba.njit(cache=True, fastmath=True, nogil=True)


def ambient_occlusion(depth: np.ndarray, pixels_per_centimetre: float) -> np.ndarray:
    """How open each pixel of a depth buffer is to light from everywhere, 0..1: (H, W) -> (H, W).

    Twelve taps on a spiral up to four centimetres away; one that is higher than the pixel takes light away.
    """
    tap = np.arange(TAPS)
    angle = np.arange(TURNS)[:, None] * TURN + tap * 2.4
    reach = (0.3 + tap * 0.32) * pixels_per_centimetre
    return _ambient_occlusion(depth, reach * np.cos(angle), reach * np.sin(angle))


@_compiled
def _ambient_occlusion(depth: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    height, width = depth.shape
    openness = np.ones((height, width), np.float32)
    for row in range(height):
        for column in range(width):
            if depth[row, column] <= EMPTY:
                continue
            taken = 0.0
            turn = (column * 7349 + row * 9151) % TURNS
            for tap in range(TAPS):
                radius = 0.3 + tap * 0.32
                x, y = int(column + across[turn, tap]), int(row + down[turn, tap])
                if x < 0 or y < 0 or x >= width or y >= height:
                    continue
                higher = depth[y, x] - depth[row, column]
                if higher > 0.04 * radius:
                    # What is far in front hangs in the air and shades little.
                    near = 1.0 if higher < radius * 3 else max(0.0, 2 - higher / radius / 3)
                    taken += min(1.0, higher / radius) * near
            openness[row, column] = max(0.0, 1 - taken / TAPS * 1.25)
    return openness


@_compiled
def shadow(points: np.ndarray, depth: np.ndarray, bias: float) -> np.ndarray:
    """How much of a light reaches points (N, 3) on the screen of its shadow map (H, W): 1 lit, 0 in shadow.

    Averages a square of the map, so that edges are soft; `bias` centimetres keep a surface from shading itself.
    """
    height, width = depth.shape
    lit = np.zeros(len(points), np.float32)
    for i in range(len(points)):
        column, row = int(points[i, 0]), int(points[i, 1])
        open_taps, taps = 0, 0
        for down in range(-SHADOW_REACH, SHADOW_REACH + 1):
            for across in range(-SHADOW_REACH, SHADOW_REACH + 1):
                x, y = column + across, row + down
                if x < 0 or y < 0 or x >= width or y >= height:
                    continue
                taps += 1
                # A slanting surface rises towards the edge of the square.
                if depth[y, x] < points[i, 2] + bias + 0.03 * (abs(across) + abs(down)):
                    open_taps += 1
        lit[i] = open_taps / taps if taps else 1.0
    return lit

"""Rasterisers: triangles and strands into a depth buffer, and thin strands over it.

Points on the screen are (x, y) in pixels, x right, y down, and z in centimetres, greater is nearer; the centre of pixel
(row, column) is (column + 0.5, row + 0.5). The compiled functions have plain twins in the tests that give the same
numbers slowly.
"""

from dataclasses import dataclass

import numba
import numpy as np

EMPTY = -1e9  # depth where nothing is

_compiled = numba.njit(cache=True, fastmath=True, nogil=True)


@dataclass(frozen=True)
class Buffers:
    """What is nearest in each pixel: depth (H, W), index of a triangle or of a strand's segment (H, W), -1 for none, and
    where on it (H, W, 2): the weights of a triangle's second and third corner, or how far along and across a segment."""

    depth: np.ndarray
    index: np.ndarray
    place: np.ndarray

    @classmethod
    def empty(cls, side: int) -> "Buffers":
        """Nothing yet, on a screen of `side` pixels a side."""
        return cls(
            np.full((side, side), EMPTY, np.float32),
            np.full((side, side), -1, np.int32),
            np.zeros((side, side, 2), np.float32),
        )


@dataclass(frozen=True)
class SoftLayer:
    """Thin strands that cover pixels partly: sums of colour (H, W, 3) and of coverage (H, W), and what light still
    passes (H, W). The colour of a pixel is the mean of its strands', so that their order does not matter."""

    colour: np.ndarray
    weight: np.ndarray
    passing: np.ndarray

    @classmethod
    def empty(cls, side: int) -> "SoftLayer":
        """No strands yet, on a screen of `side` pixels a side."""
        zeros = np.zeros((side, side), np.float32)
        return cls(np.zeros((side, side, 3), np.float32), zeros, np.ones_like(zeros))

    def over(self, picture: np.ndarray) -> np.ndarray:
        """The layer in front of a picture (H, W, 3)."""
        mean = self.colour / np.maximum(self.weight, 1e-6)[..., None]
        return picture * self.passing[..., None] + mean * (1 - self.passing[..., None])


def draw_triangles(points: np.ndarray, triangles: np.ndarray, buffers: Buffers, first: int) -> None:
    """Draws triangles (T, 3) of screen points (V, 3); the index of triangle t is `first` + t."""
    _draw_triangles(points, triangles, buffers.depth, buffers.index, buffers.place, first)


@_compiled
def _draw_triangles(
    points: np.ndarray, triangles: np.ndarray, depth: np.ndarray, index: np.ndarray, place: np.ndarray, first: int
) -> None:
    height, width = depth.shape
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, z0 = points[a, 0], points[a, 1], points[a, 2]
        x1, y1, z1 = points[b, 0], points[b, 1], points[b, 2]
        x2, y2, z2 = points[c, 0], points[c, 1], points[c, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(area) < 1e-9:
            continue
        left, right = max(0, int(np.floor(min(x0, x1, x2) - 0.5))), min(width - 1, int(max(x0, x1, x2) + 0.5))
        top, bottom = max(0, int(np.floor(min(y0, y1, y2) - 0.5))), min(height - 1, int(max(y0, y1, y2) + 0.5))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                x, y = column + 0.5 - x0, row + 0.5 - y0
                second = (x * (y2 - y0) - (x2 - x0) * y) / area
                third = ((x1 - x0) * y - x * (y1 - y0)) / area
                if second < 0 or third < 0 or second + third > 1:
                    continue
                z = z0 + second * (z1 - z0) + third * (z2 - z0)
                if z > depth[row, column]:
                    depth[row, column] = z
                    index[row, column] = first + t
                    place[row, column, 0] = second
                    place[row, column, 1] = third


def draw_strands(points: np.ndarray, half_widths: np.ndarray, buffers: Buffers, first: int) -> None:
    """Draws opaque strands of screen points (N, K, 3) with half widths (K,) in pixels, at least half a pixel.

    A strand thinner than a pixel covers as many of its pixels as it is wide, chosen by a hash. Segment k of strand n has
    the index `first` + n * K + k.
    """
    _draw_strands(points, half_widths, buffers.depth, buffers.index, buffers.place, first)


@_compiled
def _hash(row: int, column: int, strand: int, segment: int) -> np.int64:
    return (
        (np.int64(column) * 73856093)
        ^ (np.int64(row) * 19349663)
        ^ (np.int64(strand) * 83492791)
        ^ (np.int64(segment) * 2654435)
    ) & 1023


@_compiled
def _strip(
    y: float, x0: float, dx: float, dy: float, half: float, squared: float, left: int, right: int
) -> tuple[int, int]:
    """Columns of a row, `y` below a segment's start, that are no more than `half` from the segment's line."""
    if abs(dy) < 1e-3:
        return left, right
    middle, reach = x0 + y * dx / dy, half * np.sqrt(squared) / abs(dy) + 1
    return max(left, int(middle - reach)), min(right, int(middle + reach))


@_compiled
def _draw_strands(
    points: np.ndarray, half_widths: np.ndarray, depth: np.ndarray, index: np.ndarray, place: np.ndarray, first: int
) -> None:
    height, width = depth.shape
    strands, knots = points.shape[0], points.shape[1]
    for n in range(strands):
        for k in range(knots - 1):
            x0, y0, z0 = points[n, k, 0], points[n, k, 1], points[n, k, 2]
            dx, dy, dz = points[n, k + 1, 0] - x0, points[n, k + 1, 1] - y0, points[n, k + 1, 2] - z0
            half = max(half_widths[k], 0.5)
            share = half_widths[k] / half
            squared = dx * dx + dy * dy + 1e-9
            left, right = max(0, int(min(x0, x0 + dx) - half)), min(width - 1, int(max(x0, x0 + dx) + half))
            top, bottom = max(0, int(min(y0, y0 + dy) - half)), min(height - 1, int(max(y0, y0 + dy) + half))
            for row in range(top, bottom + 1):
                start, stop = _strip(row + 0.5 - y0, x0, dx, dy, half, squared, left, right)
                for column in range(start, stop + 1):
                    x, y = column + 0.5 - x0, row + 0.5 - y0
                    along = min(1.0, max(0.0, (x * dx + y * dy) / squared))
                    aside_x, aside_y = x - along * dx, y - along * dy
                    if aside_x * aside_x + aside_y * aside_y > half * half:
                        continue
                    if share < 1 and _hash(row, column, n, k) > share * 1024:
                        continue
                    z = z0 + along * dz
                    if z > depth[row, column]:
                        depth[row, column] = z
                        index[row, column] = first + n * knots + k
                        place[row, column, 0] = along
                        place[row, column, 1] = (aside_x * dy - aside_y * dx) / np.sqrt(squared) / half


def blend_strands(
    points: np.ndarray,
    colours: np.ndarray,
    half_widths: np.ndarray,
    opacity: float,
    bias: float,
    depth: np.ndarray,
    layer: SoftLayer,
) -> None:
    """Blends thin strands, screen points (N, K, 3) and colours (N, K, 3), over what `depth` holds.

    Half widths (K,) in pixels; a pixel is covered as far as the strand reaches into it, times `opacity`. Points more than
    `bias` centimetres behind the depth buffer are hidden.
    """
    _blend_strands(points, colours, half_widths, opacity, bias, depth, layer.colour, layer.weight, layer.passing)


@_compiled
def _blend_strands(
    points: np.ndarray,
    colours: np.ndarray,
    half_widths: np.ndarray,
    opacity: float,
    bias: float,
    depth: np.ndarray,
    colour: np.ndarray,
    weight: np.ndarray,
    passing: np.ndarray,
) -> None:
    height, width = depth.shape
    strands, knots = points.shape[0], points.shape[1]
    for n in range(strands):
        for k in range(knots - 1):
            x0, y0, z0 = points[n, k, 0], points[n, k, 1], points[n, k, 2]
            dx, dy, dz = points[n, k + 1, 0] - x0, points[n, k + 1, 1] - y0, points[n, k + 1, 2] - z0
            squared = dx * dx + dy * dy
            if squared < 1e-6:
                continue
            half = half_widths[k]
            reach = half + 0.5
            strength = opacity * min(1.0, 2 * half)
            left, right = max(0, int(min(x0, x0 + dx) - reach)), min(width - 1, int(max(x0, x0 + dx) + reach))
            top, bottom = max(0, int(min(y0, y0 + dy) - reach)), min(height - 1, int(max(y0, y0 + dy) + reach))
            for row in range(top, bottom + 1):
                start, stop = _strip(row + 0.5 - y0, x0, dx, dy, reach, squared, left, right)
                for column in range(start, stop + 1):
                    x, y = column + 0.5 - x0, row + 0.5 - y0
                    along = (x * dx + y * dy) / squared
                    # Without round ends: neighbouring segments would be counted twice where they meet.
                    if along < 0 or along >= 1 or z0 + along * dz < depth[row, column] - bias:
                        continue
                    aside = abs(x * dy - y * dx) / np.sqrt(squared)
                    covered = strength * min(1.0, max(0.0, reach - aside))
                    passing[row, column] *= 1 - covered
                    weight[row, column] += covered
                    for channel in range(3):
                        here, ahead = colours[n, k, channel], colours[n, k + 1, channel]
                        colour[row, column, channel] += covered * (here + along * (ahead - here))

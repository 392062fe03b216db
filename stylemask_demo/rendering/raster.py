"""Rasterisers: triangles and strands into a depth buffer, thin strands over it, shadows and ambient occlusion.

Points on the screen are (x, y) in pixels, x right, y down, and z in centimetres, greater is nearer; the centre of pixel
(row, column) is (column + 0.5, row + 0.5). Every compiled function has a plain twin, named `..._reference`, that gives
the same numbers slowly.
"""

from dataclasses import dataclass

import numba
import numpy as np

EMPTY = -1e9  # depth where nothing is
OCCLUSION_TAPS = 12
OCCLUSION_TURNS = 16  # ways in which the spiral of taps is turned, so that no pattern shows
OCCLUSION_TURN = 0.3927  # radians
SHADOW_REACH = 3  # pixels of the shadow map averaged on each side

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
def _draw_triangles(points, triangles, depth, index, place, first):
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


def draw_triangles_reference(points: np.ndarray, triangles: np.ndarray, buffers: Buffers, first: int) -> None:
    """The plain twin of `draw_triangles`: every triangle is tried on every pixel."""
    height, width = buffers.depth.shape
    y, x = np.mgrid[:height, :width] + 0.5
    for t, (a, b, c) in enumerate(points[triangles].astype(float)):
        area = np.linalg.det([b[:2] - a[:2], c[:2] - a[:2]])
        if abs(area) < 1e-9:
            continue
        second = ((x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / area
        third = ((b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])) / area
        z = a[2] + second * (b[2] - a[2]) + third * (c[2] - a[2])
        drawn = (second >= 0) & (third >= 0) & (second + third <= 1) & (z > buffers.depth)
        buffers.depth[drawn] = z[drawn]
        buffers.index[drawn] = first + t
        buffers.place[drawn] = np.stack([second, third], -1)[drawn]


def draw_strands(points: np.ndarray, half_widths: np.ndarray, buffers: Buffers, first: int) -> None:
    """Draws opaque strands of screen points (N, K, 3) with half widths (K,) in pixels, at least half a pixel.

    A strand thinner than a pixel covers as many of its pixels as it is wide, chosen by a hash. Segment k of strand n has
    the index `first` + n * K + k.
    """
    _draw_strands(points, half_widths, buffers.depth, buffers.index, buffers.place, first)


@_compiled
def _hash(row, column, strand, segment):
    return (
        (np.int64(column) * 73856093)
        ^ (np.int64(row) * 19349663)
        ^ (np.int64(strand) * 83492791)
        ^ (np.int64(segment) * 2654435)
    ) & 1023


@_compiled
def _strip(y, x0, dx, dy, half, squared, left, right):
    """Columns of a row, `y` below a segment's start, that are no more than `half` from the segment's line."""
    if abs(dy) < 1e-3:
        return left, right
    middle, reach = x0 + y * dx / dy, half * np.sqrt(squared) / abs(dy) + 1
    return max(left, int(middle - reach)), min(right, int(middle + reach))


@_compiled
def _draw_strands(points, half_widths, depth, index, place, first):
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


def draw_strands_reference(points: np.ndarray, half_widths: np.ndarray, buffers: Buffers, first: int) -> None:
    """The plain twin of `draw_strands`: every segment is tried on every pixel."""
    height, width = buffers.depth.shape
    rows, columns = np.mgrid[:height, :width]
    for n, strand in enumerate(points.astype(float)):
        for k, (a, b) in enumerate(zip(strand, strand[1:], strict=False)):
            half = max(half_widths[k], 0.5)
            along, aside = _segment(columns + 0.5 - a[0], rows + 0.5 - a[1], b - a)
            hashes = (columns * 73856093) ^ (rows * 19349663) ^ (n * 83492791) ^ (k * 2654435)
            z = a[2] + along * (b[2] - a[2])
            drawn = (aside**2 <= half**2) & (hashes % 1024 <= half_widths[k] / half * 1024) & (z > buffers.depth)
            buffers.depth[drawn] = z[drawn]
            buffers.index[drawn] = first + n * points.shape[1] + k
            signed = _across(columns + 0.5 - a[0], rows + 0.5 - a[1], along, b - a)
            buffers.place[drawn] = np.stack([along, signed / half], -1)[drawn]


def _segment(x: np.ndarray, y: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far along a segment, 0..1, the nearest point is, and how far away."""
    along = np.clip((x * step[0] + y * step[1]) / (step[0] ** 2 + step[1] ** 2 + 1e-9), 0, 1)
    return along, np.hypot(x - along * step[0], y - along * step[1])


def _across(x: np.ndarray, y: np.ndarray, along: np.ndarray, step: np.ndarray) -> np.ndarray:
    aside_x, aside_y = x - along * step[0], y - along * step[1]
    return (aside_x * step[1] - aside_y * step[0]) / np.sqrt(step[0] ** 2 + step[1] ** 2 + 1e-9)


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
def _blend_strands(points, colours, half_widths, opacity, bias, depth, colour, weight, passing):
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


def blend_strands_reference(
    points: np.ndarray,
    colours: np.ndarray,
    half_widths: np.ndarray,
    opacity: float,
    bias: float,
    depth: np.ndarray,
    layer: SoftLayer,
) -> None:
    """The plain twin of `blend_strands`: every segment is tried on every pixel."""
    height, width = depth.shape
    y, x = np.mgrid[:height, :width] + 0.5
    for strand, paint in zip(points.astype(float), colours.astype(float), strict=True):
        for k, (a, b) in enumerate(zip(strand, strand[1:], strict=False)):
            step = b - a
            squared = step[0] ** 2 + step[1] ** 2
            if squared < 1e-6:
                continue
            along = ((x - a[0]) * step[0] + (y - a[1]) * step[1]) / squared
            aside = np.abs((x - a[0]) * step[1] - (y - a[1]) * step[0]) / np.sqrt(squared)
            covered = opacity * min(1, 2 * half_widths[k]) * np.clip(half_widths[k] + 0.5 - aside, 0, 1)
            covered *= (along >= 0) & (along < 1) & (a[2] + along * step[2] >= depth - bias)
            layer.passing[:] *= 1 - covered
            layer.weight[:] += covered
            layer.colour[:] += covered[..., None] * (paint[k] + along[..., None] * (paint[k + 1] - paint[k]))


def ambient_occlusion(depth: np.ndarray, pixels_per_centimetre: float) -> np.ndarray:
    """How open each pixel of a depth buffer is to light from everywhere, 0..1: (H, W) -> (H, W).

    Twelve taps on a spiral up to four centimetres away; one that is higher than the pixel takes light away.
    """
    tap = np.arange(OCCLUSION_TAPS)
    angle = np.arange(OCCLUSION_TURNS)[:, None] * OCCLUSION_TURN + tap * 2.4
    reach = (0.3 + tap * 0.32) * pixels_per_centimetre
    return _ambient_occlusion(depth, reach * np.cos(angle), reach * np.sin(angle))


@_compiled
def _ambient_occlusion(depth, across, down):
    height, width = depth.shape
    openness = np.ones((height, width), np.float32)
    for row in range(height):
        for column in range(width):
            if depth[row, column] <= EMPTY:
                continue
            taken = 0.0
            turn = (column * 7349 + row * 9151) % OCCLUSION_TURNS
            for tap in range(OCCLUSION_TAPS):
                radius = 0.3 + tap * 0.32
                x, y = int(column + across[turn, tap]), int(row + down[turn, tap])
                if x < 0 or y < 0 or x >= width or y >= height:
                    continue
                higher = depth[y, x] - depth[row, column]
                if higher > 0.04 * radius:
                    # What is far in front hangs in the air and shades little.
                    near = 1.0 if higher < radius * 3 else max(0.0, 2 - higher / radius / 3)
                    taken += min(1.0, higher / radius) * near
            openness[row, column] = max(0.0, 1 - taken / OCCLUSION_TAPS * 1.25)
    return openness


def ambient_occlusion_reference(depth: np.ndarray, pixels_per_centimetre: float) -> np.ndarray:
    """The plain twin of `ambient_occlusion`: one tap at a time for all pixels."""
    rows, columns = np.indices(depth.shape)
    turn = ((columns * 7349 + rows * 9151) % OCCLUSION_TURNS) * OCCLUSION_TURN
    taken = np.zeros(depth.shape)
    for tap in range(OCCLUSION_TAPS):
        radius = 0.3 + tap * 0.32
        x = np.trunc(columns + radius * pixels_per_centimetre * np.cos(turn + tap * 2.4)).astype(int)
        y = np.trunc(rows + radius * pixels_per_centimetre * np.sin(turn + tap * 2.4)).astype(int)
        inside = (x >= 0) & (y >= 0) & (x < depth.shape[1]) & (y < depth.shape[0])
        higher = np.where(inside, depth[np.where(inside, y, 0), np.where(inside, x, 0)] - depth.astype(float), 0)
        near = np.where(higher < radius * 3, 1, np.maximum(0, 2 - higher / radius / 3))
        taken += np.where(higher > 0.04 * radius, np.minimum(1, higher / radius) * near, 0)
    openness = np.maximum(0, 1 - taken / OCCLUSION_TAPS * 1.25)
    return np.where(depth <= EMPTY, 1, openness).astype(np.float32)


@_compiled
def shadow(points, depth, bias):
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


def shadow_reference(points: np.ndarray, depth: np.ndarray, bias: float) -> np.ndarray:
    """The plain twin of `shadow`: one tap at a time for all points."""
    column, row = points[:, 0].astype(int), points[:, 1].astype(int)
    open_taps, taps = np.zeros(len(points)), np.zeros(len(points))
    for down in range(-SHADOW_REACH, SHADOW_REACH + 1):
        for across in range(-SHADOW_REACH, SHADOW_REACH + 1):
            x, y = column + across, row + down
            inside = (x >= 0) & (y >= 0) & (x < depth.shape[1]) & (y < depth.shape[0])
            stored = depth[np.where(inside, y, 0), np.where(inside, x, 0)]
            taps += inside
            open_taps += inside & (stored < points[:, 2] + bias + 0.03 * (abs(across) + abs(down)))
    return np.where(taps > 0, open_taps / np.maximum(taps, 1), 1).astype(np.float32)

"""Plain twins of the renderer's compiled functions: the same numbers, slowly."""

import numpy as np

from stylemask_demo.rendering.occlusion import SHADOW_REACH, TAPS, TURN, TURNS
from stylemask_demo.rendering.raster import EMPTY, Buffers, SoftLayer


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


def ambient_occlusion_reference(depth: np.ndarray, pixels_per_centimetre: float) -> np.ndarray:
    """The plain twin of `ambient_occlusion`: one tap at a time for all pixels."""
    rows, columns = np.indices(depth.shape)
    turn = ((columns * 7349 + rows * 9151) % TURNS) * TURN
    taken = np.zeros(depth.shape)
    for tap in range(TAPS):
        radius = 0.3 + tap * 0.32
        x = np.trunc(columns + radius * pixels_per_centimetre * np.cos(turn + tap * 2.4)).astype(int)
        y = np.trunc(rows + radius * pixels_per_centimetre * np.sin(turn + tap * 2.4)).astype(int)
        inside = (x >= 0) & (y >= 0) & (x < depth.shape[1]) & (y < depth.shape[0])
        higher = np.where(inside, depth[np.where(inside, y, 0), np.where(inside, x, 0)] - depth.astype(float), 0)
        near = np.where(higher < radius * 3, 1, np.maximum(0, 2 - higher / radius / 3))
        taken += np.where(higher > 0.04 * radius, np.minimum(1, higher / radius) * near, 0)
    openness = np.maximum(0, 1 - taken / TAPS * 1.25)
    return np.where(depth <= EMPTY, 1, openness).astype(np.float32)


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


def value_noise_reference(points: np.ndarray, frequency: float, seed: int) -> np.ndarray:
    """The plain twin of `value_noise`."""
    scaled = points.astype(np.float64) * frequency + 1000
    cell = scaled.astype(np.int64)
    share = scaled - cell
    share = share * share * (3 - 2 * share)
    total = np.zeros(len(points))
    for corner in np.ndindex(2, 2, 2):
        x, y, z = (cell + corner).T
        mixed = (x * 73856093) ^ (y * 19349663) ^ (z * 83492791) ^ (seed * 2654435)
        mixed = ((mixed ^ (mixed >> 13)) * 1274126177) & 0x7FFFFFFF
        value = ((mixed ^ (mixed >> 16)) & 65535) / 32767.5 - 1
        total += np.where(corner, share, 1 - share).prod(1) * value
    return total.astype(np.float32)


def creases_reference(rest: np.ndarray, lines: np.ndarray, pixel: float) -> tuple[np.ndarray, np.ndarray]:
    """The plain twin of `creases`, which leaves out what is farther than two and a half widths."""
    points = np.stack([np.abs(rest[:, 0]), rest[:, 1]], 1).astype(float)
    slope, depth = np.zeros((len(rest), 2)), np.zeros(len(rest))
    for ax, ay, bx, by, width, deep in lines.astype(float):
        a, b, width = np.array([ax, ay]), np.array([bx, by]), max(width, pixel)
        along = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a) + 1e-9), 0, 1)
        aside = points - a - along[:, None] * (b - a)
        here = deep * np.exp(-(aside**2).sum(1) / width**2)
        low, high = np.minimum(a, b) - 2.5 * width, np.maximum(a, b) + 2.5 * width
        here *= ((points >= low) & (points <= high)).all(1) & (rest[:, 2] >= 2)
        deeper = here > depth
        depth = np.where(deeper, here, depth)
        slope = np.where(deeper[:, None], 2 * here[:, None] * aside / width**2, slope)
    return slope.astype(np.float32), depth.astype(np.float32)

"""Where each point of one view of a figure lies in another view of it, exactly, because the renderer knows."""

from typing import NamedTuple

import numpy as np

from stylemask_demo.rendering.render import Geometry

SKIN_DEPTH, HAIR_DEPTH = 0.25, 0.8  # centimetres behind the nearest that still count as seen: hair is no surface


class Correspondence(NamedTuple):
    """Of each cell of a view: where its point lies in another view (S, S, 2), x and y from -1 to 1 across the picture,
    whether it is seen there (S, S), and whether it is of the figure (S, S). The background lies where it is, and is seen
    where no figure stands before it."""

    places: np.ndarray
    seen: np.ndarray
    figure: np.ndarray


def correspondence(shown: Geometry, other: Geometry, side: int) -> Correspondence:
    """For cells in `side` rows and columns of the view `shown`, where they lie in the view `other` of the same figure; by
    the sample nearest to their middle."""
    buffers, samples = shown.buffers, len(shown.buffers.depth)
    step = samples // side
    centres = (np.arange(side) * step + step // 2).astype(int)
    index = buffers.index[np.ix_(centres, centres)]
    place = buffers.place[np.ix_(centres, centres)]
    grid = np.stack(np.meshgrid(centres, centres, indexing="xy"), -1) + 0.5
    points = np.concatenate([grid, np.zeros((side, side, 1))], 2)
    first = len(shown.triangles)
    on_mesh, on_hair = (index >= 0) & (index < first), index >= first
    corners = shown.triangles[index[on_mesh]]
    a, b, c = (other.vertices[corners[:, i]] for i in range(3))
    second, third = place[on_mesh][:, :1], place[on_mesh][:, 1:]
    points[on_mesh] = a + (b - a) * second + (c - a) * third
    strand, knot = np.divmod(index[on_hair] - first, shown.strands.shape[1])
    start, end = other.strands[strand, knot], other.strands[strand, knot + 1]
    points[on_hair] = start + (end - start) * place[on_hair][:, :1]

    columns, rows = np.floor(points[..., :2]).astype(int).transpose(2, 0, 1)
    inside = (columns >= 0) & (columns < samples) & (rows >= 0) & (rows < samples)
    columns, rows = np.clip(columns, 0, samples - 1), np.clip(rows, 0, samples - 1)
    behind = other.buffers.depth[rows, columns] - points[..., 2]
    seen = np.where(index < 0, other.buffers.index[rows, columns] < 0, behind < np.where(on_hair, HAIR_DEPTH, SKIN_DEPTH))
    # From the sample to the middle of its cell.
    places = (points[..., :2] + (step / 2 - step // 2 - 0.5)) / samples * 2 - 1
    return Correspondence(places.astype(np.float32), seen & inside, index >= 0)

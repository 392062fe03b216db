"""Where the points of one view of a rendered person lie in another: what correspondence is learned from."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylemask_demo.networks.correspondence import centres
from stylemask_demo.rendering.shards import FIGURE, SEEN, UNIT
from stylemask_demo.training.data import find_shards


class Truth(NamedTuple):
    """Of cells of B views: `places` (B, 2, S, S) in another view of the person, x and y from -1 to 1 across it, and 1 or 0
    (B, 1, S, S) for whether it is `seen` there, is of the `figure`, and is `known` at all."""

    places: Tensor
    seen: Tensor
    figure: Tensor
    known: Tensor

    def mirrored(self) -> "Truth":
        """The same of mirrored pictures."""
        places, *others = (part.flip(3) for part in self)
        return Truth(places * places.new_tensor([-1.0, 1.0])[:, None, None], *others)

    def moved(self, scale: Tensor, shift: Tensor) -> "Truth":
        """The same of pictures that were both magnified by `scale` (B,) and shifted by `shift` (B, 2) in pictures, as by
        `augment.move`."""
        count, side = len(scale), self.places.shape[-1]
        inverse = torch.zeros(count, 2, 3)
        inverse[:, 0, 0] = inverse[:, 1, 1] = 1 / scale
        inverse[:, :, 2] = -2 * shift / scale[:, None]
        grid = F.affine_grid(inverse, [count, 1, side, side], align_corners=False)
        # Cells of different things must not be mixed: the nearest one it is.
        cells = F.grid_sample(torch.cat(self, 1), grid, mode="nearest", padding_mode="border", align_corners=False)
        places, seen, figure, known = cells.split([2, 1, 1, 1], 1)
        inside = (grid.abs() <= 1).all(3)[:, None].float()
        places = places * scale[:, None, None, None] + 2 * shift[:, :, None, None]
        return Truth(places, seen * inside, figure, known * inside)


@dataclass(frozen=True)
class Correspondences:
    """What is known of the scenes of a folder, mapped into memory: `places` (N, S, S, 2) and `cells` (N, S, S) as shards
    keep them, and `numbers`, which of them belongs to a pair of rows (source, target) of the faces."""

    places: np.ndarray
    cells: np.ndarray
    numbers: dict[tuple[int, int], int]

    def pairs(self) -> np.ndarray:
        """Rows of source and target, (N, 2), of all pairs that are known."""
        return np.array(list(self.numbers))

    def of(self, sources: np.ndarray, targets: np.ndarray) -> Truth:
        """Where cells of the targets (B,) lie in their sources (B,), rows of the faces; one may be the other."""
        device = torch.get_default_device()
        unmoved = torch.from_numpy(sources == targets).to(device)[:, None, None, None]
        pairs = zip(sources.tolist(), targets.tolist(), strict=True)
        numbers = [self.numbers.get(pair, 0) for pair in pairs]
        places = torch.from_numpy(self.places[numbers]).to(device).permute(0, 3, 1, 2).float() * UNIT
        cells = torch.from_numpy(self.cells[numbers]).to(device)[:, None]
        seen, figure = ((cells & bit).clamp(max=1).float() for bit in (SEEN, FIGURE))
        one = torch.ones_like(seen)
        places = torch.where(unmoved, centres(places.shape[-1], places), places)
        return Truth(places, torch.where(unmoved, one, seen), torch.where(unmoved, one, figure), one)


def load_correspondences(data: Path, pattern: str, cache: Path) -> Correspondences:
    """Reads those of all shards of folder `data` whose name matches, for the rows of `load_faces` of the same pattern.

    Raises FileNotFoundError for a shard that has none.
    """
    numbers: dict[tuple[int, int], int] = {}
    parts, first = [], 0
    for tar in find_shards(data, pattern):
        path = tar.with_name(f"correspondence-{tar.stem}.npz")
        if not path.exists():
            raise FileNotFoundError(f"no {path.name} in {data} (make it with `python -m stylemask_demo render --scene`)")
        with np.load(path) as file:
            for source, target in file["rows"] + first:
                numbers[int(source), int(target)] = len(numbers)
            parts.append(path)
        with np.load(tar.with_suffix(".npz")) as labels:
            first += len(labels["person"])
    kept = [cache / f"correspondence-{pattern.strip('-*')}-{len(parts)}-{name}.npy" for name in ("places", "cells")]
    cache.mkdir(parents=True, exist_ok=True)
    for name, path in zip(("places", "cells"), kept, strict=True):
        if not path.exists():
            partial = path.with_suffix(".partial.npy")
            np.save(partial, np.concatenate([np.load(part)[name] for part in parts]))
            partial.rename(path)
    places, cells = (np.load(path, mmap_mode="r") for path in kept)
    return Correspondences(places, cells, numbers)

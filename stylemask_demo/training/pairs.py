"""Reenactments of one view of a person by another, from which the photo's detail is learned."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from stylemask_demo import Portrait, Reenactor
from stylemask_demo.caching import Lazy
from stylemask_demo.media.tensors import from_pixels, to_tensor
from stylemask_demo.networks.perception import to_input
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.training.data import Faces

UNMOVED = 0.1  # part of the pairs whose target is the source itself
MISTAKEN = 0.75  # part of the pairs whose inversion looks more or less like somebody else,
MOST_MISTAKEN = 1.0  # by at most this: all; photographs are inverted worse than rendered people are
ON_GPU, ON_CPU = 8, 2  # people whose pairs are made at once: large batches take a CPU longer; one alone has no stranger


@dataclass(frozen=True)
class Pairs:
    """N reenactments of one view of a person by another, mapped into memory from a folder.

    `rows` (N, 2) of source and target among the faces; `pictures` (N, 2, S, S, 3) uint8 of the source's inversion and the
    result; `landmarks` (N, 3, 68, 2) of the source's picture, its inversion and the result as fractions; `poses` (N, 6)
    degrees of yaw, pitch and roll in the source's picture and in the result, as they were read.
    """

    rows: np.memmap
    pictures: np.memmap
    landmarks: np.memmap
    poses: np.memmap

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def create(cls, folder: Path, count: int, size: int) -> None:
        """Makes a folder with room for `count` pairs of pictures of `size` pixels."""
        folder.mkdir(exist_ok=True)
        room = {
            "rows": (np.int64, (2,)),
            "pictures": (np.uint8, (2, size, size, 3)),
            "landmarks": (np.float32, (3, 68, 2)),
            "poses": (np.float32, (6,)),
        }
        for name, (kind, shape) in room.items():
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, (count, *shape)).flush()

    @classmethod
    def open(cls, folder: Path, writing: bool = False) -> "Pairs":
        """The pairs of a folder that `create` made. Several processes may write theirs at a time."""
        mode: Literal["r+", "r"] = "r+" if writing else "r"
        return cls(*(np.load(folder / f"{field.name}.npy", mmap_mode=mode) for field in dataclasses.fields(cls)))

    def batch(self, numbers: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Inversions and results (B, 3, S, S) in -1..1, `landmarks` (B, 3, 68, 2) and `poses` (B, 6)."""
        device = torch.get_default_device()
        pixels = torch.from_numpy(np.ascontiguousarray(self.pictures[numbers])).to(device)
        inversions, made = from_pixels(pixels).unbind(1)
        landmarks, poses = (torch.from_numpy(known[numbers]).to(device) for known in (self.landmarks, self.poses))
        return inversions, made, landmarks, poses


def make_pairs(
    reenactor: Reenactor, encoder: PortraitEncoder, faces: Faces, pairs: Pairs, share: int = 0, shares: int = 1
) -> None:
    """Fills in one of several shares of `pairs`: views of a person reenacted by one another, by every method in turn.

    Every person has as many pairs, so that there must be a multiple of the people. `reenactor` must not add detail itself;
    it and `encoder` are of one pack.
    """
    size, people, methods = reenactor.resolution, faces.rows_by_person(), reenactor.methods
    mine, each = range(share, len(people), shares), len(pairs) // len(people)
    together = ON_GPU if reenactor.device.type == "cuda" else ON_CPU
    for start in tqdm(range(0, len(mine), together), desc="pairs", mininterval=10, disable=share > 0):
        some = mine[start : start + together]
        random = np.random.default_rng(some[0])
        rows = np.concatenate([_views(people[person], each, random) for person in some])
        used, places = np.unique(rows, return_inverse=True)
        portraits = reenactor.pipeline.portraits.of_crops(
            [Image.fromarray(picture) for picture in faces.pictures[size][used]]
        )
        sources, targets = ([portraits[place] for place in column] for column in places.reshape(rows.shape).T)
        strangers = [sources[i - each] for i in range(len(sources))]  # who came before, and the last for the first
        for i in np.flatnonzero(random.random(len(sources)) < MISTAKEN):
            sources[i] = _mistaken(reenactor, encoder, sources[i], strangers[i], random.uniform(0, MOST_MISTAKEN))
        numbers = np.add.outer(np.array(some) * each, np.arange(each)).ravel()
        for turn, method in enumerate(methods[: len(rows)]):
            made = reenactor.reenact(sources[turn :: len(methods)], targets[turn :: len(methods)], method=method)
            for i, result in zip(range(turn, len(rows), len(methods)), made, strict=True):
                number, shown = numbers[i], [sources[i].crop, sources[i].inversion, result]
                pairs.rows[number] = rows[i]
                pairs.pictures[number] = np.stack([np.asarray(picture) for picture in shown[1:]])
                seen = [reading.parameters for reading in reenactor.pipeline.reader.read(shown)]
                pairs.landmarks[number] = [parameters.landmarks / size for parameters in seen]
                pairs.poses[number] = [
                    angle for parameters in seen[::2] for angle in (parameters.yaw, parameters.pitch, parameters.roll)
                ]
    for written in (pairs.rows, pairs.pictures, pairs.landmarks, pairs.poses):
        written.flush()


def _views(rows: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Rows of source and target, (count, 2), drawn from those of one person."""
    drawn = np.stack([random.permutation(rows)[:2] for _ in range(count)])
    unmoved = random.random(count) < UNMOVED
    drawn[unmoved, 1] = drawn[unmoved, 0]
    return drawn


@torch.inference_mode()
def _mistaken(
    reenactor: Reenactor, encoder: PortraitEncoder, portrait: Portrait, stranger: Portrait, part: float
) -> Portrait:
    """The portrait with a code that holds its motion, but `part` of a stranger's looks."""
    pictures = to_tensor([portrait.crop, stranger.crop], portrait.crop.width).to(reenactor.device)
    mine, other = encoder.look(to_input(pictures)).split(1)
    codes = portrait.codes + part * (other - mine).cpu()
    return dataclasses.replace(
        portrait, codes=codes, key=f"{portrait.key}~{part}", made=Lazy(partial(reenactor.pipeline.results.inversion, codes))
    )

"""Labelled pictures of people for training: tars of WebP pictures beside npz files of exact labels.

A shard is `NAME.tar` with pictures `PERSON_VIEW.webp` in the order of the rows of `NAME.npz`. Pictures are decoded once
into arrays of a cache folder and mapped into memory from there.
"""

import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylemask_demo.media.tensors import from_pixels

LABELS = ("person", "identity", "expression", "euler", "landmarks", "tone", "female", "hair_style")


@dataclass(frozen=True)
class Faces:
    """Pictures and labels, row by row.

    `pictures` {side in pixels: uint8 (N, side, side, 3)}; `labels` as in the npz files, concatenated: `person` (N,),
    `identity` (N, 100), `expression` (N, 53), `euler` (N, 3) degrees of yaw, pitch, roll, `landmarks` (N, 68, 2) as a
    fraction 0..1 of the picture, and `tone`, `female`, `hair_style`, `glasses` of the person.
    """

    pictures: dict[int, np.ndarray]
    labels: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.labels["person"])

    def spread(self, count: int) -> np.ndarray:
        """At most `count` rows, evenly spread."""
        return np.linspace(0, len(self) - 1, min(count, len(self))).astype(int)

    def rows_by_person(self) -> list[np.ndarray]:
        """Rows of the pictures, views or frames of a video, of each person who has at least two."""
        person = self.labels["person"]
        order = np.argsort(person, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(person[order])) + 1)
        return [rows for rows in groups if len(rows) > 1]

    def first_views(self) -> np.ndarray:
        """Rows (persons, 2) of everybody's first two pictures."""
        return np.stack([rows[:2] for rows in self.rows_by_person()])

    def batch(self, rows: np.ndarray, side: int) -> Tensor:
        """Pictures of the rows as float (B, 3, side, side) in -1..1, on torch's default device."""
        pixels = torch.from_numpy(np.ascontiguousarray(self.pictures[side][rows])).to(torch.get_default_device())
        return from_pixels(pixels)

    def tensors(self, rows: np.ndarray | slice, *names: str) -> list[Tensor]:
        """The named labels of the rows as float tensors."""
        device = torch.get_default_device()
        return [torch.from_numpy(self.labels[name][rows].astype(np.float32)).to(device) for name in names]


def load_faces(data: Path, pattern: str, cache: Path, sides: tuple[int, ...] = (256, 128, 64)) -> Faces:
    """Reads all shards of folder `data` whose name matches `pattern`, such as "train-*".

    Decoded pictures are kept in `cache`. Raises FileNotFoundError when no shard matches.
    """
    tars = find_shards(data, pattern)
    rows = [np.load(tar.with_suffix(".npz")) for tar in tars]
    labels = {name: np.concatenate([row[name] for row in rows]) for name in LABELS}
    labels["landmarks"] = labels["landmarks"].astype(np.float32) / 256
    # Some shards are of people none of whom wears any, and do not say so.
    labels["glasses"] = np.concatenate([row.get("glasses", np.zeros(len(row["person"]), bool)) for row in rows])
    cache.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for side in sides:
        path = cache / f"{pattern.strip('-*')}-{len(tars)}-{side}.npy"
        if not path.exists():
            _decode(tars, len(labels["person"]), side, path)
        pictures[side] = np.load(path, mmap_mode="r")
    return Faces(pictures, labels)


def find_shards(data: Path, pattern: str) -> list[Path]:
    """The tars of all shards whose name matches. Raises FileNotFoundError when there is none."""
    tars = sorted(data.glob(f"{pattern}.tar"))
    if not tars:
        cure = " (make them with `python -m stylemask_demo render --scene`)" if pattern.startswith("scene") else ""
        raise FileNotFoundError(f"no {pattern}.tar with labelled faces in {data}{cure}")
    return tars


def _decode(tars: list[Path], count: int, side: int, path: Path) -> None:
    partial = path.with_suffix(".partial")
    array = np.lib.format.open_memmap(partial, "w+", np.uint8, (count, side, side, 3))
    row = 0
    with ThreadPoolExecutor() as pool:
        for tar in tars:
            with tarfile.open(tar) as archive:
                files = [file.read() for member in archive if (file := archive.extractfile(member))]
            for picture in pool.map(lambda file: _picture(file, side), files):
                array[row] = picture
                row += 1
    if row != count:
        raise ValueError(f"{tars[0].parent} holds {row} pictures for {count} rows of labels")
    array.flush()
    partial.rename(path)


def _picture(file: bytes, side: int) -> np.ndarray:
    picture = Image.open(io.BytesIO(file)).convert("RGB")
    return np.asarray(picture.resize((side, side), Image.Resampling.BOX) if picture.width != side else picture)


def draw_rows(faces: Faces, count: int, glasses: float = 1.0) -> np.ndarray:
    """`count` random rows; a picture with glasses is drawn `glasses` times as often as one without."""
    (worn,) = faces.tensors(slice(None), "glasses")
    return torch.multinomial(1 + (glasses - 1) * worn, count, replacement=True).cpu().numpy()


def draw_pairs(views: list[np.ndarray], people: int, often: torch.Tensor | None = None) -> np.ndarray:
    """Rows (people, 2) of two different pictures each of random people; `views` as `Faces.rows_by_person` gives them.

    `often` (persons,) says how much more often one person is drawn than another, if not all alike.
    """
    often = torch.ones(len(views)) if often is None else often
    chosen = torch.multinomial(often, min(people, len(views))).tolist()
    return np.stack([views[person][torch.randperm(len(views[person]))[:2].cpu().numpy()] for person in chosen])

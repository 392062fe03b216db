"""What the published programs recorded from photo to picture: tests/golden/CHAINS.md describes every array."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from stylemask_demo import Reenactor
from stylemask_demo.downloads.checksum import sha256_of
from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.detect import FaceBox
from stylemask_demo.networks import Generator
from stylemask_demo.packs import download, download_pack, loading, store
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.pipeline import Pipeline

FOLDER = Path(__file__).parent / "golden"
ARRAYS = np.load(FOLDER / "chains.npz")


def photo(name: str) -> Image.Image:
    """One of the four photos."""
    return Image.open(io.BytesIO(ARRAYS[f"pictures/{name}/png"].tobytes())).convert("RGB")


def recorded_crop(name: str) -> np.ndarray:
    """The crop (256, 256, 3) that a program made, in grey levels."""
    return np.float32(Image.open(io.BytesIO(ARRAYS[f"{name}/crop256_png"].tobytes())).convert("RGB"))


class RecordedFinder:
    """Finds the landmarks that were recorded for a picture, one of the photos or what the programs made of them."""

    name = "recorded"

    def __init__(self, places: dict[str, tuple[Image.Image, np.ndarray]]):
        self.places = places  # a picture and its landmarks, by any name

    def find(self, image: Image.Image, small: bool = False) -> list[FaceBox]:
        alike = [place for place in self.places.values() if place[0].size == image.size]
        differences = [np.abs(np.float32(picture) - np.float32(image)).mean() for picture, _ in alike]
        if not alike or min(differences) > 1:
            return []
        landmarks = alike[int(np.argmin(differences))][1]
        x, y = crop_quad(landmarks).mean(0)
        return [FaceBox(x - 50, y - 50, x + 50, y + 50, np.float64(landmarks))]


@contextmanager
def published(
    name: str, files: dict[str, Callable[[], dict]], finder: RecordedFinder, mean: np.ndarray, folder: Path
) -> Iterator[Reenactor]:
    """A published pack made of files, as a visitor gets it, but for the finder and the mean face.

    Its files are told apart by name and size: sums over gigabytes are no matter of the chains.
    """

    def told_apart(path: Path) -> str:
        return f"{path.name} {path.stat().st_size}" if folder in path.parents else sha256_of(path)

    write_files(folder / "files", files)
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("STYLEMASK_HOME", str(folder / "home"))
        for module in (download, loading, store):
            changed.setattr(module, "sha256_of", told_apart)
        info = download_pack(name, source=folder / "files").info
        emptied(folder / "files")
        yield piped(PackNetworks.load(info.folder, torch.device("cpu")), finder, mean)
        emptied(info.folder)


def write_files(folder: Path, files: dict[str, Callable[[], dict]]) -> None:
    """Write the published files, each made when it is its turn."""
    folder.mkdir(parents=True)
    for name, made in files.items():
        torch.save(made(), folder / name)


def emptied(folder: Path) -> None:
    """Delete the files of a folder, which are large."""
    for path in folder.iterdir():
        path.unlink()


def piped(networks: PackNetworks, finder: RecordedFinder, mean: np.ndarray, compatibility: bool = True) -> Reenactor:
    """The networks of a pack with a finder and a mean face of the recordings; the programs draw theirs anew each time."""
    with patch("stylemask_demo.pipeline.mean_w", lambda generator: torch.from_numpy(mean)):
        return Reenactor(Pipeline(networks, finder, compatibility))


@contextmanager
def drawn() -> Iterator[list[torch.Tensor]]:
    """What generators draw meanwhile, (B, 3, S, S) each, before it is rounded to grey levels."""
    pictures: list[torch.Tensor] = []
    draw = Generator.synthesise

    def noted(self: Generator, *arguments) -> torch.Tensor:
        pictures.append(draw(self, *arguments))
        return pictures[-1]

    with patch.object(Generator, "synthesise", noted):
        yield pictures


def check(found: np.ndarray | torch.Tensor, name: str, tolerance: float) -> None:
    """Compare with a recorded array; without its axis of length one in front, where the one found has none."""
    found = np.asarray(found, np.float64).reshape(ARRAYS[name].shape)
    error = np.abs(found - ARRAYS[name]).max()
    print(f"{name}: {error:.1e}")
    assert error < tolerance, f"{name} differs by {error:.2e}"


def check_picture(tensor: torch.Tensor, name: str, tolerance: float = 1e-4) -> None:
    """Compare a picture (1, 3, S, S) in -1..1 with the recorded one."""
    check(F.adaptive_avg_pool2d(tensor, 64), f"{name}/pooled64", tolerance)
    if f"{name}/centre32" in ARRAYS:
        start = tensor.shape[-1] // 2 - 16
        check(tensor[..., start : start + 32, start : start + 32], f"{name}/centre32", tolerance)


def check_image(picture: Image.Image, name: str, tolerance: float = 1e-4) -> None:
    """Compare a picture in whole grey levels with the recorded one, which is -1..1 and beyond."""
    start = picture.width // 2 - 16
    centre = np.float32(picture)[start : start + 32, start : start + 32].transpose(2, 0, 1) / 127.5 - 1
    error = np.abs(centre - np.clip(ARRAYS[f"{name}/centre32"], -1, 1).reshape(3, 32, 32)).max()
    assert error < tolerance + 1 / 127.5, f"{name} differs by {error:.2e}"

"""Rendered people that no training saw, and what is true of them: the pictures in assets/faces."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from stylemask_demo import FaceParameters, Reenactor
from stylemask_demo.portraits.identity import identities

FACES = Path(__file__).parent / "assets" / "faces"
LABELS = json.loads((FACES / "labels.json").read_text())  # by name, PERSON_VIEW: euler (3) in degrees, landmarks (68, 2)
LANDMARKS = {name: np.array(label["landmarks"]) for name, label in LABELS.items()}  # pixels of the picture of 256


def picture(name: str) -> Image.Image:
    """One person's face, an aligned crop of 256 x 256 pixels."""
    with Image.open(FACES / f"{name}.webp") as opened:
        return opened.convert("RGB")


def names(view: int) -> list[str]:
    """View 0 of eight people of all colours, or view 1 of eight others."""
    return sorted(name for name in LABELS if name.endswith(f"_{view}") and int(name[:6]) // 20 % 2 == view)[:16:2]


def look(reenactor: Reenactor, crops: list[Image.Image]) -> tuple[list[FaceParameters], np.ndarray]:
    """Face parameters and identity vectors (B, 256) of pictures that are aligned crops already, such as results."""
    seen = [reading.parameters for reading in reenactor.pipeline.reader.read(crops)]
    return seen, identities(reenactor.pipeline.networks.identity.get(), crops)


def alike(first: Image.Image, second: Image.Image) -> bool:
    """Whether two pictures differ by no more than their arithmetic may: 45 dB, which half precision is held to."""
    return bool(np.square(np.float32(first) - np.float32(second)).mean() < 255**2 / 10**4.5)

"""Reading labelled pictures of people, and which group each person belongs to."""

import io
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from stylemask_demo import Portrait, Reenactor
from stylemask_demo.errors import NoFaceFound, UnreadableMedia
from stylemask_demo.faces.parameters import EXPRESSIONS

SHARD = "validation"
BATCH = 16
SMILE = [EXPRESSIONS.index("mouthSmile_L"), EXPRESSIONS.index("mouthSmile_R")]
TONE_THIRDS = ("light", "medium", "dark")
LABELS = ("person", "expression", "euler", "landmarks", "tone", "female", "hair_style")


@dataclass(frozen=True)
class Face:
    """One labelled picture and its portrait.

    The labels are exact and hold for the portrait's crop: `euler` (3,) degrees of yaw, pitch, roll, `expression` (53,)
    coefficients, `landmarks` (68, 2) in pixels of the crop. `groups` tells skin tone third, sex, hair style and, where that
    is labelled, glasses.
    """

    person: int
    euler: np.ndarray
    expression: np.ndarray
    landmarks: np.ndarray
    groups: dict[str, str]
    portrait: Portrait

    @property
    def smile(self) -> float:
        """Mean of both smile coefficients."""
        return float(self.expression[SMILE].mean())


def has_shard(data: Path) -> bool:
    """Tells whether a folder holds labelled pictures."""
    return (data / f"{SHARD}.npz").is_file()


def read_people(reenactor: Reenactor, data: Path) -> tuple[list[Face], int]:
    """Portraits of the pictures in `validation.tar` with the labels of `validation.npz`, and how many showed no face.

    Raises UnreadableMedia when a file is missing or does not fit the other.
    """
    try:
        labels = dict(np.load(data / f"{SHARD}.npz"))
        labels = {name: labels[name] for name in (*LABELS, "glasses") if name in LABELS or name in labels}
        with tarfile.open(data / f"{SHARD}.tar") as archive:
            files = [file.read() for member in archive if (file := archive.extractfile(member))]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise UnreadableMedia(
            f"The labelled faces in {data} cannot be read ({error}). Render or copy them again."
        ) from None
    if len(files) != len(labels["person"]):
        raise UnreadableMedia(
            f"{data} holds {len(files)} pictures for {len(labels['person'])} rows of labels. Render or copy them again."
        )
    groups = _groups(labels)
    faces = []
    for start in tqdm(range(0, len(files), BATCH), desc="portraits"):
        rows = range(start, min(start + BATCH, len(files)))
        pictures = [Image.open(io.BytesIO(files[row])).convert("RGB") for row in rows]
        for row, portrait in zip(rows, portraits_of(reenactor, pictures), strict=True):
            if portrait is not None:
                faces.append(_face(labels, groups, row, portrait))
    return faces, len(files) - len(faces)


def portraits_of(reenactor: Reenactor, pictures: list[Image.Image]) -> Sequence[Portrait | None]:
    """A portrait of each picture, in one batch where all show a face; None where no face was found."""
    try:
        return reenactor.portrait(pictures)
    except NoFaceFound:
        return [_portrait_or_none(reenactor, picture) for picture in pictures]


def _portrait_or_none(reenactor: Reenactor, picture: Image.Image) -> Portrait | None:
    try:
        return reenactor.portrait(picture)
    except NoFaceFound:
        return None


def _face(labels: dict[str, np.ndarray], groups: list[dict[str, str]], row: int, portrait: Portrait) -> Face:
    """The labels of one picture, carried over into the crop that the pipeline made of it."""
    transform = portrait.transform
    # Landmarks count from the edge of the first pixel, transforms from its centre.
    landmarks = transform.to_crop(labels["landmarks"][row].astype(np.float64) - 0.5) + 0.5
    # A crop that is turned clockwise shows the head turned anticlockwise by as much.
    (across, _, _), (down, _, _) = transform.matrix
    turned = np.degrees(np.arctan2(down, across))
    euler = labels["euler"][row].astype(np.float64) + [0, 0, turned]
    expression = labels["expression"][row].astype(np.float64)
    return Face(int(labels["person"][row]), euler, expression, landmarks, groups[row], portrait)


def _groups(labels: dict[str, np.ndarray]) -> list[dict[str, str]]:
    """Skin tone third (of the people in the data), sex, hair style and glasses of each row."""
    _, first = np.unique(labels["person"], return_index=True)
    limits = np.quantile(labels["tone"][first], [1 / 3, 2 / 3])
    thirds = np.searchsorted(limits, labels["tone"], side="right")
    kinds = {
        "skin tone": [TONE_THIRDS[third] for third in thirds],
        "sex": ["female" if female else "male" for female in labels["female"]],
        "hair style": [str(style) for style in labels["hair_style"]],
    }
    if "glasses" in labels:
        kinds["glasses"] = ["with" if worn else "without" for worn in labels["glasses"]]
    return [dict(zip(kinds, row, strict=True)) for row in zip(*kinds.values(), strict=True)]


def by_group(faces: Sequence[Face], pose_errors: np.ndarray, identity_cosines: np.ndarray) -> dict[str, dict[str, dict]]:
    """Means by group of the people, {kind of group: {group: values}}.

    `faces` are the people that the two arrays (N,) of pose errors in degrees and of identity cosines belong to. Each group
    has its `count`, its means, and the `ratio` of its pose error to the mean of all.
    """
    result: dict[str, dict[str, dict]] = {}
    for kind in faces[0].groups if faces else ():
        names = np.array([face.groups[kind] for face in faces])
        result[kind] = {
            str(name): {
                "count": int((names == name).sum()),
                "pose error": float(pose_errors[names == name].mean()),
                "CSIM": float(identity_cosines[names == name].mean()),
                "ratio": float(pose_errors[names == name].mean() / pose_errors.mean()),
            }
            for name in np.unique(names)
        }
    return result

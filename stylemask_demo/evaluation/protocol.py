"""Measurements on labelled people: parameters, inversion, cross reenactment and slider edits."""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from stylemask_demo.errors import NoFaceFound
from stylemask_demo.faces.parameters import FaceParameters
from stylemask_demo.reenactor import Portrait, Reenactor

EDITS = ({"yaw": 20.0}, {"yaw": -20.0}, {"pitch": 10.0}, {"pitch": -10.0}, {"smile": 0.5})
Measured = dict[str, float]


@dataclass(frozen=True)
class Face:
    """One labelled picture and its portrait.

    `euler` (3,) degrees of yaw, pitch, roll, `landmarks` (68, 2) in pixels of the picture and `smile` are exact.
    """

    person: int
    euler: np.ndarray
    landmarks: np.ndarray
    smile: float
    portrait: Portrait


def read_faces(reenactor: Reenactor, data: Path, name: str = "validation") -> tuple[list[Face], int]:
    """Portraits of the pictures in `NAME.tar` with the labels of `NAME.npz`, and how many had no face to be found.

    Raises FileNotFoundError when the files are missing.
    """
    labels = np.load(data / f"{name}.npz")
    smiles = labels["expression"][:, 45:47].astype(np.float32).mean(1)
    faces, missed = [], 0
    with tarfile.open(data / f"{name}.tar") as archive:
        for row, member in enumerate(tqdm(archive.getmembers(), desc="portraits")):
            picture = Image.open(io.BytesIO(archive.extractfile(member).read()))
            try:
                portrait = reenactor.portrait(picture)
            except NoFaceFound:
                missed += 1
                continue
            landmarks = labels["landmarks"][row].astype(np.float32)
            person, euler = int(labels["person"][row]), labels["euler"][row]
            faces.append(Face(person, euler, landmarks, float(smiles[row]), portrait))
    return faces, missed


def measure_parameters(faces: list[Face]) -> Measured:
    """Mean absolute errors of the whole path from picture to parameters against the exact labels."""
    found = [face.portrait.parameters for face in faces]
    angles = np.abs([_angles(f) - face.euler for f, face in zip(found, faces, strict=True)]).mean(0)
    landmarks = []
    for face in faces:
        eyes = np.linalg.norm(face.landmarks[36:42].mean(0) - face.landmarks[42:48].mean(0))
        distances = np.linalg.norm(face.portrait.landmarks_in_photo - face.landmarks, axis=1)
        landmarks.append(distances.mean() / eyes)
    smile = np.mean([abs(f.smile - face.smile) for f, face in zip(found, faces, strict=True)])
    return {
        "yaw error (degrees)": float(angles[0]),
        "pitch error (degrees)": float(angles[1]),
        "roll error (degrees)": float(angles[2]),
        "landmark error (eye distances)": float(np.mean(landmarks)),
        "smile error": float(smile),
    }


def measure_inversion(reenactor: Reenactor, faces: list[Face]) -> Measured:
    """How near inversions are to their crops: PSNR over the whole crop, and identity cosine."""
    crops, made = [f.portrait.crop for f in faces], [f.portrait.inversion for f in faces]
    errors = [np.square(np.float32(c) / 255 - np.float32(m) / 255).mean() for c, m in zip(crops, made, strict=True)]
    cosines = (reenactor.look(crops)[1] * reenactor.look(made)[1]).sum(1)
    return {
        "inversion PSNR (dB)": float(-10 * np.log10(errors).mean()),
        "inversion identity cosine": float(cosines.mean()),
    }


def measure_reenactment(
    reenactor: Reenactor, faces: list[Face], method: str, pairs: int = 200, seed: int = 0
) -> Measured:
    """Cross reenactment of random pairs of different people.

    The extractor reads the angles of the result, which are compared with the exact angles of the target; the identity
    vector of the result is compared with those of both people's crops.
    """
    rng = np.random.default_rng(seed)
    errors, to_source, to_target = [], [], []
    while len(errors) < pairs:
        source, target = (faces[i] for i in rng.integers(len(faces), size=2))
        if source.person == target.person:
            continue
        result = reenactor.reenact(source.portrait, target.portrait, method=method)
        parameters, vectors = reenactor.look([result, source.portrait.crop, target.portrait.crop])
        errors.append(np.abs(_angles(parameters[0]) - target.euler).mean())
        to_source.append(vectors[0] @ vectors[1])
        to_target.append(vectors[0] @ vectors[2])
    return {
        f"{method}: angle error to the target (degrees)": float(np.mean(errors)),
        f"{method}: identity cosine to the source": float(np.mean(to_source)),
        f"{method}: identity cosine to the target": float(np.mean(to_target)),
        f"{method}: nearer to the source (share)": float(np.mean(np.array(to_source) > to_target)),
    }


def measure_edits(reenactor: Reenactor, faces: list[Face], count: int = 100, seed: int = 0) -> Measured:
    """Mean change of measured yaw, pitch (degrees) and smile under each of `EDITS`, against the unedited inversion."""
    chosen = np.random.default_rng(seed).choice(len(faces), min(count, len(faces)), replace=False)
    portraits = [faces[i].portrait for i in chosen]

    def read(pictures: list[Image.Image]) -> np.ndarray:
        return np.array([[f.yaw, f.pitch, f.smile] for f in reenactor.look(pictures)[0]])

    before = read([portrait.inversion for portrait in portraits])
    table = {}
    for edit in EDITS:
        change = read([reenactor.edit(portrait, **edit) for portrait in portraits]) - before
        name = ", ".join(f"{what} {value:+g}" for what, value in edit.items())
        for column, measured in enumerate(("yaw", "pitch", "smile")):
            table[f"{name}: mean change of {measured}"] = float(change[:, column].mean())
    return table


def _angles(parameters: FaceParameters) -> np.ndarray:
    return np.array([parameters.yaw, parameters.pitch, parameters.roll])

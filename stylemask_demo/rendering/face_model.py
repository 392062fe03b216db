"""The 3D face model: ICT-FaceKit (MIT), found in a folder or downloaded once and converted to one file.

R. Li et al., "Learning Formation of Physically-Based Face Attributes", CVPR 2020; github.com/ICT-VGL/ICT-FaceKit.
The mesh, its modes and its tables of vertex ranges and landmarks are those of that repository at `COMMIT`.
"""

import os
import tarfile
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import numpy as np

from stylemask_demo.downloads.fetch import Progress, fetch
from stylemask_demo.downloads.home import home
from stylemask_demo.downloads.hosts import Host
from stylemask_demo.downloads.locking import locked
from stylemask_demo.errors import DownloadFailed, FaceModelMissing
from stylemask_demo.faces.parameters import EXPRESSIONS
from stylemask_demo.rendering.vectors import triangulated

COMMIT = "da5f95a607f5e6b37755b38d3385d7f2853732e5"
ARCHIVE_URL = f"https://github.com/ICT-VGL/ICT-FaceKit/archive/{COMMIT}.tar.gz"
FILE_NAME = "ict_facekit.npz"
LARGEST = 2_000_000_000  # bytes of the archive


@dataclass(frozen=True)
class Topology:
    """Which vertices and polygons make which part of the mesh.

    `parts`: name -> (first vertex, end, first polygon, end); `landmarks`: the 68 vertices in the order of iBUG.
    """

    vertices: int
    polygons: int
    parts: dict[str, tuple[int, int, int, int]]
    landmarks: tuple[int, ...]


# "Face Model Topology", "Eyeball Details" and "Facial Landmarks" in the README of ICT-FaceKit.
ICT_TOPOLOGY = Topology(
    vertices=26719,
    polygons=26384,
    parts={
        "face": (0, 9409, 0, 9230),
        "head_neck": (9409, 11248, 9230, 11144),
        "mouth_socket": (11248, 13294, 11144, 13226),
        "eye_socket_l": (13294, 13678, 13226, 13630),
        "eye_socket_r": (13678, 14062, 13630, 14034),
        "gums_tongue": (14062, 17039, 14034, 17006),
        "teeth": (17039, 21451, 17006, 21496),
        "sclera_l": (21451, 22221, 21496, 22296),
        "iris_l": (22221, 23021, 22296, 23094),
        "sclera_r": (23021, 23791, 23094, 23894),
        "iris_r": (23791, 24591, 23894, 24692),
        "lacrimal_l": (24591, 24795, 24692, 24855),
        "lacrimal_r": (24795, 24999, 24855, 25018),
        "eyeblend_l": (24999, 25023, 25018, 25033),
        "eyeblend_r": (25023, 25047, 25033, 25048),
        "eyeocc_l": (25047, 25199, 25048, 25176),
        "eyeocc_r": (25199, 25351, 25176, 25304),
        "lashes_l": (25351, 26035, 25304, 25844),
        "lashes_r": (26035, 26719, 25844, 26384),
        "face_narrow": (0, 6706, 0, 6560),
    },
    landmarks=(
        *(1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443),
        *(268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509),
        *(978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360),
        *(1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732),
        *(5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841),
        *(5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966),
    ),
)


@dataclass(frozen=True)
class FaceModel:
    """A linear model of faces: mean (V, 3) in centimetres, y up, z out of the face, plus modes.

    `identity_basis` (I, V, 3) and `expression_basis` (E, V, 3) are offsets; `polygons` (F, 4) has -1 for the fourth
    corner of a triangle; `uv` (U, 2) and `uv_polygons` (F, 4) alike; `landmarks` (68,) are vertices in iBUG order;
    `vertex_ranges` and `polygon_ranges` give (first, end) of each part.
    """

    mean: np.ndarray
    identity_basis: np.ndarray
    expression_basis: np.ndarray
    expression_names: tuple[str, ...]
    polygons: np.ndarray
    uv: np.ndarray
    uv_polygons: np.ndarray
    landmarks: np.ndarray
    vertex_ranges: dict[str, tuple[int, int]]
    polygon_ranges: dict[str, tuple[int, int]]

    @classmethod
    def read(cls, path: Path) -> "FaceModel":
        """Reads a converted model; raises FaceModelMissing when the file is none or is damaged."""
        try:
            with np.load(path, allow_pickle=False) as file:
                names = [str(name) for name in file["part_names"]]
                return cls(
                    mean=file["mean"].astype(np.float32),
                    identity_basis=file["id_basis"].astype(np.float32),
                    expression_basis=file["exp_basis"].astype(np.float32),
                    expression_names=tuple(str(name) for name in file["exp_names"]),
                    polygons=file["faces"],
                    uv=file["uv"],
                    uv_polygons=file["uv_faces"],
                    landmarks=file["landmarks68"],
                    vertex_ranges=dict(zip(names, map(tuple, file["part_vertex_range"].tolist()), strict=True)),
                    polygon_ranges=dict(zip(names, map(tuple, file["part_face_range"].tolist()), strict=True)),
                )
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise FaceModelMissing(
                f"{path} is not a converted face model, or is damaged ({error}). Delete it and try again."
            ) from error

    def save(self, path: Path) -> None:
        """Writes the model as one compressed file, whole or not at all."""
        names = list(self.vertex_ranges)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".partial", delete=False) as file:
            np.savez_compressed(
                file,
                mean=self.mean,
                id_basis=self.identity_basis.astype(np.float16),
                exp_basis=self.expression_basis.astype(np.float16),
                exp_names=np.array(self.expression_names),
                faces=self.polygons,
                uv=self.uv,
                uv_faces=self.uv_polygons,
                landmarks68=self.landmarks,
                part_names=np.array(names),
                part_vertex_range=np.array([self.vertex_ranges[name] for name in names], np.int32),
                part_face_range=np.array([self.polygon_ranges[name] for name in names], np.int32),
            )
        os.replace(file.name, path)

    def triangles(self, *parts: str) -> np.ndarray:
        """Triangles (T, 3) of the named parts."""
        return triangulated(np.concatenate([self.polygons[slice(*self.polygon_ranges[part])] for part in parts]))

    def neutral(self, identity: np.ndarray) -> np.ndarray:
        """Vertices (V, 3) of a person with a resting face, from coefficients (I,)."""
        return self.mean + (identity.astype(np.float32) @ self._flat_identity).reshape(self.mean.shape)

    def expression_offset(self, expression: np.ndarray) -> np.ndarray:
        """What an expression (E,), 0..1 each, adds to the vertices: (V, 3)."""
        used = np.flatnonzero(expression)
        offset = expression[used].astype(np.float32) @ self._flat_expression[used]
        return offset.reshape(self.mean.shape)

    @cached_property
    def _flat_identity(self) -> np.ndarray:
        return self.identity_basis.reshape(len(self.identity_basis), -1)

    @cached_property
    def _flat_expression(self) -> np.ndarray:
        return self.expression_basis.reshape(len(self.expression_basis), -1)


def load_face_model(path: Path | None = None, progress: Progress | None = None) -> FaceModel:
    """The face model from a converted file, or else a download; arguments and errors as of `find_face_model`."""
    return FaceModel.read(find_face_model(path, progress))


def find_face_model(path: Path | None = None, progress: Progress | None = None) -> Path:
    """The file of the converted face model: at `path`, a file or its folder; else in the cache; else downloaded into it.

    The cache is the folder of all that is downloaded, `downloads.home`. `progress` is called with the bytes that are here,
    all bytes (0 when not known) and what is being done; it may raise to stop, and the next call goes on from there. Raises
    FaceModelMissing when nothing is at `path`, or when the download fails.
    """
    if path is not None:
        file = path / FILE_NAME if path.is_dir() else path
        if not file.is_file():
            raise FaceModelMissing(f"There is no {FILE_NAME} at {path}. Leave --face-model out to download the model.")
        return file
    file = home() / FILE_NAME
    if not file.is_file():
        _download(file, progress or (lambda done, total, what: None))
    return file


def _download(file: Path, progress: Progress) -> None:
    archive = home() / "downloads" / f"ICT-FaceKit-{COMMIT}.tar.gz"
    host = Host("GitHub", ARCHIVE_URL, f"convert it on another machine, and name its {FILE_NAME} with --face-model")
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with locked(home() / f".{FILE_NAME}.lock", progress, "Waiting for another download of the face model"):
            if file.is_file():  # another process has made it meanwhile
                return
            if not archive.is_file():
                fetch(host, archive, LARGEST, progress, "the face model ICT-FaceKit (MIT licence), once")
            progress(0, 0, f"Converting the face model to {file}")
            try:
                with archive.open("rb") as content:
                    convert_archive(content).save(file)
            finally:
                archive.unlink()  # converted, or useless
    except DownloadFailed as error:
        raise FaceModelMissing(str(error)) from error
    except (OSError, tarfile.TarError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise FaceModelMissing(
            f"The face model from {ARCHIVE_URL} cannot be used ({error}). Try again, or copy {FILE_NAME} from another "
            "machine and name it with --face-model."
        ) from error


def convert_archive(archive: IO[bytes], topology: Topology = ICT_TOPOLOGY) -> FaceModel:
    """Converts the repository's archive, an open .tar.gz file, to a model.

    Reads FaceXModel/generic_neutral_mesh.obj, identity000.obj, identity001.obj, ... and one file per expression. Raises
    FaceModelMissing when one is missing or has another number of vertices than `topology`.
    """
    neutral: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None
    shapes: dict[str, np.ndarray] = {}
    with tarfile.open(fileobj=archive, mode="r:gz") as tar:
        for member in tar:
            path = Path(member.name)
            if path.parent.name != "FaceXModel" or path.suffix != ".obj" or not (file := tar.extractfile(member)):
                continue
            if path.stem == "generic_neutral_mesh":
                text = file.read().decode()
                neutral = _obj_rows(text, "v ", 3), _obj_rows(text, "vt ", 2), *_obj_polygons(text)
            elif path.stem in EXPRESSIONS or path.stem.startswith("identity"):
                shapes[path.stem] = _obj_rows(file.read().decode(), "v ", 3)
    identities = sorted(name for name in shapes if name.startswith("identity"))
    missing = [name for name in EXPRESSIONS if name not in shapes]
    if neutral is None or not identities or missing:
        what = "generic_neutral_mesh" if neutral is None else "identity000" if not identities else missing[0]
        raise FaceModelMissing(f"The archive of the face model has no FaceXModel/{what}.obj. {_REPORT}")
    mean, uv, polygons, uv_polygons = neutral
    odd = [name for name, shape in shapes.items() if shape.shape != mean.shape]
    if len(mean) != topology.vertices or len(polygons) != topology.polygons or odd:
        raise FaceModelMissing(
            f"The face model has {len(mean)} vertices and {len(polygons)} polygons "
            f"instead of {topology.vertices} and {topology.polygons}, or its shapes differ. {_REPORT}"
        )
    return FaceModel(
        mean=mean,
        identity_basis=np.stack([shapes[name] - mean for name in identities]),
        expression_basis=np.stack([shapes[name] - mean for name in EXPRESSIONS]),
        expression_names=EXPRESSIONS,
        polygons=polygons,
        uv=uv,
        uv_polygons=uv_polygons,
        landmarks=np.array(topology.landmarks, np.int32),
        vertex_ranges={name: part[:2] for name, part in topology.parts.items()},
        polygon_ranges={name: part[2:] for name, part in topology.parts.items()},
    )


_REPORT = f"It should be commit {COMMIT} of github.com/ICT-VGL/ICT-FaceKit."


def _obj_rows(text: str, key: str, columns: int) -> np.ndarray:
    rows = [line.split()[1 : columns + 1] for line in text.splitlines() if line.startswith(key)]
    return np.array(rows, np.float32).reshape(-1, columns)


def _obj_polygons(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertex and texture corners (F, 4) from lines `f v/vt v/vt v/vt [v/vt]`, counted from 0."""
    polygons, uv_polygons = [], []
    for line in text.splitlines():
        if line.startswith("f "):
            corners = [corner.split("/") for corner in line.split()[1:]]
            padding = [-1] * (4 - len(corners))
            polygons.append([int(corner[0]) - 1 for corner in corners] + padding)
            uv_polygons.append([int(corner[1]) - 1 for corner in corners] + padding)
    return np.array(polygons, np.int32), np.array(uv_polygons, np.int32)

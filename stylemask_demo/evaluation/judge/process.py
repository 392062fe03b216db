"""Looks at pictures with MediaPipe's face mesh and dlib's face recognition. Run as a program of the judge's environment.

    .judge/bin/python -I process.py FOLDER

It reads the PNG files of FOLDER in the order of their names, prints a line after each, and writes FOLDER/seen.npz. Of N
pictures that holds `found` (N,), whether a face was seen, `mesh` (N, 478, 3), MediaPipe's face mesh with irises (x to the
right, y down, z away from the camera, all in pixels), and `identity` (N, 128), vectors of dlib's face recognition. Rows
without a face are zero.

It imports nothing of this package: this MediaPipe needs a numpy that the package does not run with.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import cv2
import dlib
import face_recognition_models
import mediapipe
import numpy as np

MESH_POINTS, IDENTITY_SIZE = 478, 128
CONFIDENCE = 0.3  # of the face finder: painted and half-turned faces are faces too


class Seen(NamedTuple):
    """What is seen in one picture: `mesh` (478, 3) in pixels and `identity` (128,)."""

    mesh: np.ndarray
    identity: np.ndarray


class Eyes:
    """The networks of both libraries; their weights come in the packages."""

    def __init__(self) -> None:
        self._mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=CONFIDENCE
        )
        self._points = dlib.shape_predictor(face_recognition_models.pose_predictor_five_point_model_location())
        self._identity = dlib.face_recognition_model_v1(face_recognition_models.face_recognition_model_location())

    def look(self, picture: np.ndarray) -> Seen | None:
        """The clearest face of a picture (H, W, 3) uint8 RGB; None where no face is seen."""
        height, width = picture.shape[:2]
        found = self._mesh.process(picture).multi_face_landmarks
        if not found:
            return None
        mesh = np.array([(p.x * width, p.y * height, p.z * width) for p in found[0].landmark])
        (left, top), (right, bottom) = mesh[:, :2].min(0), mesh[:, :2].max(0)
        if min(right, bottom) < 1 or left > width - 1 or top > height - 1:
            return None  # guessed beyond the edge of the picture
        # dlib finds fewer faces than MediaPipe; its recognition gets the place from the mesh.
        points = self._points(picture, dlib.rectangle(int(left), int(top), int(right), int(bottom)))
        return Seen(mesh, np.array(self._identity.compute_face_descriptor(picture, points, 1)))


def main(folder: Path) -> None:
    """Looks at all pictures of a folder and writes what was seen."""
    eyes, paths = Eyes(), sorted(folder.glob("*.png"))
    found = np.zeros(len(paths), bool)
    mesh, identity = np.zeros((len(paths), MESH_POINTS, 3)), np.zeros((len(paths), IDENTITY_SIZE))
    for row, path in enumerate(paths):
        picture = cv2.imread(str(path))
        if picture is None:
            raise OSError(f"{path} cannot be read")
        seen = eyes.look(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        if seen is not None:
            found[row], mesh[row], identity[row] = True, seen.mesh, seen.identity
        print(path.name, flush=True)
    np.savez(folder / "seen.npz", found=found, mesh=mesh, identity=identity)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

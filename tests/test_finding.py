"""All faces of a photo: several, tilted, at the border and small ones, and which of them is meant."""

import cv2
import numpy as np
import pytest
from people import LANDMARKS, picture
from PIL import Image
from skimage import data

from stylemask_demo.errors import NoFaceFound
from stylemask_demo.faces.detect import CascadeFaceFinder, FaceBox
from stylemask_demo.faces.finding import Face, choose_face, find_faces
from stylemask_demo.packs import CHECKPOINTS, load_network, read_info

SIDE = 256


@pytest.fixture(scope="module")
def find():
    finder, extractor = CascadeFaceFinder(), load_network(read_info(CHECKPOINTS / "synthetic"), "extractor", "cpu")
    return lambda photo: find_faces(photo, finder, extractor)


def scene(size: tuple[int, int], *faces: tuple) -> tuple[Image.Image, list[np.ndarray]]:
    """A photo of a breakfast with rendered faces (name, centre, side, turn), and their landmarks in its pixels."""
    photo = cv2.resize(data.coffee(), size, interpolation=cv2.INTER_AREA)
    truth = []
    for name, centre, side, turn in faces:
        matrix = cv2.getRotationMatrix2D(((SIDE - 1) / 2, (SIDE - 1) / 2), turn, side / SIDE)
        matrix[:, 2] += np.array(centre) - (SIDE - 1) / 2
        face = cv2.GaussianBlur(np.array(picture(name)), (0, 0), max(115 / side, 0.1))
        photo = cv2.warpAffine(face, matrix, size, photo, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
        truth.append((LANDMARKS[name] - 0.5) @ matrix[:, :2].T + matrix[:, 2])
    return Image.fromarray(photo), truth


def errors(faces: list[Face], truth: list[np.ndarray]) -> list[float]:
    """For each true face the mean landmark error of the face found nearest, as a fraction of its height, brow to chin."""
    return [
        min(
            np.linalg.norm(face.landmarks - points, axis=1).mean() / np.linalg.norm(points[8] - points[17:27].mean(0))
            for face in faces
        )
        for points in truth
    ]


# (photo size, then for each face its name, centre, side of the crop and turn in degrees)
SCENES = {
    "three": (
        (1000, 500),
        ("900000_0", (200, 200), 300, 0),
        ("900007_0", (560, 230), 260, 0),
        ("900014_0", (860, 300), 240, 0),
    ),
    "tilted": (
        (1000, 500),
        ("900003_1", (220, 220), 300, 30),
        ("900010_0", (560, 230), 260, 0),
        ("900017_0", (860, 300), 240, -30),
    ),
    "cut by the right border": ((800, 600), ("900015_0", (720, 420), 300, 0)),
    "in the corner": ((800, 600), ("900023_1", (90, 110), 300, 0)),
    "small in a large photo": ((4000, 3000), ("900009_0", (3000, 1200), 200, 0)),
}


@pytest.mark.parametrize("name", SCENES)
def test_every_face_is_found_where_it_is(find, name):
    photo, truth = scene(*SCENES[name])
    faces = find(photo)
    assert len(faces) == len(truth)  # none twice, none that is none
    assert max(errors(faces, truth)) < 0.06


def test_a_photograph(find):
    (face,) = find(Image.fromarray(data.astronaut()))
    # Eyes and mouth, read off the photo.
    for points, place in ((slice(36, 42), (206, 112)), (slice(42, 48), (244, 108)), (slice(48, 68), (228, 151))):
        assert np.hypot(*(face.landmarks[points].mean(0) - place)) < 13  # a third of the way from eye to eye


@pytest.mark.slow
@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket", "cell", "gravel", "brick", "grass", "moon"])
def test_pictures_without_a_face(find, name):
    assert find(Image.fromarray(getattr(data, name)()).convert("RGB")) == []


def test_large_sharp_and_central_comes_first(find):
    photo, truth = scene((1000, 500), ("900000_0", (150, 200), 200, 0), ("900007_0", (600, 240), 340, 0))
    faces = find(photo)
    assert errors(faces[:1], truth[1:]) == pytest.approx([0], abs=0.06)
    pixels = np.array(photo)
    pixels[:, 400:] = cv2.GaussianBlur(pixels[:, 400:], (0, 0), 7)
    blurred = [face for face in find(Image.fromarray(pixels)) if face.x0 > 400]
    assert not blurred or blurred[0].clarity < faces[0].clarity


class Eager:
    """A finder that takes the same face for three, and a wall for a fourth; it knows landmarks of the face."""

    name = "eager"

    def __init__(self, landmarks: np.ndarray) -> None:
        self.landmarks = landmarks

    def find(self, image: Image.Image, small: bool = False) -> list[FaceBox]:
        shifted = [self.landmarks + shift for shift in (0, 4, -4)]
        return [*(FaceBox(0, 0, 99, 99, points) for points in shifted), FaceBox(5, 5, 155, 155)]


def test_one_face_is_one_face():
    extractor = load_network(read_info(CHECKPOINTS / "synthetic"), "extractor", "cpu")
    photo, truth = scene((800, 600), ("900000_0", (500, 300), 300, 0))
    (face,) = find_faces(photo, Eager(truth[0]), extractor)
    assert np.array_equal(face.landmarks, truth[0]) and not face.landmarks.flags.writeable


def face_at(x: float, y: float, side: float) -> Face:
    return Face(x - side / 2, y - side / 2, x + side / 2, y + side / 2, np.zeros((68, 2)), 0.5)


def test_choosing_by_number_and_by_point():
    faces = [face_at(100, 100, 80), face_at(300, 100, 80), face_at(320, 120, 200)]
    assert choose_face(faces) is faces[0]
    assert choose_face(faces, 2) is faces[2]
    assert choose_face(faces, (290, 100)) is faces[1]  # in two boxes, nearer to this middle
    assert choose_face(faces, (240, 190)) is faces[2]  # in one box only
    assert choose_face(faces, (10, 5)) is faces[0]  # in none: the nearest
    with pytest.raises(NoFaceFound, match="number 3"):
        choose_face(faces, 3)
    with pytest.raises(NoFaceFound, match="No face"):
        choose_face([], (1, 1))

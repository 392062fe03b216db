"""Finding faces: the offline cascades on real and rendered pictures, and the choice between the finders."""

import hashlib
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import requests
from file_host import Answer, file_host
from PIL import Image
from skimage import data

from stylemask_demo.downloads import fetch
from stylemask_demo.errors import WrongSetting
from stylemask_demo.faces import detect, detector_weights
from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.detect import BOX_OF_CROP, CascadeFaceFinder, FaceBox, create_face_finder
from stylemask_demo.faces.detector_weights import DetectorFile

FACES = sorted((Path(__file__).parent / "assets" / "faces").glob("*.webp"))


@pytest.fixture(scope="module")
def finder() -> CascadeFaceFinder:
    return CascadeFaceFinder()


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    return Image.fromarray(data.astronaut())


def crop_of(box: FaceBox) -> tuple[float, float, float]:
    """Return the middle and the side of the FFHQ crop that a box stands for."""
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, (box.x1 - box.x0) / BOX_OF_CROP


def assert_astronaut(box: FaceBox, scale: float = 1.0, left: float = 0.0) -> None:
    """Eyes and mouth of the astronaut, read off the photo, lie where an FFHQ crop has them."""
    x, y, side = crop_of(box)
    for (px, py), (crop_x, crop_y) in (
        ((206, 112), (0.38, 0.48)),  # the eye on the left of the picture
        ((244, 108), (0.62, 0.48)),
        ((228, 151), (0.50, 0.72)),  # the mouth
    ):
        assert ((px + left) * scale - x) / side + 0.5 == pytest.approx(crop_x, abs=0.12)
        assert (py * scale - y) / side + 0.5 == pytest.approx(crop_y, abs=0.12)


def test_a_real_photograph(finder: CascadeFaceFinder, astronaut: Image.Image) -> None:
    boxes = finder.find(astronaut)
    assert len(boxes) == 1 and boxes[0].roll == 0 and boxes[0].landmarks is None
    assert_astronaut(boxes[0])


def test_boxes_are_in_pixels_of_the_photo(finder: CascadeFaceFinder, astronaut: Image.Image) -> None:
    assert_astronaut(finder.find(astronaut.resize((2048, 2048)))[0], scale=4)


def test_a_small_face_in_a_wide_photo(finder: CascadeFaceFinder, astronaut: Image.Image) -> None:
    wide = Image.new("RGB", (1400, 512), "grey")
    wide.paste(astronaut, (700, 0))
    assert_astronaut(finder.find(wide)[0], left=700)


def test_largest_first(finder: CascadeFaceFinder, astronaut: Image.Image) -> None:
    pair = Image.new("RGB", (900, 512), "grey")
    pair.paste(astronaut.resize((300, 300)), (0, 0))
    pair.paste(astronaut.crop((0, 0, 512, 512)), (350, 0))
    boxes = finder.find(pair)
    assert len(boxes) == 2
    assert_astronaut(boxes[0], left=350)
    assert_astronaut(boxes[1], scale=300 / 512)


@pytest.mark.parametrize("tilt", [30, -30])
def test_tilted_head(finder: CascadeFaceFinder, astronaut: Image.Image, tilt: int) -> None:
    """Turned anticlockwise for positive angles, as PIL counts them."""
    head = astronaut.crop((40, 0, 400, 300))
    upright = finder.find(head)[0]
    boxes = finder.find(head.rotate(tilt, resample=Image.Resampling.BICUBIC))
    assert boxes and boxes[0].roll == tilt
    turn = cv2.getRotationMatrix2D(((head.width - 1) / 2, (head.height - 1) / 2), tilt, 1.0)
    x, y, side = crop_of(upright)
    expected = turn @ (x, y, 1.0)
    found = crop_of(boxes[0])
    assert np.hypot(*(expected - found[:2])) < 0.1 * side
    assert found[2] == pytest.approx(side, rel=0.2)


def test_rendered_people(finder: CascadeFaceFinder) -> None:
    assert len(FACES) >= 2
    right = 0
    for path in FACES:
        boxes = finder.find(Image.open(path).convert("RGB"))
        if boxes:
            x, y, side = crop_of(boxes[0])
            # The pictures are FFHQ crops themselves.
            right += np.hypot(x - 127.5, y - 127.5) < 0.1 * 256 and abs(side / 256 - 1) < 0.3
    assert right >= 0.9 * len(FACES)


@pytest.mark.parametrize("size", [(64, 64), (64, 4000), (4000, 64)])
def test_odd_shapes(finder: CascadeFaceFinder, size: tuple[int, int]) -> None:
    assert finder.find(Image.new("RGB", size, "grey")) == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the weights are kept, empty."""
    monkeypatch.setattr(detector_weights, "weights_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(fetch, "PAUSE", 0.01)
    monkeypatch.delenv("STYLEMASK_DETECTOR", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch):
    """A host of two small files as the weights; `LandmarkFaceFinder` is replaced by what it was made with."""
    files = {"detector.pth": b"Hello World", "landmarks.pth": b"68 points" * 50_000}
    with file_host() as host:
        host.files.update(files)
        made = {
            name: DetectorFile(name, f"{host.address}/{name}", hashlib.sha256(content).hexdigest()[:10])
            for name, content in files.items()
        }
        monkeypatch.setattr(detector_weights, "LANDMARKS", made["landmarks.pth"])
        monkeypatch.setitem(detector_weights.DETECTORS, "sfd", (made["detector.pth"],))
        monkeypatch.setattr(detect, "LandmarkFaceFinder", lambda device, detector: (device, detector))
        yield host


def test_offline_the_cascades_are_chosen_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(detector_weights.requests, "head", refuse)
    assert create_face_finder().name == "OpenCV cascade"


def test_a_silent_host_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        monkeypatch.setitem(detector_weights.DETECTORS, "sfd", (DetectorFile("x", address),))
        monkeypatch.setattr(detector_weights, "PROBE_SECONDS", 0.5)
        assert create_face_finder().name == "OpenCV cascade"


def test_altered_weights_are_not_kept(folder: Path, host) -> None:
    host.files["detector.pth"] = b"something else"
    assert create_face_finder().name == "OpenCV cascade"
    assert [path.name for path in folder.iterdir() if path.suffix != ".lock"] == []


def test_downloaded_weights_are_kept(folder: Path, host) -> None:
    assert create_face_finder("cpu") == ("cpu", "sfd")
    assert (folder / "detector.pth").read_bytes() == b"Hello World"
    host.files.clear()
    assert create_face_finder("cpu") == ("cpu", "sfd")


def test_a_download_that_took_too_long_goes_on_the_next_time(folder: Path, host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.next("landmarks.pth", *[Answer(cut=200_000)] + [Answer(status=503)] * 3)
    assert create_face_finder().name == "OpenCV cascade"
    assert create_face_finder() == ("cpu", "sfd")
    assert (folder / "landmarks.pth").read_bytes() == host.files["landmarks.pth"]
    assert host.requests[-1][1] is not None  # only the rest was asked for


def test_damaged_weights_are_fetched_anew(folder: Path, host, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(device: str, detector: str) -> None:
        raise RuntimeError("size mismatch")

    monkeypatch.setattr(detect, "LandmarkFaceFinder", damaged)
    assert create_face_finder().name == "OpenCV cascade"
    assert not (folder / "detector.pth").exists()


def test_the_detector_can_be_chosen(folder: Path, host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(detector_weights.DETECTORS, "blazeface", detector_weights.DETECTORS["sfd"])
    assert create_face_finder("cpu", "blazeface") == ("cpu", "blazeface")
    monkeypatch.setenv("STYLEMASK_DETECTOR", "blazeface")
    assert create_face_finder() == ("cpu", "blazeface")
    assert create_face_finder("cpu", "sfd") == ("cpu", "sfd")
    with pytest.raises(WrongSetting, match="sfd, blazeface"):
        create_face_finder("cpu", "eyes")


class Backend:
    """Stands in for face-alignment's networks, whose weights cannot be shipped."""

    def __init__(self, landmarks: np.ndarray) -> None:
        self.face_detector = self
        self.landmarks = landmarks

    def detect_from_image(self, picture: np.ndarray) -> list[np.ndarray]:
        assert max(picture.shape) == detect.SEARCH_SIDE
        return [np.array([10, 20, 110, 140, 0.9]), np.array([200, 20, 500, 340, 0.8])]

    def get_landmarks_from_image(self, picture: np.ndarray, detected_faces: list) -> list[np.ndarray]:
        assert picture.shape == (1280, 1280, 3)
        assert np.allclose(detected_faces[0], [20, 40, 220, 280, 0.9])
        return [self.landmarks, self.landmarks * 2]


def test_landmarks_and_boxes_of_face_alignment(monkeypatch: pytest.MonkeyPatch) -> None:
    landmarks = np.random.default_rng(0).normal(300, 3, (68, 2))
    landmarks[36:42] += (-30, -20)
    landmarks[42:48] += (30, -20)
    landmarks[48:] += (0, 40)
    library = SimpleNamespace(
        LandmarksType=SimpleNamespace(TWO_D=1), FaceAlignment=lambda *arguments, **options: Backend(landmarks)
    )
    monkeypatch.setitem(sys.modules, "face_alignment", library)
    large, small = detect.LandmarkFaceFinder().find(Image.new("RGB", (1280, 1280)))
    assert np.allclose(large.landmarks, landmarks * 2) and np.allclose(small.landmarks, landmarks)
    quad = crop_quad(landmarks)
    assert np.allclose(crop_of(small), (*quad.mean(axis=0), np.linalg.norm(quad[3] - quad[0])))

"""DECA's parameters: its crop, parity with recorded outputs, and the published formula of the shifts."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from golden.fill import fill, image
from people import LANDMARKS, picture
from PIL import Image

from stylemask_demo.faces.deca import (
    DECA_DIRECTIONS,
    DecaFace,
    DecaReader,
    DirectionScale,
    crop_square,
    cut,
    deca_faces,
)
from stylemask_demo.networks import DecaEncoder
from stylemask_demo.networks.deca import DecaParameters, axis_angle_to_euler
from stylemask_demo.packs.catalogue import PUBLISHED, direction_scale

FOLDER = Path(__file__).parent / "golden"
ARRAYS = np.load(FOLDER / "golden.npz")
RANGES = json.loads((FOLDER / "parameter_ranges.json").read_text())


@pytest.fixture(scope="module")
def encoder() -> DecaEncoder:
    shapes = json.loads((FOLDER / "golden.json").read_text())["deca_state"]
    with torch.device("meta"):
        network = DecaEncoder()
    network.load_state_dict({k: torch.as_tensor(v) for k, v in fill(shapes).items()}, assign=True)
    return network.eval().requires_grad_(False)


def test_recorded_parameters(encoder):
    faces = deca_faces(encoder, image(9, 224, 2) * 0.5 + 0.5)
    for face, expected in zip(faces, torch.from_numpy(ARRAYS["deca/params"]).split(1), strict=True):
        shape, _, expression, pose, _, _ = expected.split((100, 50, 50, 6, 3, 27), 1)
        assert np.abs(face.expression - expression[0].numpy()).max() < 1e-3
        assert np.abs(face.identity - shape[0].numpy()).max() < 1e-3
        assert face.jaw == pytest.approx(float(pose[0, 3]), abs=1e-3)
        angles = axis_angle_to_euler(pose[:, :3])[0].numpy()
        assert (face.yaw, face.pitch, face.roll) == pytest.approx((-angles[0], -angles[1], angles[2]), abs=0.1)


def test_signs_of_the_angles():
    """FLAME looks along +z with y up: a turn about y takes the nose to the right, one about x takes it down."""
    right, down, left_ear_down = torch.tensor([0.0, 0.5, 0.0]), torch.tensor([0.3, 0.0, 0.0]), torch.tensor([0.0, 0.0, 0.2])
    for turn, expected in ((right, (28.6, 0, 0)), (down, (0, -17.2, 0)), (left_ear_down, (0, 0, 11.5))):
        pose = torch.cat([turn, torch.zeros(3)])[None]
        parameters = DecaParameters(
            *(torch.zeros(1, n) for n in (100, 50, 50)), pose, torch.zeros(1, 3), torch.zeros(1, 27)
        )
        (face,) = deca_faces(lambda crops, parameters=parameters: parameters, torch.zeros(1, 3, 224, 224))
        assert (face.yaw, face.pitch, face.roll) == pytest.approx(expected, abs=0.1)


def test_the_published_crop():
    landmarks = np.zeros((68, 2)) + (100, 80)
    landmarks[0], landmarks[1], landmarks[2], landmarks[3] = (40, 80), (160, 80), (100, 30), (100, 130)
    centre, side = crop_square(landmarks)
    assert np.allclose(centre, (100, 80))
    assert side == int((120 + 100) / 2 * 1.1 * 1.25)
    with pytest.raises(ValueError, match="68 landmarks"):
        crop_square(landmarks[:17])
    with pytest.raises(ValueError, match="span no face|do not span"):
        crop_square(np.ones((68, 2)))


@pytest.mark.parametrize("scale", [0.5, 1.0, 6.0])
def test_cut_puts_the_face_in_the_middle_at_every_size(scale):
    """A dot at each landmark of a picture of any size arrives where the rule says."""
    side = int(300 * scale)
    landmarks = (np.random.default_rng(0).uniform(80, 220, (68, 2))) * scale
    picture = np.zeros((side, side, 3), np.uint8)
    x, y = landmarks[0]
    cv2.circle(picture, (round(x), round(y)), max(int(4 * scale), 1), (255, 255, 255), -1)
    crop = cut(Image.fromarray(picture), landmarks)
    assert crop.shape == (224, 224, 3) and crop.dtype == np.float32 and 0.9 < crop.max() <= 1
    centre, length = crop_square(landmarks)
    weights = crop[..., 0] / crop[..., 0].sum()
    found = np.array([(weights.sum(0) * np.arange(224)).sum(), (weights.sum(1) * np.arange(224)).sum()])
    # The published warp spreads the picture, of 256 pixels at most, by one part in its side.
    assert found == pytest.approx((landmarks[0] - centre) / length * 224 + 112, abs=3)


def test_reader_takes_pictures_and_landmarks(encoder):
    names = ["900000_0", "900003_1"]
    pictures = [picture(name) for name in names]
    landmarks = [LANDMARKS[name] for name in names]
    one, two = DecaReader(encoder).read(pictures, landmarks)
    crop = torch.from_numpy(cut(pictures[1], landmarks[1])).permute(2, 0, 1)[None]
    (again,) = deca_faces(encoder, crop)
    assert np.allclose(two.expression, again.expression, atol=1e-4) and two.yaw == pytest.approx(again.yaw, abs=1e-2)
    assert not np.allclose(one.expression, two.expression)


def scale_of(pack: str) -> DirectionScale:
    """What the recipe of a published pack says."""
    return PUBLISHED[pack].recipes.published.directions


def face(values: np.ndarray) -> DecaFace:
    """A face with these values in the published order and units."""
    yaw, pitch, roll, jaw = map(float, values[:4])
    return DecaFace(-yaw, -pitch, roll, jaw, np.float32(values[4:54]), np.zeros(100, np.float32))


@pytest.mark.parametrize("pack", ["ffhq", "voxceleb"])
def test_the_published_shift(pack):
    random = np.random.default_rng(1)
    low, high = np.array(RANGES[pack]).T
    source, target = random.uniform(low, high, (2, 54))
    scale = scale_of(pack)
    shift = scale.values(face(target)) - scale.values(face(source))
    expected = [6 * (target[i] - source[i]) / scale for i, scale in enumerate((40, 20, 20))]
    expected += [12 * (target[i] - source[i]) / (high[i] - low[i]) for i in range(3, 15)]
    assert shift == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert len(DECA_DIRECTIONS) == 15 and RANGES["names"][3:15] == ["jaw_radians", *DECA_DIRECTIONS[4:]]


def test_sliders_turn_to_the_right_and_up():
    scale = scale_of("voxceleb")
    before = DecaFace(3.0, -2.0, 1.0, 0.05, np.zeros(50, np.float32), np.zeros(100, np.float32))
    after = DecaFace(23.0, 8.0, 1.0, 0.15, np.zeros(50, np.float32), np.zeros(100, np.float32))
    expected = scale.values(after) - scale.values(before)
    assert scale.shift(yaw=20, pitch=10, jaw=0.1) == pytest.approx(expected, abs=1e-5)


def test_the_jaw_does_not_follow_the_scale_of_the_file():
    usual, other = direction_scale("voxceleb"), direction_scale("voxceleb", 3.0)
    assert other.factors[3] == usual.factors[3]
    assert np.allclose(np.delete(other.factors, 3), np.delete(usual.factors, 3) / 2)


def test_order_and_signs_are_data():
    scale = DirectionScale(("jaw", "exp_02", "yaw"), (2.0, 3.0, 4.0), (-1.0, 1.0, 1.0))
    seen = DecaFace(10.0, 5.0, 0.0, 0.5, np.arange(50, dtype=np.float32), np.zeros(100))
    assert scale.values(seen).tolist() == [1.0, 6.0, -40.0]
    assert scale.shift(yaw=1, pitch=9, jaw=1).tolist() == [2.0, 0.0, -4.0]

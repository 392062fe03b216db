"""FFHQ alignment: the published crops, and the way from photo to crop and back."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from people import LABELS, LANDMARKS
from PIL import Image

from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.crops import FfhqCrop
from stylemask_demo.faces.head_size import head_size, zoomed

FOLDER = Path(__file__).parent / "golden"
ARRAYS = np.load(FOLDER / "golden.npz")
FACE = ARRAYS["align/inside/landmarks"] - ARRAYS["align/inside/landmarks"].mean(0)  # about 150 pixels wide


def place_face(centre, scale=1.0, degrees=0.0) -> np.ndarray:
    """68 landmarks of a face at `centre`, scaled and turned."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return FACE @ np.array([[c, s], [-s, c]]) * scale + centre


@pytest.mark.parametrize("case", ["inside", "border", "large"])
def test_published_crops(case):
    width, height = json.loads((FOLDER / "golden.json").read_text())[f"align/{case}"]["image"]
    coarse = torch.from_numpy(np.random.RandomState(11).rand(1, 3, 12, 16).astype(np.float32))
    pixels = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False).clamp(0, 1) * 255
    photo = Image.fromarray(pixels[0].permute(1, 2, 0).numpy().astype(np.uint8))

    crop, _ = FfhqCrop().cut(photo, ARRAYS[f"align/{case}/landmarks"], 256)

    result = np.asarray(crop.resize((64, 64), Image.Resampling.BOX), np.float32)
    error = np.abs(result - ARRAYS[f"align/{case}/crop64"]).mean()
    print(f"align/{case}: mean error {error:.3f}")
    assert error < 1


# (photo size, face centre, face scale, rotation in degrees)
PLACES = {
    "inside": ((640, 480), (320, 240), 0.8, 0),
    "turned": ((640, 480), (320, 240), 0.8, 35),
    "upside down": ((640, 480), (320, 240), 0.8, 180),
    "corner": ((400, 300), (30, 40), 1.0, -10),
    "larger than the photo": ((300, 200), (150, 100), 2.0, 5),
    "small in the photo": ((1500, 1000), (1400, 100), 0.2, 0),
    "large photo": ((6003, 5001), (3000, 2600), 9.3, 12),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [256, 1024])
def test_points_go_to_the_crop_and_back(place, size):
    photo_size, centre, scale, degrees = PLACES[place]
    landmarks = place_face(centre, scale, degrees)

    crop, transform = FfhqCrop().cut(Image.new("RGB", photo_size), landmarks, size)

    assert crop.size == (size, size) and crop.mode == "RGB"
    assert (transform.crop_size, transform.photo_size) == (size, photo_size)
    in_crop = transform.to_crop(landmarks)
    np.testing.assert_allclose(transform.to_photo(in_crop), landmarks, atol=1e-8)
    # The rule puts the eyes on a level line, the left one on the left, and the mouth below.
    left, right = in_crop[36:42].mean(0), in_crop[42:48].mean(0)
    assert left[0] < right[0] and abs(left[1] - right[1]) < 0.03 * size
    assert in_crop[[48, 54], 1].mean() > left[1]


@pytest.mark.parametrize("place", PLACES)
def test_things_in_the_photo_land_where_the_transform_says(place):
    (width, height), centre, scale, degrees = PLACES[place]
    landmarks = place_face(centre, scale, degrees)
    # Reflection and blur change what is near a border, so the dots are put far from it. They are found to a
    # hundredth of a pixel, but where the blur fades in it draws them towards itself.
    tolerance = 0.3 if place in ("corner", "larger than the photo") else 0.02
    depth = np.minimum(landmarks, np.array([width, height]) - landmarks).min(1)
    radius = 3 * scale + 1  # pixels of the photo
    for point in landmarks[np.argsort(-depth)[:30:6]]:
        photo = Image.fromarray(_dot(width, height, point, radius)).convert("RGB")
        crop, transform = FfhqCrop().cut(photo, landmarks, 256)
        light = np.asarray(crop, np.float64)[..., 0]
        y, x = np.mgrid[:256, :256]
        in_photo = transform.to_photo(np.stack([x, y], -1).reshape(-1, 2)).reshape(256, 256, 2)
        light *= np.hypot(*(in_photo - point).T).T < 4 * radius  # leaves out reflections of the dot
        expected = transform.to_crop(point[None])[0]
        found = np.array([(x * light).sum(), (y * light).sum()]) / light.sum()
        assert np.abs(found - expected).max() < tolerance, point


def _dot(width: int, height: int, point: np.ndarray, radius: float) -> np.ndarray:
    """A picture that is black but for a soft dot."""
    x = np.exp(-(((np.arange(width) - point[0]) / radius) ** 2))
    y = np.exp(-(((np.arange(height) - point[1]) / radius) ** 2))
    return np.uint8(np.rint(255 * np.outer(y, x).astype(np.float32)))


def test_beyond_the_border_the_photo_goes_on():
    shades = np.random.RandomState(0).randint(120, 200, (300, 400, 3)).astype(np.uint8)
    crop, transform = FfhqCrop().cut(Image.fromarray(shades), place_face((30, 40)), 256)
    assert (transform.to_photo(np.array([[0, 0]])) < -50).all()  # this corner is well outside
    assert 120 <= np.asarray(crop).min() and np.asarray(crop).max() <= 200


def test_impossible_landmarks_are_refused():
    photo = Image.new("RGB", (200, 200))
    with pytest.raises(ValueError, match="68"):
        crop_quad(np.zeros((5, 2)))
    with pytest.raises(ValueError, match="span"):
        FfhqCrop().cut(photo, np.full((68, 2), 50.0), 256)
    with pytest.raises(ValueError, match="span"):
        FfhqCrop().cut(photo, np.full((68, 2), np.nan), 256)
    with pytest.raises(ValueError, match="outside"):
        FfhqCrop().cut(photo, place_face((5000, 5000)), 256)


def test_the_size_of_a_head_follows_neither_its_mouth_nor_its_pose():
    at_rest = torch.from_numpy(np.stack([LANDMARKS[name] for name in sorted(LANDMARKS)])).float()
    poses = torch.tensor([LABELS[name]["euler"] for name in sorted(LANDMARKS)]).float()
    sizes = head_size(at_rest, poses)
    assert torch.allclose(head_size(3 * at_rest + 5, poses), 3 * sizes, rtol=1e-4)
    talking = at_rest.clone()
    talking[:, 4:13, 1] += 30
    talking[:, 48:, 1] += 25
    assert torch.equal(head_size(talking, poses), sizes)
    assert sizes.std() / sizes.mean() < 0.07, "people differ, and are turned by up to forty degrees"


def test_what_is_zoomed_stays_about_its_middle():
    picture = torch.full((2, 3, 64, 64), -1.0)
    picture[..., 20:24, 40:44] = 1.0
    middle = torch.tensor([[42 / 64, 22 / 64], [0.5, 0.5]])
    made = zoomed(picture, middle, torch.tensor([2.0, 1.0]))
    assert torch.allclose(made[1], picture[1], atol=1e-4)
    assert made[0, :, 19:25, 39:45].min() > 0.9 and made[0, 0].gt(0).sum() == 64

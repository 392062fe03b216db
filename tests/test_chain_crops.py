"""The crops of the published programs: what they recorded for four photos (tests/golden/CHAINS.md), and the way back."""

import numpy as np
import pytest
from chains import ARRAYS, photo, recorded_crop
from PIL import Image

from stylemask_demo.faces.crops import BoxCrop, FfhqCrop

STYLEMASK = FfhqCrop(plain=True)
MOTION = FfhqCrop(blur=0.02, finer=4, whole=True, plain=True)
PHOTOS = ("face", "inside", "border", "large")


def found(name: str) -> np.ndarray:
    """The landmarks of Finding Directions' resized photo, as they lie in the photo."""
    picture = photo(name)
    stretch = np.array(picture.size) / BoxCrop().searched(picture).size
    return (ARRAYS[f"fd/{name}/landmarks_resized"] + 0.5) * stretch - 0.5


def differences(crop: Image.Image, expected: np.ndarray) -> np.ndarray:
    return np.abs(np.float32(crop) - expected)


@pytest.mark.parametrize("name", PHOTOS)
def test_chain_fd_resized(name):
    resized = BoxCrop().searched(photo(name))
    assert resized.size == tuple(ARRAYS[f"fd/{name}/resized_size"])
    x, y = resized.width // 2 - 16, resized.height // 2 - 16
    assert np.array_equal(np.asarray(resized)[y : y + 32, x : x + 32], ARRAYS[f"fd/{name}/resized_centre32"])


@pytest.mark.parametrize("name", PHOTOS)
def test_chain_fd_crop(name):
    assert BoxCrop.box(ARRAYS[f"fd/{name}/landmarks_resized"]) == tuple(ARRAYS[f"fd/{name}/box"])
    crop, _ = BoxCrop().cut(photo(name), found(name), 256)
    difference = differences(crop, recorded_crop(f"fd/{name}"))
    assert difference.max() <= 1 and difference.mean() < 5e-3


def test_chain_fd_many_boxes():
    for landmarks, box in zip(ARRAYS["fd/many/landmarks"], ARRAYS["fd/many/boxes"], strict=True):
        assert BoxCrop.box(landmarks) == tuple(box)


@pytest.mark.parametrize("name", PHOTOS)
def test_chain_sm_crop(name):
    crop, _ = STYLEMASK.cut(photo(name), ARRAYS[f"pictures/{name}/landmarks"], 256)
    difference = differences(crop, recorded_crop(f"sm/{name}"))
    assert difference.max() <= 1 and difference.mean() < 5e-3


@pytest.mark.parametrize("name", [*PHOTOS, pytest.param("huge", marks=pytest.mark.slow)])
def test_chain_jc_crop(name):
    if name == "huge":
        small = photo("face")
        picture = small.resize((18 * small.width, 18 * small.height), Image.Resampling.NEAREST)
        landmarks = ARRAYS["jc/huge/landmarks"]
    else:
        picture, landmarks = photo(name), ARRAYS[f"pictures/{name}/landmarks"]
        assert np.array_equal(np.rint(landmarks), ARRAYS[f"jc/{name}/landmarks"])
    crop, _ = MOTION.cut(picture, landmarks, 1024)
    centre = np.asarray(crop)[496:528, 496:528].transpose(2, 0, 1)
    assert np.abs(centre.astype(int) - ARRAYS[f"jc/{name}/crop1024/centre32"]).max() <= 1
    pooled = np.float32(crop).reshape(64, 16, 64, 16, 3).mean((1, 3)).transpose(2, 0, 1)
    assert np.abs(pooled - ARRAYS[f"jc/{name}/crop1024/pooled64"]).max() < 0.05
    if name != "huge":
        seen = crop.resize((256, 256), Image.Resampling.BILINEAR)
        assert differences(seen, recorded_crop(f"jc/{name}")).max() <= 1


@pytest.mark.parametrize("rule", [FfhqCrop(), STYLEMASK, BoxCrop()])
@pytest.mark.parametrize("name", PHOTOS)
def test_points_go_to_the_crop_and_back(rule, name):
    picture, landmarks = photo(name), ARRAYS[f"pictures/{name}/landmarks"]
    crop, transform = rule.cut(picture, landmarks, 256)
    assert crop.size == (256, 256) and transform.photo_size == picture.size
    assert np.allclose(transform.to_photo(transform.to_crop(landmarks)), landmarks, atol=1e-8)


def test_things_in_the_photo_land_where_the_box_crop_says():
    landmarks = ARRAYS["pictures/inside/landmarks"]
    y, x = np.mgrid[:480, :640]
    for point in landmarks[::9]:
        dot = np.uint8(np.rint(255 * np.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2) / 18)))
        crop, transform = BoxCrop().cut(Image.fromarray(dot).convert("RGB"), landmarks, 256)
        light = np.asarray(crop, np.float64)[..., 0]
        rows, columns = np.mgrid[:256, :256]
        centre = np.array([(columns * light).sum(), (rows * light).sum()]) / light.sum()
        assert np.abs(centre - transform.to_crop(point[None])[0]).max() < 0.05


def test_faces_that_a_box_crop_cannot_cut():
    picture = Image.new("RGB", (200, 200))
    with pytest.raises(ValueError, match="68"):
        BoxCrop().cut(picture, np.zeros((5, 2)), 256)
    with pytest.raises(ValueError, match="span"):
        BoxCrop().cut(picture, np.full((68, 2), 50.0), 256)
    with pytest.raises(ValueError, match="outside"):
        BoxCrop().cut(picture, ARRAYS["pictures/face/landmarks"] + 5000, 256)


@pytest.mark.parametrize("name", ["face", "border"])
def test_padding_in_a_small_copy_is_as_good_as_the_plain_one(name):
    picture, landmarks = photo(name), ARRAYS[f"pictures/{name}/landmarks"]
    fast, plain = (FfhqCrop(plain=plain).cut(picture, landmarks, 256)[0] for plain in (False, True))
    assert 0 < differences(fast, np.float32(plain)).mean() < 1

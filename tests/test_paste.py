"""Pasting back: an unchanged face leaves the photo alone, a changed one arrives whole, in the photo's light."""

import cv2
import numpy as np
import pytest
from people import LANDMARKS
from people import picture as face
from PIL import Image
from skimage import data

from stylemask_demo.faces import paste
from stylemask_demo.faces.align import CropTransform
from stylemask_demo.faces.crops import BoxCrop, CropRule, FfhqCrop
from stylemask_demo.faces.paste import Behind, head_mask, paste_back

SIDE = 256
RULES = [FfhqCrop(), FfhqCrop(plain=True), FfhqCrop(blur=0.02, finer=4, whole=True, plain=True), BoxCrop()]
NOISE = np.random.default_rng(0).normal(0, 1, (SIDE, SIDE, 3))


def photo_of(name: str, size=(640, 480), centre=(320, 240), side=300.0, turn=0.0) -> tuple[Image.Image, np.ndarray]:
    """A photo with a rendered face in it, and the landmarks (68, 2) in its pixels."""
    matrix = cv2.getRotationMatrix2D(((SIDE - 1) / 2, (SIDE - 1) / 2), turn, side / SIDE)
    matrix[:, 2] += np.array(centre) - (SIDE - 1) / 2
    scene = np.uint8(cv2.resize(data.coffee(), size, interpolation=cv2.INTER_AREA))
    scene = cv2.warpAffine(np.array(face(name)), matrix, size, scene, cv2.INTER_AREA, cv2.BORDER_TRANSPARENT)
    return Image.fromarray(scene), (LANDMARKS[name] - 0.5) @ matrix[:, :2].T + matrix[:, 2]


def cut(photo: Image.Image, points: np.ndarray, rule: CropRule = RULES[0]) -> tuple[Image.Image, CropTransform, np.ndarray]:
    """The crop, its transform and the landmarks in the crop, counted from its edge."""
    crop, transform = rule.cut(photo, points, SIDE)
    return crop, transform, transform.to_crop(points) + 0.5


def in_photo(mask: np.ndarray, transform: CropTransform) -> np.ndarray:
    """A mask of the crop as it lies in the photo, (height, width)."""
    return cv2.warpAffine(mask, np.array(transform.matrix), transform.photo_size)


def difference(first: Image.Image, second: Image.Image) -> np.ndarray:
    return np.abs(np.float32(first) - np.float32(second)).max(2)


def places(count: int):
    random = np.random.default_rng(5)
    for _ in range(count):
        size = tuple(int(side) for side in random.integers(200, 600, 2))
        centre = random.uniform(0.2, 0.8, 2) * size
        yield {"size": size, "centre": centre, "side": random.uniform(80, 700), "turn": random.uniform(-180, 180)}


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES, ids=["ours", "stylemask", "motion", "box"])
def test_an_unchanged_crop_leaves_the_photo_alone(rule):
    names = sorted(LANDMARKS)
    for number, place in enumerate(places(50)):
        photo, points = photo_of(names[number % len(names)], **place)
        crop, transform, landmarks = cut(photo, points, rule)
        if number % 2:  # a crop that went through a file: all of the mask is tried, not only what is equal
            result = Image.fromarray(np.uint8(np.clip(np.float32(crop) + NOISE, 0, 255)))
        else:
            result = crop
        pasted = paste_back(photo, result, crop, transform, landmarks, landmarks)
        inside = in_photo(head_mask(SIDE, landmarks), transform)
        change = difference(photo, pasted)
        assert change[inside > 0].mean() < 1.5
        assert change[inside == 0].max(initial=0) == 0


def test_an_unchanged_inversion_leaves_the_photo_alone():
    photo, points = photo_of("900003_0")
    crop, transform, landmarks = cut(photo, points)
    inversion = crop.resize((32, 32)).resize((SIDE, SIDE))
    assert difference(crop, inversion).mean() > 3
    pasted = paste_back(photo, inversion, crop, transform, landmarks, inversion=inversion)
    assert difference(photo, pasted).max() == 0


@pytest.mark.parametrize("side", [90.0, 256.0, 900.0])
@pytest.mark.parametrize("turn", [0.0, 25.0])
def test_nothing_outside_of_the_mask_changes_and_the_new_face_is_all_there(side, turn):
    photo, points = photo_of("900003_0", (1000, 800), (500, 420), side, turn)
    crop, transform, landmarks = cut(photo, points)
    result, moved = face("900003_1"), LANDMARKS["900003_1"]
    pasted = paste_back(photo, result, crop, transform, landmarks, moved)

    mask = in_photo(head_mask(SIDE, landmarks, moved), transform)
    assert difference(photo, pasted)[cv2.dilate(mask, np.ones((9, 9))) == 0].max() == 0
    # Cut out again it is the result, but for its light: no trace of the old head lies under the new.
    again = np.float32(FfhqCrop().cut(pasted, points, SIDE)[0])
    core = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(core, cv2.convexHull(np.int32(moved)), 1)

    def detail(pixels: np.ndarray) -> np.ndarray:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 3)  # the photo may have fewer pixels than the crop
        return (pixels - cv2.GaussianBlur(pixels, (0, 0), 20))[core > 0].ravel()

    assert np.corrcoef(detail(again), detail(np.float32(result)))[0, 1] > 0.97
    assert abs(np.corrcoef(detail(again), detail(np.float32(crop)))[0, 1]) < 0.6


def test_the_photo_keeps_its_own_detail_beside_a_change():
    """A face of 900 pixels has detail that its crop of 256 pixels has not."""
    photo, points = photo_of("900010_0", (1000, 1000), (500, 500), 900)
    grain = np.random.default_rng(0).normal(0, 12, (1000, 1000, 1))
    photo = Image.fromarray(np.uint8(np.clip(np.float32(photo) + grain, 0, 255)))
    crop, transform, landmarks = cut(photo, points)
    changed = np.array(crop)
    mouth = landmarks[48:].mean(0).astype(int)
    cv2.circle(changed, mouth.tolist(), 12, (250, 20, 20), -1)
    pasted = np.float32(paste_back(photo, Image.fromarray(changed), crop, transform, landmarks, landmarks))

    x, y = np.rint(transform.to_photo(mouth[None])[0]).astype(int)
    assert np.abs(pasted[y - 15 : y + 15, x - 15 : x + 15].mean((0, 1)) - (250, 20, 20)).max() < 25
    eye = np.rint(transform.to_photo(landmarks[36:42].mean(0)[None])[0]).astype(int)
    around = np.s_[eye[1] - 30 : eye[1] + 30, eye[0] - 30 : eye[0] + 30]
    assert np.abs(pasted - np.float32(photo))[around].mean() < 1.5


def test_the_result_takes_the_light_of_the_photo():
    photo, points = photo_of("900003_0")
    crop, transform, landmarks = cut(photo, points)
    result, moved = face("900003_1"), LANDMARKS["900003_1"]
    wrong = Image.fromarray(np.uint8(np.clip(np.float32(result) + (12, 14, -15), 0, 255)))
    right, repaired = (
        np.float32(paste_back(photo, picture, crop, transform, landmarks, moved)) for picture in (result, wrong)
    )
    hull = cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.float32), cv2.convexHull(np.int32(moved)), 1)
    core = in_photo(hull, transform) > 0.99  # the face: what hair should look like nobody knows
    assert np.abs((right - repaired)[core].mean(0)).max() < 3


def test_the_mask_is_soft_and_ends_inside_of_the_crop():
    for side in (256, 1024):
        for name in sorted(LANDMARKS)[::5]:
            points = LANDMARKS[name] * side / SIDE
            mask = head_mask(side, points)
            assert mask.shape == (side, side) and mask.min() == 0 and mask.max() == pytest.approx(1)
            assert max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) == 0
            steps = max(np.abs(np.diff(mask, axis=axis)).max() for axis in (0, 1))
            assert steps < 8 * 2 / 0.09 / side / 4  # no edge: never steeper than the narrowest ramp
            inside = points[(points > 0.2 * side).all(1) & (points < 0.8 * side).all(1)].astype(int)
            assert mask[inside[:, 1], inside[:, 0]].min() > 0.99


def test_a_face_at_the_border_of_the_photo():
    photo, points = photo_of("900003_0", (400, 300), (30, 40), 300, -10)
    crop, transform, landmarks = cut(photo, points)
    pasted = paste_back(photo, face("900003_1"), crop, transform, landmarks, LANDMARKS["900003_1"])
    assert pasted.size == photo.size and difference(photo, pasted)[:60, :60].mean() > 5


def test_strips_leave_no_trace(monkeypatch):
    photo, points = photo_of("900003_0", (1200, 1000), (600, 500), 800)
    crop, transform, landmarks = cut(photo, points)
    both = []
    for rows in (64, 5000):
        monkeypatch.setattr(paste, "STRIP", rows)
        both.append(paste_back(photo, face("900003_1"), crop, transform, landmarks, LANDMARKS["900003_1"]))
    assert difference(photo, both[0]).max() > 50 and difference(*both).max() <= 1


def test_what_does_not_fit_is_refused():
    photo, points = photo_of("900003_0")
    crop, transform, landmarks = cut(photo, points)
    with pytest.raises(ValueError, match="not 256 x 256"):
        paste_back(photo, crop.resize((64, 64)), crop, transform, landmarks)
    with pytest.raises(ValueError, match="not the photo"):
        paste_back(crop, crop, crop, transform, landmarks)
    with pytest.raises(ValueError, match="68 landmarks"):
        paste_back(photo, crop, crop, transform, landmarks[:5])


def hairy(reach: int) -> tuple[Image.Image, np.ndarray]:
    """A photo of a head before a wall whose hair reaches so far above the crop, and the landmarks in its pixels."""
    photo, points = photo_of("900003_0", (600, 600), (300, 330), 256)
    scene = np.array(Image.new("RGB", photo.size, (150, 165, 170)))
    inside = np.s_[330 - 128 : 330 + 128, 300 - 128 : 300 + 128]
    scene[inside] = np.asarray(photo)[inside]
    cv2.ellipse(scene, (300, 330 - 90), (85, 40 + reach), 0, 180, 360, (40, 30, 25), -1)
    return Image.fromarray(scene), points


@pytest.mark.parametrize("lower", [True, False])
def test_old_hair_above_the_crop_goes_where_the_head_has_left(lower):
    photo, points = hairy(60)
    crop, transform, landmarks = cut(photo, points)
    result = np.array(crop)
    background, left = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), bool)
    pixels = np.float32(result)
    wall = np.abs(pixels - (150, 165, 170)).max(2) < 30
    background[wall] = 1
    if lower:  # the head has gone down by a quarter of the crop
        left[:64] = ~wall[:64]
        result[64:], result[:64] = result[:-64], (150, 165, 170)
        moved = landmarks + (0, 64)
    else:  # something has changed at the side, and the hair still reaches the top of the crop
        left[:40, :30] = True
        result[:40, :30] = (20, 160, 60)
        moved = landmarks
    pasted = np.float32(
        paste_back(photo, Image.fromarray(result), crop, transform, landmarks, moved, behind=Behind(background, left))
    )
    top = int(transform.to_photo(np.array([[128, 0]]))[0, 1])
    above = pasted[top - 45 : top - 2, 280:320]
    was = np.float32(photo)[top - 45 : top - 2, 280:320]
    assert (was.mean(2) < 60).mean() > 0.5, "there was hair"
    assert (above.mean(2) < 60).mean() < 0.05 if lower else np.array_equal(above, was)
    if lower:
        assert np.abs(above - (150, 165, 170)).mean() < 12

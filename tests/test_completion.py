"""Faces that the border of their photo cuts: what lies beyond is drawn, and never a mirror image."""

import cv2
import numpy as np
import pytest
from people import LANDMARKS, picture
from PIL import Image

from stylemask_demo.faces.align import CropTransform
from stylemask_demo.faces.crops import FfhqCrop
from stylemask_demo.portraits.completion import completed

STRIP = 30  # pixels


def alike(pixels: np.ndarray, beyond: int) -> float:
    """How much a strip beyond the border, which is so far from the left, is like the mirror image of what is beside it."""
    detail = pixels - cv2.GaussianBlur(pixels, (0, 0), 8)
    part, mirrored = detail[:, beyond - STRIP : beyond], detail[:, beyond : beyond + STRIP][:, ::-1]
    return float((part * mirrored).sum() / np.sqrt((part**2).sum() * (mirrored**2).sum()))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["900003_0", "900010_0"])
def test_no_ghost_of_a_face_stands_beyond_the_border(reenactor, name):
    photo = picture(name).crop((84, 0, 256, 256))
    portrait = reenactor.portrait(photo)
    beyond = round(float(portrait.transform.to_crop(np.array([[0.0, 0.0]]))[0, 0]))
    assert beyond > 50
    plain = FfhqCrop().cut(photo, reenactor.faces(photo)[0].landmarks, 256)[0]
    assert alike(np.float32(plain), beyond) > 0.7
    turned = [reenactor.edit(portrait, **change) for change in ({"yaw": 20}, {"pitch": 12})]
    for shown in (portrait.crop, *turned):
        assert alike(np.float32(shown), beyond) < 0.3
    inside = np.s_[64:192, beyond + 40 : beyond + 110]
    assert np.abs(np.float32(portrait.crop)[inside] - np.float32(plain)[inside]).max() <= 1, "the photo itself stays"


def test_what_is_drawn_takes_the_light_of_the_photo():
    photo, drawn = np.full((256, 256, 3), 140.0), np.full((256, 256, 3), 100.0)
    transform = CropTransform(((1.0, 0.0, -60.0), (0.0, 1.0, 0.0)), 256, (400, 256))
    made = np.float32(completed(*(Image.fromarray(np.uint8(pixels)) for pixels in (photo, drawn)), transform))
    assert np.abs(made[:, 62:] - 140).max() <= 1
    assert np.abs(made[:, 20:60] - 140).max() < 12


def test_crops_within_their_photo_stay_as_they_are():
    crop, transform = FfhqCrop().cut(picture("900003_0"), (LANDMARKS["900003_0"] - 128) * 0.5 + 128, 128)
    assert transform.inside and completed(crop, Image.new("RGB", (128, 128)), transform) is crop

"""Results side by side, and random people of whom a part stays."""

import io

import numpy as np
import pytest
from people import look, names, picture
from PIL import Image, ImageChops

from stylemask_demo.comparisons import MOST, STEPS, compare_methods, grid, slider_strip
from stylemask_demo.errors import NoFaceFound, UnknownSlider, WrongSetting
from stylemask_demo.media.contact_sheets import table
from stylemask_demo.media.saving import gif_of

SIDE = 64
RED, BLUE = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))


def _alike(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is None


def _small(face: Image.Image) -> Image.Image:
    return face.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def test_in_a_table_inputs_stand_apart_and_titles_above():
    sheet = table([[None, RED], [BLUE, RED]], SIDE, inputs=(1, 1), titles=["", "Who"])
    assert sheet.size == (2 * SIDE + SIDE // 16, SIDE // 8 + 2 * SIDE + SIDE // 16)
    assert sheet.getpixel((5, SIDE // 2)) == (255, 255, 255)
    assert sheet.getpixel((SIDE + SIDE // 16, SIDE // 8)) == (255, 0, 0)
    assert sheet.getpixel((0, SIDE // 8 + SIDE)) == (255, 255, 255)
    assert sheet.getpixel((0, SIDE // 8 + SIDE + SIDE // 16)) == (0, 0, 255)
    title = np.asarray(sheet)[: SIDE // 8, SIDE:]
    assert (title < 200).any() and not (np.asarray(sheet)[: SIDE // 8, :SIDE] < 255).any()


def test_in_a_gif_what_stands_still_does_not_flicker():
    face = picture(names(0)[0])
    frames = []
    for left in (0, 40, 80):
        frames.append(face.copy())
        frames[-1].paste("white", (left, 200, left + 40, 240))
    made = Image.open(io.BytesIO(gif_of(frames, 70)))
    assert (made.n_frames, made.info["duration"], made.info["loop"]) == (3, 70, 0)
    shown = []
    for number in range(3):
        made.seek(number)
        shown.append(np.int16(made.convert("RGB")))
    assert (shown[0] == shown[2])[:190].all()
    assert np.abs(shown[0] - np.int16(frames[0])).mean() < 6


def test_all_methods_are_shown_beside_their_source_and_target(reenactor, sources, targets):
    sheet = compare_methods(reenactor, sources[0], targets[0], SIDE)
    top, gap = SIDE // 8, SIDE // 16
    lefts = [0, SIDE, *(gap + SIDE * (2 + number) for number in range(len(reenactor.methods)))]
    shown = [sheet.crop((left, top, left + SIDE, top + SIDE)) for left in lefts]
    expected = [sources[0].crop, targets[0].crop]
    expected += [reenactor.reenact(sources[0], targets[0], method) for method in reenactor.methods]
    assert len(shown) == 2 + len(reenactor.methods) >= 4
    assert all(_alike(one, _small(other)) for one, other in zip(shown, expected, strict=True))


def test_a_strip_goes_from_one_end_to_the_other_and_back(reenactor, sources):
    made = list(slider_strip(reenactor, sources[1], "yaw", steps=4))
    assert len(made) == 6 and len(list(slider_strip(reenactor, sources[1], "smile", steps=2))) == 2 < 2 * STEPS - 2
    yaws = [parameters.yaw for parameters in look(reenactor, made)[0]]
    assert yaws[0] < yaws[1] < yaws[2] < yaws[3] and yaws[3] - yaws[0] > 40
    assert yaws[4:] == [yaws[2], yaws[1]]
    shut, *_, wide = slider_strip(reenactor, sources[1], "eyes", steps=2)
    blinks = [
        (face.expression["eyeBlink_L"] + face.expression["eyeBlink_R"]) / 2 for face in look(reenactor, [shut, wide])[0]
    ]
    assert blinks[0] > blinks[1] + 0.3
    with pytest.raises(UnknownSlider, match="yaw, pitch, smile"):
        next(slider_strip(reenactor, sources[1], "nose"))


def test_a_grid_has_every_source_with_every_target(reenactor, sources, targets):
    done = []
    sheet = grid(reenactor, sources[:2], targets[:2], "directions", SIDE, lambda *counts: done.append(counts))
    assert done == [(number, 8) for number in range(9)]
    gap = SIDE // 16

    def cell(row: int, column: int) -> Image.Image:
        left, top = (number * SIDE + (gap if number else 0) for number in (column, row))
        return sheet.crop((left, top, left + SIDE, top + SIDE))

    for number in range(2):
        assert _alike(cell(0, 1 + number), _small(targets[number].crop))
        assert _alike(cell(1 + number, 0), _small(sources[number].crop))
    assert _alike(cell(1, 2), _small(reenactor.reenact(sources[0], targets[1], "directions")))
    assert _alike(cell(2, 1), _small(reenactor.reenact(sources[1], targets[0], "directions")))


def test_a_grid_says_what_is_wrong(reenactor, sources, targets):
    with pytest.raises(WrongSetting, match="at most 5"):
        grid(reenactor, [sources[0]] * (MOST + 1), targets[:1])
    with pytest.raises(WrongSetting, match="one source and one target"):
        grid(reenactor, sources[:1], [])
    with pytest.raises(NoFaceFound, match="second target picture"):
        grid(reenactor, sources[:1], [targets[0], Image.new("RGB", (256, 256))])


def test_of_random_people_the_person_or_the_motion_may_stay(reenactor):
    """Seeds of persons by those of motions: in a row the person stays, in a column the motion."""
    persons, motions = (11, 12, 13), (21, 22, 23)
    made = [reenactor.sample(seed, like=like) for seed in persons for like in motions]
    parameters, who = look(reenactor, made)
    alike = (who @ who.T).reshape(3, 3, 3, 3)
    for person in range(3):
        for other in set(range(3)) - {person}:
            assert alike[person, 0, person, 1] > alike[person, 0, other, 1]
    yaws = np.array([[p.yaw, p.pitch] for p in parameters]).reshape(3, 3, 2)
    assert yaws.std(axis=0).mean() < 0.5 * yaws.std(axis=1).mean()
    several = reenactor.sample([11, 12], like=21)
    assert np.abs(np.int16(several[0]) - np.int16(made[0])).mean() < 0.5  # in a batch the last bits differ


def test_truncation_draws_random_people_towards_the_mean_face(reenactor):
    mean, usual, odd = (np.int16(reenactor.sample([5, 6], truncation=part)) for part in (0.0, None, 1.0))
    assert np.abs(mean[0] - mean[1]).max() == 0
    assert 1 < np.abs(usual[0] - mean[0]).mean() < np.abs(odd[0] - mean[0]).mean()

"""What may be chosen of a driven source: motion, smoothing, crop, layout, strength, and a film in place of a picture."""

from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from films import film, tone
from people import look, picture
from PIL import Image
from serving import ROOT

from stylemask_demo.driving.driver import drive, shower
from stylemask_demo.driving.options import Driving
from stylemask_demo.driving.relative import RelativeMotion
from stylemask_demo.driving.scenes import Scene, at_rate, film_scenes
from stylemask_demo.driving.smoothing import CodeSmoother
from stylemask_demo.errors import NoFaceFound, WrongSetting
from stylemask_demo.generator import inversion
from stylemask_demo.media.videos import VideoFrames, read_frames, write_video
from stylemask_demo.methods import FaceCode

RENDERED = ROOT / "assets" / "examples" / "driving_1.mp4"
BEGUN = 0.2  # seconds from the first picture at which the tone is heard


@pytest.fixture(scope="module")
def source(reenactor):
    return reenactor.portrait(picture("900000_0"))


def yaws(reenactor, pictures: list[Image.Image]) -> np.ndarray:
    return np.array([seen.yaw for seen in look(reenactor, pictures)[0]])


def roughness(angles: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.diff(angles, 2) ** 2)))


@pytest.mark.slow
def test_a_rendered_film_with_sound_drives_a_person(reenactor, source, tmp_path: Path, monkeypatch) -> None:
    frames = read_frames(RENDERED)
    rate, pictures = float(frames.fps), list(islice(frames, 14))
    times = [number / rate for number in range(len(pictures))]
    length = len(pictures) / rate
    driver = film(tmp_path / "driver.mp4", pictures, times, [(0.0, tone(BEGUN, 0.0, length))])
    led, crops = read_frames(driver), list[Image.Image]()
    read = reenactor.pipeline.transfer.target_crops
    monkeypatch.setattr(
        reenactor.pipeline.transfer, "target_crops", lambda some, *how: crops.extend(some) or read(some, *how)
    )
    write_video(tmp_path / "out.mp4", reenactor.drive(source, led), led.fps, audio_from=driver)
    made = read_frames(tmp_path / "out.mp4")
    results = list(made)
    assert (made.fps, len(results)) == (led.fps, len(pictures))
    assert len(crops) == len(pictures)
    true, seen = yaws(reenactor, crops), yaws(reenactor, results)
    assert np.abs(seen - true).mean() <= 3
    assert roughness(seen) <= 1.3 * roughness(true)
    with av.open(str(tmp_path / "out.mp4")) as container:
        first = next(container.decode(video=0)).time
        heard = [(part.time, part.to_ndarray()) for part in container.decode(audio=0)]
    samples = np.concatenate([part[0] for _, part in heard])
    begun = heard[0][0] + np.argmax(np.abs(samples) > 0.1) / 48_000
    assert begun - first == pytest.approx(BEGUN, abs=1 / rate)


@pytest.mark.slow
def test_relative_motion_begins_with_the_source(reenactor, source) -> None:
    frames = [picture("900003_0"), picture("900003_1")]
    still = np.float32(source.crop)
    first, second = reenactor.drive(source, frames, motion="relative", smoothing=0.0)
    changes = [np.abs(np.float32(made) - still).mean() for made in (first, second)]
    assert changes[0] < 4 and changes[1] > 2 * changes[0]


@pytest.mark.slow
def test_layouts_and_more_strength(reenactor, source) -> None:
    frame = picture("900003_1").resize((400, 400))
    (both,) = reenactor.drive(source, [frame], layout="beside")
    assert both.size == (512, 256)
    driver, plain = both.crop((0, 0, 256, 256)), both.crop((256, 0, 512, 256))
    assert np.abs(np.float32(driver) - np.float32(frame.resize((256, 256)))).mean() < 4
    (pasted,) = reenactor.drive(source, [frame], strength=1.5, layout="photo")
    assert pasted.size == source.photo.size
    rest, usual, strong = yaws(reenactor, [source.crop, plain, pasted])
    assert abs(strong - rest) > 1.2 * abs(usual - rest)


@pytest.mark.slow
def test_a_crop_that_stays_sees_a_head_tilt(reenactor, source) -> None:
    face = picture("900003_1")
    wall = Image.new("RGB", (480, 400), (95, 105, 110))
    frames = []
    for tilt in (0, 15):
        frames.append(wall.copy())
        frames[-1].paste(face.rotate(tilt, Image.Resampling.BICUBIC, fillcolor=(95, 105, 110)), (110, 70))
    rolls = {}
    for crop in ("follows", "stays"):
        seen, _ = look(reenactor, list(reenactor.drive(source, frames, crop=crop, smoothing=0.0)))
        rolls[crop] = seen[1].roll - seen[0].roll
    assert abs(rolls["follows"]) < 4
    assert rolls["stays"] > rolls["follows"] + 4


@pytest.mark.slow
def test_a_film_is_a_source_and_takes_its_results_back(reenactor, monkeypatch) -> None:
    monkeypatch.setattr(inversion, "STEPS", 1)
    face, wall = picture("900000_0"), Image.new("RGB", (420, 330), (95, 105, 110))

    def source() -> VideoFrames:
        shown = []
        for x in (20, 50):
            shown.append(wall.copy())
            shown[-1].paste(face, (x, 40))
        return VideoFrames(Fraction(25), *wall.size, 3, "", iter([*shown, wall]))

    frames = VideoFrames(Fraction(25), 256, 256, 4, "", iter([picture("900003_1")] * 4))
    made = list(reenactor.drive(source(), frames, layout="photo"))
    originals = list(source())
    assert [one.size for one in made] == [wall.size] * 4
    for one, original, x in zip(made, originals, (20, 50), strict=False):
        change = np.abs(np.int16(one) - np.int16(original)).max(2)
        assert change[40:296, x : x + 256].mean() > 2, "the face has changed"
        assert change[:, x + 290 :].max() <= 1, "and nothing beside it"
    assert np.array_equal(made[2], wall) and np.array_equal(made[3], wall), "nobody is there, and the last frame stays"
    own = yaws(reenactor, [face])[0]
    plain = list(reenactor.drive(source(), [picture("900003_1")]))
    assert {one.size for one in plain} == {(256, 256)}
    turned = yaws(reenactor, [*plain, picture("900003_1")])
    assert abs(turned[0] - turned[1]) < 0.4 * abs(own - turned[1])


def test_frames_are_shown_at_another_rate() -> None:
    assert list(at_rate("abcd", 10, 10)) == list("abcd")
    assert list(at_rate("abcd", 10, 20)) == list("aabbccdd")
    assert list(at_rate("abcdef", 30, Fraction(10))) == list("ad")


def test_the_last_scene_of_a_film_stays() -> None:
    scenes = film_scenes(iter("ab"), lambda frame: None if frame == "a" else frame, lambda photos, places: [*photos])
    assert scenes(3) == [Scene("a", None), Scene("b", "b"), Scene("b", "b")]
    assert scenes(1) == [Scene("b", "b")]


def test_where_a_face_is_missing_the_last_result_stays() -> None:
    def driven(frames: str, who: str) -> list[str]:
        coming = iter([Scene(Image.new("RGB", (8, 8)), None if one == "-" else one) for one in who])
        return list(
            drive(
                iter(frames),
                lambda count: list(islice(coming, count)),
                lambda frame: None if frame == "-" else frame,
                lambda portraits, crops: list(zip(portraits, crops, strict=True)),
                lambda portraits, codes: [portrait + crop for portrait, crop in codes],
                lambda portrait: f"{portrait} at rest",
                lambda frame, scene, result: result if isinstance(result, str) else "nobody",
                side=8,
                at_once=2,
            )
        )

    assert driven("-ab-c", "PQR-T") == ["P at rest", "Qa", "Rb", "Rb", "Tc"]
    assert driven("ab", "-Q") == ["nobody", "Qb"]
    with pytest.raises(NoFaceFound, match="No face was found in this video"):
        driven("--", "PQ")
    with pytest.raises(NoFaceFound, match="in the video of the source"):
        driven("ab", "--")


def test_a_large_photo_is_made_smaller_in_a_film() -> None:
    photo = Image.new("RGB", (4000, 2000))
    show = shower("photo", lambda portrait, result: photo)
    for portrait in (None, "somebody"):
        assert show(photo, Scene(photo, portrait), photo).size == (1920, 960)


def test_what_moves_is_the_change_since_the_first_frame() -> None:
    relative = RelativeMotion()
    rest = FaceCode(w_plus=torch.ones(1, 2, 3), values=torch.full((1, 4), 5.0))
    first = relative(FaceCode(values=torch.tensor([[1.0, 2, 3, 4], [2.0, 2, 3, 4]])), rest)
    assert first.w_plus is None and torch.equal(first.values, torch.tensor([[5.0, 5, 5, 5], [6.0, 5, 5, 5]]))
    later = relative(FaceCode(values=torch.tensor([[0.0, 2, 3, 4]])), rest)
    assert torch.equal(later.values, torch.tensor([[4.0, 5, 5, 5]]))


def test_smoothing_is_as_much_as_is_asked_for() -> None:
    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 0.02, (40, 1, 56)).astype(np.float32))
    left = []
    for much in (0.0, 0.5, 1.0, 4.0):
        smooth = CodeSmoother(much)
        left.append(float(torch.cat([smooth(FaceCode(values=values)).values for values in noise])[10:].std()))
    assert (
        left[0] == pytest.approx(float(noise[10:].std())) and left == sorted(left, reverse=True) and left[3] < 0.6 * left[2]
    )


@pytest.mark.parametrize(
    "wrong", [{"motion": "sideways"}, {"crop": "gone"}, {"layout": "both"}, {"strength": 1.6}, {"smoothing": float("nan")}]
)
def test_what_means_nothing_is_told_with_what_there_is(wrong: dict[str, object]) -> None:
    with pytest.raises(WrongSetting, match="Choose"):
        Driving(**wrong)

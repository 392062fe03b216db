"""A source driven by a video: frames made by moving one picture over a wall."""

import copy
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from people import look, picture
from PIL import Image

from stylemask_demo.driving.following import FaceFollower
from stylemask_demo.driving.smoothing import CODE, CodeSmoother, OneEuro
from stylemask_demo.faces.detect import FaceBox
from stylemask_demo.faces.finding import find_faces
from stylemask_demo.faces.parameters import DIRECTIONS
from stylemask_demo.methods import FaceCode

SIZE = (480, 400)


def frame(face: Image.Image | None, x: float = 110.0, noise: int | None = None) -> Image.Image:
    """A face at x of a grey wall, or only the wall; `noise` is the seed of a grain."""
    made = Image.new("RGB", SIZE, (95, 105, 110))
    if face is not None:
        made.paste(face, (round(x), 70))
    if noise is not None:
        grain = np.random.default_rng(noise).normal(0, 25, (SIZE[1], SIZE[0], 3))
        made = Image.fromarray(np.uint8(np.clip(np.float32(made) + grain, 0, 255)))
    return made


@pytest.fixture(scope="module")
def source(reenactor):
    return reenactor.portrait(picture("900000_0"))


def differences(pictures: list[Image.Image]) -> float:
    """Mean change from picture to picture, in grey levels."""
    stack = np.stack([np.float32(made) for made in pictures])
    return float(np.abs(np.diff(stack, axis=0)).mean())


@pytest.mark.slow
@pytest.mark.parametrize("method", ["stylemask", "directions"])
def test_a_still_face_does_not_jitter(reenactor, source, method):
    frames = [frame(picture("900003_1"), noise=seed) for seed in range(6)]
    driven = list(reenactor.drive(source, frames, method=method))
    alone = reenactor.reenact(source, frames, method=method)
    # The grain is strong: where the face is and what it does differs a little from frame to frame.
    assert differences(driven[2:]) < 0.9 * differences(alone[2:])
    video, still = look(reenactor, [driven[0], alone[0]])[0]
    assert abs(video.yaw - still.yaw) < 3 and abs(video.pitch - still.pitch) < 3


@pytest.mark.slow
def test_the_result_follows_the_video(reenactor, source):
    first, second = picture("900003_0"), picture("900003_1")
    frames = [frame(first)] * 2 + [frame(second)] * 5
    driven = list(reenactor.drive(source, frames))
    stills = [reenactor.reenact(source, frames[0]), reenactor.reenact(source, frames[-1])]
    seen, _ = look(reenactor, [driven[1], driven[-1], *stills])
    one, two, *ends = (np.array([face.yaw, face.pitch, face.roll]) for face in seen)
    for made, near, far in ((one, *ends), (two, *ends[::-1])):
        distances = [np.linalg.norm(made - end) for end in (near, far)]
        assert distances[0] < 0.35 * distances[1]


@pytest.mark.slow
def test_frames_without_a_face_repeat_the_last_result(reenactor, source):
    face = picture("900003_1")
    frames = [frame(None), frame(face), frame(None), frame(None), frame(None), frame(face)]
    driven = list(reenactor.drive(source, frames))
    assert len(driven) == 6
    assert np.array_equal(driven[0], reenactor.edit(source))
    assert not np.array_equal(driven[1], driven[0])
    assert all(np.array_equal(driven[1], made) for made in driven[2:5])


@pytest.mark.slow
def test_frames_are_taken_as_they_are_needed(reenactor, source):
    taken = 0

    def endless() -> Iterator[Image.Image]:
        nonlocal taken
        while True:
            taken += 1
            yield frame(picture("900003_1"))

    driven = reenactor.drive(source, endless())
    assert taken == 0
    next(driven)
    assert taken <= 8
    remembered = len(reenactor.pipeline.portraits)
    for _ in range(8):
        next(driven)
    assert len(reenactor.pipeline.portraits) == remembered, "frames are no portraits to remember"


@pytest.mark.slow
@pytest.mark.parametrize("method", ["stylemask", "directions"])
def test_heads_keep_their_size_while_the_mouth_opens(reenactor, source, method):
    """Although the crop of the face in the video, and the heads that the generator draws, follow mouth and chin."""
    leader = reenactor.portrait(picture("900010_0"))
    transfer, results = reenactor.pipeline.transfer, reenactor.pipeline.results
    who = transfer.sources([leader], "directions")
    jaw = torch.eye(len(DIRECTIONS))[DIRECTIONS.index("jaw")]
    shut, wide = (
        frame(results.pictures(transfer("directions", who, who._replace(directions=who.directions + by * jaw)))[0])
        for by in (0.0, 1.0)
    )
    driven = list(reenactor.drive(source, [shut] * 2 + [wide] * 5, method=method))
    before, after = (seen.landmarks for seen in look(reenactor, [driven[1], driven[-1]])[0])

    def apart(points: np.ndarray, first: int, second: int) -> float:
        return float(np.linalg.norm(points[first] - points[second]))

    assert apart(after, 62, 66) > apart(before, 62, 66) + 5, "the mouth opens"
    sizes = [apart(after, *pair) / apart(before, *pair) for pair in ((0, 16), (36, 45))]
    assert np.mean(sizes) == pytest.approx(1, abs=0.03)


def test_an_unknown_method_is_told_at_once(reenactor, source):
    with pytest.raises(ValueError, match="Choose one of"):
        reenactor.drive(source, [], method="nonesuch")


def test_the_same_face_is_followed_past_a_larger_one(reenactor):
    small, large = picture("900003_1").resize((200, 200)), picture("900005_0").resize((330, 330))
    follower = reenactor.pipeline.follower()
    wall = Image.new("RGB", (900, 400), (95, 105, 110))
    for x in (40, 46, 52):
        made = wall.copy()
        made.paste(small, (x, 100))
        if x > 40:
            made.paste(large, (520, 30))
        landmarks = follower.landmarks(made)
        assert x < landmarks[:, 0].mean() < x + 200


class Counting:
    """A finder that counts how often it is asked; `offset` in pixels is how it sees landmarks differently, if it does."""

    name = "counting"

    def __init__(self, finder, extractor, offset: np.ndarray | None = None):
        self.finder, self.extractor, self.offset, self.calls = finder, extractor, offset, 0

    def find(self, image: Image.Image, small: bool = False) -> list[FaceBox]:
        self.calls += 1
        if self.offset is None:
            return self.finder.find(image, small)
        faces = find_faces(image, self.finder, self.extractor)
        return [FaceBox(face.x0, face.y0, face.x1, face.y1, face.landmarks + self.offset) for face in faces]


def counted(reenactor, offset: np.ndarray | None = None) -> tuple[FaceFollower, Counting]:
    pipeline = copy.copy(reenactor.pipeline)
    pipeline.finder = Counting(pipeline.finder, pipeline.networks.extractor, offset)
    return pipeline.follower(), pipeline.finder


@pytest.mark.slow
def test_a_moving_face_is_searched_once(reenactor):
    """However the finder sees landmarks: those read in later frames are as it would see them."""
    offset = np.random.default_rng(0).uniform(-3, 3, (68, 2))
    followed = []
    for seen in (None, offset):
        follower, counting = counted(reenactor, seen)
        followed.append([follower.landmarks(frame(picture("900003_1"), x)) for x in range(60, 140, 8)])
        assert counting.calls == 1
    plain, different = (np.stack(places) for places in followed)
    assert np.abs(different - plain - offset).max() < 1
    assert np.abs(np.diff(plain[4:], axis=0).mean((1, 2)) * 2 - 8).max() < 1, "eight pixels to the right in each frame"


@pytest.mark.slow
def test_a_lost_face_is_searched_anew(reenactor):
    follower, counting = counted(reenactor)
    face = picture("900003_1")
    assert follower.landmarks(frame(face, 10)) is not None
    assert follower.landmarks(frame(face, 220))[:, 0].mean() > 220, "it has jumped"
    assert counting.calls == 2
    counting.calls = 0
    assert [follower.landmarks(frame(None)) for _ in range(20)] == [None] * 20
    assert counting.calls < 12, "what is not there is not searched in every frame"
    assert any(follower.landmarks(frame(face, 60)) is not None for _ in range(4))


def test_the_filter_holds_still_and_keeps_up():
    rng = np.random.default_rng(0)
    resting = torch.from_numpy(rng.normal(0, 0.02, (60, 16)))
    smooth = OneEuro(CODE)
    rested = torch.stack([smooth(value) for value in resting])
    assert rested[20:].std() < 0.7 * resting[20:].std()
    moving = resting + torch.linspace(0, 12, 60)[:, None]
    smooth = OneEuro(CODE)
    followed = torch.stack([smooth(value) for value in moving])
    assert (followed - moving)[20:].abs().mean() < 0.2, "less than a frame behind"


def test_each_part_of_a_code_is_smoothed_by_itself():
    smooth = CodeSmoother()
    code = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(0))
    first = smooth(FaceCode(w_plus=code, directions=torch.zeros(1, 15)))
    assert first.motion is None
    second = smooth(FaceCode(w_plus=(code + 0.1).repeat(2, 1, 1), directions=torch.zeros(2, 15)))
    assert second.w_plus.shape == (2, 4, 8)
    assert 0 < (second.w_plus[0] - code).mean() < (second.w_plus[1] - code).mean() < 0.1
    assert second.directions.abs().max() == 0


@pytest.mark.parametrize("part", ["w_plus", "motion"])
def test_large_codes_are_smoothed_as_much_as_small_ones(part):
    frames = torch.randn(6, 1, 4, 8, generator=torch.Generator().manual_seed(0))
    small, large = CodeSmoother(), CodeSmoother()
    for frame_code in frames:
        one = getattr(small(FaceCode(**{part: frame_code})), part)
        many = getattr(large(FaceCode(**{part: 100 * frame_code})), part)
        assert torch.allclose(many, 100 * one, rtol=1e-4)

"""One person of several is followed through a video, by looks as well as by place."""

from fractions import Fraction

import numpy as np
import pytest
from people import picture
from PIL import Image

from stylemask_demo.errors import NoFaceFound
from stylemask_demo.media.videos import VideoFrames

SIZE = (640, 260)
MAIN, OTHER, THIRD = (picture(name).resize((200, 200)) for name in ("900003_1", "900010_0", "900005_0"))
SMALL = OTHER.resize((160, 160))
WALL = (95, 105, 110)


def scene(*faces: tuple[Image.Image, float]) -> Image.Image:
    """Faces at their left edges on a wall; a later one hides those before."""
    made = Image.new("RGB", SIZE, WALL)
    for face, x in faces:
        made.paste(face, (round(x), 30))
    return made


def middles(follower, frames: list[Image.Image]) -> list[float | None]:
    """Where in each frame the followed face is, from left to right."""
    seen = (follower.landmarks(frame) for frame in frames)
    return [None if landmarks is None else float(landmarks[:, 0].mean()) for landmarks in seen]


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "beside"), [(25, True), (2, False)], ids=["beside", "later, at two frames a second"])
def test_who_stays_is_not_taken_for_who_has_left(reenactor, rate, beside):
    """And who comes back is followed again within a second, even if somebody else is in the place by now."""
    stays = (SMALL, 430)
    frames = [scene((MAIN, 20), stays) if beside else scene((MAIN, 20))] * 2
    frames += [scene((MAIN, x), stays) for x in (0, -150)] + [scene(stays)] * 6 + [scene((SMALL, 40))]
    gone = len(frames)
    frames += [scene((MAIN, 20), stays)] * min(rate, 5)
    places = middles(reenactor.pipeline.follower(rate=rate), frames)
    assert all(place is not None and place < 200 for place in places[:3])
    assert places[4:gone] == [None] * (gone - 4)
    assert places[-1] is not None and places[-1] < 200
    assert all(place is None or place < 200 for place in places[gone:])


@pytest.mark.slow
@pytest.mark.parametrize("in_front", [True, False])
def test_two_who_cross_are_not_exchanged(reenactor, in_front):
    main = [(MAIN, x) for x in range(10, 440, 60)]
    other = [(OTHER, x) for x in range(430, 0, -60)]
    frames = [scene(*((b, a) if in_front else (a, b))) for a, b in zip(main, other, strict=True)]
    frames += [scene((MAIN, 430), (OTHER, 10))] * 3
    places = middles(reenactor.pipeline.follower(face=(110, 130)), frames)
    assert places[0] < 210
    assert places[-1] is not None and places[-1] > 430


@pytest.mark.slow
def test_who_is_followed_can_be_chosen_in_the_first_frame_that_shows_a_face(reenactor):
    frame = scene((MAIN, 20), (SMALL, 430))
    clearest = middles(reenactor.pipeline.follower(), [frame])[0]
    assert middles(reenactor.pipeline.follower(face=0), [frame])[0] == clearest < 200
    for other in (1, (510, 110)):
        assert all(place > 430 for place in middles(reenactor.pipeline.follower(face=other), [frame, frame]))
    with pytest.raises(NoFaceFound, match="first frame of the video: There is no face number 2"):
        reenactor.pipeline.follower(face=2).landmarks(frame)
    late = middles(reenactor.pipeline.follower(face=1), [scene(), frame])
    assert late[0] is None and late[1] > 430


@pytest.mark.slow
def test_a_video_is_driven_by_the_chosen_face(reenactor):
    """The rate of frames that are read from a file is heeded too: at two a second each is searched."""
    source = reenactor.portrait(picture("900000_0"))

    def film() -> VideoFrames:
        frames = [
            scene((MAIN, 20), (THIRD, 430)),
            scene((THIRD, 430)),
            scene((THIRD, 430)),
            scene((MAIN, 20), (THIRD, 430)),
        ]
        return VideoFrames(Fraction(2), *SIZE, len(frames), "", iter(frames))

    def driven(by: tuple[float, float]) -> list[np.ndarray]:
        return [np.int16(made) for made in reenactor.drive(source, film(), "directions", face=by)]

    first, gone, still_gone, back = driven((120, 130))
    assert np.array_equal(first, gone) and np.array_equal(gone, still_gone)
    assert np.abs(back - first).mean() < 3
    assert np.abs(driven((530, 130))[0] - first).mean() > 3

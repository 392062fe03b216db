"""What browsers do not show by themselves: they are given copies that they do."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from people import picture
from PIL import Image
from profiles import PROFILES

from stylemask_demo.media.origin import ORIENTATION
from stylemask_demo.media.pictures import open_image
from stylemask_demo.media.playback import is_played, is_shown, shown_copy, write_played
from stylemask_demo.media.videos import read_frames, write_video


def film(path: Path, codec: str, pixels: str = "yuv420p") -> Path:
    """Eight frames of a face that turns a little, as other programs write it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=8)
        stream.width = stream.height = 128
        stream.pix_fmt = pixels
        for turn in range(8):
            turned = picture("900003_1").resize((128, 128)).rotate(turn, Image.Resampling.BICUBIC)
            container.mux(stream.encode(av.VideoFrame.from_image(turned)))
        container.mux(stream.encode(None))
    return path


OTHERS = {"driver.avi": ("mpeg4", "yuv420p"), "driver.mkv": ("libx264", "yuv420p"), "deep.mp4": ("libx264", "yuv422p")}


@pytest.mark.parametrize("name", OTHERS)
def test_videos_that_browsers_do_not_play_are_copied(tmp_path, name):
    video, copy = film(tmp_path / name, *OTHERS[name]), tmp_path / "copy.mp4"
    assert not is_played(video)
    write_played(copy, video)
    assert is_played(copy)
    first, second = (np.stack([np.float32(frame) for frame in read_frames(path)]) for path in (video, copy))
    assert first.shape == second.shape and np.abs(first - second).mean() < 4


def test_animated_pictures_are_copied_too_and_what_is_played_is_not(tmp_path):
    frames = [picture("900003_1").resize((128, 128)).rotate(turn) for turn in range(4)]
    frames[0].save(tmp_path / "driver.gif", save_all=True, append_images=frames[1:], duration=125)
    write_video(tmp_path / "own.mp4", iter(frames), fps=8)
    assert not is_played(tmp_path / "driver.gif")
    assert is_played(tmp_path / "own.mp4") and is_played(film(tmp_path / "own.webm", "libvpx"))
    (tmp_path / "text.avi").write_text("no video at all")
    assert is_played(tmp_path / "text.avi"), "the reader says what is wrong with it"


def test_pictures_that_browsers_do_not_show(tmp_path):
    for suffix, shown in {"png": True, "jpg": True, "webp": True, "gif": True, "bmp": True, "tif": False}.items():
        path = tmp_path / f"face.{suffix}"
        picture("900003_1").save(path)
        assert is_shown(path) is is_shown(path.read_bytes()) is shown
    (tmp_path / "text.tif").write_text("no picture at all")
    assert is_shown(tmp_path / "text.tif")


@pytest.mark.parametrize("form", ["TIFF", "HEIF"])
def test_a_copy_of_a_picture_is_upright_and_keeps_its_colour_profile(tmp_path, form):
    profile, exif, path = PROFILES["Display P3"].bytes(), Image.Exif(), tmp_path / "face"
    exif[ORIENTATION] = 6  # on its side
    turned = {"tiffinfo": exif} if form == "TIFF" else {"exif": exif}
    picture("900003_1").crop((0, 0, 256, 200)).save(path, form, icc_profile=profile, **turned)
    opened = open_image(path)
    with Image.open(io.BytesIO(shown_copy(opened))) as copy:
        assert copy.info["icc_profile"] == profile
        assert copy.size == opened.size and ORIENTATION not in copy.getexif()
        again = open_image(copy)
    assert np.abs(np.int16(again) - np.int16(opened)).mean() < 1

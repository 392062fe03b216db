"""The sound of videos stays with their pictures: a film turns bright at the moment at which its tone begins."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from films import CLOCK, TONE, film, flash, seen_and_heard, tone

from stylemask_demo.media.videos import read_frames, write_video

FLASH, END = 1.0, 1.4  # seconds
FRAME = 1 / 30
STARTS = {"together": (0.0, 0.0), "sound late": (0.0, 0.7), "pictures late": (0.7, 0.0), "both late": (0.3, 0.8)}
CONTAINERS = {  # and the codecs of pictures and sound that are usual in them
    "mp4": ("libx264", "aac"),
    "mov": ("libx264", "pcm_s16le"),
    "mkv": ("libx264", "flac"),
    "webm": ("libvpx", "libopus"),
    "ts": ("libx264", "aac"),
    "mpg": ("mpeg2video", "mp2"),
    "flv": ("libx264", "aac"),
}


def filmed(path: Path, pictures: float = 0.0, sound: float = 0.0, rate: int = 48_000, **options) -> Path:
    """A film whose pictures and sound begin at these times."""
    times = [pictures + i * FRAME for i in range(round((END - pictures) / FRAME))]
    pieces = options.pop("pieces", [(sound, tone(FLASH, sound, END, rate))])
    return film(path, flash(FLASH, times), times, pieces, rate=rate, **options)


def written(path: Path, tmp_path: Path, kind: str = "mp4") -> tuple[float, float, np.ndarray]:
    """When the video made of a film's pictures and its sound turns bright, when its tone begins, and its samples."""
    frames = read_frames(path)
    write_video(tmp_path / f"out.{kind}", frames, frames.fps, audio_from=path)
    return seen_and_heard(tmp_path / f"out.{kind}")


def test_a_webm_keeps_sound_and_pictures_together(tmp_path: Path) -> None:
    seen, heard, _ = written(filmed(tmp_path / "film.mp4"), tmp_path, "webm")
    assert seen == pytest.approx(FLASH, abs=FRAME / 2)
    assert heard == pytest.approx(FLASH, abs=FRAME / 3)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_sound_and_pictures_keep_their_offset(tmp_path: Path, container: str, start: str) -> None:
    pictures, sound = STARTS[start]
    codec, sound_codec = CONTAINERS[container]
    path = filmed(tmp_path / f"film.{container}", pictures, sound, codec=codec, sound_codec=sound_codec, b_frames=2)
    seen, heard, _ = written(path, tmp_path)
    assert seen == pytest.approx(FLASH - pictures, abs=FRAME / 2)
    assert heard == pytest.approx(FLASH - pictures, abs=FRAME / 3)


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_a_container_that_tells_only_the_order_of_decoding(tmp_path: Path, codec: str) -> None:
    path = filmed(tmp_path / "film.avi", codec=codec, sound_codec="mp3", b_frames=2)
    seen, heard, _ = written(path, tmp_path)
    assert heard == pytest.approx(seen, abs=FRAME)
    steps = np.diff([np.asarray(picture).mean() for picture in read_frames(path)])
    assert np.count_nonzero(np.abs(steps) > 50) == 1, "frames are out of order"


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_sound_from_before_the_beginning_is_cut(tmp_path: Path, container: str) -> None:
    seen, heard, _ = written(filmed(tmp_path / f"film.{container}", sound=-0.3), tmp_path)
    assert heard == pytest.approx(seen, abs=FRAME / 3)


@pytest.mark.parametrize("container", ["mp4", "mkv", "webm", "ts"])
def test_a_gap_in_the_sound_is_silence(tmp_path: Path, container: str) -> None:
    codec, sound_codec = CONTAINERS[container]
    path = filmed(tmp_path / f"film.{container}", lost=(0.3, 0.8), codec=codec, sound_codec=sound_codec)
    seen, heard, _ = written(path, tmp_path)
    assert heard == pytest.approx(seen, abs=FRAME / 3)


def test_a_gap_in_a_tone_is_heard_as_silence(tmp_path: Path) -> None:
    pieces = [(0.0, tone(0, 0.0, 0.5)), (1.0, tone(0, 1.0, 1.4))]
    path = filmed(tmp_path / "film.mkv", sound_codec="pcm_s16le", pieces=pieces)
    _, _, samples = written(path, tmp_path)
    loud = np.array([np.abs(samples[i : i + 480]).max() > 0.1 for i in range(0, len(samples), 480)])  # of each 10 ms
    assert loud[5:45].all() and not loud[55:95].any() and loud[105:135].all()


def test_what_overlaps_is_cut(tmp_path: Path) -> None:
    pieces = [(start, tone(FLASH, start, start + 0.6)) for start in (0.0, 0.4, 0.8)]
    path = filmed(tmp_path / "film.mkv", sound_codec="pcm_s16le", pieces=pieces)
    seen, heard, _ = written(path, tmp_path)
    assert heard == pytest.approx(seen, abs=FRAME / 3)


@pytest.mark.parametrize("rate", [8000, 11024, 22050, 37_800, 44_056, 44_100, 96_000, 176_400, 192_000])
def test_every_rate_can_be_written(tmp_path: Path, rate: int) -> None:
    path = filmed(tmp_path / "film.mov", sound=0.4, rate=rate, sound_codec="pcm_s16le")
    seen, heard, samples = written(path, tmp_path)
    assert heard == pytest.approx(seen, abs=FRAME / 3)
    with av.open(str(tmp_path / "out.mp4")) as container:
        made = container.streams.audio[0].rate
    whole = samples[round((FLASH + 0.05) * made) :][: round(0.25 * made)]
    pitch = np.argmax(np.abs(np.fft.rfft(whole))) / 0.25
    assert pitch == pytest.approx(TONE, abs=5), "the pitch has changed"


@pytest.mark.parametrize(
    ("sound_codec", "layout"),
    [("pcm_s16le", "stereo"), ("pcm_s24le", "5.1"), ("aac", "5.1"), ("pcm_f32le", "mono"), ("pcm_f64le", "quad")],
)
def test_samples_and_layouts_of_every_kind(tmp_path: Path, sound_codec: str, layout: str) -> None:
    path = filmed(tmp_path / "film.mkv", sound=0.4, sound_codec=sound_codec, layout=layout)
    seen, heard, samples = written(path, tmp_path)
    assert heard == pytest.approx(seen, abs=FRAME / 3)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.3)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.audio[0].layout.name == ("mono" if layout == "mono" else "stereo")


def test_sound_ends_with_the_pictures(tmp_path: Path) -> None:
    path = filmed(tmp_path / "film.mov", sound_codec="pcm_s16le")
    write_video(tmp_path / "out.mp4", flash(0.2, [i * FRAME for i in range(15)]), fps=30, audio_from=path)
    with av.open(str(tmp_path / "out.mp4")) as container:
        sound = container.streams.audio[0]
        assert float(sound.duration * sound.time_base) == pytest.approx(0.5, abs=0.03)


def test_what_has_no_sound_stays_silent(tmp_path: Path) -> None:
    times = [i * FRAME for i in range(5)]
    silent = film(tmp_path / "silent.mp4", flash(0.1, times), times)
    (tmp_path / "text.mp4").write_text("no video at all")
    for audio_from in (silent, tmp_path / "none.mp4", tmp_path / "text.mp4"):
        write_video(tmp_path / "out.mp4", flash(0.1, times), fps=30, audio_from=audio_from)
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert not container.streams.audio


@pytest.mark.parametrize("b_frames", [0, 2])
def test_what_an_edit_list_cuts_away_is_not_there(tmp_path: Path, b_frames: int) -> None:
    """Players that cut a film without coding it anew only say at which picture it begins."""
    path, cut = filmed(tmp_path / "film.mp4", b_frames=b_frames), 0.2
    content = bytearray(path.read_bytes())
    place = content.find(b"elst") + 12  # of the pictures' only entry: duration in ms, begin in the clock of the pictures
    duration, begin = struct.unpack_from(">Ii", content, place)
    struct.pack_into(">Ii", content, place, duration - round(1000 * cut), begin + round(cut / CLOCK))
    path.write_bytes(content)
    seen, heard, _ = written(path, tmp_path)
    assert seen == pytest.approx(FLASH - cut, abs=FRAME / 2)
    assert heard == pytest.approx(FLASH, abs=FRAME / 3), "the sound was not cut"
    assert read_frames(path).count == pytest.approx((END - cut) / FRAME, abs=1)


@pytest.mark.parametrize(("kind", "late"), [(b"auds", 0.3), (b"vids", -0.3)])
def test_streams_of_an_avi_that_begin_late(tmp_path: Path, kind: bytes, late: float) -> None:
    path = filmed(tmp_path / "film.avi", codec="mpeg4", sound_codec="pcm_s16le")
    before, heard_before, _ = written(path, tmp_path)
    content = bytearray(path.read_bytes())
    place = content.find(kind) + 20  # of the header of the stream: what its times are counted in, and the first of them
    scale, rate = struct.unpack_from("<II", content, place)
    struct.pack_into("<I", content, place + 8, round(0.3 * rate / scale))
    path.write_bytes(content)
    seen, heard, _ = written(path, tmp_path)
    assert seen == pytest.approx(before, abs=FRAME / 2)
    assert heard == pytest.approx(heard_before + late, abs=FRAME / 2)


@pytest.mark.parametrize("container", ["ts", "mpg"])
def test_a_clock_that_begins_anew_goes_on(tmp_path: Path, container: str) -> None:
    """Two recordings of a broadcast, one after another in a file; the first is dark and silent."""
    codec, sound_codec = CONTAINERS[container]
    times = [i * FRAME for i in range(18)]
    pieces = [(0.0, tone(9.0, 0.0, 0.6))]
    dark = film(tmp_path / f"dark.{container}", flash(9.0, times), times, pieces, codec=codec, sound_codec=sound_codec)
    bright = filmed(tmp_path / f"bright.{container}", codec=codec, sound_codec=sound_codec)
    joined = tmp_path / f"joined.{container}"
    joined.write_bytes(dark.read_bytes() + bright.read_bytes())
    assert read_frames(joined).count == pytest.approx(18 + END / FRAME, abs=2)
    seen, heard, _ = written(joined, tmp_path)
    assert seen == pytest.approx(0.6 + FLASH, abs=3 * FRAME)  # where they join, frames may be lost
    assert heard == pytest.approx(seen, abs=FRAME)

"""Videos in and out, on small files made here."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from stylemask_demo.errors import UnreadableMedia, UnwritableMedia
from stylemask_demo.media import videos as video
from stylemask_demo.media.videos import read_frames, write_video

WIDTH, HEIGHT = 160, 96


def frames(count: int, width: int = WIDTH, height: int = HEIGHT) -> Iterator[Image.Image]:
    """Pictures whose brightness says their number; the top left quarter is red."""
    for number in range(count):
        pixels = np.full((height, width, 3), 10 * number % 240, np.uint8)
        pixels[: height // 2, : width // 2] = (230, 20, 20)
        yield Image.fromarray(pixels)


def brightness(picture: Image.Image) -> float:
    """Of the lower right quarter."""
    return float(np.asarray(picture)[HEIGHT // 2 + 4 :, WIDTH // 2 + 4 :].mean())


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    write_video(path, frames(20), fps=25)
    return path


def encoded(path: Path, pictures: Iterator[Image.Image], times: list[float], rotation: float = 0.0, sound: bool = False):
    """Write a video as other programs do: any times, a rotation, a sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "10", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        if sound:
            heard = container.add_stream("aac", rate=16000)
            heard.layout = "mono"
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound:
            samples = np.sin(np.arange(16000 * len(times) // 30) * 2 * np.pi * 440 / 16000)
            for start in range(0, len(samples), 1024):
                part = av.AudioFrame.from_ndarray(np.float32(samples[None, start : start + 1024]), "fltp", "mono")
                part.sample_rate, part.pts = 16000, start
                container.mux(heard.encode(part))
            container.mux(heard.encode(None))


def test_frames_come_back_as_they_were_written(clip: Path) -> None:
    opened = read_frames(clip)
    assert (opened.fps, opened.width, opened.height, opened.count) == (25, WIDTH, HEIGHT, 20)
    read = list(opened)
    assert len(read) == 20
    for picture, original in zip(read, frames(20), strict=True):
        assert picture.size == original.size
        assert np.abs(np.int16(picture) - np.int16(original)).mean() < 4


def test_written_file_is_what_browsers_play(clip: Path) -> None:
    with av.open(str(clip)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    content = clip.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat"), "it must be read to its end before it plays"


def test_odd_sizes_are_cut_to_even_ones(tmp_path: Path) -> None:
    write_video(tmp_path / "odd.mp4", frames(3, 101, 99), fps=Fraction(30000, 1001))
    opened = read_frames(tmp_path / "odd.mp4")
    assert (opened.width, opened.height) == (100, 98)
    assert float(opened.fps) == pytest.approx(29.97, abs=0.01)


@pytest.mark.parametrize(("rotation", "corner"), [(90, "bottom left"), (-90, "top right"), (180, "bottom right")])
def test_rotation_is_applied(tmp_path: Path, rotation: int, corner: str) -> None:
    path = tmp_path / "turned.mp4"
    encoded(path, frames(4), [i / 30 for i in range(4)], rotation)
    opened = read_frames(path)
    picture = next(iter(opened))
    expected = (WIDTH, HEIGHT) if rotation == 180 else (HEIGHT, WIDTH)
    assert picture.size == (opened.width, opened.height) == expected
    x = 10 if "left" in corner else picture.width - 10
    y = 10 if "top" in corner else picture.height - 10
    red, green, _ = picture.getpixel((x, y))
    assert red > 180 and green < 80


def test_changing_frame_rate_becomes_steady(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 0.3, 0.7, 1.1, 1.2, 1.3, 1.4, 1.5]  # two frames stay for 0.4 seconds
    encoded(tmp_path / "uneven.mp4", frames(10), times)
    opened = read_frames(tmp_path / "uneven.mp4")
    read = [brightness(picture) for picture in opened]
    assert len(read) == pytest.approx(1.5 * opened.fps, abs=2)
    for time in (0.15, 0.5, 0.9, 1.35):
        shown = max(number for number, start in enumerate(times) if start <= time)
        assert read[int(time * opened.fps)] == pytest.approx(10 * shown, abs=12)


def test_fast_videos_lose_frames_not_time(tmp_path: Path) -> None:
    write_video(tmp_path / "fast.mp4", frames(60), fps=60)
    opened = read_frames(tmp_path / "fast.mp4")
    assert opened.fps == video.MAXIMUM_RATE
    assert len(list(opened)) == pytest.approx(30, abs=1)


def test_large_frames_are_made_smaller(tmp_path: Path) -> None:
    write_video(tmp_path / "wide.mp4", frames(2, 2560, 720), fps=25)
    opened = read_frames(tmp_path / "wide.mp4")
    assert (opened.width, opened.height) == (1920, 540)
    assert next(iter(opened)).size == (1920, 540)


def test_sound_goes_along(tmp_path: Path) -> None:
    source, silent = tmp_path / "loud.mp4", tmp_path / "silent.mp4"
    encoded(source, frames(30), [i / 30 for i in range(30)], sound=True)
    write_video(silent, frames(2), fps=25)
    for audio_from, expected in ((source, 1), (silent, 0), (tmp_path / "none.mp4", 0)):
        write_video(tmp_path / "out.mp4", frames(30), fps=30, audio_from=audio_from)
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert len(container.streams.audio) == expected
            if expected:
                heard = np.concatenate([part.to_ndarray()[0] for part in container.decode(container.streams.audio[0])])
                assert len(heard) / 16000 == pytest.approx(1.0, abs=0.15)
                assert np.abs(heard).mean() == pytest.approx(2 / np.pi, abs=0.1)


def test_sound_ends_with_the_pictures(tmp_path: Path) -> None:
    encoded(tmp_path / "loud.mp4", frames(60), [i / 30 for i in range(60)], sound=True)
    write_video(tmp_path / "out.mp4", frames(15), fps=30, audio_from=tmp_path / "loud.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        sound = container.streams.audio[0]
        assert float(sound.duration * sound.time_base) == pytest.approx(0.5, abs=0.1)


def test_of_a_cut_video_the_good_frames_are_used(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grains = [rng.integers(0, 255, (HEIGHT, WIDTH), np.uint8) for _ in range(40)]
    noise = [Image.fromarray(np.stack([grain] * 3, -1)) for grain in grains]  # grey: MP4 halves the colours
    write_video(tmp_path / "whole.mp4", noise, fps=25)
    content = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    read = list(read_frames(tmp_path / "cut.mp4"))
    assert 5 < len(read) < 35
    assert np.abs(np.int16(read[3]) - np.int16(noise[3])).mean() < 30


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "There is no file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"Dear reader, " * 1000), "is no video, or is cut short or damaged"),
        (lambda path: path.write_text("#EXTM3U\n#EXTINF:5,\n/etc/hostname\n#EXT-X-ENDLIST\n"), "is no video"),
        (lambda path: path.write_text("ffconcat version 1.0\nfile /etc/hostname\n"), "is no video"),
        (lambda path: next(frames(1)).save(path, format="PNG"), "is no video"),
        (lambda path: next(frames(1)).save(path, format="GIF"), "fewer than two frames"),
    ],
)
def test_what_is_no_video_is_refused_clearly(tmp_path: Path, make, message: str) -> None:
    path = tmp_path / "odd.mp4"
    make(path)
    with pytest.raises(UnreadableMedia, match=message):
        read_frames(path)


def test_too_long_too_large_too_small(tmp_path: Path, monkeypatch) -> None:
    write_video(tmp_path / "small.mp4", frames(50, 32, 32), fps=25)
    with pytest.raises(UnreadableMedia, match="only 32 x 32 pixels"):
        read_frames(tmp_path / "small.mp4")
    write_video(tmp_path / "long.mp4", frames(50), fps=25)
    with pytest.raises(UnreadableMedia, match="longer than 1 seconds"):
        read_frames(tmp_path / "long.mp4", seconds=1)
    monkeypatch.setattr(video, "MAXIMUM_BYTES", 100)
    with pytest.raises(UnreadableMedia, match="larger than"):
        read_frames(tmp_path / "long.mp4")


def test_a_video_that_hides_its_length_ends_with_an_error(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "stream.ts"), "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, picture in enumerate(frames(27)):
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(UnreadableMedia, match="longer than"):
        list(read_frames(tmp_path / "stream.ts", seconds=1.0))


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnwritableMedia, match="ends in .mp4"):
        write_video(tmp_path / "out.avi", frames(2), fps=25)
    with pytest.raises(UnwritableMedia, match="no folder"):
        write_video(tmp_path / "none" / "out.mp4", frames(2), fps=25)
    with pytest.raises(UnwritableMedia, match="no frames"):
        write_video(tmp_path / "out.mp4", frames(0), fps=25)

    def failing() -> Iterator[Image.Image]:
        yield from frames(3)
        raise KeyError("stopped")

    with pytest.raises(KeyError, match="stopped"):
        write_video(tmp_path / "out.mp4", failing(), fps=25)
    assert list(tmp_path.iterdir()) == []


def test_frames_are_read_as_they_are_needed(clip: Path, tmp_path: Path) -> None:
    taken = []

    def counted() -> Iterator[Image.Image]:
        for picture in read_frames(clip):
            taken.append(picture)
            yield picture

    pictures = counted()
    next(pictures)
    assert len(taken) == 1
    write_video(tmp_path / "rest.mp4", pictures, fps=25)
    assert len(taken) == 20

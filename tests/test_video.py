"""Videos in and out, on small files made here."""

import ast
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from films import film, flash, tone
from PIL import Image

from stylemask_demo.errors import UnreadableMedia, UnwritableMedia
from stylemask_demo.media import containers
from stylemask_demo.media import videos as video
from stylemask_demo.media.videos import read_frames, write_video

WIDTH, HEIGHT = 160, 96
TIMES = [i / 30 for i in range(60)]  # of frames, in seconds


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


ORIENTATIONS = {  # display matrix (a, b, c, d), and where the red corner of the stored picture is looked at
    "as stored": ((1, 0, 0, 1), "top left"),
    "clockwise": ((0, 1, -1, 0), "top right"),
    "upside down": ((-1, 0, 0, -1), "bottom right"),
    "anticlockwise": ((0, -1, 1, 0), "bottom left"),
    "mirrored": ((-1, 0, 0, 1), "top right"),
    "upside down in a mirror": ((1, 0, 0, -1), "bottom left"),
    "transposed": ((0, 1, 1, 0), "top left"),
    "transversed": ((0, -1, -1, 0), "bottom right"),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_orientation_is_applied(tmp_path: Path, orientation: str) -> None:
    (a, b, c, d), corner = ORIENTATIONS[orientation]
    one = 1 << 16
    matrix = (a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    stored = Image.new("RGB", (WIDTH, HEIGHT))
    stored.paste((230, 20, 20), (0, 0, WIDTH // 2, HEIGHT // 2))
    stored.paste((20, 20, 230), (WIDTH // 2, 0, WIDTH, HEIGHT // 2))
    opened = read_frames(film(tmp_path / "turned.mp4", [stored] * 4, TIMES[:4], matrix=matrix))
    picture = next(iter(opened))
    expected = (WIDTH, HEIGHT) if a else (HEIGHT, WIDTH)
    assert picture.size == (opened.width, opened.height) == expected

    def colour(place: str) -> tuple[int, ...]:
        x = 10 if "left" in place else picture.width - 10
        y = 10 if "top" in place else picture.height - 10
        return picture.getpixel((x, y))

    red, green, _ = colour(corner)
    assert red > 180 and green < 80
    # A point (1, 0) to the right of it in the stored picture is at (a, b) of it here: this tells a flip from a turn.
    x, y = ("right" if "left" in corner else "left", "top" if "top" in corner else "bottom")
    beside = f"{y} {x}" if a else f"{'bottom' if 'top' in corner else 'top'} {corner.split()[1]}"
    assert colour(beside)[2] > 180 > colour(beside)[0]


def test_changing_frame_rate_becomes_steady(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 0.3, 0.7, 1.1, 1.2, 1.3, 1.4, 1.5]  # two frames stay for 0.4 seconds
    film(tmp_path / "uneven.mp4", list(frames(10)), times)
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
        (lambda path: None, "There is no file '"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"Dear reader, " * 1000), "is no video, or it is cut short or damaged"),
        (lambda path: path.write_text("#EXTM3U\n#EXTINF:5,\n/etc/hostname\n#EXT-X-ENDLIST\n"), "is no video"),
        (lambda path: path.write_text("ffconcat version 1.0\nfile /etc/hostname\n"), "is no video"),
        (lambda path: next(frames(1)).save(path, format="PNG"), "is no video but a PNG picture"),
        (lambda path: path.write_bytes(b"%PDF-1.7 " * 100), "is no video but a PDF document"),
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
    monkeypatch.setattr(video, "LIMIT", video.LIMIT._replace(bytes=100))
    with pytest.raises(UnreadableMedia, match="larger than"):
        read_frames(tmp_path / "long.mp4")


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


@pytest.mark.parametrize("name", ["12:30.mp4", "http:x.mp4", "file:a.mp4", "%d frames.mp4", "concat:a|b.mp4", "ü 'n\".mp4"])
def test_a_name_is_a_file_and_no_address(tmp_path: Path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "sound.mp4", flash(0.2, TIMES[:10]), TIMES[:10], [(0.0, tone(0.2, 0.0, 0.3))])
    (tmp_path / "sound.mp4").rename(name)
    write_video(f"res:{name}", read_frames(name), fps=30, audio_from=name)
    assert (tmp_path / f"res:{name}").stat().st_size > 1000
    assert len(list(read_frames(f"res:{name}"))) == 10
    with av.open(f"file:res:{name}") as container:
        assert container.streams.audio


@pytest.mark.parametrize("seconds", [61, 63])
def test_too_long_videos_are_refused_before_the_work(tmp_path: Path, seconds: int) -> None:
    for name in ("slow.mp4", "slow.mkv", "slow.ts"):
        times = [i / 2 for i in range(2 * seconds)]
        film(tmp_path / name, list(frames(len(times))), times)
        with pytest.raises(UnreadableMedia, match="longer than 60 seconds. Cut"):
            read_frames(tmp_path / name)


def test_a_minute_is_not_too_long(tmp_path: Path) -> None:
    times = [i / 2 for i in range(120)]
    opened = read_frames(film(tmp_path / "minute.mp4", list(frames(120)), times))
    assert opened.count == len(list(opened)) == 120


def test_too_many_frames_are_refused_before_the_work(tmp_path: Path, monkeypatch) -> None:
    film(tmp_path / "many.mp4", list(frames(40)), [i / 240 for i in range(40)])
    monkeypatch.setattr(containers, "MAXIMUM_PICTURES", 30)
    monkeypatch.setattr(video, "MAXIMUM_PICTURES", 30)
    with pytest.raises(UnreadableMedia, match="more than 30 frames"):
        read_frames(tmp_path / "many.mp4")


def test_too_large_frames_are_refused_before_the_work(tmp_path: Path, monkeypatch) -> None:
    film(tmp_path / "large.mp4", list(frames(4)), TIMES[:4])
    monkeypatch.setattr(video, "MAXIMUM_PIXELS", 10_000)
    with pytest.raises(UnreadableMedia, match="frames of 160 x 96 pixels"):
        read_frames(tmp_path / "large.mp4")


@pytest.mark.parametrize("container", ["webm", "mkv"])
def test_the_length_is_counted_where_the_file_does_not_tell_it(tmp_path: Path, container: str) -> None:
    codec = "libvpx" if container == "webm" else "libx264"
    path = film(tmp_path / f"live.{container}", list(frames(40)), TIMES[:40], codec=codec, live="1")
    with av.open(str(path)) as opened:
        assert opened.duration is None
    opened = read_frames(path)
    assert opened.count == len(list(opened)) == 40


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_a_cover_is_no_film(tmp_path: Path, container: str) -> None:
    cover = Image.new("RGB", (320, 320), (20, 230, 20))
    path = film(tmp_path / f"covered.{container}", list(frames(20)), TIMES[:20], cover=cover)
    opened = read_frames(path)
    assert (opened.width, opened.height) == (WIDTH, HEIGHT) and len(list(opened)) == 20


def test_a_sound_with_a_cover_is_no_film(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.m4a"), "w", format="mp4") as container:
        heard, still = container.add_stream("aac", rate=48_000, layout="mono"), container.add_stream("png", rate=1)
        still.width, still.height, still.pix_fmt, still.disposition = 96, 96, "rgb24", Disposition.attached_pic
        picture = av.VideoFrame.from_image(Image.new("RGB", (96, 96)))
        container.mux([*still.encode(picture), *still.encode(None)])
        samples = av.AudioFrame.from_ndarray(tone(0, 0, 0.5)[None], "fltp", "mono")
        samples.sample_rate = 48_000
        container.mux([*heard.encode(samples), *heard.encode(None)])
    with pytest.raises(UnreadableMedia, match="holds no moving pictures"):
        read_frames(tmp_path / "song.m4a")


def test_pictures_that_change_their_size_keep_the_first(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "changing.ts"), "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for part, size in enumerate([(WIDTH, HEIGHT), (2 * WIDTH, 2 * HEIGHT), (HEIGHT, WIDTH)]):
            encoder = av.CodecContext.create("libx264", "w")
            encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = *size, "yuv420p", Fraction(1, 25)
            for number, picture in enumerate([*frames(10, *size), None]):
                frame = None if picture is None else av.VideoFrame.from_image(picture)
                if frame is not None:
                    frame.pts, frame.time_base = 10 * part + number, Fraction(1, 25)
                for packet in encoder.encode(frame):
                    packet.stream = stream
                    container.mux(packet)
    read = list(read_frames(tmp_path / "changing.ts"))
    assert len(read) == 30 and {picture.size for picture in read} == {(WIDTH, HEIGHT)}
    assert brightness(read[15]) == pytest.approx(brightness(read[5]), abs=12), "enlarged pictures are made smaller"
    left, middle = read[25].getpixel((5, HEIGHT // 2)), read[25].getpixel((WIDTH // 2 + 10, HEIGHT - 10))
    assert left == (0, 0, 0) and middle[0] > 30, "others are whole, with black beside them"


@pytest.mark.parametrize("container", ["mp4", "mkv", "webm", "avi"])
def test_of_a_video_whose_end_is_missing_the_rest_is_used_and_said(tmp_path: Path, container: str) -> None:
    codec = {"webm": "libvpx", "avi": "mpeg4"}.get(container, "libx264")
    rng = np.random.default_rng(0)
    grains = [Image.fromarray(rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)) for _ in range(60)]
    path = film(tmp_path / f"whole.{container}", grains, TIMES, codec=codec, movflags="faststart")
    assert read_frames(path).note == ""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    opened = read_frames(path)
    assert "The end of this video is missing" in opened.note
    assert 15 < len(list(opened)) < 50


def test_a_last_frame_stays_as_long_as_it_is_shown(tmp_path: Path) -> None:
    dark, bright = next(frames(1)), next(frames(1)).point(lambda level: 255 - level)
    dark.save(tmp_path / "two.gif", save_all=True, append_images=[bright], duration=[200, 600])
    opened = read_frames(tmp_path / "two.gif")
    read = [brightness(picture) > 100 for picture in opened]
    assert len(read) == opened.count
    assert read.count(True) / read.count(False) == pytest.approx(3, abs=0.6)


def test_a_coding_that_is_not_there_is_named(tmp_path: Path, clip: Path) -> None:
    clip.write_bytes(clip.read_bytes().replace(b"avc1", b"zzz1").replace(b"avcC", b"zzzC"))
    with pytest.raises(UnreadableMedia, match="clip.mp4' is coded in a way that is not read here. Save it as MP4"):
        read_frames(clip)


def test_nothing_but_files_is_ever_opened() -> None:
    """FFmpeg takes what looks like an address for one, so every name goes to it as that of a file."""
    package = Path(video.__file__).parents[1]
    calls = [
        (path.name, ast.unparse(node))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "av.open"
    ]
    assert len(calls) >= 2
    assert not [(name, call) for name, call in calls if not call.startswith("av.open(address(")]


@pytest.mark.parametrize("rate", [1, 12, 60, 120, 240])
@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_every_rate_is_read_in_its_own_time(tmp_path: Path, rate: int, container: str) -> None:
    count = max(round(2 * rate), 3)
    times = [number / rate for number in range(count)]
    path = film(tmp_path / f"film.{container}", flash(times[count // 2], times), times)
    opened = read_frames(path)
    assert opened.fps == pytest.approx(min(rate, video.MAXIMUM_RATE), rel=0.02)
    bright = [np.asarray(frame).mean() > 128 for frame in opened]
    assert len(bright) / opened.fps == pytest.approx(count / rate, abs=0.6 / opened.fps + 0.02)
    assert bright.index(True) / opened.fps == pytest.approx(count // 2 / rate, abs=1 / opened.fps)


def test_frames_that_are_strips_are_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "strip.mp4", frames(3, 64, 1300), fps=10)
    with pytest.raises(UnreadableMedia, match="64 x 1300 pixels, more than 20 times"):
        read_frames(tmp_path / "strip.mp4")


@pytest.mark.parametrize(
    "container, index", [("avi", b"idx1"), ("mkv", b"\x1c\x53\xbb\x6b"), ("mp4", b"stsz"), ("mp4", b"stco")]
)
def test_a_broken_index_gives_what_is_there_or_one_sentence(tmp_path: Path, container: str, index: bytes) -> None:
    times = [number / 10 for number in range(20)]
    codec = "mpeg4" if container == "avi" else "libx264"
    path = film(tmp_path / f"film.{container}", flash(1.0, times), times, codec=codec)
    content = path.read_bytes()
    place = content.rindex(index)
    for kind in ("zeros", "ones", "gone"):
        broken = {"zeros": bytes(40), "ones": b"\xff" * 40, "gone": b""}[kind]
        path.write_bytes(content[: place + 8] + broken + content[place + 48 :])
        try:
            shown = list(read_frames(path))
        except UnreadableMedia as refused:
            assert container == "mp4" and str(refused).count(".") >= 2, kind
        else:
            assert 1 < len(shown) <= 40 and {frame.size for frame in shown} == {(96, 64)}, kind


@pytest.mark.parametrize("kind", ["mp4", "webm", "gif"])
def test_each_kind_of_file_keeps_rate_length_and_looks(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"clip.{kind}"
    write_video(path, frames(20), fps=25)
    opened = read_frames(path)
    assert (opened.width, opened.height, opened.count) == (WIDTH, HEIGHT, 20)
    assert float(opened.fps) == pytest.approx(25, abs=0.1)
    for picture, original in zip(opened, frames(20), strict=True):
        assert np.abs(np.int16(picture) - np.int16(original)).mean() < 6


def test_a_gif_is_silent_and_says_so(tmp_path: Path) -> None:
    loud = film(tmp_path / "loud.mp4", flash(0.1, TIMES[:10]), TIMES[:10], [(0.0, tone(0.1, 0.0, 0.3))])
    for kind, silent in (("mp4", False), ("webm", False), ("gif", True)):
        write_video(tmp_path / f"out.{kind}", read_frames(loud), fps=30, audio_from=loud)
        with av.open(str(tmp_path / f"out.{kind}")) as container:
            assert bool(container.streams.audio) != silent
        assert ("has no sound" in video.note_on_sound(tmp_path / f"out.{kind}", loud)) == silent
    assert video.note_on_sound("out.gif", tmp_path / "out.gif") == ""

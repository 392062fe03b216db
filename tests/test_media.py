"""Pictures in and out, on real files: odd ones become RGB, bad ones give an error that says what to do."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylemask_demo.errors import UnreadableMedia, UnwritableMedia
from stylemask_demo.media.pictures import MAXIMUM_BYTES, content_hash, open_image, save_png

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
FACE = Path(__file__).parent / "assets" / "faces" / "900000_0.webp"


@pytest.fixture
def face() -> Image.Image:
    return open_image(FACE)


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


def saved(image: Image.Image, form: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def difference(first: Image.Image, second: Image.Image) -> float:
    """Mean absolute difference in grey levels."""
    assert first.size == second.size and first.mode == second.mode == "RGB"
    return np.abs(np.asarray(first, np.float32) - np.asarray(second, np.float32)).mean()


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file", "PIL", "array"])
def test_every_kind_of_source_gives_the_same_picture(kind: str, face: Image.Image) -> None:
    source = {
        "path": FACE,
        "text": str(FACE),
        "bytes": FACE.read_bytes(),
        "file": io.BytesIO(FACE.read_bytes()),
        "PIL": Image.open(FACE),
        "array": np.asarray(face),
    }[kind]
    assert content_hash(open_image(source)) == content_hash(face)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
def test_formats(form: str, face: Image.Image) -> None:
    assert difference(open_image(saved(face, form)), face) < 8


def test_result_shares_nothing_with_the_source(face: Image.Image) -> None:
    before = content_hash(face)
    open_image(face).paste("red", (0, 0, 50, 50))
    assert content_hash(face) == before


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_once(orientation: int, face: Image.Image) -> None:
    turned = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }[orientation]
    stored = face.crop((0, 0, 200, 256))
    for step in turned:
        stored = stored.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = open_image(saved(stored, "JPEG", quality=95, exif=exif))
    assert upright.size == (200, 256)
    assert difference(upright, face.crop((0, 0, 200, 256))) < 4
    assert content_hash(open_image(upright)) == content_hash(upright)


def test_grey(face: Image.Image) -> None:
    grey = face.convert("L")
    assert content_hash(open_image(saved(grey, "PNG"))) == content_hash(grey.convert("RGB"))


def test_cmyk(face: Image.Image) -> None:
    assert difference(open_image(saved(face.convert("CMYK"), "JPEG", quality=95)), face) < 4


def test_palette(face: Image.Image) -> None:
    assert difference(open_image(saved(face.quantize(256), "PNG")), face) < 8


def test_sixteen_bit_grey(face: Image.Image) -> None:
    grey = face.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    for content in (saved(deep, "PNG"), saved(deep, "TIFF"), saved(deep.convert("I"), "PNG")):
        assert content_hash(open_image(content)) == content_hash(grey.convert("RGB"))


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def sixteen_bit_png(image: Image.Image) -> bytes:
    """Write an RGB picture as PNG with 16 bits a channel, which Pillow itself cannot."""
    deep = (np.asarray(image).astype(">u2") * 257).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    header = struct.pack(">IIBBBBB", image.width, image.height, 16, 2, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return PNG_SIGNATURE + png_chunk(b"IHDR", header) + body


def test_sixteen_bit_colour(face: Image.Image) -> None:
    assert difference(open_image(sixteen_bit_png(face)), face) < 1


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_over_white(mode: str, face: Image.Image) -> None:
    clear = face.convert(mode)
    clear.putalpha(Image.new("L", face.size, 0))
    assert open_image(saved(clear, "PNG")).getextrema() == ((255, 255),) * 3
    assert open_image(clear).getextrema() == ((255, 255),) * 3


def test_transparent_palette_is_laid_over_white() -> None:
    image = Image.new("P", (80, 80), 0)
    image.putpalette([10, 20, 30])
    assert open_image(saved(image, "PNG", transparency=0)).getextrema() == ((255, 255),) * 3


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, bool])
@pytest.mark.parametrize("shape", [(80, 90), (80, 90, 1), (80, 90, 3), (80, 90, 4)])
def test_arrays(kind: type, shape: tuple[int, ...]) -> None:
    highest = {np.uint8: 255, np.uint16: 65535, np.float32: 1.0, bool: True}[kind]
    image = open_image(np.full(shape, highest, kind))
    assert image.size == (90, 80) and image.getextrema() == ((255, 255),) * 3


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((80, 80, 2), np.uint8),
        np.zeros((80, 80, 3), np.int64),
        np.zeros((0, 80, 3), np.uint8),
        np.zeros(80, np.uint8),
        np.full((80, 80), np.nan),
        np.array([["a"]]),
    ],
)
def test_arrays_that_are_no_pictures(array: np.ndarray) -> None:
    with pytest.raises(UnreadableMedia):
        open_image(array)


def test_text_named_png(tmp_path: Path) -> None:
    path = tmp_path / "letter.png"
    path.write_text("Dear reader, this is not a picture.\n" * 100)
    with pytest.raises(UnreadableMedia, match=r"letter\.png' is no picture, .* Save it as PNG, JPEG or WebP"):
        open_image(path)


def test_postscript_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\nshowpage\n")
    with pytest.raises(UnreadableMedia, match="no picture"):
        open_image(path)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_truncated_files(form: str, face: Image.Image) -> None:
    content = saved(face, form)
    for kept in (1, 10, 30, len(content) // 2, len(content) * 9 // 10):
        with pytest.raises(UnreadableMedia):
            open_image(content[:kept])


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_noisy_files_are_read_or_refused(form: str, face: Image.Image) -> None:
    content = saved(face.resize((96, 96)), form)
    random = np.random.default_rng(0)
    for _ in range(60):
        noisy = bytearray(content)
        for position in random.integers(0, min(len(noisy), 400), 4):
            noisy[position] = random.integers(256)
        try:
            assert open_image(bytes(noisy)).mode == "RGB"
        except UnreadableMedia:
            pass


def test_hundred_megapixels_are_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (10_000, 10_000)).save(path)
    assert path.stat().st_size < 100_000
    with pytest.raises(UnreadableMedia, match="more than 40 megapixels"):
        open_image(path)


def test_picture_of_a_billion_pixels_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    content = PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"\0"))
    with pytest.raises(UnreadableMedia, match="more than 40 megapixels"):
        open_image(content)


def test_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(MAXIMUM_BYTES + 1)
    for source in (path, path.open("rb")):
        with pytest.raises(UnreadableMedia, match="larger than 50 MB"):
            open_image(source)


@pytest.mark.parametrize("size", [(1, 1), (63, 500), (500, 63)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableMedia, match=f"only {size[0]} x {size[1]} pixels.*at least 64"):
        open_image(Image.new("RGB", size))


def test_smallest_picture() -> None:
    assert open_image(Image.new("RGB", (64, 64))).size == (64, 64)


def test_wrong_paths(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    for path, match in (
        (tmp_path / "none.png", "There is no file"),
        (tmp_path, "is a folder"),
        (tmp_path / "empty.png", "is empty"),
        ("a\0b.png", "cannot be read"),
        ("n" * 300 + ".png", "cannot be read"),
    ):
        with pytest.raises(UnreadableMedia, match=match):
            open_image(path)


def test_wrong_kinds() -> None:
    for source in (None, 3, ["a.png"], io.StringIO("text")):
        with pytest.raises(UnreadableMedia):
            open_image(source)


def test_png_there_and_back(tmp_path: Path, face: Image.Image) -> None:
    path = tmp_path / "result.PNG"
    save_png(face, path)
    assert content_hash(open_image(path)) == content_hash(face)
    assert [file.name for file in tmp_path.iterdir()] == ["result.PNG"]


def test_places_that_cannot_be_written(tmp_path: Path, face: Image.Image) -> None:
    (tmp_path / "folder.png").mkdir()
    for path, match in (
        (tmp_path / "result.jpg", "ends in .png"),
        (tmp_path / "none" / "result.png", "There is no folder"),
        (tmp_path / "folder.png", "is a folder"),
        (tmp_path / ("n" * 300 + ".png"), "cannot be written"),
    ):
        with pytest.raises(UnwritableMedia, match=match):
            save_png(face, path)


def test_hash_tells_pictures_apart(face: Image.Image) -> None:
    other = face.copy()
    other.putpixel((5, 5), (1, 2, 3))
    hashes = {content_hash(image) for image in (face, other, face.resize((128, 512)), face.convert("L"))}
    assert len(hashes) == 4

"""Pictures in and out, on real files: odd ones become RGB, bad ones give an error that says what to do."""

import io
import pickle
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from profiles import PROFILES

from stylemask_demo.errors import UnreadableMedia, UnwritableMedia
from stylemask_demo.media.origin import origin_of
from stylemask_demo.media.pictures import MAXIMUM_BYTES, content_hash, open_image, pictures_of
from stylemask_demo.media.saving import save_png

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
    for kept in (1, 10, 30, len(content) // 2, len(content) * 8 // 10):
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


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_colours_are_what_the_profile_means(form: str, name: str, face: Image.Image) -> None:
    options = {} if form in ("PNG", "TIFF") else {"quality": 100}
    profile = PROFILES[name]
    content = saved(face, form, icc_profile=profile.bytes(), **options)
    meant = profile.meant(Image.open(io.BytesIO(content)).convert("RGB"))
    levels = np.abs(np.asarray(open_image(content), np.float64) - meant)
    assert levels.mean() < 0.7 and np.percentile(levels, 99) <= 1.5
    assert np.abs(np.asarray(face, np.float64) - meant).mean() > 3, "the profile changes nothing"


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA"])
def test_profiles_go_with_every_mode(mode: str, face: Image.Image) -> None:
    profile = PROFILES["Adobe RGB"]
    stored = face.quantize(64) if mode == "P" else face.convert(mode)
    made = open_image(saved(stored, "PNG", icc_profile=profile.bytes()))
    assert np.abs(np.asarray(made) - profile.meant(stored.convert("RGB"))).mean() < 0.7


def test_a_profile_that_is_srgb_changes_nothing(face: Image.Image) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert content_hash(open_image(saved(face, "PNG", icc_profile=profile))) == content_hash(face)


@pytest.mark.parametrize("profile", [b"no profile", PROFILES["Adobe RGB"].bytes()[:200]])
def test_a_damaged_profile_is_left_out(profile: bytes, face: Image.Image) -> None:
    assert content_hash(open_image(saved(face, "PNG", icc_profile=profile))) == content_hash(face)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", [None, "Display P3"])
def test_a_photo_is_written_as_it_was_stored_without_its_place(
    tmp_path: Path, orientation: int, name: str | None, face: Image.Image
) -> None:
    photo, exif = face.crop((0, 0, 200, 256)), Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "A camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (50.0, 5.0, 0.0)})  # where it was taken
    profile = PROFILES[name].bytes() if name else None
    content = saved(photo, "PNG", exif=exif, icc_profile=profile)
    save_png(open_image(content), tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as made:
        assert made.info.get("icc_profile") == profile
        assert made.getexif().get(0x0112, 1) == orientation
        assert set(made.getexif()) <= {0x0112} and b"camera" not in (tmp_path / "out.png").read_bytes()
        assert made.size == photo.size
        levels = np.abs(np.asarray(made, np.int16) - np.asarray(photo, np.int16))
    assert levels.mean() < (1.5 if name else 0.1)


def test_a_part_of_a_photo_is_not_that_photo(tmp_path: Path, face: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    part = open_image(saved(face, "PNG", exif=exif)).crop((0, 0, 100, 80))
    save_png(part, tmp_path / "part.png")
    with Image.open(tmp_path / "part.png") as made:
        assert made.size == (100, 80) and not made.getexif()


@pytest.mark.parametrize("name", ["photo.heic", "photo.HEIF", "photo.jpg"])
def test_heic(tmp_path: Path, name: str, face: Image.Image) -> None:
    path = tmp_path / name
    path.write_bytes(saved(face, "HEIF", quality=95))
    assert difference(open_image(path), face) < 4


def test_heic_turned_by_its_camera(face: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = face.crop((0, 0, 200, 256)).transpose(Image.Transpose.ROTATE_90)
    content = saved(stored, "HEIF", quality=95, exif=exif.tobytes())
    assert difference(open_image(content), face.crop((0, 0, 200, 256))) < 4


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "an HEIC picture"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "an MP4 or MOV film"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "a raw photo"),
        (b"8BPS\0\1", "a Photoshop drawing"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\0\0\0\x0cJXL \r\n", "a JPEG XL picture"),
        (b"<?xml version='1.0'?>\n<svg xmlns=", "a vector drawing"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"ID3\4\0", "a sound recording"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, head: bytes, name: str) -> None:
    (tmp_path / "photo.jpg").write_bytes(head + bytes(2000))
    with pytest.raises(
        UnreadableMedia, match=f"photo.jpg' (is no picture that is read here but|cannot be).*{name}.* Save it as"
    ):
        open_image(tmp_path / "photo.jpg")


def test_the_preview_of_a_raw_photo_is_not_taken_for_it(face: Image.Image) -> None:
    with pytest.raises(UnreadableMedia, match="raw photo.* Develop it"):
        open_image(saved(face.resize((160, 120)), "TIFF", tiffinfo={254: 1}))


def clear_bmp(image: Image.Image, alpha: int) -> bytes:
    """A BMP of 32 bits with a mask for transparency, which Pillow itself does not write."""
    pixels = np.dstack([np.asarray(image)[:, :, ::-1], np.full((image.height, image.width), alpha, np.uint8)])[::-1]
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, image.width, image.height, 1, 32, 3, pixels.size, 2835, 2835, 0, 0)
    header += masks + b"BGRs" + bytes(48)
    return struct.pack("<2sIHHI", b"BM", 14 + len(header) + pixels.size, 0, 0, 14 + len(header)) + header + pixels.tobytes()


def test_a_bmp_whose_transparency_was_left_empty(face: Image.Image) -> None:
    for alpha in (0, 255):
        assert content_hash(open_image(clear_bmp(face, alpha))) == content_hash(face)
    assert open_image(clear_bmp(face, 1)).getextrema()[0][0] > 200, "hardly anything can be seen of it"


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("given", ["path", "bytes", "PIL"])
def test_the_pictures_of_an_animation(tmp_path: Path, form: str, given: str, face: Image.Image) -> None:
    blank = Image.new("RGB", face.size, "white")
    (tmp_path / "moving").write_bytes(saved(blank, form, save_all=True, append_images=[face, face.rotate(90)]))
    path = tmp_path / "moving"
    opened = open_image({"path": path, "bytes": path.read_bytes(), "PIL": Image.open(path)}[given])
    assert difference(opened, blank) < 1
    first, second, third = pictures_of(opened)
    assert content_hash(first) == content_hash(opened)
    assert difference(second, face) < 8 and difference(third, face.rotate(90)) < 8
    assert len(pickle.dumps(second)) < 250_000, "it holds on to the file"


def test_of_a_long_animation_some_pictures_are_looked_at(face: Image.Image) -> None:
    shades = [Image.new("RGB", (64, 64), (level, 0, 0)) for level in range(100)]
    content = saved(shades[0], "PNG", save_all=True, append_images=shades[1:])
    reds = [picture.getpixel((0, 0))[0] for picture in pictures_of(open_image(content))]
    assert 10 < len(reds) <= 25 and reds == sorted(reds) and reds[0] == 0 and reds[-1] > 90


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}])
def test_a_jpeg_that_lacks_its_end_is_used_and_said(options: dict, face: Image.Image) -> None:
    face = face.resize((512, 512))
    content = saved(face, "JPEG", quality=95, **options)
    for kept in (len(content) - 1, len(content) - 2, len(content) * 96 // 100):
        made = open_image(content[:kept])
        assert difference(made.crop((0, 0, 512, 460)), face.crop((0, 0, 512, 460))) < 3
        assert "The end of this picture is missing" in origin_of(made).note
    assert origin_of(open_image(content)).note == ""


def test_a_jpeg_that_lacks_more_is_refused(face: Image.Image) -> None:
    content = saved(face.resize((512, 512)), "JPEG", quality=95)
    with pytest.raises(UnreadableMedia, match="damaged"):
        open_image(content[: len(content) * 85 // 100])


@pytest.mark.parametrize("size", [(64, 1281), (1281, 64)])
def test_a_strip_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableMedia, match=f"{size[0]} x {size[1]} pixels, more than 20 times"):
        open_image(Image.new("RGB", size))
    assert open_image(Image.new("RGB", (min(size[0], 1280), min(size[1], 1280)))).mode == "RGB"


@pytest.mark.parametrize("size", [(0, 80), (80, 0), (0, 0)])
def test_a_picture_without_extent_is_refused(size: tuple[int, int]) -> None:
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    content = (
        PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"\0")) + png_chunk(b"IEND", b"")
    )
    with pytest.raises(UnreadableMedia, match="is damaged|only 0 x|x 0 pixels"):
        open_image(content)


OTHER_CONTENTS = {
    "zip": b"PK\x03\x04" + bytes(60),
    "page": b"<!doctype html><script>fetch('https://example.org')</script>",
    "postscript": b"%!PS-Adobe-3.0\n(/etc/hostname) run",
    "film": b"\x00\x00\x00\x18ftypmp42" + bytes(40),
}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("other", OTHER_CONTENTS)
def test_of_two_files_in_one_the_picture_is_read_and_nothing_else(form: str, other: str, face: Image.Image) -> None:
    content = saved(face, form)
    assert content_hash(open_image(content + OTHER_CONTENTS[other])) == content_hash(open_image(content))
    with pytest.raises(UnreadableMedia):
        open_image(OTHER_CONTENTS[other] + content)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF"])
def test_a_name_does_not_tell_what_a_file_is(form: str, tmp_path: Path, face: Image.Image) -> None:
    content = saved(face, form)
    for name in ("face.png", "face.mp4", "face.txt", "face", "face.svg"):
        (tmp_path / name).write_bytes(content)
        assert difference(open_image(tmp_path / name), face) < 8


def test_an_endless_animation_is_looked_at_in_seconds() -> None:
    """Half a million pictures of one pixel, on a canvas of four megapixels."""
    canvas = saved(Image.new("P", (2000, 2000)), "GIF", save_all=True, append_images=[Image.new("P", (2000, 2000), 1)])
    one = b"!\xf9\x04\x00\x01\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
    began = time.monotonic()
    pictures = list(pictures_of(open_image(canvas[:-1] + one * 500_000 + b";")))
    assert 1 < len(pictures) <= 24 and time.monotonic() - began < 30

"""Photos as people have them, through the whole pipeline: what their files say reaches results, and goes back into them."""

import io
from pathlib import Path

import numpy as np
import pytest
from people import FACES, names, picture
from PIL import Image
from profiles import PROFILES

from stylemask_demo import cli
from stylemask_demo.media.pictures import open_image
from stylemask_demo.media.saving import save_png
from stylemask_demo.reenactor import Reenactor
from stylemask_demo.ui import pictures

GPS, ORIENTATION = 0x8825, 0x0112


def saved(image: Image.Image, form: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def test_the_first_picture_of_an_animation_that_shows_a_face(tmp_path: Path, reenactor: Reenactor) -> None:
    face = picture(names(0)[0])
    blanks = [Image.new("RGB", face.size, "white"), Image.new("RGB", face.size, "navy")]
    path = tmp_path / "moving"
    path.write_bytes(saved(blanks[0], "GIF", save_all=True, append_images=[blanks[1], face, face.rotate(10)]))
    for opened in (open_image(path), Image.open(path)):
        assert len(reenactor.faces(opened)) == 1
    portrait = reenactor.portrait(open_image(path))
    assert np.abs(np.int16(portrait.photo) - np.int16(face)).mean() < 8


def test_an_animation_without_a_face_is_refused_like_a_picture(reenactor: Reenactor) -> None:
    blank = Image.new("RGB", (200, 200), "white")
    content = saved(blank, "GIF", save_all=True, append_images=[Image.new("RGB", (200, 200), "navy")])
    assert reenactor.faces(open_image(content)) == []


@pytest.mark.slow
@pytest.mark.parametrize("orientation", [1, 7])
def test_a_result_in_its_photo_keeps_what_the_photo_is(tmp_path: Path, reenactor: Reenactor, orientation: int) -> None:
    photo = Image.new("RGB", (640, 480), (90, 160, 60))
    photo.paste(picture(names(0)[4]).resize((300, 300)), (40, 90))
    turned = {1: None, 7: Image.Transpose.TRANSVERSE}[orientation]
    stored = photo if turned is None else photo.transpose(turned)
    exif, profile = Image.Exif(), PROFILES["Display P3"].bytes()
    exif[ORIENTATION] = orientation
    exif.get_ifd(GPS).update({1: "N", 2: (50.0, 5.0, 0.0)})
    (tmp_path / "photo.jpg").write_bytes(saved(stored, "JPEG", quality=97, subsampling=0, exif=exif, icc_profile=profile))

    portrait = reenactor.portrait(open_image(tmp_path / "photo.jpg"))
    assert portrait.photo.size == photo.size
    save_png(reenactor.into_photo(portrait, reenactor.edit(portrait, yaw=15)), tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as made:
        assert made.info["icc_profile"] == profile
        assert dict(made.getexif()) == ({} if orientation == 1 else {ORIENTATION: orientation})
        assert made.size == stored.size
        changed = np.abs(np.asarray(made, np.int16) - np.asarray(stored, np.int16)).mean(2)
    whole = Image.fromarray((changed > 12).astype(np.uint8) * 255)
    upright = np.asarray(whole if turned is None else open_image(_tagged(whole, orientation)).convert("L")) > 0
    assert upright[:, :340].mean() > 0.02, "nothing has changed"
    assert upright[:, 400:].mean() < 0.001, "what is not the face has changed"


def _tagged(image: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(image, "PNG", exif=exif)


def test_what_is_said_of_a_file_is_said_on_the_command_line(tmp_path: Path, capfd, reenactor, monkeypatch) -> None:
    monkeypatch.setattr(Reenactor, "from_pack", lambda name, **options: reenactor)
    face = Image.open(FACES / f"{names(0)[0]}.webp").convert("RGB").resize((512, 512))
    content = saved(face, "JPEG", quality=95)
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) * 97 // 100])
    assert cli.main(["parameters", str(tmp_path / "cut.jpg")]) == 0
    said = capfd.readouterr()
    assert "cut.jpg': The end of this picture is missing. 97 % of its rows" in said.err and said.err.count("\n") == 1
    assert said.out.startswith("yaw")


def test_what_is_said_of_a_file_is_said_on_the_page_once(tmp_path: Path, monkeypatch) -> None:
    said = []
    monkeypatch.setattr(pictures.gr, "Warning", lambda message, **_: said.append(message))
    content = saved(picture(names(0)[0]).resize((512, 512)), "JPEG", quality=95)
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) * 97 // 100])
    for _ in range(3):  # a slider sends the same file again
        pictures.load_picture(str(tmp_path / "cut.jpg"))
    assert len(said) == 1 and said[0].startswith("The end of this picture is missing")

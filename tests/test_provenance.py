"""What results say of themselves: a model made them, and how; marks and signatures that a host asks for."""

import base64
import datetime
import io
import itertools
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import av
import numpy as np
import pytest
from gradio_client import handle_file
from people import picture
from PIL import Image
from serving import ROOT

from stylemask_demo.cli import main
from stylemask_demo.errors import WrongSetting
from stylemask_demo.host_settings import HostSettings, SigningKey
from stylemask_demo.media.playback import write_played
from stylemask_demo.media.provenance import as_result, check_host, encoded, settings_of
from stylemask_demo.media.saving import gif_of, png_of, save_png
from stylemask_demo.media.videos import read_frames, write_video
from stylemask_demo.ui.pictures import data_url

MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
IPTC, OWN = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}", "{urn:stylemask-demo:settings}"
FACE = ROOT / "tests" / "assets" / "faces" / "900000_0.webp"


def result(**settings) -> Image.Image:
    return as_result(picture("900000_0"), **settings)


def told(packet: bytes | str) -> dict[str, str]:
    """What an XMP packet tells."""
    (description,) = ElementTree.fromstring(packet).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    return description.attrib


def told_by(content: bytes) -> dict[str, str]:
    """What a picture file tells; nothing where it has no XMP."""
    with Image.open(io.BytesIO(content)) as opened:
        packet = opened.info.get("XML:com.adobe.xmp") or opened.info.get("xmp")
        if opened.format == "GIF":  # of which Pillow reads none
            packet = content.partition(b"!\xff\x0bXMP DataXMP")[2].partition(b"\x01\xff\xfe")[0]
    return told(packet) if packet else {}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_kind_of_picture_says_that_a_model_made_it_and_how(form: str) -> None:
    content = encoded(result(method="stylemask", strength=0.5, region="lips", odd='"<&'), form)
    known = told_by(content)
    assert known[f"{IPTC}DigitalSourceType"] == MADE
    assert (known[f"{OWN}method"], known[f"{OWN}strength"], known[f"{OWN}odd"]) == ("stylemask", "0.5", '"<&')
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.format == form and np.abs(np.float32(opened.convert("RGB")) - np.float32(result())).mean() < 12


def test_an_animation_says_it_too(tmp_path: Path) -> None:
    frames = [result(yaw=turn).rotate(turn) for turn in (0, 5, 10)]
    write_video(tmp_path / "film.gif", frames, fps=10)
    for content in (gif_of(frames, 100), (tmp_path / "film.gif").read_bytes()):
        with Image.open(io.BytesIO(content)) as opened:
            assert opened.n_frames == 3
        assert told_by(content)[f"{IPTC}DigitalSourceType"] == MADE and f"{OWN}yaw" in told_by(content)


def test_a_film_says_it_in_its_container_and_in_xmp(tmp_path: Path) -> None:
    frames = [result(method="motion", strength=1.0)] * 3
    for kind, name in (("mp4", "comment"), ("webm", "COMMENT")):
        write_video(tmp_path / f"film.{kind}", frames, fps=10)
        with av.open(str(tmp_path / f"film.{kind}")) as container:
            assert MADE in container.metadata[name] and "method: motion; strength: 1" in container.metadata[name]
    content = (tmp_path / "film.mp4").read_bytes()
    packet = content[content.index(bytes.fromhex("be7acfcb97a942e89c71999491e3afac")) + 16 :]
    assert told(packet)[f"{IPTC}DigitalSourceType"] == MADE and told(packet)[f"{OWN}method"] == "motion"
    assert len(list(read_frames(tmp_path / "film.mp4"))) == 3


def test_what_no_model_made_does_not_say_so(tmp_path: Path) -> None:
    assert not told_by(base64.b64decode(data_url(picture("900000_0")).partition(",")[2]))
    write_video(tmp_path / "own.mp4", [picture("900000_0")] * 3, fps=10, result=False)
    write_played(tmp_path / "copy.mp4", tmp_path / "own.mp4")
    assert b"trainedAlgorithmicMedia" not in (tmp_path / "copy.mp4").read_bytes()


@pytest.mark.slow
def test_all_that_the_reenactor_makes_knows_how_it_was_made(reenactor) -> None:
    source, target = reenactor.portrait(picture("900000_0")), reenactor.portrait(picture("900003_1"))
    followed = reenactor.reenact(source, target, strength=0.5)
    assert settings_of(followed) == {"method": "stylemask", "strength": 0.5, "region": "all", "pack": "synthetic"}
    edited, whole = reenactor.edit(source, yaw=5), reenactor.into_photo(source, followed)
    assert settings_of(edited) == {"yaw": 5, "pack": "synthetic"}
    assert settings_of(whole) == {**settings_of(followed), "into_photo": True}
    driven = reenactor.drive(source, [picture("900003_1")] * 2, "directions")
    made = [reenactor.sample(3), source.inversion, *itertools.islice(driven, 2)]
    assert all(settings_of(picture) is not None for picture in made) and settings_of(made[-1])["method"] == "directions"
    assert settings_of(source.crop) is settings_of(source.photo) is None
    assert told_by(base64.b64decode(data_url(edited.resize((64, 64))).partition(",")[2]))[f"{OWN}yaw"] == "5"
    assert settings_of(reenactor.portrait(edited).photo) is None, "a result that comes back is a picture like others"


@pytest.mark.slow
def test_files_of_the_command_line_and_of_endpoints_say_it_and_name_no_place(client, tmp_path: Path) -> None:
    assert main(["sample", "--seed", "3", "-o", str(tmp_path / "person.png")]) == 0
    sent, files = handle_file(FACE), {"sample": tmp_path / "person.png"}
    files["random_person"] = client.predict(3, api_name="/random_person")
    files["edit"] = client.predict(sent, 5, 0, 0, into_photo=True, api_name="/edit")
    crop, files["inversion"], _ = client.predict(sent, api_name="/stages")
    for name, file in files.items():
        content = Path(file).read_bytes()
        assert told_by(content)[f"{IPTC}DigitalSourceType"] == MADE, name
        assert str(tmp_path).encode() not in content and b"/tmp" not in content and b"900000_0" not in content
    assert not told_by(Path(crop).read_bytes()), "the crop is the photo's own"


def test_a_badge_is_seen_on_pictures_and_films_where_the_host_asks(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("STYLEMASK_BADGE", "on")
    plain = np.float32(picture("900000_0"))
    write_video(tmp_path / "film.mp4", [result()] * 2, fps=10)
    preview = Image.open(io.BytesIO(base64.b64decode(data_url(result()).partition(",")[2])))
    for made in (Image.open(io.BytesIO(png_of(result()))), preview, next(iter(read_frames(tmp_path / "film.mp4")))):
        changed = np.abs(np.float32(made.convert("RGB")) - plain).mean(2)
        assert changed[:16, :80].mean() > 20 and changed[20:].mean() < 6
    again = Image.open(io.BytesIO(png_of(result(), "none")))
    assert np.array_equal(again, plain), "what goes in again has it once, in the result"
    saved = tmp_path / "badge.png"
    save_png(result().resize((512, 512)), saved)
    assert told_by(saved.read_bytes())[f"{IPTC}DigitalSourceType"] == MADE


@pytest.mark.slow
def test_a_watermark_survives_jpeg_and_a_resize(monkeypatch) -> None:
    pytest.importorskip("imwatermark")
    from stylemask_demo.media.marks import has_watermark

    monkeypatch.setenv("STYLEMASK_WATERMARK", "on")
    marked = Image.open(io.BytesIO(png_of(result()))).convert("RGB")
    assert 0.2 < np.abs(np.float32(marked) - np.float32(result())).mean() < 3
    file = io.BytesIO()
    marked.resize((384, 384), Image.Resampling.LANCZOS).save(file, "JPEG", quality=75)
    assert has_watermark(marked) and has_watermark(Image.open(file)) and not has_watermark(result())


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    """A key that an authority of our own vouches for."""
    pytest.importorskip("c2pa")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder, begin = tmp_path_factory.mktemp("key"), datetime.datetime(2026, 1, 1)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    kinds = x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME
    names = [x509.Name([x509.NameAttribute(kind, name) for kind in kinds]) for name in ("An authority", "A host")]
    issuer = x509.SubjectKeyIdentifier.from_public_key(keys[0].public_key())
    certificates = []
    for number in range(2):
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
        )
        builder = x509.CertificateBuilder(names[0], names[number], keys[number].public_key(), number + 1, begin)
        builder = builder.not_valid_after(begin + datetime.timedelta(days=3650))
        builder = builder.add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), True)
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=number == 1, key_cert_sign=number == 0, crl_sign=number == 0, decipher_only=False, **usage
            ),
            True,
        )
        own = x509.SubjectKeyIdentifier.from_public_key(keys[number].public_key())
        builder = builder.add_extension(own, False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), False)
        if number:
            builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        certificates.append(builder.sign(keys[0], hashes.SHA256()))
    pem = serialization.Encoding.PEM
    (folder / "certificates.pem").write_bytes(b"".join(made.public_bytes(pem) for made in reversed(certificates)))
    private = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    return SigningKey(folder / "certificates.pem", folder / "key.pem")


def test_files_are_signed_with_the_key_of_the_host(tmp_path: Path, monkeypatch, signing: SigningKey) -> None:
    import c2pa

    monkeypatch.setenv("STYLEMASK_SIGNING_CERTIFICATES", str(signing.certificates))
    monkeypatch.setenv("STYLEMASK_SIGNING_KEY", str(signing.key))
    write_video(tmp_path / "film.mp4", [result()] * 2, fps=10)
    files = {"image/png": png_of(result()), "video/mp4": (tmp_path / "film.mp4").read_bytes()}
    files |= {f"image/{form.lower()}": encoded(result(), form) for form in ("JPEG", "WEBP", "GIF")}
    for kind, content in files.items():
        with c2pa.Reader(kind, io.BytesIO(content)) as reader:
            told = reader.json()
        assert MADE in told and "c2pa.created" in told and "assertion.dataHash.mismatch" not in told, kind
        with c2pa.Reader(kind, io.BytesIO(content)) as reader:
            assert reader.get_validation_state() in ("Valid", "Trusted"), kind
    assert [file.name for file in tmp_path.iterdir()] == ["film.mp4"]


def test_settings_that_mean_nothing_are_told_before_there_are_results(tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("no key")
    for environment, match in (
        ({"STYLEMASK_BADGE": "perhaps"}, "STYLEMASK_BADGE is 'perhaps'. Set it to on or off"),
        ({"STYLEMASK_SIGNING_KEY": str(tmp_path / "none.pem")}, "STYLEMASK_SIGNING_CERTIFICATES names no file"),
    ):
        with pytest.raises(WrongSetting, match=match):
            HostSettings.from_environment(environment)
    text = str(tmp_path / "text.pem")
    pytest.importorskip("c2pa")
    wrong = HostSettings.from_environment({"STYLEMASK_SIGNING_CERTIFICATES": text, "STYLEMASK_SIGNING_KEY": text})
    with pytest.raises(WrongSetting, match="Nothing can be signed"):
        check_host(wrong)

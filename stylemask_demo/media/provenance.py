"""What every result says of itself: that a trained model made it, and with which settings; nothing of who or where.

IPTC, "Guidance for using Digital Source Type" (2023): http://cv.iptc.org/newscodes/digitalsourcetype/. Pictures say it in
XMP, and MP4 films too; films of all containers say it in their container's own metadata. `encoded` writes pictures, and
`film_metadata` with `finish_film` serve what writes films.
"""

import io
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from stylemask_demo import __version__
from stylemask_demo.host_settings import HostSettings
from stylemask_demo.media.credentials import SOFTWARE, SOURCE_TYPE, check_key, sign, sign_file
from stylemask_demo.media.marks import check_library, with_badge, with_watermark

SETTINGS = "urn:stylemask-demo:settings"  # the namespace of the settings in XMP
Settings = Mapping[str, str | int | float | bool]
Marks = Literal["all", "seen", "none"]

_KEY = "made with"  # in the `info` of a picture
_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # of XMP in MP4: ISO 16684-1, XMP specification part 3
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:made="{namespace}"
 Iptc4xmpExt:DigitalSourceType="{source_type}" Iptc4xmpExt:AISystemUsed="{software}"
 Iptc4xmpExt:AISystemVersionUsed="{version}" xmp:CreatorTool="{software} {version}"{settings}/>
</rdf:RDF></x:xmpmeta><?xpacket end="r"?>"""


def as_result(picture: Image.Image, **settings: str | int | float | bool) -> Image.Image:
    """The picture itself, which knows from now on that a model made it, and with these settings beside those it knew.

    Settings are words and numbers that who made it chose; nothing personal, and no path, belongs among them.
    """
    picture.info[_KEY] = {**(settings_of(picture) or {}), **settings}
    return picture


def settings_of(picture: Image.Image) -> Settings | None:
    """The settings that a result was made with; None for what is no result, such as a photo."""
    known = picture.info.get(_KEY)
    return known if isinstance(known, dict) else None


def xmp_of(picture: Image.Image) -> bytes:
    """The XMP packet of a result, UTF-8."""
    settings = (settings_of(picture) or {}).items()
    told = "".join(f' made:{name}="{escape(_text(value))}"' for name, value in settings)
    known = {"namespace": SETTINGS, "source_type": SOURCE_TYPE, "software": SOFTWARE, "version": __version__}
    return _PACKET.format(**known, settings=told).encode()


def encoded(picture: Image.Image, form: str, marks: Marks = "all", **options: Any) -> bytes:
    """A result as a file of `form`, "PNG", "JPEG", "WEBP" or "GIF", with its provenance and with what the host asks for.

    `options` are those of Pillow's writer. Files that are kept get "all" `marks`: the badge, the signature, and, but for
    the few colours of a GIF, the watermark. Previews, which are made many times a second, get those that are "seen", the
    badge, and what goes in again as a source or target "none". Pictures of other modes than RGB have their badge already,
    if any: see `badged`.
    """
    host = HostSettings.from_environment()
    if host.watermark and marks == "all" and form != "GIF":
        picture = with_watermark(picture)
    if marks != "none" and picture.mode == "RGB":
        (picture,) = badged([picture])
    packet, file = xmp_of(picture), io.BytesIO()
    if form == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", packet.decode())
    elif form in ("JPEG", "WEBP"):
        options["xmp"] = packet
    picture.save(file, form, **options)
    content = _with_gif_xmp(file.getvalue(), packet) if form == "GIF" else file.getvalue()
    return sign(content, f"image/{form.lower()}", host.signing if marks == "all" else None)


def badged(pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """Results (RGB) with the badge, where their host asks for it."""
    badge = HostSettings.from_environment().badge
    return [with_badge(picture) if badge else picture for picture in pictures]


def check_host(host: HostSettings) -> None:
    """Raise WrongSetting where results cannot be marked and signed as their host asks for, before there are any."""
    if host.watermark:
        check_library()
    if host.signing:
        check_key(host.signing)


def film_metadata(picture: Image.Image) -> dict[str, str]:
    """What the container of a film says of itself, by the names of FFmpeg; `picture` is its first."""
    settings = {name: _text(value) for name, value in (settings_of(picture) or {}).items()}
    words = [f"Digital source type: {SOURCE_TYPE}", f"made by {SOFTWARE} {__version__}"]
    told = "; ".join([*words, *(f"{name}: {value}" for name, value in settings.items())])
    # MP4 knows the first two names alone, Matroska keeps all.
    return {"comment": told, "encoding_tool": f"{SOFTWARE} {__version__}", "digital_source_type": SOURCE_TYPE}


def finish_film(path: str | os.PathLike, picture: Image.Image) -> None:
    """Add XMP to a film that is written whole, MP4 or GIF, and sign it where the host has a key; `picture` is its first.

    Neither XMP nor signatures are defined for WebM, which is left as it is. Raises OSError.
    """
    packet, host, form = xmp_of(picture), HostSettings.from_environment(), Path(path).suffix.lower()
    if form == ".mp4":
        with open(path, "ab") as file:
            file.write((24 + len(packet)).to_bytes(4, "big") + b"uuid" + _BOX + packet)
        sign_file(path, "video/mp4", host.signing)
    elif form == ".gif":
        content = _with_gif_xmp(Path(path).read_bytes(), packet)
        Path(path).write_bytes(sign(content, "image/gif", host.signing))


def _text(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _with_gif_xmp(content: bytes, packet: bytes) -> bytes:
    """A GIF with an XMP packet after its colour table: XMP specification part 3, 1.1.2."""
    colours = content[10]
    end = 13 + (3 * 2 ** ((colours & 7) + 1) if colours & 0x80 else 0)
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"  # leads a reader of blocks to the end from wherever it is
    return content[:end] + b"!\xff\x0bXMP DataXMP" + packet + trailer + content[end:]

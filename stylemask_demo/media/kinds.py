"""What a file is, by its first bytes, in the words of a person: for saying what cannot be read."""

# Where each kind shows itself: position, bytes, name. The first that fits counts.
_SIGNATURES = (
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"),
    (8, b"WEBP", "a WebP picture"),
    (0, b"FUJIFILMCCD-RAW", "a raw photo"),
    (4, b"ftypcrx", "a raw photo"),
    (8, b"CR\x02", "a raw photo"),
    (0, b"IIRO", "a raw photo"),
    (0, b"IIU\x00", "a raw photo"),
    (0, b"II*\x00", "a TIFF picture or a raw photo"),
    (0, b"MM\x00*", "a TIFF picture or a raw photo"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (4, b"JXL ", "a JPEG XL picture"),
    (4, b"jP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"8BPS", "a Photoshop drawing"),
    (0, b"gimp xcf", "a GIMP drawing"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript drawing"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftypavis", "an AVIF picture"),
    *((4, b"ftyp" + brand, "an HEIC picture") for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")),
    *((4, b"ftyp" + brand, "a sound recording") for brand in (b"M4A", b"M4B")),
    *((4, part, "an MP4 or MOV film") for part in (b"ftyp", b"moov", b"mdat", b"wide")),
    (0, b"\x1aE\xdf\xa3", "a WebM or MKV film"),
    (8, b"AVI ", "an AVI film"),
    (0, b"FLV\x01", "an FLV film"),
    (0, b"\x00\x00\x01\xba", "an MPEG film"),
    (8, b"WAVE", "a sound recording"),
    (0, b"ID3", "a sound recording"),
    (0, b"\xff\xfb", "a sound recording"),
    (0, b"fLaC", "a sound recording"),
    (0, b"PK\x03\x04", "a ZIP archive or an office document"),
)
# Those of which every kind is read here: one that is not is damaged.
READ = {f"{article} picture" for article in ("a PNG", "a JPEG", "a GIF", "a BMP", "a WebP")}
_MARKUP = ((b"<!doctype html", "a web page"), (b"<html", "a web page"), (b"<svg", "a vector drawing (SVG)"))
HEAD = 1024  # bytes of a file that tell its kind


def kind_of(head: bytes) -> str | None:
    """What the file that begins with these bytes is, such as "a PDF document", or None when that is not known."""
    for position, signature, name in _SIGNATURES:
        if head[position : position + len(signature)] == signature:
            return name
    text = head[:HEAD].lower()
    return next((name for mark, name in _MARKUP if mark in text), None)

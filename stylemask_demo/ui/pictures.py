"""Pictures on their way between the browser and the pipeline."""

import base64
import io
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import gradio as gr
from PIL import Image, ImageOps

from stylemask_demo import messages
from stylemask_demo.caching import VISITOR_SECONDS, Cache
from stylemask_demo.errors import UnreadableMedia
from stylemask_demo.media.origin import origin_of
from stylemask_demo.media.pictures import open_image
from stylemask_demo.media.provenance import encoded, settings_of
from stylemask_demo.media.videos import read_frames

LONGEST_SIDE = 2048  # pixels; more than any pack's crop needs, and hashing more would slow every slider move
PREVIEW_SIDE = 1280  # pixels of the longer side; a whole photo is looked at smaller than it is kept
PREVIEW_QUALITY = 92  # JPEG: encodes ten times faster than WebP and shows no blocks at this quality
THUMBNAIL_SIDE = 96  # pixels of a face to choose
THUMBNAIL_ROOM = 1.4  # of the face's box, so that hair and chin are seen

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels

NOT_WHOLE = "Not all of it is there"  # over what is said of a file
MOST_BYTES = 300_000_000  # of pictures that stay decoded, with the files of those that are animated


def _weight(picture: Image.Image) -> float:
    return 3 * picture.width * picture.height + len(origin_of(picture).animation)


# By path, time and size.
_decoded: Cache[tuple[str, int, int], Image.Image] = Cache(16, MOST_BYTES, _weight, VISITOR_SECONDS)


def load_picture(file: str | bytes) -> Image.Image:
    """Return an uploaded picture as RGB, at most 2048 pixels on its longer side.

    `file` is the path of an upload or the bytes of one. The last few uploads stay decoded, because a slider
    sends the same file many times a second; the picture returned is shared and must not be changed.
    Raises UnreadableMedia for what cannot be read or is outside the limits of `media.open_image`.
    """
    if isinstance(file, str) and os.path.exists(file):
        state = os.stat(file)
        return _decoded.find((file, state.st_mtime_ns, state.st_size), lambda: _shrink(load_original(file)))
    return _shrink(load_original(file))


def load_original(file: str | bytes) -> Image.Image:
    """Return an uploaded picture as RGB in its own size; see `load_picture` for the rest.

    What its owner should know of the file is shown on the page.
    """
    try:
        with io.BytesIO(file) if isinstance(file, bytes) else open(file, "rb") as upload:
            picture = open_image(upload)
    except OSError:
        raise UnreadableMedia(messages.DELETED_PICTURE) from None
    if note := origin_of(picture).note:
        gr.Warning(note, title=NOT_WHOLE)
    return picture


def _shrink(picture: Image.Image) -> Image.Image:
    if max(picture.size) > LONGEST_SIDE:
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return picture


def data_url(picture: Image.Image | bytes) -> str:
    """Return the picture as a JPEG data URL, so that a preview needs no file and no second request.

    The bytes of a PNG or GIF file go along as they are. Results carry their provenance, as they do when they are kept.
    """
    if isinstance(picture, bytes):
        return f"data:image/{kind_of(picture)};base64," + base64.b64encode(picture).decode("ascii")
    if max(picture.size) > PREVIEW_SIDE:
        picture = ImageOps.contain(picture, (PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.BILINEAR)
    picture = picture.convert("RGB")
    if settings_of(picture) is not None:
        content = encoded(picture, "JPEG", "seen", quality=PREVIEW_QUALITY, subsampling=0)
    else:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=PREVIEW_QUALITY, subsampling=0)
        content = buffer.getvalue()
    return "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")


def kind_of(file: bytes) -> str:
    """Return how the name of a PNG or GIF file of ours ends."""
    return "gif" if file.startswith(b"GIF") else "png"


def first_frames(video: str) -> Iterator[Image.Image]:
    """Return the frames of a video's first second, RGB. Raises UnreadableMedia."""
    frames = read_frames(video)
    return islice(frames, max(round(frames.fps), 1))


def thumbnails(picture: Image.Image, boxes: Sequence[Box]) -> list[Image.Image]:
    """Return small pictures of the faces at boxes, none where there is no choice between them."""
    return [_thumbnail(picture, box) for box in boxes] if len(boxes) > 1 else []


def face_chooser(faces: list[Image.Image], chosen: int = 0) -> Any:
    """Return the update of a FacePicker to such small pictures, which hides it where there are none."""
    return gr.update(value=faces, visible=bool(faces), selected_index=chosen if faces else None)


def _thumbnail(picture: Image.Image, box: Box) -> Image.Image:
    x0, y0, x1, y1 = box
    half = max(x1 - x0, y1 - y0) / 2 * THUMBNAIL_ROOM
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    left, top, right, bottom = (round(edge) for edge in (x - half, y - half, x + half, y + half))
    return picture.crop((left, top, right, bottom)).resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)

"""The faces that visitors mean, and their portraits."""

import dataclasses
import hashlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from stylemask_demo import Portrait, Reenactor, messages
from stylemask_demo.caching import VISITOR_SECONDS, Cache
from stylemask_demo.errors import NoFaceFound

OPENED, OPENED_BYTES = 2, 400_000_000  # tuned portraits kept ready for the next call


class Subject(NamedTuple):
    """One face in a picture, as a visitor means it."""

    picture: Image.Image
    face: int = 0  # which of its faces, the clearest first
    matched: bytes | None = None  # the tuned portrait of this face, from `match`


_opened: Cache[str, Portrait] = Cache(OPENED, OPENED_BYTES, lambda portrait: portrait.bytes, VISITOR_SECONDS)


def portrait_of(reenactor: Reenactor, subject: Subject, role: str | None = None) -> Portrait:
    """Return the portrait; when there is none, say in which of the pictures."""
    if subject.matched is not None:
        return _in_photo(_open(subject.matched), subject.picture)
    try:
        return reenactor.portrait(subject.picture, face=subject.face or None)
    except NoFaceFound as error:
        if role is None:
            raise
        raise NoFaceFound(messages.IN_ROLE.format(role=role, message=error.message)) from error


def _open(portrait: bytes) -> Portrait:
    return _opened.find(hashlib.sha256(portrait).hexdigest(), lambda: Portrait.from_bytes(portrait))


def _in_photo(portrait: Portrait, photo: Image.Image) -> Portrait:
    """Return the portrait as one of the same photo in another size."""
    width, height = portrait.photo.size
    if photo.size == (width, height):
        return portrait
    scale = np.array([photo.width / width, photo.height / height])
    matrix = np.array(portrait.transform.matrix) * scale[:, None]
    matrix[:, 2] += (scale - 1) / 2  # pixel centres are whole numbers in both sizes
    (a, b, c), (d, e, f) = matrix.tolist()
    transform = dataclasses.replace(portrait.transform, matrix=((a, b, c), (d, e, f)), photo_size=photo.size)
    return dataclasses.replace(portrait, photo=photo, transform=transform)

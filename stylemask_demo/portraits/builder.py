"""From photos to portraits: faces found, aligned, inverted and measured once, and remembered."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image

from stylemask_demo.caching import Cache
from stylemask_demo.errors import NoFaceFound
from stylemask_demo.faces.align import CropTransform, align
from stylemask_demo.faces.detect import FaceFinder
from stylemask_demo.faces.finding import Face, choose_face, find_faces
from stylemask_demo.media.pictures import content_hash, open_image
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.portraits.lazy import Lazy
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.portraits.readers import ParameterReader

REMEMBERED = 64  # portraits kept in memory, about 1 MB each with a small photo
REMEMBERED_BYTES = 400_000_000  # and at most this much of them, because photos may be large

Cut = tuple[Image.Image, CropTransform]  # an aligned crop and the way back into its photo
Which = int | tuple[float, float] | None  # a face of a photo: its number, a point on it, or the clearest


class PortraitBuilder:
    """Makes portraits of photos.

    `extractor` refines what the face finder found, `invert` gives the W+ codes of crops, `reader` is the pack's, `draw`
    makes the picture of one W+ code (1, L, style_dim), and `size` is the side of the crops in pixels.
    """

    def __init__(
        self,
        finder: FaceFinder,
        extractor: ParameterExtractor,
        invert: Callable[[Sequence[Image.Image]], torch.Tensor],
        reader: ParameterReader,
        draw: Callable[[torch.Tensor], Image.Image],
        size: int,
    ):
        self._finder, self._extractor, self._size = finder, extractor, size
        self._invert, self._reader, self._draw = invert, reader, draw
        self._faces: Cache[str, list[Face]] = Cache(REMEMBERED)
        self._known: Cache[str, Portrait] = Cache(REMEMBERED, REMEMBERED_BYTES, lambda portrait: portrait.bytes)

    def __len__(self) -> int:
        """Number of portraits remembered."""
        return len(self._known)

    def faces(self, photo: Image.Image, key: str | None = None) -> list[Face]:
        """The faces of a photo as `open_image` gives it, clearest first; `key` is its content hash."""
        key = key or content_hash(photo)
        return self._faces.find(key, lambda: find_faces(photo, self._finder, self._extractor))

    def of_photos(self, images: Sequence[Image.Image], face: Which = None) -> list[Portrait]:
        """The portrait of one face of each picture; see `Reenactor.portrait`."""
        wanted: dict[str, tuple[Image.Image, Face]] = {}
        order = []
        for image in images:
            photo = open_image(image)
            content = content_hash(photo)
            faces = self.faces(photo, content)
            chosen = choose_face(faces, face)
            number = next(i for i, candidate in enumerate(faces) if candidate is chosen)
            order.append(f"{content}/{number}")
            wanted[order[-1]] = photo, chosen
        found = {key: self._known.get(key) for key in wanted}
        new = {key: wanted[key] for key, portrait in found.items() if portrait is None}
        if new:
            cut = [self.cut(photo, chosen.landmarks) for photo, chosen in new.values()]
            for portrait in self.of_crops(cut, [photo for photo, _ in new.values()], list(new)):
                found[portrait.key] = self._known.put(portrait.key, portrait)
        return [found[key] for key in order]

    def of_crops(self, cut: Sequence[Cut], photos: Sequence[Image.Image], keys: Sequence[str]) -> list[Portrait]:
        """Portraits of faces that are cut out already; they are not remembered."""
        crops = [crop for crop, _ in cut]
        codes = self._invert(crops).float().cpu().split(1)
        made = zip(cut, photos, self._reader.read(crops), codes, keys, strict=True)
        return [
            Portrait(crop, photo, transform, *reading, code.clone(), key, Lazy(lambda code=code: self._draw(code)))
            for (crop, transform), photo, reading, code, key in made
        ]

    def cut(self, photo: Image.Image, landmarks: np.ndarray) -> Cut:
        """The aligned crop of the face with these landmarks (68, 2). Raises NoFaceFound where it is cut off too much."""
        try:
            return align(photo, landmarks, self._size)
        except ValueError as error:
            raise NoFaceFound(
                "The face in this picture is cut off too much. Use a picture that shows the whole face."
            ) from error

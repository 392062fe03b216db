"""From photos to portraits: faces found, aligned, inverted and measured once, and remembered for a while."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.batching import in_batches
from stylemask_demo.caching import VISITOR_SECONDS, Cache, Lazy, bytes_of
from stylemask_demo.errors import NoFaceFound
from stylemask_demo.faces.align import CropTransform
from stylemask_demo.faces.detect import FaceFinder
from stylemask_demo.faces.finding import Face, choose_face, find_faces
from stylemask_demo.media.pictures import content_hash, open_image, pictures_of
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.packs.recipe import Recipe, View
from stylemask_demo.portraits.completion import completed
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.portraits.readers import ParameterReader, Reading

FACES_BYTES = 10_000_000  # of what was found in as many pictures
REMEMBERED = 64  # portraits kept in memory, about 1 MB each with a small photo,
REMEMBERED_BYTES = 200_000_000  # and at most this much of them, because photos may be large

Which = int | tuple[float, float] | None  # a face of a photo: its number, a point on it, or the clearest


class _Cut(NamedTuple):
    """A face cut out of its photo."""

    key: str
    photo: Image.Image
    crop: Image.Image
    transform: CropTransform
    views: Mapping[str, Lazy[Image.Image]]


class _Shown(NamedTuple):
    """A picture, its content hash, and the faces in it, clearest first."""

    picture: Image.Image
    key: str
    faces: list[Face]


class PortraitBuilder:
    """Makes portraits of photos.

    `extractor` refines what the face finder found, `invert` gives the W+ codes of what the encoder sees, `reader` is the
    pack's, `draw` makes the picture of one W+ code (1, L, style_dim), `size` is the side of the crops in pixels, and
    `recipe` tells how they are cut.
    """

    def __init__(
        self,
        finder: FaceFinder,
        extractor: ParameterExtractor,
        invert: Callable[[Sequence[Image.Image]], torch.Tensor],
        reader: ParameterReader,
        draw: Callable[[torch.Tensor], Image.Image],
        size: int,
        recipe: Recipe,
    ):
        self._finder, self._extractor, self._size, self._recipe = finder, extractor, size, recipe
        self._invert, self._reader, self._draw = invert, reader, draw
        self._device = next(extractor.parameters()).device
        self._faces: Cache[str, list[Face]] = Cache(REMEMBERED, FACES_BYTES, bytes_of, VISITOR_SECONDS)
        self._known: Cache[str, Portrait] = Cache(
            REMEMBERED, REMEMBERED_BYTES, lambda portrait: portrait.bytes, VISITOR_SECONDS
        )

    def __len__(self) -> int:
        """Number of portraits remembered."""
        return len(self._known)

    def faces(self, photo: Image.Image) -> list[Face]:
        """The faces of a photo as `open_image` gives it, clearest first; of an animation, of its first picture with any."""
        return self._showing(photo).faces

    def of_photos(self, images: Sequence[Image.Image], face: Which = None) -> list[Portrait]:
        """The portrait of one face of each picture.

        `face` is its number in `faces`, or a point (x, y) of the picture near it; without one the clearest is taken. Raises
        UnreadableMedia for a picture outside of the limits and NoFaceFound where there is no such face.
        """
        return in_batches(lambda some: self._of_photos(some, face), images, self._device)

    def of_crops(self, crops: Sequence[Image.Image]) -> list[Portrait]:
        """Portraits of pictures that are aligned crops of the pack's size already; nothing is remembered of them."""

        def made(some: Sequence[Image.Image]) -> list[Portrait]:
            return self._of_crops([self._as_photo(crop) for crop in some], self._invert)

        return in_batches(made, crops, self._device)

    def of_frames(
        self,
        frames: Sequence[Image.Image],
        landmarks: Sequence[np.ndarray],
        invert: Callable[[Sequence[Image.Image]], torch.Tensor],
    ) -> list[Portrait]:
        """Portraits of faces with such landmarks (68, 2) in frames of a film (RGB); nothing is remembered of them.

        `invert` is that of the class. Raises NoFaceFound for a face that is cut off too much.
        """
        cuts = [self._cut(content_hash(frame), frame, place) for frame, place in zip(frames, landmarks, strict=True)]
        return self._of_crops(cuts, invert)

    def _of_photos(self, images: Sequence[Image.Image], face: Which) -> list[Portrait]:
        wanted: dict[str, tuple[Image.Image, Face]] = {}
        order = []
        for image in images:
            photo, content, faces = self._showing(open_image(image))
            chosen = choose_face(faces, face)
            number = next(i for i, candidate in enumerate(faces) if candidate is chosen)
            order.append(f"{content}/{number}")
            wanted[order[-1]] = photo, chosen

        def made(keys: list[str]) -> list[Portrait]:
            return self._of_crops([self._cut_face(key, *wanted[key]) for key in keys], self._invert)

        return self._known.find_all(order, made)

    def _showing(self, photo: Image.Image) -> _Shown:
        """The first picture of a photo that shows a face; the first of all where none does."""
        first = None
        for picture in pictures_of(photo):
            shown = self._shown(picture)
            if shown.faces:
                return shown
            first = first or shown
        assert first is not None  # a photo has a picture
        return first

    def _shown(self, picture: Image.Image) -> _Shown:
        key = content_hash(picture)
        return _Shown(picture, key, self._faces.find(key, lambda: find_faces(picture, self._finder, self._extractor)))

    def _of_crops(self, cuts: Sequence[_Cut], invert: Callable[[Sequence[Image.Image]], torch.Tensor]) -> list[Portrait]:
        crops = [cut.crop for cut in cuts]
        seen = [cut.views["encoder"].get() if "encoder" in cut.views else cut.crop for cut in cuts]
        codes, readings = invert(seen), self._reader.read(crops)
        with torch.inference_mode(False):  # so that codes are tensors of one kind, whatever this was called in
            rows = [code.clone() for code in codes.float().cpu().split(1)]
        return [self._of_cut(*known) for known in zip(cuts, readings, rows, strict=True)]

    def _of_cut(self, cut: _Cut, reading: Reading, code: torch.Tensor) -> Portrait:
        made = Lazy(partial(self._draw, code))
        whole = cut.transform.inside or self._recipe.beyond == "mirrored"
        crop = cut.crop if whole else completed(cut.crop, made.get(), cut.transform)
        return Portrait(crop, cut.photo, cut.transform, *reading, code, cut.key, made, views=cut.views)

    def _cut_face(self, key: str, photo: Image.Image, face: Face) -> _Cut:
        return self._cut(key, photo, self._found_again(photo, face) if self._recipe.search_again else face.landmarks)

    def _cut(self, key: str, photo: Image.Image, landmarks: np.ndarray) -> _Cut:
        rule = self._recipe.crop
        try:
            crop, transform = rule.cut(photo, landmarks, self._size)
            views = {network: Lazy(partial(_seen, view, photo, landmarks)) for network, view in self._recipe.views.items()}
            return _Cut(key, photo, crop, transform, views)
        except ValueError as error:
            raise NoFaceFound(messages.CUT_FACE) from error

    def _found_again(self, photo: Image.Image, face: Face) -> np.ndarray:
        """The face's landmarks (68, 2) in pixels of the photo, as they are seen where the crop rule looks for them."""
        searched = self._recipe.crop.searched(photo)
        if searched is photo:
            return face.landmarks
        scale = np.divide(searched.size, photo.size)
        faces = find_faces(searched, self._finder, self._extractor)
        if not faces:
            return face.landmarks
        x, y = (np.array(face.centre) + 0.5) * scale - 0.5
        return (choose_face(faces, (float(x), float(y))).landmarks + 0.5) / scale - 0.5

    def _as_photo(self, crop: Image.Image) -> _Cut:
        whole = CropTransform(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), self._size, (self._size, self._size))
        return _Cut(content_hash(crop), crop, crop, whole, {})


def _seen(view: View, photo: Image.Image, landmarks: np.ndarray) -> Image.Image:
    return view.reduced(view.rule.cut(photo, landmarks, view.size)[0])

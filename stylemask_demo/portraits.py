"""From photos to portraits: faces found, aligned, inverted and measured once, and remembered."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image

from stylemask_demo.errors import NoFaceFound
from stylemask_demo.faces.align import CropTransform, align
from stylemask_demo.faces.detect import FaceFinder
from stylemask_demo.faces.extract import locate
from stylemask_demo.inversion import Inverter
from stylemask_demo.media import content_hash, open_image
from stylemask_demo.networks.compact import ParameterExtractor
from stylemask_demo.portrait import Later, Portrait
from stylemask_demo.reading import ParameterReader
from stylemask_demo.recent import Recent

REMEMBERED = 64  # portraits kept in memory, about 1 MB each with a small photo
REMEMBERED_BYTES = 400_000_000  # and at most this much of them, because photos may be large
AGREEMENT = 0.12  # largest disagreement of the landmarks on a face that the face finder saw
STRICT_AGREEMENT = 0.08  # and where it saw none, so that the whole picture is tried as a crop
BOX_TO_CROP = 1 / 0.66  # the face finder's boxes are this much smaller than FFHQ's crops

Cut = tuple[Image.Image, CropTransform]  # an aligned crop and the way back into its photo


class Portraits:
    """Makes portraits of photos.

    `extractor` refines what the face finder found, `invert` and `reader` are the pack's, `draw` makes the picture of one
    W+ code (1, L, style_dim), and `size` is the side of the crops in pixels.
    """

    def __init__(
        self,
        finder: FaceFinder,
        extractor: ParameterExtractor,
        invert: Inverter,
        reader: ParameterReader,
        draw: Callable[[torch.Tensor], Image.Image],
        size: int,
    ):
        self._finder, self._extractor, self._size = finder, extractor, size
        self._invert, self._reader, self._draw = invert, reader, draw
        self._known: Recent[str, Portrait] = Recent(REMEMBERED, REMEMBERED_BYTES, lambda portrait: portrait.bytes)

    def __len__(self) -> int:
        """Number of portraits remembered."""
        return len(self._known)

    def of_photos(self, images: Sequence[Image.Image]) -> list[Portrait]:
        """The portrait of each picture; see `Reenactor.portrait`."""
        photos = [open_image(image) for image in images]
        keys = [content_hash(photo) for photo in photos]
        found = {key: self._known.get(key) for key in keys}
        new = {key: photo for key, photo in zip(keys, photos, strict=True) if found[key] is None}
        if new:
            cut = [self.cut(photo, self.landmarks(photo)) for photo in new.values()]
            for portrait in self.of_crops(cut, list(new.values()), list(new)):
                found[portrait.key] = self._known.put(portrait.key, portrait)
        return [found[key] for key in keys]

    def of_crops(self, cut: Sequence[Cut], photos: Sequence[Image.Image], keys: Sequence[str]) -> list[Portrait]:
        """Portraits of faces that are cut out already; they are not remembered."""
        crops = [crop for crop, _ in cut]
        codes = self._invert(crops).float().cpu().split(1)
        made = zip(cut, photos, self._reader.read(crops), codes, keys, strict=True)
        return [
            Portrait(crop, photo, transform, *reading, code.clone(), key, Later(lambda code=code: self._draw(code)))
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

    def landmarks(self, picture: Image.Image) -> np.ndarray:
        """Landmarks (68, 2) of the clearest face; pixels of the picture."""
        boxes = self._finder.find(picture)
        photo = np.asarray(picture)
        for box in boxes:
            if box.landmarks is not None:
                return box.landmarks
            landmarks, disagreement = locate(
                self._extractor, photo, _quad(box.x0, box.y0, box.x1, box.y1, box.roll)
            )
            if disagreement < AGREEMENT:
                return landmarks
        # A face crop fills its picture too much for a face finder at times.
        side = min(picture.size) * 0.66
        x, y = (picture.width - 1) / 2, (picture.height - 1) / 2
        whole = _quad(x - side / 2, y - side / 2, x + side / 2, y + side / 2, 0.0)
        landmarks, disagreement = locate(self._extractor, photo, whole)
        if disagreement < STRICT_AGREEMENT:
            return landmarks
        raise NoFaceFound(
            "No face was found in this picture. Use a sharp, well-lit portrait in which both eyes can be seen."
        )


def _quad(x0: float, y0: float, x1: float, y1: float, roll: float) -> np.ndarray:
    """Corners (4, 2) of the FFHQ crop for a face finder's box, turned anticlockwise by `roll` degrees."""
    half = (x1 - x0) / 2 * BOX_TO_CROP
    angle = np.radians(roll)
    x = half * np.array([np.cos(angle), -np.sin(angle)])
    y = half * np.array([np.sin(angle), np.cos(angle)])
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + np.stack([-x - y, -x + y, x + y, x - y])

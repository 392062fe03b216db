"""The pipeline: photo to portrait, portrait to code, code to picture. The only place that joins the parts."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image

from stylemask_demo.errors import NoFaceFound
from stylemask_demo.faces.align import CropTransform, align
from stylemask_demo.faces.detect import FaceFinder, create_face_finder
from stylemask_demo.faces.extract import face_parameters, locate, to_tensor
from stylemask_demo.faces.parameters import FaceParameters, direction_shift, direction_values
from stylemask_demo.media import content_hash, open_image
from stylemask_demo.methods import Directions, FaceCode, PictureCode, StyleMask
from stylemask_demo.packs import Pack, PackInfo, load_pack

REMEMBERED = 64  # portraits kept in memory, about 1 MB each
AGREEMENT = 0.12  # largest disagreement of the landmarks on a face that the face finder saw
STRICT_AGREEMENT = 0.08  # and where it saw none, so that the whole picture is tried as a crop
TRUNCATION = 0.7  # of sampled faces towards the mean face; photos are never truncated
MEAN_SAMPLES = 4096
BOX_TO_CROP = 1 / 0.66  # the face finder's boxes are this much smaller than FFHQ's crops

T = TypeVar("T")


@dataclass(frozen=True)
class Portrait:
    """Everything known about one face picture; computed once, never changed.

    `crop` is the aligned face, `inversion` what the generator makes of its code, `transform` the way from the crop back
    into the photo, `parameters` the face parameters of the crop, `codes` the W+ code (1, L, style_dim) on the CPU, and
    `key` the hash of the picture's content.
    """

    crop: Image.Image
    inversion: Image.Image
    transform: CropTransform
    parameters: FaceParameters
    codes: torch.Tensor = field(repr=False)
    key: str

    @property
    def landmarks_in_photo(self) -> np.ndarray:
        """The 68 landmarks (68, 2) in pixels of the photo."""
        # Landmarks count from the edge of the first pixel, transforms from its centre.
        return self.transform.to_photo(self.parameters.landmarks - 0.5) + 0.5


class Reenactor:
    """Turns portraits: the source's identity with the target's head pose and expression, or edits of one's own.

    Pictures go in and out as PIL images. Every method also takes a list where it takes a picture, and then returns a list.
    An instance may serve many visitors at once: nothing about a visitor is kept but a bounded cache by picture content.
    """

    def __init__(self, pack: Pack, device: torch.device, face_finder: FaceFinder):
        self.info: PackInfo = pack.info
        self.device = device
        self._finder = face_finder
        self._generator = pack["generator"]
        self._encoder = pack["encoder"]
        self._extractor = pack["extractor"]
        self._identity = pack["identity"]
        self._directions = Directions(self._generator, pack["directions"])
        self._methods: dict[str, Callable[[FaceCode, FaceCode, float], PictureCode]] = {
            "stylemask": StyleMask(self._generator, pack["masks"]),
            "directions": self._directions,
        }
        self._portraits: OrderedDict[str, Portrait] = OrderedDict()
        self._lock = threading.Lock()
        with torch.inference_mode():
            z = torch.randn(
                MEAN_SAMPLES, self._generator.style_dim, generator=torch.Generator().manual_seed(0)
            )
            self._mean_w = self._generator.map(z.to(device)).mean(0, keepdim=True)  # (1, style_dim)

    @classmethod
    def from_pack(cls, name: str | Path = "synthetic", device: str = "auto") -> "Reenactor":
        """Loads a pack by name or folder onto "cpu", "cuda" or, by "auto", the best there is.

        Raises PackMissing or PackCorrupt.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(load_pack(name, device), torch.device(device), create_face_finder(device))

    @property
    def resolution(self) -> int:
        """Side of the pictures in pixels."""
        return self._generator.size

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the reenactment methods that this pack can do."""
        return tuple(self._methods)

    @property
    def face_finder(self) -> str:
        """Name of the face finder in use."""
        return self._finder.name

    def portrait(self, image: Image.Image | Sequence[Image.Image]) -> Portrait | list[Portrait]:
        """Finds, aligns, inverts and measures the face of a picture, or of each picture of a list.

        Raises UnreadableMedia for a picture outside of the limits and NoFaceFound where no face is seen.
        """
        return _each(image, self._portraits_of)

    def reenact(
        self,
        source: Image.Image | Portrait | Sequence,
        target: Image.Image | Portrait | Sequence,
        method: str = "stylemask",
        strength: float = 1.0,
    ) -> Image.Image | list[Image.Image]:
        """The source person with the head pose and expression of the target.

        `strength` goes from 0 (the source's inversion) to 1. Lists are paired; a single picture goes with every one of a
        list. Raises ValueError for an unknown method or lists of different lengths, and what `portrait` raises.
        """
        if method not in self._methods:
            raise ValueError(
                f"There is no method '{method}' here. Choose one of: {', '.join(self._methods)}."
            )
        sources, targets = self._code(source), self._code(target)
        count = max(len(sources.w_plus), len(targets.w_plus))
        if len(sources.w_plus) not in (1, count) or len(targets.w_plus) not in (1, count):
            raise ValueError("Give as many sources as targets, or one of either.")
        sources, targets = (
            FaceCode(*(t.expand(count, *t.shape[1:]) for t in code)) for code in (sources, targets)
        )
        with torch.inference_mode():
            pictures = self._pictures(self._methods[method](sources, targets, strength))
        return pictures if _is_list(source) or _is_list(target) else pictures[0]

    def edit(
        self,
        source: Image.Image | Portrait | Sequence,
        yaw: float = 0.0,
        pitch: float = 0.0,
        smile: float = 0.0,
    ) -> Image.Image | list[Image.Image]:
        """The source turned by `yaw` and `pitch` degrees and its smile changed by `smile` (-1..1), relative to what it is.

        yaw > 0 turns the face to the right of the picture, pitch > 0 looks up. Raises what `portrait` raises.
        """
        sources = self._code(source)
        shift = torch.from_numpy(direction_shift(yaw, pitch, smile)).to(self.device)
        with torch.inference_mode():
            pictures = self._pictures(self._directions.edit(sources, shift.expand(len(sources.w_plus), -1)))
        return pictures if _is_list(source) else pictures[0]

    def sample(self, seed: int | Sequence[int]) -> Image.Image | list[Image.Image]:
        """A random person; the same seed gives the same picture. Raises ValueError for a negative seed."""
        return _each(seed, lambda seeds: self._pictures(self._sampled_code(seeds)))

    def identity(self, picture: Image.Image | Sequence[Image.Image]) -> np.ndarray | list[np.ndarray]:
        """Unit vector (256,) that points the same way for pictures of one person. Raises what `portrait` raises."""
        return _each(picture, self._identities)

    @torch.inference_mode()
    def look(self, crops: Sequence[Image.Image]) -> tuple[list[FaceParameters], np.ndarray]:
        """Face parameters and identity vectors (B, 256) of pictures that are aligned crops already, such as results."""
        batch = to_tensor(list(crops)).to(self.device)
        parameters = face_parameters(self._extractor(batch), self.resolution)
        return parameters, self._identity(batch).float().cpu().numpy()

    def _identities(self, pictures: list[Image.Image]) -> list[np.ndarray]:
        return list(self.look([portrait.crop for portrait in self._portraits_of(pictures)])[1])

    @torch.inference_mode()
    def _sampled_code(self, seeds: list[int]) -> PictureCode:
        if any(seed < 0 for seed in seeds):
            raise ValueError("A seed is a whole number from 0 on.")
        shape = (1, self._generator.style_dim)
        z = torch.cat(
            [torch.randn(shape, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds]
        )
        w = self._mean_w + TRUNCATION * (self._generator.map(z.to(self.device)) - self._mean_w)
        w_plus = self._generator.repeat(w)
        return PictureCode(self._generator.styles(w_plus), self._generator.rgb_styles(w_plus))

    @torch.inference_mode()
    def _pictures(self, code: PictureCode) -> list[Image.Image]:
        made = self._generator.synthesise(code.styles, code.rgb_styles)
        pixels = ((made.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1)
        return [Image.fromarray(picture) for picture in pixels.cpu().numpy()]

    def _code(self, faces: Image.Image | Portrait | Sequence) -> FaceCode:
        faces = list(faces) if _is_list(faces) else [faces]
        portraits = [face if isinstance(face, Portrait) else self.portrait(face) for face in faces]
        directions = np.stack([direction_values(portrait.parameters) for portrait in portraits])
        w_plus = torch.cat([portrait.codes for portrait in portraits])
        return FaceCode(w_plus.to(self.device), torch.from_numpy(directions).to(self.device))

    def _portraits_of(self, images: list[Image.Image]) -> list[Portrait]:
        pictures = [open_image(image) for image in images]
        keys = [content_hash(picture) for picture in pictures]
        with self._lock:
            known = {key: self._portraits[key] for key in keys if key in self._portraits}
        new = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in known}
        if new:
            known |= self._compute(new)
        with self._lock:
            for key in keys:
                self._portraits[key] = known[key]
                self._portraits.move_to_end(key)
            while len(self._portraits) > REMEMBERED:
                self._portraits.popitem(last=False)
        return [known[key] for key in keys]

    @torch.inference_mode()
    def _compute(self, pictures: dict[str, Image.Image]) -> dict[str, Portrait]:
        crops, transforms = zip(*(self._aligned(picture) for picture in pictures.values()), strict=True)
        batch = to_tensor(list(crops)).to(self.device)
        codes = self._encoder(batch)
        parameters = face_parameters(self._extractor(batch), self.resolution)
        inversions = self._pictures(
            PictureCode(self._generator.styles(codes), self._generator.rgb_styles(codes))
        )
        codes = codes.float().cpu()
        return {
            key: Portrait(
                crops[i], inversions[i], transforms[i], parameters[i], codes[i : i + 1].clone(), key
            )
            for i, key in enumerate(pictures)
        }

    def _aligned(self, picture: Image.Image) -> tuple[Image.Image, CropTransform]:
        try:
            return align(picture, self._landmarks(picture), self.resolution)
        except ValueError as error:
            raise NoFaceFound(
                "The face in this picture is cut off too much. Use a picture that shows the whole face."
            ) from error

    def _landmarks(self, picture: Image.Image) -> np.ndarray:
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


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _each(value: T | Sequence[T], function: Callable[[list[T]], list]) -> object:
    """Calls a function of lists with a value or a list, and returns one result or a list accordingly."""
    return function(list(value)) if _is_list(value) else function([value])[0]

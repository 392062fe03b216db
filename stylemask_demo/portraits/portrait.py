"""What is known of one face picture after one pass, and what was tuned to it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image

from stylemask_demo.caching import Lazy
from stylemask_demo.faces.align import CropTransform
from stylemask_demo.faces.crops import recut
from stylemask_demo.faces.parameters import FaceParameters
from stylemask_demo.generator.tuning import TunedWeights
from stylemask_demo.portraits import storage
from stylemask_demo.portraits.completion import completed

Content = bytes  # of a file; a portrait calls something else its bytes
_VIEW, _WEIGHT = "view ", "weight "  # before the names of networks and parameters, among what is stored


@dataclass(frozen=True, eq=False)
class Portrait:
    """Everything known about one face picture; computed once, never changed.

    `crop` is the aligned face, drawn where it reaches beyond the photo, `photo` the whole picture that it came from (RGB),
    `transform` the way from the crop back into the photo, `parameters` the face parameters of the crop, `directions` (15,)
    where the face stands along the directions of the pack, `codes` the W+ code (1, L, style_dim) on the CPU, `key` tells
    one face of one picture from all others by content, `tuning` is what `Reenactor.tune` changed of the generator for this
    face, or None, and `views` are what networks see of the face where that is not the crop.
    """

    crop: Image.Image
    photo: Image.Image = field(repr=False)
    transform: CropTransform
    parameters: FaceParameters
    directions: np.ndarray = field(repr=False)
    codes: torch.Tensor = field(repr=False)
    key: str
    made: Lazy[Image.Image] = field(repr=False)
    tuning: TunedWeights | None = field(default=None, repr=False)
    views: Mapping[str, Lazy[Image.Image]] = field(default_factory=dict, repr=False)

    @property
    def inversion(self) -> Image.Image:
        """What the generator makes of the portrait's code, RGB; made when it is first asked for."""
        return self.made.get()

    def crop_of(self, size: int) -> Image.Image:
        """The aligned face of at most `size` pixels a side, as large as the photo shows it but no smaller than `crop`."""
        side = min(size, round(self.transform.side_in_photo))
        if side <= self.crop.width:
            return self.crop
        drawn = self.crop.resize((side, side), Image.Resampling.BICUBIC)
        return completed(recut(self.photo, self.transform, side), drawn, self.transform.resized(side))

    def seen_by(self, network: str) -> Image.Image:
        """What a network, "encoder" or "motion", sees of the face, RGB."""
        return self.views[network].get() if network in self.views else self.crop

    @property
    def landmarks_in_photo(self) -> np.ndarray:
        """The 68 landmarks (68, 2) in pixels of the photo."""
        # Landmarks count from the edge of the first pixel, transforms from its centre.
        return self.transform.to_photo(self.parameters.landmarks - 0.5) + 0.5

    @property
    def look(self) -> tuple[str, str | None]:
        """What tells how results show the face from how others do: its key, and its tuning's."""
        return self.key, None if self.tuning is None else self.tuning.key

    @property
    def bytes(self) -> int:
        """About how much memory the portrait takes."""
        pictures = (self.photo, self.crop, self.crop)  # the inversion is as large as the crop
        tuned = 0 if self.tuning is None else self.tuning.bytes
        return sum(3 * picture.width * picture.height for picture in pictures) + 4 * self.codes.numel() + tuned

    def to_bytes(self) -> Content:
        """All of the portrait, with its tuning, as the bytes of a safetensors file, which hold no code."""
        measured = self.parameters
        things: dict[str, Any] = {"crop": self.crop, "photo": self.photo, "inversion": self.inversion, "codes": self.codes}
        things |= {"landmarks": measured.landmarks, "identity": measured.identity, "directions": self.directions}
        things |= {f"{_VIEW}{network}": view.get() for network, view in self.views.items()}
        if self.tuning is not None:
            things |= {f"{_WEIGHT}{name}": tensor for name, tensor in self.tuning.weights.items()}
        angles = {name: float(getattr(measured, name)) for name in ("yaw", "pitch", "roll")}
        expression = {name: float(value) for name, value in measured.expression.items()}
        facts = {"key": self.key, "tuning": self.tuning and self.tuning.key, "transform": asdict(self.transform)}
        return storage.to_bytes(things, {**facts, "angles": angles, "expression": expression})

    @staticmethod
    def from_bytes(content: Content) -> "Portrait":
        """The portrait that `to_bytes` wrote."""
        stored, facts = storage.from_bytes(content)
        things: dict[str, Any] = stored
        landmarks, identity, directions = (things[name].numpy() for name in ("landmarks", "identity", "directions"))
        for array in (landmarks, identity, directions):
            array.setflags(write=False)
        (a, b), size, photo_size = (facts["transform"][name] for name in ("matrix", "crop_size", "photo_size"))
        weights = {name.removeprefix(_WEIGHT): thing for name, thing in things.items() if name.startswith(_WEIGHT)}
        return Portrait(
            things["crop"],
            things["photo"],
            CropTransform((tuple(a), tuple(b)), size, tuple(photo_size)),
            FaceParameters(**facts["angles"], expression=facts["expression"], landmarks=landmarks, identity=identity),
            directions,
            things["codes"],
            facts["key"],
            Lazy(lambda: things["inversion"]),
            TunedWeights(weights, facts["tuning"]) if facts["tuning"] else None,
            {name.removeprefix(_VIEW): _made(thing) for name, thing in things.items() if name.startswith(_VIEW)},
        )


def _made(picture: Image.Image) -> Lazy[Image.Image]:
    return Lazy(lambda: picture)

"""The reenactment methods of a pack, and what each of them asks for of sources and targets."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylemask_demo.caching import Cache
from stylemask_demo.editing.correction import motion_values
from stylemask_demo.generator.inversion import Inverter, RefiningInverter
from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.methods import Directions, FaceCode, Motion, StyleMask
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.packs import PackInfo
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.portraits.readers import ParameterReader, Reading

REMEMBERED = 64  # faces whose motion and identity codes are kept


class Transfer:
    """Moves the code of one face by what another does, by the methods whose networks the pack has.

    `compatibility` is that of `Reenactor.from_pack`.
    """

    def __init__(
        self,
        weights: PackNetworks,
        space: StyleSpace,
        invert: Inverter,
        reader: ParameterReader,
        compatibility: bool = False,
    ):
        self._weights, self._space, self._invert, self._reader = weights, space, invert, reader
        self._compatibility = compatibility
        self._codes: Cache[tuple[str, str], Tensor] = Cache(REMEMBERED)

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods that the pack can do."""
        return methods_of(self._weights.info)

    @property
    def corrects(self) -> bool:
        """Whether the pack's own encoder tells what a motion adds to a code, so that results can be corrected by it."""
        return not self._compatibility and isinstance(self._weights["encoder"], PortraitEncoder)

    def check(self, method: str) -> None:
        """Raise ValueError when the pack cannot do this."""
        if method not in self.methods:
            raise ValueError(f"There is no method '{method}' here. Choose one of: {', '.join(self.methods)}.")

    def edit(self, sources: FaceCode, changes: Sequence[tuple[float, float, float]]) -> PictureCode:
        """Codes of B sources, each turned by its degrees of yaw and pitch, and its smile changed."""
        self.check("directions")
        shifts = np.stack([self._reader.shift(*change) for change in changes])
        return self._direction_method().edit(sources, torch.from_numpy(shifts).to(sources.w_plus))

    def __call__(self, method: str, who: FaceCode, how: FaceCode, strength: float = 1.0) -> PictureCode:
        """Codes of B sources and B targets, or of one for all of the other -> codes of B pictures.

        Raises ValueError for an unknown method, and for numbers of sources and targets that do not fit.
        """
        self.check(method)
        counts = [len(next(part for part in code if part is not None)) for code in (who, how)]
        count = max(counts)
        if any(have not in (1, count) for have in counts):
            raise ValueError("Give as many sources as targets, or one of either.")
        return self._method(method)(_expanded(who, count), _expanded(how, count), strength)

    def sources(self, portraits: Sequence[Portrait], method: str) -> FaceCode:
        """What a method asks for of those whose pictures are made."""
        w_plus = torch.cat([portrait.codes for portrait in portraits]).to(self._invert.device)
        if method == "motion" and "restyle" in self._weights:
            refine = RefiningInverter(self._weights["restyle"], self._weights["restyle_average"], self._space.generator)
            return FaceCode(torch.cat([self._remembered("identity", refine, portrait) for portrait in portraits]))
        return self.sampled(w_plus, portraits)

    def sampled(self, w_plus: Tensor, readings: Sequence[Portrait | Reading]) -> FaceCode:
        """The same of faces (B) whose codes (B, L, style_dim) are known."""
        return FaceCode(w_plus, self._directions(readings), values=self._values(readings))

    def targets(self, portraits: Sequence[Portrait], method: str) -> FaceCode:
        """What a method asks for of those who lead."""
        if method == "motion":
            encode = Inverter(self._weights["motion_encoder"])
            motion = torch.cat([self._remembered("motion", encode, portrait) for portrait in portraits])
            return FaceCode(motion=motion, values=self._values(portraits))
        w_plus = torch.cat([portrait.codes for portrait in portraits]).to(self._invert.device)
        return self.sampled(w_plus, portraits)

    def target_crops(self, crops: Sequence[Image.Image], method: str) -> FaceCode:
        """The same of crops that are seen only once, such as the frames of a video; nothing is remembered."""
        readings = self._reader.read(crops) if method == "directions" or self.corrects else []
        values = self._values(readings)
        if method == "motion":
            return FaceCode(motion=Inverter(self._weights["motion_encoder"])(crops), values=values)
        if method == "directions":
            return FaceCode(directions=self._directions(readings), values=values)
        return FaceCode(w_plus=self._invert(crops), values=values)

    def _method(self, name: str) -> StyleMask | Directions | Motion:
        if name == "motion":
            return Motion(self._space, self._weights["motion_mapping"])
        if name == "directions":
            return self._direction_method()
        return StyleMask(self._space, self._weights["masks"])

    def _direction_method(self) -> Directions:
        return Directions(self._space, self._weights["directions"], constant=self._compatibility)

    def _directions(self, faces: Sequence[Portrait | Reading]) -> Tensor:
        """Places (B, 15) along the directions of the pack."""
        return torch.from_numpy(np.stack([face.directions for face in faces])).to(self._invert.device)

    def _values(self, faces: Sequence[Portrait | Reading]) -> Tensor | None:
        """Head pose and expression (B, 56) of what is corrected."""
        if not self.corrects:
            return None
        return motion_values([face.parameters for face in faces]).to(self._invert.device)

    def _remembered(self, what: str, encode: Inverter | RefiningInverter, portrait: Portrait) -> Tensor:
        return self._codes.find((what, portrait.key), lambda: encode([portrait.crop]))


def methods_of(info: PackInfo) -> tuple[str, ...]:
    """Names of the methods that a pack can do."""
    needed = {"stylemask": ["masks"], "directions": ["directions"], "motion": ["motion_encoder", "motion_mapping"]}
    mapping = info.networks.get("motion_mapping")
    if mapping is not None and mapping.arguments.get("num_latents") != 1:
        needed["motion"] += ["restyle", "restyle_average"]  # the codes that the published mapping was trained on
    return tuple(name for name, keys in needed.items() if all(key in info.networks for key in keys))


def _expanded(code: FaceCode, count: int) -> FaceCode:
    """The codes of one face for `count` faces, or of `count` faces as they are."""
    return FaceCode(*(None if part is None else part.expand(count, *part.shape[1:]) for part in code))

"""The reenactment methods of a pack, and what each of them asks for of sources and targets."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylemask_demo.caching import VISITOR_SECONDS, Cache
from stylemask_demo.generator.inversion import Inverter, RefiningInverter
from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.methods.available import check_method
from stylemask_demo.methods.code import FaceCode, motion_values
from stylemask_demo.methods.directions import Directions
from stylemask_demo.methods.motion import Motion
from stylemask_demo.methods.stylemask import StyleMask
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.portraits.readers import ParameterReader, Reading

REMEMBERED = 64  # faces whose motion and identity codes are kept


class Transfer:
    """Moves the code of one face by what another does, by the methods whose networks the pack has.

    With `measured` the codes of faces carry the `values` that results are corrected by; `compatibility` is that of
    `Reenactor.from_pack`.
    """

    def __init__(
        self,
        networks: PackNetworks,
        space: StyleSpace,
        invert: Inverter,
        reader: ParameterReader,
        measured: bool,
        compatibility: bool = False,
    ):
        self._networks, self._space, self._invert, self._reader = networks, space, invert, reader
        self._measured, self._compatibility = measured, compatibility
        self._codes: Cache[tuple[str, str], Tensor] = Cache(REMEMBERED, seconds=VISITOR_SECONDS)

    def __call__(self, method: str, who: FaceCode, how: FaceCode, strength: float = 1.0) -> PictureCode:
        """Codes of B sources and B targets, or of one for all of the other -> codes of B pictures.

        `strength` goes from 0 (the sources as they are) to 1. Raises UnknownMethod for a method that the pack cannot do,
        and ValueError for numbers of sources and targets that do not fit.
        """
        check_method(self._networks.info, method)
        count = max(who.faces, how.faces)
        if any(have not in (1, count) for have in (who.faces, how.faces)):
            raise ValueError("Give as many sources as targets, or one of either.")
        return self._method(method)(who.expanded(count), how.expanded(count), strength)

    def edit(self, sources: Sequence[Portrait], changes: Sequence[tuple[float, float, float]]) -> PictureCode:
        """Codes of B sources, each turned by its degrees of yaw and pitch, and its smile (-1..1) changed.

        Raises UnknownMethod for a pack without directions.
        """
        check_method(self._networks.info, "directions")
        shifts = torch.from_numpy(np.stack([self._reader.shift(*change) for change in changes]))
        codes = self._w_plus(sources)
        return self._directions_method().edit(FaceCode(codes), shifts.to(codes))

    def sources(self, portraits: Sequence[Portrait], method: str) -> FaceCode:
        """What a method asks for of those whose pictures are made."""
        networks = self._networks
        if method == "motion" and networks.restyle is not None and networks.restyle_average is not None:
            refine = RefiningInverter(networks.restyle.get(), networks.restyle_average, self._space.generator)
            return FaceCode(torch.cat([self._remembered("identity", refine, portrait) for portrait in portraits]))
        return self.sampled(self._w_plus(portraits), portraits)

    def sampled(self, w_plus: Tensor, readings: Sequence[Portrait | Reading]) -> FaceCode:
        """What a method asks for of faces (B) whose codes (B, L, style_dim) are known."""
        return FaceCode(w_plus, self._directions(readings), values=self._values(readings))

    def targets(self, portraits: Sequence[Portrait], method: str) -> FaceCode:
        """What a method asks for of those who lead."""
        if method == "motion":
            encode = self._motion_encoder()
            motion = torch.cat([self._remembered("motion", encode, portrait) for portrait in portraits])
            return FaceCode(motion=motion, values=self._values(portraits))
        return self.sampled(self._w_plus(portraits), portraits)

    def target_crops(self, crops: Sequence[Image.Image], method: str) -> FaceCode:
        """What a method asks for of crops that lead once, such as the frames of a video; nothing is remembered."""
        readings = self._reader.read(crops) if method == "directions" or self._measured else []
        values = self._values(readings)
        if method == "motion":
            return FaceCode(motion=self._motion_encoder()(crops), values=values)
        if method == "directions":
            return FaceCode(directions=self._directions(readings), values=values)
        return FaceCode(w_plus=self._invert(crops), values=values)

    def _method(self, name: str) -> StyleMask | Directions | Motion:
        if name == "motion":
            assert self._networks.motion_mapping is not None
            return Motion(self._space, self._networks.motion_mapping.get())
        if name == "directions":
            return self._directions_method()
        assert self._networks.masks is not None
        return StyleMask(self._space, self._networks.masks)

    def _directions_method(self) -> Directions:
        assert self._networks.directions is not None
        return Directions(self._space, self._networks.directions, constant=self._compatibility)

    def _motion_encoder(self) -> Inverter:
        assert self._networks.motion_encoder is not None
        return Inverter(self._networks.motion_encoder.get())

    def _w_plus(self, portraits: Sequence[Portrait]) -> Tensor:
        return torch.cat([portrait.codes for portrait in portraits]).to(self._invert.device)

    def _directions(self, faces: Sequence[Portrait | Reading]) -> Tensor:
        """Places (B, 15) along the directions of the pack."""
        return torch.from_numpy(np.stack([face.directions for face in faces])).to(self._invert.device)

    def _values(self, faces: Sequence[Portrait | Reading]) -> Tensor | None:
        """Head pose and expression (B, 56) of what is corrected."""
        if not self._measured:
            return None
        return motion_values([face.parameters for face in faces]).to(self._invert.device)

    def _remembered(self, what: str, encode: Inverter | RefiningInverter, portrait: Portrait) -> Tensor:
        return self._codes.find((what, portrait.key), lambda: encode([portrait.crop]))

"""The reenactment methods of a pack, and what each of them asks for of sources and targets."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylemask_demo.caching import VISITOR_SECONDS, Cache, Lazy, bytes_of
from stylemask_demo.generator.inversion import Inverter, RefiningInverter
from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.methods.available import check_method
from stylemask_demo.methods.code import FaceCode
from stylemask_demo.methods.directions import Directions
from stylemask_demo.methods.motion import Motion
from stylemask_demo.methods.stylemask import StyleMask
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.packs.recipe import Recipe, View
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.portraits.readers import ParameterReader, Reading

REMEMBERED, REMEMBERED_BYTES = 64, 50_000_000  # faces whose motion and identity codes are kept
# The network of a recipe's views that sees those who lead; what directions read is the portrait's crop.
SEEN_BY = {"stylemask": "encoder", "directions": "parameters", "motion": "motion"}


class Transfer:
    """Moves the code of one face by what another does, by the methods whose networks the pack has.

    `space` gives the style space of a method's pictures, and `recipe` is the pack's. `measure` gives the `values` (B, V) of
    faces that results are corrected by, None where they are not.
    """

    def __init__(
        self,
        networks: PackNetworks,
        space: Callable[[str], StyleSpace],
        invert: Inverter,
        reader: ParameterReader,
        measure: Callable[[Sequence[Portrait | Reading]], Tensor] | None,
        recipe: Recipe,
    ):
        self._networks, self._space, self._invert, self._reader = networks, space, invert, reader
        self._measure, self._recipe = measure, recipe
        self._codes: Cache[tuple[str, str], Tensor] = Cache(REMEMBERED, REMEMBERED_BYTES, bytes_of, VISITOR_SECONDS)
        self._refine = Lazy(self._refiner)

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

    def edit(self, sources: Sequence[Portrait], changes: Sequence[Mapping[str, float]]) -> PictureCode:
        """Codes of B sources, each with its changes by name, as the pack's reader takes them.

        Raises UnknownMethod for a pack without directions.
        """
        check_method(self._networks.info, "directions")
        shifts = torch.from_numpy(np.stack([self._reader.shift(**change) for change in changes]))
        codes = self._w_plus(sources)
        return self._directions_method().edit(FaceCode(codes), shifts.to(codes))

    def sources(self, portraits: Sequence[Portrait], method: str) -> FaceCode:
        """What a method asks for of those whose pictures are made."""
        w_plus = self._w_plus(portraits)
        if self._refines(method):
            refine = self._refine.get()
            w_plus = torch.cat([self._remembered("identity", refine, portrait) for portrait in portraits])
        return self._known(w_plus, portraits)

    def sampled(self, w_plus: Tensor, pictures: Sequence[Image.Image], method: str) -> FaceCode:
        """What a method asks for of random people (B), whose codes (B, L, style_dim) and pictures are known."""
        if self._refines(method):
            view = self.view(method)
            w_plus = self._refine.get()([view.reduced(picture) for picture in pictures] if view else pictures)
        return self._known(w_plus, self._reader.read(pictures))

    def targets(self, portraits: Sequence[Portrait], method: str) -> FaceCode:
        """What a method asks for of those who lead."""
        if method == "motion":
            encode = self._motion_encoder()
            motion = torch.cat([self._remembered("motion", encode, portrait) for portrait in portraits])
            return FaceCode(motion=motion, values=self._values(portraits))
        return self._known(self._w_plus(portraits), portraits)

    def view(self, method: str) -> View | None:
        """What a method's network sees of those who lead, where that is not a portrait's crop."""
        return self._recipe.views.get(SEEN_BY[method])

    def target_crops(self, crops: Sequence[Image.Image], method: str, measured: bool = True) -> FaceCode:
        """What a method asks for of what it sees of faces that lead once, such as in a video; nothing is remembered.

        Unless they are `measured`, results cannot be corrected by them.
        """
        measured = measured and self._measure is not None
        readings = self._reader.read(crops) if method == "directions" or measured else []
        values = self._values(readings) if measured else None
        if method == "motion":
            return FaceCode(motion=self._motion_encoder()(crops), values=values)
        if method == "directions":
            return FaceCode(directions=self._directions(readings), values=values)
        return FaceCode(w_plus=self._invert(crops), values=values)

    def _method(self, name: str) -> StyleMask | Directions | Motion:
        if name == "motion":
            assert self._networks.motion_mapping is not None
            return Motion(self._space(name), self._networks.motion_mapping.get())
        if name == "directions":
            return self._directions_method()
        assert self._networks.masks is not None
        return StyleMask(self._space(name), self._networks.masks)

    def _directions_method(self) -> Directions:
        assert self._networks.directions is not None
        return Directions(self._space("directions"), self._networks.directions, self._recipe.constant)

    def _motion_encoder(self) -> Inverter:
        assert self._networks.motion_encoder is not None
        return Inverter(self._networks.motion_encoder.get())

    def _refines(self, method: str) -> bool:
        """Whether a method has codes of its own for who is shown."""
        return method == "motion" and self._recipe.identity == "restyle"

    def _refiner(self) -> RefiningInverter:
        networks = self._networks
        assert networks.restyle is not None and networks.restyle_average is not None
        decoder = networks.decoder("restyle_decoder")
        return RefiningInverter(networks.restyle.get(), networks.restyle_average, decoder, self._recipe.refinements)

    def _w_plus(self, portraits: Sequence[Portrait]) -> Tensor:
        return torch.cat([portrait.codes for portrait in portraits]).to(self._invert.device)

    def _directions(self, faces: Sequence[Portrait | Reading]) -> Tensor:
        """Places (B, 15) along the directions of the pack."""
        return torch.from_numpy(np.stack([face.directions for face in faces])).to(self._invert.device)

    def _known(self, w_plus: Tensor, faces: Sequence[Portrait | Reading]) -> FaceCode:
        """All that is known of faces (B) with these codes."""
        return FaceCode(w_plus, self._directions(faces), values=self._values(faces))

    def _values(self, faces: Sequence[Portrait | Reading]) -> Tensor | None:
        """What of faces (B) is corrected, (B, V)."""
        return None if self._measure is None else self._measure(faces).to(self._invert.device)

    def _remembered(self, what: str, encode: Inverter | RefiningInverter, portrait: Portrait) -> Tensor:
        return self._codes.find((what, portrait.key), lambda: encode([portrait.seen_by("motion")]))

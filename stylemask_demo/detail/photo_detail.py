"""Results as the generator draws them, and what of the source's photo belongs into them."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from stylemask_demo.caching import VISITOR_SECONDS, Cache
from stylemask_demo.faces.extract import read_twice
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.networks.detail import REFINED, DetailNetwork, find_places
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.perception import to_input
from stylemask_demo.portraits.portrait import Portrait

REMEMBERED = 16  # sources, about 2 MB each


class _Source(NamedTuple):
    """A crop and its inversion (1, 3, S, S) in -1..1, and the landmarks (1, 68, 2) of both as fractions."""

    crop: Tensor
    inversion: Tensor
    of_crop: Tensor
    of_inversion: Tensor


class PhotoDetail:
    """Brings what the inversion of a photo has missed, strands of hair and texture of skin, into what is made of it."""

    def __init__(self, network: DetailNetwork, extractor: ParameterExtractor):
        self._network, self._extractor = network, extractor
        self._device = next(network.parameters()).device
        self._sources: Cache[tuple[str, str | None], _Source] = Cache(REMEMBERED, seconds=VISITOR_SECONDS)

    def __len__(self) -> int:
        """Number of sources remembered."""
        return len(self._sources)

    @torch.inference_mode()
    def __call__(self, made: Tensor, sources: Sequence[Portrait]) -> Tensor:
        """Results (B, 3, S, S) in about -1..1 of B sources, or all of one -> the same with the detail of their crops."""
        known = [self._known(source) for source in sources]
        joined = (torch.cat(parts).expand(len(made), *parts[0].shape[1:]) for parts in zip(*known, strict=True))
        crops, inversions, of_crops, of_inversions = joined
        made = made.clamp(-1, 1)  # as the network has learned it
        places = find_places(of_crops, of_inversions, self._landmarks(made), made.shape[-1] // REFINED)
        return self._network(crops, inversions, made, places)

    def _known(self, source: Portrait) -> _Source:
        def look() -> _Source:
            both = to_tensor([source.crop, source.inversion], source.crop.width).to(self._device)
            return _Source(*both.split(1), *self._landmarks(both).split(1))

        return self._sources.find(source.look, look)

    def _landmarks(self, pictures: Tensor) -> Tensor:
        return read_twice(self._extractor, to_input(pictures)).landmarks

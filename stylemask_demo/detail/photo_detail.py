"""Results as the generator draws them, and what of the source's photo belongs into them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from stylemask_demo.caching import VISITOR_SECONDS, Cache, bytes_of
from stylemask_demo.detail.background import uncovered
from stylemask_demo.faces.extract import read_twice
from stylemask_demo.faces.head_size import RIGID, head_size, zoomed
from stylemask_demo.faces.regions import HEAD_STAYS, Region, region_mask
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.networks.correspondence import CELL, find_places
from stylemask_demo.networks.detail import DetailNetwork, Layers
from stylemask_demo.networks.parameter_extractor import ExtractedParameters, ParameterExtractor
from stylemask_demo.networks.perception import to_input
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.precision import Precision

REMEMBERED, REMEMBERED_BYTES = 16, 100_000_000  # sources, about 2 MB each with a small pack

# Generators draw heads as they are aligned, smaller the wider the mouth is open. In a video they are brought to one size,
# by factors (B,) of B results one after another, which this smooths.
Steady = Callable[[Tensor], Tensor]


class _Source(NamedTuple):
    """A crop and its inversion (1, 3, S, S) in -1..1, the landmarks (1, 68, 2) of both as fractions, degrees of yaw, pitch
    and roll (1, 3) of the head in the crop, and the size (1,) of the head in the inversion."""

    crop: Tensor
    inversion: Tensor
    of_crop: Tensor
    of_inversion: Tensor
    pose: Tensor
    size: Tensor


class PhotoDetail:
    """Brings what the inversion of a photo has missed, strands of hair and texture of skin, into what is made of it.

    Without a `precision` it does so in float32; faces are read in it anyway, because places and angles need it.
    """

    def __init__(self, network: DetailNetwork, extractor: ParameterExtractor, precision: Precision | None = None):
        self._network, self._extractor = network, extractor
        self._device = next(network.parameters()).device
        self._precision = precision or Precision(self._device)
        self._sources: Cache[tuple[str, str | None], _Source] = Cache(
            REMEMBERED, REMEMBERED_BYTES, bytes_of, VISITOR_SECONDS
        )

    def __len__(self) -> int:
        """Number of sources remembered."""
        return len(self._sources)

    @torch.inference_mode()
    def __call__(
        self, made: Tensor, sources: Sequence[Portrait], region: Region = "all", steady: Steady | None = None
    ) -> Layers:
        """Results (B, 3, S, S) in about -1..1 of B sources, or all of one -> the layers of the same with the detail of
        their crops.

        Where only a `region` of the face moves, all around it is the crop as it is. With `steady` heads keep the size that
        they have in the crop, whatever the face does: see there.
        """
        known = [self._known(source) for source in sources]
        joined = (torch.cat(parts).expand(len(made), *parts[0].shape[1:]) for parts in zip(*known, strict=True))
        crops, inversions, of_crops, of_inversions, poses, sizes = joined
        made = made.clamp(-1, 1)  # as the network has learned it
        if steady is None:
            now = read_twice(self._extractor, to_input(made))
        else:
            made, now = self._steadied(made, sizes, steady)
        places = find_places(of_crops, of_inversions, now.landmarks, made.shape[-1] // CELL)
        with self._precision():
            layers = self._network(crops, inversions, made, places, torch.cat([poses, now.euler], 1))
        layers = uncovered(layers, crops, now.landmarks)
        if region not in HEAD_STAYS:
            return layers
        side = made.shape[-1]
        faces = torch.stack([of_crops, now.landmarks], 1).cpu().numpy() * side
        masks = [torch.from_numpy(region_mask(region, side, both)) for both in faces]
        return layers.within(torch.stack(masks)[:, None].to(made), crops)

    def _steadied(self, made: Tensor, sizes: Tensor, steady: Steady) -> tuple[Tensor, ExtractedParameters]:
        """Pictures (B, 3, S, S) with their heads brought to such sizes (B,), and what is read there."""
        first = self._extractor(to_input(made))
        middle, about = first.landmarks[:, RIGID].mean(1), sizes / head_size(first.landmarks, first.euler)
        # Looked at again at about the right size, because sizes far from usual are read less surely.
        now = read_twice(self._extractor, to_input(zoomed(made, middle, about)))
        factors = steady(about * sizes / head_size(now.landmarks, now.euler))
        moved = middle[:, None] + (now.landmarks - middle[:, None]) * (factors / about)[:, None, None]
        return zoomed(made, middle, factors), now._replace(landmarks=moved)

    def _known(self, source: Portrait) -> _Source:
        def look() -> _Source:
            both = to_tensor([source.crop, source.inversion], source.crop.width).to(self._device)
            read = read_twice(self._extractor, to_input(both))
            of_crop, of_inversion = read.landmarks.split(1)
            size = head_size(of_inversion, read.euler[1:])
            return _Source(both[:1], both[1:], of_crop, of_inversion, read.euler[:1], size)

        return self._sources.find(source.look, look)

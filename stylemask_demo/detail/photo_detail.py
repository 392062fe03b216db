"""Results as the generator draws them, and what of the source's photo belongs into them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

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


class Steady(Protocol):
    """Brings heads to one size in a film: generators draw them as they are aligned, smaller the wider the mouth is open."""

    last: Tensor | None  # the factor that was given last

    def __call__(self, factors: Tensor) -> Tensor:
        """Factors (B,) that bring the heads of B results, one after another, to their size -> those to be used."""
        ...


# Is given results (B, 3, S, S) as they were drawn, before what holds still is laid around a region.
Watch = Callable[[Tensor], None]


class Drawn(NamedTuple):
    """Results (B, 3, S, S) as the generator draws them, in about -1..1, and what is read there, if it has to be."""

    made: Tensor
    read: ExtractedParameters | None = None


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
    def read(self, made: Tensor, sources: Sequence[Portrait], steady: Steady | None = None) -> Drawn:
        """What is read in results (B, 3, S, S) of B sources, or of one; with `steady`, see there, in others of the same."""
        made = made.clamp(-1, 1)  # as the network has learned it
        if steady is None:
            return Drawn(made, read_twice(self._extractor, to_input(made)))
        sizes = torch.cat([self._known(source).size for source in sources]).expand(len(made))
        with self._precision():  # of films, in which values are smoothed
            # Read at about the right size, because sizes far from usual are read less surely.
            about = steady.last
            if about is None:
                first = self._extractor(to_input(made))
                about = sizes / head_size(first.landmarks, first.euler)
            about = about.expand(len(made))
            now = self._extractor(to_input(zoomed(made, about.new_full((len(made), 2), 0.5), about)))
        landmarks = 0.5 + (now.landmarks - 0.5) / about[:, None, None]
        factors = steady(sizes / head_size(landmarks, now.euler))
        middle = landmarks[:, RIGID].mean(1)
        moved = middle[:, None] + (landmarks - middle[:, None]) * factors[:, None, None]
        return Drawn(zoomed(made, middle, factors), now._replace(landmarks=moved))

    @torch.inference_mode()
    def __call__(
        self, drawn: Drawn, sources: Sequence[Portrait], region: Region = "all", watch: Watch | None = None
    ) -> Layers:
        """Results of B sources, or all of one, that were read -> the layers of the same with the detail of their crops.

        Where only a `region` of the face moves, all around it is the crop as it is; see there for `watch`.
        """
        made, now = drawn
        assert now is not None
        known = [self._known(source) for source in sources]
        joined = (torch.cat(parts).expand(len(made), *parts[0].shape[1:]) for parts in zip(*known, strict=True))
        crops, inversions, of_crops, of_inversions, poses, _ = joined
        places = find_places(of_crops, of_inversions, now.landmarks, made.shape[-1] // CELL)
        with self._precision():
            layers = self._network(crops, inversions, made, places, torch.cat([poses, now.euler], 1))
        layers = uncovered(layers, crops, now.landmarks)
        if watch is not None:
            watch(layers.drawn)
        if region not in HEAD_STAYS:
            return layers
        side = made.shape[-1]
        faces = torch.stack([of_crops, now.landmarks], 1).cpu().numpy() * side
        masks = [torch.from_numpy(region_mask(region, side, both)) for both in faces]
        return layers.within(torch.stack(masks)[:, None].to(made), crops)

    def _known(self, source: Portrait) -> _Source:
        def look() -> _Source:
            both = to_tensor([source.crop, source.inversion], source.crop.width).to(self._device)
            read = read_twice(self._extractor, to_input(both))
            of_crop, of_inversion = read.landmarks.split(1)
            size = head_size(of_inversion, read.euler[1:])
            return _Source(both[:1], both[1:], of_crop, of_inversion, read.euler[:1], size)

        return self._sources.find(source.look, look)

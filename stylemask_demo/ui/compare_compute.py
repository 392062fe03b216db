"""The work behind the card of comparisons on the accelerator; see `accelerator` for what may be handed over."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from PIL import Image

from stylemask_demo.comparisons import MILLISECONDS, compare_methods, grid, slider_strip
from stylemask_demo.media.saving import gif_of, png_of
from stylemask_demo.ui.accelerator import accelerated
from stylemask_demo.ui.compute import Computed, facts_of
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.progress import Finished, Progress, Report, stream
from stylemask_demo.ui.subjects import Subject, portrait_of

SIDE = 256  # pixels of each picture in a comparison of methods
GRID_SIDE = 192  # and in a grid, which has up to 36


class CompareCompute(NamedTuple):
    """The functions that make comparisons; the first argument of each is the name of the pack.

    Each returns, or at last yields, the Computed bytes of a PNG, or of an animated GIF for `strip`.
    """

    methods: Callable[[str, Subject, Subject], Computed[bytes]]
    strip: Callable[[str, Subject, str], Computed[bytes]]
    grid: Callable[[str, Sequence[Image.Image], Sequence[Image.Image], str], Iterator[Progress | Computed[bytes]]]


def create_compare_compute(registry: PackRegistry) -> CompareCompute:
    """Return the accelerator's functions for comparisons over a registry of packs."""

    @accelerated(registry, seconds=30)
    def methods(pack: str, source: Subject, target: Subject) -> Computed[bytes]:
        """Return a row with source, target, and the result of each method."""
        started, reenactor = time.perf_counter(), registry.get(pack)
        who, how = portrait_of(reenactor, source, "source"), portrait_of(reenactor, target, "target")
        return _computed(png_of(compare_methods(reenactor, who, how, SIDE)), started, pack)

    @accelerated(registry, seconds=30)
    def strip(pack: str, source: Subject, slider: str) -> Computed[bytes]:
        """Return the source from one end of a slider to the other and back."""
        started, reenactor = time.perf_counter(), registry.get(pack)
        pictures = list(slider_strip(reenactor, portrait_of(reenactor, source, "source"), slider))
        return _computed(gif_of([_small(picture) for picture in pictures], MILLISECONDS), started, pack)

    @accelerated(registry, seconds=90)
    def grid_of(
        pack: str, sources: Sequence[Image.Image], targets: Sequence[Image.Image], method: str
    ) -> Iterator[Progress | Computed[bytes]]:
        """Yield Progress, then every source with the pose and expression of every target."""
        started, reenactor = time.perf_counter(), registry.get(pack)

        def work(report: Report) -> Image.Image:
            return grid(reenactor, sources, targets, method, GRID_SIDE, report)

        for item in stream(work):
            yield _computed(png_of(item.value), started, pack) if isinstance(item, Finished) else item

    def _computed(value: bytes, started: float, pack: str) -> Computed[bytes]:
        return Computed(value, (time.perf_counter() - started) * 1000, facts_of(registry.get(pack)))

    return CompareCompute(methods, strip, grid_of)


def _small(picture: Image.Image) -> Image.Image:
    return picture if picture.width <= SIDE else picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)

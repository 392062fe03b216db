"""From style codes to pictures, with the generator as it is or as it was tuned to a face."""

from collections.abc import Sequence
from typing import Literal

import torch
from PIL import Image

from stylemask_demo.caching import VISITOR_SECONDS, Cache
from stylemask_demo.generator.style_space import PictureCode
from stylemask_demo.generator.tuning import TunedWeights, tuned_generator
from stylemask_demo.media.provenance import as_result
from stylemask_demo.media.tensors import to_images
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.precision import Precision

TUNED_GENERATORS = 2  # kept ready on the device; others are put together again from their weights


class Synthesis:
    """Draws pictures with a generator that is shared and never changed.

    `noise` is the generator's own or new for every picture; `rounding` is that of brightness to whole grey levels;
    without a `precision` it draws in float32.
    """

    def __init__(
        self,
        generator: Generator,
        noise: Literal["fixed", "random"] = "fixed",
        rounding: Literal["nearest", "down"] = "nearest",
        precision: Precision | None = None,
    ):
        self._precision = precision or Precision(generator.input.input.device)
        self.generator, self._noise, self._rounding = generator, noise, rounding
        self._tuned: Cache[str, Generator] = Cache(TUNED_GENERATORS, seconds=VISITOR_SECONDS)

    @torch.inference_mode()
    def pictures(self, code: PictureCode, tunings: Sequence[TunedWeights | None] = (None,)) -> list[Image.Image]:
        """Codes of B pictures -> B pictures, RGB; `tunings` are those of each, or one for all."""
        return self.images(self.tensors(code, tunings))

    def images(self, made: torch.Tensor) -> list[Image.Image]:
        """What was drawn, (B, 3, H, W) in about -1..1 -> B pictures, RGB, which know that they are results."""
        return [as_result(picture) for picture in to_images(made, self._rounding)]

    @torch.inference_mode()
    def tensors(
        self, code: PictureCode, tunings: Sequence[TunedWeights | None] = (None,), size: int | None = None
    ) -> torch.Tensor:
        """Codes of B pictures -> (B, 3, size, size), values about -1..1; `tunings` are those of each, or one for all.

        `size` in pixels may be smaller than the generator's.
        """
        if len(set(tunings)) == 1:
            return self._drawn(self._generator(tunings[0]), code, size)
        made = []
        for i, tuning in enumerate(tunings):
            one = PictureCode(*([style[i : i + 1] for style in styles] for styles in code))
            made.append(self._drawn(self._generator(tuning), one, size))
        return torch.cat(made)

    def _drawn(self, generator: Generator, code: PictureCode, size: int | None) -> torch.Tensor:
        noises = generator.random_noise(len(code.styles[0])) if self._noise == "random" else None
        with self._precision():
            return generator.synthesise(*code, size, noises).float()

    def _generator(self, tuning: TunedWeights | None) -> Generator:
        if tuning is None:
            return self.generator
        return self._tuned.find(tuning.key, lambda: tuned_generator(self.generator, tuning))

"""From style codes to pictures, with the generator as it is or as it was tuned to a face."""

from collections.abc import Sequence

import torch
from PIL import Image

from stylemask_demo.caching import VISITOR_SECONDS, Cache
from stylemask_demo.generator.style_space import PictureCode
from stylemask_demo.generator.tuning import TunedWeights, tuned_generator
from stylemask_demo.media.tensors import to_images
from stylemask_demo.networks.stylegan2 import Generator

TUNED_GENERATORS = 2  # kept ready on the device; others are put together again from their weights


class Synthesis:
    """Draws pictures with a generator that is shared and never changed."""

    def __init__(self, generator: Generator):
        self.generator = generator
        self._tuned: Cache[str, Generator] = Cache(TUNED_GENERATORS, seconds=VISITOR_SECONDS)

    @torch.inference_mode()
    def pictures(self, code: PictureCode, tunings: Sequence[TunedWeights | None] = (None,)) -> list[Image.Image]:
        """Codes of B pictures -> B pictures, RGB; `tunings` are those of each, or one for all."""
        return to_images(self.tensors(code, tunings))

    @torch.inference_mode()
    def tensors(
        self, code: PictureCode, tunings: Sequence[TunedWeights | None] = (None,), size: int | None = None
    ) -> torch.Tensor:
        """Codes of B pictures -> (B, 3, size, size), values about -1..1; `tunings` are those of each, or one for all.

        `size` in pixels may be smaller than the generator's.
        """
        if len(set(tunings)) == 1:
            return self._generator(tunings[0]).synthesise(*code, size)
        made = []
        for i, tuning in enumerate(tunings):
            styles, rgb_styles = ([style[i : i + 1] for style in styles] for styles in code)
            made.append(self._generator(tuning).synthesise(styles, rgb_styles, size))
        return torch.cat(made)

    def _generator(self, tuning: TunedWeights | None) -> Generator:
        if tuning is None:
            return self.generator
        return self._tuned.find(tuning.key, lambda: tuned_generator(self.generator, tuning))

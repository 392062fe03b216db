"""From style codes to pictures, with the generator as it is or as it was tuned to a face."""

from collections.abc import Sequence

import torch
from PIL import Image

from stylemask_demo.methods import PictureCode
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.recent import Recent
from stylemask_demo.tuning import TunedWeights, tuned_generator

TUNED_GENERATORS = 2  # kept ready on the device; others are put together again from their weights


class Synthesis:
    """Draws pictures with a generator that is shared and never changed."""

    def __init__(self, generator: Generator):
        self.generator = generator
        self._tuned: Recent[str, Generator] = Recent(TUNED_GENERATORS)

    @torch.inference_mode()
    def pictures(
        self, code: PictureCode, tunings: Sequence[TunedWeights | None] = (None,)
    ) -> list[Image.Image]:
        """Codes of B pictures -> B pictures, RGB; `tunings` are those of each, or one for all."""
        return images(self.tensors(code, tunings))

    @torch.inference_mode()
    def tensors(
        self, code: PictureCode, tunings: Sequence[TunedWeights | None] = (None,), size: int | None = None
    ) -> torch.Tensor:
        """The same as (B, 3, size, size) in about -1..1; `size` may be smaller than the generator's."""
        if len(set(tunings)) == 1:
            return self._generator(tunings[0]).synthesise(*code, size)
        made = []
        for i, tuning in enumerate(tunings):
            one = ([style[i : i + 1] for style in styles] for styles in code)
            made.append(self._generator(tuning).synthesise(*one, size))
        return torch.cat(made)

    def _generator(self, tuning: TunedWeights | None) -> Generator:
        if tuning is None:
            return self.generator
        return self._tuned.find(tuning.key, lambda: tuned_generator(self.generator, tuning))


def images(made: torch.Tensor) -> list[Image.Image]:
    """Pictures (B, 3, H, W) in about -1..1 -> B pictures, RGB."""
    pixels = ((made.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1)
    return [Image.fromarray(picture) for picture in pixels.cpu().numpy()]

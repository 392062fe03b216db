"""From aligned crops to W+ codes of the generator."""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor, nn

from stylemask_demo.faces.extract import to_tensor
from stylemask_demo.networks.compact import INPUT_SIZE


class Inverter:
    """An encoder that predicts the code in one pass.

    Published encoders predict codes relative to an `average`, the embedded pack's predicts them as they are.
    """

    def __init__(self, encoder: nn.Module, average: nn.Module | None = None):
        self.encoder, self.average = encoder, average
        self._size = getattr(encoder, "input_size", INPUT_SIZE)
        self._device = next(encoder.parameters()).device

    @torch.inference_mode()
    def __call__(self, crops: Sequence[Image.Image]) -> Tensor:
        """Crops (RGB, square) -> W+ codes (B, L, style_dim)."""
        codes = self.encoder(to_tensor(list(crops), self._size).to(self._device))
        return codes if self.average is None else self.average(codes)

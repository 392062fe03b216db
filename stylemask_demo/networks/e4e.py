"""Encoder4Editing: a photo to a W+ code of StyleGAN2 (Tov et al. 2021)."""

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylemask_demo.networks.irse50 import IRSE50
from stylemask_demo.networks.style_head import StyleHead, halving_patches

COARSE_STYLES = 3  # styles 0 to 2 are read from the coarsest features
MIDDLE_STYLES = 7  # styles 3 to 6 from the middle ones, the rest from the finest


class Encoder4Editing(IRSE50):
    """Predict one w for the whole picture and one small offset per layer, which keeps codes editable.

    `resolution`, the side of the generator's pictures in pixels, sets the number of styles: 14 for 256, 18 for 1024.
    """

    input_size = 256

    def __init__(self, resolution: int = 1024) -> None:
        super().__init__()
        self.num_latents = 2 * int(math.log2(resolution)) - 2
        self.styles = nn.ModuleList(
            StyleHead(512, 16 if index < COARSE_STYLES else 32 if index < MIDDLE_STYLES else 64)
            for index in range(self.num_latents)
        )
        self.latlayer1 = nn.Conv2d(256, 512, 1)
        self.latlayer2 = nn.Conv2d(128, 512, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Invert aligned faces (B, 3, 256, 256) in -1..1, whatever the generator makes, into W+ (B, num_latents, 512).

        The codes are relative to the generator's average latent, which has to be added before synthesis.
        """
        c1, c2, coarse = self.features(image)  # (B, 128, 64, 64), (B, 256, 32, 32), (B, 512, 16, 16)
        middle = _enlarge(coarse, 32) + self.latlayer1(c2)  # (B, 512, 32, 32)
        fine = _enlarge(middle, 64) + self.latlayer2(c1)  # (B, 512, 64, 64)
        coarse, middle, fine = (halving_patches(level) for level in (coarse, middle, fine))
        heads = [cast(StyleHead, head) for head in self.styles]
        w = heads[0].from_patches(coarse)  # (B, 512)
        codes = [w]
        for index in range(1, self.num_latents):
            level = coarse if index < COARSE_STYLES else middle if index < MIDDLE_STYLES else fine
            codes.append(w + heads[index].from_patches(level))
        return torch.stack(codes, 1)  # (B, num_latents, 512)


def _enlarge(x: Tensor, side: int) -> Tensor:
    # Published weights were trained with aligned corners; the other rule moves features by half a pixel.
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=True)

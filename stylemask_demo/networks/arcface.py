"""Identity network: IR-SE-50 trained with the ArcFace loss (Deng et al. 2019)."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from stylemask_demo.networks.irse50 import IRSE50

# The part of a 256 px FFHQ crop that resembles the face crops ArcFace was trained on.
ROWS, COLUMNS = slice(35, 223), slice(32, 220)


class ArcFace(IRSE50):
    """Embed faces so that the cosine of two embeddings tells whether they show one person."""

    input_size = 256
    alike: ClassVar[float] = 0.4  # cosine from which on two pictures are taken for one person's

    def __init__(self) -> None:
        super().__init__()
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512),
            nn.Dropout(0.6),
            nn.Flatten(),
            nn.Linear(512 * 7 * 7, 512),
            nn.BatchNorm1d(512),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Embed FFHQ-aligned faces (B, 3, H, W) in -1..1 as unit vectors (B, 512).

        Sizes other than 256 px are pooled to it first.
        """
        if image.shape[-2:] != (self.input_size, self.input_size):
            image = F.adaptive_avg_pool2d(image, self.input_size)
        face = F.adaptive_avg_pool2d(image[:, :, ROWS, COLUMNS], 112)  # (B, 3, 112, 112)
        _, _, coarse = self.features(face)  # (B, 512, 7, 7)
        return F.normalize(self.output_layer(coarse))  # (B, 512)

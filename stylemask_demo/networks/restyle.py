"""ReStyle encoder: improves a W+ code step by step by comparing photo and rendering (Alaluf et al. 2021)."""

import torch
from torch import Tensor, nn

from stylemask_demo.networks.irse50 import IRSE50
from stylemask_demo.networks.style_head import StyleHead


class ReStyleEncoder(IRSE50):
    """Predict the change of all styles from the coarsest features of photo and current rendering together."""

    input_size = 256

    def __init__(self, num_latents: int = 18) -> None:
        super().__init__(channels_in=6)
        self.styles = nn.ModuleList(StyleHead(512, 16) for _ in range(num_latents))

    def forward(self, image: Tensor, current: Tensor) -> Tensor:
        """Predict one step of refinement, (B, num_latents, 512), to be added to the current code.

        `image` (B, 3, 256, 256) in -1..1 is the photo, and `current` alike the rendering of the current code; in the first
        step it is the picture of the average latent.
        """
        _, _, coarse = self.features(torch.cat((image, current), 1))  # (B, 512, 16, 16)
        return torch.stack([head(coarse) for head in self.styles], 1)  # (B, num_latents, 512)

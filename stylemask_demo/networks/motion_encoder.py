"""Motion encoder of Pose and Expression Transfer (Jahoda and Cech 2022)."""

from torch import Tensor, nn

from stylemask_demo.networks.irse50 import IRSE50
from stylemask_demo.networks.stylegan2_layers import EqualLinear


class MotionEncoder(IRSE50):
    """Encode head pose and expression of a face, without who it is, as one vector per style."""

    input_size = 256

    def __init__(self, num_latents: int = 18) -> None:
        super().__init__()
        self.num_latents = num_latents
        self.output_layer_2 = nn.Sequential(
            nn.BatchNorm2d(512), nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(512 * 7 * 7, 512)
        )
        self.linear = EqualLinear(512, num_latents * 512)

    def forward(self, image: Tensor) -> Tensor:
        """Encode the motion of aligned faces (B, 3, 256, 256) in [-1, 1] as codes (B, num_latents, 512)."""
        _, _, coarse = self.features(image)  # (B, 512, 16, 16)
        codes = self.linear(self.output_layer_2(coarse))  # (B, num_latents * 512)
        return codes.unflatten(1, (self.num_latents, 512))  # (B, num_latents, 512)

"""Motion encoder of the embedded pack."""

from torch import Tensor, nn

from stylemask_demo.networks.trunk import INPUT_SIZE, ExactLinear, Trunk


class CompactMotionEncoder(nn.Module):
    """Face crop -> what its head pose and expression are, without who it is, as one vector per style."""

    input_size = INPUT_SIZE

    def __init__(self, num_latents: int = 1, style_dim: int = 512) -> None:
        super().__init__()
        self.num_latents = num_latents
        self.trunk = Trunk()
        self.motion = ExactLinear(Trunk.features, num_latents * style_dim)

    def forward(self, picture: Tensor) -> Tensor:
        """Picture (B, 3, 128, 128) in -1..1 -> motion codes (B, num_latents, style_dim)."""
        return self.motion(self.trunk(picture)).unflatten(1, (self.num_latents, -1))

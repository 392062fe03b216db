"""Direction matrix for style space, which the calibration fits."""

from torch import Tensor, nn


class StyleDirectionMatrix(nn.Module):
    """A linear map from a change of `num_directions` face parameters to a change of the first style codes.

    `style_sizes` are the channels of the style codes that are moved, of the first 3x3 convolutions in their order.
    """

    def __init__(self, style_sizes: list[int], num_directions: int = 15) -> None:
        super().__init__()
        self.style_sizes = list(style_sizes)
        self.linear = nn.Linear(num_directions, sum(self.style_sizes))

    def forward(self, shift: Tensor) -> list[Tensor]:
        """Turn scaled changes of face parameters (B, num_directions) into offsets, one (B, channels) for each layer."""
        return list(self.linear(shift).split(self.style_sizes, 1))

"""Direction matrix of Finding Directions in GAN's Latent Space (Bounareli et al. 2022)."""

from torch import Tensor, nn


class DirectionMatrix(nn.Module):
    """A linear map from a change of `num_directions` face parameters to a change of the first layers of a W+ code.

    `num_layers` layers of width `style_dim` are moved, counted from the coarsest.
    """

    def __init__(self, num_directions: int = 15, num_layers: int = 8, style_dim: int = 512) -> None:
        super().__init__()
        self.num_layers = num_layers
        self.style_dim = style_dim
        self.linear = nn.Linear(num_directions, num_layers * style_dim)

    def forward(self, shift: Tensor) -> Tensor:
        """Turn scaled changes of face parameters (B, num_directions) into offsets (B, num_layers, style_dim).

        How the changes are scaled belongs to the matrix: it is whatever it was trained with.
        """
        offsets = self.linear(shift)  # (B, num_layers * style_dim)
        return offsets.unflatten(1, (self.num_layers, self.style_dim))

"""Mask predictors of StyleMask (Bounareli et al. 2023): which style channels come from the target."""

from torch import Tensor, nn


class LayerMask(nn.Module):
    """The predictor of one layer: two linear layers as wide as the layer's style."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.masknet = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.Sigmoid())

    def forward(self, difference: Tensor) -> Tensor:
        return self.masknet(difference)  # (B, width)


class MaskPredictors(nn.Module):
    """One mask predictor for each controlled layer of the generator.

    `style_sizes` are the widths of these layers, first to last; the published weights control 12 layers.
    """

    def __init__(self, style_sizes: list[int]) -> None:
        super().__init__()
        self.style_sizes = list(style_sizes)
        for index, width in enumerate(self.style_sizes):
            self.add_module(f"network_{index:02d}", LayerMask(width))

    def forward(self, source_styles: list[Tensor], target_styles: list[Tensor]) -> list[Tensor]:
        """Predict a mask (B, width) in 0..1 for each controlled layer; 1 takes the channel from the target.

        `source_styles` and `target_styles` are style codes (B, width) of the generator's 3x3 convolutions, first to last;
        layers after the controlled ones may follow and are ignored.
        """
        layers = zip(self.predictors, source_styles, target_styles, strict=False)
        return [predictor(source - target) for predictor, source, target in layers]

    @property
    def predictors(self) -> list[LayerMask]:
        """The predictor of each controlled layer."""
        return [layer for layer in self.children() if isinstance(layer, LayerMask)]

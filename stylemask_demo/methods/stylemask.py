"""StyleMask (Bounareli et al. 2023): learned masks choose which style channels come from the target."""

from torch import Tensor

from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.methods.code import FaceCode, known
from stylemask_demo.networks.mask_predictors import MaskPredictors


class StyleMask:
    """Mixes the style codes of the source with those of the target, channel by channel."""

    def __init__(self, space: StyleSpace, masks: MaskPredictors):
        self.space, self.masks = space, masks

    def __call__(self, source: FaceCode, target: FaceCode, strength: float = 1.0) -> PictureCode:
        """Codes of B source and B target faces -> codes of the results; `strength` 0 gives the sources back."""
        styles = self.space.styles(known(source.w_plus))
        mixed = mix(self.masks, styles, self.space.styles(known(target.w_plus)), strength)
        return PictureCode(mixed, self.space.rgb_styles(known(source.w_plus)))


def mix(masks: MaskPredictors, source: list[Tensor], target: list[Tensor], strength: float = 1.0) -> list[Tensor]:
    """Style codes of the source, moved towards the target's by the predicted masks.

    `source` and `target` are the codes of all layers, first to last, each (B, channels); layers without a mask stay the
    source's. Equation 2 of the paper.
    """
    predicted = masks(source, target)
    moved = [s + strength * m * (t - s) for s, t, m in zip(source, target, predicted, strict=False)]
    return moved + source[len(moved) :]

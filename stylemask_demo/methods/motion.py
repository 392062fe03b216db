"""Pose and Expression Transfer (Jahoda and Cech 2022): a linear layer joins who and how into one code."""

from torch import Tensor

from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.methods.code import FaceCode, known
from stylemask_demo.networks.motion_mapping import MotionMapping


class Motion:
    """Maps the source's identity code and the target's motion code to the code of the result.

    A mapping network for one latent moves the mean over the layers of W+, from which the layers keep their differences; one
    for all latents reads and gives W+.
    """

    def __init__(self, space: StyleSpace, mapping: MotionMapping):
        self.space, self.mapping = space, mapping

    def __call__(self, source: FaceCode, target: FaceCode, strength: float = 1.0) -> PictureCode:
        """Codes of B source and B target faces -> codes of the results; `strength` 0 gives the sources back."""
        w_plus = known(source.w_plus)
        moved = move(self.mapping, w_plus, known(target.motion))
        return self.space.code(w_plus + strength * (moved - w_plus))


def move(mapping: MotionMapping, w_plus: Tensor, motion: Tensor) -> Tensor:
    """W+ codes (B, L, style_dim) of who and motion codes (B, n, style_dim) of how -> W+ codes of the results."""
    if mapping.num_latents > 1:
        return mapping(w_plus, motion)
    mean = w_plus.mean(1, keepdim=True)
    return mapping(mean, motion) + w_plus - mean

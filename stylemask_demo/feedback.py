"""Looking at a result before it is shown, and correcting what it misses of the wanted head pose and expression."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stylemask_demo.faces.extract import read_twice
from stylemask_demo.faces.parameters import EXPRESSIONS, FaceParameters
from stylemask_demo.methods import FaceCode, PictureCode
from stylemask_demo.networks.compact import ParameterExtractor, PortraitEncoder
from stylemask_demo.networks.perception import to_input
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.portrait import Portrait

SMILES = ("mouthSmile_L", "mouthSmile_R")
# Coefficients lie in 0..1; a little below, the mouth is stern, and further out faces dissolve.
LEAST_SMILE, MOST_SMILE = -0.3, 1.3


class Feedback:
    """Draws a result, reads it, and adds to its style codes what the encoder itself adds for the missing motion.

    On rendered people that takes a quarter off the errors of head pose and expression, whatever the method. `draw` makes
    the pictures (B, 3, S, S) of B codes and their sources, just as they will be shown.
    """

    def __init__(
        self,
        draw: Callable[[PictureCode, Sequence[Portrait]], Tensor],
        generator: Generator,
        encoder: PortraitEncoder,
        extractor: ParameterExtractor,
    ):
        self._draw, self._generator, self._encoder, self._extractor = draw, generator, encoder, extractor

    def __call__(
        self,
        code: PictureCode,
        who: FaceCode,
        how: FaceCode,
        strength: float,
        sources: Sequence[Portrait] = (),
    ) -> PictureCode:
        """Corrects the codes of B results of `who` with the motion of `how`, both with `values`; of no `strength`, nothing.

        `sources` are the portraits that the codes were made from, or one of all, if there are any.
        """
        wanted = who.values + strength * (how.values - who.values)
        return self.corrected(code, wanted, sources, strength)

    def seen(self, code: PictureCode, sources: Sequence[Portrait] = ()) -> Tensor:
        """Head pose and expression that B pictures show, (B, 56) in the units of `PortraitEncoder.motion_values`."""
        shown = read_twice(self._extractor, to_input(self._draw(code, sources).clamp(-1, 1)))
        return self._encoder.motion_values(shown.euler, shown.expression)

    def corrected(
        self,
        code: PictureCode,
        wanted: Tensor,
        sources: Sequence[Portrait] = (),
        strength: float | Tensor = 1.0,
    ) -> PictureCode:
        """Codes of B pictures that show what is `wanted`, (B, 56), better; `strength` is the part that is corrected, of all
        values or of each, (56,)."""
        generator = self._generator
        missing = wanted - self.seen(code, sources)
        moves = generator.repeat(self._encoder.motion(strength * missing))
        unmoved = torch.zeros_like(moves)
        return PictureCode(
            _added(code.styles, generator.styles(moves), generator.styles(unmoved)),
            _added(code.rgb_styles, generator.rgb_styles(moves), generator.rgb_styles(unmoved)),
        )


def motion_values(parameters: Sequence[FaceParameters]) -> Tensor:
    """Head pose and expression of B faces in the units of `PortraitEncoder.motion_values`, (B, 56)."""
    euler = torch.tensor([[p.yaw, p.pitch, p.roll] for p in parameters])
    expression = torch.tensor([[p.expression[name] for name in EXPRESSIONS] for p in parameters])
    return PortraitEncoder.motion_values(euler, expression)


def motion_change(yaw: float, pitch: float, smile: float) -> Tensor:
    """The same of a change by degrees and of the smile's coefficients, (56,)."""
    expression = torch.tensor([smile if name in SMILES else 0.0 for name in EXPRESSIONS])
    return PortraitEncoder.motion_values(torch.tensor([[yaw, pitch, 0.0]]), expression[None])[0]


def bearable_smile(seen: Tensor, smile: float) -> float:
    """The change of the smile, or as much of it as a face can bear that shows the motion values `seen`, (56,)."""
    shown = float(seen[[3 + EXPRESSIONS.index(name) for name in SMILES]].mean())
    return min(max(smile, min(LEAST_SMILE - shown, 0.0)), max(MOST_SMILE - shown, 0.0))


def slider_values() -> Tensor:
    """1 where the sliders, and roll, are among motion values, 0 where the other expressions are, (56,)."""
    smiles = motion_change(0, 0, 1)
    return torch.cat([torch.ones(3), smiles[3:]])


def _added(styles: list[Tensor], moved: list[Tensor], unmoved: list[Tensor]) -> list[Tensor]:
    """Style codes plus a motion's; the way from W+ to them is linear but for a constant."""
    return [style + more - constant for style, more, constant in zip(styles, moved, unmoved, strict=True)]

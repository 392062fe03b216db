"""Looking at a result before it is shown, and correcting what it misses of the wanted head pose and expression."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stylemask_demo.faces.extract import read_twice
from stylemask_demo.faces.parameters import EXPRESSIONS, FaceParameters
from stylemask_demo.generator.style_space import PictureCode
from stylemask_demo.methods import FaceCode
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.perception import to_input
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.portraits.portrait import Portrait

SMILES = ("mouthSmile_L", "mouthSmile_R")
# Coefficients lie in 0..1; a little below, the mouth is stern, and further out faces dissolve.
LEAST_SMILE, MOST_SMILE = -0.3, 1.3
SURE_SMILE = 1.08  # up to here a smile is asked for at once, and on from here only as long as the face follows,
LEAST_ANSWER = 0.1  # by at least this part of what is asked for


class Correction:
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
        return self._moved(code, strength * (wanted - self.seen(code, sources)))

    def followed(
        self, code: PictureCode, wanted: Tensor, sources: Sequence[Portrait], strength: Tensor, rounds: int
    ) -> PictureCode:
        """The same `rounds` times, as long as smiles follow: what a face does not answer with a wider smile is taken back,
        because faces dissolve when they are pushed further."""
        smiles = (motion_change(0, 0, 1) > 0).to(wanted)
        seen, follows = self.seen(code, sources), torch.ones(len(wanted), 1).to(wanted)
        for _ in range(rounds):
            push = strength * (wanted - seen) * (1 - smiles + smiles * follows)
            reached = self.seen(self._moved(code, push), sources)
            asked, answered = ((change * smiles).sum(1, keepdim=True) for change in (push, reached - seen))
            follows = follows * (answered * asked.sign() >= LEAST_ANSWER * asked.abs())
            code = self._moved(code, push * (1 - smiles + smiles * follows))
            seen = torch.where((smiles > 0) & (follows == 0), seen, reached)
        return code

    def _moved(self, code: PictureCode, values: Tensor) -> PictureCode:
        """Codes of B pictures with motion `values` (B, 56) added."""
        generator = self._generator
        moves = generator.repeat(self._encoder.motion(values))
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


def bearable_smile(seen: Tensor, smile: float, most: float = MOST_SMILE) -> float:
    """The change of the smile, or as much of it as a face can bear that shows the motion values `seen`, (56,)."""
    shown = float(seen[[3 + EXPRESSIONS.index(name) for name in SMILES]].mean())
    return min(max(smile, min(LEAST_SMILE - shown, 0.0)), max(most - shown, 0.0))


def slider_values() -> Tensor:
    """1 where the sliders, and roll, are among motion values, 0 where the other expressions are, (56,)."""
    smiles = motion_change(0, 0, 1)
    return torch.cat([torch.ones(3), smiles[3:]])


def _added(styles: list[Tensor], moved: list[Tensor], unmoved: list[Tensor]) -> list[Tensor]:
    """Style codes plus a motion's; the way from W+ to them is linear but for a constant."""
    return [style + more - constant for style, more, constant in zip(styles, moved, unmoved, strict=True)]

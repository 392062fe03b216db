"""Looking at a result before it is shown, and correcting what it misses of the wanted head pose and expression."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stylemask_demo.editing.commands import motion_change
from stylemask_demo.faces.extract import read_twice
from stylemask_demo.faces.regions import Region, region_values
from stylemask_demo.generator.style_space import PictureCode
from stylemask_demo.methods.code import FaceCode, known
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.perception import to_input
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.portraits.portrait import Portrait

LEAST_ANSWER = 0.1  # part of a smile asked for by which a face must follow, or it is not asked for any more


class Correction:
    """Draws a result, reads it, and adds to its style codes what the encoder itself adds for the missing motion.

    On rendered people that takes a quarter off the errors of head pose and expression, whatever the method. `draw` makes
    the pictures (B, 3, S, S) of B codes, their sources and a region, just as they will be shown.
    """

    def __init__(
        self,
        draw: Callable[[PictureCode, Sequence[Portrait], Region], Tensor],
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
        now, then = known(who.values), known(how.values)
        wanted = now + strength * (then - now)
        return self.corrected(code, wanted, sources, strength)

    def followed_in(
        self, region: Region, code: PictureCode, who: FaceCode, how: FaceCode, strength: float, sources: Sequence[Portrait]
    ) -> PictureCode:
        """Codes of B faces `who` as they are -> the same with the part of the motion of `how` that belongs to a region."""
        now, then = known(who.values), known(how.values)
        change = strength * region_values(region, now) * (then - now)
        code = self.moved(code, change)
        return self.corrected(code, now + change, sources, strength, region)

    def seen(self, code: PictureCode, sources: Sequence[Portrait] = (), region: Region = "all") -> Tensor:
        """Head pose and expression that B pictures show, (B, 56) in the units of `PortraitEncoder.motion_values`."""
        shown = read_twice(self._extractor, to_input(self._draw(code, sources, region).clamp(-1, 1)))
        return self._encoder.motion_values(shown.euler, shown.expression)

    def corrected(
        self,
        code: PictureCode,
        wanted: Tensor,
        sources: Sequence[Portrait] = (),
        strength: float | Tensor = 1.0,
        region: Region = "all",
    ) -> PictureCode:
        """Codes of B pictures that show what is `wanted`, (B, 56), better; `strength` is the part that is corrected, of all
        values or of each, (56,)."""
        return self.moved(code, strength * (wanted - self.seen(code, sources, region)))

    def followed(
        self,
        code: PictureCode,
        wanted: Tensor,
        sources: Sequence[Portrait],
        strength: Tensor,
        rounds: int,
        region: Region = "all",
    ) -> PictureCode:
        """Codes of B pictures corrected `rounds` times towards what is `wanted`, (B, 56), as long as smiles follow.

        What a face does not answer with a wider smile is taken back, because faces dissolve when they are pushed further.
        `strength` (56,) is the part of each value that is corrected each time.
        """
        smiles = (motion_change(0, 0, 1) > 0).to(wanted)
        seen, follows = self.seen(code, sources, region), torch.ones(len(wanted), 1).to(wanted)
        for _ in range(rounds):
            push = strength * (wanted - seen) * (1 - smiles + smiles * follows)
            reached = self.seen(self.moved(code, push), sources, region)
            asked, answered = ((change * smiles).sum(1, keepdim=True) for change in (push, reached - seen))
            follows = follows * (answered * asked.sign() >= LEAST_ANSWER * asked.abs())
            code = self.moved(code, push * (1 - smiles + smiles * follows))
            seen = torch.where((smiles > 0) & (follows == 0), seen, reached)
        return code

    def moved(self, code: PictureCode, values: Tensor) -> PictureCode:
        """Codes of B pictures with motion `values` (B, 56) added."""
        generator = self._generator
        moves = generator.repeat(self._encoder.motion(values))
        unmoved = torch.zeros_like(moves)
        return PictureCode(
            _added(code.styles, generator.styles(moves), generator.styles(unmoved)),
            _added(code.rgb_styles, generator.rgb_styles(moves), generator.rgb_styles(unmoved)),
        )


def _added(styles: list[Tensor], moved: list[Tensor], unmoved: list[Tensor]) -> list[Tensor]:
    """Style codes plus a motion's; the way from W+ to them is linear but for a constant."""
    return [style + more - constant for style, more, constant in zip(styles, moved, unmoved, strict=True)]

"""Looking at a result before it is shown, and correcting what it misses of the wanted head pose and expression."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stylemask_demo.editing.feedback import Feedback
from stylemask_demo.faces.regions import Region, region_values
from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.methods.code import FaceCode, known
from stylemask_demo.portraits.portrait import Portrait

LEAST_ANSWER = 0.1  # part of an expression asked for by which a face must follow, or it is not asked for any more

# What pictures of a film need, (B, V), for showing what is wanted, (B, V), by what tells what they miss, if it is asked.
Loop = Callable[[Tensor, Callable[[], Tensor]], Tensor]
Draw = Callable[[PictureCode, Sequence[Portrait]], Tensor]


class Correction:
    """Draws a result, reads it, and adds to its style codes what it misses of the wanted motion.

    On rendered people that takes a quarter off the errors of head pose and expression, whatever the method. `draw` makes
    the pictures (B, 3, S, S) of B codes in `space` and their sources, just as they will be shown but for what holds still
    around a region: around a head that turns by mistake, it would pass for one that does not. `feedback` reads them and
    moves their codes, in its own values (B, V) of head pose and expression.
    """

    def __init__(self, draw: Draw, space: StyleSpace, feedback: Feedback):
        self._draw, self._space, self._feedback = draw, space, feedback

    @property
    def ready(self) -> bool:
        """Whether the pack has what moves codes: directions may come of a calibration later."""
        return self._feedback.ready

    def of(self, draw: Draw, space: StyleSpace) -> "Correction":
        """The same for results that are drawn otherwise."""
        return Correction(draw, space, self._feedback)

    def __call__(
        self,
        code: PictureCode,
        who: FaceCode,
        how: FaceCode,
        strength: float,
        sources: Sequence[Portrait] = (),
        loop: Loop | None = None,
    ) -> PictureCode:
        """Corrects the codes of B results of `who` with the motion of `how`, both with `values`; of no `strength`, nothing.

        `sources` are the portraits that the codes were made from, or one of all, if there are any; without a
        `loop` results are looked at.
        """
        now, then = known(who.values), known(how.values)
        wanted = now + strength * (then - now)
        return self.corrected(code, wanted, sources, min(strength, 1.0), loop)

    def followed_in(
        self,
        region: Region,
        code: PictureCode,
        who: FaceCode,
        how: FaceCode,
        strength: float,
        sources: Sequence[Portrait],
        loop: Loop | None = None,
    ) -> PictureCode:
        """Codes of B faces `who` as they are -> the same with the part of the motion of `how` that belongs to a region.

        Their values are the encoder's, (B, 56); `loop` is that of a call.
        """
        code, wanted = self.moved_in(region, code, who, how, strength)
        return self.corrected(code, wanted, sources, min(strength, 1.0), loop)

    def moved_in(
        self, region: Region, code: PictureCode, who: FaceCode, how: FaceCode, strength: float
    ) -> tuple[PictureCode, Tensor]:
        """What `followed_in` corrects, and the values (B, 56) that it is to show."""
        now, then = known(who.values), known(how.values)
        change = strength * region_values(region, now) * (then - now)
        return self.moved(code, change), now + change

    def seen(self, code: PictureCode, sources: Sequence[Portrait] = ()) -> Tensor:
        """Head pose and expression that pictures of B codes show, (B, V)."""
        return self._feedback.seen(self._draw(code, sources).clamp(-1, 1))

    def shown(self, pictures: Tensor) -> Tensor:
        """Head pose and expression that pictures (B, 3, S, S) of a film show, (B, V), where what is read is smoothed."""
        return self._feedback.seen(pictures.clamp(-1, 1), once=True)

    def corrected(
        self,
        code: PictureCode,
        wanted: Tensor,
        sources: Sequence[Portrait] = (),
        strength: float | Tensor = 1.0,
        loop: Loop | None = None,
    ) -> PictureCode:
        """Codes of B pictures that show what is `wanted`, (B, V), better; `strength` is the part that is corrected, of all
        values or of each, (V,). Without a `loop` they are looked at."""

        def missed() -> Tensor:
            return wanted - self.seen(code, sources)

        return self.moved(code, strength * (missed() if loop is None else loop(wanted, missed)))

    def followed(
        self,
        code: PictureCode,
        wanted: Tensor,
        sources: Sequence[Portrait],
        strength: Tensor,
        rounds: int,
        expressions: Tensor,
        sure: bool = False,
    ) -> Tensor:
        """Motion values (B, 56) that, added to codes of B pictures, bring them towards what is `wanted`, (B, 56).

        They are corrected `rounds` times, as long as faces follow. `strength` (56,) is the part of each value that is
        corrected each time. What a face does not answer with more of one of the `expressions` (E, 56), each 1 for its
        values, is taken back: pushed further, faces dissolve. Where they are `sure` to follow, what the last round adds is
        not looked at.
        """
        expressions = expressions.to(wanted)
        others = 1 - expressions.amax(0)
        seen, follows = self.seen(code, sources), torch.ones(len(wanted), len(expressions)).to(wanted)
        added = torch.zeros_like(wanted)
        for left in reversed(range(rounds)):
            push = strength * (wanted - seen) * (others + _any(follows, expressions))
            if sure and not left:
                return added + push
            reached = self.seen(self.moved(code, added + push), sources)
            asked, answered = (change @ expressions.T for change in (push, reached - seen))  # (B, E)
            follows = follows * (answered * asked.sign() >= LEAST_ANSWER * asked.abs())
            kept = others + _any(follows, expressions)
            added = added + push * kept
            seen = torch.where(kept == 0, seen, reached)
        return added

    def moved(self, code: PictureCode, values: Tensor) -> PictureCode:
        """Codes of B pictures with motion `values` (B, V) added."""
        return self._feedback.moved(code, values, self._space)


def _any(follows: Tensor, expressions: Tensor) -> Tensor:
    """1 for the values of expressions (E, 56) that faces follow, (B, E), else 0, (B, 56)."""
    return (follows[:, :, None] * expressions).amax(1)

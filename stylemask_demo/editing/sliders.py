"""The sliders: a face turned by degrees and its smile changed, relative to what it is."""

from collections.abc import Sequence

import torch
from torch import Tensor

from stylemask_demo.caching import VISITOR_SECONDS, Cache
from stylemask_demo.editing.commands import SURE_SMILE, bearable_smile, motion_change, slider_values
from stylemask_demo.editing.correction import Correction
from stylemask_demo.faces.regions import Region
from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.methods.transfer import Transfer
from stylemask_demo.portraits.portrait import Portrait

REMEMBERED = 64  # faces of which it is kept what they show at rest
CORRECTIONS = 3  # where the head is still, the photo's detail holds a new smile back,
STRENGTH = 1.2  # so that a little more is asked for than is missing


class Sliders:
    """Moves portraits along the pack's directions, and looks at the results where the pack has a `correction`."""

    def __init__(self, transfer: Transfer, space: StyleSpace, correction: Correction | None):
        self._transfer, self._space, self._correction = transfer, space, correction
        self._at_rest: Cache[tuple[str, str | None], Tensor] = Cache(REMEMBERED, seconds=VISITOR_SECONDS)

    @torch.inference_mode()
    def code(self, sources: Sequence[Portrait], yaw: float, pitch: float, smile: float) -> PictureCode:
        """Codes of B sources, each turned by `yaw` and `pitch` degrees with its smile changed by `smile` (-1..1).

        With a correction a smile stays within what faces can do. Raises UnknownMethod for a pack without directions.
        """
        if self._correction is None:
            return self._transfer.edit(sources, [(yaw, pitch, smile)] * len(sources))
        unmoved = torch.cat([self._unmoved(self._correction, portrait) for portrait in sources])
        changes = [(yaw, pitch, bearable_smile(seen, smile, SURE_SMILE)) for seen in unmoved]
        code = self._transfer.edit(sources, changes)
        if not (yaw or pitch or smile):  # in the middle the code is the inversion's, to the bit
            return code
        change = [motion_change(yaw, pitch, bearable_smile(seen, smile)) for seen in unmoved]
        wanted = unmoved + torch.stack(change).to(unmoved)
        # The other expressions a smile may take along: correcting them would take it back.
        strength = STRENGTH * slider_values().to(unmoved)
        return self._correction.followed(code, wanted, sources, strength, CORRECTIONS)

    @staticmethod
    def region(yaw: float, pitch: float) -> Region:
        """What of the picture moves: while the head holds still, the expression."""
        return "all" if yaw or pitch else "expression"

    def _unmoved(self, correction: Correction, portrait: Portrait) -> Tensor:
        """Head pose and expression of the portrait as results show it when nothing moves, (1, 56)."""
        code = self._space.code(portrait.codes.to(self._space.mean_w.device))
        return self._at_rest.find(portrait.look, lambda: correction.seen(code, [portrait]))

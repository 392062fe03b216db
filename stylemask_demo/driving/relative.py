"""Motion since the beginning of a film, for a source that has a head pose and an expression of its own."""

from torch import Tensor

from stylemask_demo.methods.code import FaceCode


class RelativeMotion:
    """Lets faces at rest move by what the face of a film has done since its first frame."""

    def __init__(self) -> None:
        self._first: FaceCode | None = None

    def __call__(self, codes: FaceCode, rest: FaceCode) -> FaceCode:
        """Codes of the film's next B frames, and of the source as one who leads, of 1 or B faces -> codes that lead it."""
        if self._first is None:
            self._first = FaceCode(*(None if part is None else part[:1] for part in codes))
        return FaceCode(*map(_moved, rest.expanded(codes.faces), codes, self._first))


def _moved(rest: Tensor | None, now: Tensor | None, then: Tensor | None) -> Tensor | None:
    return None if rest is None or now is None or then is None else rest + now - then

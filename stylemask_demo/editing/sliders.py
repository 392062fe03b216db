"""The sliders: a face turned by degrees, its expression changed, its head laid elsewhere, relative to what it is."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from stylemask_demo.caching import VISITOR_SECONDS, Cache, bytes_of
from stylemask_demo.editing.commands import (
    POSE,
    bearable,
    commanded,
    gains,
    is_seen,
    motion_change,
    readings,
    towards,
    turnable,
)
from stylemask_demo.editing.correction import Correction
from stylemask_demo.editing.response import Response
from stylemask_demo.editing.table import ANGLES, EXPRESSIVE, PLACES, SLIDERS, WINKS, SliderValues
from stylemask_demo.faces.regions import Region
from stylemask_demo.generator.style_space import Part, PictureCode, StyleSpace
from stylemask_demo.methods.transfer import Transfer
from stylemask_demo.packs.recipe import Recipe
from stylemask_demo.portraits.placing import Placing
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.portraits.readers import MOVED_BY

REMEMBERED, REMEMBERED_BYTES = 64, 1_000_000  # faces of which it is kept what they show at rest
CORRECTIONS = 3  # where the head is still, the photo's detail holds a new smile back,
TURNED = 2  # but turns follow nearly at once, and so surely that nobody looks at what the last correction does
STRENGTH = 1.2  # so that a little more is asked for than is missing
FIRST = (*ANGLES, "smile")  # that the pack's direction matrix moves before anything is corrected
SURE_SMILE = 1.08  # up to here a smile is asked for at once, and on from here only as long as the face follows

Coded = Callable[[Sequence[Portrait], Mapping[str, float]], PictureCode]  # codes of portraits moved by sliders


class Sliders:
    """Moves portraits along the pack's directions, and looks at the results where the pack has a `correction`.

    `names` are the sliders that the pack can do.
    """

    def __init__(
        self, transfer: Transfer, space: StyleSpace, correction: Correction | None, names: Sequence[str] = tuple(SLIDERS)
    ):
        self._transfer, self._space, self._correction, self.names = transfer, space, correction, tuple(names)
        self._at_rest: Cache[tuple[str, str | None], Tensor] = Cache(
            REMEMBERED, REMEMBERED_BYTES, bytes_of, VISITOR_SECONDS
        )
        self._response = Response(self._look)

    @torch.inference_mode()
    def code(self, sources: Sequence[Portrait], values: Mapping[str, float]) -> PictureCode:
        """Codes of B sources, each turned and with its expression changed as sliders say, but for winks.

        With a correction they are looked at and corrected, and expressions stay within what faces can do. Raises
        UnknownMethod for a pack without directions.
        """
        return self._moved(sources, values, self._missed)

    @torch.inference_mode()
    def quick_code(self, sources: Sequence[Portrait], values: Mapping[str, float]) -> PictureCode:
        """What `code` gives, nearly: without looking, by what was learned of each source when a slider first moved it."""
        return self._moved(sources, values, self._expected)

    @torch.inference_mode()
    def learn(self, portrait: Portrait, slider: str) -> None:
        """Learns, unless it is known, what `quick_code` needs of a portrait that one slider moves to either side."""
        if self._correction is not None:
            for end in (SLIDERS[slider].low, SLIDERS[slider].high):
                self._response(portrait, {slider: end})

    def winks(self, sources: Sequence[Portrait], values: Mapping[str, float], code: Coded) -> list[Part]:
        """What is drawn of B sources in the place of an eye that is shut alone: both shut as far, by a `code` of these."""
        return [
            Part(code(sources, {**values, "eyes": max(values.get("eyes", 0.0) - values[name], SLIDERS["eyes"].low)}), eye)
            for name, eye in WINKS.items()
            if values.get(name)
        ]

    def towards(self, portrait: Portrait, like: Portrait | Mapping[str, float], ratio: float = 1.0) -> SliderValues:
        """What sets the expression of a portrait to another's, or part of the way, `ratio`, within the sliders' ranges.

        `like` is a face, or where sliders would stand if 0 were a face without expression, such as one of `PRESETS`. Head
        pose and place are left as they are.
        """
        then = readings(like.parameters.expression) if isinstance(like, Portrait) else like
        return towards(readings(portrait.parameters.expression), then, self.names, ratio)

    @torch.inference_mode()
    def held(self, portrait: Portrait, values: Mapping[str, float]) -> dict[str, float]:
        """Turns that would go further than the head of a portrait can be turned: the degrees by which they go, by name."""
        if self._correction is None:
            return {}
        (seen,) = self._unmoved(self._correction, portrait)
        degrees = {name: turnable(name, values[name], seen) for name in ANGLES if values.get(name)}
        return {name: gone for name, gone in degrees.items() if abs(gone) < abs(values[name])}

    def _moved(
        self, sources: Sequence[Portrait], values: Mapping[str, float], missed: Callable[[Correction, "_Asked"], Tensor]
    ) -> PictureCode:
        """Codes of B sources moved by sliders; `missed` tells what is to be added to those that were not looked at."""
        if self._correction is None:
            return self._transfer.edit(sources, [along_directions(values)] * len(sources))
        asked = self._asked(self._correction, [(portrait, values) for portrait in sources])
        if not asked.moving:  # in the middle the code is the inversion's, to the bit
            return asked.code
        return self._correction.moved(asked.code, missed(self._correction, asked))

    def _asked(self, correction: Correction, faces: Sequence[tuple[Portrait, Mapping[str, float]]]) -> "_Asked":
        """Codes of B faces, each moved by values of its own of the same sliders to the same sides, before any look."""
        sources, values = [portrait for portrait, _ in faces], faces[0][1]
        unmoved = torch.cat([self._unmoved(correction, portrait) for portrait in sources])
        code = self._transfer.edit(sources, [_first(of, seen) for (_, of), seen in zip(faces, unmoved, strict=True)])
        moving = [name for name in (*ANGLES, *EXPRESSIVE) if values.get(name) and name not in WINKS]
        changes = [{name: of[name] for name in moving} for _, of in faces]
        change = torch.stack([motion_change(*both) for both in zip(changes, unmoved, strict=True)]).to(unmoved)
        if others := [name for name in moving if name not in FIRST]:
            code = correction.moved(code, change * (commanded(others) * gains()).to(unmoved))
        return _Asked(faces, code, moving, unmoved + change)

    def _missed(self, correction: Correction, asked: "_Asked") -> Tensor:
        """What codes miss of what is asked for, (B, 56), by looking at what they show."""
        values, moving = asked.faces[0][1], asked.moving
        others = [name for name in moving if name not in FIRST]
        unseen = [name for name in others if not is_seen(name, values[name])]
        corrected = [name for name in ("smile", *others) if name not in unseen]
        # Eyes are held whatever they do; the other expressions a smile may take along: correcting them would take it back.
        held = [name for name in EXPRESSIVE if SLIDERS[name].group == "eyes"] if others else []
        strength = commanded([*corrected, *held]) * (1 - commanded(unseen))
        strength[:POSE] = 1
        if "lips" in moving and "smile" not in moving:
            strength *= 1 - commanded(["smile"])  # mouths that pout smile less
        expressions = torch.stack([commanded([name]) for name in corrected])
        sources, strength = [portrait for portrait, _ in asked.faces], STRENGTH * strength.to(asked.wanted)
        turned = set(moving) <= {*ANGLES}
        rounds = TURNED if turned else CORRECTIONS
        return correction.followed(asked.code, asked.wanted, sources, strength, rounds, expressions, sure=turned)

    def _expected(self, correction: Correction, asked: "_Asked") -> Tensor:
        """What codes are known to miss of what is asked for, (B, 56), without looking."""
        learned = [self._response(portrait, {name: of[name] for name in asked.moving}) for portrait, of in asked.faces]
        return torch.stack(learned)

    def _look(self, portrait: Portrait, settings: Sequence[Mapping[str, float]]) -> Tensor:
        """What a portrait misses of N settings of the same sliders to the same sides, (N, 56)."""
        assert self._correction
        asked = self._asked(self._correction, [(portrait, values) for values in settings])
        return self._missed(self._correction, asked)

    def _unmoved(self, correction: Correction, portrait: Portrait) -> Tensor:
        """Head pose and expression of the portrait as results show it when nothing moves, (1, 56)."""
        code = self._space.code(portrait.codes.to(self._space.mean_w.device))
        return self._at_rest.find(portrait.look, lambda: correction.seen(code, [portrait]))


class _Asked(NamedTuple):
    """What is asked of B faces: each with its slider values, their codes before any look, which sliders move, and the
    motion values (B, 56) that results are to show."""

    faces: Sequence[tuple[Portrait, Mapping[str, float]]]
    code: PictureCode
    moving: Sequence[str]
    wanted: Tensor


def sliders_of(recipe: Recipe) -> tuple[str, ...]:
    """Names of the sliders that a pack with directions can do: all by its encoder, or those that its matrix holds."""
    if recipe.correction == "encoder":
        return tuple(SLIDERS)
    known = MOVED_BY[recipe.parameters.reader]
    held = {name for name, slider in SLIDERS.items() if slider.directions and set(slider.directions) <= known}
    return tuple(name for name in SLIDERS if name in held or name in PLACES or (name in WINKS and "eyes" in held))


def _first(values: Mapping[str, float], seen: Tensor) -> dict[str, float]:
    """What of slider values the direction matrix is told of a face that shows the motion values `seen`, (56,)."""
    angles = {name: turnable(name, values.get(name, 0.0), seen) for name in ANGLES}
    return {**angles, "smile": bearable("smile", values.get("smile", 0.0), seen, SURE_SMILE)}


def along_directions(values: Mapping[str, float]) -> dict[str, float]:
    """Slider values as changes along named directions."""
    changes: dict[str, float] = {}
    for name, slider in SLIDERS.items():
        for direction, part in slider.directions.items():
            changes[direction] = part * values.get(name, 0.0)
    return {name: change for name, change in changes.items() if change}


def placing_of(values: Mapping[str, float]) -> Placing | None:
    """How the head is laid elsewhere, None where it is not."""
    placing = Placing(*(float(values.get(name, 0.0)) for name in ("roll", "zoom", "shift_x", "shift_y")))
    return placing if any(placing) else None


def moved_region(values: Mapping[str, float]) -> Region:
    """What of a picture moves before it is laid elsewhere: while the head holds still, the expression or only the eyes."""
    moving = {name for name, value in values.items() if value and name not in PLACES}
    if not moving or moving & {*ANGLES}:
        return "all"
    return "eyes" if all(SLIDERS[name].group == "eyes" for name in moving) else "expression"

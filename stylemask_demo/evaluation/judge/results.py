"""What is made of real people for the judge to look at: reenactments, slider moves and inversions."""

import itertools
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from PIL import Image

from stylemask_demo import Portrait, Reenactor
from stylemask_demo.editing.table import SliderValues
from stylemask_demo.errors import UnknownRegion
from stylemask_demo.evaluation.judge.material import RealPeople
from stylemask_demo.faces.regions import Region

CROSS, VIDEO, EXPRESSION, INVERSION = "cross reenactment", "own video", "expression alone", "inversion"
SEED = 3  # of the choice of pairs
CHANGES: tuple[Mapping[str, float], ...] = (
    {"yaw": -30},
    {"yaw": -15},
    {"yaw": 15},
    {"yaw": 30},
    {"pitch": -12},
    {"pitch": 12},
    {"smile": 1},
)


@dataclass(frozen=True)
class Result:
    """One result and what it was made of, all pictures RGB and of one size.

    `source` is the crop of who, `target` the crop of how, or None; `change` is what sliders changed, by their names:
    degrees of yaw and pitch, the smile's coefficient; `still` tells that the head was to stay as it is.
    """

    name: str
    source: Image.Image
    made: Image.Image
    target: Image.Image | None = None
    change: Mapping[str, float] = field(default_factory=dict)
    still: bool = False

    @property
    def pictures(self) -> list[Image.Image]:
        """Who, how (where there is one), and the result."""
        return [picture for picture in (self.source, self.target, self.made) if picture is not None]


def make_results(reenactor: Reenactor, people: RealPeople, methods: Sequence[str], pairs: int) -> dict[str, list[Result]]:
    """All results by kind; kinds for which there are no people, or which the pack cannot do, are left out.

    Reenactments by each of the methods: at most `pairs` ordered pairs of photographs, a seeded choice, and the first frame
    of each video with its later ones. The same pairs of photographs with the expression alone. Moves of the sliders, and
    what the generator alone makes of the codes, of all photographs.
    """
    crossed, followed = choose_pairs(people, pairs), _followed(people)
    groups: dict[str, list[Result]] = {}
    for method in methods:
        groups[f"{CROSS}: {method}"] = _reenacted(reenactor, crossed, method)
        groups[f"{VIDEO}: {method}"] = _reenacted(reenactor, followed, method)
    with suppress(UnknownRegion):
        groups[EXPRESSION] = _reenacted(reenactor, crossed, methods[0], "expression")
    if "directions" in reenactor.methods:
        for change in CHANGES:
            groups[change_name(change)] = _edited(reenactor, people.photographs, change)
    groups[INVERSION] = [_result(name, who, who.inversion) for name, who in people.photographs.items()]
    return {name: results for name, results in groups.items() if results}


def change_name(change: Mapping[str, float]) -> str:
    """A change of one slider in words, such as "yaw -15"."""
    ((slider, value),) = change.items()
    return f"{slider} {value:+g}"


def fit(picture: Image.Image, like: Image.Image) -> Image.Image:
    """A picture in the size of another: faces are compared, and their sharpness, at one size."""
    return picture if picture.size == like.size else picture.resize(like.size, Image.Resampling.BICUBIC)


Pair = tuple[str, Portrait, Portrait]  # name, who, how


def choose_pairs(people: RealPeople, count: int) -> list[Pair]:
    """At most `count` ordered pairs of different photographs, by chance but in each run the same."""
    everybody = list(itertools.permutations(people.photographs.items(), 2))
    chosen = np.random.default_rng(SEED).permutation(len(everybody))[:count]
    return [(f"{who} as {how}", first, second) for (who, first), (how, second) in (everybody[i] for i in chosen)]


def _followed(people: RealPeople) -> list[Pair]:
    return [
        (f"{name} {number}", frames[0], frame)
        for name, frames in people.videos.items()
        for number, frame in enumerate(frames[1:], start=1)
    ]


def _reenacted(reenactor: Reenactor, pairs: Sequence[Pair], method: str, region: Region = "all") -> list[Result]:
    if not pairs:
        return []
    names, sources, targets = zip(*pairs, strict=True)
    made = reenactor.reenact(list(sources), list(targets), method=method, region=region)
    results = [_result(*row) for row in zip(names, sources, made, targets, strict=True)]
    return [replace(result, still=region == "expression") for result in results]


def _edited(reenactor: Reenactor, people: Mapping[str, Portrait], change: Mapping[str, float]) -> list[Result]:
    made = reenactor.edit(list(people.values()), **cast(SliderValues, change)) if people else []
    return [_result(name, who, picture, change=change) for (name, who), picture in zip(people.items(), made, strict=True)]


def _result(
    name: str, who: Portrait, made: Image.Image, how: Portrait | None = None, change: Mapping[str, float] | None = None
) -> Result:
    return Result(name, fit(who.crop, made), made, None if how is None else fit(how.crop, made), change or {})

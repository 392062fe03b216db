"""What the embedded pack must reach on people that no training saw, and whether it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stylemask_demo.evaluation.baselines import BASELINES

ANY_METHOD = "*"  # in a place: the bar holds for each measured method


@dataclass(frozen=True)
class Bar:
    """A limit for one number of the report.

    `place` is where the number lies, key by key; it must be at least `least` and at most `most`.
    """

    what: str
    place: tuple[str, ...]
    least: float = float("-inf")
    most: float = float("inf")

    def __str__(self) -> str:
        limits = [f"at least {self.least:.3g}"] * (self.least > float("-inf"))
        return ", ".join(limits + [f"at most {self.most:.3g}"] * (self.most < float("inf")))


@dataclass(frozen=True)
class Verdict:
    """One line of the pass/fail table."""

    what: str
    measured: float
    bar: str
    held: bool


SELF, CROSS = "self reenactment", "cross reenactment"
WORST_GROUP = 1.5  # pose error of a group over that of all
BARS = (
    Bar("yaw error of the extractor (degrees)", ("extractor", "yaw"), most=1.5),
    Bar("pitch error of the extractor (degrees)", ("extractor", "pitch"), most=1.5),
    Bar("roll error of the extractor (degrees)", ("extractor", "roll"), most=1.0),
    Bar("smile error of the extractor", ("extractor", "smile"), most=0.07),
    Bar("landmark error of the extractor (eye distances)", ("extractor", "landmarks"), most=0.02),
    Bar("inversion: PSNR in the head (dB)", ("inversion", "PSNR in head"), least=21),
    Bar("inversion: identity cosine", ("inversion", "identity cosine"), least=0.8),
    Bar("self: pose error (degrees)", (SELF, ANY_METHOD, "pose error"), most=1.5),
    Bar("self: NME", (SELF, ANY_METHOD, "NME"), most=0.04),
    Bar("self: CSIM", (SELF, ANY_METHOD, "CSIM"), least=0.8),
    Bar("cross: pose error (degrees)", (CROSS, ANY_METHOD, "pose error"), most=2.0),
    Bar("cross: CSIM to the source", (CROSS, ANY_METHOD, "CSIM"), least=0.66),
    Bar("cross: nearer to the source (share)", (CROSS, ANY_METHOD, "nearer to source"), least=0.97),
    *(
        bar
        for slider in ("yaw", "pitch", "smile")
        for bar in (
            Bar(f"{slider} slider: slope", ("sliders", slider, "slope"), 0.9, 1.1),
            Bar(f"{slider} slider: R2", ("sliders", slider, "R2"), least=0.95),
            Bar(f"{slider} slider: crosstalk (degrees)", ("sliders", slider, "crosstalk (degrees)"), most=2.0),
            Bar(f"{slider} slider: crosstalk (smile)", ("sliders", slider, "crosstalk (smile)"), most=0.08),
            Bar(f"{slider} slider: identity at the ends", ("sliders", slider, "identity at the ends"), least=0.75),
        )
    ),
)


def verdicts(report: dict, methods: Sequence[str]) -> list[Verdict]:
    """Holds a report (see `evaluate`) against all bars; what was not measured has no line."""
    found = []
    for bar in BARS:
        for method in methods if ANY_METHOD in bar.place else [""]:
            place = [method if key == ANY_METHOD else key for key in bar.place]
            found += _held(report, bar, place, f"{bar.what}, {method}" if method else bar.what)
    return found + _beats_baselines(report, methods) + _groups(report)


def _held(report: dict, bar: Bar, place: Sequence[str], what: str) -> list[Verdict]:
    number: Any = report
    for key in place:
        number = number.get(key) if isinstance(number, dict) else None
    if number is None:
        return []
    return [Verdict(what, number, str(bar), bar.least <= number <= bar.most)]


def _beats_baselines(report: dict, methods: Sequence[str]) -> list[Verdict]:
    """`stylemask` must have a higher product of pose and identity than every baseline."""
    cross = report.get(CROSS, {})
    if "stylemask" not in methods or not cross:
        return []
    best = max(BASELINES, key=lambda name: cross[name]["product"])
    measured, beaten = cross["stylemask"]["product"], cross[best]["product"]
    return [Verdict("cross: product, stylemask", measured, f"more than {beaten:.3g} of {best}", measured > beaten)]


def _groups(report: dict) -> list[Verdict]:
    found = []
    for measured, kinds in report.get("groups", {}).items():
        for kind, groups in kinds.items():
            worst = max(groups, key=lambda name: groups[name]["ratio"])
            ratio = groups[worst]["ratio"]
            what = f"{measured}: worst {kind} ({worst}), pose error over the mean"
            found.append(Verdict(what, ratio, f"at most {WORST_GROUP}", ratio <= WORST_GROUP))
    return found

"""What sliders command of a face, in the units of the encoder's motion values, and how far it can go."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor

from stylemask_demo import messages
from stylemask_demo.editing.table import ANGLES, EXPRESSIVE, SLIDERS, Slider, SliderValues
from stylemask_demo.errors import UnknownSlider
from stylemask_demo.faces.parameters import EXPRESSIONS
from stylemask_demo.networks.portrait_encoder import PortraitEncoder

POSE = 3  # yaw, pitch and roll come first among motion values


def check_sliders(names: Iterable[str], known: Sequence[str]) -> None:
    """Raise UnknownSlider, which says what there is, for one that is not `known`."""
    for name in names:
        if name not in known:
            raise UnknownSlider(messages.UNKNOWN_SLIDER.format(name=name, names=", ".join(known)))


def motion_change(values: Mapping[str, float], seen: Tensor) -> Tensor:
    """What sliders change, in the units of `PortraitEncoder.motion_values`, of a face that shows the values `seen`; (56,).

    Turns and expressions stay within what faces can do.
    """
    expression = torch.zeros(1, len(EXPRESSIONS))
    for name in EXPRESSIVE:
        for coefficients, change in _changes(SLIDERS[name], values.get(name, 0.0), seen).items():
            expression[0, _places(coefficients)] += change
    euler = torch.tensor([[turnable(name, values.get(name, 0.0), seen) for name in ANGLES] + [0.0]])
    return PortraitEncoder.motion_values(euler, expression)[0]


def turnable(name: str, value: float, seen: Tensor) -> float:
    """The degrees of a turn, or as many as a head can be turned further that shows the motion values `seen`, (56,)."""
    return _within(SLIDERS[name].most, float(PortraitEncoder.angles(seen)[ANGLES.index(name)]), value)


def bearable(name: str, value: float, seen: Tensor, most: float | None = None) -> float:
    """The change of a slider, or as much of it as a face can bear that shows the motion values `seen`, (56,)."""
    slider = SLIDERS[name]
    changes = _changes(slider, value, seen, most)
    return changes.get(slider.more, 0.0) - changes.get(slider.less, 0.0)


def commanded(names: Sequence[str]) -> Tensor:
    """1 where motion values are commanded by any of some sliders, 0 where they are not, (56,)."""
    mask = torch.zeros(POSE + len(EXPRESSIONS))
    for name in names:
        mask[[POSE + place for place in _places((*SLIDERS[name].more, *SLIDERS[name].less))]] = 1.0
    return mask


def is_seen(name: str, value: float) -> bool:
    """Whether what a slider at a value commands is read in results, so that it can be corrected."""
    return SLIDERS[name].seen == "all" or (SLIDERS[name].seen == "below 0" and value < 0)


def gains() -> Tensor:
    """By how much more than is to be seen must be asked of each motion value, (56,)."""
    factors = torch.ones(POSE + len(EXPRESSIONS))
    for name in EXPRESSIVE:
        factors[commanded([name]) > 0] = SLIDERS[name].gain
    return factors


def readings(expression: Mapping[str, float]) -> dict[str, float]:
    """Where each slider would stand for a face with these coefficients, if 0 were a face without expression.

    Where one eye is shut further than the other that is a wink, and the rest is how far the eyes are open.
    """
    values = {}
    for name in EXPRESSIVE:
        slider = SLIDERS[name]
        values[name] = _mean_of(expression, slider.more) - _mean_of(expression, slider.less)
    shut = min(values["wink_left"], values["wink_right"])
    values["eyes"] = -shut
    values["wink_left"] -= shut
    values["wink_right"] -= shut
    return values


def towards(now: Mapping[str, float], then: Mapping[str, float], names: Sequence[str], ratio: float = 1.0) -> SliderValues:
    """What leads from some `readings` to others, or part of the way, `ratio`, by those `names` and within their ranges."""
    values = {}
    for name in EXPRESSIVE:
        if name in names:
            change = ratio * (then.get(name, 0.0) - now[name])
            slider = SLIDERS[name]
            values[name] = round(slider.step * round(min(max(change, slider.low), slider.high) / slider.step), 2)
    return cast(SliderValues, values)


def _changes(slider: Slider, value: float, seen: Tensor, most: float | None = None) -> dict[tuple[str, ...], float]:
    """By how much each of the two sides of a slider changes for a `value` of it.

    Unless they are split, the side that the slider moves away from goes first, as far as the face shows it, and then the
    other side comes.
    """
    if slider.split:
        shown = _shown(seen, slider.more) - _shown(seen, slider.less)
        value = _within(slider.most, shown, value)
        return {slider.more: value / 2, slider.less: -value / 2}
    up, down = (slider.more, slider.less) if value > 0 else (slider.less, slider.more)
    amount = abs(value)
    gone = min(amount, max(_shown(seen, down) - slider.least, 0.0)) if down else 0.0
    come = min(amount - gone, max((slider.most if most is None else most) - _shown(seen, up), 0.0)) if up else 0.0
    return {side: change for side, change in ((down, -gone), (up, come)) if side and change}


def _within(most: float, shown: float, change: float) -> float:
    """As much of a change of what is shown as leaves it within -most..most, and no way back where it is beyond already."""
    return min(max(change, min(-most - shown, 0.0)), max(most - shown, 0.0))


def _shown(seen: Tensor, coefficients: Sequence[str]) -> float:
    return float(seen[[POSE + place for place in _places(coefficients)]].mean())


def _places(coefficients: Sequence[str]) -> list[int]:
    return [EXPRESSIONS.index(name) for name in coefficients]


def _mean_of(expression: Mapping[str, float], names: Sequence[str]) -> float:
    return sum(expression[name] for name in names) / len(names) if names else 0.0

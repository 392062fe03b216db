"""The table of sliders: what each is called, how far it goes, and which values of a face it commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypedDict

Group = Literal["first", "mouth", "eyes", "head"]
Unit = Literal["degrees", "coefficient", "part of the picture"]


class SliderValues(TypedDict, total=False):
    """What sliders are set to: changes from the source as it is, 0 for those that are left out.

    `yaw`, `pitch` and `roll` in degrees: right in the picture, up, anticlockwise. Expressions in coefficients of about
    0..1: `smile`, `jaw` (open), `lips` (wide, less than 0 pouting), `eyes` (wide open, less than 0 closed), `wink_left` and
    `wink_right` (the eye on that side of the picture), `brows` (up), `gaze_x` and `gaze_y` (right in the picture, up).
    `shift_x` and `shift_y` move the head by parts of the picture, right and up, and `zoom` makes it larger by a part.
    """

    yaw: float
    pitch: float
    roll: float
    smile: float
    jaw: float
    lips: float
    eyes: float
    wink_left: float
    wink_right: float
    brows: float
    gaze_x: float
    gaze_y: float
    shift_x: float
    shift_y: float
    zoom: float


@dataclass(frozen=True)
class Slider:
    """One slider, 0 in the middle or at one end: the source as it is.

    Attributes:
        title, hint: what people read of it, and what its ends do.
        group: where it stands among others.
        low, high, step: its safe range.
        unit: of its values.
        more: expression coefficients of ICT-FaceKit that grow with it; `_L` and `_R` are the person's left and right.
        less: those that grow as it falls; what a face shows of one side goes first, before the other side comes.
        least, most: the mean of `more`, and of `less`, stays within these, as far as faces go; of turns, the degrees to
            either side up to which a head can be turned in all.
        split: both sides change at once, by half of it each, as they are ends of one thing.
        gain: by how much more must be asked of the encoder than is to be seen.
        seen: which of its values the extractor reads in results, so that they can be corrected.
        directions: what one unit is along the directions of a direction matrix, by their names; nothing where a matrix
            holds no such thing.
    """

    title: str
    hint: str
    group: Group
    low: float
    high: float
    step: float
    unit: Unit = "coefficient"
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    least: float = 0.0
    most: float = 1.0
    split: bool = False
    gain: float = 1.0
    seen: Literal["all", "below 0", "none"] = "all"
    directions: Mapping[str, float] = field(default_factory=dict)


def _turn(title: str, hint: str, reach: float, most: float, directions: Mapping[str, float]) -> Slider:
    return Slider(title, hint, "first", -reach, reach, 1, "degrees", most=most, directions=directions)


def _placed(title: str, hint: str, low: float, high: float) -> Slider:
    return Slider(title, hint, "head", low, high, 0.01, "part of the picture")


ANGLES = ("yaw", "pitch")  # that are values of a face
PLACES = ("roll", "shift_x", "shift_y", "zoom")  # that move the head as it is drawn
SLIDERS: Mapping[str, Slider] = {
    # Further out there was hardly anybody in training, and faces dissolve.
    "yaw": _turn("Yaw", "Left to right, degrees", 30, 48, {"yaw": 1}),
    "pitch": _turn("Pitch", "Down to up, degrees", 15, 33, {"pitch": 1}),
    "smile": Slider(
        *("Smile", "Less to more", "first", -0.5, 1, 0.05),
        more=("mouthSmile_L", "mouthSmile_R"),
        least=-0.3,  # a little below 0 the mouth is stern,
        most=1.3,  # and further out faces dissolve
        directions={"smile": 1},
    ),
    "jaw": Slider(
        *("Jaw", "Shut to open", "mouth", -0.5, 1, 0.05),
        more=("jawOpen",),
        directions={"jaw": 1},
    ),
    "lips": Slider(
        *("Lips", "Pouting to wide", "mouth", -1, 1, 0.05),
        less=("mouthPucker",),
        least=-1.0,
        gain=3.0,
        seen="none",  # less than no pouting is a wide mouth
        directions={"pucker": -3},
    ),
    "eyes": Slider(
        *("Eyes", "Closed to wide open", "eyes", -1, 1, 0.05),
        less=("eyeBlink_L", "eyeBlink_R"),
        least=-1.0,
        seen="below 0",  # less than not closed is wide open
        directions={"blink": -1},
    ),
    "wink_left": Slider(
        *("Wink left", "The eye on the left of the picture", "eyes", 0, 1, 0.05),
        more=("eyeBlink_R",),
    ),
    "wink_right": Slider(
        *("Wink right", "The eye on the right of the picture", "eyes", 0, 1, 0.05),
        more=("eyeBlink_L",),
    ),
    "brows": Slider(
        *("Brows", "Down to up", "eyes", -1, 1, 0.05),
        more=("browInnerUp_L", "browInnerUp_R", "browOuterUp_L", "browOuterUp_R"),
        less=("browDown_L", "browDown_R"),
        directions={"browUp": 1},
    ),
    "gaze_x": Slider(
        *("Gaze sideways", "Left to right in the picture", "eyes", -1, 1, 0.05),
        more=("eyeLookOut_L", "eyeLookIn_R"),
        less=("eyeLookIn_L", "eyeLookOut_R"),
        split=True,
        gain=2.0,
        directions={"lookLeft": 1},
    ),
    "gaze_y": Slider(
        *("Gaze up and down", "Down to up", "eyes", -1, 0.7, 0.05),
        more=("eyeLookUp_L", "eyeLookUp_R"),
        less=("eyeLookDown_L", "eyeLookDown_R"),
        split=True,
        gain=2.0,
        directions={"lookUp": 1},
    ),
    "roll": Slider("Roll", "Clockwise to anticlockwise, degrees", "head", -20, 20, 1, "degrees"),
    "shift_x": _placed("Head sideways", "Left to right", -0.15, 0.15),
    "shift_y": _placed("Head up and down", "Down to up", -0.15, 0.15),
    "zoom": _placed("Head size", "Smaller to larger", -0.25, 0.3),
}
# No code of a face shuts one eye alone: these show one eye as it is where both are shut, by iBUG's landmarks of it.
WINKS = {"wink_left": slice(36, 42), "wink_right": slice(42, 48)}
EXPRESSIVE = tuple(name for name, slider in SLIDERS.items() if slider.more or slider.less)

# Expressions by name: where sliders would stand if 0 were a face without expression; those that are left out are at 0.
PRESETS: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "grin": {"smile": 0.9, "jaw": 0.1, "eyes": -0.1},
    "surprise": {"jaw": 0.6, "eyes": 0.6, "brows": 0.8},
    "wink": {"wink_left": 0.9, "smile": 0.5},
    "sceptical": {"smile": -0.1, "lips": -0.3, "eyes": -0.3, "brows": -0.6, "gaze_x": 0.4},
    "sleepy": {"eyes": -0.6, "brows": -0.1, "jaw": 0.1, "gaze_y": -0.3},
}

"""How a source is driven by a film: who is followed, how closely, and what is shown of it."""

from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

from stylemask_demo import messages
from stylemask_demo.errors import WrongSetting
from stylemask_demo.faces.regions import Region
from stylemask_demo.portraits.builder import Which

Motion = Literal["absolute", "relative"]
Crop = Literal["follows", "stays"]
Layout = Literal["plain", "beside", "photo"]

MOST_STRENGTH, MOST_SMOOTHING = 1.5, 4.0


class More(TypedDict, total=False):
    """What else may be told, by name; see `Driving`."""

    motion: Motion
    smoothing: float
    crop: Crop
    layout: Layout


@dataclass(frozen=True)
class Driving:
    """What may be told of how a source follows a film.

    `method`, `region` and `face` are those of `Reenactor.reenact` and `Reenactor.portrait`. `strength` goes from 0 (the
    source as it is) over 1 to 1.5, which overdoes the motion. A `motion` that is "absolute" gives the source the head pose
    and expression of the film, a "relative" one adds to the source what has changed since the film's first frame.
    `smoothing` 0 takes what the face does as it is read, 1 smooths it as usual, 4 most. The `crop` by which the face in the
    film is read "follows" it, or "stays" where the first frame had it, so that a tilted head is seen as tilted. The
    `layout` is "plain" results, the film "beside" them, or the source's whole "photo" with the results in it.

    Raises WrongSetting for a value that means nothing.
    """

    method: str = "stylemask"
    strength: float = 1.0
    region: Region = "all"
    face: Which = None
    motion: Motion = "absolute"
    smoothing: float = 1.0
    crop: Crop = "follows"
    layout: Layout = "plain"

    def __post_init__(self) -> None:
        for name, kind in (("motion", Motion), ("crop", Crop), ("layout", Layout)):
            if getattr(self, name) not in get_args(kind):
                names = ", ".join(get_args(kind))
                raise WrongSetting(messages.UNKNOWN_CHOICE.format(name=getattr(self, name), names=names))
        for name, most in (("strength", MOST_STRENGTH), ("smoothing", MOST_SMOOTHING)):
            if not 0 <= getattr(self, name) <= most:  # which also refuses what is no number
                raise WrongSetting(
                    messages.OUT_OF_RANGE.format(name=name.capitalize(), number=getattr(self, name), least=0, limit=most)
                )

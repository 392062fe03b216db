"""Which methods a pack can do."""

from stylemask_demo import messages
from stylemask_demo.errors import UnknownMethod
from stylemask_demo.packs import PackInfo

NEEDED = {"stylemask": ("masks",), "directions": ("directions",), "motion": ("motion_encoder", "motion_mapping")}
# Networks whose codes tell the method motion who is shown.
IDENTITY: dict[str, tuple[str, ...]] = {"encoder": (), "restyle": ("restyle", "restyle_average")}


def methods_of(info: PackInfo) -> tuple[str, ...]:
    """Names of the methods that a pack has the networks for."""
    return tuple(name for name in NEEDED if all(key in info.networks for key in _needed(info, name)))


def check_method(info: PackInfo, method: str) -> None:
    """Raise UnknownMethod when a pack cannot do this."""
    if method not in methods_of(info):
        choices = ", ".join(methods_of(info)) or "none at all"
        raise UnknownMethod(messages.UNKNOWN_METHOD.format(name=method, names=choices))


def _needed(info: PackInfo, method: str) -> tuple[str, ...]:
    return (*NEEDED[method], *(IDENTITY[info.recipe().identity] if method == "motion" else ()))

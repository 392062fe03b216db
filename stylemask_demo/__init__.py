"""StyleMask Demo: reenact and edit portraits with StyleGAN2 style codes and learned masks."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stylemask_demo.faces.finding import Face
    from stylemask_demo.faces.parameters import FaceParameters
    from stylemask_demo.packs import available_packs
    from stylemask_demo.portraits.portrait import Portrait
    from stylemask_demo.reenactor import Reenactor

__version__ = "0.1.0"

__all__ = ["Face", "FaceParameters", "Portrait", "Reenactor", "available_packs"]

HOMES = {  # where the public names stand
    "Face": "stylemask_demo.faces.finding",
    "FaceParameters": "stylemask_demo.faces.parameters",
    "Portrait": "stylemask_demo.portraits.portrait",
    "Reenactor": "stylemask_demo.reenactor",
    "available_packs": "stylemask_demo.packs",
}


def __getattr__(name: str) -> object:
    # Imported at first use: the command line answers --help without loading torch.
    if name not in HOMES:
        raise AttributeError(f"module 'stylemask_demo' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(HOMES[name]), name)

"""Whether a pack does what it should: its files, its recipe, and two sampled people who reenact each other."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL.Image import Image

from stylemask_demo import __version__
from stylemask_demo.errors import NoFaceFound
from stylemask_demo.packs import PackInfo, find_pack, read_info, verify_file
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.reenactor import Reenactor

SEEDS = (0, 1)  # of the two people
SHOWN_DIGITS = 12  # of a sha256
# Where a pack is doubtful: a person less alike, from -1 to 1, and a head farther from where it should be, in degrees.
LEAST_ALIKE, FARTHEST = 0.3, 10.0


def report(name_or_folder: str | Path, device: str = "auto") -> Iterator[str]:
    """The lines of a report on a pack, as they are known; files come first, and the two people last.

    Raises PackMissing, and PackCorrupt for a file that is not what `pack.json` says.
    """
    info = read_info(find_pack(name_or_folder))
    yield f"{info.name}: {info.title}, {info.resolution} px, stylemask-demo {__version__}"
    yield from _files(info)
    yield from _recipe(info)
    reenactor = Reenactor.from_pack(info.folder, device)
    yield f"device {reenactor.device}, face finder {reenactor.face_finder}, methods {', '.join(reenactor.methods)}"
    yield from _people(reenactor)


def _files(info: PackInfo) -> Iterator[str]:
    yield f"{'network':<16} {'class':<20} {'parameters':>12} {'bytes':>14}  sha256"
    for key, spec in info.networks.items():
        verify_file(info.folder, spec)
        sizes = f"{spec.parameters:>12,} {spec.bytes:>14,}"
        yield f"{key:<16} {spec.class_name:<20} {sizes}  {spec.sha256[:SHOWN_DIGITS]}"


def _recipe(info: PackInfo) -> Iterator[str]:
    document = info.recipes.document()
    for name in ("published", "default"):
        yield f"recipe, {name}: {json.dumps(document[name])}"


def _people(reenactor: Reenactor) -> Iterator[str]:
    try:
        source, target = (reenactor.portrait(person) for person in reenactor.sample(SEEDS))
    except NoFaceFound:
        yield "DOUBTFUL: the pack draws pictures in which no face is found"
        return
    yield f"{'two sampled people':<22} {'identity':>8} {'pose error':>11}"
    yield _line("inversion", reenactor, source.inversion, source, source)
    for method in reenactor.methods:
        yield _line(method, reenactor, reenactor.reenact(source, target, method), source, target)
    yield f"{'unmoved':<22} {1:>8.2f} {_distance(source, target):>9.1f} °"


def _line(what: str, reenactor: Reenactor, made: Image, who: Portrait, how: Portrait) -> str:
    """How alike a result is to who it should show, and how far its head is from where it should be."""
    try:
        shown = reenactor.portrait(made)
    except NoFaceFound:
        return f"{what:<22} DOUBTFUL: no face is found in the result"
    alike, away = float(reenactor.identity(shown) @ reenactor.identity(who)), _distance(shown, how)
    doubt = "  DOUBTFUL" if alike < LEAST_ALIKE or away > FARTHEST else ""
    return f"{what:<22} {alike:>8.2f} {away:>9.1f} °{doubt}"


def _distance(first: Portrait, second: Portrait) -> float:
    """Mean difference of yaw, pitch and roll in degrees."""
    here, there = (np.array([face.parameters.yaw, face.parameters.pitch, face.parameters.roll]) for face in (first, second))
    return float(np.abs(here - there).mean())

"""The page's work on the accelerator: plain CPU data in, plain CPU data out.

On a Space with shared GPUs each of these functions runs in a process of its own that borrows a GPU for
at most `duration` seconds; elsewhere `spaces.GPU` leaves them as they are. So nothing may be handed over
but pictures, numbers and texts, and whatever the reenactor caches only makes the next call quicker.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import spaces
from PIL import Image

from stylemask_demo.errors import NoFaceFound
from stylemask_demo.faces.parameters import FaceParameters
from stylemask_demo.reenactor import Portrait, Reenactor

SAMPLE_ATTEMPTS = 5  # a face sampled at random is now and then too odd to be found again


class Stages(NamedTuple):
    """What became of one picture: found and aligned, inverted, measured."""

    crop: Image.Image
    inversion: Image.Image
    parameters: FaceParameters
    landmarks_in_photo: np.ndarray  # (68, 2) pixels of the picture given


class Computed(NamedTuple):
    """A result and the milliseconds that it took."""

    value: object
    milliseconds: float


class Compute(NamedTuple):
    """The functions that need the accelerator; each returns a Computed."""

    reenact: Callable[[Image.Image, Image.Image, str, float], Computed]
    edit: Callable[[Image.Image, float, float, float], Computed]
    stages: Callable[[Image.Image], Computed]
    sample: Callable[[int], Computed]


def create_compute(reenactor: Reenactor) -> Compute:
    """Return the accelerator's functions bound to one reenactor."""

    @spaces.GPU(duration=15)
    def reenact(source: Image.Image, target: Image.Image, method: str, strength: float) -> Computed:
        """Return (crop of the source, the source with the target's pose and expression)."""
        started = time.perf_counter()
        who = _portrait(reenactor, source, "source")
        how = _portrait(reenactor, target, "target")
        result = reenactor.reenact(who, how, method=method, strength=strength)
        return _computed((who.crop, result), started)

    @spaces.GPU(duration=10)
    def edit(source: Image.Image, yaw: float, pitch: float, smile: float) -> Computed:
        """Return the source turned by yaw and pitch (degrees) with its smile changed (-1..1)."""
        started = time.perf_counter()
        result = reenactor.edit(_portrait(reenactor, source, "source"), yaw=yaw, pitch=pitch, smile=smile)
        return _computed(result, started)

    @spaces.GPU(duration=10)
    def stages(picture: Image.Image) -> Computed:
        """Return the Stages of one picture."""
        started = time.perf_counter()
        portrait = reenactor.portrait(picture)
        seen = (portrait.crop, portrait.inversion, portrait.parameters, portrait.landmarks_in_photo)
        return _computed(Stages(*seen), started)

    @spaces.GPU(duration=10)
    def sample(seed: int) -> Computed:
        """Return a random person's picture with a face that is found: the first from `seed` on."""
        started = time.perf_counter()
        for attempt in range(SAMPLE_ATTEMPTS):
            picture = reenactor.sample(seed + attempt)
            try:
                reenactor.portrait(picture)
            except NoFaceFound:
                continue
            return _computed(picture, started)
        raise NoFaceFound("No clear face came up this time. Press the button again for another person.")

    return Compute(reenact, edit, stages, sample)


def _portrait(reenactor: Reenactor, picture: Image.Image, role: str) -> Portrait:
    """Return the portrait; when there is none, say in which of the pictures."""
    try:
        return reenactor.portrait(picture)
    except NoFaceFound as error:
        raise NoFaceFound(f"In the {role} picture: {error}") from error


def _computed(value: object, started: float) -> Computed:
    return Computed(value, (time.perf_counter() - started) * 1000)

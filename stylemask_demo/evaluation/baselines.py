"""Ways from two portraits to a picture: the methods of a pack, and the simple ways that they must beat."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image

from stylemask_demo import Portrait, Reenactor
from stylemask_demo.calibration.regression import ridge_regression
from stylemask_demo.evaluation.instruments import BATCH, Instruments, batches
from stylemask_demo.faces.parameters import DIRECTION_WEIGHTS
from stylemask_demo.generator.sampling import TRUNCATION, draw_w
from stylemask_demo.media.tensors import to_images
from stylemask_demo.networks.stylegan2 import Generator

SAMPLES = 400  # random people that the linear regression is fitted on
RIDGE = 0.01  # penalty of the regression, in units of each parameter's variance
COPY_SOURCE, COPY_TARGET = "copy the source", "copy the target"
AVERAGE, LINEAR = "W+ average", "linear regression"
BASELINES = (COPY_SOURCE, COPY_TARGET, AVERAGE, LINEAR)

# Equally many sources and targets in, as many results out.
Way = Callable[[list[Portrait], list[Portrait]], list[Image.Image]]


def all_ways(reenactor: Reenactor, instruments: Instruments, methods: Sequence[str]) -> dict[str, Way]:
    """The named methods of the reenactor and then the baselines, by name.

    Baselines that draw with the pack's generator get the photo's detail as methods do.
    """
    generator = reenactor.pipeline.networks.generator

    def method(name: str) -> Way:
        return lambda sources, targets: reenactor.reenact(sources, targets, method=name)

    def detailed(way: Way) -> Way:
        return lambda sources, targets: reenactor.pipeline.results.detailed(way(sources, targets), sources)

    return {
        **{name: method(name) for name in methods},
        COPY_SOURCE: lambda sources, targets: [source.crop for source in sources],
        COPY_TARGET: lambda sources, targets: [target.crop for target in targets],
        AVERAGE: detailed(lambda sources, targets: paint(generator, (_codes(sources) + _codes(targets)) / 2)),
        LINEAR: detailed(LinearRegression(generator, instruments)),
    }


def in_batches(way: Way, sources: list[Portrait], targets: list[Portrait]) -> list[Image.Image]:
    """The results of a way, computed a batch at a time."""
    pairs = zip(batches(sources), batches(targets), strict=True)
    return [picture for some, others in pairs for picture in way(some, others)]


class LinearRegression:
    """Moves the source's code along the directions that a linear regression finds: no training, no losses.

    W+ codes of random people of the generator are regressed on what the instruments see in their pictures (the fifteen face
    directions); the difference of two portraits' parameters times the coefficients is added to the source's code.
    """

    def __init__(self, generator: Generator, instruments: Instruments) -> None:
        self.generator = generator
        codes, pictures = sample(generator, SAMPLES)
        sight = instruments.look(pictures)
        places = torch.from_numpy(_places(sight.euler, sight.expression))  # (N, 15)
        found = ridge_regression(places, codes.double().cpu(), RIDGE * (places.var(0) + 1e-9))
        self.coefficients = found.slope.numpy()  # (15, style_dim)

    def __call__(self, sources: list[Portrait], targets: list[Portrait]) -> list[Image.Image]:
        """Portraits of B sources and B targets -> B pictures."""
        shift = (_portrait_places(targets) - _portrait_places(sources)) @ self.coefficients  # (B, style_dim)
        return paint(self.generator, _codes(sources) + torch.from_numpy(shift).float()[:, None])


@torch.inference_mode()
def sample(generator: Generator, count: int) -> tuple[torch.Tensor, list[Image.Image]]:
    """Codes w (N, style_dim) of random people, truncated as the demo's samples are, and their pictures."""
    w = draw_w(generator, count, 1)
    w = torch.lerp(w.mean(0), w, TRUNCATION)
    return w, paint(generator, generator.repeat(w))


@torch.inference_mode()
def paint(generator: Generator, w_plus: torch.Tensor) -> list[Image.Image]:
    """Pictures of W+ codes (N, L, style_dim), a batch at a time."""
    device = next(generator.parameters()).device
    return [picture for batch in w_plus.split(BATCH) for picture in to_images(generator(batch.to(device)))]


def _codes(portraits: list[Portrait]) -> torch.Tensor:
    return torch.cat([portrait.codes for portrait in portraits])


def _portrait_places(portraits: list[Portrait]) -> np.ndarray:
    found = [portrait.parameters for portrait in portraits]
    euler = np.array([[f.yaw, f.pitch, f.roll] for f in found])
    return _places(euler, np.array([list(f.expression.values()) for f in found]))


def _places(euler: np.ndarray, expression: np.ndarray) -> np.ndarray:
    """Places along the face directions (N, 15)."""
    return np.concatenate([euler, expression], 1) @ DIRECTION_WEIGHTS

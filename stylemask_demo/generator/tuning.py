"""Generator tuning: the weights of the generator bent towards one face, its code held fixed.

Roich et al., "Pivotal Tuning for Latent-based Editing of Real Images" (2022).
"""

import copy
import functools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from stylemask_demo.generator.style_space import PictureCode
from stylemask_demo.networks.perception import Likeness
from stylemask_demo.networks.stylegan2 import Generator

STEPS = 80  # on two CPU cores about 20 seconds for a 256 px pack; more hardly sharpens the face and loosens its edits
RATE = 3e-3  # of Adam, the published setting
WARM_UP = 10  # steps: Adam's first ones are too sure of their direction
# Weights of the losses. Much perceptual loss finds colours that please its network and nobody else.
PIXEL, FEATURES = 3.0, 0.1
LOCALITY = 2.0  # holds the weights near the shared ones, so that edits of the face still work
Progress = Callable[[int, int, float], None]


@dataclass(frozen=True, eq=False)
class TunedWeights:
    """What tuning changed of a generator: half-precision CPU tensors by the name of the generator's parameter."""

    weights: Mapping[str, Tensor] = field(repr=False)
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def bytes(self) -> int:
        """Memory that the tensors take."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.weights.values())


def tuned_generator(generator: Generator, tuning: TunedWeights) -> Generator:
    """A generator with the tuned weights, which shares all other tensors with the one given."""
    like = next(generator.parameters())
    return _with_weights(generator, {name: tensor.to(like) for name, tensor in tuning.weights.items()})


def tune(
    generator: Generator,
    code: PictureCode,
    crop: Tensor,
    landmarks: Tensor,
    features: Callable[[Tensor], list[Tensor]],
    steps: int = STEPS,
    progress: Progress | None = None,
) -> TunedWeights:
    """Tune the synthesis weights until the code of one face gives its crop.

    `crop` (1, 3, S, S) in -1..1, `landmarks` (1, 68, 2) as fractions of the crop, `features` gives the feature maps of
    pictures (1, 3, 128, 128) by which they are compared. `progress(done, total, loss)` is called after every step; what it
    raises ends the tuning. The generator itself is not changed.
    """
    with torch.inference_mode(False), torch.enable_grad():  # whatever it is called in
        return _tuned(generator, code, Likeness(features, crop.clone(), landmarks.clone()), steps, progress)


def _tuned(
    generator: Generator, code: PictureCode, likeness: Likeness, steps: int, progress: Progress | None
) -> TunedWeights:
    start = {name: tensor.detach() for name, tensor in generator.named_parameters() if _tunable(name)}
    weights = {name: tensor.clone().requires_grad_() for name, tensor in start.items()}
    own = _with_weights(generator, weights)
    code = PictureCode(*([style.clone() for style in styles] for styles in code))  # inference tensors learn nothing
    optimiser = torch.optim.Adam(weights.values(), lr=RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps))
    for step in range(steps):
        pixel, perceptual = likeness(own.synthesise(*code))
        loss = PIXEL * pixel + FEATURES * perceptual
        loss = loss + LOCALITY * _distance(weights, start)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, steps, loss.item())
    return TunedWeights({name: tensor.detach().half().cpu() for name, tensor in weights.items()})


def _tunable(name: str) -> bool:
    """The kernels. Biases hold for every pose, so that tuning them stains edits; style codes belong to every face."""
    return name.endswith("conv.weight")


def _rate(step: int, steps: int) -> float:
    """Part of the learning rate: rises at the start and falls over the second half."""
    return min((step + 1) / WARM_UP, 1.0, 2 * (1 - step / steps))


def _distance(weights: Mapping[str, Tensor], start: Mapping[str, Tensor]) -> Tensor:
    """Squared change of the weights in parts of their squared size, summed over the layers."""
    changes = ((weights[name] - tensor).square().mean() / tensor.square().mean() for name, tensor in start.items())
    return functools.reduce(torch.add, changes)


def _with_weights(generator: Generator, weights: Mapping[str, Tensor]) -> Generator:
    # The memo makes the copy share every tensor; only the names below then point elsewhere.
    shared = {id(tensor): tensor for tensor in (*generator.parameters(), *generator.buffers())}
    made = copy.deepcopy(generator, shared)
    for name, tensor in weights.items():
        module, _, leaf = name.rpartition(".")
        made.get_submodule(module)._parameters[leaf] = tensor  # type: ignore[assignment]  # a plain one shares and learns
    return made

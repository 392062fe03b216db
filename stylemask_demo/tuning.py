"""Generator tuning: the weights of the generator bent towards one face, its code held fixed.

Roich et al., "Pivotal Tuning for Latent-based Editing of Real Images" (2022).
"""

import copy
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylemask_demo.methods.code import PictureCode
from stylemask_demo.networks.perception import importance, map_distance
from stylemask_demo.networks.stylegan2 import Generator

STEPS = 120
RATE = 3e-3  # of Adam, the published setting
WARM_UP = 10
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
    trunks: list[nn.Module],
    steps: int = STEPS,
    progress: Progress | None = None,
) -> TunedWeights:
    """Tune the synthesis weights until the code of one face gives its crop.

    `crop` (1, 3, S, S) in -1..1, `landmarks` (1, 68, 2) as fractions of the crop, `trunks` networks whose `maps` tell how
    alike two pictures look. `progress(done, total, loss)` is called after every step; what it raises ends the tuning.
    """
    names = [name for name, _ in generator.named_parameters() if _tunable(name)]
    start = {name: generator.get_parameter(name).detach() for name in names}
    weights = {name: tensor.clone().requires_grad_() for name, tensor in start.items()}
    own = _with_weights(generator, weights)
    code = PictureCode(*([style.clone() for style in styles] for styles in code))  # inference tensors take no part
    weight = importance(landmarks, crop.shape[-1])
    with torch.no_grad():
        true_maps = _maps(trunks, crop)
    optimiser = torch.optim.Adam(weights.values(), lr=RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / WARM_UP, 1.0) * min(1.0, 2 * (1 - step / steps) + 0.05)
    )
    for step in range(steps):
        made = own.synthesise(*code)
        loss = (weight * (made - crop).square()).mean() + 0.3 * map_distance(_maps(trunks, made), true_maps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, steps, loss.item())
    return TunedWeights({name: tensor.detach().half().cpu() for name, tensor in weights.items()})


def _tunable(name: str) -> bool:
    return name.startswith(("conv1.", "convs.", "to_rgb1.", "to_rgbs.")) and "modulation" not in name


def _maps(trunks: list[nn.Module], picture: Tensor) -> list[Tensor]:
    half = F.avg_pool2d(picture, max(picture.shape[-1] // 128, 1))
    return [m for trunk in trunks for m in trunk.maps(half)]


def _with_weights(generator: Generator, weights: Mapping[str, Tensor]) -> Generator:
    # The memo makes the copy share every tensor; only the names below then point elsewhere.
    shared = {id(tensor): tensor for tensor in (*generator.parameters(), *generator.buffers())}
    made = copy.deepcopy(generator, shared)
    for name, tensor in weights.items():
        module, _, leaf = name.rpartition(".")
        parameters = made.get_submodule(module)._parameters
        parameters[leaf] = tensor
    return made

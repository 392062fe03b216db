"""A discriminator of patches: what pixel and feature distances leave blurred, it makes the generator draw sharply."""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from stylemask_demo.networks.stylegan2_layers import GAIN

PATCH = 128  # pixels of the square that is judged
CHANNELS = (32, 64, 128)
PENALTY = 0.02  # gamma of the gradient penalty
PENALTY_EVERY = 4  # steps


class EqualConv2d(nn.Conv2d):
    """A convolution whose weights are scaled at run time (equalised learning rate)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding=1)
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.get_parameter("bias"))
        self.gain = 1 / math.sqrt(inputs * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight * self.gain, self.bias)


class PatchDiscriminator(nn.Module):
    """Tells for each neighbourhood whether it is of a true picture (Isola et al. 2017).

    Neighbourhoods are about 54 pixels wide with the three `channels` that are usual, about 110 with one more.
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        widths = (3, *channels)
        self.layers = nn.ModuleList(EqualConv2d(a, b, 4, 2) for a, b in itertools.pairwise(widths))
        self.layers.append(EqualConv2d(channels[-1], channels[-1], 3, 1))
        self.judge = EqualConv2d(channels[-1], 1, 3, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) in -1..1 -> logits (B, 1, H, H), high for true ones; each of `channels` halves H."""
        x = pictures.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2) * GAIN
        return self.judge(x)


def cut_patch(made: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """The same random square of `PATCH` pixels out of two batches of pictures (B, 3, S, S), most often near the middle."""
    room = made.shape[-1] - PATCH
    x, y = (room * torch.rand(2, 2).mean(0)).round().long().tolist()
    return made[..., y : y + PATCH, x : x + PATCH], true[..., y : y + PATCH, x : x + PATCH]


def adversarial(judge: PatchDiscriminator, made: Tensor, true: Tensor, step: int) -> dict[str, Tensor]:
    """Losses of both players at once (Goodfellow et al. 2014, not saturating), for patches (B, 3, S, S).

    `sharpness` teaches whoever made the pictures, its gradient does not reach the judge; `judge` teaches the judge alone,
    with a penalty of its gradient at true pictures every `PENALTY_EVERY` steps (R1, Mescheder et al. 2018).
    """
    frozen = {name: parameter.detach() for name, parameter in judge.named_parameters()}
    sharpness = F.softplus(-functional_call(judge, frozen, (made,))).mean()
    penalised = step % PENALTY_EVERY == 0
    true = true.detach().requires_grad_(penalised)
    of_true = judge(true)
    losses = {
        "sharpness": sharpness,
        "judge": F.softplus(-of_true).mean() + F.softplus(judge(made.detach())).mean(),
    }
    if penalised:
        (slope,) = torch.autograd.grad(of_true.sum(), true, create_graph=True)
        # Judged are neighbourhoods, each by itself: the sum of their squared slopes counts once for each.
        scale = PENALTY * PENALTY_EVERY / 2 / of_true[0].numel()
        losses["penalty"] = slope.square().sum((1, 2, 3)).mean() * scale
    return losses

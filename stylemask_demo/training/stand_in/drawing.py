"""The embedded pack's generator, masks and motion in the shapes of published networks."""

import math

import torch
from torch import Tensor

from stylemask_demo.networks import Generator, MaskPredictors, MotionMapping
from stylemask_demo.networks.stylegan2_layers import EqualLinear
from stylemask_demo.training.stand_in.widening import widened

FAR = 32.0  # farther than any number of a z that PixelNorm has scaled: such layers pass on what they get, plus this
NEVER = -20.0  # a mask's logit that takes nothing from the target
PUBLISHED_LAYERS = 8  # of the published mapping networks


def generator_state(own: Generator, size: int, channel_multiplier: int) -> dict[str, Tensor]:
    """Weights of a published generator that draws what `own` draws at this size, enlarged beyond its own."""
    with torch.device("meta"):
        wide = Generator(size, channel_multiplier=channel_multiplier)
    expected = wide.state_dict()
    drawing = {name: tensor for name, tensor in own.state_dict().items() if not name.startswith("style.")}
    state = {name: tensor for name, tensor in drawing.items() if name in expected}
    return {**widened(expected, [state]), **_mapping_state(own)}


def _mapping_state(own: Generator) -> dict[str, Tensor]:
    """The mapping network after layers that change nothing: they keep out of the way of the leaky ReLU."""
    layers = [layer for layer in own.style if isinstance(layer, EqualLinear)]
    idle = PUBLISHED_LAYERS - len(layers)
    made: dict[str, Tensor] = {}
    for number in range(1, idle + 1):
        layer = layers[0]
        weight = torch.eye(own.style_dim) / layer.scale
        made[f"style.{number}.weight"] = weight if number == 1 else weight / math.sqrt(2)
        made[f"style.{number}.bias"] = torch.full((own.style_dim,), FAR / layer.rate if number == 1 else 0.0)
    for number, layer in enumerate(layers, idle + 1):
        made[f"style.{number}.weight"], made[f"style.{number}.bias"] = layer.weight.clone(), layer.bias.clone()
    if idle:  # the first layer that does something gets sqrt(2) (x + FAR)
        first = layers[0]
        made[f"style.{idle + 1}.weight"] = first.weight / math.sqrt(2)
        made[f"style.{idle + 1}.bias"] = first.bias - first.weight.sum(1) * first.scale * FAR / first.rate
    return made


def mask_state(own: MaskPredictors, widths: list[int]) -> dict[str, Tensor]:
    """Weights of published mask predictors, of so many widths, that mix what `own` mixes."""
    with torch.device("meta"):
        wide = MaskPredictors(widths)
    made = widened(wide.state_dict(), [own.state_dict()])
    for layer, width in enumerate(widths):
        known = own.style_sizes[layer] if layer < len(own.style_sizes) else 0
        made[f"network_{layer:02d}.masknet.2.bias"][known:width] = NEVER
    return made


def mapping_state(own: MotionMapping, latents: int) -> dict[str, Tensor]:
    """Weights of the published linear layer that moves the mean of all codes as `own` does, and keeps their differences."""
    weight, bias = own.linear_relu.get_parameter("0.weight"), own.linear_relu.get_parameter("0.bias")
    width = len(bias)
    made = torch.zeros(latents, width, 2 * latents, width)
    identity = torch.eye(width)
    made[:, :, :latents] += ((weight[:, :width] - identity) / latents)[None, :, None]
    for layer in range(latents):
        made[layer, :, layer] += identity
    made[:, :, latents] = weight[None, :, width:]  # the motion code is the first of its latents
    return {
        "linear_relu.0.weight": made.reshape(latents * width, 2 * latents * width),
        "linear_relu.0.bias": bias.repeat(latents),
    }

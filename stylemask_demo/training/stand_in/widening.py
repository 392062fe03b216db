"""Networks of an eighth of their width, which train in minutes, and the same functions at the published width."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from stylemask_demo.networks.stylegan2_layers import EqualLinear, fir_kernel

NARROWER = 8
COLOURS = (3, 6)  # channels of pictures, which stay

M = TypeVar("M", bound=nn.Module)


def narrow(module: M, keep: Callable[[str], bool] = lambda name: False) -> M:
    """A network with every layer an eighth as wide but its inputs, the outputs of linear layers, and those of `keep`.

    The layers of `module` are replaced, in place, so that it may be on the meta device; its new ones have initial weights.
    """
    for name, layer in list(module.named_modules()):
        if keep(name) or not isinstance(layer, nn.Conv2d | nn.BatchNorm2d | nn.PReLU | nn.Linear | EqualLinear):
            continue
        parent, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(parent), leaf, _narrow(layer))
    return module


def _narrow(layer: nn.Module) -> nn.Module:
    def part(channels: int) -> int:
        return channels if channels in COLOURS else max(channels // NARROWER, 1)

    if isinstance(layer, nn.Conv2d):
        size, stride, padding = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
        inputs, outputs = part(layer.in_channels), part(layer.out_channels)
        return nn.Conv2d(inputs, outputs, size, stride, padding, bias=layer.bias is not None)
    if isinstance(layer, nn.BatchNorm2d):
        return nn.BatchNorm2d(part(layer.num_features))
    if isinstance(layer, nn.PReLU):
        return nn.PReLU(part(layer.num_parameters))
    assert isinstance(layer, nn.Linear | EqualLinear)
    outputs, inputs = layer.weight.shape
    return (nn.Linear if isinstance(layer, nn.Linear) else EqualLinear)(part(inputs), outputs)


def widened(expected: Mapping[str, Tensor], narrow_states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Weights of a wide network that does what narrow ones do side by side.

    `expected` names every tensor of the wide network, with its shape; those of the narrow ones are put into its first, next
    ... channels, and what they share, such as outputs, is added up. All other weights do nothing.
    """
    made = {name: _nothing(name, wide) for name, wide in expected.items()}
    for number, state in enumerate(narrow_states):
        for name, tensor in state.items():
            wide = made[name]
            if tensor.shape == wide.shape and number == 0:
                made[name] = tensor.clone().to(wide.dtype)
            elif wide.is_floating_point():
                place = tuple(
                    slice(0, have) if have == size else slice(number * have, (number + 1) * have)
                    for have, size in zip(tensor.shape, wide.shape, strict=True)
                )
                before = 0 if name.endswith("running_var") else wide[place]
                wide[place] = before + tensor * _gain(name, tensor, wide)
    return made


def _nothing(name: str, wide: Tensor) -> Tensor:
    if name.endswith("running_var"):
        return torch.ones(wide.shape)
    if name.endswith(".kernel"):
        return fir_kernel(gain=4.0)
    return torch.zeros(wide.shape, dtype=wide.dtype)


def _gain(name: str, tensor: Tensor, wide: Tensor) -> float:
    """Layers of equalised learning rate divide their weights by the root of their width."""
    if tensor.dim() == 5:  # a modulated convolution
        return math.sqrt(wide.shape[2] / tensor.shape[2])
    if name.startswith("styles.") and name.endswith("linear.weight"):
        return math.sqrt(wide.shape[1] / tensor.shape[1])
    return 1.0

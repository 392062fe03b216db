"""The order in which weights lie in memory."""

from typing import TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


def channels_last(network: N) -> N:
    """The network itself, with the weights of its convolutions in the order in which most machines convolve fastest."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in the stubs of PyTorch

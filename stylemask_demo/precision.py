"""In which precision pictures are made: the fastest that a device has, as a short measurement tells."""

import time
from dataclasses import dataclass
from functools import cache

import torch

from stylemask_demo.cores import computing_on

HALF = torch.bfloat16  # as wide in range as float32: nothing overflows in deep layers
LEAST_GAIN = 1.25  # times as fast half precision has to be: where it is emulated it is many times slower
CHANNELS, SIDE, ROUNDS = 128, 64, 5  # of the convolution that is measured, a few milliseconds each time


@cache
def fastest(device: torch.device) -> torch.dtype:
    """bfloat16 where a device convolves faster in it, else float32. Measured once in each process."""
    device = torch.device(device)
    times = {dtype: _seconds(device, dtype) for dtype in (torch.float32, HALF)}
    return HALF if times[torch.float32] > LEAST_GAIN * times[HALF] else torch.float32


@torch.inference_mode()
def _seconds(device: torch.device, dtype: torch.dtype) -> float:
    """The least time of a few convolutions, of one thread on a CPU: on a busy one, several wait for one another."""
    pictures = torch.randn(1, CHANNELS, SIDE, SIDE, device=device, dtype=dtype)
    weights = torch.randn(CHANNELS, CHANNELS, 3, 3, device=device, dtype=dtype)
    clock = time.thread_time if device.type == "cpu" else time.perf_counter
    taken = []
    with computing_on(1):
        for _ in range(ROUNDS):
            started = clock()
            made = torch.nn.functional.conv2d(pictures, weights, padding=1)
            made.sum().item()  # which waits for a GPU
            taken.append(clock() - started)
    return min(taken)


@dataclass(frozen=True)
class Precision:
    """The precision of what is computed on a device: float32 throughout if it is to be `exact`, else what is fastest."""

    device: torch.device
    exact: bool = True

    def __call__(self) -> torch.autocast:
        """A context in which convolutions are computed so; PyTorch keeps what needs float32 in it."""
        half = not self.exact and fastest(self.device) != torch.float32
        return torch.autocast(self.device.type, HALF, enabled=half)

"""Time that work takes on a device, told by median and in multiples of one large convolution of the same run."""

import statistics
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.nn.functional as F

K = TypeVar("K", bound=Hashable)

ROUNDS = 5  # in each of which all work is done once, so that a busy moment strikes all of it
CHANNELS, SIDE = 512, 128  # of the convolution, 3 x 3
OPERATIONS = 2.0 * CHANNELS**2 * 9 * SIDE**2  # that it takes


class Clock:
    """Seconds of a device: those that all threads of this process compute on a CPU, and on a GPU those that pass."""

    def __init__(self, device: torch.device):
        self.device = device

    def medians(self, works: Mapping[K, Callable[[], object]], rounds: int = ROUNDS) -> dict[K, float]:
        """Median seconds of each piece of work, done in turn; a round before the first one is not counted."""
        taken = [{name: self.seconds(work) for name, work in works.items()} for _ in range(rounds + 1)]
        return {name: statistics.median(times[name] for times in taken[1:]) for name in works}

    def seconds(self, work: Callable[[], object]) -> float:
        """Seconds of one piece of work, done once."""
        began = self._now()
        work()
        return self._now() - began

    def _now(self) -> float:
        if self.device.type == "cpu":
            return time.process_time()
        torch.cuda.synchronize(self.device)
        return time.perf_counter()


def convolution(device: torch.device, dtype: torch.dtype) -> Callable[[], object]:
    """One large convolution, of `OPERATIONS`, in a precision."""
    pictures = torch.randn(1, CHANNELS, SIDE, SIDE, device=device, dtype=dtype)
    weights = torch.randn(CHANNELS, CHANNELS, 3, 3, device=device, dtype=dtype)

    @torch.inference_mode()
    def convolve() -> object:
        return F.conv2d(pictures, weights, padding=1)

    return convolve


@contextmanager
def peak_memory(device: torch.device) -> Iterator[Callable[[], float]]:
    """Gives what tells the most memory in MB that was used: by this process since it began, on a GPU meanwhile."""
    if device.type == "cpu":
        import resource  # not on Windows

        yield lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    else:
        torch.cuda.reset_peak_memory_stats(device)
        yield lambda: torch.cuda.max_memory_allocated(device) / 2**20

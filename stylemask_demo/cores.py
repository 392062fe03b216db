"""How many cores a thread computes on."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch


def compute_on(cores: int) -> None:
    """Let this thread compute on so many cores; those that begin later do as before.

    The number is each thread's own, but PyTorch gives the one that was set last to new threads, when they first ask.
    """
    torch.get_num_threads()
    with ThreadPoolExecutor(1) as another:
        usual = another.submit(torch.get_num_threads).result()
        torch.set_num_threads(cores)
        another.submit(torch.set_num_threads, usual).result()


@contextlib.contextmanager
def computing_on(cores: int) -> Iterator[None]:
    """A context in which this thread computes on so many cores."""
    before = torch.get_num_threads()
    compute_on(cores)
    try:
        yield
    finally:
        compute_on(before)

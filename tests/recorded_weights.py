"""The weights that the published programs were recorded with: golden/fill.py makes them of names and shapes alone.

They are a billion numbers, and encoders share most of theirs: each is made once for all tests of a process, and kept on
the disk.
"""

import json
import tempfile
from functools import cache
from pathlib import Path

import torch
from golden.fill import fill
from torch import Tensor

from stylemask_demo.networks.stylegan2_layers import fir_kernel

SHAPES: dict[str, dict[str, list[int]]] = json.loads((Path(__file__).parent / "golden" / "golden.json").read_text())
SMALL = 1_000_000  # numbers that stay in memory


def state(case: str, prefix: str = "") -> dict[str, Tensor]:
    """The weights of a network in the recordings, with a prefix to their names."""
    return filled(SHAPES[f"{case}_state"], prefix)


def filled(shapes: dict[str, list[int]], prefix: str = "") -> dict[str, Tensor]:
    """The weights of some names and shapes, with a prefix to their names."""
    return {prefix + name: _weight(name, tuple(shape)) for name, shape in shapes.items()}


@cache
@torch.inference_mode(False)  # so that they are of use everywhere
def _weight(name: str, shape: tuple[int, ...]) -> Tensor:
    if name.endswith(".kernel"):
        return fir_kernel(gain=4.0)
    made = torch.as_tensor(fill({name: shape})[name])
    if made.numel() < SMALL:
        return made
    with tempfile.NamedTemporaryFile() as file:  # what is mapped stays when its name goes
        made.numpy().tofile(file.name)
        return torch.from_file(file.name, size=made.numel(), dtype=made.dtype).view(shape)

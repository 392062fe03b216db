"""Deterministic weights and inputs for the parity tests.

`fill(shapes)` turns {parameter name: shape} into {name: array}. Each array depends only on its own name and
shape, so two implementations whose state dicts carry the same names and shapes get the same weights, on any
machine. numpy's legacy RandomState is used because its stream is frozen.
"""

import zlib

import numpy as np
import torch
import torch.nn.functional as F

# Prefixes of StyleGAN2 generator parameters, whose layers scale their weights at run time.
EQUALISED = ("style.", "input.", "conv1.conv.", "to_rgb1.", "convs.", "to_rgbs.", "noises.")


def fill(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Make the weights of a state dict: float32 arrays, int64 zeros for batch counters."""
    return {name: _array(name, tuple(shape)) for name, shape in shapes.items()}


def _array(name: str, shape: tuple[int, ...]) -> np.ndarray:
    random = np.random.RandomState(zlib.crc32(name.encode()))
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    noise = random.standard_normal(shape or (1,)).astype(np.float32).reshape(shape)
    if leaf == "running_var":
        return 1.0 + 0.1 * np.abs(noise)
    if leaf in ("running_mean", "bias"):
        # A StyleGAN2 modulation bias starts at one: styles are centred there.
        return (1.0 if "modulation" in name else 0.0) + 0.1 * noise
    if len(shape) <= 1:  # BatchNorm and PReLU weights, noise strengths
        if ".noise." in name:
            return np.full(shape, 0.1, np.float32)
        return 1.0 + 0.1 * noise
    if name.startswith(EQUALISED):  # equalised learning rate: unit variance in the checkpoint
        return noise / (0.01 if name.startswith("style.") else 1.0)
    fan_in = int(np.prod(shape[1:]))
    return noise * np.float32(np.sqrt(1.0 / fan_in))


def latent(seed: int, *shape: int) -> torch.Tensor:
    """Standard normal float32 values, the z of the recorded cases."""
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(shape).astype(np.float32))


def image(seed: int, resolution: int, count: int = 1) -> torch.Tensor:
    """Smooth random images (count, 3, resolution, resolution) in [-1, 1]."""
    coarse = latent(seed, count, 3, 8, 8)
    fine = F.interpolate(coarse, size=(resolution, resolution), mode="bilinear", align_corners=False)
    return torch.tanh(fine)

"""The command `bench`: how much faster the fast ways are than the plain ones, measured side by side in one run."""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from stylemask_demo.moving import preview
from stylemask_demo.networks.stylegan2_layers import ModulatedConv2d, modulated_convolution_reference
from stylemask_demo.reenactor import Reenactor

ROUNDS = 7


def main(argv: list[str]) -> int:
    """Prints a table of milliseconds and ratios; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stylemask_demo bench", description="Compares fast and plain ways side by side on this machine."
    )
    parser.add_argument("--pack", default="synthetic", help="name or folder of the pack")
    options = parser.parse_args(argv)
    reenactor = Reenactor.from_pack(options.pack)
    print(f"{torch.get_num_threads()} threads, {reenactor.device}, pack {reenactor.info.name}\n")
    print("| what | fast (ms) | plain (ms) | ratio |\n|---|---|---|---|")
    for what, fast, plain in [_modulation(), _slider(reenactor), _hand(reenactor), _batch(reenactor)]:
        quick, slow = side_by_side(fast, plain)
        print(f"| {what} | {quick:.1f} | {slow:.1f} | {slow / quick:.1f} |")
    return 0


def side_by_side(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Median milliseconds of two functions, called in turn so that a busy moment strikes both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for function, spent in zip((first, second), times, strict=True):
            began = time.perf_counter()
            function()
            spent.append((time.perf_counter() - began) * 1000)
    # The first round warms up.
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])


def _modulation() -> tuple[str, Callable, Callable]:
    layer = ModulatedConv2d(512, 512, 3, 512).eval().requires_grad_(False)  # most of a published generator's are so wide
    x, style, bias = torch.randn(8, 512, 16, 16), torch.rand(8, 512) + 0.5, torch.zeros(512)
    what = "modulated convolution at 16 px: on activations, against on weights sample by sample"
    return what, lambda: layer(x, style, bias), lambda: modulated_convolution_reference(layer, x, style, bias)


def _slider(reenactor: Reenactor) -> tuple[str, Callable, Callable]:
    face = reenactor.sample(0)
    portrait = reenactor.portrait(face)
    shades = iter(range(256))

    def new_picture() -> Image.Image:
        other = np.array(face)
        other[0, 0] = next(shades)
        return reenactor.edit(Image.fromarray(other), yaw=10)

    return "slider move: remembered portrait, against a new picture", lambda: reenactor.edit(portrait, yaw=10), new_picture


def _hand(reenactor: Reenactor) -> tuple[str, Callable, Callable]:
    portrait, values = reenactor.portrait(reenactor.sample(0)), {"yaw": 10.0}
    what = "slider move: by what was learned of the portrait, against looked at and corrected"
    return what, lambda: preview(reenactor, portrait, values), lambda: reenactor.edit(portrait, yaw=10)


def _batch(reenactor: Reenactor) -> tuple[str, Callable, Callable]:
    seeds = list(range(4))
    return (
        "four samples: in one batch, against one by one",
        lambda: reenactor.sample(seeds),
        lambda: [reenactor.sample(seed) for seed in seeds],
    )

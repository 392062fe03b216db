"""A training of a pack in a minute: few pictures, two steps. Also run as a program, by each process of a training."""

import functools
import sys
from dataclasses import replace

import pytest
import torch

from stylemask_demo.training import command, factors, pipeline, presets
from stylemask_demo.training.directions import calibrate

ARGUMENTS = ["all", "--preset", "cpu", "--steps", "2"]  # beside the folders


def shrink(patch: pytest.MonkeyPatch, precision: str = "no") -> None:
    """Let the CPU's preset take small batches and make few faces and pairs, and leave out what changes no result."""
    plans = {network: replace(plan, batch=min(plan.batch, 8)) for network, plan in presets.PRESETS["cpu"].plans.items()}
    patch.setitem(presets.PRESETS, "cpu", presets.Preset(plans, bank=32, pairs=12, precision=precision))
    patch.setattr(pipeline, "calibrate", functools.partial(calibrate, people=4))
    patch.setattr(factors, "CROSS_EVERY", 1)  # both kinds of swaps in two steps
    patch.setattr(torch, "compile", lambda module, **options: module)  # it takes a minute


if __name__ == "__main__":
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        sys.exit(command.main([*ARGUMENTS, *sys.argv[1:]]))

"""A training in a minute: few pictures, two steps. Also run as a program, by each process of a training."""

import functools
import sys
from dataclasses import replace

import pytest
import torch

from stylemask_demo.generator import inversion
from stylemask_demo.training import command, correspondence, details, directions, factors, masks, pipeline, presets

ARGUMENTS = ["--preset", "cpu", "--steps", "2"]  # beside what is trained and the folders


def shrink(patch: pytest.MonkeyPatch, precision: str = "no") -> None:
    """Let the CPU's preset take small batches and make few faces and pairs, and leave out what changes no result."""
    plans = {network: replace(plan, batch=min(plan.batch, 4)) for network, plan in presets.PRESETS["cpu"].plans.items()}
    patch.setitem(presets.PRESETS, "cpu", presets.Preset(plans, bank=16, pairs=8, precision=precision))
    patch.setattr(pipeline, "calibrate", functools.partial(directions.calibrate, people=2))
    for module in (directions, factors, masks):
        patch.setattr(module, "PEOPLE_SHOWN", 2)
    for module in (correspondence, details):
        patch.setattr(module, "PAIRS_SHOWN", 2)
    patch.setattr(inversion, "STEPS", 1)
    patch.setattr(factors, "CROSS_EVERY", 1)  # both kinds of swaps in two steps
    patch.setattr(torch, "compile", lambda module, **options: module)  # it takes a minute


if __name__ == "__main__":
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        sys.exit(command.main([*sys.argv[1:], *ARGUMENTS]))

"""The command `train`: one network after another, each resumable, and the pack that they make together."""

import argparse
from pathlib import Path

import torch
from accelerate import Accelerator

from stylemask_demo.training.presets import NETWORKS, PRESETS
from stylemask_demo.training.workshop import Workshop


def main(argv: list[str]) -> int:
    """Trains the networks named on the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stylemask_demo train",
        description="Trains the embedded pack's networks on labelled pictures of people. Run again to go on after an "
        "interruption; started by `accelerate launch`, several processes share the work.",
    )
    parser.add_argument(
        "network",
        choices=["all", *NETWORKS, "pack"],
        help="'all' goes from pictures to the finished pack; a name trains that network, in this order; "
        "'pack' writes the pack and its model card",
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with train-*.tar/.npz and validation.tar/.npz, as `render` makes"
    )
    parser.add_argument(
        "--preset", choices=PRESETS, default="gpu" if torch.cuda.is_available() else "cpu", help="how long, how large"
    )
    parser.add_argument("--run", type=Path, default=Path("runs/synthetic"), help="folder of checkpoints and sheets")
    parser.add_argument("--steps", type=int, help="optimiser steps of each network, in place of the preset's")
    parser.add_argument("--pack", type=Path, default=Path("checkpoints/synthetic"), help="folder that the pack goes to")
    options = parser.parse_args(argv)
    preset = PRESETS[options.preset]
    accelerator = Accelerator(mixed_precision=preset.precision, cpu=not torch.cuda.is_available())
    before = torch.get_default_device()
    torch.set_default_device(accelerator.device)
    try:
        workshop = Workshop(options.data, options.run, preset, accelerator)
        for network in [*NETWORKS, "pack"] if options.network == "all" else [options.network]:
            if network == "pack":
                workshop.write(options.pack)
            else:
                workshop.train(network, options.steps)
    except FileNotFoundError as error:
        parser.exit(2, f"{error}. Train the networks in order, and give --data and --run the same for all.\n")
    finally:
        torch.set_default_device(before)
    return 0

"""The command `train`: one network after another, each resumable, and the pack that they make together."""

import argparse
from pathlib import Path

import torch

from stylemask_demo.training.loop import new_accelerator
from stylemask_demo.training.pipeline import TrainingPipeline
from stylemask_demo.training.presets import NETWORKS, PRESETS
from stylemask_demo.training.published import train_on_pack


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
        "--on",
        metavar="PACK",
        help="name or folder of a pack, such as ffhq, whose generator 'masks' or 'directions' are trained for, on faces "
        "sampled from it; needs no --data, and saves into that pack unless --pack is given",
    )
    parser.add_argument(
        "--data", type=Path, help="folder with train-*, scene-* and validation, each .tar and .npz, as `render` makes"
    )
    parser.add_argument(
        "--preset", choices=PRESETS, default="gpu" if torch.cuda.is_available() else "cpu", help="how long, how large"
    )
    parser.add_argument("--run", type=Path, help="folder of checkpoints and sheets (default: runs/NAME of the pack)")
    parser.add_argument("--steps", type=int, help="optimiser steps of each network, in place of the preset's")
    parser.add_argument("--pack", type=Path, help="folder that the pack goes to (default: checkpoints/synthetic)")
    options = parser.parse_args(argv)
    if (options.on is None) == (options.data is None):
        parser.exit(2, "Give --data, or --on with the pack whose generator is to be trained for.\n")
    folder = options.run or Path("runs") / Path(options.on or "synthetic").name
    preset = PRESETS[options.preset]
    accelerator = new_accelerator(preset.precision)
    before = torch.get_default_device()
    # Accelerate numbers the CPU of each process; files cannot be loaded onto a numbered one.
    torch.set_default_device("cpu" if accelerator.device.type == "cpu" else accelerator.device)
    try:
        if options.on is not None:
            print(train_on_pack(options.on, options.network, folder, preset, accelerator, options.steps, options.pack))
            return 0
        workshop = TrainingPipeline(options.data, folder, preset, accelerator)
        if options.network == "all":
            workshop.check_data()  # now, and not after hours
        for network in [*NETWORKS, "pack"] if options.network == "all" else [options.network]:
            if network == "pack":
                workshop.write(options.pack or Path("checkpoints/synthetic"))
            else:
                workshop.train(network, options.steps)
    except FileNotFoundError as error:
        parser.exit(2, f"{error}. Train the networks in order, and give --data and --run the same for all.\n")
    finally:
        torch.set_default_device(before)
    return 0

"""The command `stand-in`: a pack made here, in a published pack's layout, that draws and reads rendered people."""

import argparse
from pathlib import Path

import torch

from stylemask_demo.packs.catalogue import PUBLISHED, SIZES
from stylemask_demo.training.stand_in.files import stand_in

PEOPLE, STEPS, MEASURED = 1000, 400, 300
PACK = "pack"  # folder of the pack, in that of the files


def main(argv: list[str]) -> int:
    """Makes the files that the command line asks for, and the pack of them; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stylemask_demo stand-in",
        description="Makes files in the layout of a published pack whose networks draw and read rendered people, and the "
        f"pack that a download would make of them, in FOLDER/{PACK}: to try all that is done with a published pack where "
        "its weights cannot be had.",
    )
    parser.add_argument("name", choices=PUBLISHED, help="the pack")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where its files go")
    parser.add_argument("--size", type=int, choices=SIZES, help="pixels a side of its pictures (default: as published)")
    parser.add_argument("--people", type=int, default=PEOPLE, help="random people to learn from (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=STEPS, help="of training each reader (default: %(default)s)")
    parser.add_argument("--measured", type=int, default=MEASURED, help="people to measure directions on (%(default)s)")
    options = parser.parse_args(argv)
    torch.manual_seed(0)
    made = stand_in(options.name, options.size, options.people, options.steps, options.measured)
    for path in made.write(options.folder):
        print(path)
    print(made.convert(options.folder, options.folder / PACK).folder)
    return 0

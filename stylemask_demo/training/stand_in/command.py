"""The command `stand-in`: a published pack's files, made here, that draw and read rendered people."""

import argparse
from pathlib import Path

import torch

from stylemask_demo.packs.catalogue import PUBLISHED
from stylemask_demo.training.stand_in.files import stand_in

PEOPLE, MINUTES, MEASURED = 1500, 6.0, 600


def main(argv: list[str]) -> int:
    """Makes the files that the command line asks for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stylemask_demo stand-in",
        description="Makes files in the layout of a published pack whose networks draw and read rendered people: to try "
        "all that is done with the pack where its weights cannot be had. 'packs download NAME --from FOLDER' makes a pack "
        "of them; set STYLEMASK_HOME to another folder then, because a published file is not replaced by another one.",
    )
    parser.add_argument("name", choices=PUBLISHED, help="the pack")
    parser.add_argument("folder", type=Path, help="where its files go")
    parser.add_argument("--people", type=int, default=PEOPLE, help="random people to learn from (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of training each reader (default: %(default)g)")
    parser.add_argument("--measured", type=int, default=MEASURED, help="people to measure directions on (%(default)s)")
    options = parser.parse_args(argv)
    torch.manual_seed(0)
    made = stand_in(options.name, options.people, 60 * options.minutes, options.measured)
    for path in made.write(options.folder):
        print(path)
    return 0

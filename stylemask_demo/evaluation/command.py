"""The command `evaluate`: all measurements on a folder of labelled people, as a table or as JSON."""

import argparse
import json
from pathlib import Path

from stylemask_demo.evaluation.protocol import (
    Measured,
    measure_edits,
    measure_inversion,
    measure_parameters,
    measure_reenactment,
    read_faces,
)
from stylemask_demo.reenactor import Reenactor


def main(argv: list[str]) -> int:
    """Prints the measurements; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stylemask_demo evaluate", description="Measures a pack on labelled pictures of people."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with validation.tar and validation.npz")
    parser.add_argument("--pack", default="synthetic", help="name or folder of the pack")
    parser.add_argument("--pairs", type=int, default=200, help="cross pairs for reenactment")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a Markdown table")
    options = parser.parse_args(argv)
    if not (options.data / "validation.npz").is_file():
        parser.exit(2, f"There is no validation.npz in {options.data}: name a folder of labelled faces.\n")
    table = evaluate(Reenactor.from_pack(options.pack), options.data, options.pairs)
    if options.json:
        print(json.dumps(table, indent=1))
    else:
        print("| measured | value |\n|---|---|")
        print("\n".join(f"| {name} | {value:.3f} |" for name, value in table.items()))
    return 0


def evaluate(reenactor: Reenactor, data: Path, pairs: int) -> Measured:
    """All measurements by name."""
    faces, missed = read_faces(reenactor, data)
    table = {"pictures": float(len(faces) + missed), "no face found": float(missed)}
    table |= measure_parameters(faces) | measure_inversion(reenactor, faces)
    for method in reenactor.methods:
        table |= measure_reenactment(reenactor, faces, method, pairs)
    return table | measure_edits(reenactor, faces)

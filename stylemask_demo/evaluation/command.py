"""The command `evaluate`: all measurements on a folder of labelled people, as a table or as JSON."""

import argparse
import json
from pathlib import Path

from stylemask_demo.evaluation.pictures import reenactment_sheet, sample_sheet, slider_sheet
from stylemask_demo.evaluation.protocol import (
    Face,
    Measured,
    measure_edits,
    measure_inversion,
    measure_parameters,
    measure_reenactment,
    read_faces,
)
from stylemask_demo.reenactor import Reenactor
from stylemask_demo.sheets import contact_sheet


def main(argv: list[str]) -> int:
    """Prints the measurements; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stylemask_demo evaluate", description="Measures a pack on labelled pictures of people."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with validation.tar and validation.npz")
    parser.add_argument("--pack", default="synthetic", help="name or folder of the pack")
    parser.add_argument("--pairs", type=int, default=200, help="cross pairs for reenactment")
    parser.add_argument("--sheets", type=Path, help="folder into which contact sheets are drawn")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a Markdown table")
    options = parser.parse_args(argv)
    if not (options.data / "validation.npz").is_file():
        parser.exit(2, f"There is no validation.npz in {options.data}: name a folder of labelled faces.\n")
    reenactor = Reenactor.from_pack(options.pack)
    faces, missed = read_faces(reenactor, options.data)
    table = {"pictures": float(len(faces) + missed), "no face found": float(missed)}
    table |= evaluate(reenactor, faces, options.pairs)
    if options.sheets:
        draw_sheets(reenactor, faces, options.sheets)
    if options.json:
        print(json.dumps(table, indent=1))
    else:
        print("| measured | value |\n|---|---|")
        print("\n".join(f"| {name} | {value:.3f} |" for name, value in table.items()))
    return 0


def evaluate(reenactor: Reenactor, faces: list[Face], pairs: int) -> Measured:
    """All measurements by name."""
    table = measure_parameters(faces) | measure_inversion(reenactor, faces)
    for method in reenactor.methods:
        table |= measure_reenactment(reenactor, faces, method, pairs)
    return table | measure_edits(reenactor, faces)


def draw_sheets(reenactor: Reenactor, faces: list[Face], folder: Path) -> None:
    """Writes contact sheets of reenactments by each method, slider sweeps, inversions and random people."""
    folder.mkdir(parents=True, exist_ok=True)
    people = {face.person: face.portrait for face in faces}
    portraits = list(people.values())
    for method in reenactor.methods:
        sheet = reenactment_sheet(reenactor, portraits[:6], portraits[6:12], method)
        sheet.save(folder / f"reenactment-{method}.webp", quality=88)
    slider_sheet(reenactor, portraits[:3]).save(folder / "sliders.webp", quality=88)
    sample_sheet(reenactor).save(folder / "samples.webp", quality=88)
    pairs = [picture for p in portraits[:32] for picture in (p.crop, p.inversion)]
    contact_sheet(pairs, 8).save(folder / "inversions.webp", quality=88)

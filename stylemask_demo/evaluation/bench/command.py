"""The command line of `bench`."""

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path

import torch

from stylemask_demo.evaluation.bench.clock import OPERATIONS, Clock, convolution, peak_memory
from stylemask_demo.evaluation.bench.plain import operations
from stylemask_demo.evaluation.bench.report import Report, Row, Share, to_markdown
from stylemask_demo.evaluation.bench.work import Work, ffhq_shapes, film_work, picture_work, slider_work, synthesis_work
from stylemask_demo.reenactor import Reenactor

FFHQ = "1024 px, shapes of ffhq: "
PRECISIONS = ("float32", "bfloat16")


def main(argv: list[str]) -> int:
    """Prints the tables, and writes them with `--json`; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stylemask_demo bench", description="Measures what this machine needs for each kind of work."
    )
    parser.add_argument("--pack", default="synthetic", help="name or folder of the pack")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where it is computed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the numbers go; the tables go beside it as .md")
    options = parser.parse_args(argv)
    report = measure(Reenactor.from_pack(options.pack, options.device))
    text = to_markdown(report)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(asdict(report), indent=1) + "\n")
        options.json.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def measure(reenactor: Reenactor) -> Report:
    """Measures all that a pack can do, and the shapes of `ffhq`, on the device of the pack."""
    clock, device = Clock(reenactor.device), reenactor.device
    with peak_memory(device) as memory:
        peaks, rows, shares = _measured(clock, reenactor, _works(reenactor))
        used = round(memory())
    shapes = ffhq_shapes(reenactor)
    _, more, others = _measured(clock, shapes, picture_work(shapes, reenactor, FFHQ), FFHQ)
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads"
    machine = cores if device.type == "cpu" else torch.cuda.get_device_name(device)
    return Report(machine, device.type, reenactor.info.name, peaks, rows + more, shares + others, used)


def _works(reenactor: Reenactor) -> list[Work]:
    works = []
    if "stylemask" in reenactor.methods:
        works += picture_work(reenactor, reenactor) + film_work(reenactor)
    if reenactor.pipeline.networks.directions is not None:
        works += slider_work(reenactor)
    return works


def _measured(
    clock: Clock, reenactor: Reenactor, works: list[Work], prefix: str = ""
) -> tuple[dict[str, float], list[Row], list[Share]]:
    """Operations a second of the convolution by precision, all work, and the part of these that synthesis reaches."""
    drawn, needed = synthesis_work(reenactor), operations(reenactor.pipeline.networks.generator)
    seconds = clock.medians(
        {
            **{("convolution", name): convolution(clock.device, getattr(torch, name)) for name in PRECISIONS},
            **{("synthesis", name): work for name, work in drawn.items()},
            **{("fast", work.what): work.do for work in works},
            **{("plain", work.what): work.plainly for work in works if work.plainly},
        }
    )
    unit, rows = seconds["convolution", "float32"], []
    for what, _, results, plainly in works:
        taken = seconds["fast", what]
        plain = seconds["plain", what] / taken if plainly else None
        rows.append(Row(what, taken / results, taken / results / unit, plain))
    peaks = {name: OPERATIONS / seconds["convolution", name] for name in PRECISIONS}
    shares = []
    for name in drawn:
        taken = seconds["synthesis", name]
        shares.append(Share(f"{prefix}synthesis alone, {name}", taken, needed, needed / taken / peaks[name]))
    return peaks, rows, shares

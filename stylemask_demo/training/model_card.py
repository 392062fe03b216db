"""The model card: what a pack was trained on, for how long and on which machine, what it is for and what it is not."""

import json
import platform
from pathlib import Path

import numpy as np
import torch

from stylemask_demo.training.presets import NETWORKS

SHARDS = {"training": "train-*", "training of factors and details": "scene-*", "validation": "validation"}

USE = """## Intended use

Reenacting and editing pictures of faces in the demo of this project, offline, as a subject of study, and as a stand-in for
packs trained on photographs. Use only faces of people who agreed to it.

## Limits

Every picture that it was trained on is rendered: it understands photographs by what they have in common with renderings,
and what it draws looks like the rendered people. It knows heads turned by up to about 45 degrees, indoor light, no hands
before the face and no headgear. It must not be used to tell who somebody is: the identity network compares rendered
people and has never seen two photographs of one person.
"""


def write_card(pack: Path, run: Path, data: Path, device: torch.device) -> Path:
    """Writes `MODEL_CARD.md` into the folder of a pack from the histories in the folder of its run.

    A table of measurements that `evaluate --json` left in the run as `evaluation.md` is taken in. Returns the path.
    """
    rows = []
    for network in NETWORKS:
        history = json.loads((run / f"{network}.json").read_text())
        last = history[-1]
        terms = ", ".join(f"{name} {value:.3g}" for name, value in last.items() if name not in ("step", "seconds"))
        rows.append(f"| {network} | {last['step']} | {last['seconds'] / 60:.0f} | {terms} |")
    people = {name: _count(data, pattern) for name, pattern in SHARDS.items()}
    measured = run / "evaluation.md"
    parts = [
        "# Model card: rendered people, 256 px",
        "Written by `python -m stylemask_demo train`. The licence is MIT, as that of the project.",
        "## Data",
        "\n".join(f"- {name}: {count} pictures of {persons} rendered people" for name, (count, persons) in people.items()),
        "## Training",
        f"Machine: {_machine(device)}. PyTorch {torch.__version__}. Seeds are fixed: step n draws what seed n gives.",
        "| network | steps | minutes | losses at the end |\n|---|---|---|---|\n" + "\n".join(rows),
        *(["## Measurements", measured.read_text().strip()] if measured.exists() else []),
        USE,
    ]
    card = pack / "MODEL_CARD.md"
    card.write_text("\n\n".join(parts), encoding="utf-8")
    return card


def _count(data: Path, pattern: str) -> tuple[int, int]:
    shards = [np.load(path)["person"] for path in sorted(data.glob(f"{pattern}.npz"))]
    persons = np.concatenate([np.zeros(0), *shards])
    return len(persons), len(np.unique(persons))


def _machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} processor, {torch.get_num_threads()} threads a process"

"""A training of one layer for some steps; run as a program by each process of a training, which keeps what it has seen."""

import os
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from stylemask_demo.training.loop import Task, run


def main(folder: Path) -> None:
    """Trains, and writes all batches (steps, 8, 4) and the layer's weights into a file named after the process."""
    torch.set_num_threads(1)
    torch.manual_seed(3)
    layer, late = nn.Linear(4, 1), nn.Linear(4, 1)  # one of them is of no use in the first steps
    seen: list[Tensor] = []

    def loss(step: int, done: float) -> dict[str, Tensor]:
        seen.append(torch.randn(8, 4))
        losses = {"square": layer(seen[-1]).square().mean()}
        return losses | ({"late": late(seen[-1]).square().mean()} if step >= 3 else {})

    optimiser = torch.optim.SGD([*layer.parameters(), *late.parameters()], lr=0.1)
    modules = {"layer": layer, "late": late}
    run(Task("toy", modules, optimiser, loss, steps=6, seconds=1000.0, warm_up=1, decay_from=0.99), folder / "run")
    torch.save((torch.stack(seen), layer.state_dict()), folder / os.environ["RANK"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))

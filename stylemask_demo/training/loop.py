"""One resumable training loop for every network: schedule, running average of the weights, checkpoints, loss curves."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from PIL import Image
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import PARAM_LIST, AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from stylemask_demo.training.loss_curve import save_loss_curve

Losses = dict[str, Tensor]
Averages = dict[str, Any]  # the averaged modules by name, each of the class of the trained one


@dataclass
class Task:
    """One training run.

    `modules` are trained (and averaged), `loss(step, done)` returns the terms of the loss, already weighted; their sum is
    minimised by `optimiser`. `done` is the part of the run that is over, 0 to 1, by steps or by time, whichever is further.
    `sheet(averages)` draws a contact sheet with the averaged modules.
    """

    name: str
    modules: dict[str, nn.Module]
    optimiser: torch.optim.Optimizer
    loss: Callable[[int, float], Losses]
    sheet: Callable[[Averages], Image.Image] | None = None
    steps: int = 1000  # a rerun with more steps goes on from the checkpoint
    seconds: float = float("inf")  # of training, over all reruns, after which it ends before `steps`
    warm_up: int = 100  # steps of rising learning rate
    decay_from: float = 0.6  # part of the run after which the learning rate falls linearly to zero
    average: float = 0.998  # decay of the running average of the weights
    save_every: int = 200
    clip: float = 5.0  # largest norm of the gradient
    history: list[dict[str, float]] = field(default_factory=list)

    def rate(self, step: int, done: float) -> float:
        """What the learning rates are multiplied by at a step, 0 to 1."""
        return min(1.0, (step + 1) / self.warm_up, (1 - done) / (1 - self.decay_from))


class Objective(nn.Module):
    """The modules of a task with its loss as their forward pass.

    Accelerate shares gradients of what a forward pass has used, and the losses call more of the modules than that.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.trained = nn.ModuleDict(task.modules)
        self._loss = task.loss

    def forward(self, step: int, done: float) -> Losses:
        """The terms of the loss at a step; arguments as of `Task.loss`."""
        return self._loss(step, done)


def new_accelerator(precision: str = "no") -> Accelerator:
    """The accelerator that `run` needs: on a GPU if there is one, losses computed in a precision of accelerate's."""
    # Not every step uses every parameter: teachers take turns, and discriminators come late.
    sharing = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(mixed_precision=precision, cpu=not torch.cuda.is_available(), kwargs_handlers=[sharing])


def run(task: Task, folder: Path, accelerator: Accelerator | None = None) -> Averages:
    """Trains until the task's end, resuming from `folder/NAME.pt` when it is there; returns the averaged modules.

    Writes `NAME.pt` (everything needed to resume), `NAME.json` and `NAME-loss.png` (the loss curve) and, if the task
    draws one, `NAME-sheet.png`. The accelerator, of `new_accelerator`, says in which precision the loss is computed; if it
    has several processes, each draws its own batches and they share their gradients.
    """
    accelerator = accelerator or new_accelerator()
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{task.name}.pt"
    objective = Objective(task)
    averaged = _new_average(task, objective.trained)
    step = _resume(task, averaged, checkpoint) if checkpoint.exists() else 0
    spent = task.history[-1]["seconds"] if task.history else 0.0
    began, done = time.monotonic() - spent, max(step / task.steps, spent / task.seconds)
    schedule = LambdaLR(task.optimiser, lambda step: task.rate(step, done), last_epoch=step - 1)
    shared, optimiser = accelerator.prepare(objective, task.optimiser)
    sums: dict[str, float | Tensor] = {}
    counted = 0
    progress = tqdm(initial=step, total=task.steps, desc=task.name, mininterval=10, disable=not accelerator.is_main_process)
    while done < 1:
        torch.manual_seed(step * accelerator.num_processes + accelerator.process_index)
        losses = shared(step, done)
        optimiser.zero_grad()
        accelerator.backward(sum(losses.values()))
        for group in optimiser.param_groups:
            accelerator.clip_grad_norm_(group["params"], task.clip)
        optimiser.step()
        averaged.update_parameters(objective.trained)
        step += 1
        done = _done(task, step, time.monotonic() - began, accelerator)
        schedule.step()
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value.detach()
        counted += 1
        progress.update()
        if step % task.save_every == 0 or done >= 1:
            means = {name: float(value) / counted for name, value in sums.items()}
            task.history.append({"step": step, "seconds": round(time.monotonic() - began, 1), **means})
            progress.set_postfix({name: f"{value:.3g}" for name, value in means.items()})
            sums, counted = {}, 0
            if accelerator.is_main_process:
                _save(task, averaged, checkpoint, step)
    progress.close()
    accelerator.free_memory()
    accelerator.wait_for_everyone()
    return _averages(averaged)


def _done(task: Task, step: int, seconds: float, accelerator: Accelerator) -> float:
    """The part of the run that is over, 0 to 1: the same in all processes, so that they end together."""
    done = max(step / task.steps, seconds / task.seconds)
    if accelerator.num_processes > 1 and task.seconds < float("inf"):
        done = float(accelerator.reduce(torch.tensor(done, dtype=torch.float64), "mean"))
    return done


def _new_average(task: Task, trained: nn.ModuleDict) -> AveragedModel:
    """A running average whose decay rises to the task's, so that it soon forgets the weights that a run starts from."""

    def average(kept: PARAM_LIST, new: PARAM_LIST, count: Tensor | int) -> None:
        get_ema_multi_avg_fn(min(task.average, (int(count) + 1) / (int(count) + 10)))(kept, new, count)

    averaged = AveragedModel(trained, multi_avg_fn=average, use_buffers=True)
    return averaged.eval().requires_grad_(False)


def _averages(averaged: AveragedModel) -> Averages:
    return dict(cast(nn.ModuleDict, averaged.module).items())


def _save(task: Task, averaged: AveragedModel, checkpoint: Path, step: int) -> None:
    averages = _averages(averaged)
    state = {
        "step": step,
        "modules": {name: module.state_dict() for name, module in task.modules.items()},
        "averages": {name: module.state_dict() for name, module in averages.items()},
        "optimiser": task.optimiser.state_dict(),
        "history": task.history,
    }
    partial = checkpoint.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(checkpoint)
    checkpoint.with_suffix(".json").write_text(json.dumps(task.history, indent=1))
    save_loss_curve(task.history, checkpoint.with_name(f"{task.name}-loss.png"))
    if task.sheet:
        with torch.no_grad():
            task.sheet(averages).save(checkpoint.with_name(f"{task.name}-sheet.png"))


def _resume(task: Task, averaged: AveragedModel, checkpoint: Path) -> int:
    state = torch.load(checkpoint, weights_only=True)
    for name, module in task.modules.items():
        module.load_state_dict(state["modules"][name])
        _averages(averaged)[name].load_state_dict(state["averages"][name])
    averaged.n_averaged.fill_(state["step"])  # one for each step
    task.optimiser.load_state_dict(state["optimiser"])
    task.history[:] = state["history"]
    return state["step"]


def load_averages(folder: Path, task_name: str, **modules: nn.Module) -> None:
    """Loads the averaged weights of a finished or running task into `modules`, by name.

    Raises FileNotFoundError when the task has not saved any in the folder.
    """
    state = torch.load(folder / f"{task_name}.pt", weights_only=True)["averages"]
    for name, module in modules.items():
        module.load_state_dict(state[name])

"""One resumable training loop for every network: schedule, running average of the weights, checkpoints, loss curves."""

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate import Accelerator
from PIL import Image, ImageDraw
from torch import Tensor, nn
from tqdm import tqdm

Losses = dict[str, Tensor]


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
    sheet: Callable[[dict[str, nn.Module]], Image.Image] | None = None
    steps: int = 1000  # a rerun with more steps goes on from the checkpoint
    seconds: float = float("inf")  # of training, over all reruns, after which it ends before `steps`
    warm_up: int = 100  # steps of rising learning rate
    decay_from: float = 0.6  # part of the run after which the learning rate falls linearly to zero
    average: float = 0.998  # decay of the running average of the weights
    save_every: int = 200
    clip: float = 5.0  # largest norm of the gradient
    history: list[dict[str, float]] = field(default_factory=list)


def run(task: Task, folder: Path, accelerator: Accelerator | None = None) -> dict[str, nn.Module]:
    """Trains until the task's end, resuming from `folder/NAME.pt` when it is there; returns the averaged modules.

    Writes `NAME.pt` (everything needed to resume), `NAME.json` and `NAME-loss.png` (the loss curve) and, if the task
    draws one, `NAME-sheet.png`. The accelerator says in which precision the loss is computed; if it has several processes,
    each draws its own batches and they share their gradients.
    """
    accelerator = accelerator or Accelerator(cpu=not torch.cuda.is_available())
    folder.mkdir(parents=True, exist_ok=True)
    averages = {name: copy.deepcopy(module).eval().requires_grad_(False) for name, module in task.modules.items()}
    checkpoint = folder / f"{task.name}.pt"
    step = _resume(task, averages, checkpoint) if checkpoint.exists() else 0
    spent = task.history[-1]["seconds"] if task.history else 0.0
    base_rates = [group.setdefault("base_lr", group["lr"]) for group in task.optimiser.param_groups]
    sums: dict[str, float] = {}
    began, counted = time.monotonic() - spent, 0
    done = max(step / task.steps, spent / task.seconds)
    progress = tqdm(initial=step, total=task.steps, desc=task.name, mininterval=10, disable=not accelerator.is_main_process)
    while done < 1:
        factor = min(1.0, (step + 1) / task.warm_up, (1 - done) / (1 - task.decay_from))
        for group, rate in zip(task.optimiser.param_groups, base_rates, strict=True):
            group["lr"] = rate * factor
        torch.manual_seed(step * accelerator.num_processes + accelerator.process_index)
        with accelerator.autocast():
            losses = task.loss(step, done)
        task.optimiser.zero_grad(set_to_none=True)
        accelerator.backward(sum(losses.values()))
        step += 1
        done = max(step / task.steps, (time.monotonic() - began) / task.seconds)
        if accelerator.num_processes > 1:
            done = _share(task, done, accelerator)
        for group in task.optimiser.param_groups:
            nn.utils.clip_grad_norm_(group["params"], task.clip)
        task.optimiser.step()
        _average(task, averages, min(task.average, step / (step + 9)))
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
                _save(task, averages, checkpoint, step)
    progress.close()
    accelerator.wait_for_everyone()
    return averages


def _share(task: Task, done: float, accelerator: Accelerator) -> float:
    """Replaces the gradients by their mean over the processes; returns the mean of `done`, so that all end together."""
    gradients = [p.grad for group in task.optimiser.param_groups for p in group["params"] if p.grad is not None]
    flat = torch.cat([*(gradient.flatten() for gradient in gradients), torch.tensor([done])])
    flat = accelerator.reduce(flat, "mean")
    for gradient, mean in zip(gradients, flat[:-1].split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))
    return float(flat[-1])


@torch.no_grad()
def _average(task: Task, averages: dict[str, nn.Module], decay: float) -> None:
    for name, module in task.modules.items():
        for kept, new in zip(averages[name].state_dict().values(), module.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - decay)
            else:
                kept.copy_(new)


def _save(task: Task, averages: dict[str, nn.Module], checkpoint: Path, step: int) -> None:
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
    _draw_curve(task.history).save(checkpoint.with_name(f"{task.name}-loss.png"))
    if task.sheet:
        with torch.no_grad():
            task.sheet(averages).save(checkpoint.with_name(f"{task.name}-sheet.png"))


def _resume(task: Task, averages: dict[str, nn.Module], checkpoint: Path) -> int:
    state = torch.load(checkpoint, weights_only=True)
    for name, module in task.modules.items():
        module.load_state_dict(state["modules"][name])
        averages[name].load_state_dict(state["averages"][name])
    task.optimiser.load_state_dict(state["optimiser"])
    task.history[:] = state["history"]
    return state["step"]


def load_averages(folder: Path, task_name: str, **modules: nn.Module) -> None:
    """Loads the averaged weights of a finished or running task into `modules`, by name."""
    state = torch.load(folder / f"{task_name}.pt", weights_only=True)["averages"]
    for name, module in modules.items():
        module.load_state_dict(state[name])


def _draw_curve(history: list[dict[str, float]], width: int = 640, height: int = 320) -> Image.Image:
    """Every term of the loss over the steps, each scaled to its own maximum."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    last = max(history[-1]["step"], 1)
    colours = [
        "#c0392b",
        "#2980b9",
        "#27ae60",
        "#8e44ad",
        "#d35400",
        "#16a085",
        "#2c3e50",
        "#7f8c8d",
        "#b7950b",
    ]
    names = [name for name in history[-1] if name not in ("step", "seconds")]
    for i, name in enumerate(names):
        values = [(row["step"], row[name]) for row in history if name in row]
        top = max(value for _, value in values) or 1.0
        points = [(10 + (width - 20) * s / last, height - 10 - (height - 20) * v / top) for s, v in values]
        colour = colours[i % len(colours)]
        if len(points) > 1:
            draw.line(points, fill=colour, width=2)
        draw.text((width - 190, 8 + 13 * i), f"{name}: {values[-1][1]:.4g} (max {top:.3g})", fill=colour)
    return picture

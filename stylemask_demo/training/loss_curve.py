"""The picture of a training run: every term of the loss over the steps."""

from collections.abc import Sequence
from pathlib import Path


def save_loss_curve(history: Sequence[dict[str, float]], path: Path) -> None:
    """Draws every term of the loss over the steps, each as a part of its own maximum, into a PNG file.

    `history` has one dictionary for each moment, oldest first, with `step`, `seconds` and the terms by name, of which some
    may be missing in some. Needs matplotlib.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    for name in (name for name in history[-1] if name not in ("step", "seconds")):
        rows = [row for row in history if name in row]
        top = max(row[name] for row in rows) or 1.0
        label = f"{name}: {rows[-1][name]:.4g} (max {top:.3g})"
        axes.plot([row["step"] for row in rows], [row[name] / top for row in rows], label=label)
    axes.set(xlabel="step", ylabel="part of the maximum", ylim=(0, 1.02))
    figure.legend(loc="outside right upper", fontsize="small", frameon=False)
    figure.savefig(path)

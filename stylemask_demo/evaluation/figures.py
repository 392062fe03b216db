"""Charts of the measurements, drawn with matplotlib: errors by group, and commanded against measured slider changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stylemask_demo.evaluation.bars import WORST_GROUP
from stylemask_demo.evaluation.sliders import Sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAINT, BLUE, RED = "#c9ced8", "#3763c9", "#c4423a"
PLOTS_A_ROW = 5
BAR_HEIGHT, PLOT_SIDE = 0.27, 4.0  # inches


def group_chart(title: str, kinds: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Figure:
    """Bars of the pose error of each group; a red line stands at the largest error that a group may have.

    `kinds` is {kind of group: {group: values}} as `by_group` gives it, pose errors in degrees. Needs matplotlib.
    """
    from matplotlib.figure import Figure

    rows = [(f"{kind}: {name}", group) for kind, groups in kinds.items() for name, group in groups.items()]
    errors = [group["pose error"] for _, group in rows]
    # All groups have the same mean behind their ratios.
    limit = WORST_GROUP * errors[0] / max(rows[0][1]["ratio"], 1e-9)
    figure = Figure(figsize=(8, 1 + BAR_HEIGHT * len(rows)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh([name for name, _ in rows], errors, color=BLUE)
    axes.bar_label(bars, [f"{group['pose error']:.2f} ({group['count']})" for _, group in rows], padding=4)
    axes.axvline(limit, color=RED)
    axes.margins(x=0.15)
    axes.invert_yaxis()
    axes.set(title=f"{title}: pose error by group (degrees)")
    return figure


def slider_chart(sweeps: Sequence[Sweep]) -> Figure:
    """One plot for each slider: a dot for each person, a line through the means, and the ideal as a grey diagonal.

    Needs matplotlib.
    """
    from matplotlib.figure import Figure

    columns = min(len(sweeps), PLOTS_A_ROW)
    rows = -(-len(sweeps) // columns)
    figure = Figure(figsize=(PLOT_SIDE * columns, (PLOT_SIDE + 0.5) * rows), layout="constrained")
    plots = figure.subplots(rows, columns, squeeze=False).ravel()
    for empty in plots[len(sweeps) :]:
        empty.remove()
    for axes, sweep in zip(plots, sweeps, strict=False):
        reach = max(sweep.reach, float(np.abs(sweep.measured).max())) * 1.05
        numbers = sweep.measures()
        axes.axline((0, 0), slope=1, color=FAINT, linewidth=3)
        axes.plot(sweep.commanded, sweep.measured.T, ".", color=BLUE, markersize=4)
        axes.plot(sweep.commanded, sweep.measured.mean(0), color=RED)
        axes.grid(color=FAINT)
        axes.set(
            title=f"{sweep.slider}: slope {numbers['slope']:.2f}, R2 {numbers['R2']:.2f}",
            xlabel="commanded",
            ylabel="measured",
            xlim=(-reach, reach),
            ylim=(-reach, reach),
            aspect="equal",
        )
    return figure

"""Directions for a generator that has none: sampled faces are measured, and the directions fitted to them.

The published packs have a direction matrix for one generator only. For any other, codes of random people are regressed on
their face parameters, in W+ and in style space; both are tried on people that the fit has not seen, and the better one
is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from stylemask_demo.calibration.measuring import MeasuredPeople, codes_of, device_of, measure, number_of_samples
from stylemask_demo.calibration.regression import ridge_regression
from stylemask_demo.calibration.trials import Matrix, Trials, trial_pictures
from stylemask_demo.networks.direction_matrix import DirectionMatrix
from stylemask_demo.networks.style_direction_matrix import StyleDirectionMatrix
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.portraits.readers import ParameterReader

SPACES = ("w_plus", "style")  # in which directions are fitted, to keep the better ones
LAYERS = 8  # of W+ and of style space that are moved: pose and expression, not colours
RIDGES = (1.0, 10.0, 100.0, 1000.0)  # strengths of the regularisation that are tried, in samples
HELD_OUT = 0.15  # of the samples choose the regularisation

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Calibration:
    """A fitted matrix and how well it does.

    `report` holds plain values: `space` ("w_plus" or "style", the one kept), `held_out_error` of both (root mean square
    difference between commanded and measured change of all parameters, in their standard deviations over random faces, for
    a command of one of them: not to move at all gives 1, and what moves along adds to it), `ridge` of both, `slope` of each
    direction (measured over commanded change, 1 is perfect) and the number of `samples`.
    """

    matrix: Matrix
    arguments: dict[str, Any]  # that build it
    report: dict


class Fitted(NamedTuple):
    """Directions in one space as plain data: see `Calibration.report`."""

    space: str
    arguments: dict[str, Any]  # that build the matrix
    weights: np.ndarray
    error: float
    ridge: float
    slopes: list[float]


def calibrate(
    generator: Generator,
    reader: ParameterReader,
    samples: int | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Fit the directions of a generator.

    Args:
        generator: on the device where the work shall be done.
        reader: measures the faces; the directions are those of its readings.
        samples: number of random people, some hundreds or more; without it as many as suit the device.
        progress: called with the pictures made, all that will be, and what is being done; it may raise to stop.

    Raises:
        ValueError: too few samples to fit anything.
    """
    samples = number_of_samples(device_of(generator)) if samples is None else samples
    if samples < 100:
        raise ValueError(f"{samples} samples are too few: give at least 100.")
    tell = progress or (lambda done, total, what: None)
    trials = trial_pictures(reader)
    total = samples + len(SPACES) * trials
    parts, done = [], 0
    for part in measure(generator, reader, samples):
        parts.append(part)
        done += len(part)
        tell(done, total, "Measuring random people")

    def fitted(number: int, space: str) -> Fitted:
        before = samples + number * trials

        def made(count: int) -> None:
            tell(before + count, total, "Trying the directions")

        return fit(generator, reader, np.concatenate(parts), space, made)

    return best([fitted(number, space) for number, space in enumerate(SPACES)], samples)


@torch.inference_mode()
def fit(
    generator: Generator,
    reader: ParameterReader,
    values: np.ndarray,
    space: str,
    progress: Callable[[int], None] | None = None,
) -> Fitted:
    """Fit directions in one of `SPACES` to all that `measure` gave, `values` (N, D), and try them on other people.

    `progress` is called with the number of pictures made, of `trial_pictures`; it may raise to stop.
    """
    device = device_of(generator)
    w_plus = codes_of(generator, len(values), slice(None))
    bank = MeasuredPeople(w_plus, torch.from_numpy(values).to(device))
    codes = torch.cat(generator.styles(w_plus)[:LAYERS], 1) if space == "style" else w_plus[:, :LAYERS].flatten(1)
    weights, ridge = _regression(bank, codes)
    matrix_class, arguments = _matrix_of(generator, space, weights.shape[1])
    matrix = _matrix(matrix_class, arguments, weights)
    trials = Trials(generator, reader, bank, progress or (lambda count: None))
    slopes = trials.scale(matrix)
    return Fitted(space, arguments, matrix.linear.weight.cpu().numpy(), trials.error(matrix), ridge, slopes)


def best(fitted: Sequence[Fitted], samples: int) -> Calibration:
    """The directions with the smallest error, of what `fit` found in each space."""
    kept = min(fitted, key=lambda found: found.error)
    matrix_class = StyleDirectionMatrix if kept.space == "style" else DirectionMatrix
    report = {
        "space": kept.space,
        "samples": samples,
        "held_out_error": {found.space: round(found.error, 4) for found in fitted},
        "ridge": {found.space: found.ridge for found in fitted},
        "slope": [round(slope, 3) for slope in kept.slopes],
    }
    return Calibration(_matrix(matrix_class, kept.arguments, torch.from_numpy(kept.weights)), kept.arguments, report)


def _regression(bank: MeasuredPeople, codes: Tensor) -> tuple[Tensor, float]:
    """Ridge regression of codes (N, C) on the directions: the weights (C, D), and the strength of the regularisation.

    The strength is the one with the smallest error on the held-out samples.
    """
    known = len(codes) - round(HELD_OUT * len(codes))
    tried = []
    for ridge in RIDGES:
        found = ridge_regression(bank.values[:known], codes[:known], ridge / known * bank.spread**2)
        error = float((codes[known:] - found(bank.values[known:])).square().mean())
        tried.append((error, ridge, found.slope))
    _, ridge, slope = min(tried, key=lambda trial: trial[0])
    return slope.T.contiguous(), ridge


def _matrix_of(generator: Generator, space: str, count: int) -> tuple[type[Matrix], dict[str, Any]]:
    """Class and arguments of the matrix of `count` directions in a space."""
    if space == "style":
        return StyleDirectionMatrix, {"style_sizes": generator.style_sizes[:LAYERS], "num_directions": count}
    layers = min(LAYERS, generator.num_latents)
    return DirectionMatrix, {"num_directions": count, "num_layers": layers, "style_dim": generator.style_dim}


def _matrix(matrix_class: type[Matrix], arguments: dict[str, Any], weights: Tensor) -> Matrix:
    matrix = matrix_class(**arguments).eval().requires_grad_(False)
    matrix.linear.weight.copy_(weights)
    matrix.linear.bias.zero_()
    return matrix.to(weights.device)

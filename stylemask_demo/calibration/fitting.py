"""Directions for a generator that has none: sampled faces are measured, and the directions fitted to them.

The published packs have a direction matrix for one generator only. For any other, codes of random people are regressed on
their face parameters, in W+ and in style space; both are tried on people that the fit has not seen, and the better one
is kept.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from stylemask_demo.calibration.regression import ridge_regression
from stylemask_demo.downloads.locking import locked
from stylemask_demo.generator.sampling import draw_w, draw_z
from stylemask_demo.media.tensors import to_image
from stylemask_demo.methods.directions import move, move_styles
from stylemask_demo.networks.direction_matrix import DirectionMatrix
from stylemask_demo.networks.style_direction_matrix import StyleDirectionMatrix
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.packs import PackInfo
from stylemask_demo.packs.store import save_network, update_settings
from stylemask_demo.portraits.readers import ParameterReader

SAMPLES = 3000  # random people, unless another number is given
SAMPLES_ON_CPU = 600  # there a second each
PICTURE_SIDE = 256  # pixels of the pictures that are measured; a larger generator stops there
PICTURE_SIDE_ON_CPU = 128
SPACES = ("w_plus", "style")  # in which directions are fitted, to keep the better ones
LAYERS = 8  # of W+ and of style space that are moved: pose and expression, not colours
MIXED = 0.5  # of the samples take their finer layers from another person: it tells the layers apart
RIDGES = (1.0, 10.0, 100.0, 1000.0)  # strengths of the regularisation that are tried, in samples
HELD_OUT = 0.15  # of the samples choose the regularisation
PEOPLE = 16  # tried in each step of the measurement
SLOPES = (0.15, 1.5)  # measured over commanded change; outside of it a direction was not found
LARGEST_GAIN = 4.0  # more would drive whatever else is in a direction to the extreme
BYTES_PER_PICTURE = 150_000_000  # of memory that synthesis takes for one picture of 256 pixels, generously

Matrix = DirectionMatrix | StyleDirectionMatrix
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


class _Bank:
    """Random people: `w_plus` (N, L, style_dim) and `values` (N, D) along the directions."""

    def __init__(self, w_plus: Tensor, values: Tensor):
        self.w_plus, self.values = w_plus, values
        self.spread = values.std(0) + 1e-6  # (D,)


def uncalibrated(info: PackInfo) -> bool:
    """Whether a pack could have directions, but came without and has not got any yet."""
    return info.installed and "generator" in info.networks and "directions" not in info.networks


def number_of_samples(device: torch.device) -> int:
    """How many random people are measured on this device, unless another number is given."""
    return SAMPLES if device.type == "cuda" else SAMPLES_ON_CPU


def calibrating(folder: Path, progress: Progress | None = None) -> AbstractContextManager:
    """Let nobody else calibrate the pack in `folder`; waits for who does so already, and tells."""
    tell = progress or (lambda done, total, what: None)
    return locked(folder / ".directions.lock", tell, "Waiting for another program that does the same")


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
    samples = number_of_samples(_device(generator)) if samples is None else samples
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
def measure(generator: Generator, reader: ParameterReader, samples: int, first: int = 0) -> Iterator[np.ndarray]:
    """Yield where the people from number `first` on stand along the directions, (B, D) for the next B of `samples`.

    The people are the same every time, so that the work may be cut in pieces.
    """
    batch = _batch(generator)
    for start in range(first, samples, batch):
        w_plus = _codes(generator, samples, slice(start, min(start + batch, samples)))
        yield _measured(generator, reader, generator.styles(w_plus), generator.rgb_styles(w_plus)).cpu().numpy()


def trial_pictures(reader: ParameterReader) -> int:
    """Number of pictures that `fit` makes."""
    return 2 * PEOPLE * (len(reader.shift(0, 0, 0)) + 1)


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
    device = _device(generator)
    w_plus = _codes(generator, len(values), slice(None))
    bank = _Bank(w_plus, torch.from_numpy(values).to(device))
    codes = torch.cat(generator.styles(w_plus)[:LAYERS], 1) if space == "style" else w_plus[:, :LAYERS].flatten(1)
    weights, ridge = _regression(bank, codes)
    matrix_class, arguments = _matrix_of(generator, space, weights.shape[1])
    matrix = _matrix(matrix_class, arguments, weights)
    trials = _Trials(generator, reader, bank, progress or (lambda count: None))
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


def keep(calibration: Calibration, folder: Path) -> None:
    """Write the directions into the pack in `folder`, in place of earlier ones, with the report as its setting."""
    # The setting first: directions without it pass for the pack's own.
    update_settings(folder, calibration=calibration.report)
    save_network(folder, "directions", calibration.matrix, calibration.arguments, dtype=torch.float32)


class _Trials:
    """Moves people that the fit has not seen, and measures what comes of it."""

    def __init__(self, generator: Generator, reader: ParameterReader, bank: _Bank, progress: Callable[[int], None]):
        self.generator, self.reader, self.bank, self.progress = generator, reader, bank, progress
        self.w_plus = generator.repeat(draw_w(generator, 2 * PEOPLE, 1))
        self.start = _measured(generator, reader, generator.styles(self.w_plus), generator.rgb_styles(self.w_plus))
        self.made = 2 * PEOPLE
        progress(self.made)

    def scale(self, matrix: Matrix) -> list[float]:
        """Scale each direction, in place, so that the measured change is the commanded one; returns the slopes after it.

        A regression gives the right directions, but falls short where the parameters are read with noise.
        """
        people = slice(0, PEOPLE)
        slopes = []
        for direction in range(len(self.bank.spread)):
            change, shift = self._move(matrix, direction, people)
            slope = float((change[:, direction] * shift.sign()).mean() / shift.abs().mean())
            gain = 1.0
            if SLOPES[0] < slope < SLOPES[1]:  # else leave a direction alone that was not found
                gain = min(1 / slope, LARGEST_GAIN)
                matrix.linear.weight[:, direction] *= gain
            slopes.append(slope * gain)
        return slopes

    def error(self, matrix: Matrix) -> float:
        """Root mean square of commanded minus measured change of all parameters; in spreads, one of which is commanded."""
        people = slice(PEOPLE, 2 * PEOPLE)
        wrong = []
        for direction in range(len(self.bank.spread)):
            change, shift = self._move(matrix, direction, people)
            change[:, direction] -= shift
            wrong.append((change / self.bank.spread).square().sum(1).mean())
        return float(torch.stack(wrong).mean().sqrt())

    def _move(self, matrix: Matrix, direction: int, people: slice) -> tuple[Tensor, Tensor]:
        """Measured changes (P, D) when half of the people go forwards and half backwards by one spread; (P,) commanded."""
        w_plus, start = self.w_plus[people], self.start[people]
        shift = torch.zeros_like(start)
        shift[:, direction] = self.bank.spread[direction]
        shift[::2] *= -1
        styles, rgb_styles = self.generator.styles(w_plus), self.generator.rgb_styles(w_plus)
        if isinstance(matrix, StyleDirectionMatrix):
            styles = move_styles(matrix, styles, shift)
        else:
            moved = move(matrix, w_plus, shift)
            styles, rgb_styles = self.generator.styles(moved), self.generator.rgb_styles(moved)
        change = _measured(self.generator, self.reader, styles, rgb_styles) - start
        self.made += len(start)
        self.progress(self.made)
        return change, shift[:, direction].clone()


def _codes(generator: Generator, samples: int, people: slice) -> Tensor:
    """Codes (B, L, style_dim) of some of the random people, who are the same every time."""
    random = torch.Generator().manual_seed(0)
    z = draw_z(generator, 2 * samples, random).unflatten(0, (2, samples))[:, people]
    layer = torch.randint(1, generator.num_latents, (samples, 1), generator=random)[people]
    mixed = (torch.rand(samples, 1, generator=random) < MIXED)[people]
    device = _device(generator)
    w, other = (generator.map(part) for part in z)
    from_other = (mixed & (torch.arange(generator.num_latents) >= layer)).to(device)  # (B, L)
    return torch.where(from_other[..., None], other[:, None], w[:, None])


def _measured(generator: Generator, reader: ParameterReader, styles: list[Tensor], rgb_styles: list[Tensor]) -> Tensor:
    """Values (B, D) along the directions of the pictures of B codes."""
    size, batch = _side(generator), _batch(generator)
    values = []
    for first in range(0, len(styles[0]), batch):
        part = [[style[first : first + batch] for style in codes] for codes in (styles, rgb_styles)]
        pictures = [to_image(picture) for picture in generator.synthesise(*part, size)]
        values += [reading.directions for reading in reader.read(pictures)]
    return torch.from_numpy(np.stack(values)).float().to(styles[0].device)


def _regression(bank: _Bank, codes: Tensor) -> tuple[Tensor, float]:
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


def _device(generator: Generator) -> torch.device:
    return next(generator.parameters()).device


def _side(generator: Generator) -> int:
    """Pixels of the pictures that are measured."""
    return min(PICTURE_SIDE if _device(generator).type == "cuda" else PICTURE_SIDE_ON_CPU, generator.size)


def _batch(generator: Generator) -> int:
    """How many pictures fit in memory at once."""
    device = _device(generator)
    if device.type != "cuda":
        return 8
    free, _ = torch.cuda.mem_get_info(device)
    pixels = _side(generator) ** 2 / 256**2
    return int(min(max(free / 2 / (BYTES_PER_PICTURE * pixels), 1), 64))

"""Directions for a generator that has none: sampled faces are measured, and the directions fitted to them.

The published packs have a direction matrix for one generator only. For any other, codes of random people are regressed on
their face parameters, in W+ and in style space; both are tried on people that the fit has not seen, and the better one
is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stylemask_demo.methods.directions import move, move_styles
from stylemask_demo.networks.directions import DirectionMatrix, StyleDirectionMatrix
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.packs.store import save_network, update_settings
from stylemask_demo.reading import ParameterReader
from stylemask_demo.sheets import to_image

SAMPLES = 3000  # random people, unless another number is given
PICTURE_SIDE = 256  # pixels of the pictures that are measured; a larger generator stops there
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
    report: dict


class _Bank:
    """Random people: `w_plus` (N, L, style_dim) and `values` (N, D) along the directions."""

    def __init__(self, w_plus: Tensor, values: Tensor):
        self.w_plus, self.values = w_plus, values
        self.spread = values.std(0) + 1e-6  # (D,)


@torch.inference_mode()
def calibrate(
    generator: Generator,
    reader: ParameterReader,
    samples: int = SAMPLES,
    progress: Progress | None = None,
) -> Calibration:
    """Fit the directions of a generator.

    Args:
        generator: on the device where the work shall be done.
        reader: measures the faces; the directions are those of its readings.
        samples: number of random people, some hundreds or more.
        progress: called with the pictures made, all that will be, and what is being done; it may raise to stop.

    Raises:
        ValueError: too few samples to fit anything.
    """
    if samples < 100:
        raise ValueError(f"{samples} samples are too few: give at least 100.")
    count = len(reader.shift(0, 0, 0))
    steps = _Steps(samples + 2 * 2 * count * PEOPLE + 2 * PEOPLE, progress)
    bank = _sample(generator, reader, samples, steps)
    trials = _Trials(generator, reader, bank, steps)
    fitted = {}
    for space, codes in (("w_plus", _w_codes), ("style", _style_codes)):
        weights, ridge = _fit(bank, codes(generator, bank.w_plus))
        matrix = _matrix(generator, space, weights)
        slopes = trials.scale(matrix)
        error = trials.error(matrix)
        fitted[space] = (error, matrix, ridge, slopes)
    space = min(fitted, key=lambda name: fitted[name][0])
    _, matrix, _, slopes = fitted[space]
    report = {
        "space": space,
        "samples": samples,
        "held_out_error": {name: round(error, 4) for name, (error, *_) in fitted.items()},
        "ridge": {name: ridge for name, (_, _, ridge, _) in fitted.items()},
        "slope": [round(slope, 3) for slope in slopes],
    }
    return Calibration(matrix, report)


def keep(calibration: Calibration, folder: Path) -> None:
    """Write the directions into the pack in `folder`, in place of earlier ones, with the report as its setting."""
    matrix = calibration.matrix
    arguments = {"num_directions": matrix.linear.in_features}
    if isinstance(matrix, StyleDirectionMatrix):
        arguments |= {"style_sizes": matrix.style_sizes}
    else:
        arguments |= {"num_layers": matrix.num_layers, "style_dim": matrix.style_dim}
    save_network(folder, "directions", matrix, arguments, dtype=torch.float32)
    update_settings(folder, calibration=calibration.report)


class _Steps:
    """Counts pictures and tells."""

    def __init__(self, total: int, progress: Progress | None):
        self.done, self.total, self.progress = 0, total, progress

    def add(self, count: int, what: str) -> None:
        self.done = min(self.done + count, self.total)
        if self.progress is not None:
            self.progress(self.done, self.total, what)


class _Trials:
    """Moves people that the fit has not seen, and measures what comes of it."""

    def __init__(self, generator: Generator, reader: ParameterReader, bank: _Bank, steps: _Steps):
        self.generator, self.reader, self.bank, self.steps = generator, reader, bank, steps
        z = torch.randn(2 * PEOPLE, generator.style_dim, generator=torch.Generator().manual_seed(1))
        self.w_plus = generator.repeat(generator.map(z.to(bank.w_plus.device)))
        self.start = _measure(generator, reader, generator.styles(self.w_plus), generator.rgb_styles(self.w_plus))
        steps.add(2 * PEOPLE, "Measuring people to try on")

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
        self.steps.add(len(start), "Trying the directions")
        return _measure(self.generator, self.reader, styles, rgb_styles) - start, shift[:, direction].clone()


def _sample(generator: Generator, reader: ParameterReader, samples: int, steps: _Steps) -> _Bank:
    """Random people and what they measure. The same every time."""
    random = torch.Generator().manual_seed(0)
    device = next(generator.parameters()).device
    batch = _batch(generator, device)
    parts = []
    for first in range(0, samples, batch):
        count = min(batch, samples - first)
        w, other = (generator.map(torch.randn(count, generator.style_dim, generator=random).to(device)) for _ in range(2))
        layer = torch.randint(1, generator.num_latents, (count, 1), generator=random)
        mixed = torch.rand(count, 1, generator=random) < MIXED
        from_other = (mixed & (torch.arange(generator.num_latents) >= layer)).to(device)  # (count, L)
        w_plus = torch.where(from_other[..., None], other[:, None], w[:, None])
        parts.append((w_plus, _measure(generator, reader, generator.styles(w_plus), generator.rgb_styles(w_plus))))
        steps.add(count, "Measuring random people")
    return _Bank(*(torch.cat(part) for part in zip(*parts, strict=True)))


def _measure(generator: Generator, reader: ParameterReader, styles: list[Tensor], rgb_styles: list[Tensor]) -> Tensor:
    """Values (B, D) along the directions of the pictures of B codes."""
    device = styles[0].device
    size = min(PICTURE_SIDE, generator.size)
    batch = _batch(generator, device)
    values = []
    for first in range(0, len(styles[0]), batch):
        part = [[style[first : first + batch] for style in codes] for codes in (styles, rgb_styles)]
        pictures = [to_image(picture) for picture in generator.synthesise(*part, size)]
        values += [reading.directions for reading in reader.read(pictures)]
    return torch.from_numpy(np.stack(values)).float().to(device)


def _w_codes(generator: Generator, w_plus: Tensor) -> Tensor:
    return w_plus[:, :LAYERS].flatten(1)  # (N, LAYERS * style_dim)


def _style_codes(generator: Generator, w_plus: Tensor) -> Tensor:
    return torch.cat(generator.styles(w_plus)[:LAYERS], 1)  # (N, channels of the first layers)


def _fit(bank: _Bank, codes: Tensor) -> tuple[Tensor, float]:
    """Ridge regression of codes (N, C) on the directions: the weights (C, D), and the strength of the regularisation.

    The strength is the one with the smallest error on the held-out samples.
    """
    inputs = (bank.values - bank.values.mean(0)) / bank.spread  # (N, D)
    codes = codes - codes.mean(0)
    known = len(inputs) - round(HELD_OUT * len(inputs))
    gram, product = inputs[:known].T @ inputs[:known], inputs[:known].T @ codes[:known]
    identity = torch.eye(len(gram), device=gram.device)
    best = None
    for ridge in RIDGES:
        weights = torch.linalg.solve(gram + ridge * identity, product)  # (D, C)
        error = float((codes[known:] - inputs[known:] @ weights).square().mean())
        if best is None or error < best[0]:
            best = (error, ridge, weights)
    _, ridge, weights = best
    return (weights / bank.spread[:, None]).T.contiguous(), ridge


def _matrix(generator: Generator, space: str, weights: Tensor) -> Matrix:
    count = weights.shape[1]
    if space == "style":
        matrix = StyleDirectionMatrix(generator.style_sizes[:LAYERS], count)
    else:
        matrix = DirectionMatrix(count, min(LAYERS, generator.num_latents), generator.style_dim)
    matrix.linear.weight.copy_(weights)
    matrix.linear.bias.zero_()
    return matrix.to(weights.device).eval().requires_grad_(False)


def _batch(generator: Generator, device: torch.device) -> int:
    """How many pictures fit in memory at once."""
    if device.type != "cuda":
        return 8
    free, _ = torch.cuda.mem_get_info(device)
    pixels = min(PICTURE_SIDE, generator.size) ** 2 / 256**2
    return int(min(max(free / 2 / (BYTES_PER_PICTURE * pixels), 1), 64))

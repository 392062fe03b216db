"""Fitted directions tried on people that the fit has not seen."""

from collections.abc import Callable

import torch
from torch import Tensor

from stylemask_demo.calibration.measuring import MeasuredPeople, measured
from stylemask_demo.generator.sampling import draw_w
from stylemask_demo.methods.directions import move, move_styles
from stylemask_demo.networks.direction_matrix import DirectionMatrix
from stylemask_demo.networks.style_direction_matrix import StyleDirectionMatrix
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.portraits.readers import ParameterReader

PEOPLE = 16  # tried in each step of the measurement
SLOPES = (0.15, 1.5)  # measured over commanded change; outside of it a direction was not found
LARGEST_GAIN = 4.0  # more would drive whatever else is in a direction to the extreme

Matrix = DirectionMatrix | StyleDirectionMatrix


def trial_pictures(reader: ParameterReader) -> int:
    """Number of pictures that `fit` makes."""
    return 2 * PEOPLE * (len(reader.shift()) + 1)


class Trials:
    """Moves people that the fit has not seen, and measures what comes of it."""

    def __init__(
        self, generator: Generator, reader: ParameterReader, bank: MeasuredPeople, progress: Callable[[int], None]
    ):
        self.generator, self.reader, self.bank, self.progress = generator, reader, bank, progress
        self.w_plus = generator.repeat(draw_w(generator, 2 * PEOPLE, 1))
        self.start = measured(generator, reader, generator.styles(self.w_plus), generator.rgb_styles(self.w_plus))
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
        change = measured(self.generator, self.reader, styles, rgb_styles) - start
        self.made += len(start)
        self.progress(self.made)
        return change, shift[:, direction].clone()

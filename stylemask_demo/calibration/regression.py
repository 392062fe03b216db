"""Ridge regression: the linear map that predicts outputs from inputs, kept from growing by a penalty."""

from typing import NamedTuple

import torch
from torch import Tensor


class LinearFit(NamedTuple):
    """A fitted map: `slope` (D, C) and `constant` (C,)."""

    slope: Tensor
    constant: Tensor

    def __call__(self, inputs: Tensor) -> Tensor:
        """Outputs (N, C) that the map predicts from inputs (N, D)."""
        return inputs @ self.slope + self.constant


def ridge_regression(inputs: Tensor, outputs: Tensor, penalty: Tensor | float) -> LinearFit:
    """Fits outputs (N, C) to inputs (N, D) by least squares with a penalty on the squared slopes (Hoerl & Kennard 1970).

    `penalty`, one for all inputs or (D,), counts in the variance of the inputs: a share p of an input's variance shrinks
    its slope by 1 / (1 + p) if the inputs are independent, whatever their units are. Inputs that do not vary need a
    penalty above 0. Both are centred first, so that the constant is not penalised. Computed in the precision of the
    arguments.
    """
    mean, outputs_mean = inputs.mean(0), outputs.mean(0)
    inputs, outputs = inputs - mean, outputs - outputs_mean
    scale = (inputs.square().mean(0) + penalty).sqrt()  # inputs of like sizes: single precision is enough then
    inputs = inputs / scale
    gram = inputs.T @ inputs / len(inputs)
    gram.diagonal().add_(penalty / scale**2)
    slope = torch.linalg.solve(gram, inputs.T @ outputs / len(inputs)) / scale[:, None]
    return LinearFit(slope, outputs_mean - mean @ slope)

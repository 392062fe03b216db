"""Ridge regression against what is known of it."""

import torch

from stylemask_demo.calibration.regression import ridge_regression


def test_a_linear_map_is_found_again():
    torch.manual_seed(0)
    inputs = torch.randn(50, 3, dtype=torch.float64) * torch.tensor([100.0, 1.0, 0.01]) + 5
    slope, constant = torch.randn(3, 4, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    found = ridge_regression(inputs, inputs @ slope + constant, 0.0)
    torch.testing.assert_close(found.slope, slope, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found.constant, constant, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found(inputs), inputs @ slope + constant)


def test_a_penalty_counts_in_variances_and_shrinks_towards_the_mean():
    inputs = torch.tensor([[-1.0, -10.0], [-1.0, 10.0], [1.0, -10.0], [1.0, 10.0]]) + 3  # independent
    outputs = inputs @ torch.tensor([[2.0], [0.5]])
    plain = ridge_regression(inputs, outputs, 0.0)
    shrunk = ridge_regression(inputs, outputs, 3 * inputs.var(0, correction=0))
    torch.testing.assert_close(shrunk.slope, plain.slope / 4)
    torch.testing.assert_close(shrunk(inputs.mean(0, keepdim=True)), outputs.mean(0, keepdim=True))


def test_the_minimum_of_what_is_minimised():
    torch.manual_seed(1)
    inputs, outputs, penalty = torch.randn(30, 5), torch.randn(30, 2), torch.rand(5)
    slope = ridge_regression(inputs, outputs, penalty).slope.requires_grad_()
    centred = (outputs - outputs.mean(0)) - (inputs - inputs.mean(0)) @ slope
    (centred.square().mean(0).sum() + (penalty[:, None] * slope.square()).sum()).backward()
    assert slope.grad.abs().max() < 1e-5


def test_what_does_not_vary_tells_nothing():
    inputs = torch.cat([torch.arange(4.0)[:, None], torch.ones(4, 1)], 1)
    found = ridge_regression(inputs, inputs[:, :1], 0.01 * inputs.var(0) + 1e-12)
    assert torch.isfinite(found.slope).all() and found.slope[1].abs() < 1e-6

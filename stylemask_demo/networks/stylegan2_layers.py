"""The layers that StyleGAN2 is made of (Karras et al. 2020): equalised, modulated and resampling."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GAIN = math.sqrt(2)  # of the leaky ReLUs, which halve the variance
FIR = (1.0, 3.0, 3.0, 1.0)  # the resampling filter of StyleGAN2, applied along both axes


def fir_kernel(gain: float) -> Tensor:
    """The (4, 4) outer product of `FIR` with sum `gain`."""
    taps = torch.tensor(FIR)
    return torch.outer(taps, taps) / taps.sum() ** 2 * gain


class EqualLinear(nn.Module):
    """A linear layer whose weights are scaled at run time (equalised learning rate), with an optional leaky ReLU.

    Mixed precision leaves it alone: what it computes scales whole channels.
    """

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0, rate: float = 1.0, activate: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.rate, self.scale, self.activate = rate, rate / math.sqrt(inputs), activate

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            y = F.linear(x.float(), self.weight * self.scale, self.bias * self.rate)
        return F.leaky_relu(y, 0.2) * GAIN if self.activate else y


class PixelNorm(nn.Module):
    """Scales each vector to a mean square of one."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


class Resample(nn.Module):
    """Holder of the filter under the name `kernel` that checkpoints carry."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", fir_kernel(gain=4.0))

    def blur(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Filters the (B, C, 2H+1, 2W+1) output of a transposed convolution to (B, C, 2H, 2W), and adds a bias (C,)."""
        channels = x.shape[1]
        kernel = self.kernel.to(x.dtype).expand(channels, 1, 4, 4)
        return F.conv2d(x, kernel, bias, padding=1, groups=channels)

    def enlarge(self, x: Tensor) -> Tensor:
        """Upsamples (B, C, H, W) to (B, C, 2H, 2W)."""
        channels = x.shape[1]
        kernel = self.kernel.to(x.dtype).expand(channels, 1, 4, 4)
        return F.conv_transpose2d(x, kernel, stride=2, padding=1, groups=channels)


class ModulatedConv2d(nn.Module):
    """A convolution whose input channels are scaled by a style, and whose output is brought back to unit variance.

    Modulation and demodulation are applied to the activations, which is the same function as scaling a copy of the weights
    for every sample (`modulated_convolution_reference`), and twice as fast where weights are many (`bench`). Where a sample
    has more numbers than the weights, scaling these is faster. The result of a demodulated convolution is multiplied
    by `gain`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        style_dim: int,
        demodulate: bool = True,
        upsample: bool = False,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, outputs, inputs, kernel, kernel))
        self.modulation = EqualLinear(style_dim, inputs, bias=1.0)
        if upsample:
            self.blur = Resample()
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        self.demodulate, self.upsample, self.padding, self.gain = demodulate, upsample, kernel // 2, gain

    def forward(self, x: Tensor, style: Tensor, bias: Tensor) -> Tensor:
        """x (B, inputs, H, W), style (B, inputs), bias (outputs,), which is added as it is.

        Returns (B, outputs, H, W), or twice the size when upsampling.
        """
        weight, style = self.weight[0], style * self.scale  # (O, I, k, k), (B, I)
        if x[0].numel() > weight.numel():
            made = [
                self._convolve(one, self._modulated(weight, scales), bias)
                for one, scales in zip(x.split(1), style, strict=True)
            ]
            return made[0] if len(made) == 1 else torch.cat(made)
        x = self._convolve(x * style[:, :, None, None], weight)
        if not self.demodulate:
            return x + bias[:, None, None]
        energy = style.square() @ weight.square().sum((2, 3)).T  # (B, O)
        return torch.addcmul(bias[:, None, None], x, (self.gain * torch.rsqrt(energy + 1e-8))[:, :, None, None])

    def _modulated(self, weight: Tensor, style: Tensor) -> Tensor:
        """Weights (O, I, k, k) for one sample of style (I,)."""
        weight = weight * style[:, None, None]
        if self.demodulate:
            weight = weight * (self.gain * torch.rsqrt(weight.square().sum((1, 2, 3), keepdim=True) + 1e-8))
        return weight

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if self.upsample:
            return self.blur.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), bias)
        return F.conv2d(x, weight, bias, padding=self.padding)


def modulated_convolution_reference(layer: ModulatedConv2d, x: Tensor, style: Tensor, bias: Tensor) -> Tensor:
    """What `ModulatedConv2d` computes, sample by sample as the paper's equations 1 to 3 write it.

    Arguments as in `ModulatedConv2d.forward`. Tests hold both together.
    """
    results = []
    for sample, scales in zip(x, style, strict=True):
        weight = layer.weight[0] * layer.scale * scales[None, :, None, None]
        if layer.demodulate:
            weight = weight * torch.rsqrt(weight.square().sum((1, 2, 3), keepdim=True) + 1e-8)
        if layer.upsample:
            y = layer.blur.blur(F.conv_transpose2d(sample[None], weight.transpose(0, 1), stride=2))
        else:
            y = F.conv2d(sample[None], weight, padding=layer.padding)
        results.append(layer.gain * y if layer.demodulate else y)
    return torch.cat(results) + bias[:, None, None]

"""The StyleGAN2 generator, with the parameter names of the widespread PyTorch checkpoints.

Paper: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (2020). The names of the parameters are
those of the `g_ema` state dicts that are published for it, so that such a checkpoint loads without renaming. The image
can be synthesised from z, from W, from W+ or from style codes; style codes are the outputs of the modulation layers of
the 3x3 convolutions.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylemask_demo.networks.stylegan2_layers import GAIN, EqualLinear, ModulatedConv2d, PixelNorm, Resample

# Large pictures are made in strips: this many numbers of a layer's output, and at least this many rows, at once.
STRIP, FEWEST_ROWS = 4_200_000, 16


def channels_for(size: int, multiplier: int) -> dict[int, int]:
    """Feature channels at each resolution of the published generators.

    `multiplier` is 2 for the 1024 px and 1 for the 256 px checkpoints. Returns {resolution: channels} from 4 to `size`.
    """
    widths = {resolution: 512 for resolution in (4, 8, 16, 32)}
    widths |= {resolution: 16384 * multiplier // resolution for resolution in (64, 128, 256, 512, 1024)}
    return {resolution: width for resolution, width in widths.items() if resolution <= size}


class Scalar(nn.Module):
    """One learned strength of the noise, under the name `weight` that checkpoints carry."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


class Bias(nn.Module):
    """The bias before the activation, under the name `bias` that checkpoints carry."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))


class ConstantInput(nn.Module):
    """The learned constant that synthesis starts from, under the name `input` that checkpoints carry."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, 4, 4))


class StyledConv(nn.Module):
    """Modulated 3x3 convolution, noise, bias and leaky ReLU: one layer of the synthesis network."""

    def __init__(self, inputs: int, outputs: int, style_dim: int, upsample: bool = False) -> None:
        super().__init__()
        # A leaky ReLU passes a positive factor through, so that its gain can be the convolution's.
        self.conv = ModulatedConv2d(inputs, outputs, 3, style_dim, upsample=upsample, gain=GAIN)
        self.noise = Scalar()
        self.activate = Bias(outputs)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """x (B, inputs, H, W), style (B, inputs), noise (B or 1, 1, H', W') -> (B, outputs, H', W')."""
        x = self.conv(x, style, GAIN * self.activate.bias)
        return F.leaky_relu_(_add(x, (GAIN * self.noise.weight * noise).to(x.dtype)), 0.2)


def _add(x: Tensor, noise: Tensor) -> Tensor:
    """Noise (B or 1, 1, H, W) added to all channels of x (B, C, H, W), in place: each other way is one more to fill.

    CPUs add one number to a few in half precision more slowly than they multiply matrices, up to 17 times.
    """
    by_matrices = x.device.type == "cpu" and x.dtype == torch.bfloat16 and not torch.is_grad_enabled()
    if not by_matrices or not x.is_contiguous(memory_format=torch.channels_last):
        return x.add_(noise)
    pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # (B, H * W, C), the same memory
    pixels.baddbmm_(noise.expand(len(x), -1, -1, -1).flatten(1)[:, :, None], x.new_ones(()).expand(len(x), 1, x.shape[1]))
    return x


class ToRGB(nn.Module):
    """1x1 convolution to a picture; `upsample` enlarges the picture of the resolution below, which it is added to."""

    def __init__(self, inputs: int, style_dim: int, upsample: bool = True) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(inputs, 3, 1, style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))
        if upsample:
            self.upsample = Resample()

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """x (B, inputs, H, W), style (B, inputs) -> (B, 3, H, W)."""
        return self.conv(x, style, self.bias.flatten())


class Generator(nn.Module):
    """Mapping and synthesis network.

    `size` is the resolution of the picture in pixels, a power of two. The widths are given either as `channels`
    ({resolution: channels}, keys may be strings as JSON makes them) or as the `channel_multiplier` of the published
    checkpoints. Raises ValueError when a resolution has no width.
    """

    def __init__(
        self,
        size: int,
        channels: dict[int, int] | None = None,
        channel_multiplier: int = 2,
        style_dim: int = 512,
        n_mlp: int = 8,
    ) -> None:
        super().__init__()
        widths = channels_for(size, channel_multiplier) if channels is None else channels
        widths = {int(resolution): int(width) for resolution, width in widths.items()}
        steps = int(math.log2(size))
        self.resolutions = [2**i for i in range(2, steps + 1)]
        missing = [r for r in self.resolutions if r not in widths]
        if missing:
            raise ValueError(f"no channel width for the resolutions {missing}")

        self.size, self.style_dim = size, style_dim
        mapping = [EqualLinear(style_dim, style_dim, rate=0.01, activate=True) for _ in range(n_mlp)]
        self.style = nn.Sequential(PixelNorm(), *mapping)
        self.input = ConstantInput(widths[4])
        self.conv1 = StyledConv(widths[4], widths[4], style_dim)
        self.to_rgb1 = ToRGB(widths[4], style_dim, upsample=False)
        self.convs, self.to_rgbs = nn.ModuleList(), nn.ModuleList()
        for below, resolution in zip(self.resolutions, self.resolutions[1:], strict=False):
            self.convs.append(StyledConv(widths[below], widths[resolution], style_dim, upsample=True))
            self.convs.append(StyledConv(widths[resolution], widths[resolution], style_dim))
            self.to_rgbs.append(ToRGB(widths[resolution], style_dim))
        self.noises = nn.Module()
        for i in range(len(self.convs) + 1):
            resolution = 2 ** ((i + 5) // 2)
            self.noises.register_buffer(f"noise_{i}", torch.randn(1, 1, resolution, resolution))

    @property
    def num_latents(self) -> int:
        """Number of latents L in a W+ code: two for each resolution but the first and the last, which share."""
        return len(self.convs) + 2

    @property
    def style_sizes(self) -> list[int]:
        """Channels of each style code, first layer to last."""
        return [layer.conv.weight.shape[2] for layer in self.layers]

    @property
    def layers(self) -> list[StyledConv]:
        """The 3x3 convolutions, from the coarsest."""
        return [self.conv1, *self.convs]

    @property
    def rgb_layers(self) -> list[ToRGB]:
        """The conversions to RGB, one for each resolution."""
        return [self.to_rgb1, *self.to_rgbs]

    def _noise(self, layer: int) -> Tensor:
        return self.noises.get_buffer(f"noise_{layer}")

    def random_noise(self, count: int) -> list[Tensor]:
        """New standard normal noise for each 3x3 convolution, a list of (count, 1, H, W), from the device's generator."""
        fixed = [self._noise(layer) for layer in range(len(self.layers))]
        return [noise.new_empty(count, *noise.shape[1:]).normal_() for noise in fixed]

    def map(self, z: Tensor) -> Tensor:
        """z (B, style_dim), standard normal -> w (B, style_dim)."""
        return self.style(z)

    def repeat(self, w: Tensor) -> Tensor:
        """w (B, style_dim) -> the same code for every layer, W+ (B, L, style_dim)."""
        return w[:, None].expand(-1, self.num_latents, -1)

    def styles(self, w_plus: Tensor) -> list[Tensor]:
        """W+ (B, L, style_dim) -> style code of each 3x3 convolution, a list of (B, channels)."""
        return [layer.conv.modulation(w_plus[:, i]) for i, layer in enumerate(self.layers)]

    def rgb_styles(self, w_plus: Tensor) -> list[Tensor]:
        """W+ (B, L, style_dim) -> style code of each conversion to RGB, a list of (B, channels)."""
        return [layer.conv.modulation(w_plus[:, 2 * i + 1]) for i, layer in enumerate(self.rgb_layers)]

    def synthesise(
        self,
        styles: list[Tensor],
        rgb_styles: list[Tensor],
        size: int | None = None,
        noises: list[Tensor] | None = None,
    ) -> Tensor:
        """Style codes -> picture (B, 3, size, size), values about -1 to 1.

        `size` stops at a lower resolution, whose picture is the running sum of the conversions to RGB. Without `noises`,
        one (B or 1, 1, H, W) for each 3x3 convolution, it is the fixed noise of the checkpoint, so that the same code
        always gives the same picture.
        """
        noises = noises or [self._noise(layer) for layer in range(len(self.layers))]
        depth = self.resolutions.index(size or self.size)
        x = self.input.input.expand(len(styles[0]), -1, -1, -1)
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.conv1(x, styles[0], noises[0])
        picture = self.to_rgb1(x, rgb_styles[0])
        for block in range(depth):
            to_rgb = self.rgb_layers[block + 1]
            above: list[Tensor] = []
            colours: list[Tensor] = []
            for first, last in self._strips(x, block):
                strip = self._strip(x, block, first, last, styles, noises)
                colours.append(to_rgb(strip, rgb_styles[block + 1]))
                if block + 1 < depth:
                    above.append(strip)
            x = torch.cat(above, 2) if len(above) > 1 else strip
            picture = torch.cat(colours, 2) + to_rgb.upsample.enlarge(picture)
        return picture

    def _strips(self, x: Tensor, block: int) -> list[tuple[int, int]]:
        """The first row and the one after the last of each part in which a block doubles the size of x (B, C, H, W).

        On a CPU large pictures wait for memory. Parts stay in its cache, and in memory that is used again; larger tensors
        are fetched from the system and cleared each time. With gradients everything has to be kept anyway.
        """
        height = 2 * x.shape[2]
        rows = height
        if x.device.type == "cpu" and not torch.is_grad_enabled():
            numbers_in_row = len(x) * self.style_sizes[2 * block + 2] * 2 * x.shape[3]
            rows = max(STRIP // numbers_in_row // 2 * 2, FEWEST_ROWS)
        return [(first, min(first + rows, height)) for first in range(0, height, rows)]

    def _strip(self, x: Tensor, block: int, first: int, last: int, styles: list[Tensor], noises: list[Tensor]) -> Tensor:
        """Rows `first` (even) to `last` of what the two layers of a block make of x (B, C, H, W)."""
        up, flat = 2 * block + 1, 2 * block + 2
        layers = self.layers
        # The second layer sees one row more on either side, whose rows the resampling filter makes of two more below.
        low, high = max(first // 2 - 2, 0), min(last // 2 + 2, x.shape[2])
        top, bottom = max(first - 1, 0), min(last + 1, 2 * x.shape[2])
        x = layers[up](x[:, :, low:high], styles[up], noises[up][:, :, 2 * low : 2 * high])
        x = x[:, :, top - 2 * low : bottom - 2 * low]
        x = layers[flat](x, styles[flat], noises[flat][:, :, top:bottom])
        return x[:, :, first - top : last - top]

    def forward(self, w_plus: Tensor, size: int | None = None) -> Tensor:
        """W+ (B, L, style_dim) -> picture (B, 3, size, size), values about -1 to 1."""
        return self.synthesise(self.styles(w_plus), self.rgb_styles(w_plus), size)

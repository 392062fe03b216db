"""From aligned crops to codes of the generator."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from stylemask_demo.caching import Lazy
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.networks.compact_motion_encoder import CompactMotionEncoder
from stylemask_demo.networks.e4e import Encoder4Editing
from stylemask_demo.networks.latent_average import LatentAverage
from stylemask_demo.networks.motion_encoder import MotionEncoder
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.perception import Likeness, to_input
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.restyle import ReStyleEncoder
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.precision import Precision

REFINEMENTS = 5  # steps of ReStyle, as published, where a file says no other number
# Of gradient descent; a longer way shows the crop better and every other pose of the person worse, and twice as many steps
# of half the length come to the same.
STEPS, RATE = 3, 0.1
PERCEPTUAL = 0.25  # weight of the perceptual distance; without it the person is less alike

Encoder = PortraitEncoder | Encoder4Editing | MotionEncoder | CompactMotionEncoder


class Inverter:
    """An encoder that reads a crop in one pass.

    Published encoders predict codes relative to an `average`; the embedded pack's predicts them as they are.
    """

    def __init__(self, encoder: Encoder, average: LatentAverage | None = None):
        self._encoder, self._average = encoder, average
        self.device = next(encoder.parameters()).device

    @torch.inference_mode()
    def __call__(self, crops: Sequence[Image.Image]) -> Tensor:
        """Crops (RGB, square) -> codes (B, n, style_dim)."""
        seen = to_tensor(crops, self._encoder.input_size).to(self.device, memory_format=torch.channels_last)
        codes = self._encoder(seen)
        return codes if self._average is None else self._average(codes)


class OptimisingInverter:
    """An encoder whose codes are moved, by a few steps of gradient descent, to where the generator shows the crop itself.

    Zhu et al., "Generative Visual Manipulation on the Natural Image Manifold" (2016), call it hybrid. Every layer gets a
    code of its own. Steps are of equal length in style space: in W, along some axes a step is a hundred times the other's.
    Without a `precision` they are taken in float32; half precision, where it is faster, comes to pictures as good.
    """

    def __init__(
        self,
        encode: Inverter,
        generator: Generator,
        extractor: ParameterExtractor,
        precision: Precision | None = None,
    ):
        self._encode, self._generator, self._extractor = encode, generator, extractor
        self._precision = precision or Precision(encode.device)
        self._steps = _equal_steps(generator)

    def __call__(self, crops: Sequence[Image.Image]) -> Tensor:
        """Crops (RGB, square) -> W+ codes (B, L, style_dim)."""
        # The gradients of one crop take 200 MB: a computer with a GPU has that many times, others may not.
        at_once = 1 if self._encode.device.type == "cpu" else len(crops)
        parts = [crops[start : start + at_once] for start in range(0, len(crops), at_once)]
        with torch.inference_mode(False), torch.enable_grad():
            return torch.cat([self._optimised(part) for part in parts])

    def _optimised(self, crops: Sequence[Image.Image]) -> Tensor:
        start = self._encode(crops).clone()  # a clone, because inference tensors learn nothing
        moved = torch.zeros_like(start, requires_grad=True)
        true = to_tensor(crops, self._generator.size).to(self._encode.device)
        with torch.no_grad():
            landmarks = self._extractor(to_input(true)).landmarks
        likeness = Likeness(self._extractor.trunk.maps, true, landmarks)
        optimiser = torch.optim.Adam([moved], lr=RATE, betas=(0.8, 0.95))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, 2 * (1 - step / STEPS)))
        for _ in range(STEPS):
            code = start + moved @ self._steps
            with self._precision():
                pixel, perceptual = likeness(self._generator(code).float())
            optimiser.zero_grad()
            (len(crops) * (pixel + PERCEPTUAL * perceptual)).backward()
            optimiser.step()
            schedule.step()
        return start + moved.detach() @ self._steps


@torch.no_grad()
def _equal_steps(generator: Generator) -> Tensor:
    """Steps (D, D) in W, each of which changes the style codes of all layers together as much as any other."""
    device = generator.input.input.device
    codes = generator.repeat(torch.cat([torch.zeros(1, generator.style_dim), torch.eye(generator.style_dim)]).to(device))
    styles = torch.cat([*generator.styles(codes), *generator.rgb_styles(codes)], 1)
    changes = (styles[1:] - styles[:1]).double()  # (D, channels)
    squares, axes = torch.linalg.eigh(changes @ changes.T)
    return (axes * squares.clamp_min(1e-9 * squares[-1]).rsqrt() @ axes.T).float()


class FilmInverter:
    """Inverts the frames of a film of one person: the first as a photo, and from then on as the encoder's codes change.

    So the person stays the same, and a frame costs one pass of the encoder.
    """

    def __init__(self, invert: Callable[[Sequence[Image.Image]], Tensor], encode: Inverter):
        self._invert, self._encode = invert, encode
        self._more: Tensor | None = None  # that the photo's inversion has over the encoder's code

    def __call__(self, crops: Sequence[Image.Image]) -> Tensor:
        """Crops (RGB, square) of the next B frames -> W+ codes (B, L, style_dim)."""
        codes = self._encode(crops)
        if self._more is None:
            self._more = self._invert(crops[:1]) - codes[:1]
        return codes + self._more


class RefiningInverter:
    """An encoder that compares crop and rendering and improves the code in `steps` (Alaluf et al. 2021)."""

    def __init__(self, encoder: ReStyleEncoder, average: LatentAverage, generator: Generator, steps: int = REFINEMENTS):
        self._encoder, self._average, self._generator, self._steps = encoder, average, generator, steps
        self.device = next(encoder.parameters()).device
        self._start = Lazy(lambda: self._shown(average.latent[None]))  # the same for everybody

    @torch.inference_mode()
    def __call__(self, crops: Sequence[Image.Image]) -> Tensor:
        """Crops (RGB, square) -> W+ codes (B, L, style_dim)."""
        seen = to_tensor(crops, self._encoder.input_size).to(self.device)
        codes = self._average.latent.expand(len(seen), -1, -1)
        shown = self._start.get().expand(len(seen), -1, -1, -1)
        for step in range(self._steps):
            if step:
                shown = self._shown(codes)
            codes = codes + self._encoder(seen, shown)
        return codes

    @torch.inference_mode()
    def _shown(self, codes: Tensor) -> Tensor:
        """What the encoder sees of the pictures (B, 3, 256, 256) of codes."""
        return F.adaptive_avg_pool2d(self._generator(codes), self._encoder.input_size)

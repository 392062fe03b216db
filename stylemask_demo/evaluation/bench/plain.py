"""The plain path to one result: source and target are drawn again, each layer convolves with weights of its own sample."""

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from stylemask_demo.generator.style_space import PictureCode
from stylemask_demo.media.tensors import to_images
from stylemask_demo.methods.code import FaceCode
from stylemask_demo.networks.stylegan2 import Generator, StyledConv
from stylemask_demo.networks.stylegan2_layers import GAIN, modulated_convolution_reference
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.reenactor import Reenactor


@torch.inference_mode()
def reenact_plainly(reenactor: Reenactor, source: Portrait, target: Portrait) -> Image.Image:
    """Three passes for one result, as the published program of StyleMask makes them: source, target, result."""
    pipeline = reenactor.pipeline
    who, how = (portrait.codes.to(pipeline.space.mean_w.device) for portrait in (source, target))
    mixed = pipeline.transfer("stylemask", FaceCode(who), FaceCode(how))
    codes = (pipeline.space.code(who), pipeline.space.code(how), mixed)
    *_, made = (synthesise_plainly(pipeline.networks.generator, code) for code in codes)
    return to_images(made)[0]


@torch.inference_mode()
def synthesise_plainly(generator: Generator, code: PictureCode) -> Tensor:
    """What `Generator.synthesise` draws of B codes, (B, 3, S, S), by equations 1 to 3 of Karras et al. 2020."""
    x = generator.input.input.expand(len(code.styles[0]), -1, -1, -1)
    x = _layer(generator, 0, x, code.styles)
    picture = _coloured(generator, 0, x, code.rgb_styles)
    for block, to_rgb in enumerate(generator.rgb_layers[1:]):
        for layer in (2 * block + 1, 2 * block + 2):
            x = _layer(generator, layer, x, code.styles)
        picture = _coloured(generator, block + 1, x, code.rgb_styles) + to_rgb.upsample.enlarge(picture)
    return picture


def _layer(generator: Generator, number: int, x: Tensor, styles: list[Tensor]) -> Tensor:
    layer: StyledConv = generator.layers[number]
    x = modulated_convolution_reference(layer.conv, x, styles[number], GAIN * layer.activate.bias)
    return F.leaky_relu(x + GAIN * layer.noise.weight * generator.noises.get_buffer(f"noise_{number}"), 0.2)


def _coloured(generator: Generator, number: int, x: Tensor, styles: list[Tensor]) -> Tensor:
    layer = generator.rgb_layers[number]
    return modulated_convolution_reference(layer.conv, x, styles[number], layer.bias.flatten())


def operations(generator: Generator) -> float:
    """Operations of the convolutions of one picture: a multiplication and an addition for each weight and place."""
    total = 0.0
    for number, layer in enumerate(generator.layers):
        side = generator.noises.get_buffer(f"noise_{number}").shape[-1] // (2 if layer.conv.upsample else 1)
        total += 2.0 * layer.conv.weight.numel() * side**2
    sides = zip(generator.rgb_layers, generator.resolutions, strict=True)
    return total + sum(2.0 * layer.conv.weight.numel() * side**2 for layer, side in sides)

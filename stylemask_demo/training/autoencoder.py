"""Trains the generator and the encoder to W together from nothing, at a low resolution that shows what a face is.

The encoder starts from the trunk of the parameter extractor, which already tells pose and features of a face, and gets
head pose and expression from the exact labels, so that the generator learns at once what they do.
"""

from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.tensors import to_image
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.memory_format import channels_last
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.networks.trunk import INPUT_SIZE
from stylemask_demo.training.augment import labelled
from stylemask_demo.training.data import Faces, draw_rows
from stylemask_demo.training.learning_rates import parameter_groups
from stylemask_demo.training.loop import Averages, Task
from stylemask_demo.training.losses import identity_distance, parameter_distance, reconstruction

CHANNELS = {4: 256, 8: 256, 16: 192, 32: 128, 64: 64, 128: 32, 256: 16}
GENERATOR: dict[str, Any] = {"size": 256, "channels": CHANNELS, "style_dim": 512, "n_mlp": 4}
SIDE = 64  # pixels of the pictures that are learned


def autoencoder_task(
    faces: Faces,
    validation: Faces,
    extractor: ParameterExtractor,
    identity: IdentityNetwork,
    steps: int,
    batch: int = 16,
    rate: float = 3e-3,
) -> Task:
    """The teachers, extractor and identity network, stay as they are."""
    generator = Generator(**GENERATOR)
    for layer in generator.rgb_layers[1:]:  # a resolution that is new adds nothing at first
        nn.init.zeros_(layer.conv.weight)
    encoder = channels_last(PortraitEncoder(generator.num_latents))
    encoder.trunk.load_state_dict(extractor.trunk.state_dict())
    encoder.reader.load_state_dict(extractor.state_dict())
    for teacher in (extractor, identity):
        teacher.eval().requires_grad_(False)

    def loss(step: int, done: float) -> dict[str, Tensor]:
        mirrored = torch.rand(batch) < 0.5
        pictures, landmarks, euler, expression = labelled(faces, draw_rows(faces, batch), INPUT_SIZE, mirrored)
        true = F.avg_pool2d(pictures, INPUT_SIZE // SIDE)
        w = encoder.look(pictures) + encoder.motion(encoder.motion_values(euler, expression))
        made = generator(generator.repeat(w), SIDE)
        # The two teachers take turns, which costs half.
        seen = parameter_distance(extractor, made, true) if step % 2 else identity_distance(identity, made, true)
        return {
            **reconstruction(made, true, landmarks),
            "size": w.square().mean() * 1e-3,
            # Half as much, because the teachers care little about colours.
            **{name: 0.5 * value for name, value in seen.items()},
        }

    def sheet(averages: Averages) -> Image.Image:
        pictures = validation.batch(validation.spread(60), INPUT_SIZE)
        true = F.avg_pool2d(pictures, INPUT_SIZE // SIDE)
        made = averages["generator"](averages["encoder"](pictures), SIDE)
        print(f"\nvalidation: {signal_to_noise(made, true):.2f} dB at {SIDE} px", flush=True)
        return contact_sheet([to_image(p) for pair in zip(true[:32], made[:32], strict=True) for p in pair], 8)

    modules = {"generator": generator, "encoder": encoder}
    return Task("autoencoder", modules, joint_optimiser(generator, encoder, rate), loss, sheet, steps)


def joint_optimiser(generator: Generator, encoder: PortraitEncoder, rate: float) -> torch.optim.Optimizer:
    """Adam for both, slower for the encoder, whose convolutions are not equalised.

    The mapping from z is left out: it is computed afterwards, from the codes. So is the encoder's reader: labels teach
    what it reads.
    """
    encoder.requires_grad_(True).reader.requires_grad_(False)
    generator.requires_grad_(True).style.requires_grad_(False)
    groups = [*parameter_groups(generator, rate), *parameter_groups(encoder, rate / 3)]
    return torch.optim.Adam(groups, betas=(0.9, 0.99), fused=True)


def signal_to_noise(made: Tensor, true: Tensor) -> Tensor:
    """Mean peak signal-to-noise ratio of pictures (B, 3, S, S) in -1..1, in dB."""
    noise = (made.clamp(-1, 1) - true).square().mean((1, 2, 3)) / 4
    return -10 * noise.log10().mean()

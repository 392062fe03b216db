"""Trains the generator and the encoder to W+ together, from low resolution to high.

The encoder starts from the trunk of the parameter extractor, which already tells pose and features of a face.
"""

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from stylemask_demo.networks.compact import IdentityNetwork, LatentEncoder, ParameterExtractor
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.sheets import contact_sheet, to_image
from stylemask_demo.training.augment import move
from stylemask_demo.training.data import MIRRORED_LANDMARKS, Faces
from stylemask_demo.training.loop import Task
from stylemask_demo.training.losses import edges, identity_distance, importance, parameter_distance, to_input

CHANNELS = {4: 256, 8: 256, 16: 192, 32: 128, 64: 64, 128: 32, 256: 16}
GENERATOR = {"size": 256, "channels": CHANNELS, "style_dim": 512, "n_mlp": 4}
BATCH = {64: 16, 128: 12, 256: 8}


def autoencoder_task(
    faces: Faces,
    validation: Faces,
    extractor: ParameterExtractor,
    identity: IdentityNetwork,
    stages: dict[int, int],
    rate: float = 3e-3,
) -> Task:
    """`stages` {side in pixels: steps} in the order they are trained; the teachers stay as they are."""
    generator = Generator(**GENERATOR)
    for layer in generator.to_rgbs:  # a resolution that is new adds nothing at first
        nn.init.zeros_(layer.conv.weight)
    encoder = LatentEncoder(generator.num_latents).to(memory_format=torch.channels_last)
    encoder.trunk.load_state_dict(extractor.trunk.state_dict())
    for teacher in (extractor, identity):
        teacher.eval().requires_grad_(False)
    # The mapping from z is trained afterwards, on the codes.
    trained = [p for name, p in generator.named_parameters() if not name.startswith("style.")]
    optimiser = torch.optim.Adam(
        [{"params": trained, "lr": rate}, {"params": list(encoder.parameters()), "lr": rate / 3}],
        betas=(0.9, 0.99),
        fused=True,
    )
    sides = [side for side, steps in stages.items() for _ in range(steps)]

    def loss(step: int) -> dict[str, Tensor]:
        side = sides[min(step, len(sides) - 1)]
        rows = torch.randint(len(faces), (BATCH[side],)).numpy()
        source = max(side, 128)
        pictures = faces.batch(rows, source)
        (landmarks,) = faces.tensors(rows, "landmarks")
        pictures, landmarks = _jitter(pictures, landmarks, source)
        true = F.avg_pool2d(pictures, source // side) if source > side else pictures
        w, offsets = encoder.split(to_input(pictures))
        # Now and then w alone, so that one w for all layers is a good face too.
        kept = (torch.rand(len(rows), 1, 1) < 0.8).float()
        made = generator(w[:, None] + offsets * kept, side)
        weight = importance(landmarks, side)
        small = [F.avg_pool2d(p, 4) for p in (made, true)]
        # The two teachers take turns, which costs half.
        seen = parameter_distance(extractor, made, true) if step % 2 else identity_distance(identity, made, true)
        return {
            "pixel": (weight * (made - true).abs()).mean() * 6,
            "coarse": (F.avg_pool2d(weight, 4) * (small[0] - small[1]).abs()).mean() * 4,
            "edges": (weight[..., 1:, 1:] * (edges(made) - edges(true)).abs()).mean() * 4,
            "offsets": offsets.square().mean() * 2e-3 + w.square().mean() * 1e-3,
            # Half as much, because the teachers care little about colours.
            **{name: 0.5 * value for name, value in seen.items()},
        }

    def sheet(averages: dict[str, nn.Module]) -> Image.Image:
        side = sides[task.history[-1]["step"] - 1]
        rows = validation.spread(60)
        pictures = validation.batch(rows, max(side, 128))
        made = averages["generator"](averages["encoder"](to_input(pictures)), side)
        true = F.adaptive_avg_pool2d(pictures, side)
        noise = (made.clamp(-1, 1) - true).square().mean((1, 2, 3)) / 4
        print(f"\nvalidation: {-10 * noise.log10().mean():.2f} dB at {side} px", flush=True)
        shown = [to_image(p) for pair in zip(true[:32], made[:32], strict=True) for p in pair]
        return contact_sheet(shown, 8)

    task = Task(
        "autoencoder",
        {"generator": generator, "encoder": encoder},
        optimiser,
        loss,
        sheet,
        sum(stages.values()),
    )
    return task


def _jitter(pictures: Tensor, landmarks: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Mirrors half of the pictures and moves all a little, as alignment does."""
    count = len(pictures)
    mirrored = torch.rand(count) < 0.5
    pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
    swapped = landmarks[:, MIRRORED_LANDMARKS] * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0])
    landmarks = torch.where(mirrored[:, None, None], swapped, landmarks)
    scale = torch.exp(0.02 * torch.randn(count))
    return move(pictures, landmarks, side, 1.5 * torch.randn(count), scale, 0.012 * torch.randn(count, 2))

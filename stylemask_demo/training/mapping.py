"""Fits the generator's mapping from z to the codes that the encoder gives to real pictures."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from stylemask_demo.networks.compact import LatentEncoder
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.sheets import contact_sheet, to_image
from stylemask_demo.training.bank import SIDE
from stylemask_demo.training.data import Faces
from stylemask_demo.training.loop import Task

PROJECTIONS = 256


@torch.no_grad()
def encode_all(encoder: LatentEncoder, faces: Faces, batch: int = 64) -> Tensor:
    """The common code w (N, 512) of all pictures."""
    parts = [np.arange(start, min(start + batch, len(faces))) for start in range(0, len(faces), batch)]
    return torch.cat([encoder.split(faces.batch(rows, 128))[0] for rows in parts])


def mapping_task(
    generator: Generator, codes: Tensor, steps: int, batch: int = 768, rate: float = 0.3
) -> Task:
    """Sliced Wasserstein distance (Bonneel et al. 2015) between mapped z and `codes` (N, 512), along random directions.

    Directions are drawn in the frame of the codes' principal axes, so that small but visible variations count.
    """
    centre = codes.mean(0)
    _, _, axes = torch.linalg.svd((codes - centre)[:4096], full_matrices=False)
    scales = ((codes - centre) @ axes.T).std(0)  # (512,)
    whitened = (codes - centre) @ axes.T / (scales + 0.02 * scales[0])
    # The mapping's weights are stored a hundred times larger than they act.
    optimiser = torch.optim.Adam(generator.style.parameters(), lr=rate, betas=(0.5, 0.99))

    def loss(step: int) -> dict[str, Tensor]:
        real = whitened[torch.randint(len(codes), (batch,))]
        w = generator.map(torch.randn(batch, generator.style_dim))
        made = (w - centre) @ axes.T / (scales + 0.02 * scales[0])
        # A direction joins a few principal axes, the strong ones more often.
        weights = torch.randn(PROJECTIONS, real.shape[1]) * (torch.rand(PROJECTIONS, real.shape[1]) < 0.1)
        weights = torch.nn.functional.normalize(weights * (scales / scales[0]).sqrt(), dim=1)
        sliced = ((made @ weights.T).sort(0).values - (real @ weights.T).sort(0).values).abs().mean()
        deviation = (made.std(0) - real.std(0)).abs().mean() + (made.mean(0) - real.mean(0)).abs().mean()
        return {"sliced": sliced * 10, "moments": deviation}

    def sheet(averages: dict[str, nn.Module]) -> Image.Image:
        z = torch.randn(32, generator.style_dim, generator=torch.Generator().manual_seed(0))
        w = averages["style"](z)
        mean = averages["style"](torch.randn(1024, generator.style_dim)).mean(0)
        return contact_sheet(
            [to_image(p) for p in generator(generator.repeat(mean + 0.7 * (w - mean)), SIDE)], 8
        )

    return Task(
        "mapping", {"style": generator.style}, optimiser, loss, sheet, steps, average=0.99, save_every=200
    )

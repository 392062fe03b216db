"""Trains the parameter extractor on exact labels, on crops that are shifted, turned, scaled and recoloured."""

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from stylemask_demo.faces.parameters import MIRRORED_EXPRESSIONS, MIRRORED_LANDMARKS
from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.tensors import to_image
from stylemask_demo.networks.memory_format import channels_last
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.trunk import INPUT_SIZE
from stylemask_demo.training.augment import move, recolour, turn_head
from stylemask_demo.training.data import Faces, draw_rows
from stylemask_demo.training.learning_rates import parameter_groups
from stylemask_demo.training.loop import Averages, Task

GLASSES = 4.0  # times as often as others are people with glasses drawn: a tenth wear them, and their eyes are hard to read


def extractor_task(faces: Faces, validation: Faces, steps: int, batch: int = 32, rate: float = 2e-3) -> Task:
    """Three quarters of each batch are nearly aligned, as the pipeline sees them; the rest are up to 25 % off, as a face
    finder leaves them."""
    network = channels_last(ParameterExtractor())
    optimiser = torch.optim.AdamW(parameter_groups(network, rate), weight_decay=0.02)

    def loss(step: int, done: float) -> dict[str, Tensor]:
        rows = draw_rows(faces, batch, GLASSES)
        pictures = faces.batch(rows, INPUT_SIZE)
        euler, expression, landmarks, identity = faces.tensors(rows, "euler", "expression", "landmarks", "identity")
        pictures[::2], landmarks[::2] = pictures[::2].flip(3), _mirror(landmarks[::2])
        euler[::2] *= torch.tensor([-1.0, 1.0, -1.0])
        expression[::2] = expression[::2][:, MIRRORED_EXPRESSIONS]
        loose = (torch.arange(batch) % 8 >= 6).float()  # 0 nearly aligned, 1 up to 25 % off
        degrees = (2 + 10 * loose) * torch.randn(batch)
        scale = torch.exp((0.03 + 0.22 * loose) * (2 * torch.rand(batch) - 1))
        shift = (0.02 + 0.23 * loose)[:, None] * (2 * torch.rand(batch, 2) - 1)
        pictures, landmarks = move(pictures, landmarks, INPUT_SIZE, degrees, scale, shift)
        euler = turn_head(euler, degrees)
        found = network(recolour(pictures))
        # A mirrored person is somebody else, whose identity coefficients are not known.
        known = torch.ones(batch)
        known[::2] = 0
        return {
            "euler": (found.euler - euler).abs().mean() / 5,
            "landmarks": (found.landmarks - landmarks).abs().mean() * 200,
            "expression": (found.expression - expression).square().mean() * 150,
            "identity": ((found.identity - identity).square().mean(1) * known).mean(),
        }

    def sheet(averages: Averages) -> Image.Image:
        rows = validation.spread(120)
        pictures = validation.batch(rows, INPUT_SIZE)
        found = averages["extractor"](pictures)
        euler, expression, landmarks = validation.tensors(rows, "euler", "expression", "landmarks")
        eyes = (landmarks[:, 36:42].mean(1) - landmarks[:, 42:48].mean(1)).norm(dim=1)
        error = ((found.landmarks - landmarks).norm(dim=2).mean(1) / eyes).mean()
        smile = (found.expression - expression)[:, 45:47].abs().mean()
        angles = (found.euler - euler).abs().mean(0)
        print(
            f"\nvalidation: yaw, pitch, roll {', '.join(f'{a:.2f}' for a in angles)} degrees, "
            f"landmarks {error:.4f} of the eye distance, smile {smile:.3f}",
            flush=True,
        )
        return _sheet(pictures[:32], found.landmarks[:32], landmarks[:32])

    return Task("extractor", {"extractor": network}, optimiser, loss, sheet, steps)


def _mirror(landmarks: Tensor) -> Tensor:
    mirrored = landmarks[:, MIRRORED_LANDMARKS].clone()
    mirrored[..., 0] = 1 - mirrored[..., 0]
    return mirrored


def _sheet(pictures: Tensor, found: Tensor, true: Tensor, columns: int = 8) -> Image.Image:
    marked = []
    for picture, points in zip(pictures, zip(true, found, strict=True), strict=True):
        image = to_image(picture)
        draw = ImageDraw.Draw(image)
        for colour, dots in zip(("lime", "red"), points, strict=True):
            draw.point([tuple(dot) for dot in (dots * image.width).tolist()], fill=colour)
        marked.append(image)
    return contact_sheet(marked, columns)

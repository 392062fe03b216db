"""Trains the direction matrix as Finding Directions does, starting from what the encoder itself adds for a motion."""

import copy

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from stylemask_demo.faces.parameters import DIRECTIONS, direction_shift
from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.tensors import to_image
from stylemask_demo.methods.directions import move
from stylemask_demo.networks.direction_matrix import DirectionMatrix
from stylemask_demo.training.loop import Averages, Task
from stylemask_demo.training.losses import exposure
from stylemask_demo.training.sample_bank import (
    SIDE,
    Bank,
    Teachers,
    along_directions,
    landmark_gap,
    largest_changes,
    openings,
)

LAYERS = 10  # of W+ that are moved, up to 64 px
CALIBRATED = (0.15, 1.5)  # measured over commanded change; outside of it a direction has not been learned
PEOPLE_SHOWN = 3  # on the sheet
LARGEST_GAIN = 2.0  # more would drive whatever else is in a direction to the extreme


def directions_task(teachers: Teachers, bank: Bank, steps: int, batch: int = 8, rate: float = 2e-3) -> Task:
    """Half of each batch goes from one face's parameters to another's, a part of them of the same person, whose landmarks
    are then known too; half changes one direction only."""
    generator = teachers.generator
    layers = min(LAYERS, generator.num_latents)
    matrix = DirectionMatrix(len(DIRECTIONS), layers, generator.style_dim)
    with torch.no_grad():
        matrix.linear.weight.copy_(teachers.moves(bank, layers))
        matrix.linear.bias.zero_()
    matrix.linear.bias.requires_grad_(False)
    first = copy.deepcopy(matrix).requires_grad_(False)
    optimiser = torch.optim.Adam([matrix.linear.weight], lr=rate)
    limits = teachers.largest_changes(bank)

    def loss(step: int, done: float) -> dict[str, Tensor]:
        source, target, same = bank.draw(batch)
        start = teachers.along(source.parameters)
        shift = teachers.along(target.parameters) - start
        single = torch.randint(len(DIRECTIONS), (batch // 2,))
        single[::2] = torch.tensor([0, 1, 4])[torch.randint(3, (len(single[::2]),))]  # the sliders of the page
        shift[: batch // 2] = 0
        shift[torch.arange(batch // 2), single] = (torch.rand(batch // 2) * 2 - 1) * limits[single]
        # Nobody's eyes or jaw open further than the faces of the bank.
        wanted = torch.minimum(torch.maximum(start + shift, lowest), highest)
        made = generator(move(matrix, source.w_plus, wanted - start), teachers.side)
        found, embedding = teachers.look(made)
        with torch.no_grad():
            unmoved = generator(source.w_plus, teachers.side)
            started = generator(move(first, source.w_plus, wanted - start), teachers.side)
        error = (teachers.along(found) - wanted).abs()
        gaps = (openings(found.landmarks) - openings(target.parameters.landmarks)).abs()
        return {
            "pose": error[:, :3].mean() * 4,
            "expression": error[:, 3:].mean() * 3,
            "openings": gaps[batch // 2 :].mean() * 2.5,
            "landmarks": landmark_gap(found.landmarks, target.parameters.landmarks, same),
            "identity": (1 - (embedding * source.embedding).sum(1)).mean(),
            "exposure": (exposure(made) - exposure(unmoved)).abs().mean() * 4,
            "colours": (_colours(made) - _colours(started)).abs().mean() * 20,
        }

    places = teachers.along(bank.parameters)
    lowest, highest = places.quantile(0.01, 0), places.quantile(0.99, 0)

    def sheet(averages: Averages) -> Image.Image:
        return slider_strips(teachers, bank, averages["directions"])

    return Task("directions", {"directions": matrix}, optimiser, loss, sheet, steps, average=0.99, save_every=100)


def _colours(pictures: Tensor) -> Tensor:
    """What tells the colours of pictures (B, 3, S, S) from grey, in cells of 8 pixels."""
    return F.avg_pool2d(pictures - pictures.mean(1, keepdim=True), 8)


@torch.no_grad()
def calibrate(teachers: Teachers, bank: Bank, matrix: DirectionMatrix, people: int = 16) -> None:
    """Scales each direction, in place, so that the measured change is the commanded one.

    The training falls short evenly: a regression and a few steps give the right directions, but too small steps.
    """
    codes = bank.take(torch.arange(min(people, len(bank))))
    start = along_directions(codes.parameters)
    sign = torch.tensor([1.0, -1.0]).repeat(len(codes))[: len(codes)]
    for direction, limit in enumerate(largest_changes()):
        shift = torch.zeros_like(start)
        shift[:, direction] = sign * limit / 2
        found, _ = teachers.look(teachers.generator(move(matrix, codes.w_plus, shift), SIDE))
        change = (along_directions(found) - start)[:, direction]
        slope = float((change * sign).mean() / (limit / 2))
        learned = CALIBRATED[0] < slope < CALIBRATED[1]
        print(f"{DIRECTIONS[direction]}: measured over commanded change {slope:.2f}{'' if learned else ', left as it is'}")
        if learned:
            matrix.linear.weight[:, direction] /= max(slope, 1 / LARGEST_GAIN)


def slider_strips(teachers: Teachers, bank: Bank, matrix: DirectionMatrix) -> Image.Image:
    """Strips of one face each under yaw, pitch and smile; prints the measured against the commanded change."""
    shown = []
    for person in range(PEOPLE_SHOWN):
        code = bank.take(torch.tensor([len(bank) - 1 - person])).w_plus
        for name, values in (
            ("yaw", (-30, -15, 0, 15, 30)),
            ("pitch", (-15, -8, 0, 8, 15)),
            ("smile", (-0.5, 0, 0.5, 0.8, 1)),
        ):
            shifts = torch.stack([torch.from_numpy(direction_shift(**{name: value})) for value in values])
            made = teachers.generator(move(matrix, code.expand(len(values), -1, -1), shifts), SIDE)
            shown += [to_image(picture) for picture in made]
    codes = bank.take(torch.arange(max(0, len(bank) - 32), len(bank)))
    for yaw in (-20, 20):
        shift = torch.from_numpy(direction_shift(yaw=yaw)).expand(len(codes), -1)
        found, _ = teachers.look(teachers.generator(move(matrix, codes.w_plus, shift), SIDE))
        change = (found.euler - codes.parameters.euler).mean(0)
        print(f"\nyaw {yaw:+d}: measured yaw {change[0]:+.1f}, pitch {change[1]:+.1f}", flush=True)
    return contact_sheet(shown, 15)

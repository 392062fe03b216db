"""Trains the network that brings the photo's own detail into results, on people who are seen in one scene several times.

A person's first view is reenacted by the second; what the second view shows that the result does not is to be learned.
"""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from stylemask_demo import Portrait, Reenactor
from stylemask_demo.caching import Lazy
from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.tensors import from_pixels, to_image, to_tensor
from stylemask_demo.networks.detail import REFINED, DetailNetwork, find_places
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.memory_format import channels_last
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.perception import grey, to_input
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.training.augment import move
from stylemask_demo.training.data import Faces
from stylemask_demo.training.discriminator import CHANNELS, PatchDiscriminator, adversarial, cut_patch
from stylemask_demo.training.loop import Averages, Task
from stylemask_demo.training.losses import identity_distance, parameter_distance, reconstruction
from stylemask_demo.training.sample_bank import openings

UNMOVED = 0.1  # part of the pairs whose target is the source itself
MISTAKEN = 0.75  # part of the pairs whose inversion looks more or less like somebody else,
MOST_MISTAKEN = 1.0  # by at most this: all; photographs are inverted worse than rendered people are
SHARP_FROM = 0.3  # part of the run after which a discriminator plays against the network
SHARPNESS = 0.3  # weight of what it thinks
PARAMETERS = 0.5  # weight of what the extractor sees: its gradient is large, and mostly noise,
EXACT_FROM, EXACTLY = 0.9, 2.0  # but in the last part of the run it counts more, so that small smiles are not lost
BACKGROUND = 0.75  # how much it matters: what was hidden there has to be filled in
NEAR, NEARER_OFTEN = 10.0, 8.0  # degrees between heads within which pairs are drawn more often, and how much more
FAR, FAR_OFTEN = 45.0, 4.0  # and beyond which they are too, being few
LARGER, SHIFTED = 0.05, 0.02  # deviations of how the photo's face is larger and lies elsewhere than its inversion's
OPEN_OFTEN = 20.0  # how much more often a target is drawn whose mouth is open by the distance of the eyes
EDGE = 3.0  # softness of the edge of miscoloured mouths: over a third of the way from there to the middle
SHUT = 1e-6  # square of half the distance of the lips, as a fraction of the picture, of a shut mouth
ON_GPU, ON_CPU = 8, 2  # people whose pairs are made at once: large batches take a CPU longer; one alone has no stranger
KEPT_APART = 0.04  # part of the people whose pairs are drawn on the sheet, and not trained on


@dataclass(frozen=True)
class Pairs:
    """N reenactments of one view of a person by another, mapped into memory from a folder.

    `rows` (N, 2) of source and target among the faces; `pictures` (N, 2, S, S, 3) uint8 of the source's inversion and the
    result; `landmarks` (N, 3, 68, 2) of the source's picture, its inversion and the result as fractions.
    """

    rows: np.memmap
    pictures: np.memmap
    landmarks: np.memmap

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def create(cls, folder: Path, count: int, size: int) -> None:
        """Makes a folder with room for `count` pairs of pictures of `size` pixels."""
        folder.mkdir(exist_ok=True)
        room = {
            "rows": (np.int64, (2,)),
            "pictures": (np.uint8, (2, size, size, 3)),
            "landmarks": (np.float32, (3, 68, 2)),
        }
        for name, (kind, shape) in room.items():
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, (count, *shape)).flush()

    @classmethod
    def open(cls, folder: Path, writing: bool = False) -> "Pairs":
        """The pairs of a folder that `create` made. Several processes may write theirs at a time."""
        mode: Literal["r+", "r"] = "r+" if writing else "r"
        return cls(*(np.load(folder / f"{field.name}.npy", mmap_mode=mode) for field in dataclasses.fields(cls)))

    def batch(self, numbers: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Inversions and results (B, 3, S, S) in -1..1, and `landmarks` (B, 3, 68, 2)."""
        device = torch.get_default_device()
        pixels = torch.from_numpy(np.ascontiguousarray(self.pictures[numbers])).to(device)
        inversions, made = from_pixels(pixels).unbind(1)
        return inversions, made, torch.from_numpy(self.landmarks[numbers]).to(device)


def make_pairs(
    reenactor: Reenactor, encoder: PortraitEncoder, faces: Faces, pairs: Pairs, share: int = 0, shares: int = 1
) -> None:
    """Fills in one of several shares of `pairs`: views of a person reenacted by one another, by every method in turn.

    Every person has as many pairs, so that there must be a multiple of the people. `reenactor` must not add detail itself;
    it and `encoder` are of one pack.
    """
    size, people, methods = reenactor.resolution, faces.rows_by_person(), reenactor.methods
    mine, each = range(share, len(people), shares), len(pairs) // len(people)
    together = ON_GPU if reenactor.device.type == "cuda" else ON_CPU
    for start in tqdm(range(0, len(mine), together), desc="pairs", mininterval=10, disable=share > 0):
        some = mine[start : start + together]
        random = np.random.default_rng(some[0])
        rows = np.concatenate([_views(people[person], each, random) for person in some])
        used, places = np.unique(rows, return_inverse=True)
        portraits = reenactor.pipeline.portraits.of_crops(
            [Image.fromarray(picture) for picture in faces.pictures[size][used]]
        )
        sources, targets = ([portraits[place] for place in column] for column in places.reshape(rows.shape).T)
        strangers = [sources[i - each] for i in range(len(sources))]  # who came before, and the last for the first
        for i in np.flatnonzero(random.random(len(sources)) < MISTAKEN):
            sources[i] = _mistaken(reenactor, encoder, sources[i], strangers[i], random.uniform(0, MOST_MISTAKEN))
        numbers = np.add.outer(np.array(some) * each, np.arange(each)).ravel()
        for turn, method in enumerate(methods[: len(rows)]):
            made = reenactor.reenact(sources[turn :: len(methods)], targets[turn :: len(methods)], method=method)
            for i, result in zip(range(turn, len(rows), len(methods)), made, strict=True):
                number, shown = numbers[i], [sources[i].crop, sources[i].inversion, result]
                pairs.rows[number] = rows[i]
                pairs.pictures[number] = np.stack([np.asarray(picture) for picture in shown[1:]])
                pairs.landmarks[number] = [
                    seen.parameters.landmarks / size for seen in reenactor.pipeline.reader.read(shown)
                ]
    for written in (pairs.rows, pairs.pictures, pairs.landmarks):
        written.flush()


def _views(rows: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Rows of source and target, (count, 2), drawn from those of one person."""
    drawn = np.stack([random.permutation(rows)[:2] for _ in range(count)])
    unmoved = random.random(count) < UNMOVED
    drawn[unmoved, 1] = drawn[unmoved, 0]
    return drawn


@torch.inference_mode()
def _mistaken(
    reenactor: Reenactor, encoder: PortraitEncoder, portrait: Portrait, stranger: Portrait, part: float
) -> Portrait:
    """The portrait with a code that holds its motion, but `part` of a stranger's looks."""
    pictures = to_tensor([portrait.crop, stranger.crop], portrait.crop.width).to(reenactor.device)
    mine, other = encoder.look(to_input(pictures)).split(1)
    codes = portrait.codes + part * (other - mine).cpu()
    return dataclasses.replace(
        portrait, codes=codes, key=f"{portrait.key}~{part}", made=Lazy(partial(reenactor.pipeline.results.inversion, codes))
    )


def details_task(
    pairs: Pairs,
    faces: Faces,
    extractor: ParameterExtractor,
    identity: IdentityNetwork,
    steps: int,
    batch: int = 4,
    rate: float = 1e-3,
) -> Task:
    """`batch` is the number of pairs. Colours of photo and truth are changed alike: an inversion may have missed them."""
    for teacher in (extractor, identity):
        teacher.eval().requires_grad_(False)
    size = pairs.pictures.shape[2]
    network = channels_last(DetailNetwork())
    judge = PatchDiscriminator((*CHANNELS, CHANNELS[-1]))  # smears are wider than strands
    optimiser = torch.optim.Adam(network.parameters(), rate, betas=(0.9, 0.99))
    optimiser.add_param_group({"params": list(judge.parameters()), "lr": 2e-3, "betas": (0.0, 0.99)})
    mirror = torch.tensor([-1.0, 1.0])  # of x and y
    trained = int(len(pairs) * (1 - KEPT_APART))
    often = how_often(pairs.rows[:trained], faces)

    def loss(step: int, done: float) -> dict[str, Tensor]:
        numbers = torch.multinomial(often, batch, replacement=True).cpu().numpy()
        sources, targets = pairs.rows[numbers].T
        photos, true = _recoloured(faces.batch(sources, size), faces.batch(targets, size))
        (landmarks,) = faces.tensors(targets, "landmarks")
        inversions, made, points = pairs.batch(numbers)
        of_photos, of_inversions, of_made = points.unbind(1)
        made = miscoloured_mouths(made, of_made)
        photos, true, of_photos, landmarks = _reshaped(photos, true, of_photos, landmarks)
        places = find_places(of_photos, of_inversions, of_made, size // REFINED)
        if torch.rand(()) < 0.5:
            photos, true, inversions, made = (batch.flip(3) for batch in (photos, true, inversions, made))
            places, landmarks = places.flip(3) * mirror, landmarks * mirror + mirror.lt(0)
        made, moved = network.draw(photos, inversions, made, places)
        if step % 2:
            seen = identity_distance(identity, grey(made), grey(true))
        else:
            seen = parameter_distance(extractor, grey(made), grey(true))
        if "parameters" in seen:
            seen["parameters"] *= PARAMETERS if done < EXACT_FROM else EXACTLY
        losses = {
            **reconstruction(made, true, landmarks, BACKGROUND),
            **seen,
            "motion": misplaced(moved, true) * 2,
        }
        if done > SHARP_FROM:
            played = adversarial(judge, *cut_patch(made, true), step)
            losses |= played | {"sharpness": SHARPNESS * played["sharpness"]}
        return losses

    def sheet(averages: Averages) -> Image.Image:
        numbers = np.linspace(trained, len(pairs) - 1, 24).astype(int)
        photos, true = (faces.batch(rows, size) for rows in pairs.rows[numbers].T)
        inversions, made, points = pairs.batch(numbers)
        of_photos, of_inversions, of_made = points.unbind(1)
        places = find_places(of_photos, of_inversions, of_made, size // REFINED)
        finished = averages["network"](photos, inversions, made, places)
        off = [(picture - true).abs().mean() * 127.5 for picture in (made, finished)]
        print(f"\nvalidation: {off[0]:.2f} grey levels without detail, {off[1]:.2f} with", flush=True)
        columns = zip(photos, made, finished, true, strict=True)
        return contact_sheet([to_image(picture) for four in columns for picture in four], 8, 192)

    return Task("details", {"network": network, "judge": judge}, optimiser, loss, sheet, steps, average=0.995)


def how_often(rows: np.ndarray, faces: Faces) -> Tensor:
    """How much more often each pair (N, 2) is drawn.

    Where a head hardly turns, as with sliders and from frame to frame, the photo must not win over the new expression;
    heads that turn far, and open mouths, which a generator draws worst, are few.
    """
    (landmarks,) = faces.tensors(rows[:, 1], "landmarks")
    mouths = openings(landmarks)[:, 2]
    before, after = (faces.tensors(views, "euler")[0] for views in rows.T)
    apart = torch.from_numpy(rows[:, 0] != rows[:, 1]).to(before)
    squares = (before - after).square().sum(1)
    near, far = torch.exp(-squares / NEAR**2), (squares / FAR**2).clamp(max=1)
    return 1 + NEARER_OFTEN * apart * near + FAR_OFTEN * far + OPEN_OFTEN * mouths


def misplaced(moved: Tensor, true: Tensor) -> Tensor:
    """How far a moved photo (B, 4, S, S), as `DetailNetwork.draw` gives it, is from the truth: the finest difference tells
    where exactly a part belongs, the coarser ones tell it from further away."""
    difference = (moved[:, :3] - true) * moved[:, 3:].detach()
    return sum((F.avg_pool2d(difference, cell).abs().mean() for cell in (1, 4, 8)), start=difference.new_zeros(()))


def miscoloured_mouths(made: Tensor, landmarks: Tensor) -> Tensor:
    """Results (B, 3, S, S) in -1..1 with another light and tint between the lips, half of them: a generator that has seen
    few open mouths of somebody draws them in any colour.

    `landmarks` (B, 68, 2) of the results as fractions.
    """
    count = len(made)
    inside = between_lips(landmarks, made.shape[-1]) * (torch.rand(count, 1, 1, 1) < 0.5)
    gamma = torch.exp(0.5 * torch.randn(count, 1, 1, 1))
    gain = torch.exp(0.5 * torch.randn(count, 1, 1, 1) + 0.4 * torch.randn(count, 3, 1, 1))
    light = ((made + 1) / 2).clamp_min(1e-4)
    return light.lerp(light.pow(gamma).mul(gain).clamp(0, 1), inside) * 2 - 1


def between_lips(landmarks: Tensor, size: int) -> Tensor:
    """1 inside of mouths, 0 outside, soft at the edge, (B, 1, size, size).

    `landmarks` (B, 68, 2) are fractions; inside is the ellipse through the corners of the mouth and the middles of the
    inner edges of the lips. Shut mouths have no inside.
    """
    left, above, right, below = landmarks[:, [60, 62, 64, 66]].unbind(1)
    places = (torch.arange(size) + 0.5) / size
    grid = torch.stack(torch.meshgrid(places, places, indexing="xy"), -1)  # (size, size, 2), x first
    offsets = grid - ((above + below) / 2)[:, None, None]
    axes = torch.stack([(right - left) / 2, (below - above) / 2], 1)  # (B, 2, 2)
    squares = axes.square().sum(2)
    along = torch.einsum("bhwc,bac->bhwa", offsets, axes) / squares.clamp_min(SHUT)[:, None, None]
    ellipse = (EDGE * (1 - along.norm(dim=3))).clamp(0, 1)[:, None]
    return ellipse * (squares > SHUT).all(1)[:, None, None, None]


def _reshaped(photos: Tensor, true: Tensor, of_photos: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Photos and true pictures (B, 3, S, S) with their landmarks (B, 68, 2), half of the pairs enlarged or reduced and
    shifted, both pictures alike: the face of a photo is not quite where its inversion has it."""
    count = len(photos)
    loose = (torch.rand(count) < 0.5).float().repeat(2)
    scale = torch.exp(LARGER * loose * torch.randn(count).repeat(2))
    shift = SHIFTED * loose[:, None] * torch.randn(count, 2).repeat(2, 1)
    pictures, points = torch.cat([photos, true]), torch.cat([of_photos, landmarks])
    pictures, points = move(pictures, points, photos.shape[-1], torch.zeros(2 * count), scale, shift)
    return *pictures.split(count), *points.split(count)


def _recoloured(*pictures: Tensor) -> list[Tensor]:
    """Batches (B, 3, S, S) in -1..1 with random exposure, white balance and paleness, the same for each picture of all."""
    count = len(pictures[0])
    gamma = torch.exp(0.15 * torch.randn(count, 1, 1, 1))
    gain = 1 + 0.08 * torch.randn(count, 1, 1, 1) + 0.05 * torch.randn(count, 3, 1, 1)
    pale = torch.rand(count, 1, 1, 1).pow(6)  # one is grey

    def recoloured(batch: Tensor) -> Tensor:
        light = ((batch + 1) / 2).clamp_min(1e-4).pow(gamma).mul(gain).clamp(0, 1)
        return light.lerp(light.mean(1, keepdim=True), pale) * 2 - 1

    return [recoloured(batch) for batch in pictures]

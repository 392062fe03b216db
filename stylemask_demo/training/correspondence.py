"""Trains the network that finds where in a photo each part of a result lies, on people of whom that is exactly known.

Here it learns alone, from true pictures that are spoiled as a generator would; with detail it goes on, on real results.
"""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.tensors import to_image
from stylemask_demo.networks.correspondence import CELL, Correspondence, CorrespondenceNetwork, find_places, moved
from stylemask_demo.networks.memory_format import channels_last
from stylemask_demo.networks.perception import importance
from stylemask_demo.training.data import Faces
from stylemask_demo.training.loop import Averages, Task
from stylemask_demo.training.pair_augment import recoloured, reshaped, spoiled
from stylemask_demo.training.truth import Correspondences, Truth

SIDE = 256  # pixels of the pictures
PIXELS = SIDE / 2  # in half a side
UNSEEN, BACKGROUND = 0.15, 0.25  # how much places matter that the photo does not show, and those of no figure
WITHIN = 1.15  # half sides from the middle: of what lies further out of the photo the place does not matter
MOST = 40.0  # pixels beyond which an error counts no more
ROUNDING = 0.5  # pixels below which errors count by their square
FACE_FROM = 0.5  # how much the rest of the picture matters beside eyes, nose and mouth, as for `importance`
FLOW, SAID = 0.1, 0.5  # weights of the places, and of what is said to be seen,
FIRST_FLOW, FIRST_SAID = 0.05, 0.2  # and of what the first look finds
LANDMARKS, ANGLES = 0.006, 1.5  # deviations of landmarks as fractions of the picture, and of angles in degrees, as read
PAIRS_SHOWN = 24  # on the sheet
KEPT_APART = 0.04  # part of the pairs that are measured and drawn, and not trained on


def correspondence_task(
    faces: Faces, correspondences: Correspondences, steps: int, batch: int = 4, rate: float = 1e-3
) -> Task:
    """`batch` is the number of pairs."""
    network = channels_last(CorrespondenceNetwork())
    optimiser = torch.optim.Adam(network.parameters(), rate, betas=(0.9, 0.99))
    pairs = correspondences.pairs()
    trained = int(len(pairs) * (1 - KEPT_APART))

    def loss(step: int, done: float) -> dict[str, Tensor]:
        rows = pairs[torch.randint(trained, (batch,)).cpu().numpy()]
        photos, true = recoloured(*(faces.batch(column, SIDE) for column in rows.T))
        of_photos, landmarks = (faces.tensors(column, "landmarks")[0] for column in rows.T)
        poses = torch.cat([faces.tensors(column, "euler")[0] for column in rows.T], 1)
        photos, true, truth, of_photos, landmarks = reshaped(
            photos, true, correspondences.of(*rows.T), of_photos, landmarks
        )
        first, found = _found(network, photos, true, of_photos, landmarks, poses + ANGLES * torch.randn_like(poses))
        weight = importance(landmarks, truth.seen.shape[-1], FACE_FROM)
        return correspondence_losses(first, found, truth, weight)

    def sheet(averages: Averages) -> Image.Image:
        rows = pairs[np.linspace(trained, len(pairs) - 1, PAIRS_SHOWN).astype(int)]
        photos, true = (faces.batch(column, SIDE) for column in rows.T)
        of_photos, landmarks = (faces.tensors(column, "landmarks")[0] for column in rows.T)
        poses = torch.cat([faces.tensors(column, "euler")[0] for column in rows.T], 1)
        truth = correspondences.of(*rows.T)
        _, found = _found(averages["network"], photos, true, of_photos, landmarks, poses)
        error, right = end_point_error(found, truth)
        print(f"\nvalidation: end-point error {error:.2f} px where seen, {right:.1%} rightly said to be seen", flush=True)
        lent = moved(photos, found.places) * torch.sigmoid(F.interpolate(found.seen, size=SIDE))
        columns = zip(photos, lent, true, strict=True)
        return contact_sheet([to_image(picture) for three in columns for picture in three], 9, 192)

    return Task("correspondence", {"network": network}, optimiser, loss, sheet, steps, average=0.997)


def _found(
    network: CorrespondenceNetwork, photos: Tensor, true: Tensor, of_photos: Tensor, landmarks: Tensor, poses: Tensor
) -> tuple[Correspondence, Correspondence]:
    """What both looks find for true pictures that are drawn a little wrong, and measured so."""
    inversions, made = spoiled(photos), spoiled(true)
    of_photos, of_inversions, of_made = (_read(points) for points in (of_photos, of_photos, landmarks))
    places = find_places(of_photos, of_inversions, of_made, SIDE // CELL)
    known = torch.cat([photos, torch.ones_like(photos[:, :1])], 1)
    made = moved(made, places[:, 2], beyond="reflection")
    return network(known, inversions, made, places[:, :2], poses)


def _read(landmarks: Tensor) -> Tensor:
    """Landmarks (B, 68, 2) as an extractor may read them: each a little off, and all together."""
    return landmarks + LANDMARKS * (torch.randn_like(landmarks) + torch.randn_like(landmarks[:, :1]))


def correspondence_losses(first: Correspondence, found: Correspondence, truth: Truth, weight: Tensor) -> dict[str, Tensor]:
    """How far both looks are from the truth, weighted; `weight` (B, 1, S, S) says how much each cell matters."""
    within = (truth.places.abs() < WITHIN).all(1, keepdim=True).float()
    of_figure = truth.figure * (truth.seen + UNSEEN * (1 - truth.seen) * within)
    weight = weight * truth.known * (of_figure + BACKGROUND * (1 - truth.figure))
    losses = {}
    for name, look, flow, said in (("", found, FLOW, SAID), ("first ", first, FIRST_FLOW, FIRST_SAID)):
        error = ((look.places - truth.places) * PIXELS).square().sum(1, keepdim=True)
        error = (error + ROUNDING**2).sqrt() - ROUNDING
        losses[f"{name}places"] = flow * (weight * error.clamp(max=MOST)).sum() / weight.sum()
        wrong = F.binary_cross_entropy_with_logits(look.seen, truth.seen, reduction="none")
        losses[f"{name}seen"] = said * (wrong * truth.known).mean()
    return losses


def end_point_error(found: Correspondence, truth: Truth) -> tuple[float, float]:
    """Mean distance in pixels of a 256 px picture between found and true places where the figure is seen (Baker et al., "A
    Database and Evaluation Methodology for Optical Flow", 2011), and the share of cells rightly said to be seen or not."""
    distance = ((found.places - truth.places) * PIXELS).norm(dim=1, keepdim=True)
    seen = truth.seen * truth.figure * truth.known
    right = ((found.seen > 0).float() == truth.seen).float()
    return float((distance * seen).sum() / seen.sum()), float((right * truth.known).sum() / truth.known.sum())

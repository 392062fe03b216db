"""Trains the network that brings the photo's own detail into results, on people who are seen in one scene several times.

A person's first view is reenacted by the second; what the second view shows that the result does not is to be learned, and
where in the first view it lies is known.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.tensors import to_image
from stylemask_demo.networks.correspondence import CELL, CorrespondenceNetwork, find_places
from stylemask_demo.networks.detail import DetailNetwork
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.memory_format import channels_last
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.perception import grey, importance
from stylemask_demo.training.correspondence import FACE_FROM, correspondence_losses, end_point_error
from stylemask_demo.training.data import Faces
from stylemask_demo.training.discriminator import CHANNELS, PatchDiscriminator, adversarial, cut_patch
from stylemask_demo.training.loop import Averages, Task
from stylemask_demo.training.losses import identity_distance, parameter_distance, reconstruction
from stylemask_demo.training.pair_augment import miscoloured_mouths, recoloured, reshaped
from stylemask_demo.training.pairs import Pairs
from stylemask_demo.training.sample_bank import openings
from stylemask_demo.training.truth import Correspondences

BLEND_RATE = 0.5  # of the learning rate, for the part that blends: it starts later
SHARP_FROM = 0.2  # part of the run after which a discriminator plays against the network
SHARPNESS = 0.3  # weight of what it thinks
PARAMETERS = 0.5  # weight of what the extractor sees: its gradient is large, and mostly noise,
EXACT_FROM, EXACTLY = 0.85, 1.5  # but in the last part of the run it counts more, so that small smiles are not lost
BACKGROUND = 0.75  # how much it matters: what was hidden there has to be filled in
FEATURES = 3.0  # weight of eyes, nose and mouth by themselves: there a pixel matters
NEAR, NEARER_OFTEN = 10.0, 5.0  # degrees between heads within which pairs are drawn more often, and how much more
FAR, FAR_OFTEN = 45.0, 4.0  # and beyond which they are too, being few
OPEN_OFTEN = 10.0  # how much more often a target is drawn whose mouth is open by the distance of the eyes
PAIRS_SHOWN = 24  # on the sheet
KEPT_APART = 0.04  # part of the people whose pairs are drawn on the sheet, and not trained on


def details_task(
    pairs: Pairs,
    faces: Faces,
    correspondences: Correspondences,
    correspondence: CorrespondenceNetwork,
    extractor: ParameterExtractor,
    identity: IdentityNetwork,
    steps: int,
    batch: int = 4,
    rate: float = 1e-3,
) -> Task:
    """`batch` is the number of pairs; starts from a trained `correspondence`. Colours of photo and truth are changed alike:
    an inversion may have missed them."""
    for teacher in (extractor, identity):
        teacher.eval().requires_grad_(False)
    size = pairs.pictures.shape[2]
    network = channels_last(DetailNetwork())
    network.correspondence.load_state_dict(correspondence.state_dict())
    judge = PatchDiscriminator((*CHANNELS, CHANNELS[-1]))  # smears are wider than strands
    optimiser = torch.optim.Adam(network.correspondence.parameters(), rate, betas=(0.9, 0.99))
    optimiser.add_param_group({"params": list(network.blend.parameters()), "lr": BLEND_RATE * rate})
    optimiser.add_param_group({"params": list(judge.parameters()), "lr": 2e-3, "betas": (0.0, 0.99)})
    mirror, turned = torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0, -1.0]).repeat(2)  # of x and y, and of angles
    trained = int(len(pairs) * (1 - KEPT_APART))
    often = how_often(pairs.rows[:trained], faces)

    def loss(step: int, done: float) -> dict[str, Tensor]:
        numbers = torch.multinomial(often, batch, replacement=True).cpu().numpy()
        sources, targets = pairs.rows[numbers].T
        photos, true = recoloured(faces.batch(sources, size), faces.batch(targets, size))
        (landmarks,) = faces.tensors(targets, "landmarks")
        inversions, made, points, poses = pairs.batch(numbers)
        of_photos, of_inversions, of_made = points.unbind(1)
        made = miscoloured_mouths(made, of_made)
        truth = correspondences.of(sources, targets)
        photos, true, truth, of_photos, landmarks = reshaped(photos, true, truth, of_photos, landmarks)
        places = find_places(of_photos, of_inversions, of_made, size // CELL)
        if torch.rand(()) < 0.5:
            photos, true, inversions, made = (batch.flip(3) for batch in (photos, true, inversions, made))
            places, landmarks = places.flip(4) * mirror[:, None, None], landmarks * mirror + mirror.lt(0)
            poses, truth = poses * turned, truth.mirrored()
        layers = network(photos, inversions, made, places, poses)
        if step % 2:
            seen = identity_distance(identity, grey(layers.drawn), grey(true))
        else:
            seen = parameter_distance(extractor, grey(layers.drawn), grey(true))
            seen["parameters"] *= PARAMETERS if done < EXACT_FROM else EXACTLY
        near = importance(landmarks, size, 0.0) * (layers.drawn - true).abs()
        weight = importance(landmarks, truth.seen.shape[-1], FACE_FROM)
        losses = {
            **reconstruction(layers.drawn, true, landmarks, BACKGROUND),
            **seen,
            "near": FEATURES * near.mean(),
            **correspondence_losses(layers.first, layers.found, truth, weight),
        }
        if done > SHARP_FROM:
            played = adversarial(judge, *cut_patch(layers.drawn, true), step)
            losses |= played | {"sharpness": SHARPNESS * played["sharpness"]}
        return losses

    def sheet(averages: Averages) -> Image.Image:
        numbers = np.linspace(trained, len(pairs) - 1, PAIRS_SHOWN).astype(int)
        sources, targets = pairs.rows[numbers].T
        photos, true = faces.batch(sources, size), faces.batch(targets, size)
        inversions, made, points, poses = pairs.batch(numbers)
        of_photos, of_inversions, of_made = points.unbind(1)
        places = find_places(of_photos, of_inversions, of_made, size // CELL)
        layers = averages["network"](photos, inversions, made, places, poses)
        off = [(picture - true).abs().mean() * 127.5 for picture in (made, layers.drawn)]
        error, right = end_point_error(layers.found, correspondences.of(sources, targets))
        print(
            f"\nvalidation: {off[0]:.2f} grey levels without detail, {off[1]:.2f} with; end-point error {error:.2f} px "
            f"where seen, {right:.1%} rightly said to be seen",
            flush=True,
        )
        columns = zip(photos, made, layers.drawn, true, strict=True)
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

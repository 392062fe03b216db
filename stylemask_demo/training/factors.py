"""Teaching generator and encoder to keep apart what a code w holds: motion, identity, and the rest (light, background).

The encoder adds the motion to a code by itself; linear discriminants find the part of the rest in which people differ.
The training swaps these parts: with the identity of another view of the same person a picture must stay the same, and so
it must with everything but the motion of another view in the same light and place. With somebody else's motion the
teachers, who see no colour, must see that motion and still the same person.
"""

import shutil
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.tensors import to_image
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.perception import grey, map_distance, to_input
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.training.augment import labelled
from stylemask_demo.training.autoencoder import joint_optimiser, signal_to_noise
from stylemask_demo.training.data import Faces, draw_pairs
from stylemask_demo.training.discriminator import PatchDiscriminator, adversarial, cut_patch
from stylemask_demo.training.loop import Averages, Task
from stylemask_demo.training.losses import identity_distance, parameter_distance, reconstruction
from stylemask_demo.training.mapping import amplify_codes, modulations, read_all
from stylemask_demo.training.sample_bank import openings

IDENTITY = 24  # dimensions of W that hold identity; in more than these people differ no more than their views do
SIDES = (128, 256)  # pixels, one after the other
FIRST = 0.3  # part of the run at the first of them
MIXED = 10  # style codes, up to 64 px, that the masks will mix
CROSS_EVERY = 2  # steps
CROSS_SIDE = 128  # pixels
RIDGE = 0.02  # in units of the mean variance of w
WINDOW = 16  # pixels that the close-up's place varies by
SHARPNESS = 0.15  # weight of what the discriminator thinks
REFIT_EVERY = 400  # steps: the codes change, and with them the part that tells people apart
TURNED = 25.0  # degrees of yaw at which a person is drawn twice as often: few heads are turned so far
OPENED = 0.25  # and how far open a mouth is, in units of the eye distance, at which its person is
PEOPLE_SHOWN = 12  # on the sheet
SCENES = 0.6  # part of the steps whose people keep light and place from view to view


@dataclass(frozen=True)
class Factors:
    """What is known of the codes of a set of faces, motion left out.

    `identity` (D, D) cuts the part that tells people apart out of a difference of codes (as w @ P.T); `looks` (D, D) and
    `motions` (56, 56) are square roots of the covariance of the codes and of the motion values.
    """

    identity: Tensor
    looks: Tensor
    motions: Tensor

    def with_identity(self, codes: Tensor, others: Tensor) -> Tensor:
        """Codes (B, D) with the identity of other codes."""
        return codes + (others - codes) @ self.identity.T


def fit_factors(codes: Tensor, motion: Tensor, person: Tensor, dimensions: int = IDENTITY) -> Factors:
    """Finds the part of codes (N, D) that differs between persons (N,): linear discriminants (Fisher 1936).

    `motion` (N, 56) are the motion values that come with the codes; the strongest `dimensions` count as identity.
    """
    # In a step of mixed precision, too: a covariance of eight bits is not positive.
    with torch.autocast(codes.device.type, enabled=False):
        centred = codes - codes.mean(0)
        covariance = centred.T @ centred / len(codes)
        _, index = person.unique(return_inverse=True)
        counts = torch.bincount(index).float()
        means = torch.zeros(len(counts), codes.shape[1]).index_add_(0, index, centred) / counts[:, None]
        within = centred - means[index]
        ridge = RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance))
        whiten = torch.linalg.inv(torch.linalg.cholesky(within.T @ within / len(codes) + ridge))
        between = (means * counts.sqrt()[:, None]) @ whiten.T
        _, _, axes = torch.linalg.svd(between, full_matrices=False)
        readout = whiten.T @ axes[:dimensions].T  # (D, K)
        spread = covariance @ readout
        identity = spread @ torch.linalg.pinv(readout.T @ spread) @ readout.T
        return Factors(identity, _root(covariance), _root(torch.cov(motion.T)))


def _root(covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp_min(0).sqrt()


@torch.no_grad()
def factors_of(encoder: PortraitEncoder, faces: Faces, people: int = 1000) -> Factors:
    """Factors of the codes that the encoder gives for labelled faces."""
    rows = np.concatenate(faces.rows_by_person()[:people])
    euler, expression, person = faces.tensors(rows, "euler", "expression", "person")
    codes = read_all(encoder.look, faces, rows)
    return fit_factors(codes, encoder.motion_values(euler, expression), person)


def factors_task(
    faces: Faces,
    scenes: Faces,
    validation: Faces,
    generator: Generator,
    encoder: PortraitEncoder,
    extractor: ParameterExtractor,
    identity: IdentityNetwork,
    steps: int,
    people: int = 3,
    rate: float = 2e-3,
) -> Task:
    """Two views of each of `people` persons are a batch; in `scenes`, views of a person differ in motion alone. Starts from
    a trained generator and encoder; the teachers stay as they are."""
    for teacher in (extractor, identity):
        teacher.eval().requires_grad_(False)
    amplify_codes(generator, encoder.eval(), faces)
    factors = factors_of(encoder, faces)
    # Stays in evaluation mode: statistics of a handful of people would blur the codes.
    encoder.reader.load_state_dict(extractor.state_dict())
    optimiser = joint_optimiser(generator, encoder, rate)
    judge = PatchDiscriminator()
    optimiser.add_param_group({"params": list(judge.parameters()), "lr": 2e-3, "betas": (0.0, 0.99)})
    crowds = [(crowd, views := crowd.rows_by_person(), _how_often(crowd, views)) for crowd in (faces, scenes)]
    # A third faster; needs a C++ compiler.
    synthesise = torch.compile(generator, dynamic=False) if shutil.which("g++") else generator

    def loss(step: int, done: float) -> dict[str, Tensor]:
        nonlocal factors
        if step and step % REFIT_EVERY == 0:
            factors = factors_of(encoder, faces)
        side = SIDES[0] if done < FIRST else SIDES[1]
        in_scenes = bool(torch.rand(()) < SCENES)
        crowd, views, often = crowds[in_scenes]
        rows = draw_pairs(views, people, often)  # two views of one person, then of the next
        mirrored = (torch.rand(len(rows)) < 0.5).repeat_interleave(2)
        # Both views are moved alike: where the head lies in the crop is no part of the motion.
        true, landmarks, euler, expression = labelled(crowd, rows.ravel(), side, mirrored, alike=2)
        motion = encoder.motion_values(euler, expression)
        codes = encoder.look(to_input(true))
        # Half of the people keep each view's own code, so that inversions stay good.
        other_view = codes.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
        swapped = (torch.rand(len(rows)) < 0.5).repeat_interleave(2)[:, None]
        exchanged = other_view if in_scenes else factors.with_identity(codes, other_view)
        used = torch.where(swapped, exchanged, codes)
        made = synthesise(generator.repeat(used + encoder.motion(motion)), side)
        seen = [_as_parameters, _as_identity, _close_up][step % 3](grey(made), grey(true))
        losses = {
            **reconstruction(made, true, landmarks),
            "size": (codes - codes.detach().mean(0)).square().mean() * 1e-3,
            **{name: 0.5 * value for name, value in seen.items()},
            "mixture": _mixture(generator, encoder, factors) * 0.2,
        }
        if side == generator.size:
            played = adversarial(judge, *cut_patch(made, true), step)
            losses |= played | {"sharpness": SHARPNESS * played["sharpness"]}
        if step % CROSS_EVERY == 0:
            losses |= cross(codes, motion, landmarks, true, own=step // CROSS_EVERY % 2 == 1)
        return losses

    def _as_parameters(made: Tensor, true: Tensor) -> dict[str, Tensor]:
        return parameter_distance(extractor, made, true)

    def _as_identity(made: Tensor, true: Tensor) -> dict[str, Tensor]:
        return identity_distance(identity, made, true)

    def _close_up(made: Tensor, true: Tensor) -> dict[str, Tensor]:
        """Features of eyes, nose and mouth at the full resolution."""
        size = min(128, made.shape[-1])
        room = made.shape[-1] - size
        x, y = room // 2 + torch.randint(-WINDOW, WINDOW + 1, (2,)) if room else (0, 0)
        y = y + room // 8
        cut = [p[..., y : y + size, x : x + size] for p in (made, true)]
        with torch.no_grad():
            maps = extractor.trunk.maps(cut[1])
        return {"features": map_distance(extractor.trunk.maps(cut[0]), maps)}

    def cross(codes: Tensor, motion: Tensor, landmarks: Tensor, true: Tensor, own: bool) -> dict[str, Tensor]:
        """Everybody with the motion of the next person, as the teachers see it; or of the person's `own` other view, where
        the landmarks are known as well."""
        rows = torch.arange(len(true))
        rows = rows.unflatten(0, (-1, 2)).flip(1).flatten() if own else rows.roll(2)
        made = to_input(synthesise(generator.repeat(codes + encoder.motion(motion[rows])), CROSS_SIDE))
        seen = to_input(true)
        with torch.no_grad():
            target, embedding = extractor(seen[rows]), identity(seen)
        found, kept = extractor(made), identity(made)
        gaps = (openings(found.landmarks) - openings(target.landmarks)).abs().mean()
        losses = {
            "cross pose": (found.euler - target.euler).abs().mean() / 5,
            "cross expression": (found.expression - target.expression).abs().mean() * 3 + gaps * 3,
            "cross identity": (1 - (kept * embedding).sum(1)).mean(),
        }
        if own:
            return losses | {"own landmarks": (found.landmarks - landmarks[rows]).abs().mean() * 120}
        return losses | {"strangers": F.relu((kept * embedding[rows]).sum(1) - 0.3).mean()}

    def sheet(averages: Averages) -> Image.Image:
        return _sheet(averages["generator"], averages["encoder"], factors, validation, extractor, identity)

    modules = {"generator": generator, "encoder": encoder, "judge": judge}
    return Task("factors", modules, optimiser, loss, sheet, steps)


def _how_often(faces: Faces, views: list[np.ndarray]) -> Tensor:
    """How much more often each person is drawn: those who are seen turned, or with an open mouth, which are few.

    `views` (persons,) are rows as `Faces.rows_by_person` gives them.
    """
    euler, landmarks = faces.tensors(np.concatenate(views), "euler", "landmarks")
    rare = (euler[:, 0] / TURNED).square() + (openings(landmarks)[:, 2] / OPENED).square()
    return 1 + torch.stack([of_person.max() for of_person in rare.split([len(rows) for rows in views])])


def _mixture(generator: Generator, encoder: PortraitEncoder, factors: Factors) -> Tensor:
    """How far style channels mix motion with the rest, 0 to 1: a mask can only take a channel or leave it.

    Channels that the masks leave alone should hold no motion at all.
    """
    moved = encoder.motion.weight @ factors.motions
    controlled = {id(layer.conv.modulation) for layer in generator.layers[:MIXED]}
    terms = []
    for _, modulation in modulations(generator):
        of_motion = (modulation.weight @ moved).norm(dim=1)
        of_looks = (modulation.weight @ factors.looks).norm(dim=1)
        total = of_motion.square() + of_looks.square() + 1e-8
        part = 2 * of_motion * of_looks if id(modulation) in controlled else of_motion.square()
        terms.append((part / total).mean())
    return torch.stack(terms).mean()


def _sheet(
    generator: Generator,
    encoder: PortraitEncoder,
    factors: Factors,
    validation: Faces,
    extractor: ParameterExtractor,
    identity: IdentityNetwork,
) -> Image.Image:
    """True picture, inversion, the same with the other view's identity, and with the next person's motion."""
    people, views = PEOPLE_SHOWN, validation.first_views()
    views = views[np.linspace(0, len(views) - 1, people).astype(int)]
    true = validation.batch(views.T.ravel(), generator.size)
    codes, whole = encoder.look(to_input(true)), encoder(to_input(true))
    inverted = generator(whole)
    mine, other = codes.split(people)
    motion = (whole[:, 0] - codes)[:people]
    swapped = generator(generator.repeat(factors.with_identity(mine, other) + motion))
    crossed = generator(generator.repeat(mine + motion.roll(1, 0)))
    embedding, target = identity(to_input(true[:people])), extractor(to_input(true[:people].roll(1, 0)))
    kept = [(identity(to_input(made)) * embedding).sum(1).mean() for made in (inverted[:people], swapped, crossed)]
    angle = (extractor(to_input(crossed)).euler - target.euler).abs().mean()
    print(
        f"\nvalidation: {signal_to_noise(inverted, true):.2f} dB, identity of inversion, swap, cross "
        f"{', '.join(f'{value:.3f}' for value in kept)}, angle error of cross {angle:.2f} degrees",
        flush=True,
    )
    columns = zip(true[:people], inverted, swapped, crossed, strict=False)
    return contact_sheet([to_image(picture) for four in columns for picture in four], 8)

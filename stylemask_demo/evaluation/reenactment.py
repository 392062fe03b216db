"""Self and cross reenactment: results of a way against the true targets and both people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from stylemask_demo import Portrait
from stylemask_demo.evaluation.baselines import Way, in_batches
from stylemask_demo.evaluation.instruments import Instruments, Sight
from stylemask_demo.evaluation.metrics import (
    cosines,
    frechet_distance,
    head_mask,
    normalised_mean_error,
    product_score,
    psnr,
)
from stylemask_demo.evaluation.people import SMILE, Face
from stylemask_demo.evaluation.standard_networks import StandardNetworks

ANGLES = ("yaw", "pitch", "roll")


@dataclass(frozen=True)
class Gallery:
    """N faces that pairs are made of, and what is true of each.

    `euler` (N, 3) degrees of yaw, pitch and roll, `expression` (N, 53) and `landmarks` (N, 68, 2) in pixels of the crop are
    exact labels, or, of real pictures, what the instruments see. `sight` is what the instruments see in the crops.
    """

    portraits: list[Portrait]
    people: list[str]
    euler: np.ndarray
    expression: np.ndarray
    landmarks: np.ndarray
    sight: Sight

    @classmethod
    def labelled(cls, faces: Sequence[Face], instruments: Instruments) -> "Gallery":
        """Faces with exact labels."""
        return cls(
            [face.portrait for face in faces],
            [str(face.person) for face in faces],
            np.stack([face.euler for face in faces]),
            np.stack([face.expression for face in faces]),
            np.stack([face.landmarks for face in faces]),
            instruments.look([face.portrait.crop for face in faces]),
        )

    @classmethod
    def as_seen(cls, portraits: list[Portrait], people: list[str], instruments: Instruments) -> "Gallery":
        """Faces without labels."""
        sight = instruments.look([portrait.crop for portrait in portraits])
        return cls(portraits, people, sight.euler, sight.expression, sight.landmarks, sight)

    def crops(self, rows: np.ndarray) -> list[Image.Image]:
        """The crops of some of the faces."""
        return [self.portraits[row].crop for row in rows]


@dataclass(frozen=True)
class Pairs:
    """Rows of the gallery that are reenacted, (P,) each."""

    sources: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """What a way made of P pairs.

    Its `results`, what the instruments see in them, measures of `each` pair (P,), and measures of all `together`.
    """

    results: list[Image.Image]
    sight: Sight
    each: dict[str, np.ndarray]
    together: dict[str, float]

    def means(self) -> dict[str, float]:
        """One number for each measure."""
        return {name: float(values.mean()) for name, values in self.each.items()} | self.together


def self_pairs(people: Sequence[str], count: int, seed: int = 0) -> Pairs:
    """At most `count` pairs of different views of one person, evenly over the people, none twice."""
    rng = np.random.default_rng(seed)
    waiting = []
    for rows in _views(people):
        pairs = [(source, target) for source in rows for target in rows if source != target]
        waiting.append([pairs[i] for i in rng.permutation(len(pairs))])
    # Everybody's first pair, then everybody's second, ...
    rounds = [pairs[turn] for turn in range(max(map(len, waiting), default=0)) for pairs in waiting if turn < len(pairs)]
    return _pairs(rounds[:count])


def cross_pairs(people: Sequence[str], count: int, seed: int = 0) -> Pairs:
    """`count` random pairs of different people, everybody equally often the source; none where there is one person only."""
    rng = np.random.default_rng(seed)
    views, names = _views(people), np.array(people)
    pairs: list[tuple[int, int]] = []
    while len(views) > 1 and len(pairs) < count:
        for person in rng.permutation(len(views)):
            source = rng.choice(views[person])
            pairs.append((source, rng.choice(np.flatnonzero(names != names[source]))))
    return _pairs(pairs[:count])


def measure_self(way: Way, gallery: Gallery, pairs: Pairs, instruments: Instruments, standard: StandardNetworks) -> Outcome:
    """Self reenactment: the target is another view of the source person, so its picture is what the result should be.

    Of each pair: errors of the result against the truth of the target in degrees, `pose error` being the mean of yaw, pitch
    and roll, and in expression coefficients; `NME` (see `normalised_mean_error`); `CSIM`, the identity cosine to the true
    picture, and that to the source; `PSNR` in dB over the crop and inside the head; `perceptual` distance. Together: the
    Frechet distance to the true pictures, and what the standard networks tell.
    """
    outcome = _common(way, gallery, pairs, instruments)
    sight = outcome.sight
    made, true = outcome.results, gallery.crops(pairs.targets)
    arrays = [(np.asarray(m), np.asarray(t)) for m, t in zip(made, true, strict=True)]
    masks = [head_mask(landmarks, true[0].width) for landmarks in gallery.landmarks[pairs.targets]]
    outcome.each.update(
        {
            "NME": normalised_mean_error(sight.landmarks, gallery.landmarks[pairs.targets]),
            "CSIM": cosines(sight.identity, gallery.sight.identity[pairs.targets]),
            "CSIM to source": cosines(sight.identity, gallery.sight.identity[pairs.sources]),
            "PSNR": np.array([psnr(m, t) for m, t in arrays]),
            "PSNR in head": np.array([psnr(m, t, mask) for (m, t), mask in zip(arrays, masks, strict=True)]),
            "perceptual": instruments.perceptual(made, true),
        }
    )
    outcome.together.update(standard.against_truth(made, true))
    outcome.together.update(standard.faces(made, gallery.crops(pairs.sources), true))
    return outcome


def measure_cross(
    way: Way, gallery: Gallery, pairs: Pairs, instruments: Instruments, standard: StandardNetworks
) -> Outcome:
    """Cross reenactment: source and target are different people, and there is no true picture.

    Of each pair: the errors of `measure_self` in pose and expression; `CSIM`, the identity cosine to the source, and that
    to the target; `nearer to source`, the share of results that are. Together: the `product` of both aims (see
    `product_score`), the Frechet distance to all true pictures, and what the standard networks tell.
    """
    outcome = _common(way, gallery, pairs, instruments)
    sight = outcome.sight
    to_source = cosines(sight.identity, gallery.sight.identity[pairs.sources])
    to_target = cosines(sight.identity, gallery.sight.identity[pairs.targets])
    outcome.each.update(
        {"CSIM": to_source, "CSIM to target": to_target, "nearer to source": (to_source > to_target).astype(float)}
    )
    untouched = np.abs(gallery.sight.euler[pairs.sources] - gallery.euler[pairs.targets]).mean()
    score = product_score(outcome.each["pose error"].mean(), untouched, to_source.mean())
    outcome.together["product"] = float(score)
    sources, targets = gallery.crops(pairs.sources), gallery.crops(pairs.targets)
    outcome.together.update(standard.faces(outcome.results, sources, targets))
    return outcome


def _common(way: Way, gallery: Gallery, pairs: Pairs, instruments: Instruments) -> Outcome:
    """Results, their errors in pose and expression, and their Frechet distance to all true pictures."""
    sources, targets = ([gallery.portraits[row] for row in rows] for rows in (pairs.sources, pairs.targets))
    results = in_batches(way, sources, targets)
    sight = instruments.look(results)
    angles = np.abs(sight.euler - gallery.euler[pairs.targets])
    coefficients = np.abs(sight.expression - gallery.expression[pairs.targets])
    smiles = (sight.expression - gallery.expression[pairs.targets])[:, SMILE].mean(1)
    each = {
        "pose error": angles.mean(1),
        **{name: angles[:, i] for i, name in enumerate(ANGLES)},
        "expression error": coefficients.mean(1),
        "smile error": np.abs(smiles),
    }
    together = {"Frechet": frechet_distance(sight.features, gallery.sight.features)} if len(results) > 1 else {}
    return Outcome(results, sight, each, together)


def _views(people: Sequence[str]) -> list[np.ndarray]:
    """The rows of each person, in the order in which the people appear."""
    names = np.array(people)
    return [np.flatnonzero(names == person) for person in dict.fromkeys(people)]


def _pairs(rows: list[tuple[int, int]]) -> Pairs:
    array = np.array(rows, int).reshape(-1, 2)
    return Pairs(array[:, 0], array[:, 1])

"""A bank of faces that the frozen generator makes, with what the frozen extractor and identity network say of them."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stylemask_demo.faces.parameters import ANGLE_UNIT, DIRECTION_WEIGHTS, DIRECTIONS
from stylemask_demo.generator.sampling import draw_w
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.parameter_extractor import ExtractedParameters, ParameterExtractor
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.training.data import Faces
from stylemask_demo.training.losses import to_input

RANGE = {"yaw": 1.6, "pitch": 0.9, "roll": 0.4}  # largest change of one direction alone; 0.8 for expressions
SIDE = 128  # pixels at which faces are made while masks and directions are trained


class Teachers(Protocol):
    """What masks and directions are trained with: a frozen generator, and frozen networks that see what it makes."""

    generator: Generator
    side: int  # pixels at which faces are made

    def look(self, pictures: Tensor) -> tuple[ExtractedParameters, Tensor]:
        """Parameters and identity embedding (B, D) of generated pictures (B, 3, S, S)."""

    def along(self, parameters: ExtractedParameters) -> Tensor:
        """Place of B faces along the directions, (B, 15)."""

    def motion_styles(self, bank: "Bank") -> list[Tensor]:
        """Styles of the bank's faces as far as pose and expression explain them, (N, width) each."""

    def moves(self, bank: "Bank", layers: int) -> Tensor:
        """Directions to start from, (layers * style_dim, 15)."""

    def largest_changes(self, bank: "Bank") -> Tensor:
        """The largest change of each direction alone, (15,)."""


@dataclass
class EmbeddedTeachers(Teachers):
    """The networks of the embedded pack, whose encoder knows motion apart from the rest."""

    generator: Generator
    encoder: PortraitEncoder
    extractor: ParameterExtractor
    identity: IdentityNetwork

    side: int = SIDE

    def __post_init__(self) -> None:
        for network in (self.generator, self.encoder, self.extractor, self.identity):
            network.eval().requires_grad_(False)

    def look(self, pictures: Tensor) -> tuple[ExtractedParameters, Tensor]:
        """Parameters and identity embedding of generated pictures (B, 3, S, S)."""
        seen = to_input(pictures)
        return self.extractor(seen), self.identity(seen)

    def along(self, parameters: ExtractedParameters) -> Tensor:
        """Place of B faces along the directions, (B, 15)."""
        return along_directions(parameters)

    def motion_styles(self, bank: "Bank") -> list[Tensor]:
        """Styles of the bank's faces as far as pose and expression explain them, (N, width) each."""
        encoder = self.encoder
        motion = encoder.motion(encoder.motion_values(bank.parameters.euler, bank.parameters.expression))
        return self.generator.styles(self.generator.repeat(motion))

    def moves(self, bank: "Bank", layers: int) -> Tensor:
        """Directions to start from, (layers * style_dim, 15): what the encoder adds for the least motion along each."""
        return (self.encoder.motion.weight @ units()).repeat(layers, 1)

    def largest_changes(self, bank: "Bank") -> Tensor:
        """The largest change of each direction alone, (15,)."""
        return largest_changes()


@dataclass(frozen=True)
class Bank:
    """N faces: code `w_plus` (N, L, 512), `parameters` as the extractor sees them, `embedding` (N, 256).

    `pairs` (M, 2) are rows that show one person twice.
    """

    w_plus: Tensor
    parameters: ExtractedParameters
    embedding: Tensor
    pairs: Tensor = field(default_factory=lambda: torch.empty(0, 2, dtype=torch.long))

    def __len__(self) -> int:
        return len(self.w_plus)

    def state(self) -> dict[str, Tensor]:
        """Plain tensors to save; `from_state` makes the bank again."""
        own = {"w_plus": self.w_plus, "embedding": self.embedding, "pairs": self.pairs}
        return {**own, **self.parameters._asdict()}

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> "Bank":
        """The bank that `state` made plain tensors of."""
        parameters = ExtractedParameters(*(state[name] for name in ExtractedParameters._fields))
        return cls(state["w_plus"], parameters, state["embedding"], state["pairs"])

    def take(self, rows: Tensor) -> "Bank":
        """The faces of the rows (B,), of which no pairs are known."""
        parameters = ExtractedParameters(*(p[rows] for p in self.parameters))
        return Bank(self.w_plus[rows], parameters, self.embedding[rows])

    def draw(self, batch: int) -> tuple["Bank", "Bank", Tensor]:
        """Random sources and targets, and `same` (batch,), 1 where they are one person: the last quarter, if there are any
        pairs, else none."""
        sources, targets = torch.randint(len(self), (2, batch))
        same = torch.zeros(batch)
        if len(self.pairs):
            same[batch - batch // 4 :] = 1
            drawn = self.pairs[torch.randint(len(self.pairs), (batch,))]
            sources, targets = torch.where(same.bool(), drawn.T, torch.stack([sources, targets]))
        return self.take(sources), self.take(targets), same


@torch.no_grad()
def make_bank(teachers: EmbeddedTeachers, faces: Faces, count: int, sampled: float = 0.3, batch: int = 32) -> Bank:
    """Codes of training pictures, two of each person, made and looked at once.

    The `sampled` part of them is replaced by faces sampled from z.
    """
    random = np.random.default_rng(0)
    views = [random.permutation(rows)[: len(rows) // 2 * 2].reshape(-1, 2) for rows in faces.rows_by_person()]
    rows = random.permutation(np.concatenate(views))[: count // 2].ravel()
    codes, parameters, embeddings, pairs = [], [], [], []
    for start in tqdm(range(0, len(rows), batch), desc="bank", mininterval=10):
        chosen = rows[start : start + batch]
        w_plus = teachers.encoder(faces.batch(chosen, 128))
        drawn = int(len(chosen) * sampled) // 2 * 2
        pairs.append(torch.arange(start + drawn, start + len(chosen)).unflatten(0, (-1, 2)))
        w_plus[:drawn] = teachers.generator.repeat(draw_w(teachers.generator, drawn, start))
        found, embedding = teachers.look(teachers.generator(w_plus, SIDE))
        codes.append(w_plus)
        parameters.append(found)
        embeddings.append(embedding)
    joined = ExtractedParameters(*(torch.cat(part) for part in zip(*parameters, strict=True)))
    return Bank(torch.cat(codes), joined, torch.cat(embeddings), torch.cat(pairs))


def along_directions(parameters: ExtractedParameters) -> Tensor:
    """Place of B faces along the face directions, (B, 15)."""
    values = torch.cat([parameters.euler, parameters.expression], 1)
    with torch.autocast(values.device.type, enabled=False):  # fractions of a degree
        return values @ torch.from_numpy(DIRECTION_WEIGHTS.copy()).to(values)


def units() -> Tensor:
    """The least motion that goes one unit along each direction, (56, 15): columns of the encoder's motion values."""
    weights = torch.from_numpy(DIRECTION_WEIGHTS.copy()).to(torch.get_default_device())
    weights = weights * torch.where(torch.arange(len(weights)) < 3, ANGLE_UNIT, 1.0)[:, None]
    return weights / weights.square().sum(0)


def largest_changes() -> Tensor:
    """The largest change of each direction alone, (15,)."""
    return torch.tensor([RANGE.get(name, 0.8) for name in DIRECTIONS])


def landmark_gap(found: Tensor, wanted: Tensor, same: Tensor) -> Tensor:
    """How far landmarks (B, 68, 2) lie from where they should, over the faces with `same` (B,) 1: of one person the face's
    shape is known, of two it is not."""
    return ((found - wanted).abs().mean((1, 2)) * same).mean() * 100


def openings(landmarks: Tensor) -> Tensor:
    """Heights of eyes and mouth and width of the mouth in units of the eye distance, (B, 68, 2) -> (B, 5)."""
    eyes = (landmarks[:, 36:42].mean(1) - landmarks[:, 42:48].mean(1)).norm(dim=1, keepdim=True)

    def gap(above: list[int], below: list[int]) -> Tensor:
        return (landmarks[:, above].mean(1) - landmarks[:, below].mean(1)).norm(dim=1)

    gaps = [gap([37, 38], [41, 40]), gap([43, 44], [47, 46]), gap([61, 62, 63], [67, 66, 65])]
    gaps += [gap([50, 51, 52], [58, 57, 56]), gap([48], [54])]
    return torch.stack(gaps, 1) / eyes

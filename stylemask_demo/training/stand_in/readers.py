"""Narrow networks that read rendered people as published ones read photographs, trained on random people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from scipy.spatial.transform import Rotation
from torch import Tensor, nn
from tqdm import tqdm

from stylemask_demo.faces.crops import CropRule
from stylemask_demo.faces.deca import DecaFace, DirectionScale, cut
from stylemask_demo.faces.extract import face_parameters, read_twice
from stylemask_demo.faces.parameters import FaceParameters
from stylemask_demo.generator.sampling import draw_w
from stylemask_demo.media.tensors import to_images, to_tensor
from stylemask_demo.networks.deca import SIZES, DecaEncoder
from stylemask_demo.networks.irse50 import IRSE50
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.style_head import StyleHead
from stylemask_demo.networks.trunk import INPUT_SIZE
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.portraits.readers import CompactReader, Reading
from stylemask_demo.training.stand_in.widening import narrow

BATCH = 16
RATE = 2e-3
TOGETHER = 8  # people that are drawn at once
SETTLED = 32  # batches that tell the means of features
IDENTITY = 0.1  # weight of who it is among what DECA learns: nothing but the way a face moves is asked of it
JAW = 0.3  # radians of a mouth that is wide open
# Coefficients that stand for DECA's first expressions, about as large as its own.
EXPRESSIONS = (
    "mouthSmile_L mouthSmile_R mouthFrown_L mouthPucker browInnerUp_L browDown_L eyeBlink_L eyeBlink_R noseSneer_L "
    "mouthUpperUp_L jawLeft"
).split()


@dataclass(frozen=True)
class People:
    """Random people: `crops` (N, 3, 256, 256) and DECA's `faces` (N, 3, 224, 224) in 0..255, bytes, and what is to be read:
    their codes `w` (N, 512), `motions` (N, 512) and `parameters` (N, 236)."""

    crops: Tensor
    faces: Tensor
    w: Tensor
    motions: Tensor
    parameters: Tensor


@torch.no_grad()
def draw_people(networks: PackNetworks, rule: CropRule, count: int, seed: int = 0) -> People:
    """Draw people with the generator of the embedded pack, and cut them out by a rule."""
    generator, motion_encoder = networks.generator, networks.motion_encoder
    assert motion_encoder is not None
    w = draw_w(generator, count, seed)
    made: list[list[Tensor]] = [[], [], [], []]
    for some in tqdm(w.split(TOGETHER), desc="people", mininterval=10):
        pictures = to_images(generator(generator.repeat(some)))
        seen = to_tensor(pictures, INPUT_SIZE).to(some.device)
        known = face_parameters(read_twice(networks.extractor, seen), generator.size)
        cuts = [rule.cut(picture, face.landmarks - 0.5, 256) for picture, face in zip(pictures, known, strict=True)]
        squares = [
            torch.from_numpy(cut(crop, way.to_crop(face.landmarks - 0.5)))
            for (crop, way), face in zip(cuts, known, strict=True)
        ]
        made[0].append(_bytes(to_tensor([crop for crop, _ in cuts], 256) / 2 + 0.5))
        made[1].append(_bytes(torch.stack(squares).permute(0, 3, 1, 2)))
        made[2].append(motion_encoder.get()(seen)[:, 0].cpu())
        made[3].append(torch.stack([deca_parameters(face) for face in known]))
    crops, faces, motions, parameters = map(torch.cat, made)
    return People(*(part.to(w.device) for part in (crops, faces, w, motions, parameters)))


def deca_parameters(face: FaceParameters) -> Tensor:
    """What DECA would tell of a face (236,): head pose and jaw, its identity, and some expressions as coefficients."""
    parts = {name: torch.zeros(size) for name, size in zip(_NAMES, SIZES, strict=True)}
    # Rz(roll) Ry(-yaw) Rx(pitch), in DECA's signs; see `axis_angle_to_euler`.
    turn = Rotation.from_euler("ZYX", [face.roll, face.yaw, -face.pitch], degrees=True).as_rotvec()
    jaw = JAW * face.expression["jawOpen"]
    parts["pose"][:4] = torch.tensor([*turn, jaw])
    parts["shape"][:] = torch.from_numpy(face.identity.copy())
    parts["expression"][: len(EXPRESSIONS)] = torch.tensor([face.expression[name] for name in EXPRESSIONS])
    return torch.cat(list(parts.values()))


class TaughtReader(CompactReader):
    """Reads what DECA is taught to read, as its teacher does: where faces stand along the directions of a published matrix.

    Directions that are measured by it are those of faces. By a DECA that has learned little they would be far longer: it
    hardly tells faces apart, and to whom all are alike a small difference means a lot.
    """

    def __init__(self, extractor: ParameterExtractor, scale: DirectionScale):
        super().__init__(extractor)
        self._scale = scale

    def read(self, crops: Sequence[Image.Image]) -> list[Reading]:
        known = [reading.parameters for reading in super().read(crops)]
        return [Reading(face, self._scale.values(_taught(face))) for face in known]


def _taught(face: FaceParameters) -> DecaFace:
    _, _, expression, pose, _, _ = deca_parameters(face).split(SIZES)
    return DecaFace(face.yaw, face.pitch, face.roll, float(pose[3]), expression.numpy(), face.identity)


_NAMES = ("shape", "texture", "expression", "pose", "camera", "light")


class PhotoReader(nn.Module):
    """A narrow IR-SE-50 that reads the code w of a face, and its motion.

    Its first stage takes half of the time and learns little: it stays as it is, so that training sees each picture once.
    """

    def __init__(self) -> None:
        super().__init__()
        with torch.device("meta"):
            trunk, head = IRSE50(), StyleHead(512, 16)
        self.trunk, self.head = narrow(trunk), narrow(head)
        layers = nn.Sequential(nn.BatchNorm2d(64), nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(64 * 49, 512))
        self.motion = layers
        units = list(self.trunk.body)
        after = self.trunk.stage_ends[0] + 1
        self._first, self._rest = units[:after], units[after:]

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Crops (B, 3, 256, 256) in -1..1 -> w (B, 512) and motion (B, 512)."""
        return self.read(self.first_stage(crops))

    def first_stage(self, crops: Tensor) -> Tensor:
        """Crops (B, 3, 256, 256) in -1..1 -> features (B, 8, 128, 128)."""
        x = self.trunk.input_layer(crops)
        for unit in self._first:
            x = unit(x)
        return x

    def read(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, 8, 128, 128) of the first stage -> w (B, 512) and motion (B, 512)."""
        for unit in self._rest:
            x = unit(x)
        return self.head(x), self.motion(x)


def train_photo_reader(networks: PackNetworks, people: People, steps: int) -> PhotoReader:
    """Train the reader of codes and motion."""
    generator = networks.generator
    mean, spread = people.w.mean(0), people.motions.std()

    def styles(w: Tensor) -> Tensor:
        return torch.cat(generator.styles(generator.repeat(w)), 1)

    with torch.no_grad():
        size = styles(people.w).std(0) + 1e-3
    reader = PhotoReader().to(mean.device)
    with torch.no_grad():
        reader.head.linear.bias.copy_(mean)
        reader.motion.get_parameter("3.bias").copy_(people.motions.mean(0))
    features = _first_stages(reader, people.crops)

    def loss(index: Tensor) -> Tensor:
        w, motion = reader.read(features[index].float())
        away = (styles(w) - styles(people.w[index])) / size
        return away.square().mean() + ((motion - people.motions[index]) / spread).square().mean()

    _train(reader, loss, len(people.w), steps, "codes")
    return reader


@torch.no_grad()
def _first_stages(reader: PhotoReader, crops: Tensor) -> Tensor:
    """Features (N, 8, 128, 128), float16, of the reader's first stage, whose means are those of these crops from now on."""
    parts = [_floats(some) * 2 - 1 for some in crops.split(BATCH)]
    reader.train()
    for part in parts[:SETTLED]:
        reader.first_stage(part)
    reader.eval()
    return torch.cat([reader.first_stage(part).half() for part in parts])


def train_deca(people: People, steps: int) -> DecaEncoder:
    """Train a narrow DECA."""
    with torch.device("meta"):
        network = DecaEncoder()
    last = nn.Linear(1024, sum(SIZES))  # as wide as published
    reader = narrow(network, keep=lambda name: name == "layers.2")
    reader.layers[2] = last
    reader.to(people.w.device)
    mean, spread = people.parameters.mean(0), people.parameters.std(0)
    spread = torch.where(spread > 1e-6, spread, torch.ones_like(spread))
    wanted = (people.parameters - mean) / spread

    def loss(index: Tensor) -> Tensor:
        missed = torch.cat(list(reader(_floats(people.faces[index]))), 1) - wanted[index]
        shape, _, expression, pose, _, _ = (part.square().mean() for part in missed.split(SIZES, 1))
        return pose + expression + IDENTITY * shape

    _train(reader, loss, len(people.w), steps, "parameters")
    last.weight.mul_(spread[:, None])
    last.bias.mul_(spread).add_(mean)
    return reader


def _train(reader: nn.Module, loss: Callable[[Tensor], Tensor], count: int, steps: int, what: str) -> None:
    optimiser = torch.optim.AdamW(reader.parameters(), RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, 2 * (1 - step / max(steps, 1))))
    random = torch.Generator().manual_seed(0)
    reader.train()
    with tqdm(range(steps), desc=what, mininterval=10) as bar:
        for _ in bar:
            value = loss(torch.randint(0, count, (BATCH,), generator=random))
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
            bar.set_postfix(loss=f"{value.item():.3f}", refresh=False)
    reader.eval().requires_grad_(False)


def _bytes(pictures: Tensor) -> Tensor:
    # In rows: PyTorch's backward pass of so narrow convolutions writes where it must not if channels come last.
    return (pictures.clamp(0, 1) * 255).round().byte().cpu().contiguous()


def _floats(pictures: Tensor) -> Tensor:
    return pictures.float() / 255

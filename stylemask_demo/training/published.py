"""Masks and directions for a generator that was trained elsewhere, such as that of the pack `ffhq`."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor
from tqdm import tqdm

from stylemask_demo.calibration.regression import LinearFit, ridge_regression
from stylemask_demo.errors import WrongSetting
from stylemask_demo.faces.deca import BOX_SCALE, CROP_SCALE, DECA_PARAMETERS, LARGEST_PICTURE, DirectionScale
from stylemask_demo.generator.sampling import TRUNCATION, draw_w
from stylemask_demo.networks.arcface import ArcFace
from stylemask_demo.networks.deca import DecaEncoder, axis_angle_to_euler
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.parameter_extractor import ExtractedParameters, ParameterExtractor
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.packs import find_pack, read_info
from stylemask_demo.packs.networks import network_of
from stylemask_demo.packs.store import save_network
from stylemask_demo.training.directions import LAYERS, directions_task
from stylemask_demo.training.loop import run
from stylemask_demo.training.losses import to_input
from stylemask_demo.training.masks import CONTROLLED, masks_task
from stylemask_demo.training.presets import Preset
from stylemask_demo.training.sample_bank import Bank, Teachers, along_directions

TRAINED = ("masks", "directions")
RIDGE = 10.0  # penalty of the regressions that training starts from, in faces
STILL = 1e-12  # variance of a parameter that is the same in all faces
REACH = 2.0  # standard deviations over the bank: the largest change of one direction alone
BATCH = 16
LARGEST_SIDE = 256  # pixels at which faces are made
DECA_SIGNS = (-1.0, -1.0, 1.0)  # of yaw, pitch and roll: DECA counts the first two the other way


class PackTeachers(Teachers):
    """The networks of a pack. Where it has DECA, that reads pose and expression, and in its units directions are counted.

    Landmarks are the compact extractor's, and a pack without an identity network borrows the embedded one.
    """

    def __init__(self, pack: str | Path, device: torch.device) -> None:
        info = read_info(find_pack(pack))
        self.deca: DecaEncoder | None = network_of(info, "deca", device) if "deca" in info.networks else None
        self.scale = info.recipe().directions or DirectionScale()
        # Only those that are needed: an encoder may be larger than all of them.
        self.generator: Generator = network_of(info, "generator", device)
        self.extractor: ParameterExtractor = network_of(info, "extractor", device)
        self.identity: IdentityNetwork | ArcFace = network_of(info, "identity", device)
        self.side = min(LARGEST_SIDE, self.generator.size)

    def look(self, pictures: Tensor) -> tuple[ExtractedParameters, Tensor]:
        """With DECA `expression` is the jaw's angle in radians, then 50 coefficients, and `identity` 100 coefficients."""
        seen = to_input(pictures)
        found = self.extractor(seen)
        embedding = self.identity(pictures if isinstance(self.identity, ArcFace) else seen)
        if self.deca is None:
            return found, embedding
        read = self.deca(deca_crops(pictures, found.landmarks.detach()))
        euler = axis_angle_to_euler(read.pose[:, :3]) * read.pose.new_tensor(DECA_SIGNS)
        expression = torch.cat([read.pose[:, 3:4], read.expression], 1)
        return ExtractedParameters(euler, expression, found.landmarks, read.shape), embedding

    def along(self, parameters: ExtractedParameters) -> Tensor:
        """Place of B faces along the pack's directions, (B, 15)."""
        if self.deca is None:
            return along_directions(parameters)
        angles = parameters.euler * parameters.euler.new_tensor(self.scale.signs)
        known = torch.cat([angles, parameters.expression], 1)  # in the order of DECA_PARAMETERS
        chosen = [DECA_PARAMETERS.index(name) for name in self.scale.names]
        return known[:, chosen] * known.new_tensor(self.scale.factors)

    def motion_styles(self, bank: Bank) -> list[Tensor]:
        """Styles of the bank's faces as far as a regression on pose and expression explains them, (N, width) each."""
        motion = torch.cat([bank.parameters.euler / 10, bank.parameters.expression], 1)
        return [_regression(motion, style)(motion) for style in self.generator.styles(bank.w_plus)]

    def moves(self, bank: Bank, layers: int) -> Tensor:
        """Directions to start from, (layers * style_dim, 15): the regression of the bank's codes on places along them."""
        return _regression(self.along(bank.parameters), bank.w_plus[:, :layers].flatten(1)).slope.T

    def largest_changes(self, bank: Bank) -> Tensor:
        """The largest change of each direction alone, (15,), by how much the bank's faces differ."""
        return REACH * self.along(bank.parameters).std(0)


def train_on_pack(
    pack: str | Path,
    network: str,
    folder: Path,
    preset: Preset,
    accelerator: Accelerator,
    steps: int | None = None,
    to: Path | None = None,
) -> Path:
    """Train "masks" or "directions" for the generator of a pack and save them there, or in the pack folder `to`.

    Resumes in `folder`. Returns the path of the weights. Raises PackMissing, PackCorrupt, and WrongSetting for another
    network.
    """
    if network not in TRAINED:
        raise WrongSetting(f"With --on one of these is trained: {', '.join(TRAINED)}.")
    torch.manual_seed(0)
    teachers, plan = PackTeachers(pack, torch.get_default_device()), preset.plans[network]
    bank = sampled_bank(teachers, preset.bank)
    task = (masks_task if network == "masks" else directions_task)(teachers, bank, steps or plan.steps, plan.batch)
    task.sheet = task.sheet if network == "masks" else None  # the sliders' sheet is in the embedded pack's units
    task.seconds = plan.minutes * 60 if steps is None else task.seconds
    made = run(task, folder, accelerator)[network]
    sizes: dict[str, Any] = {"style_sizes": teachers.generator.style_sizes[:CONTROLLED]}
    if network == "directions":
        sizes = {
            "num_directions": made.linear.in_features,
            "num_layers": min(LAYERS, teachers.generator.num_latents),
            "style_dim": teachers.generator.style_dim,
        }
    return save_network(to or read_info(find_pack(pack)).folder, network, made, sizes, dtype=torch.float32)


@torch.no_grad()
def sampled_bank(teachers: PackTeachers, count: int) -> Bank:
    """Random people of the teachers' generator, truncated as in the papers; the same every time."""
    generator = teachers.generator
    w = draw_w(generator, count)
    w_plus = generator.repeat(torch.lerp(w.mean(0), w, TRUNCATION))
    parts = tqdm(w_plus.split(BATCH), desc="bank", mininterval=10)
    seen = [teachers.look(generator(part, teachers.side)) for part in parts]
    parameters = ExtractedParameters(*(torch.cat(part) for part in zip(*(found for found, _ in seen), strict=True)))
    return Bank(w_plus, parameters, torch.cat([embedding for _, embedding in seen]))


def deca_crops(pictures: Tensor, landmarks: Tensor) -> Tensor:
    """DECA's crops of pictures (B, 3, S, S) in -1..1, by landmarks (B, 68, 2) in fractions: (B, 3, 224, 224) in 0..1.

    The rule of `faces.deca.cut`; gradients flow into the pictures.
    """
    pixels = min(pictures.shape[-1], LARGEST_PICTURE)
    spread = pixels / (pixels - 1)
    low, high = landmarks.amin(1), landmarks.amax(1)
    side = ((high - low).mean(1) * BOX_SCALE * CROP_SCALE * pixels).floor() / pixels * spread  # (B,) of the picture's side
    shift = (low + high - 1 / pixels) * spread - 1  # (B, 2) of the middle, from -1 to 1
    matrix = torch.zeros(len(pictures), 2, 3, device=pictures.device)
    matrix[:, 0, 0] = matrix[:, 1, 1] = side
    matrix[:, :, 2] = shift
    grid = F.affine_grid(matrix, [len(pictures), 3, DecaEncoder.input_size, DecaEncoder.input_size], align_corners=False)
    return F.grid_sample(pictures / 2 + 0.5, grid, align_corners=False)


def _regression(inputs: Tensor, outputs: Tensor) -> LinearFit:
    """Outputs (N, C) on inputs (N, D), with a penalty of RIDGE faces."""
    return ridge_regression(inputs, outputs, RIDGE / len(inputs) * (inputs.var(0) + STILL))

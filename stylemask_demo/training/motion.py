"""Trains motion encoder and mapping network as Pose and Expression Transfer does: self-supervised, the generator frozen.

Of two pictures of one person, the first one's code and the second one's motion must give the second picture; and with a
second person's code the same motion must give that person.
"""

import torch
from PIL import Image
from torch import Tensor

from stylemask_demo.calibration.regression import LinearFit, ridge_regression
from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.tensors import to_image
from stylemask_demo.networks.compact_motion_encoder import CompactMotionEncoder
from stylemask_demo.networks.memory_format import channels_last
from stylemask_demo.networks.motion_mapping import MotionMapping
from stylemask_demo.networks.perception import grey
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.training.data import Faces, draw_pairs
from stylemask_demo.training.learning_rates import parameter_groups
from stylemask_demo.training.loop import Averages, Task
from stylemask_demo.training.losses import exposure, identity_distance, parameter_distance, reconstruction
from stylemask_demo.training.sample_bank import SIDE, EmbeddedTeachers

RIDGE = 1e-2  # penalty of the regressions that training starts from, in units of the mean variance
FITTED = 2000  # pictures that it is fitted on


def motion_task(teachers: EmbeddedTeachers, faces: Faces, steps: int, batch: int = 8, rate: float = 2e-4) -> Task:
    """`batch` is the number of pairs. Of the second person there is no true picture: the teachers see the identity of the
    person and the parameters of the motion, and the light is that of the person's inversion."""
    generator, encoder = teachers.generator, teachers.encoder
    motion = channels_last(CompactMotionEncoder())
    motion.trunk.load_state_dict(teachers.extractor.trunk.state_dict())
    mapping = MotionMapping(num_latents=1)
    _start_from_regression(teachers, faces, motion, mapping)
    optimiser = torch.optim.Adam([*parameter_groups(motion, rate), *parameter_groups(mapping, rate)])
    views = faces.rows_by_person()
    often = torch.tensor([float(len(rows)) for rows in views])  # so that every picture counts, of four views or of a film

    def loss(step: int, done: float) -> dict[str, Tensor]:
        first, second = draw_pairs(views, batch, often).T
        true = faces.batch(second, SIDE)
        (landmarks,) = faces.tensors(second, "landmarks")
        source = faces.batch(first, SIDE)
        with torch.no_grad():
            codes = encoder(source)[:, :1]
            unmoved = generator(generator.repeat(codes[:, 0]), SIDE)
        moves = motion(true)
        made = _drive(generator, mapping, codes, moves)
        # The next person's code with the same motion: paired at random, because the batch is.
        other = _drive(generator, mapping, codes.roll(1, 0), moves)
        seen, looked = grey(true), grey(other)
        return {
            **reconstruction(made, true, landmarks),
            **parameter_distance(teachers.extractor, grey(made), seen),
            "identity": identity_distance(teachers.identity, grey(made), seen)["identity"],
            "other parameters": parameter_distance(teachers.extractor, looked, seen)["parameters"],
            "other identity": identity_distance(teachers.identity, looked, grey(source).roll(1, 0))["identity"],
            "other exposure": (exposure(other) - exposure(unmoved).roll(1, 0)).abs().mean() * 4,
        }

    def sheet(averages: Averages) -> Image.Image:
        rows = faces.first_views()
        rows = rows[:: max(1, len(rows) // 12)][:12]
        source, target = faces.batch(rows[:, 0], SIDE), faces.batch(rows[:, 1], SIDE).roll(1, 0)
        made = _drive(generator, averages["mapping"], encoder(source)[:, :1], averages["motion"](target))
        columns = zip(source, target, made, strict=True)
        return contact_sheet([to_image(picture) for three in columns for picture in three], 9)

    return Task("motion", {"motion": motion, "mapping": mapping}, optimiser, loss, sheet, steps, warm_up=20, average=0.97)


def _drive(generator: Generator, mapping: MotionMapping, codes: Tensor, moves: Tensor) -> Tensor:
    return generator(generator.repeat(mapping(codes, moves)[:, 0]), SIDE)


@torch.no_grad()
def _start_from_regression(
    teachers: EmbeddedTeachers, faces: Faces, motion: CompactMotionEncoder, mapping: MotionMapping
) -> None:
    """Lets the mapping take the encoder's own motion out of the code, and the motion encoder give it as regression can."""
    motion.eval()  # and stays so: statistics of a handful of people would blur the codes
    rows = faces.spread(FITTED)
    codes, moved, features = [], [], []
    for start in range(0, len(rows), 64):
        pictures = faces.batch(rows[start : start + 64], SIDE)
        whole = teachers.encoder(pictures)[:, 0]
        codes.append(whole)
        moved.append(whole - teachers.encoder.look(pictures))
        features.append(motion.trunk(pictures))
    own = _regression(torch.cat(codes), torch.cat(moved))
    identity = torch.eye(len(own.slope))
    linear = mapping.linear_relu[0]
    linear.get_parameter("weight").copy_(torch.cat([identity - own.slope.T, identity], 1))
    linear.get_parameter("bias").copy_(-own.constant)
    seen = _regression(torch.cat(features), torch.cat(moved))
    motion.motion.weight.copy_(seen.slope.T)
    motion.motion.bias.copy_(seen.constant)


def _regression(inputs: Tensor, outputs: Tensor) -> LinearFit:
    """Outputs (N, C) on inputs (N, D), all penalised alike: some hardly vary, and tell nothing."""
    return ridge_regression(inputs, outputs, RIDGE * inputs.var(0).mean())

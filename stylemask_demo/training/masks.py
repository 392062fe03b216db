"""Trains the mask predictors as StyleMask does: frozen generator, random unpaired faces, shape, identity and cycle loss."""

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.tensors import to_image
from stylemask_demo.methods.stylemask import mix
from stylemask_demo.networks.mask_predictors import MaskPredictors
from stylemask_demo.training.loop import Averages, Task
from stylemask_demo.training.sample_bank import Bank, Teachers, landmark_gap, openings

CONTROLLED = 10  # layers, up to 64 px: what lies above is texture
STRANGERS = 0.3  # cosine of the embeddings of two people
PEOPLE_SHOWN = 6  # on the sheet, as many sources as targets
SURENESS = 4.0  # how far the first masks lean towards 0 or 1


def masks_task(teachers: Teachers, bank: Bank, steps: int, batch: int = 8, rate: float = 1e-3) -> Task:
    """Shape loss: pose, expression, eye and mouth openings of the result equal the target's for the extractor, and
    the landmarks too where both are one person. Identity loss: the embedding stays the source's. Cycle loss: reenacting the
    result by the same target changes nothing, measured in style space.
    """
    generator = teachers.generator
    masks = MaskPredictors(generator.style_sizes[:CONTROLLED])
    _start_from_statistics(masks, teachers, bank)
    optimiser = torch.optim.Adam(masks.parameters(), lr=rate, weight_decay=1e-5)

    def loss(step: int, done: float) -> dict[str, Tensor]:
        source, target, same = bank.draw(batch)
        source_styles, target_styles = generator.styles(source.w_plus), generator.styles(target.w_plus)
        mixed = mix(masks, source_styles, target_styles)
        made = generator.synthesise(mixed, generator.rgb_styles(source.w_plus), teachers.side)
        found, embedding = teachers.look(made)
        again = mix(masks, mixed, target_styles)
        gaps = [(a - m).abs().mean() for a, m in zip(again[:CONTROLLED], mixed, strict=False)]
        return {
            "pose": (found.euler - target.parameters.euler).abs().mean() / 5,
            "expression": (found.expression - target.parameters.expression).abs().mean() * 5,
            "openings": (openings(found.landmarks) - openings(target.parameters.landmarks)).abs().mean() * 5,
            "landmarks": landmark_gap(found.landmarks, target.parameters.landmarks, same),
            # Like the source, and not like the target beyond what strangers are.
            "identity": (1 - (embedding * source.embedding).sum(1)).mean() * 2
            + (F.relu((embedding * target.embedding).sum(1) - STRANGERS) * (1 - same)).mean(),
            "cycle": torch.stack(gaps).mean() * 0.5,
        }

    def sheet(averages: Averages) -> Image.Image:
        return reenactment_matrix(teachers, bank, averages["masks"])

    return Task("masks", {"masks": masks}, optimiser, loss, sheet, steps, average=0.99, save_every=100)


def reenactment_matrix(teachers: Teachers, bank: Bank, masks: MaskPredictors) -> Image.Image:
    """Sources down the left side, targets along the top, results between."""
    people, generator, side = PEOPLE_SHOWN, teachers.generator, teachers.side
    rows = torch.arange(len(bank) - 2 * people, len(bank))
    codes = bank.take(rows).w_plus
    pictures = [to_image(picture) for picture in generator(codes, side)]
    shown = [Image.new("RGB", (side, side), "white"), *pictures[people:]]
    target_styles = generator.styles(codes[people:])
    for i in range(people):
        source = codes[i : i + 1].expand(people, -1, -1)
        mixed = mix(masks, generator.styles(source), target_styles)
        made = generator.synthesise(mixed, generator.rgb_styles(source), side)
        shown += [pictures[i], *(to_image(picture) for picture in made)]
    return contact_sheet(shown, people + 1)


@torch.no_grad()
def _start_from_statistics(masks: MaskPredictors, teachers: Teachers, bank: Bank) -> None:
    """Leans each channel's mask towards 1 as far as motion explains its variance, towards 0 elsewhere."""
    styles, moved = teachers.generator.styles(bank.w_plus), teachers.motion_styles(bank)
    for predictor, style, change in zip(masks.predictors, styles, moved, strict=False):
        explained = change.var(0) / (style.var(0) + 1e-9)
        lean = (explained - explained.median()) / (explained.std() + 1e-6)
        last = predictor.masknet[2]
        last.get_parameter("weight").mul_(0.1)
        last.get_parameter("bias").copy_((lean * SURENESS / 2).clamp(-SURENESS, SURENESS))

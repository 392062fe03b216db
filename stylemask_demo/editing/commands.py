"""What each slider commands, in the units of the encoder's motion values, and how far a smile can go."""

import torch
from torch import Tensor

from stylemask_demo.faces.parameters import EXPRESSIONS
from stylemask_demo.networks.portrait_encoder import PortraitEncoder

SMILES = ("mouthSmile_L", "mouthSmile_R")
# Coefficients lie in 0..1; a little below, the mouth is stern, and further out faces dissolve.
LEAST_SMILE, MOST_SMILE = -0.3, 1.3
SURE_SMILE = 1.08  # up to here a smile is asked for at once, and on from here only as long as the face follows


def motion_change(yaw: float, pitch: float, smile: float) -> Tensor:
    """A change by degrees and of the smile's coefficients in the units of `PortraitEncoder.motion_values`, (56,)."""
    expression = torch.tensor([smile if name in SMILES else 0.0 for name in EXPRESSIONS])
    return PortraitEncoder.motion_values(torch.tensor([[yaw, pitch, 0.0]]), expression[None])[0]


def bearable_smile(seen: Tensor, smile: float, most: float = MOST_SMILE) -> float:
    """The change of the smile, or as much of it as a face can bear that shows the motion values `seen`, (56,)."""
    shown = float(seen[[3 + EXPRESSIONS.index(name) for name in SMILES]].mean())
    return min(max(smile, min(LEAST_SMILE - shown, 0.0)), max(most - shown, 0.0))


def slider_values() -> Tensor:
    """1 where the sliders, and roll, are among motion values, 0 where the other expressions are, (56,)."""
    smiles = motion_change(0, 0, 1)
    return torch.cat([torch.ones(3), smiles[3:]])

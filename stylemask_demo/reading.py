"""Reading face parameters from aligned crops, and saying them in the units of the pack's directions."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from PIL import Image

from stylemask_demo.faces.extract import face_parameters, to_tensor
from stylemask_demo.faces.parameters import FaceParameters, direction_shift, direction_values
from stylemask_demo.networks.compact import ParameterExtractor


class Reading(NamedTuple):
    """One face: its parameters, and where it stands along the 15 directions of the pack."""

    parameters: FaceParameters
    directions: np.ndarray


class ParameterReader(Protocol):
    """Reads aligned crops."""

    def read(self, crops: Sequence[Image.Image]) -> list[Reading]:
        """Parameters of crops (RGB, square, of one size)."""
        ...

    def shift(self, yaw: float, pitch: float, smile: float) -> np.ndarray:
        """The change (15,) along the directions that turns by `yaw` and `pitch` degrees and adds `smile` (-1..1)."""
        ...


class CompactReader:
    """The parameter extractor of the embedded pack."""

    def __init__(self, extractor: ParameterExtractor):
        self.extractor = extractor

    @torch.inference_mode()
    def read(self, crops: Sequence[Image.Image]) -> list[Reading]:
        device = next(self.extractor.parameters()).device
        found = self.extractor(to_tensor(list(crops)).to(device))
        return [Reading(p, direction_values(p)) for p in face_parameters(found, crops[0].width)]

    def shift(self, yaw: float, pitch: float, smile: float) -> np.ndarray:
        return direction_shift(yaw, pitch, smile)

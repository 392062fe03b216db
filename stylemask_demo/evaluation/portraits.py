"""How well the pipeline understands single pictures: parameters against exact labels, inversions against their crops."""

from collections.abc import Sequence

import numpy as np

from stylemask_demo.evaluation.instruments import Instruments
from stylemask_demo.evaluation.metrics import cosines, head_mask, normalised_mean_error, psnr
from stylemask_demo.evaluation.people import Face

Each = dict[str, np.ndarray]


def measure_extractor(faces: Sequence[Face]) -> Each:
    """Errors of the whole way from picture to parameters, (N,) each: what the portraits tell, against the exact labels.

    Absolute errors of `yaw`, `pitch` and `roll` in degrees, their mean `pose error`, that of the `smile`, and `landmarks`:
    mean distance as a fraction of the eye distance (see `normalised_mean_error`).
    """
    found = [face.portrait.parameters for face in faces]
    angles = np.abs([np.array([f.yaw, f.pitch, f.roll]) - face.euler for f, face in zip(found, faces, strict=True)])
    seen, exact = np.stack([f.landmarks for f in found]), np.stack([face.landmarks for face in faces])
    return {
        "yaw": angles[:, 0],
        "pitch": angles[:, 1],
        "roll": angles[:, 2],
        "pose error": angles.mean(1),
        "smile": np.array([abs(f.smile - face.smile) for f, face in zip(found, faces, strict=True)]),
        "landmarks": normalised_mean_error(seen, exact),
    }


def measure_inversion(faces: Sequence[Face], instruments: Instruments) -> Each:
    """How near inversions are to their crops, (N,) each.

    `PSNR` in dB over the whole crop and, `PSNR in head`, inside of `head_mask`; `identity cosine`; `perceptual` distance.
    """
    crops, made = [face.portrait.crop for face in faces], [face.portrait.inversion for face in faces]
    arrays = [(np.asarray(m), np.asarray(c)) for m, c in zip(made, crops, strict=True)]
    masks = [head_mask(face.landmarks, crops[0].width) for face in faces]
    return {
        "PSNR": np.array([psnr(m, c) for m, c in arrays]),
        "PSNR in head": np.array([psnr(m, c, mask) for (m, c), mask in zip(arrays, masks, strict=True)]),
        "identity cosine": cosines(instruments.look(made).identity, instruments.look(crops).identity),
        "perceptual": instruments.perceptual(made, crops),
    }

"""A source that moves as a face before a camera does, picture by picture, each as soon as it can be had."""

from functools import partial

import numpy as np
import torch
from PIL.Image import Image

from stylemask_demo.driving.live import LiveFace
from stylemask_demo.faces.extract import locate_near
from stylemask_demo.faces.finding import find_faces
from stylemask_demo.generator.style_space import PictureCode
from stylemask_demo.methods.code import known
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.reenactor import Reenactor


@torch.inference_mode()
def live_picture(reenactor: Reenactor, source: Portrait, frame: Image, face: LiveFace) -> Image | None:
    """The source as the face in a camera's latest frame (RGB) moves, which `face` follows; None where none is seen.

    It costs about half of a video's frame: the result is not looked at for what it misses of the motion, its head is not
    brought to one size, and nobody is searched or told apart as long as a face is where it was. Several threads may ask at
    once: while one frame is drawn, the next is followed. Raises UnknownMethod and UnknownRegion.
    """
    with face.turn:
        code = _code(reenactor, source, frame, face)
    if code is None:
        return None
    pipeline, how = reenactor.pipeline, face.how
    made = pipeline.results_of(how.method).pictures(code, [source], region=how.region)
    return pipeline.told(made, method=how.method, strength=how.strength, region=how.region, motion=how.motion)[0]


def _code(reenactor: Reenactor, source: Portrait, frame: Image, face: LiveFace) -> PictureCode | None:
    """The code of `live_picture`, None where no face is seen."""
    pipeline, how = reenactor.pipeline, face.how
    transfer, extractor = pipeline.transfer, pipeline.networks.extractor
    pipeline.check(how.method, how.region)

    def find(frame: Image) -> np.ndarray | None:
        faces = find_faces(frame, pipeline.finder, extractor)
        return faces[0].landmarks if faces else None

    def read(frame: np.ndarray, quad: np.ndarray) -> tuple[np.ndarray, float]:
        with pipeline.precision():
            return locate_near(extractor, frame, quad)

    crop = pipeline.seen_by(how.method, partial(face.crop, frame, read, find))
    if crop is None:
        return None
    led = transfer.sources([source], how.method)
    with pipeline.film_precision():
        codes = face.smooth(transfer.target_crops([crop], how.method, measured=how.region != "all"))
    if how.motion == "relative":
        codes = face.relative(codes, transfer.targets([source], how.method))
    if how.region == "all":
        return transfer(how.method, led, codes, how.strength)
    assert pipeline.correction is not None
    unmoved = pipeline.results_of(how.method).space.code(known(led.w_plus))
    return pipeline.correction.moved_in(how.region, unmoved, led, codes, how.strength)[0]

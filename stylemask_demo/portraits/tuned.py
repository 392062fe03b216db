"""Portraits with a generator of their own."""

import dataclasses
from collections.abc import Callable

import torch

from stylemask_demo.caching import Lazy
from stylemask_demo.generator.style_space import StyleSpace
from stylemask_demo.generator.synthesis import Synthesis
from stylemask_demo.generator.tuning import Progress, tune
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.portraits.portrait import Portrait


def tuned_portrait(
    portrait: Portrait,
    space: StyleSpace,
    synthesis: Synthesis,
    features: Callable[[torch.Tensor], list[torch.Tensor]],
    steps: int,
    progress: Progress | None = None,
) -> Portrait:
    """The portrait with what tuning changes of the generator for this face.

    `features` gives the feature maps by which pictures (1, 3, 128, 128) are compared; for `progress` see
    `generator.tuning.tune`. The portrait given and the generator stay as they are.
    """
    size, device = space.generator.size, next(space.generator.parameters()).device
    with torch.inference_mode():
        code = space.code(portrait.codes.to(device))
    crop = to_tensor([portrait.crop], size).to(device)
    landmarks = torch.from_numpy(portrait.parameters.landmarks[None] / size).float().to(device)
    tuning = tune(space.generator, code, crop, landmarks, features, steps, progress)
    return dataclasses.replace(portrait, tuning=tuning, made=Lazy(lambda: synthesis.pictures(code, [tuning])[0]))

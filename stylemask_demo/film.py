"""A source driven by a film: its faces are followed and read, results drawn, and what these miss is added to later ones."""

from collections.abc import Generator, Iterable, Sequence
from functools import partial

import torch
from PIL.Image import Image

from stylemask_demo.batching import batch_size
from stylemask_demo.detail.photo_detail import Drawn
from stylemask_demo.driving.closed_loop import ClosedLoop
from stylemask_demo.driving.driver import drive, shower
from stylemask_demo.driving.following import USUAL_RATE
from stylemask_demo.driving.options import Driving
from stylemask_demo.driving.relative import RelativeMotion
from stylemask_demo.driving.scenes import Scenes, at_rate, film_scenes, still_scenes
from stylemask_demo.driving.smoothing import CodeSmoother, SteadySize
from stylemask_demo.pipeline import Pipeline, Size, Subject
from stylemask_demo.portraits.portrait import Portrait

MOST_AT_ONCE = 8  # frames: what results miss is to be learned soon


def driven(
    pipeline: Pipeline, source: Subject | Iterable[Image], frames: Iterable[Image], how: Driving, size: Size = None
) -> Generator[Image, None, None]:
    """A picture of the source for each frame of a film, as they come; see `Reenactor.drive`."""
    pipeline.check(how.method, how.region)
    rate, transfer = float(getattr(frames, "fps", USUAL_RATE)), pipeline.transfer
    scenes, side = _scenes(pipeline, source, rate, size)
    if side is None:  # faces of a film are of many sizes, its results of one, unless they go back into it
        side, size = pipeline.networks.generator.size, size if how.layout == "photo" else None
    follower, smooth = pipeline.follower(how.face, rate, how.crop), CodeSmoother(how.smoothing)
    steady, relative = SteadySize(), RelativeMotion()
    results, correction = pipeline.results_of(how.method), pipeline.correction
    loop = ClosedLoop() if correction and correction.ready else None

    @torch.inference_mode()
    def lead(who: Sequence[Portrait], crops: Sequence[Image]) -> Drawn:
        with pipeline.film_precision():
            codes = smooth(transfer.target_crops(crops, how.method))
        if how.motion == "relative":
            codes = relative(codes, transfer.targets(who, how.method))
        led = transfer.sources(who, how.method)
        code = pipeline.code_of(how.method, led, codes, how.strength, who, how.region, loop)
        return results.drawn(code, who, steady)

    def watch(drawn: torch.Tensor) -> None:
        if correction and loop:
            with pipeline.film_precision():
                loop.saw(correction.shown(drawn))

    def draw(who: Sequence[Portrait], drawn: Drawn) -> list[Image]:
        pictures = results.finished(drawn, who, size, how.region, watch)
        return pipeline.told(pictures, method=how.method, strength=how.strength, region=how.region, motion=how.motion)

    def follow(frame: Image) -> Image | None:
        return pipeline.seen_by(how.method, partial(follower.crop, frame))

    def still(portrait: Portrait) -> Image:
        return pipeline.results.still(portrait, size)

    show, at_once = shower(how.layout, pipeline.results.into_photo), min(batch_size(pipeline.networks.device), MOST_AT_ONCE)
    return drive(iter(frames), scenes, follow, lead, draw, still, show, side, at_once)


def _scenes(pipeline: Pipeline, source: Subject | Iterable[Image], rate: float, size: Size) -> tuple[Scenes, int | None]:
    """The source at `rate` frames a second, and how wide its results are where that is told by it."""
    if isinstance(source, (Image, Portrait)):
        (who,) = pipeline.portraits_of([source])
        return still_scenes(who), who.crop_of(size or 0).width
    portray = partial(pipeline.portraits.of_frames, invert=pipeline.film_inverter())
    shown = at_rate(source, float(getattr(source, "fps", rate)), rate)
    return film_scenes(shown, pipeline.follower(rate=rate).landmarks, portray), None

"""The kinds of work that are measured, and their plain ways where these are of interest."""

import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
from PIL import Image

from stylemask_demo.evaluation.bench.plain import reenact_plainly
from stylemask_demo.generator.synthesis import Synthesis
from stylemask_demo.moving import preview
from stylemask_demo.networks import DecaEncoder, Encoder4Editing, Generator, LatentAverage, MaskPredictors
from stylemask_demo.networks.memory_format import channels_last
from stylemask_demo.packs.catalogue import PUBLISHED
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.pipeline import Pipeline
from stylemask_demo.precision import HALF, Precision, fastest
from stylemask_demo.reenactor import Reenactor

FRAMES = 40  # of the video: the first ones are looked at twice
TOGETHER = 4  # visitors' sliders that are moved in one batch
PHOTO, FACE = 768, 512  # pixels: sides of a photo, and of the face in it
SEEDS = (3, 5)  # of the two people


class Work(NamedTuple):
    """What is done for one result, or for `results` of them at once, and a plain way to the same."""

    what: str
    do: Callable[[], object]
    results: int = 1
    plainly: Callable[[], object] | None = None


def picture_work(reenactor: Reenactor, people: Reenactor, prefix: str = "") -> list[Work]:
    """From photos, of random people whom `people` draws, to results by the method `stylemask`."""
    photos = [_photo(people, seed) for seed in SEEDS]
    source, target = reenactor.portrait([next(photo) for photo in photos])
    return [
        Work(f"{prefix}new portrait", lambda: reenactor.portrait(next(photos[0]))),
        Work(f"{prefix}two new pictures to a result", lambda: reenactor.reenact(next(photos[0]), next(photos[1]))),
        Work(
            f"{prefix}pair of known portraits",
            lambda: reenactor.reenact(source, target),
            plainly=lambda: reenact_plainly(reenactor, source, target),
        ),
    ]


def film_work(reenactor: Reenactor) -> list[Work]:
    """Somebody who follows a film."""
    photos = [_photo(reenactor, seed) for seed in SEEDS]
    source = reenactor.portrait(next(photos[0]))
    return [Work("video, each frame", lambda: list(reenactor.drive(source, _film(photos[1]))), FRAMES)]


def slider_work(reenactor: Reenactor) -> list[Work]:
    """Slider values in, encoded picture out, with a pack that has directions."""
    people = reenactor.portrait([next(_photo(reenactor, seed)) for seed in SEEDS])
    several, values = (people * TOGETHER)[:TOGETHER], {"yaw": 10.0}
    return [
        Work(
            "slider move, while the hand moves",
            lambda: _encoded(preview(reenactor, people[0], values)),
            plainly=lambda: _encoded(reenactor.edit(people[0], yaw=10)),
        ),
        Work("slider move, when the hand rests", lambda: _encoded(reenactor.edit(people[0], yaw=10))),
        Work(f"slider move, each of {TOGETHER} in a batch", lambda: reenactor.edit(several, yaw=10), TOGETHER),
    ]


def synthesis_work(reenactor: Reenactor) -> dict[str, Callable[[], object]]:
    """A picture from its code alone, in float32 and in the precision that is fastest, by name."""
    pipeline = reenactor.pipeline
    generator, device = pipeline.networks.generator, pipeline.networks.device
    code = pipeline.space.code(generator.repeat(pipeline.space.mean_w))

    def drawn(exact: bool) -> Callable[[], object]:
        synthesis = Synthesis(generator, precision=Precision(device, exact))
        return lambda: synthesis.tensors(code)

    return {"float32": drawn(True)} | ({"bfloat16": drawn(False)} if fastest(device) == HALF else {})


@torch.inference_mode(False)
def ffhq_shapes(own: Reenactor, size: int = 1024) -> Reenactor:
    """Networks of the shapes of the pack `ffhq`, with random weights: what they draw is no face, but takes as long.

    `size` is that of their pictures in pixels.
    """
    torch.manual_seed(0)
    lender = own.pipeline.networks
    with torch.device(lender.device):
        generator, encoder = Generator(size), Encoder4Editing(size)
        average, deca = LatentAverage(generator.num_latents), DecaEncoder()
        masks = MaskPredictors(generator.style_sizes[:12])
    for part in (generator, encoder, average, masks, deca):
        part.eval().requires_grad_(False)
    held = {key: lender.info.networks[key] for key in ("generator", "encoder", "masks")}  # which tell what it can do
    info = replace(lender.info, resolution=size, recipes=PUBLISHED["ffhq"].recipes, networks=held)
    networks = PackNetworks(info, lender.device, generator, channels_last(encoder), lender.extractor, lender.identity)
    networks.masks, networks.average, networks.deca = masks, average, deca
    return Reenactor(Pipeline(networks, own.pipeline.finder))


def _photo(reenactor: Reenactor, seed: int) -> Iterator[Image.Image]:
    """A photo of a random person that is another one each time, by a pixel in its corner."""
    face = reenactor.sample(seed).resize((FACE, FACE), Image.Resampling.BICUBIC)
    for number in itertools.count():
        photo = Image.new("RGB", (PHOTO, PHOTO), "grey")
        photo.paste(face, ((PHOTO - FACE) // 2,) * 2)
        photo.putpixel((0, 0), (number // 256 % 256, number % 256, seed))
        yield photo


def _film(photo: Iterator[Image.Image]) -> Iterator[Image.Image]:
    """Frames in which a face is rocked a little."""
    still = next(photo)
    for frame in range(FRAMES):
        yield still.rotate(4 * (-1) ** frame * frame / FRAMES, Image.Resampling.BILINEAR, fillcolor="grey")


def _encoded(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()

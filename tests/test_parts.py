"""The parts that packs choose from: inverters, and readers of face parameters."""

import numpy as np
import pytest
import torch
from people import LABELS, LANDMARKS, picture
from PIL import Image
from torch import nn

from stylemask_demo.faces.crops import BoxCrop, FfhqCrop
from stylemask_demo.faces.deca import DecaFace, DirectionScale
from stylemask_demo.generator.inversion import REFINEMENTS, Inverter, OptimisingInverter, RefiningInverter
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.networks.latent_average import LatentAverage
from stylemask_demo.packs import CHECKPOINTS, load_network, read_info
from stylemask_demo.portraits import readers as reading
from stylemask_demo.portraits.readers import CompactReader, PublishedReader, UprightReader

FACTORS = np.arange(1, 16)


def grey(level: int) -> Image.Image:
    return Image.new("RGB", (64, 64), (level,) * 3)


class Brightness(nn.Module):
    """A stand-in for an encoder: codes (B, 3, 8) that hold how much brighter the first picture is than the second."""

    input_size = 32

    def __init__(self, step: float):
        super().__init__()
        self.step = nn.Parameter(torch.tensor(step))

    def forward(self, picture, current=0.0):
        assert picture.shape[2:] == (32, 32)
        return (self.step * (picture - current)).mean((1, 2, 3))[:, None, None].expand(-1, 3, 8)


def flat_pictures(codes: torch.Tensor) -> torch.Tensor:
    """A stand-in for a generator: pictures as bright as their codes."""
    return codes.mean((1, 2))[:, None, None, None].expand(-1, 3, 64, 64)


def average_of(value: float) -> LatentAverage:
    average = LatentAverage(3, 8)
    average.latent += value
    return average


def test_codes_are_relative_to_the_average_that_a_pack_has():
    crops = [grey(0), grey(255)]
    assert Inverter(Brightness(1.0))(crops)[:, 0, 0].tolist() == pytest.approx([-1, 1])
    assert Inverter(Brightness(1.0), average_of(0.25))(crops)[:, 0, 0].tolist() == pytest.approx([-0.75, 1.25])


def test_refinement_starts_at_the_average_and_comes_nearer_each_time():
    refine = RefiningInverter(Brightness(0.5), average_of(0.2), flat_pictures)
    for level, wanted in ((0, -1.0), (255, 1.0)):
        code = refine([grey(level)])
        assert code.shape == (1, 3, 8)
        assert float(code.mean()) - wanted == pytest.approx((0.2 - wanted) * 0.5**REFINEMENTS, abs=1e-5)


def test_the_picture_that_refinement_starts_at_is_drawn_once():
    drawn = []

    def draw(codes: torch.Tensor) -> torch.Tensor:
        drawn.append(len(codes))
        return flat_pictures(codes)

    refine = RefiningInverter(Brightness(0.5), average_of(0.2), draw)
    alone = torch.cat([refine([grey(level)]) for level in (0, 255)])
    assert drawn == [1] * (1 + 2 * (REFINEMENTS - 1))
    assert torch.allclose(refine([grey(0), grey(255)]), alone)


@pytest.fixture(scope="module")
def extractor():
    return load_network(read_info(CHECKPOINTS / "synthetic"), "extractor")


@pytest.fixture(scope="module")
def crops() -> list[Image.Image]:
    return [picture(name) for name in sorted(LABELS)[:16]]


@pytest.mark.slow
def test_gradient_descent_brings_the_picture_nearer_to_the_crop(extractor, crops):
    generator, encoder = (load_network(read_info(CHECKPOINTS / "synthetic"), key) for key in ("generator", "encoder"))
    encode = Inverter(encoder)
    invert = OptimisingInverter(encode, generator, extractor)
    few = crops[:3]
    true = to_tensor(few, generator.size)

    def noise(codes: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return (generator(codes).clamp(-1, 1) - true[: len(codes)]).square().mean((1, 2, 3))

    with torch.inference_mode():  # as where portraits are made
        codes = invert(few)
    assert not codes.is_inference() and not codes.requires_grad
    gain = 10 * torch.log10(noise(encode(few).clone()) / noise(codes))
    assert (gain > 0.4).all() and gain.mean() > 1, f"decibels: {gain.tolist()}"
    assert all(parameter.grad is None for parameter in generator.parameters())
    alone = noise(invert(few[:1]))
    assert 10 * abs(torch.log10(alone / noise(codes)[:1])) < 0.05, "others in the batch matter"


@pytest.fixture
def published(extractor, crops, monkeypatch) -> PublishedReader:
    """A reader whose DECA sees a fixed head pose, and twice the extractor's smile as its third coefficient."""
    compact = CompactReader(extractor)

    def read(self, pictures, landmarks):
        faces = []
        for reading_, points in zip(compact.read(pictures), landmarks, strict=True):
            np.testing.assert_allclose(points, reading_.parameters.landmarks - 0.5, atol=1e-3)
            expression = np.zeros(50, np.float32)
            expression[2] = 2 * reading_.parameters.smile + 0.3
            faces.append(DecaFace(10.0, 5.0, -3.0, 0.1, expression, np.zeros(100)))
        return faces

    monkeypatch.setattr(reading.DecaReader, "read", read)
    monkeypatch.setattr(reading, "PEOPLE", len(crops))
    scale = DirectionScale(factors=tuple(FACTORS), signs=(-1.0, -1.0, 1.0))
    return PublishedReader(None, compact, scale, lambda seeds: [crops[seed] for seed in seeds])


def test_angles_are_decas_and_the_rest_is_the_extractors(published, extractor, crops):
    known = CompactReader(extractor).read(crops[:2])
    for found, other in zip(published.read(crops[:2]), known, strict=True):
        assert (found.parameters.yaw, found.parameters.pitch, found.parameters.roll) == (10.0, 5.0, -3.0)
        assert found.parameters.expression == other.parameters.expression
        # Published angles count to the left and down.
        assert found.directions[:4].tolist() == pytest.approx([-10, -10, -9, 0.4])
        assert found.directions[6] == pytest.approx(7 * (2 * other.parameters.smile + 0.3), abs=1e-3)


def test_a_mirrored_face_is_read_as_the_mirrored_reading(extractor, crops):
    reader = CompactReader(extractor)
    mirrored = [crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for crop in crops]
    for there, back in zip(reader.read(crops), reader.read(mirrored), strict=True):
        face, image = there.parameters, back.parameters
        assert (image.yaw, image.pitch, image.roll) == pytest.approx((-face.yaw, face.pitch, -face.roll), abs=1e-3)
        assert image.expression["mouthSmile_L"] == pytest.approx(face.expression["mouthSmile_R"], abs=1e-4)
        assert abs(face.yaw) > 1 and face.expression["mouthSmile_L"] != face.expression["mouthSmile_R"]
        outline = face.landmarks[16::-1] * (-1, 1) + (crops[0].width, 0)
        assert np.abs(image.landmarks[:17] - outline).max() < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("turn", [-20, 0, 20])
def test_crops_that_are_never_turned_are_read_as_well_as_upright_ones(extractor, turn):
    """Photos with a head in any position, turned anticlockwise: the box of Finding Directions against FFHQ's crop."""
    errors = []
    for name in sorted(LABELS)[:12]:
        photo = Image.new("RGB", (512, 512), (110, 110, 110))
        photo.paste(picture(name), (128, 128))
        photo = photo.rotate(turn, Image.Resampling.BICUBIC, center=(256, 256), fillcolor=(110, 110, 110))
        cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        landmarks = (LANDMARKS[name] - 128) @ np.array([[cos, -sin], [sin, cos]]) + 256
        true = np.array(LABELS[name]["euler"]) + (0, 0, turn)
        box, _ = BoxCrop().cut(photo, landmarks, 256)
        upright, transform = FfhqCrop().cut(photo, landmarks, 256)
        (across, _, _), (down, _, _) = transform.matrix
        turned = (0, 0, -np.degrees(np.arctan2(down, across)))
        found = [
            reader(extractor).read([crop])[0].parameters
            for reader, crop in ((UprightReader, box), (CompactReader, upright))
        ]
        angles = [np.array([face.yaw, face.pitch, face.roll]) for face in found]
        errors.append([np.abs(angles[0] - true), np.abs(angles[1] + turned - true)])
    unturned, plain = np.mean(errors, 0)
    assert (unturned < plain + 0.3).all() and (unturned < 2.5).all()


def test_turning_needs_no_random_people(published, monkeypatch):
    monkeypatch.setattr(published, "_people", None)
    assert published.shift(yaw=20, pitch=-5)[:3].tolist() == pytest.approx([-20, 10, 0])
    assert not published.shift(yaw=20, pitch=-5)[3:].any()


@pytest.mark.parametrize("name", ["smile", "jaw"])
def test_what_an_expression_is_gets_learned(published, extractor, crops, name):
    change = published.shift(**{name: 0.5})
    if name == "smile":
        assert change[6] == pytest.approx(0.5 * 7 * 2, rel=1e-3)
        assert np.abs(np.delete(change, 6)).max() < 1e-3
    else:  # which DECA, as it stands here, sees only as far as those who open their mouths smile
        faces = [reading_.parameters for reading_ in CompactReader(extractor).read(crops)]
        open_, smiles = (np.array(read) for read in ([f.expression["jawOpen"] for f in faces], [f.smile for f in faces]))
        slope = np.cov(open_, smiles)[0, 1] / open_.var(ddof=1)
        assert change[6] == pytest.approx(0.5 * 7 * 2 * slope, rel=1e-2)

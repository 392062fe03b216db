"""The networks against recorded outputs of the published implementations (tests/golden/README.md)."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from golden.fill import fill, image, latent

from stylemask_demo.networks import (
    ArcFace,
    DecaEncoder,
    DirectionMatrix,
    Encoder4Editing,
    Generator,
    MaskPredictors,
    MotionEncoder,
    MotionMapping,
    ReStyleEncoder,
)
from stylemask_demo.networks.deca import axis_angle_to_euler

FOLDER = Path(__file__).parent / "golden"
SHAPES = json.loads((FOLDER / "golden.json").read_text())
ARRAYS = np.load(FOLDER / "golden.npz")
TOLERANCE = 1e-3
TRUNCATION = 0.7


@pytest.fixture(scope="module")
def load():
    """A function that builds a network and gives it its recorded case's weights.

    Weights depend on name and shape alone and the encoders share most of both, so each tensor is made once
    and shared: that halves this module's time and memory.
    """
    made: dict[tuple, torch.Tensor] = {}

    def load(case: str, build, *arguments) -> torch.nn.Module:
        with torch.device("meta"):  # no memory and no time for initial weights
            network = build(*arguments)
        expected = SHAPES[f"{case}_state"]
        assert {name: list(value.shape) for name, value in network.state_dict().items()} == expected
        state = {}
        for name, shape in expected.items():
            key = (name, tuple(shape))
            if name.endswith(".kernel"):
                taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
                made[key] = torch.outer(taps, taps) / 16  # sums to 4: it follows an upsampling of both axes
            elif key not in made:
                made[key] = torch.as_tensor(fill({name: shape})[name])
            state[name] = made[key]
        network.load_state_dict(state, assign=True)
        return network.eval().requires_grad_(False)

    with torch.inference_mode():
        yield load
    made.clear()


def check(name: str, result: torch.Tensor) -> None:
    expected = ARRAYS[name]
    assert tuple(result.shape) == expected.shape
    error = np.abs(result.numpy() - expected).max()
    print(f"{name}: largest error {error:.1e}")
    assert error < TOLERANCE, f"{name} differs by {error:.2e}"


def check_image(name: str, result: torch.Tensor) -> None:
    check(f"{name}/pooled64", F.adaptive_avg_pool2d(result, 64))
    start = result.shape[-1] // 2 - 16
    check(f"{name}/centre32", result[..., start : start + 32, start : start + 32])


@pytest.mark.parametrize(("case", "size", "multiplier"), [("vox256", 256, 1), ("ffhq1024", 1024, 2)])
def test_generator_with_masks_and_directions(load, case, size, multiplier):
    generator = load(case, Generator, size, None, multiplier)
    mean = generator.map(latent(3, 4096, 512)).mean(0, keepdim=True)  # (1, 512)
    check(f"{case}/mean_latent", mean)
    w_source, w_target = generator.map(latent(1, 2, 512)), generator.map(latent(2, 2, 512))  # (2, 512)
    check(f"{case}/w_source", w_source)
    check_image(f"{case}/source_psi1", generator(generator.repeat(w_source[:1])))

    source = generator.repeat(mean + TRUNCATION * (w_source - mean))  # (2, L, 512)
    target = generator.repeat(mean + TRUNCATION * (w_target - mean))
    check_image(f"{case}/source", generator(source))
    source_styles, target_styles = generator.styles(source), generator.styles(target)
    assert generator.style_sizes == SHAPES[f"{case}_style_sizes"]
    check(f"{case}/style_source", torch.cat(source_styles, 1))
    check(f"{case}/style_target", torch.cat(target_styles, 1))

    predictors = load(f"{case}_mask", MaskPredictors, generator.style_sizes[:12])
    masks = predictors(source_styles, target_styles)
    check(f"{case}/mask", torch.cat(masks, 1))
    mixed = [torch.lerp(s, t, m) for s, t, m in zip(source_styles, target_styles, masks, strict=False)]
    mixed += source_styles[12:]
    check(f"{case}/style_mixed", torch.cat(mixed, 1))
    check_image(f"{case}/reenacted", generator.synthesise(mixed, generator.rgb_styles(source)))

    directions = load(f"{case}_direction", DirectionMatrix)
    moved = generator.repeat(w_source).clone()
    moved[:, :8] += directions(latent(5, 2, 15))  # (2, 8, 512)
    check_image(f"{case}/directed", generator(mean + TRUNCATION * (moved - mean)))


@pytest.mark.parametrize(("case", "size"), [("e4e256", 256), ("e4e1024", 1024)])
def test_encoder4editing(load, case, size):
    check(f"{case}/w_plus", load(case, Encoder4Editing, size)(image(7, 256, 2)))


def test_arcface(load):
    embedding = load("arcface", ArcFace)(image(8, 256, 2))
    check("arcface/embedding", embedding)
    assert torch.allclose(embedding.norm(dim=1), torch.ones(2))


def test_deca_encoder(load):
    parameters = load("deca", DecaEncoder)(image(9, 224, 2) * 0.5 + 0.5)
    check("deca/params", torch.cat(parameters, 1))


def test_axis_angle_to_euler_converts_every_row_of_a_batch():
    check("deca/euler_degrees", axis_angle_to_euler(torch.from_numpy(ARRAYS["deca/axis_angle"])))
    assert torch.equal(axis_angle_to_euler(torch.zeros(2, 3)), torch.zeros(2, 3))


def test_motion_encoder(load):
    check("motion/codes", load("motion", MotionEncoder)(image(12, 256, 2)))


def test_motion_mapping(load):
    identity, motion = latent(13, 2, 2, 512), latent(14, 2, 2, 512)
    check("mapping2/codes", load("mapping2", MotionMapping, 2)(identity, motion).flatten(1))


def test_restyle_encoder(load):
    check("restyle/delta", load("restyle", ReStyleEncoder)(image(15, 256, 2), image(16, 256, 2)))

"""Published checkpoints, converted into packs and loaded, against recorded outputs of the published implementations.

The checkpoints are made here, with the published names and shapes and the weights that the recordings were made with
(tests/golden/README.md).
"""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from golden.fill import image, latent
from recorded_weights import SHAPES
from torch import nn

from stylemask_demo.networks import MaskPredictors
from stylemask_demo.networks.deca import axis_angle_to_euler
from stylemask_demo.packs.catalogue import PUBLISHED
from stylemask_demo.packs.convert import convert, describe
from stylemask_demo.packs.info import read_info
from stylemask_demo.packs.loading import load_network

FOLDER = Path(__file__).parent / "golden"
ARRAYS = np.load(FOLDER / "golden.npz")
TOLERANCE = 1e-3
TRUNCATION = 0.7


@pytest.fixture(autouse=True)
def frozen():
    """Nothing learns."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """A function that converts a checkpoint as the published file of a pack, and loads what came of it."""
    folders = {name: tmp_path_factory.mktemp(name) for name in PUBLISHED}

    def convert_and_load(pack: str, name: str, checkpoint: dict) -> SimpleNamespace:
        file = next(file for file in PUBLISHED[pack].files if file.name == name)
        path = folders[pack] / name
        torch.save(checkpoint, path)
        convert(file, path, folders[pack])
        path.unlink()
        describe(PUBLISHED[pack], folders[pack])
        info = read_info(folders[pack])
        keys = [part.key for part in file.parts if part.key in info.networks]
        networks = {key: load_network(info, key) for key in keys}
        for key in keys:  # what is loaded stays readable; gigabytes should not stay in the temporary folder
            if key != "generator":
                (folders[pack] / info.networks[key].file).unlink()
        return SimpleNamespace(settings=info.settings, **networks)

    yield convert_and_load
    for folder in folders.values():
        for path in folder.iterdir():
            path.unlink()


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


def direct(network: nn.Module, state: dict[str, torch.Tensor]) -> nn.Module:
    """A network with recorded weights that no pack holds."""
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "pack", "file"),
    [
        ("vox256", "voxceleb", "stylegan-voxceleb.pt"),
        ("ffhq1024", "ffhq", "stylegan2-ffhq-config-f_1024.pt"),
    ],
)
def test_generator_with_masks_and_directions(weights, converted, case, pack, file):
    state = weights(case)
    generator = converted(pack, file, {"g_ema": state, "latent_avg": torch.zeros(512)}).generator
    mean = generator.map(latent(3, 4096, 512)).mean(0, keepdim=True)  # (1, 512)
    check(f"{case}/mean_latent", mean)
    w_source, w_target = generator.map(latent(1, 2, 512)), generator.map(latent(2, 2, 512))  # (2, 512)
    check(f"{case}/w_source", w_source)
    small = pack == "voxceleb"  # a picture of 1024 pixels takes long: of that generator one is enough, beside the chains'
    if small:
        check_image(f"{case}/source_psi1", generator(generator.repeat(w_source[:1])))

    source = generator.repeat(mean + TRUNCATION * (w_source - mean))  # (2, L, 512)
    target = generator.repeat(mean + TRUNCATION * (w_target - mean))
    if small:
        check_image(f"{case}/source", generator(source))
    source_styles, target_styles = generator.styles(source), generator.styles(target)
    assert generator.style_sizes == SHAPES[f"{case}_style_sizes"]
    check(f"{case}/style_source", torch.cat(source_styles, 1))
    check(f"{case}/style_target", torch.cat(target_styles, 1))

    masks = weights(f"{case}_mask")
    if pack == "ffhq":
        published = {"mask_net": masks, "num_layers_control": 12}
        predictors = converted(pack, "mask_network_1024.pt", published).masks
    else:
        predictors = direct(MaskPredictors(generator.style_sizes[:12]), masks)
    masks = predictors(source_styles, target_styles)
    check(f"{case}/mask", torch.cat(masks, 1))
    mixed = [torch.lerp(s, t, m) for s, t, m in zip(source_styles, target_styles, masks, strict=False)]
    mixed += source_styles[12:]
    check(f"{case}/style_mixed", torch.cat(mixed, 1))
    check_image(f"{case}/reenacted", generator.synthesise(mixed, generator.rgb_styles(source)))

    if not small:
        return
    published = {
        "A_matrix": weights(f"{case}_direction"),
        "learned_directions": 15,
        "shift_scale": 6,
        "w_plus": True,
        "num_layers_shift": 8,
        "shift_dim": 512,
    }
    directions = converted(pack, "A_matrix.pt", published).directions
    moved = generator.repeat(w_source).clone()
    moved[:, :8] += directions(latent(5, 2, 15))  # (2, 8, 512)
    check_image(f"{case}/directed", generator(mean + TRUNCATION * (moved - mean)))


@pytest.mark.slow
def test_encoder4editing_of_256_pixels(weights, converted):
    pack = converted("voxceleb", "e4e-voxceleb.pt", {"e": weights("e4e256")})
    check("e4e256/w_plus", pack.encoder(image(7, 256, 2)))
    assert not hasattr(pack, "average")  # its codes are absolute


@pytest.mark.slow
def test_arcface(weights, converted):
    embedding = converted("ffhq", "model_ir_se50.pth", weights("arcface")).identity(image(8, 256, 2))
    check("arcface/embedding", embedding)
    assert torch.allclose(embedding.norm(dim=1), torch.ones(2))


@pytest.mark.slow
def test_deca_encoder(weights, converted):
    published = {"E_flame": weights("deca"), "E_detail": {"encoder.conv1.weight": torch.zeros(1)}, "epoch": 30}
    parameters = converted("ffhq", "deca_model.tar", published).deca(image(9, 224, 2) * 0.5 + 0.5)
    check("deca/params", torch.cat(parameters, 1))


def test_axis_angle_to_euler_converts_every_row_of_a_batch():
    check("deca/euler_degrees", axis_angle_to_euler(torch.from_numpy(ARRAYS["deca/axis_angle"])))
    assert torch.equal(axis_angle_to_euler(torch.zeros(2, 3)), torch.zeros(2, 3))


@pytest.mark.slow
def test_motion_encoder_and_mapping(weights, converted):
    generator = converted("ffhq", "stylegan2-ffhq-config-f_1024.pt", {"g_ema": weights("ffhq1024")}).generator
    published = {
        "epoch": 7,
        "state_dict": {
            **weights("motion", "encoder."),
            **weights("mapping2", "mapping_net."),
            **weights("ffhq1024", "decoder."),
        },
    }
    pack = converted("ffhq", "best_model.pt", published)
    check("motion/codes", pack.motion_encoder(image(12, 256, 2)))
    identity, motion = latent(13, 2, 2, 512), latent(14, 2, 2, 512)
    check("mapping2/codes", pack.motion_mapping(identity, motion).flatten(1))
    assert pack.motion_decoder.state_dict().keys() == generator.state_dict().keys()


def test_directions_of_the_recipe_are_the_published_formula(tmp_path):
    (tmp_path / "pack").mkdir()
    describe(PUBLISHED["voxceleb"], tmp_path / "pack")
    scale = read_info(tmp_path / "pack").recipe(compatibility=True).directions
    published = json.loads((FOLDER / "parameter_ranges.json").read_text())
    low, high = np.array(published["voxceleb"]).T
    assert np.allclose(scale.factors, [6 / 40, 6 / 20, 6 / 20, *(12 / (high - low)[3:15])])
    assert scale.names == ("yaw", "pitch", "roll", "jaw", *published["names"][4:15])

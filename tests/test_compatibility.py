"""The published programs' behaviour through a pack and the pipeline, against their recorded outputs."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from golden.fill import fill, latent
from people import picture

from stylemask_demo import Reenactor
from stylemask_demo.methods import FaceCode
from stylemask_demo.networks import NETWORKS, PortraitEncoder
from stylemask_demo.packs.store import describe_pack, save_network

FOLDER = Path(__file__).parent / "golden"
SHAPES = json.loads((FOLDER / "golden.json").read_text())
ARRAYS = np.load(FOLDER / "golden.npz")
CASES = {"vox256": (256, 1), "ffhq1024": (1024, 2)}


def save_filled(folder: Path, key: str, class_name: str, arguments: dict, shapes: dict[str, list[int]]) -> None:
    """Enter a network with recorded weights into a pack."""
    with torch.device("meta"):
        network = NETWORKS[class_name](**arguments)
    state = {name: torch.as_tensor(array) for name, array in fill(shapes).items()}
    for name in state:
        if name.endswith(".kernel"):
            taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
            state[name] = torch.outer(taps, taps) / 16
    network.load_state_dict(state, assign=True)
    save_network(folder, key, network, arguments, dtype=torch.float32)


@pytest.fixture(scope="module", params=CASES)
def case(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def reenactor(case, tmp_path_factory) -> Reenactor:
    size, multiplier = CASES[case]
    folder = tmp_path_factory.mktemp(case)
    generator = {"size": size, "channel_multiplier": multiplier}
    save_filled(folder, "generator", "Generator", generator, SHAPES[f"{case}_state"])
    masks = {"style_sizes": SHAPES[f"{case}_style_sizes"][:12]}
    save_filled(folder, "masks", "MaskPredictors", masks, SHAPES[f"{case}_mask_state"])
    save_filled(folder, "directions", "DirectionMatrix", {}, SHAPES[f"{case}_direction_state"])
    latents = 2 * size.bit_length() - 4
    save_network(folder, "encoder", PortraitEncoder(latents), {"num_latents": latents})  # codes are given here
    describe_pack(folder, title=case, resolution=size, licence="none", origin="A test.")
    reenactor = Reenactor.from_pack(folder, device="cpu", compatibility=True)
    # Recorded with another mean of 4096 samples than the pipeline's own.
    reenactor.pipeline.space.mean_w = torch.from_numpy(ARRAYS[f"{case}/mean_latent"])
    return reenactor


@pytest.fixture(scope="module")
def codes(reenactor) -> tuple[torch.Tensor, torch.Tensor]:
    """W+ codes (2, L, 512) of the recorded sources and targets."""
    generator = reenactor.pipeline.space.generator
    with torch.inference_mode():
        return tuple(generator.repeat(generator.map(latent(seed, 2, 512))).clone() for seed in (1, 2))


def check(reenactor, name: str, code) -> None:
    with torch.inference_mode():
        made = reenactor.pipeline.space.generator.synthesise(*code)
    start = made.shape[-1] // 2 - 16
    centre = made[..., start : start + 32, start : start + 32]
    for kind, found in (("pooled64", F.adaptive_avg_pool2d(made, 64)), ("centre32", centre)):
        assert np.abs(found.numpy() - ARRAYS[f"{name}/{kind}"]).max() < 1e-3


@pytest.mark.slow
@torch.inference_mode()
def test_stylemask(reenactor, case, codes):
    code = reenactor.pipeline.transfer("stylemask", FaceCode(codes[0]), FaceCode(codes[1]))
    check(reenactor, f"{case}/reenacted", code)


@pytest.mark.slow
@torch.inference_mode()
def test_directions(reenactor, case, codes):
    still, shift = torch.zeros(2, 15), latent(5, 2, 15)
    code = reenactor.pipeline.transfer("directions", FaceCode(codes[0], still), FaceCode(directions=shift))
    check(reenactor, f"{case}/directed", code)


@pytest.mark.slow
def test_pictures_of_portraits(reenactor, case, codes):
    known = reenactor.portrait(picture("900000_0"))
    source, target = (dataclasses.replace(known, codes=w_plus[:1], key=f"{case} {i}") for i, w_plus in enumerate(codes))
    made = np.float32(reenactor.reenact(source, target)) / 127.5 - 1
    start = reenactor.resolution // 2 - 16
    expected = ARRAYS[f"{case}/reenacted/centre32"][0].transpose(1, 2, 0).clip(-1, 1)
    assert np.abs(made[start : start + 32, start : start + 32] - expected).max() < 0.5 / 127.5 + 1e-3


def test_samples_are_not_truncated_twice(reenactor, case, codes):
    sampled = reenactor.pipeline.sampler.codes([0])
    styles = reenactor.pipeline.space.styles(sampled)
    generator = reenactor.pipeline.space.generator
    with torch.inference_mode():
        z = torch.randn(1, 512, generator=torch.Generator().manual_seed(0))
        w = reenactor.pipeline.space.mean_w + 0.7 * (generator.map(z) - reenactor.pipeline.space.mean_w)
        expected = generator.styles(generator.repeat(w))
    assert all(torch.allclose(found, style, atol=1e-4) for found, style in zip(styles, expected, strict=True))


def test_photos_are_truncated_only_then(reenactor, case):
    """The same pack without compatibility keeps all of the code."""
    plain = Reenactor.from_pack(reenactor.info.folder, device="cpu")
    w_plus = reenactor.portrait(picture("900000_0")).codes
    kept = plain.pipeline.space.styles(w_plus)
    drawn = reenactor.pipeline.space.styles(w_plus)
    expected = plain.pipeline.space.generator.styles(reenactor.pipeline.space.truncate(w_plus, 0.7))
    for found, plain_style, style in zip(drawn, kept, expected, strict=True):
        assert torch.allclose(found, style, atol=1e-4)
        assert not torch.allclose(found, plain_style, atol=1e-2)

"""The published programs' behaviour through a pack and the pipeline, against their recorded outputs."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from golden.fill import latent
from people import picture
from recorded_weights import SHAPES, filled

from stylemask_demo import Reenactor
from stylemask_demo.methods import FaceCode
from stylemask_demo.networks import NETWORKS, PortraitEncoder
from stylemask_demo.packs.store import describe_pack, save_network

ARRAYS = np.load(Path(__file__).parent / "golden" / "golden.npz")
CASES = {"vox256": (256, 1), "ffhq1024": (1024, 2)}


def save_filled(folder: Path, key: str, class_name: str, arguments: dict, shapes: dict[str, list[int]]) -> None:
    """Enter a network with recorded weights into a pack."""
    with torch.device("meta"):
        network = NETWORKS[class_name](**arguments)
    network.load_state_dict(filled(shapes), assign=True)
    save_network(folder, key, network, arguments, dtype=torch.float32)


@pytest.fixture(scope="module", params=CASES)
def case(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def published(case, weights, tmp_path_factory) -> Reenactor:
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
    published = Reenactor.from_pack(folder, device="cpu", compatibility=True)
    # Recorded with another mean of 4096 samples than the pipeline's own.
    published.pipeline.space.mean_w = torch.from_numpy(ARRAYS[f"{case}/mean_latent"])
    return published


@pytest.fixture(scope="module")
def codes(published) -> tuple[torch.Tensor, torch.Tensor]:
    """W+ codes (2, L, 512) of the recorded sources and targets."""
    generator = published.pipeline.space.generator
    with torch.inference_mode():
        return tuple(generator.repeat(generator.map(latent(seed, 2, 512))).clone() for seed in (1, 2))


def check(published, name: str, code) -> None:
    with torch.inference_mode():
        made = published.pipeline.space.generator.synthesise(*code)
    start = made.shape[-1] // 2 - 16
    centre = made[..., start : start + 32, start : start + 32]
    for kind, found in (("pooled64", F.adaptive_avg_pool2d(made, 64)), ("centre32", centre)):
        assert np.abs(found.numpy() - ARRAYS[f"{name}/{kind}"]).max() < 1e-3


@pytest.mark.slow
@torch.inference_mode()
def test_stylemask(published, case, codes):
    code = published.pipeline.transfer("stylemask", FaceCode(codes[0]), FaceCode(codes[1]))
    check(published, f"{case}/reenacted", code)


@pytest.mark.slow
@torch.inference_mode()
def test_directions(published, case, codes):
    still, shift = torch.zeros(2, 15), latent(5, 2, 15)
    code = published.pipeline.transfer("directions", FaceCode(codes[0], still), FaceCode(directions=shift))
    check(published, f"{case}/directed", code)


@pytest.mark.slow
def test_pictures_of_portraits(published, case, codes):
    known = published.portrait(picture("900000_0"))
    source, target = (dataclasses.replace(known, codes=w_plus[:1], key=f"{case} {i}") for i, w_plus in enumerate(codes))
    made = np.float32(published.reenact(source, target)) / 127.5 - 1
    start = published.resolution // 2 - 16
    expected = ARRAYS[f"{case}/reenacted/centre32"][0].transpose(1, 2, 0).clip(-1, 1)
    assert np.abs(made[start : start + 32, start : start + 32] - expected).max() < 0.5 / 127.5 + 1e-3


@pytest.mark.slow
def test_samples_are_not_truncated_twice(published, case, codes):
    sampled = published.pipeline.sampler.codes([0])
    styles = published.pipeline.space.styles(sampled)
    generator = published.pipeline.space.generator
    with torch.inference_mode():
        z = torch.randn(1, 512, generator=torch.Generator().manual_seed(0))
        w = published.pipeline.space.mean_w + 0.7 * (generator.map(z) - published.pipeline.space.mean_w)
        expected = generator.styles(generator.repeat(w))
    assert all(torch.allclose(found, style, atol=1e-4) for found, style in zip(styles, expected, strict=True))


def test_photos_are_truncated_only_then(published, case):
    """The same pack without compatibility keeps all of the code."""
    plain = Reenactor.from_pack(published.info.folder, device="cpu")
    w_plus = published.portrait(picture("900000_0")).codes
    kept = plain.pipeline.space.styles(w_plus)
    drawn = published.pipeline.space.styles(w_plus)
    expected = plain.pipeline.space.generator.styles(published.pipeline.space.truncate(w_plus, 0.7))
    for found, plain_style, style in zip(drawn, kept, expected, strict=True):
        assert torch.allclose(found, style, atol=1e-4)
        assert not torch.allclose(found, plain_style, atol=1e-2)

"""Stand-ins for published packs: what is widened does what it did, and the files pass through the packs' own loaders."""

import numpy as np
import pytest
import torch
from people import picture
from torch import nn

from stylemask_demo import Reenactor
from stylemask_demo.calibration import trials
from stylemask_demo.generator.sampling import Sampler, draw_z, mean_w
from stylemask_demo.generator.style_space import StyleSpace
from stylemask_demo.methods import motion, stylemask
from stylemask_demo.networks import DecaEncoder, Encoder4Editing, Generator, MaskPredictors, MotionMapping
from stylemask_demo.networks.deca import SIZES, DecaParameters, axis_angle_to_euler
from stylemask_demo.networks.irse50 import IRSE50
from stylemask_demo.packs.catalogue import PUBLISHED
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.portraits.readers import CompactReader, PublishedReader
from stylemask_demo.training.stand_in.command import main
from stylemask_demo.training.stand_in.drawing import generator_state, mapping_state, mask_state
from stylemask_demo.training.stand_in.readers import PhotoReader, TaughtReader, deca_parameters
from stylemask_demo.training.stand_in.widening import narrow, widened


@pytest.fixture(scope="module")
def own() -> PackNetworks:
    return PackNetworks.load("synthetic", torch.device("cpu"))


@torch.inference_mode()
def test_a_published_generator_draws_what_the_embedded_one_draws(own):
    wide = Generator(256, channel_multiplier=1)
    wide.load_state_dict(generator_state(own.generator, 256, 1))
    z = draw_z(own.generator, 2, 1)
    w = own.generator.map(z)
    assert (wide.map(z) - w).abs().max() < 1e-3
    expected = own.generator(own.generator.repeat(w))
    assert (wide(wide.repeat(w)) - expected).abs().max() < 1e-4


@torch.inference_mode()
def test_masks_and_motion_are_the_embedded_ones(own):
    wide = Generator(256, channel_multiplier=1)
    wide.load_state_dict(generator_state(own.generator, 256, 1))
    codes = [own.generator.repeat(own.generator.map(draw_z(own.generator, 1, seed))) for seed in (1, 2)]
    masks = MaskPredictors(wide.style_sizes[:12])
    masks.load_state_dict(mask_state(own.masks, wide.style_sizes[:12]))
    mixed = stylemask.mix(masks, *(wide.styles(code) for code in codes))
    expected = stylemask.mix(own.masks, *(own.generator.styles(code) for code in codes))
    pictures = [
        network.synthesise(styles, network.rgb_styles(codes[0]))
        for network, styles in ((wide, mixed), (own.generator, expected))
    ]
    assert (pictures[0] - pictures[1]).abs().max() < 1e-3
    mapping = MotionMapping(4)
    mapping.load_state_dict(mapping_state(own.motion_mapping.get(), 4))
    how = torch.randn(1, 1, 512)
    code = codes[0][:, :4] + torch.randn(1, 4, 512)
    moved = motion.move(mapping, code, torch.cat([how, torch.randn(1, 3, 512)], 1))
    assert (moved - motion.move(own.motion_mapping.get(), code, how)).abs().max() < 1e-3


@pytest.mark.slow
@torch.inference_mode()
def test_narrow_networks_do_the_same_when_they_are_widened():
    torch.manual_seed(0)
    reader = PhotoReader().eval()
    wide = Encoder4Editing(16).eval()
    head = {f"styles.0.{name}": tensor for name, tensor in reader.head.state_dict().items()}
    wide.load_state_dict(widened(wide.state_dict(), [{**reader.trunk.state_dict(), **head}]))
    crops = torch.rand(2, 3, 256, 256) * 2 - 1
    expected = reader(crops)[0]
    found = wide(crops)
    assert (found - expected[:, None]).abs().max() < 1e-4  # one code for all layers

    both = IRSE50(6).eval()
    both.load_state_dict(widened(both.state_dict(), [reader.trunk.state_dict()] * 2))
    coarse = both.features(torch.cat([crops, crops.flip(0)], 1))[2]
    alone = reader.trunk.features(crops)[2]
    assert torch.allclose(coarse[:, :64], alone, atol=1e-4)
    assert torch.allclose(coarse[:, 64:128], alone.flip(0), atol=1e-4) and not coarse[:, 128:].any()


@torch.inference_mode()
def test_a_narrow_deca_does_the_same_when_it_is_widened():
    torch.manual_seed(0)
    slim = narrow(DecaEncoder(), keep=lambda name: name == "layers.2").eval()
    for layer in slim.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()
    wide = DecaEncoder().eval()
    wide.load_state_dict(widened(wide.state_dict(), [slim.state_dict()]))
    seen = torch.rand(1, 3, 224, 224)
    for found, expected in zip(wide(seen), slim(seen), strict=True):
        assert torch.allclose(found, expected, atol=1e-4)


def test_directions_are_measured_by_who_teaches_deca(own):
    scale = PUBLISHED["voxceleb"].recipes.published.directions
    (reading,) = TaughtReader(own.extractor, scale).read([picture("900003_1")])
    face = reading.parameters

    class Perfect(DecaEncoder):
        def forward(self, image):
            return DecaParameters(*deca_parameters(face)[None].split(SIZES, 1))

    (expected,) = PublishedReader(Perfect(), CompactReader(own.extractor), scale, list).read([picture("900003_1")])
    assert reading.directions == pytest.approx(expected.directions, abs=1e-4)


def test_what_deca_is_taught_reads_as_the_same_angles(own):
    face = CompactReader(own.extractor).read([picture("900003_1")])[0].parameters
    pose = deca_parameters(face)[None, 200:203]
    yaw, pitch, roll = axis_angle_to_euler(pose)[0].tolist()
    assert (-yaw, -pitch, roll) == pytest.approx((face.yaw, face.pitch, face.roll), abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_files_become_a_pack_that_reenacts(name, own, tmp_path, monkeypatch):
    """With readers that have learned next to nothing; what is drawn are faces all the same."""
    monkeypatch.setattr(trials, "PEOPLE", 2)
    few = ["--size", "64", "--people", "6", "--steps", "1", "--measured", "24"]
    assert main([name, str(tmp_path), *few]) == 0
    files = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert files == {file.name for file in PUBLISHED[name].files} - {"model_ir_se50.pth"}
    reenactor = Reenactor.from_pack(tmp_path / "pack", "cpu")
    assert reenactor.resolution == 64 and reenactor.info.title == f"{name}, a stand-in"
    assert set(reenactor.methods) == ({"directions"} if name == "voxceleb" else {"stylemask", "motion"})
    (expected,) = Sampler(StyleSpace(own.generator, mean_w(own.generator))).pictures([3], 64)
    assert np.abs(np.float32(reenactor.sample(3)) - np.float32(expected)).mean() < 1
    face = reenactor.portrait(picture("900000_0"))
    for method in reenactor.methods:
        assert reenactor.reenact(face, face, method).size == (64, 64)
    for path in tmp_path.rglob("*.*"):
        path.unlink()


def test_sizes_that_a_stand_in_cannot_have_are_refused_in_one_line(tmp_path, capsys):
    for size in ("0", "100", "32", "2048"):
        with pytest.raises(SystemExit):
            main(["ffhq", str(tmp_path / "files"), "--size", size])
        assert "choose from 64, 128, 256, 512, 1024" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "files").exists()

"""The generator's own promises, on a small random one; parity with the published one is tested elsewhere."""

import pytest
import torch

from stylemask_demo.networks import stylegan2
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.networks.stylegan2_layers import ModulatedConv2d, modulated_convolution_reference

WIDTHS = {4: 24, 8: 16, 16: 16, 32: 8}


@pytest.fixture
def generator():
    torch.manual_seed(0)
    generator = Generator(32, WIDTHS, style_dim=20, n_mlp=2).eval().requires_grad_(False)
    for layer in [generator.conv1, *generator.convs]:
        layer.noise.weight.fill_(0.1)
        layer.activate.bias.normal_()
    return generator


@pytest.mark.parametrize("samples, side", [(3, 3), (1, 3), (3, 11), (1, 11)])  # less than the weights, and more
@pytest.mark.parametrize("kernel, upsample, demodulate", [(3, False, True), (3, True, True), (1, False, False)])
def test_fast_convolution_agrees_with_the_plain_one(samples, side, kernel, upsample, demodulate):
    torch.manual_seed(0)
    layer = ModulatedConv2d(6, 10, kernel, 20, demodulate=demodulate, upsample=upsample, gain=1.5)
    x, style, bias = torch.randn(samples, 6, side, side), torch.randn(samples, 6), torch.randn(10)
    torch.testing.assert_close(
        layer(x, style, bias), modulated_convolution_reference(layer, x, style, bias), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("count", [1, 2])
def test_noise_in_half_precision_is_the_same_by_matrices(count):
    torch.manual_seed(0)
    layer = stylegan2.StyledConv(16, 16, 20).requires_grad_(False).bfloat16()
    layer.noise.weight.fill_(0.3)
    x = torch.randn(2, 16, 12, 12).bfloat16().contiguous(memory_format=torch.channels_last)
    style, noise = torch.randn(2, 16).bfloat16(), torch.randn(count, 1, 12, 12).bfloat16()
    plain = layer(x, style, noise)  # with gradients enabled
    with torch.inference_mode():
        fast = layer(x, style, noise)
    torch.testing.assert_close(fast, plain, atol=0.02, rtol=0.01)
    assert (layer(x, style, 0 * noise) - plain).abs().max() > 0.3, "the noise is seen"


def test_every_entrance_leads_to_the_same_picture(generator):
    z = torch.randn(2, 20)
    w_plus = generator.repeat(generator.map(z))  # (2, L, 20)
    assert w_plus.shape == (2, generator.num_latents, 20)
    picture = generator(w_plus)
    assert picture.shape == (2, 3, 32, 32)
    styles = generator.styles(w_plus)
    assert [style.shape[1] for style in styles] == generator.style_sizes == [24, 24, 16, 16, 16, 16, 8]
    assert torch.equal(generator.synthesise(styles, generator.rgb_styles(w_plus)), picture)
    alone = torch.cat([generator(row[None]) for row in w_plus])
    torch.testing.assert_close(alone, picture, atol=1e-5, rtol=1e-5)


def test_strips_fit_together_without_a_seam(generator, monkeypatch):
    w_plus = generator.repeat(generator.map(torch.randn(2, 20)))
    whole = generator(w_plus)  # gradients are enabled, so that no strips are made
    monkeypatch.setattr(stylegan2, "STRIP", 1)
    monkeypatch.setattr(stylegan2, "FEWEST_ROWS", 6)  # which leaves a smaller strip at the end
    strips = []
    generator.to_rgbs[2].register_forward_hook(lambda layer, inputs, picture: strips.append(picture.shape[2]))
    with torch.no_grad():
        torch.testing.assert_close(generator(w_plus), whole, atol=1e-5, rtol=1e-5)
    assert strips == [6, 6, 6, 6, 6, 2]


def test_a_smaller_picture_shows_the_same(generator):
    w_plus = generator.repeat(generator.map(torch.randn(2, 20)))
    last = generator.to_rgbs[-1]
    last.conv.weight.zero_()  # without what the last resolution adds, only the enlargement remains
    last.bias.zero_()
    small = generator(w_plus, size=16)
    assert small.shape == (2, 3, 16, 16)
    torch.testing.assert_close(generator(w_plus), last.upsample.enlarge(small))


def test_a_missing_width_is_refused():
    with pytest.raises(ValueError, match="16"):
        Generator(16, {4: 8, 8: 8})

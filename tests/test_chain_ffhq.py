"""StyleMask, and Pose and Expression Transfer, from photo to picture, through the pack `ffhq` (CHAINS.md, B and C)."""

import numpy as np
import pytest
import torch
from chains import ARRAYS, RecordedFinder, check, check_image, check_picture, load, photo, recorded_crop, state, write_files
from golden.fill import fill, latent
from PIL import Image

from stylemask_demo.generator.inversion import Inverter
from stylemask_demo.generator.synthesis import Synthesis
from stylemask_demo.methods import FaceCode

pytestmark = pytest.mark.slow  # three gigabytes of weights are made, converted and loaded
PHOTOS = ("face", "inside", "border", "large")
MASKED = {"inside_by_border": ("inside", "border"), "face_by_large": ("face", "large")}
MOVED = {"motion_border_identity_inside": ("inside", "border"), "motion_face_identity_large": ("large", "face")}


def best_model() -> dict:
    decoder = state("ffhq1024", "decoder.")
    decoder["decoder.to_rgb1.bias"] = decoder["decoder.to_rgb1.bias"] + 0.25
    shapes = {"linear_relu.0.weight": (9216, 18432), "linear_relu.0.bias": (9216,)}
    mapping = {f"mapping_net.{name}": torch.as_tensor(value) for name, value in fill(shapes).items()}
    return {"state_dict": {**state("motion", "encoder."), **mapping, **decoder}, "opts": {"train_decoder": False}}


@pytest.fixture(scope="module")
def reenactor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    options = {"output_size": 1024, "device": "cuda", "encoder_type": "Encoder4Editing"}
    files = {
        "stylegan2-ffhq-config-f_1024.pt": lambda: {"g_ema": state("ffhq1024"), "latent_avg": torch.zeros(512)},
        "e4e_ffhq_encode_1024.pt": lambda: {
            "state_dict": {**state("e4e1024", "encoder."), "decoder.input.input": torch.zeros(1)},
            "latent_avg": 0.3 * latent(31, 18, 512),
            "opts": options,
        },
        "mask_network_1024.pt": lambda: {"mask_net": state("ffhq1024_mask"), "num_layers_control": 12},
        "deca_model.tar": lambda: {"E_flame": state("deca")},
        "restyle_psp_ffhq_encode.pt": lambda: {
            "state_dict": {**state("restyle", "encoder."), **state("ffhq1024", "decoder.")},
            "latent_avg": 0.3 * latent(32, 18, 512),
            "opts": {**options, "n_iters_per_batch": 5, "input_nc": 6},
        },
        "best_model.pt": best_model,
    }
    write_files(folder / "files", files)
    places = {name: (photo(name), ARRAYS[f"pictures/{name}/landmarks"]) for name in PHOTOS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEMASK_HOME", str(folder / "home"))
        made = load("ffhq", folder / "files", RecordedFinder(places), ARRAYS["sm/mean_latent"])
    for path in (folder / "files").iterdir():
        path.unlink()
    yield made
    for path in (folder / "home" / "packs" / "ffhq").iterdir():
        path.unlink()


@pytest.fixture(scope="module")
def portraits(reenactor):
    return {name: reenactor.portrait(photo(name)) for name in PHOTOS}


def test_only_a_decoder_that_differs_is_kept(reenactor):
    networks = reenactor.info.networks
    assert networks["restyle_decoder"].file == "generator.safetensors"
    assert networks["motion_decoder"].file == "motion_decoder.safetensors"
    loaded = reenactor.pipeline.networks
    assert loaded.decoder("restyle_decoder") is loaded.generator is not loaded.decoder("motion_decoder")
    assert reenactor.pipeline.recipe.refinements == 5
    assert networks["masks"].arguments["style_sizes"] == [512] * 10 + [256] * 2


@pytest.mark.parametrize("name", PHOTOS)
def test_chain_sm_code_and_inversion(reenactor, portraits, name):
    seen = portraits[name].seen_by("encoder")
    difference = np.abs(np.float32(seen) - recorded_crop(f"sm/{name}"))
    assert difference.max() <= 1 and difference.mean() < 0.05
    check(portraits[name].codes, f"sm/{name}/code", 4e-3)
    pipeline = reenactor.pipeline
    with torch.inference_mode():
        recorded = Image.fromarray(np.uint8(recorded_crop(f"sm/{name}")))
        check(Inverter(pipeline.networks.encoder, pipeline.networks.average)([recorded]), f"sm/{name}/code", 1e-5)
        code = torch.from_numpy(ARRAYS[f"sm/{name}/code"])[None]
        check_picture(pipeline.networks.generator.synthesise(*pipeline.space.code(code)), f"sm/{name}/inverted")
    check_image(portraits[name].inversion, f"sm/{name}/inverted", 1e-2)


def test_chain_sm_average(reenactor):
    networks = reenactor.pipeline.networks
    check(networks.average.latent, "sm/latent_avg", 1e-7)
    recorded = Image.fromarray(np.uint8(recorded_crop("sm/inside")))
    check(Inverter(networks.encoder)([recorded]), "sm/inside/encoder_output", 1e-5)


@pytest.mark.parametrize("pair", MASKED)
def test_chain_sm_styles_masks_and_picture(reenactor, pair):
    pipeline = reenactor.pipeline
    who, how = (torch.from_numpy(ARRAYS[f"sm/{name}/code"])[None] for name in MASKED[pair])
    with torch.inference_mode():
        check(pipeline.space.truncate(who, 0.7), f"sm/{pair}/w_source_truncated", 1e-5)
        source, target = pipeline.space.styles(who), pipeline.space.styles(how)
        check(torch.cat(source, 1), f"sm/{pair}/style_source", 1e-5)
        check(torch.cat(target, 1), f"sm/{pair}/style_target", 1e-5)
        check(torch.cat(pipeline.networks.masks(source, target), 1), f"sm/{pair}/mask", 1e-5)
        code = pipeline.transfer("stylemask", FaceCode(who), FaceCode(how))
        check(torch.cat(code.styles, 1), f"sm/{pair}/style_mixed", 1e-5)
        check_picture(pipeline.networks.generator.synthesise(*code), f"sm/{pair}/picture")


@pytest.mark.parametrize("pair", MASKED)
def test_chain_sm_photo_to_picture(reenactor, pair):
    source, target = (photo(name) for name in MASKED[pair])
    check_image(reenactor.reenact(source, target, "stylemask"), f"sm/{pair}/picture", 1e-2)


@pytest.mark.parametrize("name", PHOTOS)
def test_chain_jc_crop_of_portraits(portraits, name):
    difference = np.abs(np.float32(portraits[name].seen_by("motion")) - recorded_crop(f"jc/{name}"))
    assert difference.max() <= 1 and difference.mean() < 0.05


def test_chain_jc_average_picture(reenactor):
    networks = reenactor.pipeline.networks
    check(networks.restyle_average.latent, "jc/latent_avg", 1e-7)
    with torch.inference_mode():
        made = networks.decoder("restyle_decoder")(networks.restyle_average.latent[None])
        check_picture(torch.nn.functional.adaptive_avg_pool2d(made, 256), "jc/average_image")


@pytest.mark.parametrize("name", ["inside", "large"])
def test_chain_jc_refinement(reenactor, name):
    networks = reenactor.pipeline.networks
    decoder, encode = networks.decoder("restyle_decoder"), networks.restyle.get()
    seen = torch.from_numpy(recorded_crop(f"jc/{name}")).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.inference_mode():
        code, pictures = networks.restyle_average.latent[None], []
        for step in range(reenactor.pipeline.recipe.refinements):
            pictures.append(decoder(code))
            code = code + encode(seen, torch.nn.functional.adaptive_avg_pool2d(pictures[-1], 256))
            assert np.abs(code[0].numpy() - ARRAYS[f"jc/{name}/restyle_codes"][step]).max() < 5e-5
        check_picture(pictures[1], f"jc/{name}/restyle_step1")
        check_picture(decoder(code), f"jc/{name}/restyle_step5")


@pytest.mark.parametrize("name", ["inside", "large"])
def test_chain_jc_identity_of_portraits(reenactor, portraits, name):
    who = reenactor.pipeline.transfer.sources([portraits[name]], "motion").w_plus
    assert np.abs(who[0].numpy() - ARRAYS[f"jc/{name}/restyle_codes"][-1]).max() < 4e-3


@pytest.mark.parametrize("pair", MOVED)
@pytest.mark.parametrize("variant", ["raw", "aligned"])
def test_chain_jc_codes_and_pictures(reenactor, pair, variant):
    """The program as it is squeezes the unaligned photo into the motion encoder; the variant that aligns it is followed."""
    pipeline, (identity, motion) = reenactor.pipeline, MOVED[pair]
    case = f"jc/{pair}_{variant}"
    if variant == "raw":
        seen = photo(motion).resize((256, 256), Image.Resampling.BILINEAR)
    else:
        seen = Image.fromarray(np.uint8(recorded_crop(f"jc/{motion}")))
    pixels = np.float32(seen).transpose(2, 0, 1)
    check(pixels.reshape(3, 64, 4, 64, 4).mean((2, 4)), f"{case}/motion_input/pooled64", 0.05)
    check(pixels[:, 112:144, 112:144], f"{case}/motion_input/centre32", 1.01)
    with torch.inference_mode():
        motion_code = Inverter(pipeline.networks.motion_encoder.get())([seen])
        check(motion_code, f"{case}/motion_code", 1e-5)
        who = FaceCode(torch.from_numpy(ARRAYS[f"jc/{identity}/restyle_codes"][-1])[None])
        mapped = pipeline.networks.motion_mapping.get()(who.w_plus, motion_code)
        check(mapped, f"{case}/code", 3e-5)
        code = pipeline.transfer("motion", who, FaceCode(motion=motion_code))
        decoder = pipeline.networks.decoder("motion_decoder")
        fixed = decoder.synthesise(*code)
        check_picture(fixed, f"{case}/picture_fixed_noise")
        torch.manual_seed(40)
        check_picture(Synthesis(decoder, "random").tensors(code), f"{case}/picture_random_noise")
        saved = np.float32(Synthesis(decoder, rounding="down").images(fixed)[0])[240:1024]  # rows that the program keeps
        pooled = saved.reshape(49, 16, 64, 16, 3).mean((1, 3)).transpose(2, 0, 1)
        check(pooled, f"{case}/saved_fixed_noise_pooled", 0.05)


@pytest.mark.parametrize("pair", MOVED)
def test_chain_jc_photo_to_picture(reenactor, pair):
    identity, motion = (photo(name) for name in MOVED[pair])
    source, target = reenactor.portrait([identity, motion])
    reenactor.reenact(source, target, "motion")  # codes of faces are remembered, and no random number is drawn for them
    torch.manual_seed(40)
    check_image(reenactor.reenact(source, target, "motion"), f"jc/{pair}_aligned/picture_random_noise", 1e-2)

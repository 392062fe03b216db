"""StyleMask, and Pose and Expression Transfer, from photo to picture, through the pack `ffhq` (CHAINS.md, B and C).

A picture of 1024 pixels takes seconds: each is drawn once, by the call that a visitor makes where there is one.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from chains import ARRAYS, RecordedFinder, check, check_image, check_picture, drawn, photo, published, recorded_crop
from golden.fill import latent
from PIL import Image
from recorded_weights import filled

from stylemask_demo.generator.inversion import Inverter
from stylemask_demo.generator.synthesis import Synthesis
from stylemask_demo.methods import FaceCode

pytestmark = pytest.mark.slow  # three gigabytes of weights are made, converted and loaded
PHOTOS = ("face", "inside", "border", "large")
MASKED = {"inside_by_border": ("inside", "border"), "face_by_large": ("face", "large")}
MOVED = {"motion_border_identity_inside": ("inside", "border"), "motion_face_identity_large": ("large", "face")}
# From a crop of one's own, which differs from the recorded one by a level here and there.
CODE, PICTURE = 1e-4, 1e-3


@pytest.fixture(scope="module")
def ffhq(weights, tmp_path_factory):
    options = {"output_size": 1024, "device": "cuda", "encoder_type": "Encoder4Editing"}

    def best_model() -> dict:
        decoder = weights("ffhq1024", "decoder.")
        decoder["decoder.to_rgb1.bias"] = decoder["decoder.to_rgb1.bias"] + 0.25
        mapping = {"linear_relu.0.weight": [9216, 18432], "linear_relu.0.bias": [9216]}
        networks = {**weights("motion", "encoder."), **filled(mapping, "mapping_net."), **decoder}
        return {"state_dict": networks, "opts": {"train_decoder": False}}

    files = {
        "stylegan2-ffhq-config-f_1024.pt": lambda: {"g_ema": weights("ffhq1024"), "latent_avg": torch.zeros(512)},
        "e4e_ffhq_encode_1024.pt": lambda: {
            "state_dict": {**weights("e4e1024", "encoder."), "decoder.input.input": torch.zeros(1)},
            "latent_avg": 0.3 * latent(31, 18, 512),
            "opts": options,
        },
        "mask_network_1024.pt": lambda: {"mask_net": weights("ffhq1024_mask"), "num_layers_control": 12},
        "deca_model.tar": lambda: {"E_flame": weights("deca")},
        "restyle_psp_ffhq_encode.pt": lambda: {
            "state_dict": {**weights("restyle", "encoder."), **weights("ffhq1024", "decoder.")},
            "latent_avg": 0.3 * latent(32, 18, 512),
            "opts": {**options, "n_iters_per_batch": 5, "input_nc": 6},
        },
        "best_model.pt": best_model,
    }
    places = {name: (photo(name), ARRAYS[f"pictures/{name}/landmarks"]) for name in PHOTOS}
    folder = tmp_path_factory.mktemp("published")
    with published("ffhq", files, RecordedFinder(places), ARRAYS["sm/mean_latent"], folder) as made:
        yield made


@pytest.fixture(scope="module")
def portraits(ffhq):
    return {name: ffhq.portrait(photo(name)) for name in PHOTOS}


@pytest.fixture(scope="module")
def refined(ffhq, portraits):
    """Of two people, the codes (5, 18, 512) by which ReStyle comes to them, and the pictures of codes 1 to 4."""
    networks, people = ffhq.pipeline.networks, {}
    for name in ("inside", "large"):
        steps: list[torch.Tensor] = []
        hook = networks.restyle.get().register_forward_hook(lambda network, seen, step, to=steps: to.append(step[0]))
        with drawn() as pictures:
            found = ffhq.pipeline.transfer.sources([portraits[name]], "motion").w_plus
        hook.remove()
        if not people:
            check_picture(F.adaptive_avg_pool2d(pictures.pop(0), 256), "jc/average_image")
        codes = networks.restyle_average.latent + torch.stack(steps).cumsum(0)
        assert torch.allclose(codes[-1], found[0], atol=1e-4)
        people[name] = codes, pictures
    return people


def test_only_a_decoder_that_differs_is_kept(ffhq):
    networks = ffhq.info.networks
    assert networks["restyle_decoder"].file == "generator.safetensors"
    assert networks["motion_decoder"].file == "motion_decoder.safetensors"
    loaded = ffhq.pipeline.networks
    assert loaded.decoder("restyle_decoder") is loaded.generator is not loaded.decoder("motion_decoder")
    assert ffhq.pipeline.recipe.refinements == 5
    assert networks["masks"].arguments["style_sizes"] == [512] * 10 + [256] * 2


@pytest.mark.parametrize("name", PHOTOS)
def test_chain_sm_code_and_inversion(portraits, name):
    seen = portraits[name].seen_by("encoder")
    difference = np.abs(np.float32(seen) - recorded_crop(f"sm/{name}"))
    assert difference.max() <= 1 and difference.mean() < 0.05
    check(portraits[name].codes, f"sm/{name}/code", CODE)
    with drawn() as pictures:
        check_image(portraits[name].inversion, f"sm/{name}/inverted", PICTURE)
    check_picture(pictures[0], f"sm/{name}/inverted", PICTURE)


def test_chain_sm_average(ffhq, portraits):
    average = ffhq.pipeline.networks.average
    check(average.latent, "sm/latent_avg", 1e-7)
    check(portraits["inside"].codes - average.latent, "sm/inside/encoder_output", CODE)


@pytest.mark.parametrize("pair", MASKED)
def test_chain_sm_styles_and_masks(ffhq, pair):
    pipeline = ffhq.pipeline
    who, how = (torch.from_numpy(ARRAYS[f"sm/{name}/code"])[None] for name in MASKED[pair])
    with torch.inference_mode():
        check(pipeline.space.truncate(who, 0.7), f"sm/{pair}/w_source_truncated", 1e-5)
        source, target = pipeline.space.styles(who), pipeline.space.styles(how)
        check(torch.cat(source, 1), f"sm/{pair}/style_source", 1e-5)
        check(torch.cat(target, 1), f"sm/{pair}/style_target", 1e-5)
        check(torch.cat(pipeline.networks.masks(source, target), 1), f"sm/{pair}/mask", 1e-5)
        code = pipeline.transfer("stylemask", FaceCode(who), FaceCode(how))
        check(torch.cat(code.styles, 1), f"sm/{pair}/style_mixed", 1e-5)


@pytest.mark.parametrize("pair", MASKED)
def test_chain_sm_photo_to_picture(ffhq, pair):
    source, target = (photo(name) for name in MASKED[pair])
    with drawn() as pictures:
        check_image(ffhq.reenact(source, target, "stylemask"), f"sm/{pair}/picture", PICTURE)
    check_picture(pictures[0], f"sm/{pair}/picture", PICTURE)
    assert len(pictures) == 1


@pytest.mark.parametrize("name", ["face", "inside", "border"])  # all four: test_chain_crops
def test_chain_jc_crop_of_portraits(portraits, name):
    difference = np.abs(np.float32(portraits[name].seen_by("motion")) - recorded_crop(f"jc/{name}"))
    assert difference.max() <= 1 and difference.mean() < 0.05


@pytest.mark.parametrize("name", ["inside", "large"])
def test_chain_jc_refinement_from_photo_to_code(ffhq, refined, name):
    codes, pictures = refined[name]
    check(ffhq.pipeline.networks.restyle_average.latent, "jc/latent_avg", 1e-7)
    check(codes, f"jc/{name}/restyle_codes", CODE)
    check_picture(pictures[0], f"jc/{name}/restyle_step1", PICTURE)
    assert len(pictures) == 4
    with torch.inference_mode():
        shown = ffhq.pipeline.networks.decoder("restyle_decoder")(codes[-1:])
    check_picture(shown, f"jc/{name}/restyle_step5", PICTURE)


@pytest.mark.parametrize("pair", MOVED)
@pytest.mark.parametrize("variant", ["raw", "aligned"])
def test_chain_jc_codes_and_pictures(ffhq, portraits, pair, variant):
    """The program as it is squeezes the unaligned photo into the motion encoder; the variant that aligns it is followed."""
    pipeline, (identity, motion) = ffhq.pipeline, MOVED[pair]
    case = f"jc/{pair}_{variant}"
    with torch.inference_mode():
        if variant == "raw":
            seen = photo(motion).resize((256, 256), Image.Resampling.BILINEAR)
            how = FaceCode(motion=Inverter(pipeline.networks.motion_encoder.get())([seen]))
        else:
            seen = portraits[motion].seen_by("motion")
            how = pipeline.transfer.targets([portraits[motion]], "motion")
        pixels = np.float32(seen).transpose(2, 0, 1)
        check(pixels.reshape(3, 64, 4, 64, 4).mean((2, 4)), f"{case}/motion_input/pooled64", 0.05)
        check(pixels[:, 112:144, 112:144], f"{case}/motion_input/centre32", 1.01)
        check(how.motion, f"{case}/motion_code", 1e-5 if variant == "raw" else CODE)
        who = FaceCode(torch.from_numpy(ARRAYS[f"jc/{identity}/restyle_codes"][-1])[None])
        mapped = pipeline.networks.motion_mapping.get()(who.w_plus, how.motion)
        check(mapped, f"{case}/code", 3e-5 if variant == "raw" else CODE)
        code = pipeline.transfer("motion", who, how)
        check_drawn(pipeline, code, case, "fixed")
        if variant == "raw":  # the aligned one is drawn from photo to picture
            check_drawn(pipeline, code, case, "random")


def check_drawn(pipeline, code, case: str, noise: str) -> None:
    """Compare the picture of a code with fixed or random noise, and what the program keeps of it."""
    drawing = Synthesis(pipeline.networks.decoder("motion_decoder"), noise, "down")
    torch.manual_seed(40)
    made = drawing.tensors(code)
    check_picture(made, f"{case}/picture_{noise}_noise", PICTURE)
    if noise == "fixed":
        saved = np.float32(drawing.images(made)[0])[240:1024]
        pooled = saved.reshape(49, 16, 64, 16, 3).mean((1, 3)).transpose(2, 0, 1)
        check(pooled, f"{case}/saved_fixed_noise_pooled", 0.05)


@pytest.mark.parametrize("pair", MOVED)
def test_chain_jc_photo_to_picture(ffhq, refined, pair):
    source, target = (photo(name) for name in MOVED[pair])
    ffhq.pipeline.results_of("motion")  # a generator that is built draws random numbers
    torch.manual_seed(40)
    with drawn() as pictures:
        check_image(ffhq.reenact(source, target, "motion"), f"jc/{pair}_aligned/picture_random_noise", PICTURE)
    check_picture(pictures[0], f"jc/{pair}_aligned/picture_random_noise", PICTURE)
    assert len(pictures) == 1

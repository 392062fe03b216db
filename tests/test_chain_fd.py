"""Finding Directions from photo to picture, through the pack `voxceleb` and the public API (tests/golden/CHAINS.md, A)."""

import json

import numpy as np
import pytest
import torch
from chains import (
    ARRAYS,
    FOLDER,
    RecordedFinder,
    check,
    check_image,
    check_picture,
    drawn,
    photo,
    piped,
    published,
    recorded_crop,
)
from PIL import Image

from stylemask_demo.faces.crops import BoxCrop
from stylemask_demo.faces.deca import DecaFace, crop_square, cut
from stylemask_demo.methods import FaceCode
from stylemask_demo.methods.directions import Directions

pytestmark = pytest.mark.slow  # a gigabyte of weights is made, converted and loaded
PHOTOS = ("face", "inside", "border", "large")
PAIRS = {"inside_by_large": ("inside", "large"), "border_by_face": ("border", "face")}
RANGES = json.loads((FOLDER / "parameter_ranges.json").read_text())


def places() -> dict[str, tuple[Image.Image, np.ndarray]]:
    found = {}
    for name in PHOTOS:
        crop = Image.fromarray(np.uint8(recorded_crop(f"fd/{name}")))
        found[name] = photo(name), ARRAYS[f"pictures/{name}/landmarks"]
        found[f"{name} resized"] = BoxCrop().searched(photo(name)), ARRAYS[f"fd/{name}/landmarks_resized"]
        found[f"{name} crop"] = crop, ARRAYS[f"fd/{name}/crop_landmarks"]
    return found


@pytest.fixture(scope="module")
def voxceleb(weights, tmp_path_factory):
    files = {
        "stylegan-voxceleb.pt": lambda: {"g_ema": weights("vox256")},
        "e4e-voxceleb.pt": lambda: {"e": weights("e4e256")},
        "A_matrix.pt": lambda: {
            "A_matrix": weights("vox256_direction"),
            "learned_directions": 15,
            "shift_scale": 6,
            "w_plus": True,
            "num_layers_shift": 8,
            "shift_dim": 15,
        },
        "deca_model.tar": lambda: {"E_flame": weights("deca"), "E_detail": {}, "D_detail": {}},
    }
    folder = tmp_path_factory.mktemp("published")
    with published("voxceleb", files, RecordedFinder(places()), ARRAYS["fd/mean_latent"], folder) as made:
        yield made


@pytest.fixture(scope="module")
def portraits(voxceleb):
    return {name: voxceleb.portrait(photo(name)) for name in PHOTOS}


@pytest.mark.parametrize("name", PHOTOS)
def test_chain_fd_crop_of_portraits(portraits, name):
    difference = np.abs(np.float32(portraits[name].crop) - recorded_crop(f"fd/{name}"))
    assert difference.max() <= 1 and difference.mean() < 0.05


@pytest.mark.parametrize("name", ["inside", "border"])
def test_chain_fd_code_and_inversion(portraits, name):
    check(portraits[name].codes, f"fd/{name}/code", 1e-5)
    with drawn() as pictures:
        check_image(portraits[name].inversion, f"fd/{name}/inverted")
    check_picture(pictures[0], f"fd/{name}/inverted")


@pytest.mark.parametrize("name", [*PHOTOS, "outside"])
def test_chain_fd_input_of_deca(name):
    landmarks = ARRAYS["fd/outside/landmarks" if name == "outside" else f"fd/{name}/crop_landmarks"]
    crop = Image.fromarray(np.uint8(recorded_crop(f"fd/{'border' if name == 'outside' else name}")))
    seen = torch.from_numpy(cut(crop, landmarks) * np.float32(2 / 2.00001)).permute(2, 0, 1)[None]
    check(torch.nn.functional.adaptive_avg_pool2d(seen, 56), f"fd/{name}/deca/pooled56", 1e-4)
    corners = torch.stack([seen[0, :, :24, :24], seen[0, :, -24:, -24:]])
    check(corners, f"fd/{name}/deca/corner24", 1e-4)
    if name != "outside":
        check(seen[..., 96:128, 96:128], f"fd/{name}/deca/centre32", 1e-4)


def test_chain_fd_squares_of_deca():
    cases = [(ARRAYS[f"fd/{name}/crop_landmarks"], ARRAYS[f"fd/{name}/deca/matrix"]) for name in PHOTOS]
    cases += list(zip(ARRAYS["fd/many/landmarks"], ARRAYS["fd/many/deca_matrices"], strict=True))
    for landmarks, matrix in cases:
        centre, side = crop_square(landmarks)
        scale = 223 / side
        expected = np.array([[scale, 0, -scale * (centre[0] - side / 2)], [0, scale, -scale * (centre[1] - side / 2)]])
        assert np.abs(expected - matrix).max() < 2e-3  # at translations of hundreds


@pytest.mark.parametrize("name", PHOTOS)
def test_chain_fd_parameters(voxceleb, portraits, name):
    encoder = voxceleb.pipeline.networks.deca
    crop = Image.fromarray(np.uint8(recorded_crop(f"fd/{name}")))
    seen = cut(crop, ARRAYS[f"fd/{name}/crop_landmarks"]) * np.float32(2 / 2.00001)
    with torch.inference_mode():
        read = encoder(torch.from_numpy(seen).permute(2, 0, 1)[None])
    check(torch.cat(list(read), 1), f"fd/{name}/deca/params", 1e-5)
    yaw, pitch, roll = ARRAYS[f"fd/{name}/deca/angles_degrees"]
    parameters = portraits[name].parameters
    # From a crop of one's own; degrees.
    assert (-parameters.yaw, -parameters.pitch, parameters.roll) == pytest.approx((yaw, pitch, roll), abs=5e-3)


@pytest.mark.parametrize("pair", PAIRS)
def test_chain_fd_shift(portraits, pair):
    source, target = (portraits[name].directions for name in PAIRS[pair])
    check(target - source, f"fd/{pair}/shift", 1e-3)


def test_chain_fd_shift_of_real_faces(voxceleb):
    scale = voxceleb.pipeline.recipe.directions
    values = []
    for name in ("source", "target"):
        yaw, pitch, roll, jaw, *expression = ARRAYS[f"fd/formula/{name}"].tolist()
        values.append(scale.values(DecaFace(-yaw, -pitch, roll, jaw, np.float32(expression), np.zeros(100))))
    check(values[1] - values[0], "fd/formula/shift", 1e-4)
    assert np.allclose(scale.factors[3:], ARRAYS["fd/direction_slopes"], rtol=1e-5)


@pytest.mark.parametrize("name", ["formula", *PAIRS])
def test_chain_fd_moved_code_and_picture(voxceleb, name):
    pipeline = voxceleb.pipeline
    code = torch.from_numpy(ARRAYS[f"fd/{PAIRS[name][0] if name in PAIRS else 'inside'}/code"])[None]
    shift = torch.from_numpy(ARRAYS[f"fd/{name}/shift"])[None]
    with torch.inference_mode():
        check(pipeline.networks.directions(shift), f"fd/{name}/A_output", 1e-5)
        who, how = FaceCode(code, torch.zeros(1, 15)), FaceCode(directions=shift)
        made = pipeline.transfer("directions", who, how)
        truncated = torch.from_numpy(ARRAYS[f"fd/{name}/latent_truncated"])[None]
        for found, expected in zip(made.styles, pipeline.networks.generator.styles(truncated), strict=True):
            assert (found - expected).abs().max() < 1e-5
        if name not in PAIRS:  # those are drawn from photo to picture
            check_picture(pipeline.networks.generator.synthesise(*made), f"fd/{name}/picture")


@pytest.mark.parametrize("pair", PAIRS)
def test_chain_fd_photo_to_picture(voxceleb, pair):
    source, target = (photo(name) for name in PAIRS[pair])
    with drawn() as pictures:
        check_image(voxceleb.reenact(source, target, "directions"), f"fd/{pair}/picture")
    check_picture(pictures[0], f"fd/{pair}/picture")


def test_chain_fd_no_shift_still_adds_the_constant_term(voxceleb, portraits):
    matrix = voxceleb.pipeline.networks.directions
    check(matrix(torch.zeros(1, 15)), "fd/zero_shift_A_output", 1e-5)
    still, inverted = voxceleb.edit(portraits["inside"]), portraits["inside"].inversion
    assert np.abs(np.float32(still) - np.float32(inverted)).mean() > 1


@pytest.mark.parametrize("direction", ["yaw", "pitch", "jaw", "exp_00"])
def test_chain_fd_editing(voxceleb, portraits, direction):
    pipeline, number = voxceleb.pipeline, ["yaw", "pitch", "roll", "jaw", "exp_00"].index(direction)
    shifts = ARRAYS[f"fd/edit/{direction}/shifts"]
    # Where a face stands is the same for the program but for a constant, which counts from the middle of the range.
    intercept = ARRAYS["fd/direction_intercepts"][number - 3] if number > 2 else 0.0
    start, low, high, step = ARRAYS[f"fd/edit/{direction}/start_min_max_step"]
    assert portraits["inside"].directions[number] + intercept == pytest.approx(start, abs=1e-3)
    assert (low, high, step) == pytest.approx((-6 - start, 6 - start, 0.6), abs=1e-3)
    code = FaceCode(torch.from_numpy(ARRAYS["fd/inside/code"])[None])
    edit = Directions(pipeline.space, pipeline.networks.directions, pipeline.recipe.constant).edit
    for picture in (0, 20):
        if f"fd/edit/{direction}/picture_{picture}/pooled64" in ARRAYS:
            shift = torch.zeros(1, 15)
            shift[0, number] = float(shifts[picture])
            with torch.inference_mode():
                made = pipeline.networks.generator.synthesise(*edit(code, shift))
            check_picture(made, f"fd/edit/{direction}/picture_{picture}")


def test_chain_fd_sliders_are_the_editing_program(voxceleb, portraits):
    """A turn of the head by degrees is a shift of the published direction, the other way round."""
    for direction, degrees in (("yaw", 40.0), ("pitch", 20.0)):
        change = -float(ARRAYS[f"fd/edit/{direction}/shifts"][0]) * degrees / 6
        shown = np.float32(voxceleb.edit(portraits["inside"], **{direction: change})) / 127.5 - 1
        pooled = shown.reshape(64, 4, 64, 4, 3).mean((1, 3)).transpose(2, 0, 1)
        expected = ARRAYS[f"fd/edit/{direction}/picture_0/pooled64"]
        inside = np.abs(expected) < 0.5  # where no pixel of a block is cut off at black or white, as a rule
        assert np.abs(pooled - expected.reshape(pooled.shape))[inside.reshape(pooled.shape)].mean() < 1e-2


def test_without_compatibility_strength_zero_is_the_source(voxceleb, portraits):
    plain = piped(voxceleb.pipeline.networks, RecordedFinder(places()), ARRAYS["fd/mean_latent"], compatibility=False)
    source, target = plain.portrait([photo("inside"), photo("large")])
    assert np.array_equal(plain.reenact(source, target, "directions", 0.0), source.inversion)
    there = np.float32(voxceleb.reenact(portraits["inside"], portraits["large"], "directions"))
    here = np.float32(plain.reenact(source, target, "directions"))
    assert np.abs(there - here).mean() < 1  # its landmarks are found once, in the photo itself

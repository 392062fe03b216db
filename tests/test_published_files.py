"""The published files: what may be absent or extra in each, and what is refused, by name.

Their tensors are of full size but share one stored number, and nothing is written.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from stylemask_demo.errors import PackCorrupt
from stylemask_demo.networks import NETWORKS
from stylemask_demo.packs import convert as conversion
from stylemask_demo.packs.catalogue import PUBLISHED, PublishedFile
from stylemask_demo.packs.convert import convert

FILES = {file.name: file for pack in PUBLISHED.values() for file in pack.files}
# Whose program reads them without minding what is missing or unknown.
LENIENT = {"stylegan-voxceleb.pt", "deca_model.tar", "model_ir_se50.pth"}
NOISES = {"stylegan-voxceleb.pt", "stylegan2-ffhq-config-f_1024.pt", "restyle_psp_ffhq_encode.pt", "best_model.pt"}


def flat(shape: torch.Size, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.zeros((1,) * len(shape), dtype=dtype).expand(shape)


def checkpoint_of(file: PublishedFile) -> dict:
    """What a file holds, in its sections."""
    made: dict = {"opts": {"n_iters_per_batch": 3}, "num_layers_control": 11}
    for part in file.parts:
        with torch.device("meta"):
            arguments = part.arguments
            if part.class_name == "MaskPredictors":
                arguments = {"style_sizes": arguments["style_sizes"][:11]}
            expected = NETWORKS[part.class_name](**arguments).state_dict()
        if part.class_name == "LatentAverage":
            made[part.section] = torch.zeros(expected["latent"].shape)
            continue
        place = made.setdefault(part.section, {}) if part.section else made
        place |= {part.prefix + name: flat(value.shape, value.dtype) for name, value in expected.items()}
    return made


@pytest.fixture
def written(monkeypatch) -> dict:
    """The networks that a conversion would have written, by key, with their arguments."""
    made: dict = {}

    def keep(folder, key, module, arguments, dtype):
        made[key] = module, arguments

    monkeypatch.setattr(conversion, "save_network", keep)
    monkeypatch.setattr(conversion, "update_settings", lambda folder, **settings: made.update(settings))
    monkeypatch.setattr(conversion, "_same", lambda module, folder, key: False)
    return made


def converted(name: str, change: Callable[[dict], object], folder: Path) -> None:
    content = checkpoint_of(FILES[name])
    change(content)
    torch.save(content, folder / name)
    convert(FILES[name], folder / name, folder)


def weights(content: dict) -> list[tuple[dict, str]]:
    """Every tensor of a checkpoint: the dictionary that it is in, and its name there."""
    places = [content, *(value for value in content.values() if isinstance(value, dict))]
    return [(place, name) for place in places for name in place if isinstance(place[name], torch.Tensor)]


def without(*ends: str) -> Callable[[dict], None]:
    def change(content: dict) -> None:
        for place, name in weights(content):
            if any(part in name for part in ends):
                del place[name]

    return change


def last_weight(content: dict) -> tuple[dict, str]:
    """A weight of the network that comes last in a file."""
    return [(place, name) for place, name in weights(content) if name.endswith((".weight", "latent_avg"))][-1]


@pytest.mark.parametrize("name", FILES)
def test_as_published(name, written, tmp_path):
    converted(name, lambda content: None, tmp_path)
    assert set(FILES[name].becomes) <= set(written)


@pytest.mark.parametrize("name", FILES)
def test_buffers_of_a_known_value_may_be_absent(name, written, tmp_path):
    converted(name, without("num_batches_tracked", ".kernel"), tmp_path)
    for key in set(FILES[name].becomes):
        state = written[key][0].state_dict()
        assert all(int(value) == 0 for buffer, value in state.items() if buffer.endswith("num_batches_tracked"))
        assert all(float(value.sum()) == 4 for buffer, value in state.items() if buffer.endswith(".kernel"))


@pytest.mark.parametrize("name", FILES)
def test_buffers_may_be_extra(name, written, tmp_path):
    def change(content: dict) -> None:
        for part in FILES[name].parts:
            place = content[part.section] if part.section else content
            if isinstance(place, dict):
                place[f"{part.prefix}more.num_batches_tracked"] = torch.zeros(())
                place[f"{part.prefix}more.kernel"] = torch.zeros(4, 4)

    converted(name, change, tmp_path)


@pytest.mark.parametrize("name", sorted(NOISES))
def test_noise_may_be_absent_where_the_program_does_not_mind(name, written, tmp_path):
    if name in LENIENT:
        converted(name, without("noises."), tmp_path)
        first = written["generator"][0].noises.noise_3.clone()
        assert 0.8 < float(first.std()) < 1.2
        converted(name, without("noises."), tmp_path)
        assert torch.equal(written["generator"][0].noises.noise_3, first)  # a face looks the same tomorrow
    else:
        with pytest.raises(PackCorrupt, match="noises.noise_0"):
            converted(name, without("noises."), tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_unknown_weights(name, written, tmp_path):
    def change(content: dict) -> None:
        part = FILES[name].parts[0]
        place = content[part.section] if part.section else content
        place[f"{part.prefix}more.weight"] = torch.zeros(3)

    if FILES[name].parts[0].lenient:
        converted(name, change, tmp_path)
    else:
        with pytest.raises(PackCorrupt, match="more.weight"):
            converted(name, change, tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_an_absent_weight_is_named(name, written, tmp_path):
    names = []

    def change(content: dict) -> None:
        place, weight = last_weight(content)
        names.append(weight)
        del place[weight]

    if name == "e4e_ffhq_encode_1024.pt":  # an average is added only where there is one

        def change(content: dict) -> None:
            names.append("encoder.input_layer.0.weight")
            del content["state_dict"][names[0]]

    with pytest.raises(PackCorrupt) as refused:
        converted(name, change, tmp_path)
    assert names[0] in str(refused.value) and name in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("shape", [(3,), (2, 2, 2)])
def test_a_weight_of_another_shape_is_named(name, shape, written, tmp_path):
    names = []

    def change(content: dict) -> None:
        place, weight = last_weight(content)
        names.append(weight)
        place[weight] = torch.zeros(shape)

    with pytest.raises(PackCorrupt) as refused:
        converted(name, change, tmp_path)
    assert f"'{names[0]}' is" in str(refused.value) and "instead of" in str(refused.value)


@pytest.mark.parametrize("name", [name for name, file in FILES.items() if file.parts[0].section])
def test_another_section_is_refused(name, written, tmp_path):
    def change(content: dict) -> None:
        section = FILES[name].parts[0].section
        content["g" if section == "g_ema" else "model"] = content.pop(section)

    with pytest.raises(PackCorrupt, match="has no"):
        converted(name, change, tmp_path)


@pytest.mark.parametrize("name", [name for name, file in FILES.items() if file.parts[0].section == "state_dict"])
def test_without_its_section_the_file_itself_is_read(name, written, tmp_path):
    converted(name, lambda content: content.update(content.pop("state_dict")), tmp_path)
    assert set(FILES[name].becomes) <= set(written)


def test_an_average_is_optional(written, tmp_path):
    converted("e4e_ffhq_encode_1024.pt", lambda content: content.pop("latent_avg"), tmp_path)
    assert set(written) == {"encoder"}


def test_the_average_of_restyle_is_needed(written, tmp_path):
    with pytest.raises(PackCorrupt, match="latent_avg"):
        converted("restyle_psp_ffhq_encode.pt", lambda content: content.pop("latent_avg"), tmp_path)


def test_what_files_say_beside_their_weights(written, tmp_path):
    converted("mask_network_1024.pt", lambda content: None, tmp_path)
    assert written["masks"][1]["style_sizes"] == [512] * 10 + [256]
    converted("restyle_psp_ffhq_encode.pt", lambda content: None, tmp_path)
    assert written["refinements"] == 3
    converted("A_matrix.pt", lambda content: content.update(shift_scale=5), tmp_path)
    assert written["shift_scale"] == 5


@pytest.mark.parametrize("count", [None, 0, 18, 2.5, "12", True])
def test_a_number_of_masks_that_cannot_be(count, written, tmp_path):
    def change(content: dict) -> None:
        if count is None:
            del content["num_layers_control"]
        else:
            content["num_layers_control"] = count

    with pytest.raises(PackCorrupt, match="num_layers_control"):
        converted("mask_network_1024.pt", change, tmp_path)

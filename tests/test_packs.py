"""Packs: written, verified and loaded; damage of every kind names the file and the cure."""

import json
from pathlib import Path

import pytest
import torch
from loaded_pack import load_pack
from torch import nn

from stylemask_demo.errors import PackCorrupt, PackMissing
from stylemask_demo.networks import NETWORKS
from stylemask_demo.packs import CHECKPOINTS, available_packs, load_network, read_info
from stylemask_demo.packs.store import describe_pack, save_network, update_settings


class Tables(nn.Module):
    """A small network whose arguments and tensors are of every kind that packs hold."""

    def __init__(self, channels: dict[int, int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, size) for size, width in channels.items())
        self.normal = nn.BatchNorm1d(3)
        self.register_buffer("large", torch.tensor([1e6, -2.0]))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "Tables", Tables)


@pytest.fixture
def pack(tmp_path: Path, known: None) -> Path:
    folder = tmp_path / "small"
    torch.manual_seed(0)
    channels = {4: 8, 16: 2}
    save_network(folder, "tables", Tables(channels), {"channels": channels})
    return folder


def damage(pack: Path, **entry) -> None:
    """Change what pack.json says of the network."""
    document = json.loads((pack / "pack.json").read_text())
    document["networks"]["tables"].update(entry)
    (pack / "pack.json").write_text(json.dumps(document))


def test_written_network_comes_back(pack: Path) -> None:
    torch.manual_seed(0)
    written = Tables({4: 8, 16: 2}).state_dict()
    module = load_pack(pack)["tables"]
    for name, tensor in module.state_dict().items():
        assert torch.allclose(tensor, written[name], atol=1e-3, rtol=1e-3), name
        assert tensor.dtype == written[name].dtype, name
    assert not module.training
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_weights_take_two_bytes_each(pack: Path) -> None:
    torch.manual_seed(0)
    large = Tables({256: 256})
    path = save_network(pack, "wide", large, {"channels": {256: 256}})
    assert path.stat().st_size < 2.1 * 256 * 257
    assert read_info(pack).networks["wide"].parameters == 256 * 257 + 6


def test_full_precision_is_kept_where_it_is_asked_for(tmp_path: Path, known: None) -> None:
    module = Tables({4: 8})
    save_network(tmp_path, "tables", module, {"channels": {4: 8}}, dtype=torch.float32)
    assert torch.equal(load_pack(tmp_path)["tables"].layers[0].weight, module.layers[0].weight)


def test_tensors_that_share_memory_are_stored(tmp_path: Path, known: None) -> None:
    module = Tables({4: 8, 6: 8})
    module.layers[1].weight = nn.Parameter(torch.ones(6, 8))
    module.layers[0].weight = nn.Parameter(module.layers[1].weight[:4].detach())
    save_network(tmp_path, "tables", module, {"channels": {4: 8, 6: 8}}, dtype=torch.float32)
    loaded = load_pack(tmp_path)["tables"]
    assert loaded.layers[0].weight.sum() == 4 * 8 and loaded.layers[1].weight.sum() == 6 * 8


def test_one_network_is_loaded_whatever_the_others_are(pack: Path) -> None:
    save_network(pack, "second", Tables({4: 8}), {"channels": {4: 8}})
    (pack / "tables.safetensors").unlink()
    assert isinstance(load_network(read_info(pack), "second"), Tables)
    with pytest.raises(KeyError):
        load_network(read_info(pack), "nonesuch")


def test_values_beyond_float16_survive(pack: Path) -> None:
    assert load_pack(pack)["tables"].large.tolist() == [1e6, -2.0]


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    module = nn.Linear(2, 2)
    with torch.no_grad():
        module.bias[0] = torch.nan
    with pytest.raises(ValueError, match="bias"):
        save_network(tmp_path, "linear", module, {})


def test_weights_can_be_read_by_whoever_can_read_the_description(pack: Path) -> None:
    assert (pack / "tables.safetensors").stat().st_mode == (pack / "pack.json").stat().st_mode


def test_description_and_settings(pack: Path) -> None:
    describe_pack(pack, title="Small", resolution=64, licence="MIT", origin="Made by a test.")
    update_settings(pack, scale=2.5, ranges={"yaw": [-1, 1]})
    update_settings(pack, scale=3)
    info = read_info(pack)
    assert (info.name, info.title, info.resolution, info.installed) == ("small", "Small", 64, True)
    assert info.settings == {"scale": 3, "ranges": {"yaw": [-1, 1]}}
    assert info.networks["tables"].arguments == {"channels": {4: 8, 16: 2}}


def test_missing_weights(pack: Path) -> None:
    (pack / "tables.safetensors").unlink()
    assert not read_info(pack).installed
    with pytest.raises(PackCorrupt, match=r"tables\.safetensors is missing\. Copy the folder"):
        load_pack(pack)


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_truncated_weights(pack: Path, kept: int) -> None:
    path = pack / "tables.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert not read_info(pack).installed
    with pytest.raises(PackCorrupt, match=r"tables\.safetensors was cut short"):
        load_pack(pack)


@pytest.mark.parametrize("position", [3, 40, -5])
def test_altered_weights(pack: Path, position: int) -> None:
    path = pack / "tables.safetensors"
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(PackCorrupt, match=r"tables\.safetensors was altered"):
        load_pack(pack)


def test_missing_description(pack: Path) -> None:
    (pack / "pack.json").unlink()
    with pytest.raises(PackCorrupt, match=r"pack\.json is missing"):
        load_pack(pack)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"networks": {"a": 1}}', '{"networks": []}', "\x00"])
def test_damaged_description(pack: Path, text: str) -> None:
    (pack / "pack.json").write_text(text)
    with pytest.raises(PackCorrupt, match=r"pack\.json"):
        load_pack(pack)


@pytest.mark.parametrize("file", ["../other.safetensors", "/etc/passwd", "weights.pkl", ""])
def test_description_reaches_no_other_files(pack: Path, file: str) -> None:
    damage(pack, file=file)
    with pytest.raises(PackCorrupt, match="plain name"):
        load_pack(pack)


def test_unknown_network(pack: Path) -> None:
    damage(pack, **{"class": "Sorcery"})
    with pytest.raises(PackCorrupt, match="does not know"):
        load_pack(pack)


@pytest.mark.parametrize("arguments", [{"channels": {4: 9, 16: 2}}, {"channels": {4: 8}}, {"depth": 3}])
def test_weights_that_do_not_fit(pack: Path, arguments: dict) -> None:
    damage(pack, arguments=arguments)
    with pytest.raises(PackCorrupt, match="does not fit"):
        load_pack(pack)


@pytest.mark.parametrize("name", ["nonesuch", "", "../checkpoints", "synthetic/pack.json", "a\0b"])
def test_unknown_pack(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PackMissing, match="There is no pack"):
        load_pack(name)


def test_cure_of_a_shipped_pack_is_git(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylemask_demo.packs.info.CHECKPOINTS", pack.parent)
    monkeypatch.setattr("stylemask_demo.packs.listing.CHECKPOINTS", pack.parent)
    (pack / "tables.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(PackCorrupt, match="git checkout -- checkpoints/small"):
        load_pack("small")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_pack_loads_onto_a_gpu(pack: Path) -> None:
    assert next(load_pack(pack, "cuda")["tables"].parameters()).is_cuda


def test_shipped_pack_loads_and_is_small() -> None:
    packs = {pack.name: pack for pack in available_packs()}
    assert packs["synthetic"].installed
    files = list((CHECKPOINTS / "synthetic").iterdir())
    assert sum(file.stat().st_size for file in files) <= 90_000_000
    assert {file.suffix for file in files} == {".json", ".md", ".safetensors"}
    pack = load_pack("synthetic")
    assert set(pack.networks) >= {"generator", "encoder", "extractor", "identity", "masks", "directions"}

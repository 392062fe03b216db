"""Recipes: read and written as data, older folders brought up to date, and what cannot be is refused in one line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from people import picture

from stylemask_demo import Reenactor
from stylemask_demo.errors import PackCorrupt
from stylemask_demo.faces.crops import BoxCrop, FfhqCrop
from stylemask_demo.methods import methods_of
from stylemask_demo.packs import CHECKPOINTS, missing_files, read_info
from stylemask_demo.packs.catalogue import PUBLISHED, direction_scale
from stylemask_demo.packs.recipe import OWN, Drawing, Recipe, Recipes
from stylemask_demo.packs.store import save_recipes, update_settings

NETWORK = {"class": "X", "arguments": {}, "file": "x.safetensors", "bytes": 1, "sha256": "", "parameters": 1}


def written(folder: Path, **changes) -> Path:
    """A description of the first format."""
    document = {"format": 1, "name": "own", "title": "", "resolution": 256, "licence": "", "origin": ""}
    (folder / "pack.json").write_text(json.dumps({**document, "settings": {}, "networks": {}, **changes}))
    return folder


@pytest.mark.parametrize("recipes", [OWN, Recipes(), *(pack.recipes for pack in PUBLISHED.values())])
def test_recipes_survive_json(recipes):
    document = json.loads(json.dumps(recipes.document()))
    assert Recipes.read(document) == recipes


def test_only_what_differs_is_written():
    assert Recipe().document() == {}
    assert Recipe(crop=BoxCrop(), drawing=Drawing(truncation=0.5)).document() == {
        "crop": {"rule": "box"},
        "drawing": {"truncation": 0.5},
    }


@pytest.mark.parametrize(
    "recipe",
    [
        {"published": {"crop": {"rule": "circle"}}, "default": {}},
        {"published": {"crop": {"rule": "ffhq", "sharp": 1}}, "default": {}},
        {"published": {"inversion": "magic"}, "default": {}},
        {"published": {"correction": "nobody"}, "default": {}},
        {"published": {"drawing": {"noise": "pink"}}, "default": {}},
        {"published": {"parameters": {"reader": "tea leaves"}}, "default": {}},
        {"published": {"oven": 200}, "default": {}},
        {"published": {}},
        7,
    ],
)
def test_recipes_that_nobody_can_follow_are_refused_in_one_line(recipe, tmp_path):
    written(tmp_path, format=2, recipe=recipe)
    with pytest.raises(PackCorrupt, match=r"pack\.json does not describe a pack") as refused:
        read_info(tmp_path)
    assert "\n" not in str(refused.value)


def test_the_embedded_pack_says_its_recipe():
    assert json.loads((CHECKPOINTS / "synthetic" / "pack.json").read_text())["format"] == 2
    assert read_info(CHECKPOINTS / "synthetic").recipes == OWN


def test_an_older_pack_of_our_own_is_brought_up_to_date(tmp_path):
    info = read_info(written(tmp_path))
    assert info.recipes == OWN
    update_settings(tmp_path, more=1)  # writing keeps what reading has understood
    document = json.loads((tmp_path / "pack.json").read_text())
    assert document["format"] == 2 and read_info(tmp_path).recipes == OWN


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_older_published_pack_is_brought_up_to_date(name, tmp_path):
    settings = {
        "shift_scale": 3.0,
        "average": "generator",
        "direction_factors": [1.0] * 15,
        "calibration": {"space": "style"},
    }
    keys = ["generator", "encoder", "average", "masks", "directions", "motion_encoder", "motion_mapping", "restyle"]
    info = read_info(written(tmp_path, name=name, settings=settings, networks=dict.fromkeys(keys, NETWORK)))
    assert info.recipes == PUBLISHED[name].recipes.updated(directions=direction_scale(name, 3.0))
    assert info.settings == {"calibration": {"space": "style"}}
    # The decoders that belong to these were not kept: the next download brings them.
    assert "motion" not in methods_of(info) and {"stylemask", "directions"} <= set(methods_of(info))
    if name == "ffhq":
        assert {"best_model.pt", "restyle_psp_ffhq_encode.pt"} <= set(missing_files(info))
    else:
        assert not info.recipe(compatibility=True).average


def test_what_cannot_be_brought_up_to_date_is_refused_in_one_line(tmp_path):
    for changes, line in (
        ({"settings": {"direction_factors": [1.0] * 15}}, "older version"),
        ({"format": 3}, "newer version"),
    ):
        with pytest.raises(PackCorrupt, match=line) as refused:
            read_info(written(tmp_path, **changes))
        assert "\n" not in str(refused.value)


def test_directions_scale_with_the_file(tmp_path):
    published = PUBLISHED["voxceleb"].recipes.published.directions
    assert published.factors[:3] == (6 / 40, 6 / 20, 6 / 20) and published.signs == (-1, -1, 1)
    assert published.names[:5] == ("yaw", "pitch", "roll", "jaw", "exp_00")


def test_the_pipeline_follows_the_recipe_and_not_the_name(tmp_path):
    """The embedded pack's weights with another recipe: its crop, its truncation, and no average where it says none."""
    folder = tmp_path / "same"
    shutil.copytree(CHECKPOINTS / "synthetic", folder)
    document = json.loads((folder / "pack.json").read_text())
    del document["networks"]["details"]  # what photos lend would tell people apart
    (folder / "pack.json").write_text(json.dumps(document))
    plain = Recipe(crop=BoxCrop(), drawing=Drawing(truncation=0.5), methods={"stylemask": Drawing(truncation=0.0)})
    save_recipes(folder, Recipes(plain, plain))
    reenactor = Reenactor.from_pack(folder, "cpu")
    source, target = (reenactor.portrait(picture(name)) for name in ("900000_0", "900003_1"))
    assert source.crop.size == (256, 256)
    _, transform = BoxCrop().cut(picture("900000_0"), source.landmarks_in_photo, 256)
    # Landmarks were found twice, in the photo and in its crop.
    assert np.abs(np.array(transform.matrix) - np.array(source.transform.matrix)).max() < 12
    assert np.abs(np.subtract(source.parameters.landmarks, transform.to_crop(source.landmarks_in_photo - 0.5))).max() < 12
    nobody = [np.float32(reenactor.reenact(a, b)) for a, b in ((source, target), (target, source))]
    assert np.abs(nobody[0] - nobody[1]).max() == 0, "all that is drawn at truncation 0 is the mean face"
    assert np.abs(np.float32(source.inversion) - nobody[0]).mean() > 3
    assert isinstance(Recipe().crop, FfhqCrop)

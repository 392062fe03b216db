"""A region of the face follows alone: its part of the motion is taken over, and around it the photo stays."""

import numpy as np
import pytest
import torch
from people import look

from stylemask_demo import Reenactor
from stylemask_demo.errors import UnknownRegion
from stylemask_demo.faces.parameters import EXPRESSIONS
from stylemask_demo.faces.regions import REGIONS, region_mask, region_values
from stylemask_demo.methods.code import motion_values
from stylemask_demo.pipeline import Pipeline


@pytest.fixture(scope="module")
def pair(sources, targets):
    """Somebody, and somebody else who is turned otherwise and does something else with eyes and mouth."""
    return sources[2], targets[5]


def test_values_belong_to_the_pose_or_to_one_part_of_the_expression():
    values = {region: region_values(region, torch.zeros(1)) for region in REGIONS}
    assert values["all"].all()
    assert values["pose"][:3].all() and values["pose"].sum() == 3
    assert torch.equal(values["expression"], 1 - values["pose"])
    parts = {region: {EXPRESSIONS[i] for i in values[region][3:].nonzero().flatten()} for region in ("lips", "eyes")}
    assert {"jawOpen", "mouthSmile_L", "mouthPucker"} <= parts["lips"] and {"eyeBlink_L", "browDown_R"} <= parts["eyes"]
    assert not parts["lips"] & parts["eyes"] and not any(values[region][:3].any() for region in ("lips", "eyes"))


def test_what_moves_is_masked_around_the_face_before_and_after(pair):
    landmarks = pair[0].parameters.landmarks
    lower = landmarks + [0, 20]
    assert region_mask("all", 256, [landmarks]) is None and region_mask("pose", 256, [landmarks]) is None
    masks = {region: region_mask(region, 256, [landmarks, lower]) for region in ("expression", "lips", "eyes")}

    def at(region: str, points: np.ndarray) -> float:
        x, y = points.mean(0).astype(int)
        return masks[region][y, x]

    mouth, eyes = slice(48, 68), slice(36, 48)
    for points in (landmarks, lower):
        assert at("lips", points[mouth]) > 0.99 and at("eyes", points[eyes]) > 0.99
        assert at("expression", points[mouth]) > 0.99 and at("expression", points[eyes]) > 0.99
    assert at("lips", landmarks[eyes]) < 0.01 and at("eyes", landmarks[mouth]) < 0.01
    assert all(mask[:20].max() == 0 for mask in masks.values())


@pytest.mark.parametrize("region", ["pose", "expression", "lips", "eyes"])
def test_the_region_follows_and_the_rest_stays(reenactor, pair, region):
    source, target = pair
    (seen, still), _ = look(reenactor, [reenactor.reenact(source, target, region=region), reenactor.edit(source)])
    found, unmoved, wanted = (motion_values([face])[0] for face in (seen, still, target.parameters))
    belongs = region_values(region, wanted).bool()
    change = wanted - unmoved
    assert (found - wanted)[belongs].norm() < 0.6 * change[belongs].norm()
    assert (found - unmoved)[~belongs].norm() < 0.45 * change[~belongs].norm()


@pytest.mark.parametrize(("region", "size"), [("expression", None), ("lips", 512), ("eyes", None)])
def test_where_the_head_stays_the_photo_stays(reenactor, pair, region, size):
    source, target = pair
    made = reenactor.reenact(source, target, region=region, size=size)
    crop = np.int16(source.crop_of(made.width))
    (seen,), _ = look(reenactor, [made])
    scale = made.width / 256
    mask = region_mask(region, made.width, [points * scale for points in (source.parameters.landmarks, seen.landmarks)])
    around = mask == 0
    assert around.mean() > 0.35
    assert np.abs(np.int16(made) - crop)[around].max() <= 1
    assert np.abs(np.int16(made) - crop)[mask > 0.9].mean() > 1


def test_a_smile_alone_leaves_the_photo_around_the_face(reenactor, pair):
    smiling, turned = reenactor.edit(pair[0], smile=0.5), reenactor.edit(pair[0], smile=0.5, yaw=10)
    above = slice(25)  # rows over the brows
    changes = [np.abs(np.int16(made) - np.int16(pair[0].crop))[above].max() for made in (smiling, turned)]
    assert changes[0] <= 1 < changes[1]
    pasted = np.int16(reenactor.into_photo(pair[0], smiling))
    assert np.abs(pasted - np.int16(pair[0].photo))[above].mean() < 1.5


def test_frames_of_a_video_may_lead_a_region_too(reenactor, pair):
    source, target = pair
    (made,) = reenactor.drive(source, [target.photo], region="expression")
    assert np.abs(np.int16(made) - np.int16(source.crop))[:20].max() <= 1


def test_unknown_regions_and_packs_that_cannot_are_told(reenactor, pair):
    with pytest.raises(UnknownRegion, match="Choose one of: all, pose, expression, lips, eyes"):
        reenactor.reenact(*pair, region="nose")
    pipeline = Pipeline(reenactor.pipeline.networks, reenactor.pipeline.finder, compatibility=True)
    with pytest.raises(UnknownRegion, match="Leave the region at 'all'"):
        Reenactor(pipeline).reenact(*pair, region="lips")

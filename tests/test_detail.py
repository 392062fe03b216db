"""The photo's own detail in results: where the parts of the face went, and what comes along with them."""

import dataclasses

import numpy as np
import pytest
import torch
from people import FACES, LABELS, alike, look
from PIL import Image
from skimage import data
from skimage.filters import gaussian

from stylemask_demo import Reenactor
from stylemask_demo.detail import photo_detail
from stylemask_demo.detail.full_size import FINE, at_full_size, fine
from stylemask_demo.networks.correspondence import CELL, Correspondence, centres, find_places
from stylemask_demo.networks.detail import DetailNetwork, Layers
from stylemask_demo.networks.unet import cells
from stylemask_demo.pipeline import Pipeline
from stylemask_demo.training.data import Faces
from stylemask_demo.training.details import how_often
from stylemask_demo.training.pair_augment import between_lips, miscoloured_mouths


def landmarks(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 68, 2, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.2


@pytest.fixture(scope="module")
def portraits(sources):
    return sources[:8]


@pytest.fixture(scope="module")
def plain(reenactor) -> Reenactor:
    """The same without the photo's detail."""
    networks = dataclasses.replace(reenactor.pipeline.networks, details=None)
    return Reenactor(Pipeline(networks, reenactor.pipeline.finder))


def test_an_untrained_network_brings_half_of_what_was_missed_to_where_it_is_now():
    network = DetailNetwork().eval()
    photo = torch.zeros(1, 3, 64, 64)
    photo[..., 20:28, 20:28] = 1.0  # a mole that the inversion lacks
    inversion = made = torch.zeros_like(photo)
    now = landmarks(1)
    with torch.no_grad():
        before = now - 0.25
        places = find_places(before, before, now, 64 // CELL)  # 16 pixels further
        shown = network(photo, inversion, made, places, torch.zeros(1, 6)).drawn
    assert shown[..., 37:43, 37:43].mean() == pytest.approx(0.5 + torch.sigmoid(torch.tensor(-3.0)).item(), abs=0.02)
    assert shown[..., :18, :18].abs().max() < 1e-6


def test_where_nothing_moves_the_photo_is_shown(reenactor, portraits):
    for portrait, still in zip(portraits, reenactor.edit(portraits), strict=True):
        crop, inversion = np.float32(portrait.crop), np.float32(portrait.inversion)
        assert np.square(np.float32(still) - crop).mean() < 0.25 * np.square(inversion - crop).mean()


@pytest.mark.parametrize("method", ["stylemask", "directions", "motion"])
def test_results_look_more_like_their_sources_and_move_as_before(reenactor, plain, portraits, method):
    targets = portraits[1:] + portraits[:1]

    def measured(by: Reenactor) -> tuple[float, np.ndarray]:
        seen, vectors = look(reenactor, by.reenact(portraits, targets, method))
        gaps = [
            np.abs([found.yaw - t.parameters.yaw, found.pitch - t.parameters.pitch, found.smile - t.parameters.smile])
            for found, t in zip(seen, targets, strict=True)
        ]
        who = look(reenactor, [portrait.crop for portrait in portraits])[1]
        return float((vectors * who).sum(1).mean()), np.mean(gaps, 0)

    alike, gaps = measured(reenactor)
    plain_alike, plain_gaps = measured(plain)
    assert alike > plain_alike
    assert (gaps < plain_gaps + [1.0, 1.0, 0.05]).all()


def test_one_source_of_many_results_and_many_sources_agree(reenactor, portraits):
    together = reenactor.reenact(portraits[0], portraits[1:3])
    for made, target in zip(together, portraits[1:3], strict=True):
        assert alike(made, reenactor.reenact(portraits[0], target))


def test_a_photo_that_is_lent_whole_is_shown_whole_at_its_own_size():
    photo = torch.rand(1, 3, 200, 200) * 2 - 1
    found = Correspondence(centres(8, photo)[None], torch.full((1, 1, 8, 8), 20.0))
    nothing, all_of_it = torch.zeros(1, 1, 32, 32), torch.ones(1, 1, 32, 32)
    layers = Layers(nothing.expand(-1, 3, -1, -1), nothing.expand(-1, 3, -1, -1), all_of_it, nothing, found, found)
    shown = at_full_size(layers, photo)
    assert shown.shape == photo.shape
    assert torch.allclose(shown[..., 20:-20, 20:-20], photo[..., 20:-20, 20:-20], atol=1e-4)
    unmoved = layers._replace(moved=nothing, unmoved=all_of_it)
    assert torch.allclose(at_full_size(unmoved, photo), photo, atol=1e-4)


@pytest.fixture(scope="module")
def large_photo() -> Image.Image:
    """A photograph in which the face is more than twice as large as the pack's pictures, with grain."""
    photo = Image.fromarray(data.astronaut()).resize((1536, 1536), Image.Resampling.BICUBIC)
    grain = np.random.default_rng(0).normal(0, 8, (1536, 1536, 1))
    return Image.fromarray(np.uint8(np.clip(np.asarray(photo) + grain, 0, 255)))


@pytest.mark.slow
@pytest.mark.parametrize("side", [64, 200])
def test_what_is_fine_is_what_a_blur_leaves_out(side):
    pictures = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    blurred = gaussian(pictures.numpy(), (0, 0, FINE * side, FINE * side), mode="nearest", truncate=3)
    assert np.abs(fine(pictures).numpy() - (pictures.numpy() - blurred)).max() < 1e-5


@pytest.mark.parametrize("half", [False, True])
def test_pixels_of_cells_are_their_channels(half):
    torch.manual_seed(0)
    pictures, maps = [torch.randn(2, 4, 16, 16), torch.randn(2, 3, 16, 16)], [torch.randn(2, 5, 4, 4)]
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        made = cells(pictures, maps, 4)
    plain = torch.cat([torch.nn.functional.pixel_unshuffle(torch.cat(pictures, 1), 4), *maps], 1)
    assert torch.equal(made, plain.to(made.dtype)) and made.dtype == (torch.bfloat16 if half else torch.float32)
    assert made.is_contiguous(memory_format=torch.channels_last)


def test_results_are_as_large_as_the_photo_shows_the_face(reenactor, large_photo):
    photo = large_photo
    portrait = reenactor.portrait(photo)
    side = round(portrait.transform.side_in_photo)
    assert 2 * reenactor.resolution < side < 1024
    small, large, cut = (reenactor.edit(portrait, yaw=8, size=size) for size in (None, 1024, 280))
    assert (small.width, large.width, cut.width) == (reenactor.resolution, side, 280)
    # The same picture, but sharper.
    reduced = np.float32(large.resize(small.size, Image.Resampling.BOX))
    assert np.abs(reduced - np.float32(small)).mean() < 4
    enlarged = small.resize(large.size, Image.Resampling.BICUBIC)
    edges = [np.abs(np.diff(np.float32(picture.convert("L")))).mean() for picture in (large, enlarged)]
    assert edges[0] > 1.15 * edges[1]
    assert reenactor.into_photo(portrait, large).size == photo.size


def test_a_face_is_cut_out_again_at_the_place_where_it_was(reenactor, large_photo):
    portrait = reenactor.portrait(large_photo)
    again = portrait.crop_of(1024)
    assert again.width == round(portrait.transform.side_in_photo) > portrait.crop.width
    reduced = np.float32(again.resize(portrait.crop.size, Image.Resampling.BOX))
    shifted = np.roll(reduced, 1, 1)
    difference, when_shifted = (
        np.abs(np.float32(portrait.crop) - other)[8:-8, 8:-8].mean() for other in (reduced, shifted)
    )
    assert difference < 4 and difference < 0.7 * when_shifted
    assert portrait.crop_of(64) is portrait.crop


def test_random_people_have_no_photo_to_take_detail_from(reenactor, plain):
    assert np.array_equal(reenactor.sample(3), plain.sample(3))


def test_the_memory_of_sources_is_bounded(reenactor, portraits, monkeypatch):
    monkeypatch.setattr(photo_detail, "REMEMBERED", 3)
    pipeline = Pipeline(reenactor.pipeline.networks, reenactor.pipeline.finder)
    for portrait in portraits[:5]:
        Reenactor(pipeline).edit(portrait)
    assert len(pipeline.detail) == 3


def test_pairs_are_drawn_most_that_turn_little_or_open_the_mouth():
    landmarks = np.float32([LABELS["900000_0"]["landmarks"]] * 5) / 256
    landmarks[:, 61:64] = landmarks[:, [67, 66, 65]]  # shut
    landmarks[4, 65:68, 1] += 0.3 * np.linalg.norm(landmarks[0, 36:42].mean(0) - landmarks[0, 42:48].mean(0))
    euler = np.float32([[0, 0, 0], [0, 0, 0], [5, 5, 0], [40, 0, 0], [40, 0, 0]])
    faces = Faces({}, {"person": np.zeros(5), "euler": euler, "landmarks": landmarks})
    often = how_often(np.array([[0, 0], [0, 1], [0, 2], [0, 3], [0, 4]]), faces)
    assert often.tolist() == pytest.approx([1, 6, 1 + 5 * np.exp(-0.5) + 0.1, 4.16, 7.16], abs=1e-2)


def open_mouth() -> torch.Tensor:
    """Landmarks with a mouth of 0.4 by 0.2 of the picture around its centre."""
    points = torch.rand(1, 68, 2)
    points[0, [60, 62, 64, 66]] = torch.tensor([[0.3, 0.5], [0.5, 0.4], [0.7, 0.5], [0.5, 0.6]])
    return points


def test_the_inside_of_a_mouth_lies_between_its_lips():
    inside = between_lips(open_mouth(), 100)[0, 0]
    assert inside[50, 50] == 1 and inside[50, 32:68].min() > 0 and inside[42:58, 50].min() > 0
    assert inside[:, :30].max() == inside[:, 70:].max() == inside[:40].max() == inside[60:].max() == 0
    shut = open_mouth()
    shut[0, 66] = shut[0, 62]
    assert between_lips(shut, 100).max() == 0


def test_mouths_alone_are_miscoloured_and_half_of_them():
    torch.manual_seed(0)
    points = open_mouth().repeat(64, 1, 1)
    made = torch.rand(64, 3, 50, 50) * 2 - 1
    change = (miscoloured_mouths(made, points) - made).abs()
    outside = between_lips(points, 50) == 0
    assert (change * outside).max() < 1e-3
    changed = change.mean((1, 2, 3)) > 1e-3
    assert 20 < changed.sum() < 44
    tints = change[changed][:, :, 25, 25]
    assert tints.std(1).min() > 0 and tints.mean(1).std() > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("method", ["stylemask", "directions", "motion"])
def test_laughing_mouths_do_not_glow(reenactor, method):
    """Of people with their mouths shut a generator may know so little that the inside shines when they laugh."""
    folder = FACES.parent / "glasses"
    sources = [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.webp"))[:5]]
    made = reenactor.reenact(sources, Image.open(FACES.parent / "laughing.webp").convert("RGB"), method)
    found = np.stack([parameters.landmarks for parameters in look(reenactor, made)[0]]) / reenactor.resolution
    inside = between_lips(torch.from_numpy(found).float(), reenactor.resolution)[:, 0].numpy()
    assert inside.sum((1, 2)).min() > 300  # they do laugh
    brightness = np.stack([np.asarray(picture).mean(2) for picture in made])
    shining = (inside * (brightness > 200)).sum((1, 2)) / inside.sum((1, 2))
    assert shining.mean() < 0.1

"""Where the parts of a face lie in a photo: as landmarks say, as a network finds, and as the renderer knows."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.interpolate import RBFInterpolator

from stylemask_demo.networks.correspondence import (
    STIFFNESS,
    Correspondence,
    CorrespondenceNetwork,
    centres,
    find_places,
    moved,
    thin_plate,
)
from stylemask_demo.training.augment import move
from stylemask_demo.training.correspondence import PIXELS, correspondence_losses, end_point_error
from stylemask_demo.training.truth import Truth

GRID = centres(16, torch.zeros(1))


def landmarks(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 68, 2, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.2


def known(places: torch.Tensor) -> Truth:
    """The truth about places that are all seen."""
    one = torch.ones_like(places[:, :1])
    return Truth(places, one, one, one)


def test_what_has_not_moved_stays():
    photo = landmarks()
    inversion = photo + 0.01 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(1))
    of_photo, of_inversion, of_made = find_places(photo, inversion, inversion, 16).unbind(1)
    assert torch.allclose(of_photo, GRID.expand(2, -1, -1, -1), atol=1e-6)
    assert torch.allclose(of_inversion, of_made, atol=1e-5)


def test_all_parts_of_a_shifted_and_scaled_face_are_found():
    made = landmarks()
    before = 0.9 * made + 0.1  # on -1..1: 0.9 x + 0.1
    of_photo, of_inversion, of_made = find_places(before, before, made, 16).unbind(1)
    grid = GRID.expand(2, -1, -1, -1)
    assert torch.allclose(of_photo, 0.9 * grid + 0.1, atol=1e-4) and torch.allclose(of_inversion, of_photo, atol=1e-6)
    assert torch.allclose(of_made, grid, atol=1e-6)


def test_a_result_is_shown_in_the_shape_of_the_photo():
    """The inversion is half as large again as the photo's face; its result is twice as large, and so is the photo shown."""
    photo = 0.5 * landmarks() + 0.25
    inversion = 1.5 * (photo - 0.5) + 0.45
    made = 2 * (inversion - 0.5) + 0.5

    def sizes(places: torch.Tensor) -> list[float]:
        return ((places[:, 0, 8, -1] - places[:, 0, 8, 0]) / (GRID[0, 8, -1] - GRID[0, 8, 0])).tolist()

    of_photo, of_inversion, of_made = find_places(photo, inversion, made, 16).unbind(1)
    assert sizes(of_photo) == pytest.approx([0.5] * 2, abs=1e-3)
    assert sizes(of_inversion) == pytest.approx([0.75] * 2, abs=1e-3)
    assert sizes(of_made) == pytest.approx([1.5] * 2, abs=1e-3)


def test_the_plate_is_that_of_scipy():
    points, values = landmarks(1).double(), torch.randn(1, 68, 3, generator=torch.Generator().manual_seed(1)).double()
    twin = RBFInterpolator(points[0].numpy(), values[0].numpy(), smoothing=STIFFNESS)
    grid = centres(12, points).flatten(1).T[None].double()
    assert np.abs(thin_plate(grid, points, values)[0].numpy() - twin(grid[0].numpy())).max() < 1e-3


def test_an_untrained_network_finds_what_the_landmarks_say():
    network = CorrespondenceNetwork().eval()
    now = landmarks(1)
    places = find_places(now - 0.1, now - 0.1, now, 16)
    photo, made = torch.rand(2, 1, 3, 64, 64)
    with torch.no_grad():
        looks = network(torch.cat([photo, torch.ones(1, 1, 64, 64)], 1), photo, made, places[:, :2], torch.zeros(1, 6))
    for look in looks:
        assert torch.allclose(look.places, places[:, 0]) and look.seen.abs().max() == 0


@pytest.mark.slow
def test_the_network_learns_a_shift_that_landmarks_do_not_show():
    torch.manual_seed(0)
    network = CorrespondenceNetwork()
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    still = find_places(*[landmarks(1)] * 3, 16).expand(4, -1, -1, -1, -1)
    truth = known(GRID.expand(4, -1, -1, -1) + torch.tensor([0.2, 0.0])[:, None, None])
    for _ in range(40):
        made = F.interpolate(torch.rand(4, 3, 8, 8), size=64, mode="bilinear") * 2 - 1
        photo = torch.cat([made.roll(6, 3), torch.ones(4, 1, 64, 64)], 1)
        losses = correspondence_losses(
            *network(photo, photo[:, :3], made, still[:, :2], torch.zeros(4, 6)), truth, torch.ones(4, 1, 16, 16)
        )
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
    with torch.no_grad():
        found = network(photo, photo[:, :3], made, still[:, :2], torch.zeros(4, 6))[1]
    assert end_point_error(found, truth)[0] < 0.5 * 0.2 * PIXELS
    assert (found.seen > 0).float().mean() > 0.9


def test_the_truth_follows_pictures_that_are_moved_and_mirrored():
    """A smooth picture looked at through known places gives the truth; moved alike, it still must."""
    torch.manual_seed(0)
    photo = F.interpolate(torch.rand(3, 3, 6, 6), size=128, mode="bicubic").clamp(0, 1)
    bend = 0.1 * F.interpolate(torch.randn(3, 2, 3, 3), size=64, mode="bicubic")
    truth = known(centres(64, photo) + bend)
    true = moved(photo, truth.places, beyond="border")
    scale, shift = torch.tensor([1.1, 0.9, 1.0]), torch.tensor([[0.03, -0.05], [-0.04, 0.02], [0.0, 0.0]])
    points, turns = torch.zeros(3, 68, 2), torch.zeros(3)
    (photo, _), (true, _) = (move(pictures, points, 128, turns, scale, shift) for pictures in (photo, true))
    for of_photo, of_true, now in (
        (photo, true, truth.moved(scale, shift)),
        (photo.flip(3), true.flip(3), truth.moved(scale, shift).mirrored()),
    ):
        inside = F.interpolate(now.known * (now.places.abs() < 0.85).all(1, keepdim=True), size=128) > 0
        assert inside.float().mean() > 0.5
        difference = (moved(of_photo, now.places) - of_true).abs()[inside.expand(-1, 3, -1, -1)]
        assert difference.mean() < 0.01


def test_errors_are_measured_where_the_figure_is_seen():
    truth = known(GRID[None])
    seen = truth.seen.clone()
    seen[..., :8] = 0
    off = GRID[None] + torch.tensor([3.0, 4.0])[:, None, None] / PIXELS
    off[..., :8] += 1  # there it does not matter
    error, right = end_point_error(Correspondence(off, seen - 0.5), truth._replace(seen=seen))
    assert error == pytest.approx(5.0, abs=1e-3) and right == 1.0
    assert end_point_error(Correspondence(off, 0.5 - seen), truth._replace(seen=seen))[1] == 0.0


def test_what_is_not_known_teaches_nothing():
    truth = known(GRID[None])
    truth.known[..., :8] = 0
    wrong = Correspondence(GRID[None].clone(), torch.full((1, 1, 16, 16), 9.0))
    wrong.places[..., :8] += 0.5
    wrong.seen[..., :8] = -9.0
    losses = correspondence_losses(wrong, wrong, truth, torch.ones(1, 1, 16, 16))
    assert sum(losses.values()) < 1e-3

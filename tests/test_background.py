"""What a head uncovers: the background goes on there, and nothing changes where nothing has moved."""

import torch
from people import picture

from stylemask_demo.detail import photo_detail
from stylemask_demo.detail.background import continued, oval, uncovered
from stylemask_demo.networks.correspondence import Correspondence, centres
from stylemask_demo.networks.detail import Layers

SIDE = 256
COLOURS = (0.6, 0.5, 0.2), (0.2, -0.2, -0.3), (-0.8, -0.8, -0.8), (0.3, 0.3, 0.3)
WALL, SKIN, HAIR, HALO = (torch.tensor(colour)[:, None, None] for colour in COLOURS)


def test_colours_are_continued_from_where_they_are_known():
    colours = torch.rand(2, 3, 64, 64)
    everywhere = torch.ones(2, 1, 64, 64)
    assert torch.allclose(continued(colours, everywhere), colours, atol=1e-6)
    known = torch.zeros(2, 1, 64, 64)
    known[..., :20] = 1
    one = torch.where(known > 0, torch.tensor([0.2, -0.4, 0.9])[:, None, None], colours)
    found = continued(one, known)
    assert torch.allclose(found, torch.tensor([0.2, -0.4, 0.9])[:, None, None].expand_as(found), atol=1e-4)
    known[1] = 0
    assert torch.isfinite(continued(one, known)).all()


def face(x: float) -> torch.Tensor:
    """Landmarks around (x, 0.5)."""
    angle = torch.linspace(0, 2 * torch.pi, 68)
    return torch.stack([x + 0.12 * angle.cos(), 0.5 + 0.16 * angle.sin()], -1)[None]


def scene(by: float) -> tuple[Layers, torch.Tensor]:
    """Layers of a head that has moved `by` half sides to the right before a wall, a halo where it was, and the photo."""
    x = centres(SIDE, WALL)[0]
    places = centres(64, WALL)[None].clone()
    places[:, 0] -= by
    head, old = ((x - centre).abs()[None, None] < 0.4 for centre in (by, 0.0))
    photo = torch.where(old, HAIR, WALL)
    photo = torch.where(oval(face(0.5), SIDE) > 0, SKIN, photo)
    halo = (old & ~head).float()
    drawn = torch.where(head, HAIR, torch.where(old, HALO, WALL))
    drawn = torch.where(oval(face(0.5 + by / 2), SIDE) > 0, SKIN, drawn)
    moved, unmoved = head.float(), (~head).float() * (1 - halo)
    seen = torch.nn.functional.interpolate(20 * moved - 10, size=64, mode="area")
    found = Correspondence(places, seen)
    base = drawn - moved * torch.roll(photo, round(by * SIDE / 2), 3) - unmoved * photo
    return Layers(drawn, base, moved, unmoved, found, found), photo


def test_where_the_head_has_left_the_wall_goes_on():
    by = 0.25
    layers, photo = scene(by)
    made = uncovered(layers, photo, face(0.5 + by / 2))
    left = slice(round(0.31 * SIDE), round(0.41 * SIDE))  # of columns, within what the head has left
    assert (layers.drawn[..., left] - HALO).abs().max() < 1e-6
    assert (made.drawn[:, :, 8:-8, left] - WALL).abs().mean() < 0.05
    head = slice(round(0.45 * SIDE), round(0.78 * SIDE))
    assert torch.equal(made.drawn[..., head], layers.drawn[..., head])
    together = made.base + made.moved * torch.roll(photo, round(by * SIDE / 2), 3) + made.unmoved * photo
    assert torch.allclose(together, made.drawn, atol=1e-5), "the layers make the picture"


def test_what_has_not_moved_stays():
    layers, photo = scene(0.0)
    for before, after in zip(layers[:4], uncovered(layers, photo, face(0.5))[:4], strict=True):
        assert torch.allclose(before, after, atol=1e-6)


def test_without_background_nothing_is_continued():
    layers, photo = scene(0.25)
    layers = layers._replace(unmoved=torch.zeros_like(layers.unmoved))
    made = uncovered(layers, photo, face(0.625))
    assert torch.equal(made.moved, layers.moved)


def test_heads_that_turn_leave_no_halo(reenactor, monkeypatch):
    """Of a rendered person: where the network is unsure, the picture comes nearer to the photo's background."""
    portrait = reenactor.portrait(picture("900000_0"))
    plain, behind = [], []

    def noted(layers: Layers, photo: torch.Tensor, landmarks: torch.Tensor) -> Layers:
        made = uncovered(layers, photo, landmarks)
        changed = (layers.unmoved - made.unmoved > 0.1) | (layers.moved - made.moved > 0.1)
        wall = continued(photo, (made.unmoved > 0.9).float())
        plain.append(((layers.drawn - wall) * changed).abs().sum() / changed.sum())
        behind.append(((made.drawn - wall) * changed).abs().sum() / changed.sum())
        return made

    monkeypatch.setattr(photo_detail, "uncovered", noted)
    reenactor.edit(portrait, yaw=-25)
    assert behind[-1] < 0.75 * plain[-1]

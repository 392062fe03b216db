"""Results of films are corrected by what earlier ones missed, and are seen two groups later."""

import torch
from pytest import approx

from stylemask_demo.driving.closed_loop import ClosedLoop, Lines
from stylemask_demo.driving.smoothing import SteadySize


class Face:
    """A face that shows of three values what is asked and added, less than all of it, and off by something."""

    def __init__(self, answers: tuple[float, float, float]):
        self.answers, self.looks = torch.tensor(answers), 0

    def shows(self, wanted: torch.Tensor, added: torch.Tensor | float = 0.0) -> torch.Tensor:
        return self.answers * (wanted + added) - torch.tensor([0.1, 0.0, 0.3])

    def missed(self, wanted: torch.Tensor) -> torch.Tensor:
        self.looks += 1
        return wanted - self.shows(wanted)


def film(face: Face, wanted: torch.Tensor, at_once: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """What was added to the results of a film (N, 3), and what these show, seen as late as it may be."""
    loop, groups, added, shown = ClosedLoop(), wanted.split(at_once), [], []
    for number, group in enumerate(groups):
        if number >= 2:
            loop.saw(shown[number - 2])
        added.append(loop(group, lambda group=group: face.missed(group)))
        shown.append(face.shows(group, added[-1]))
    return torch.cat(added), torch.cat(shown)


def test_what_was_missed_is_added_to_later_results() -> None:
    face = Face((0.9, 0.7, 0.8))
    wanted = torch.stack([torch.linspace(-1, 1, 80), torch.sin(torch.arange(80) / 12), torch.zeros(80)], 1)
    _, shown = film(face, wanted)
    left, without = (wanted - shown)[40:].abs().mean(0), (wanted - face.shows(wanted))[40:].abs().mean(0)
    assert face.looks == 2, "only the first groups are looked at before they are shown"
    assert (left < 0.6 * without).all(), "much of what is missed is made up for"


def test_what_a_face_cannot_do_is_not_asked_for_ever_more() -> None:
    added, _ = film(Face((0.0, 1.0, 1.0)), torch.ones(200, 3))
    missed = 1.1  # of the first value, whatever is added
    assert added[:, 0].max() < 4.1 * missed
    assert added[-1, 0] == approx(added[-20, 0], rel=0.01)


def test_lines_follow_what_was_seen_last() -> None:
    lines, causes = Lines(), torch.linspace(-30, 30, 60)[:, None]
    lines.learn(causes, 5 - causes)
    lines.learn(causes, 2 * causes + 1)
    assert torch.allclose(lines(causes[-4:]), 2 * causes[-4:] + 1, atol=0.3)


def test_of_one_thing_seen_nothing_is_said_of_change() -> None:
    lines = Lines()
    lines.learn(torch.tensor([[2.0, -1.0]]), torch.tensor([[0.5, 0.0]]))
    assert torch.allclose(lines(torch.tensor([[9.0, 4.0]])), torch.tensor([[0.5, 0.0]]), atol=1e-6)


def test_the_size_of_heads_changes_slowly_and_the_last_is_known() -> None:
    steady = SteadySize()
    assert steady.last is None
    first = steady(torch.tensor([1.1, 1.1]))
    later = steady(torch.tensor([1.2, 1.1, 1.2]))
    assert first.tolist() == approx([1.1, 1.1]) and ((1.1 <= later) & (later < 1.2)).all()
    assert steady.last == later[-1]

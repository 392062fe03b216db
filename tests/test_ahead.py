"""What is made in a thread of its own while what was made before is used."""

import threading

import pytest
import torch

from stylemask_demo.ahead import ahead
from stylemask_demo.cores import compute_on, computing_on

WAIT = 20  # seconds for what is certain to come


def test_items_come_in_order_and_are_made_while_those_before_are_used() -> None:
    made, asked = [threading.Event() for _ in range(4)], []

    def numbers():
        for number, event in enumerate(made):
            asked.append(threading.current_thread())
            event.set()
            yield number

    items = ahead(numbers(), shares=2)
    assert not asked, "nothing is made before anybody asks"
    assert next(items) == 0
    assert made[1].wait(WAIT), "while the first is used"
    assert not made[2].wait(0.05), "but no more than is wanted next"
    assert list(items) == [1, 2, 3]
    assert threading.current_thread() not in asked


def test_some_may_wait_that_are_made_earlier_yet() -> None:
    made = [threading.Event() for _ in range(4)]

    def numbers():
        for number, event in enumerate(made):
            event.set()
            yield number

    items = ahead(numbers(), shares=2, waiting=1)
    assert next(items) == 0
    assert made[2].wait(WAIT) and not made[3].wait(0.05)
    assert list(items) == [1, 2, 3]


def test_what_goes_wrong_is_raised_where_items_are_used() -> None:
    def broken():
        yield 1
        raise ValueError("broken")

    items = ahead(broken(), shares=2)
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_who_leaves_ends_the_work() -> None:
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    items = ahead(endless(), shares=2)
    next(items)
    items.close()
    assert closed.is_set()
    assert not any(thread.name == "ahead" for thread in threading.enumerate())


def test_each_thread_has_its_share_of_the_cores_and_others_keep_theirs() -> None:
    def cores():
        yield torch.get_num_threads()

    usual = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        assert list(ahead(cores(), shares=2)) == [2] and list(ahead(cores(), shares=8)) == [1]
        assert torch.get_num_threads() == 4
        with computing_on(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 4
        compute_on(3)
        later: list[int] = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert later == [4]
    finally:
        torch.set_num_threads(usual)

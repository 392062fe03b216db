"""Crowds: a queue with an end, turns for all visitors, places that are freed, and work that hangs is told."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fastapi import HTTPException
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event
from loops import finished
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from stylemask_demo import messages
from stylemask_demo.caching import bytes_of
from stylemask_demo.errors import OutOfMemory
from stylemask_demo.host_settings import HostSettings
from stylemask_demo.ui import fair_queue, health
from stylemask_demo.ui.accelerator import accelerated
from stylemask_demo.ui.fair_queue import FairQueue
from stylemask_demo.ui.gate import GatedBlocks
from stylemask_demo.ui.health import ACCELERATOR_WORK, Health, SignsOfLife
from stylemask_demo.ui.lines import ACCELERATOR, LONG

WEIGHTS = SimpleNamespace(loaded=lambda name: True)
QUICK_WORK, LONG_WORK = 0, 1  # numbers of the events below


@pytest.fixture
def queue() -> FairQueue:
    """The queue of a page with a quick event and a long one, from which nothing is served but by the tests."""
    with GatedBlocks(HostSettings(), analytics_enabled=False) as blocks:
        blocks.load(lambda: None, api_name="quick", **ACCELERATOR)
        blocks.load(lambda: None, api_name="long", **LONG)
    made = blocks._queue
    assert isinstance(made, FairQueue)
    made.active_jobs = [None] * 4
    return made


def ask(queue: FairQueue, visitor: str, event: int = QUICK_WORK) -> str:
    """Ask for an event as a visitor; the number of the request."""
    body = PredictBodyInternal(data=[], fn_index=event, session_hash=visitor)
    done, number, _ = finished(queue.push(body, None, None))
    assert done
    return number


def serve(queue: FairQueue) -> Event:
    """Take the next request up, as Gradio's server does when a place is free."""
    (event,), _, line = queue.get_events()
    queue.active_jobs[queue.active_jobs.index(None)] = [event]
    queue.event_queue_per_concurrency_id[line].current_concurrency += 1
    return event


def end(queue: FairQueue, event: Event) -> None:
    queue.active_jobs[queue.active_jobs.index([event])] = None
    queue.event_queue_per_concurrency_id[event.concurrency_id].current_concurrency -= 1
    queue.event_ids_to_events.pop(event._id)


def served(queue: FairQueue, count: int) -> str:
    """The visitors of the next requests, one after the other."""
    visitors = []
    for _ in range(count):
        event = serve(queue)
        visitors.append(event.session_hash)
        end(queue, event)
    return "".join(visitors)


def test_visitors_take_turns_however_many_requests_one_has(queue):
    for visitor in "aaaaaabcb":
        ask(queue, visitor)
    assert served(queue, 9) == "abcabaaaa"


def test_who_comes_while_another_is_served_waits_for_one_request_only(queue):
    for _ in range(5):
        ask(queue, "a")
    first = serve(queue)
    ask(queue, "b")
    end(queue, first)
    assert served(queue, 5) == "baaaa"
    for visitor in "aab":  # turns of the past give no one an advantage
        ask(queue, visitor)
    assert served(queue, 3) == "aba"


def test_each_request_is_told_its_place(queue):
    for visitor in "aaab":
        ask(queue, visitor)
    told = {visitor: {} for visitor in "ab"}
    for visitor, ranks in told.items():
        messages_of = queue.pending_messages_per_session[visitor]
        while not messages_of.empty():
            message = messages_of.get_nowait()
            ranks[message.event_id] = message.rank
    assert list(told["a"].values()) == [0, 2, 3] and list(told["b"].values()) == [1]


def test_when_the_queue_is_full_one_sentence_says_so_until_a_place_is_free(queue, monkeypatch):
    monkeypatch.setattr(fair_queue, "MOST_WAITING", 3)
    numbers = [ask(queue, visitor) for visitor in "abc"]
    with pytest.raises(HTTPException) as refused:
        ask(queue, "d")
    assert (refused.value.status_code, refused.value.detail) == (503, messages.PAGE_FULL)
    assert "d" not in queue.pending_messages_per_session and len(queue) == 3, "nothing of the refused is kept"
    finished(queue.remove_from_queue(numbers[1]))  # cancelled
    ask(queue, "d")
    finished(queue.clean_events(session_hash="a"))  # left
    ask(queue, "e")
    assert served(queue, 3) == "cde"


def test_one_visitor_has_so_many_requests_and_fewer_long_ones(queue, monkeypatch):
    monkeypatch.setattr(fair_queue, "MOST_OPEN", 4)
    monkeypatch.setattr(fair_queue, "MOST_LONG", 2)
    ask(queue, "a", LONG_WORK)
    at_work = serve(queue)
    ask(queue, "a", LONG_WORK)
    with pytest.raises(HTTPException) as refused:
        ask(queue, "a", LONG_WORK)
    assert (refused.value.status_code, refused.value.detail) == (429, messages.MUCH_LONG_WORK.format(limit=2))
    for _ in range(2):
        ask(queue, "a")
    with pytest.raises(HTTPException) as refused:
        ask(queue, "a")
    assert (refused.value.status_code, refused.value.detail) == (429, messages.MANY_REQUESTS.format(limit=4))
    ask(queue, "b", LONG_WORK)
    end(queue, at_work)
    ask(queue, "a", LONG_WORK)


def test_requests_without_a_session_are_one_visitor_by_their_address(queue):
    class Sent:
        class client:
            host = "192.0.2.1"

    for _ in range(3):
        finished(queue.push(PredictBodyInternal(data=[], fn_index=QUICK_WORK), Sent, None))
    ask(queue, "b")
    serve(queue)
    queue.event_queue_per_concurrency_id[ACCELERATOR["concurrency_id"]].current_concurrency = 0
    assert serve(queue).session_hash == "b"


# --- health


def answer(queue: FairQueue, signs: SignsOfLife) -> tuple[int, dict]:
    with TestClient(Starlette(middleware=[Middleware(Health, queue=queue, signs=signs)])) as client:
        told = client.get("/health")
        assert client.get("/elsewhere").status_code == 404
        return told.status_code, told.json()


def test_health_tells_who_waits_and_that_all_is_well(queue):
    for visitor in "abc":
        ask(queue, visitor)
    serve(queue)
    assert answer(queue, SignsOfLife()) == (200, {"state": "ok", "waiting": 2, "working": 1})


def test_work_without_a_sign_of_life_is_told_until_it_gives_one(queue, monkeypatch):
    signs = SignsOfLife()
    with signs.watched() as stuck, signs.watched() as other:
        assert answer(queue, signs)[0] == 200
        start = time.monotonic()
        monkeypatch.setattr(health.time, "monotonic", lambda: start + health.QUIET_SECONDS + 10)
        other.goes_on()
        assert answer(queue, signs) == (503, {"state": "hangs", "waiting": 0, "working": 0})
        stuck.goes_on()
        assert answer(queue, signs)[0] == 200
    assert signs.quiet() == 0


def test_a_queue_that_has_stopped_is_told(queue):
    queue.stopped = True
    assert answer(queue, SignsOfLife())[1]["state"] == "stopped"


def test_work_on_the_accelerator_gives_signs_and_repetitions_are_none(monkeypatch):
    """Long work repeats its last progress, so that its reader can leave: that alone is no life."""
    clock = [0.0]
    monkeypatch.setattr(health.time, "monotonic", lambda: clock[0])

    @accelerated(WEIGHTS, seconds=1)
    def steps(pack: str):
        yield from (1, 1, 2)

    quiet = []
    for _ in steps("synthetic"):
        clock[0] += 10
        quiet.append(ACCELERATOR_WORK.quiet())
    assert quiet == [10, 20, 10] and ACCELERATOR_WORK.quiet() == 0


# --- memory


def test_what_exceeds_the_memory_of_a_gpu_is_told_in_a_sentence():
    @accelerated(WEIGHTS, seconds=1)
    def work(pack: str):
        raise torch.OutOfMemoryError("CUDA out of memory")

    @accelerated(WEIGHTS, seconds=1)
    def steps(pack: str):
        yield 1
        raise torch.OutOfMemoryError("CUDA out of memory")

    for call in (lambda: work("synthetic"), lambda: list(steps("synthetic"))):
        with pytest.raises(OutOfMemory, match="memory of this machine is full"):
            call()


def test_what_caches_hold_is_weighed():
    picture = Image.new("RGB", (10, 20))
    assert bytes_of((picture, np.zeros((3, 4), np.float32), [torch.zeros(5), b"123"])) == 600 + 48 + 20 + 3
    assert bytes_of("a text") == 0

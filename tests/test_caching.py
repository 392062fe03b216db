"""Caches: bounded, forgetful within the hour, and each value made once however many ask."""

import gc
import threading
import weakref

import numpy as np
import pytest
from people import names, picture
from serving import ROOT

from stylemask_demo import Reenactor, caching
from stylemask_demo.caching import SWEEP_SECONDS, VISITOR_SECONDS, Cache, Lazy, forget_expired
from stylemask_demo.pipeline import Pipeline
from stylemask_demo.ui.pictures import load_picture


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_was_not_used_for_longest_goes_first():
    cache = Cache(count=3)
    for key in "abc":
        cache.put(key, key.upper())
    assert cache.get("a") == "A"
    cache.put("d", "D")
    assert len(cache) == 3 and "b" not in cache and cache.get("a") == "A" and cache.get("b") is None
    cache.drop("a")
    cache.drop("nonesuch")
    assert "a" not in cache


@pytest.mark.parametrize("count", [1, 3, 7, 64, 1000])
def test_as_many_are_kept_as_is_said(count):
    cache = Cache(count)
    for key in range(count + 5):
        cache.put(key, key)
    assert len(cache) == count


def test_together_they_stay_within_their_weight():
    cache = Cache(count=10, weight=100, weigh=len)
    for letter in (b"a", b"b", b"c"):
        cache.put(letter, letter * 45)
    assert len(cache) == 2 and b"a" not in cache
    assert cache.find("heavy", lambda: b"x" * 101) == b"x" * 101
    assert "heavy" not in cache and len(cache) == 2, "what does not fit is not kept, and pushes nothing out"


def test_time_counts_from_when_a_value_was_made():
    clock = Clock()
    cache = Cache(count=3, seconds=100, clock=clock)
    cache.put("a", 1)
    for clock.now in (50, 99):
        assert cache.find("a", lambda: 2) == 1
    clock.now = 100
    assert cache.get("a") is None and len(cache) == 0
    assert cache.find("a", lambda: 2) == 2


def test_within_the_hour_is_meant():
    assert VISITOR_SECONDS + 2 * SWEEP_SECONDS < 3600


def test_what_expired_goes_though_nobody_asks():
    clock = Clock()
    cache = Cache(count=3, seconds=100, clock=clock)
    value = np.zeros(3)
    gone = weakref.ref(value)
    cache.put("a", value)
    del value
    clock.now = 101
    assert gone() is not None
    forget_expired()
    assert gone() is None
    assert any(thread.daemon and thread.name == "forgetting" for thread in threading.enumerate()), "who calls it on time"


def test_many_who_ask_at_once_wait_for_one():
    cache, made, begun, may = Cache(count=3), [], threading.Barrier(5), threading.Event()

    def make() -> int:
        made.append(1)
        assert may.wait(10)
        return len(made)

    def ask() -> None:
        begun.wait(10)
        found.append(cache.find("key", make))

    found: list[int] = []
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    begun.wait(10)
    may.set()
    for thread in threads:
        thread.join(10)
    assert made == [1] and found == [1] * 4


def test_those_who_wait_try_again_when_it_fails():
    cache, begun, tried = Cache(count=3), threading.Event(), []

    def make() -> str:
        tried.append(1)
        if len(tried) == 1:
            begun.set()
            waiting.join(0.2)
            raise KeyboardInterrupt
        return "made"

    found: list[str] = []
    waiting = threading.Thread(target=lambda: begun.wait(10) and found.append(cache.find("key", make)))
    waiting.start()
    with pytest.raises(KeyboardInterrupt):
        cache.find("key", make)
    waiting.join(10)
    assert found == ["made"] and cache.get("key") == "made"


def test_what_is_missing_is_made_together():
    cache, asked = Cache(count=5), []

    def make(keys: list[int]) -> list[int]:
        asked.append(keys)
        return [key * key for key in keys]

    assert cache.find_all([3, 1, 3], make) == [9, 1, 9]
    assert cache.find_all([1, 2, 3, 4], make) == [1, 4, 9, 16]
    assert asked == [[3, 1], [2, 4]]


def test_a_lazy_value_is_made_once():
    made = []
    lazy = Lazy(lambda: made.append(1) or "value")
    assert not made
    assert (lazy.get(), lazy.get()) == ("value", "value") and len(made) == 1


@pytest.mark.slow
def test_nothing_that_shows_a_visitor_stays_for_more_than_an_hour(reenactor, monkeypatch, tmp_path):
    """Portraits and all that is kept of them: nobody comes any more, and the clock goes on."""
    clock = Clock()
    # From now on, as clocks do: behind what was kept before, things from earlier would be looked for in vain.
    clock.now = caching.now()
    load_picture(str(ROOT / "assets" / "examples" / "source_1.webp"))
    monkeypatch.setattr(caching, "now", clock)
    own = Reenactor(Pipeline(reenactor.pipeline.networks, reenactor.pipeline.finder))
    picture(names(0)[7]).save(tmp_path / "upload.png")
    upload = load_picture(str(tmp_path / "upload.png"))
    portrait = own.portrait(upload)
    for method in own.methods:
        own.reenact(portrait, own.portrait(picture(names(1)[5])), method)
    own.edit(portrait, yaw=5, smile=0.2)
    tuned = own.tune(portrait, steps=1)
    own.reenact(tuned, portrait)
    seen = [upload, portrait, portrait.photo, portrait.crop, portrait.codes, portrait.inversion, tuned, tuned.tuning]
    visitor = [weakref.ref(thing) for thing in seen]
    assert own.portrait(upload) is portrait, "until then it is remembered"
    del upload, portrait, tuned, seen
    assert len(own.pipeline.portraits) == 2 and len(own.pipeline.detail) > 1
    clock.now += 3600 - SWEEP_SECONDS
    forget_expired()
    gc.collect()
    assert [thing() for thing in visitor] == [None] * len(visitor)
    assert len(own.pipeline.portraits) == len(own.pipeline.detail) == 0

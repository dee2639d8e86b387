"""The cache in front of settings and secrets."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from einvoice.merchants.cache import ExpiringCache


class Clock:
    """Seconds moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Read it."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """A clock at zero."""
    return Clock()


def test_age_counts_from_before_the_load(clock):
    """A slow load does not make its value younger than it is."""
    cache = ExpiringCache(10.0, 5, clock)

    def slow() -> str:
        clock.seconds += 4.0
        return "old"

    assert cache.get("k", slow) == "old"
    clock.seconds = 9.9
    assert cache.get("k", lambda: "new") == "old"
    clock.seconds = 10.0
    assert cache.get("k", lambda: "new") == "new"


def test_the_one_unused_longest_goes_first(clock):
    """Busy merchants stay when the cache is full."""
    cache = ExpiringCache(10.0, 2, clock)
    cache.get("a", lambda: 1)
    cache.get("b", lambda: 1)
    cache.get("a", lambda: 2)
    cache.get("c", lambda: 1)
    assert cache.get("a", lambda: 2) == 1
    assert cache.get("b", lambda: 2) == 2


def test_an_error_is_told_to_all_who_wait_and_not_kept(clock):
    """One failed load does not become many, nor the answer of the next minutes."""
    cache = ExpiringCache(10.0, 5, clock)
    loads, entered, leave = [], threading.Event(), threading.Event()

    def failing() -> str:
        loads.append(1)
        entered.set()
        assert leave.wait(5)
        raise LookupError

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(cache.get, "k", failing)
        assert entered.wait(5)
        others = [pool.submit(cache.get, "k", failing) for _ in range(2)]
        while sum(future.running() for future in others) < 2:
            threading.Event().wait(0.001)
        threading.Event().wait(0.05)
        leave.set()
        for future in (first, *others):
            with pytest.raises(LookupError):
                future.result(5)
    assert len(loads) == 1
    assert cache.get("k", lambda: "fine") == "fine"


def test_a_slow_load_delays_nobody_elses(clock):
    """While one merchant's secret is being opened, another's is answered."""
    cache = ExpiringCache(10.0, 5, clock)
    leave = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(cache.get, "slow", lambda: leave.wait(5))
        assert cache.get("quick", lambda: "now") == "now"
        leave.set()
        assert slow.result(5)

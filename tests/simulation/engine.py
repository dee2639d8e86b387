"""Virtual time and its actors: every invocation is a greenlet of one thread, and only a port call lets others run.

What happens next is decided by the time of the earliest event alone, ties by the seed; so one seed is one schedule.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from greenlet import getcurrent, greenlet

_MASK = (1 << 64) - 1

Trace = Callable[..., None]


class Rng:
    """Chance from a seed (splitmix64): small enough that every actor has its own, so that one does not move another."""

    __slots__ = ("state",)

    def __init__(self, seed: int) -> None:
        self.state = seed & _MASK

    def random(self) -> float:
        """At least 0, below 1."""
        self.state = state = (self.state + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        return (state ^ (state >> 31)) / 18446744073709551616.0

    def between(self, low: float, high: float) -> float:
        """Somewhere between the two."""
        return low + (high - low) * self.random()

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return int(self.random() * n)

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.random() < probability

    def choice(self, options: Any) -> Any:
        """One of them."""
        return options[int(self.random() * len(options))]


class Clock:
    """One machine's clock (機器時鐘): the true time and how far off this machine is."""

    __slots__ = ("base", "skew_s", "world")

    def __init__(self, world: World, base: datetime, skew_s: float) -> None:
        self.world, self.base, self.skew_s = world, base, skew_s

    def now(self) -> datetime:
        """The instant this machine believes in."""
        return self.base + timedelta(seconds=self.world.t + self.skew_s)

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self.world.t


class World:
    """The event queue: ``t`` is true time in seconds since the schedule's beginning."""

    def __init__(self, seed: int, start: datetime, *, trace: Trace | None = None) -> None:
        self.seed = seed
        self.start = start.astimezone(UTC)
        self.t = 0.0
        self.rng = Rng(seed)
        self.hub = getcurrent()
        self.events: list[tuple[float, float, int, Callable[[], Any]]] = []
        self.count = 0
        self.trace = trace
        self.faulty = True
        self.rate = 0.0
        self.enabled: frozenset[str] = frozenset()
        self.without: frozenset[tuple[str, int]] = frozenset()
        self.faults: list[tuple[str, int, str]] = []
        self.live = 0  # actors that may still do something

    def at(self, when: float, do: Callable[[], Any]) -> None:
        """Let ``do`` happen at ``when``; at the same instant the seed decides who is first."""
        self.count += 1
        heapq.heappush(self.events, (when, self.rng.random(), self.count, do))

    def step(self) -> None:
        """The next event happens."""
        self.t, _, _, do = heapq.heappop(self.events)
        do()

    def say(self, who: str, what: str, **more: Any) -> None:
        """One line of the history, where somebody reads it."""
        if self.trace is not None:
            self.trace(self.t, who, what, **more)


class Actor:
    """A thread of some process; ``then`` gets what its work came to, or ``DEAD`` where it was killed before."""

    __slots__ = ("_greenlet", "count", "dead", "group", "name", "rng", "then", "work", "world")

    def __init__(
        self, world: World, name: str, work: Callable[[Actor], Any], then: Callable[[Any], None] | None = None
    ) -> None:
        self.world, self.name, self.work, self.then = world, name, work, then
        self.rng = Rng(crc32(name.encode()) * 0x9E3779B1 + world.seed * 0x632BE59BD9B4E019)
        self.count = 0
        self.dead = False
        self.group: list[Actor] = [self]  # the actors of one process die together
        self._greenlet = greenlet(self._run, world.hub)

    def begin(self, delay_s: float = 0.0) -> Actor:
        """Start after ``delay_s``."""
        self.world.live += 1
        self.world.at(self.world.t + delay_s, self._resume)
        return self

    def sleep(self, seconds: float) -> None:
        """Let the others run for so long; a killed actor never comes back."""
        self.world.at(self.world.t + seconds, self._resume)
        self.world.hub.switch()

    def wait(self) -> Any:
        """Park until somebody calls ``wake``."""
        return self.world.hub.switch()

    def wake(self, value: Any) -> None:
        """Hand ``value`` to a parked actor."""
        if not self.dead:
            self._greenlet.switch(value)

    def fault(self, menu: tuple[str, ...], weight: float = 1.0) -> str | None:
        """What goes wrong at this effect, if anything; remembered by name, so that shrinking can take it away."""
        self.count += 1
        world = self.world
        if not world.faulty or self.rng.random() >= world.rate * weight:
            return None
        kind = menu[int(self.rng.random() * len(menu))]
        if kind not in world.enabled or (self.name, self.count) in world.without:
            return None
        world.faults.append((self.name, self.count, kind))
        world.say(self.name, f"FAULT {kind}")
        return kind

    def crash(self) -> None:
        """The process dies here and now, with all its threads; never returns."""
        for member in self.group:
            member.kill()
        self.world.hub.switch()

    def kill(self) -> None:
        """The process ends from outside; what it sent goes on its way."""
        if self.dead:
            return
        self.dead = True
        self.world.live -= 1
        self.world.say(self.name, "KILLED")
        if self.then is not None:
            self.world.at(self.world.t, lambda: self._end(DEAD))

    def _resume(self) -> None:
        if not self.dead:
            self._greenlet.switch()

    def _run(self) -> None:
        value = self.work(self)
        self.dead = True
        self.world.live -= 1
        self._end(value)

    def _end(self, value: Any) -> None:
        then, self.then = self.then, None
        if then is not None:
            self.world.at(self.world.t, lambda: then(value))


class _Dead:
    """What a killed invocation answers: nothing."""

    def __repr__(self) -> str:
        return "DEAD"


DEAD = _Dead()

"""Clocks that are wrong, and clocks that stand still (時鐘誤差)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from unittest.mock import patch

from einvoice import wiring
from einvoice.application.breaker import Breakers
from einvoice.clock import Clock
from einvoice.rules.period import TAIPEI
from tests.service import Service


@dataclass(frozen=True)
class OffBy:
    """A clock that is ahead of the right one by ``seconds``; what passes on it is right."""

    right: Clock
    seconds: float

    def now(self) -> datetime:
        """The instant this container believes in."""
        return self.right.now() + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Seconds as they pass."""
        return self.right.monotonic()


@contextmanager
def stopped(service: Service, at: str) -> Iterator[None]:
    """Every clock, the centre's too, stands still at an instant (RFC 3339): an edge can be met exactly."""
    instant = datetime.fromisoformat(at).astimezone(TAIPEI)
    service.sim.move_clock(now=instant)
    with patch.object(service.sim.clock, "now", lambda: instant):
        yield


@contextmanager
def off_by(seconds: float) -> Iterator[None]:
    """Whatever runs in this block runs in a container whose clock is ahead by ``seconds``."""
    ports = wiring.ports()
    clock = OffBy(ports.clock, seconds)
    mine = replace(ports, clock=clock, breakers=Breakers(ports.store, clock))
    with patch.object(wiring, "ports", lambda: mine):
        yield

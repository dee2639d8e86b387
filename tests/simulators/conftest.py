"""A simulator of its own for every test: it starts in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulators.ecpay import Simulator, start
from tests.simulators.ecpay_client import Client
from tests.simulators.receiver import Receiver


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """The lenient profile."""
    with start(profile="stage") as running:
        yield running


@pytest.fixture
def client(sim: Simulator) -> Client:
    """A client that shares the simulator's clock."""
    return Client(sim.url, now=lambda: sim.now().timestamp())


@pytest.fixture
def strict() -> Iterator[Simulator]:
    """The strict profile."""
    with start(profile="doc") as running:
        yield running


@pytest.fixture
def strict_client(strict: Simulator) -> Client:
    """A client of the strict one."""
    return Client(strict.url, now=lambda: strict.now().timestamp())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A merchant who listens for callbacks."""
    listening = Receiver()
    yield listening
    listening.close()

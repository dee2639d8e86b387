"""A running service in the middle of a period (115年3–4月)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.store import dynamodb
from simulators.ecpay.codes import ALL, Refused
from simulators.ecpay.operations import OPERATIONS
from tests.aws import TABLE
from tests.service import Service, running

NOW = "2026-03-20T10:00:00+08:00"


@pytest.fixture(scope="module")
def _running() -> Iterator[Service]:
    with running(now=NOW) as made:
        yield made


@pytest.fixture
def service(_running: Service) -> Service:
    """One merchant, one simulator, nothing issued yet; only the merchant's settings and caches outlive a test."""
    _running.sim.reset()
    _running.sim.move_clock(now=_running.now().fromisoformat(NOW))
    for item in _running.dynamodb.scan(TableName=TABLE)["Items"]:
        if "#O#" in item["pk"]["S"] or item["sk"]["S"].startswith(("BRK#", "FILED#", "NAME#")):
            _running.dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    wiring.ports().breakers._seen.clear()
    return _running


@pytest.fixture
def configure(service: Service) -> Iterator[Callable[..., None]]:
    """Change the merchant's settings for one test."""
    yield service.configure
    service.configure()


@pytest.fixture
def profile() -> Iterator[Callable[..., None]]:
    """Change for one test what holds for the centre itself."""

    def change(**values: Any) -> None:
        wiring.PROFILES["ecpay"] = replace(wiring.PROFILES["ecpay"], **values)

    with patch.dict(wiring.PROFILES):
        yield change


@pytest.fixture
def reachable(service: Service) -> Iterator[Service]:
    """The service with an address at which centres can call back."""
    ports = replace(wiring.ports(), public_url="https://api.example.com")
    with patch.object(wiring, "ports", lambda: ports):
        yield service


@pytest.fixture
def refuse() -> Iterator[Callable[..., None]]:
    """Let the centre refuse the next calls of an operation with a business code of its own."""

    def order_refusals(operation: str, code: int, *, times: int = 10**6) -> None:
        real, left = OPERATIONS[operation], iter(range(times))

        def refused(call: Any, data: Any) -> Any:
            if next(left, None) is None:
                return real.run(call, data)
            raise Refused(ALL[code])

        OPERATIONS[operation] = replace(real, run=refused)

    with patch.dict(OPERATIONS):
        yield order_refusals


@pytest.fixture
def one_write_at_a_time() -> Iterator[None]:
    """The table orders its writes, as DynamoDB does for one item; moto checks a condition and writes apart."""
    lock, real = threading.Lock(), dynamodb._called

    def called(call: Callable[..., Any], **request: Any) -> Any:
        with lock:
            return real(call, **request)

    with patch.object(dynamodb, "_called", called):
        yield

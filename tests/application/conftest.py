"""A running service in the middle of a period (115年3–4月)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.store import dynamodb
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
        if "#O#" in item["pk"]["S"] or item["sk"]["S"].startswith("BRK#"):
            _running.dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    wiring.ports().breakers._seen.clear()
    return _running


@pytest.fixture
def one_write_at_a_time() -> Iterator[None]:
    """The table orders its writes, as DynamoDB does for one item; moto checks a condition and writes apart."""
    lock, real = threading.Lock(), dynamodb._called

    def called(call: Callable[..., Any], **request: Any) -> Any:
        with lock:
            return real(call, **request)

    with patch.object(dynamodb, "_called", called):
        yield

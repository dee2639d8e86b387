"""Every store, empty, and heads to put into them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from einvoice.model import Centre, OrderKey
from einvoice.store.base import Head, State, Store
from einvoice.store.dynamodb import DynamoStore
from einvoice.store.memory import MemoryStore
from tests.aws import TABLE, Aws, in_process
from tests.store import engines

KEY = OrderKey("demo-shop", "api", "1001")


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """One DynamoDB in this process for the tests of a module; nothing of it outlives them."""
    with pytest.MonkeyPatch.context() as patch, in_process(patch) as made:
        yield made


@pytest.fixture
def dynamo(aws: Aws) -> Iterator[DynamoStore]:
    """The ledger in an empty table."""
    yield DynamoStore(aws.dynamodb, TABLE)
    engines.emptied(aws.dynamodb)


@pytest.fixture(scope="module")
def engine_ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of the embedded AWS, for the tests of a module."""
    with engines.ministack(tmp_path_factory.mktemp("ministack")) as made:
        yield made


@pytest.fixture(scope="module")
def engine_dynoxide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a crash-durable engine, for the tests of a module."""
    with engines.dynoxide(tmp_path_factory.mktemp("dynoxide")) as made:
        yield made


@pytest.fixture(params=["memory", "moto", pytest.param("ministack", marks=pytest.mark.embedded), "dynoxide"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The ledger in memory, and the one in DynamoDB on each of three engines, empty."""
    if request.param in {"memory", "moto"}:
        yield MemoryStore() if request.param == "memory" else request.getfixturevalue("dynamo")
        return
    client = request.getfixturevalue(f"engine_{request.param}")
    yield DynamoStore(client, TABLE)
    engines.emptied(client)


def head(key: OrderKey = KEY, **changes: Any) -> Head:
    """A head as a claim writes it."""
    claimed = Head(
        key=key,
        state=State.ISSUING,
        generation=1,
        ver=1,
        write_id="write-1",
        op="op-1",
        created_at=1_000,
        updated_at=1_000,
        centre=Centre("ecpay", "2000132", "first"),
        lease_until=1_035,
        due_at=1_035,
        sent_at=1_000,
        first_sent_at=1_000,
        log=[{"at": 1_000, "event": "claimed"}],
        keys={"issue": ["", "hash"]},
    )
    return replace(claimed, **changes)


@pytest.fixture
def make() -> Any:
    """``head`` for tests in other modules."""
    return head

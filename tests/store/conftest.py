"""Both stores, empty, and heads to put into them."""

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
    for item in aws.dynamodb.scan(TableName=TABLE)["Items"]:
        aws.dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each implementation, empty."""
    return MemoryStore() if request.param == "memory" else request.getfixturevalue("dynamo")


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

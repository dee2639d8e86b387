"""The table as template.yaml declares it, for tests in process: one place to change with the template."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from moto import mock_aws

from einvoice.merchants import Merchants

if TYPE_CHECKING:
    import pytest
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

TABLE = "einvoice-test"
REGION = "ap-northeast-1"
_SESSION = boto3.Session(region_name=REGION)  # one for all tests: it keeps the service models it has read
NOW = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)


@dataclass
class Hand:
    """A clock moved by hand."""

    seconds: float = 0.0
    start: datetime = NOW

    def now(self) -> datetime:
        """The instant, aware, UTC."""
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """The seconds it was moved by."""
        return self.seconds


@dataclass
class Aws:
    """A table, a key, and what was asked of them."""

    dynamodb: DynamoDBClient
    kms: KMSClient
    sqs: SQSClient
    key_id: str
    clock: Hand = field(default_factory=Hand)
    calls: list[str] = field(default_factory=list)

    def merchants(self) -> Merchants:
        """A fresh container's view."""
        return Merchants(self.dynamodb, self.kms, TABLE, self.key_id, self.clock.monotonic)


def create_table(client: DynamoDBClient, name: str = TABLE) -> str:
    """Create the ledger's table: ``pk``/``sk`` and the sparse indexes ``due`` and ``books``. Returns its name."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "due_shard", "AttributeType": "S"},
            {"AttributeName": "due_at", "AttributeType": "N"},
            {"AttributeName": "bk", "AttributeType": "S"},
            {"AttributeName": "no", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "books",
                "KeySchema": [
                    {"AttributeName": "bk", "KeyType": "HASH"},
                    {"AttributeName": "no", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
    )
    return name


@contextmanager
def in_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """AWS in this process: an empty table and one KMS key; ``calls`` records every request that leaves a client."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", _SESSION)
        dynamodb, kms, sqs = boto3.client("dynamodb"), boto3.client("kms"), boto3.client("sqs")
        create_table(dynamodb)
        made = Aws(dynamodb, kms, sqs, kms.create_key()["KeyMetadata"]["KeyId"])
        for client in (dynamodb, kms, sqs):
            client.meta.events.register("before-call", lambda model, **_: made.calls.append(model.name))
        yield made

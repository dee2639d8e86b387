"""Every AWS request that leaves this process, with what it costs: seen below the SDK, where it is the same for all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import boto3
from botocore.httpsession import URLLib3Session

from benchmarks.units import Item, item_bytes, write_units

WRITES, READS = frozenset({"PutItem", "UpdateItem"}), frozenset({"GetItem", "Query", "Decrypt"})
KEYS = ("pk", "sk", "id")  # the key attributes of the tables that are written here


@dataclass(frozen=True, slots=True)
class Seen:
    """One request: ``units`` it consumes of writing and the ``bytes`` of the item it left, both 0 for a read."""

    service: str
    operation: str
    units: int
    bytes: int


@contextmanager
def watched() -> Iterator[list[Seen]]:
    """Inside the block every request is noted; it also reads each written item before and after, so never time it."""
    seen: list[Seen] = []
    send = URLLib3Session.send
    reader = boto3.client("dynamodb")
    reading = False

    def read(target: dict[str, Any]) -> Item | None:
        nonlocal reading
        reading = True
        key = target.get("Key") or {name: target["Item"][name] for name in KEYS if name in target["Item"]}
        try:
            answer = reader.get_item(TableName=target["TableName"], Key=key, ConsistentRead=True)
        finally:
            reading = False
        item: Item | None = answer.get("Item")
        return item

    def noting(session: URLLib3Session, request: Any) -> Any:  # noqa: ANN401 — botocore's own types are private
        if reading:
            return send(session, request)
        service, operation = _named(request)
        if operation in READS:
            seen.append(Seen(service, operation, 0, 0))
            return send(session, request)
        if operation not in WRITES:
            raise ValueError(f"{operation} is not accounted for")
        target = json.loads(request.body)
        before = read(target)
        answer = send(session, request)
        after = read(target)
        written = after if answer.status_code == 200 else None  # noqa: PLR2004 — HTTP's OK
        seen.append(Seen(service, operation, write_units(before, written), item_bytes(after or {})))
        return answer

    with patch.object(URLLib3Session, "send", noting):
        yield seen


def _named(request: Any) -> tuple[str, str]:  # noqa: ANN401 — botocore's own types are private
    target = request.headers["X-Amz-Target"]
    service, _, operation = (target.decode() if isinstance(target, bytes) else target).partition(".")
    return ("dynamodb" if service.startswith("DynamoDB") else "kms"), operation

"""Small records beside the ledger (設定, 憑證, 金鑰): read one, list some, write several at once, audited.

An operator's change and the entry that says who made it are one transaction: there is no change without its entry.
A transaction also carries botocore's own token, so an SDK retry that meets its own write is not refused by it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from einvoice.errors import EinvoiceError, StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Record = dict[str, Any]
MAX_LISTED = 1000  # records of one kind of one merchant; more is a mistake somewhere else
AUDIT_PREFIX = "AUDIT#"
_CONFLICT_TRIES = 3


class ChangedMeanwhileError(EinvoiceError):
    """A condition of a write did not hold: somebody else wrote first, or it is there already. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Who changed what (稽核紀錄). ``details`` are short texts and never hold key material."""

    actor: str
    action: str
    at: datetime
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """One put or, with ``record`` None, one check; ``condition`` uses ``#field`` names and ``:name`` values."""

    key: tuple[str, str]
    record: Record | None
    condition: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


def new(key: tuple[str, str], record: Record) -> Write:
    """A put that never overwrites."""
    return Write(key, record, "attribute_not_exists(pk)")


def merchant_pk(merchant: str) -> str:
    """Partition of everything that belongs to a merchant as such."""
    return f"M#{merchant}"


def audit_writes(pk: str, audit: Audit | None) -> list[Write]:
    """The audit entry as a write, if there is one; its random end keeps two changes of one microsecond apart."""
    if audit is None:
        return []
    at = audit.at.astimezone(UTC).isoformat(timespec="microseconds")
    record = {"at": at, "actor": audit.actor, "action": audit.action, "details": dict(audit.details)}
    return [new((pk, f"{AUDIT_PREFIX}{at}#{secrets.token_hex(4)}"), record)]


class Records:
    """Records of one table, through a low-level client whose timeouts and retries its maker chose."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client, self._table = client, table_name

    def get(self, key: tuple[str, str]) -> Record | None:
        """One record, strongly consistent; None if there is none. Raises StoreUnavailable."""
        try:
            found = self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"GetItem: {_code(error)}") from error
        return _plain(found["Item"]) if "Item" in found else None

    def listed(self, pk: str, sk_prefix: str, *, limit: int = MAX_LISTED, newest_first: bool = False) -> list[Record]:
        """Records of ``pk`` whose ``sk`` begins with ``sk_prefix``, in the order of ``sk``, at most ``limit``."""
        found: list[Record] = []
        try:
            for page in self._pages(pk, sk_prefix, limit, newest_first=newest_first):
                found += [_plain(item) for item in page]
                if len(found) >= limit:
                    break
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"Query: {_code(error)}") from error
        return found[:limit]

    def write(self, *writes: Write) -> None:
        """All of ``writes`` or none. Raises ChangedMeanwhileError, or StoreUnavailable: nobody knows which."""
        items = [self._transact_item(write) for write in writes]
        for last in (*[False] * (_CONFLICT_TRIES - 1), True):
            try:
                self._client.transact_write_items(TransactItems=items)
            except self._client.exceptions.TransactionCanceledException as error:
                codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
                if "ConditionalCheckFailed" in codes:
                    raise ChangedMeanwhileError("a condition did not hold") from error
                # A conflict with another transaction is never retried by the SDK, and nothing was written.
                if last or "TransactionConflict" not in codes:
                    raise StoreUnavailable(f"TransactWriteItems: {sorted(map(str, codes))}") from error
            except (ClientError, BotoCoreError) as error:
                raise StoreUnavailable(f"TransactWriteItems: {_code(error)}") from error
            else:
                return

    def _pages(self, pk: str, prefix: str, limit: int, *, newest_first: bool) -> Iterator[Sequence[Mapping[str, Any]]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": pk}, ":prefix": {"S": prefix}},
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            PaginationConfig={"PageSize": min(limit, 100)},
        )
        return (page["Items"] for page in pages)

    def _transact_item(self, write: Write) -> TransactWriteItemTypeDef:
        # Only operators write records; boto3 is a tenth of a function's start, and functions only read them.
        from boto3.dynamodb.types import TypeSerializer  # noqa: PLC0415

        serialize = TypeSerializer().serialize
        terms: dict[str, Any] = {"TableName": self._table}
        if write.condition:
            terms["ConditionExpression"] = write.condition
        if write.names:
            terms["ExpressionAttributeNames"] = dict(write.names)
        if write.values:
            terms["ExpressionAttributeValues"] = {name: serialize(value) for name, value in write.values.items()}
        if write.record is None:
            return {"ConditionCheck": {**terms, "Key": _key(write.key)}}  # type: ignore[typeddict-item]  # built up above
        stored = {name: serialize(value) for name, value in write.record.items()}
        return {"Put": {**terms, "Item": {**stored, **_key(write.key)}}}  # type: ignore[typeddict-item]  # built up above


def _key(key: tuple[str, str]) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _plain(item: Mapping[str, Any]) -> Record:
    return {name: _value(attribute) for name, attribute in item.items()}


def _value(attribute: Mapping[str, Any]) -> Any:  # noqa: ANN401  # whatever was stored
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "B" | "BOOL":
            return value
        case "N":
            return Decimal(value)
        case "NULL":
            return None
        case "L":
            return [_value(one) for one in value]
        case "M":
            return _plain(value)
        case _:
            raise ValueError(f"a record holds no {kind}")


def _code(error: ClientError | BotoCoreError) -> str:
    """What went wrong in one word; a message may name resources and is left to the chained exception."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__

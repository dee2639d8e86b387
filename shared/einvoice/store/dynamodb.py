"""The ledger in DynamoDB: one table, one item per order, every write conditional.

Two calls per invoice: the intent and what came of it. Large values are zlib-compressed JSON, so that an ordinary order
stays within one kilobyte and costs one write unit.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from einvoice.errors import StoreUnavailable
from einvoice.model import Centre, OrderKey
from einvoice.store.base import Breaker, Guard, Head, State

DUE_SHARDS = 32  # by merchant, so that one merchant's backlog hides few others
SCHEMA_VERSION = 1

#: attribute name by Head field; names are short because every byte is written twice
NAMES = {
    "state": "st",
    "generation": "g",
    "ver": "ver",
    "write_id": "wid",
    "op": "op",
    "created_at": "cat",
    "updated_at": "uat",
    "request_hash": "rh",
    "payload": "q",
    "relate_number": "r",
    "centre": "ce",
    "lease_until": "le",
    "due_at": "due_at",
    "attempts": "at",
    "first_sent_at": "fs",
    "sent_at": "sa",
    "settle_until": "su",
    "quiet_until": "qu",
    "cause": "ca",
    "refusal": "rf",
    "number": "no",
    "issued_at": "dt",
    "random_code": "rn",
    "period": "pd",
    "sold_period": "sp",
    "upload": "up",
    "void_reason": "vr",
    "voided_at": "va",
    "attention": "att",
    "want": "wt",
    "next": "nx",
    "keys": "ks",
    "past": "pa",
    "log": "lg",
    "sv": "sv",
}
_INTS = frozenset(
    {
        "generation",
        "ver",
        "created_at",
        "updated_at",
        "lease_until",
        "due_at",
        "attempts",
        "first_sent_at",
        "sent_at",
        "settle_until",
        "quiet_until",
        "sv",
    }
)
_JSON = frozenset({"refusal", "attention", "want"})
_PACKED = frozenset({"payload", "past", "next"})

T = TypeVar("T")
Item = dict[str, Any]


class DynamoStore:
    """``Store`` on a low-level boto3 ``dynamodb`` client; safe to share between threads."""

    def __init__(self, client: Any, table_name: str) -> None:  # noqa: ANN401 — boto3 clients are built at run time
        self._client, self._table = client, table_name

    def create(self, head: Head) -> Head | None:
        """Write a new head unless one stands there; an SDK retry that meets its own write counts as written."""
        standing = self._written(
            self._client.put_item,
            Item=item_of(head),
            ConditionExpression="attribute_not_exists(pk)",
        )
        return None if standing is None or standing.op == head.op else standing

    def read(self, key: OrderKey) -> Head | None:
        """The head, strongly consistent."""
        answer = _called(self._client.get_item, TableName=self._table, Key=item_key(key), ConsistentRead=True)
        item = answer.get("Item")
        return head_of(item) if item else None

    def replace(self, head: Head) -> Head | None:
        """Write ``head`` over version ``head.ver - 1``."""
        standing = self._written(
            self._client.put_item,
            Item=item_of(head),
            ConditionExpression="ver = :ver",
            ExpressionAttributeValues={":ver": {"N": str(head.ver - 1)}},
            missing=head,
        )
        return None if standing is None or standing.write_id == head.write_id else standing

    def begin(self, key: OrderKey, guard: Guard, change: Mapping[str, Any]) -> tuple[bool, Head | None]:
        """Set ``change`` where ``guard`` holds, without reading first."""
        expression = _Expression()
        condition = expression.condition(guard, change["write_id"])
        update = expression.update(change, _due_shard(key))
        try:
            answer = _called(
                self._client.update_item,
                TableName=self._table,
                Key=item_key(key),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames=expression.names,
                ExpressionAttributeValues=expression.values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except _ConditionFailed as failed:
            if failed.item is None:
                return False, None
            standing = head_of(failed.item)
            ours = standing.op == change["op"] if "op" in change else standing.write_id == change["write_id"]
            return ours, standing
        return True, head_of(answer["Attributes"])

    def due(self, now: int, limit: int) -> list[OrderKey]:
        """Orders whose time has come, soonest first, up to ``limit`` of every shard of the due index."""
        found: list[tuple[int, OrderKey]] = []
        for shard in range(DUE_SHARDS):
            answer = _called(
                self._client.query,
                TableName=self._table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": {"S": f"DUE#{shard}"}, ":now": {"N": str(now)}},
                Limit=limit,
            )
            found += [(int(item["due_at"]["N"]), _order_key(item["pk"]["S"])) for item in answer["Items"]]
        found.sort(key=lambda entry: entry[0])
        return [key for _, key in found]

    def read_breaker(self, merchant: str, account: str) -> Breaker | None:
        """The account's ban."""
        answer = _called(self._client.get_item, TableName=self._table, Key=_breaker_key(merchant, account))
        item = answer.get("Item")
        return Breaker(until=int(item["until"]["N"]), cause=item["cause"]["S"]) if item else None

    def open_breaker(self, merchant: str, account: str, breaker: Breaker) -> None:
        """Keep the later ban."""
        until = {"N": str(breaker.until)}
        try:
            _called(
                self._client.put_item,
                TableName=self._table,
                Item=_breaker_key(merchant, account) | {"until": until, "cause": {"S": breaker.cause}},
                ConditionExpression="attribute_not_exists(#until) OR #until < :until",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":until": until},
            )
        except _ConditionFailed:
            return  # a later ban stands

    def _written(
        self,
        put: Callable[..., Any],
        *,
        missing: Head | None = None,
        **request: Any,  # noqa: ANN401 — the request's own shape
    ) -> Head | None:
        """None when written, else what stands there; ``missing`` stands in where nothing does (a head was removed)."""
        try:
            _called(put, TableName=self._table, ReturnValuesOnConditionCheckFailure="ALL_OLD", **request)
        except _ConditionFailed as failed:
            if failed.item is not None:
                return head_of(failed.item)
            if missing is None:
                raise StoreUnavailable("condition failed without an item") from failed
            return replace(missing, write_id="", op="")
        return None


class _ConditionFailed(Exception):
    """The condition did not hold; ``item`` is what stands there."""

    def __init__(self, item: Item | None) -> None:
        super().__init__()
        self.item = item


def _called(call: Callable[..., T], **request: Any) -> T:  # noqa: ANN401 — the request's own shape
    """One call to DynamoDB; everything but a failed condition means the ledger cannot be reached."""
    try:
        return call(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            item: Any = error.response.get("Item")
            raise _ConditionFailed(item) from error
        raise StoreUnavailable(error.response["Error"]["Code"]) from error
    except BotoCoreError as error:
        raise StoreUnavailable(type(error).__name__) from error


class _Expression:
    """Builds the expressions of a guarded update; every attribute is named through a placeholder."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def condition(self, guard: Guard, write_id: str) -> str:
        """The guard, and that this very write was not made already: an SDK retry must not change anything twice."""
        states = ", ".join(self._value({"S": state.value}) for state in guard.states)
        parts = [f"{self._name('st')} IN ({states})", f"{self._name('g')} = {self._value(_number(guard.generation))}"]
        parts.append(f"{self._name('wid')} <> {self._value({'S': write_id})}")
        if guard.calm:
            parts.append(f"attribute_not_exists({self._name('att')})")
        if guard.period_from:
            parts.append(f"{self._name('pd')} >= {self._value({'S': guard.period_from})}")
        if guard.quiet_before is not None:
            quiet, limit = self._name("qu"), self._value(_number(guard.quiet_before))
            parts.append(f"(attribute_not_exists({quiet}) OR {quiet} <= {limit})")
        return " AND ".join(parts)

    def update(self, change: Mapping[str, Any], due_shard: str) -> str:
        sets = [f"{self._name('ver')} = {self._name('ver')} + {self._value(_number(1))}"]
        removes: list[str] = []
        for name, value in change.items():
            if name == "log":
                log, entries = self._name("lg"), self._value(_attribute("log", value))
                sets.append(f"{log} = list_append({log}, {entries})")
            elif name.startswith("keys."):
                path = f"{self._name('ks')}.{self._name(name.removeprefix('keys.'))}"
                sets.append(f"{path} = {self._value(_strings(value))}")
            elif value is None:
                removes.append(self._name(NAMES[name]))
            else:
                sets.append(f"{self._name(NAMES[name])} = {self._value(_attribute(name, value))}")
        if change.get("due_at") is not None:
            sets.append(f"{self._name('due_shard')} = {self._value({'S': due_shard})}")
        return f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else "")

    def _name(self, attribute: str) -> str:
        placeholder = f"#{attribute}"
        self.names[placeholder] = attribute
        return placeholder

    def _value(self, value: Any) -> str:  # noqa: ANN401 — a DynamoDB attribute value
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value
        return placeholder


# --- items ---------------------------------------------------------------------------------------------------------


def item_key(key: OrderKey) -> Item:
    """The primary key of an order's head."""
    return {
        "pk": {"S": f"M#{key.merchant}#O#{len(key.source)}:{key.source}:{key.order_id}"},
        "sk": {"S": "H"},
    }


def item_of(head: Head) -> Item:
    """The head as an item; empty values are left out."""
    item = item_key(head.key)
    for name, attribute in NAMES.items():
        value = getattr(head, name)
        if name in {"keys", "log"} or value not in (None, "", {}, []):
            item[attribute] = _attribute(name, value)
    if head.due_at is not None:
        item["due_shard"] = {"S": _due_shard(head.key)}
    return item


def head_of(item: Item) -> Head:
    """The head an item holds. Raises StoreUnavailable for an item that newer code wrote: it is left to that code."""
    if int(item["sv"]["N"]) > SCHEMA_VERSION:
        raise StoreUnavailable("item of a newer schema")
    values = {
        field.name: _value_of(field.name, item[NAMES[field.name]])
        for field in fields(Head)
        if field.name != "key" and NAMES[field.name] in item
    }
    return Head(key=_order_key(item["pk"]["S"]), **values)


def _attribute(name: str, value: Any) -> Any:  # noqa: ANN401 — a Head field to an attribute value
    if name in _INTS:
        return _number(value)
    if name in _JSON:
        return {"S": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}
    if name in _PACKED:
        return {"B": zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), 6)}
    if name == "centre":
        return _strings([value.provider, value.account, value.credential_id])
    if name == "keys":
        return {"M": {operation: _strings(pair) for operation, pair in value.items()}}
    if name == "log":
        return _strings([json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in value])
    return {"S": str(value)}


def _value_of(name: str, attribute: Any) -> Any:  # noqa: ANN401 — an attribute value to a Head field
    if name in _INTS:
        return int(attribute["N"])
    if name in _JSON:
        return json.loads(attribute["S"])
    if name in _PACKED:
        return json.loads(zlib.decompress(attribute["B"]))
    if name == "centre":
        return Centre(*_texts(attribute))
    if name == "keys":
        return {operation: _texts(pair) for operation, pair in attribute["M"].items()}
    if name == "log":
        return [json.loads(entry) for entry in _texts(attribute)]
    return State(attribute["S"]) if name == "state" else attribute["S"]


def _number(value: int) -> Item:
    return {"N": str(value)}


def _strings(values: list[str]) -> Item:
    return {"L": [{"S": value} for value in values]}


def _texts(attribute: Item) -> list[str]:
    return [entry["S"] for entry in attribute["L"]]


def _order_key(pk: str) -> OrderKey:
    merchant, _, rest = pk.removeprefix("M#").partition("#O#")
    size, _, rest = rest.partition(":")
    return OrderKey(merchant, rest[: int(size)], rest[int(size) + 1 :])


def _due_shard(key: OrderKey) -> str:
    return f"DUE#{zlib.crc32(key.merchant.encode()) % DUE_SHARDS}"


def _breaker_key(merchant: str, account: str) -> Item:
    return {"pk": {"S": f"M#{merchant}"}, "sk": {"S": f"BRK#{account}"}}

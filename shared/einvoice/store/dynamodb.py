"""The ledger in DynamoDB: one table, one item per order, every write conditional.

Two calls per invoice: the intent and what came of it. Large values are zlib-compressed JSON, so that an ordinary order
stays within one kilobyte and costs one write unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from einvoice.errors import StoreUnavailable
from einvoice.model import OrderKey
from einvoice.store import items
from einvoice.store.base import Breaker, Guard, Head
from einvoice.store.items import (
    NAMES,
    Item,
    attribute,
    book,
    breaker_key,
    check_blind,
    due_shard,
    filed_key,
    head_of,
    item_key,
    item_of,
    name_key,
    number,
    order_key,
    shard,
    strings,
)

T = TypeVar("T")

BATCH = 100  # keys of one BatchGetItem, DynamoDB's most
BATCH_TRIES = 5  # a hundred items of 400 KB, its largest, come in three


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
        """Set ``change`` where ``guard`` holds, without reading first. Raises ValueError for what it cannot change."""
        check_blind(change)
        expression = _Expression()
        condition = expression.condition(guard, change["write_id"])
        update = expression.update(change, due_shard(key))
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

    def due(self, now: int, limit: int, *, confirm: bool = False) -> list[OrderKey]:
        """Orders whose time has come, soonest first, up to ``limit`` of every shard of the due index."""
        found: list[tuple[int, OrderKey]] = []
        for part in range(items.DUE_SHARDS):
            answer = _called(
                self._client.query,
                TableName=self._table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": {"S": shard(part, confirm=confirm)}, ":now": {"N": str(now)}},
                Limit=limit,
            )
            found += [(int(item["due_at"]["N"]), order_key(item["pk"]["S"])) for item in answer["Items"]]
        found.sort(key=lambda entry: entry[0])
        return [key for _, key in found]

    def read_breaker(self, merchant: str, account: str) -> Breaker | None:
        """The account's ban."""
        answer = _called(self._client.get_item, TableName=self._table, Key=breaker_key(merchant, account))
        item = answer.get("Item")
        return Breaker(until=int(item["until"]["N"]), cause=item["cause"]["S"]) if item else None

    def open_breaker(self, merchant: str, account: str, breaker: Breaker) -> None:
        """Keep the later ban."""
        until = {"N": str(breaker.until)}
        try:
            _called(
                self._client.put_item,
                TableName=self._table,
                Item=breaker_key(merchant, account) | {"until": until, "cause": {"S": breaker.cause}},
                ConditionExpression="attribute_not_exists(#until) OR #until < :until",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":until": until},
            )
        except _ConditionFailed:
            return  # a later ban stands

    def booked(self, merchant: str, period: str, after: str, limit: int) -> list[tuple[str, OrderKey]]:
        """A period's invoices by number, from the index ``books``."""
        answer = _called(
            self._client.query,
            TableName=self._table,
            IndexName="books",
            KeyConditionExpression="bk = :book AND #no > :after",
            ExpressionAttributeNames={"#no": NAMES["number"]},
            ExpressionAttributeValues={":book": {"S": book(merchant, period)}, ":after": {"S": after or " "}},
            Limit=limit,
        )
        return [(item[NAMES["number"]]["S"], order_key(item["pk"]["S"])) for item in answer["Items"]]

    def read_many(self, keys: Sequence[OrderKey]) -> list[Head]:
        """Many heads, eventually consistent, a hundred with each call."""
        wanted = list(dict.fromkeys(keys))  # DynamoDB refuses a batch that names one key twice
        found: dict[OrderKey, Head] = {}
        for start in range(0, len(wanted), BATCH):
            found |= self._batch([item_key(key) for key in wanted[start : start + BATCH]])
        return [found[key] for key in wanted if key in found]

    def filed_at(self, merchant: str, period: str) -> int | None:
        """The period's mark, strongly consistent: a void must not follow it."""
        answer = _called(
            self._client.get_item, TableName=self._table, Key=filed_key(merchant, period), ConsistentRead=True
        )
        return int(answer["Item"]["at"]["N"]) if "Item" in answer else None

    def mark_filed(self, merchant: str, period: str, at: int) -> int:
        """Keep the first mark."""
        try:
            _called(
                self._client.put_item,
                TableName=self._table,
                Item=filed_key(merchant, period) | {"at": number(at)},
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except _ConditionFailed as failed:
            if failed.item is None:
                raise StoreUnavailable("condition failed without an item") from failed
            return int(failed.item["at"]["N"])
        return at

    def remember(self, merchant: str, name: str, key: OrderKey) -> None:
        """Keep whose name this is; a name is given once, so that writing it again changes nothing."""
        item = name_key(merchant, name) | {"order": item_key(key)["pk"]}
        _called(self._client.put_item, TableName=self._table, Item=item)

    def recall(self, merchant: str, name: str) -> OrderKey | None:
        """The order of a name."""
        answer = _called(self._client.get_item, TableName=self._table, Key=name_key(merchant, name))
        return order_key(answer["Item"]["order"]["S"]) if "Item" in answer else None

    def _batch(self, keys: list[Item]) -> dict[OrderKey, Head]:
        """One batch. What it leaves out, being throttled or beyond 16 MB, is asked for again a few times."""
        found: dict[OrderKey, Head] = {}
        for _ in range(BATCH_TRIES):
            answer = _called(self._client.batch_get_item, RequestItems={self._table: {"Keys": keys}})
            heads = (head_of(item) for item in answer["Responses"].get(self._table, []))
            found |= {head.key: head for head in heads}
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not keys:
                return found
        raise StoreUnavailable("UnprocessedKeys")

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
        parts = [f"{self._name('st')} IN ({states})", f"{self._name('g')} = {self._value(number(guard.generation))}"]
        parts.append(f"{self._name('wid')} <> {self._value({'S': write_id})}")
        absent = ["att", "po"] if guard.calm else []
        absent += ["fx"] if guard.factless else []
        absent += {"any": [], "no_living": ["aw"], "never": ["ha"]}[guard.allowances]
        parts += [f"attribute_not_exists({self._name(one)})" for one in absent]
        if guard.issued_from:
            parts.append(f"{self._name('dt')} >= {self._value({'S': guard.issued_from})}")
        if guard.period_from:
            parts.append(f"{self._name('pd')} >= {self._value({'S': guard.period_from})}")
        if guard.quiet_before is not None:
            quiet, limit = self._name("qu"), self._value(number(guard.quiet_before))
            parts.append(f"(attribute_not_exists({quiet}) OR {quiet} <= {limit})")
        return " AND ".join(parts)

    def update(self, change: Mapping[str, Any], part: str) -> str:
        sets = [f"{self._name('ver')} = {self._name('ver')} + {self._value(number(1))}"]
        removes: list[str] = []
        for name, value in change.items():
            if name == "log":
                log, entries = self._name("lg"), self._value(attribute("log", value))
                sets.append(f"{log} = list_append({log}, {entries})")
            elif name.startswith("keys."):
                path = f"{self._name('ks')}.{self._name(name.removeprefix('keys.'))}"
                sets.append(f"{path} = {self._value(strings(value))}")
            elif value is None:
                removes.append(self._name(NAMES[name]))
            else:
                sets.append(f"{self._name(NAMES[name])} = {self._value(attribute(name, value))}")
        if change.get("due_at") is not None:
            sets.append(f"{self._name('due_shard')} = {self._value({'S': part})}")
        return f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else "")

    def _name(self, attribute: str) -> str:
        placeholder = f"#{attribute}"
        self.names[placeholder] = attribute
        return placeholder

    def _value(self, value: Any) -> str:  # noqa: ANN401 — a DynamoDB attribute value
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value
        return placeholder

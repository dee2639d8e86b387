"""A head as a DynamoDB item (帳頭的儲存格式) and back, and the names of everything else the table keeps.

Attribute names are short because every byte is written twice. Two sparse indexes read a few of them: ``due`` finds
what has work to do (``DUE#n``) or an upload to confirm (``CONFIRM#n``); ``books`` lists a period's invoices by number.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from einvoice.errors import StoreUnavailable
from einvoice.model import Centre, OrderKey
from einvoice.store.base import Head, State

DUE_SHARDS = 32  # by merchant, so that one merchant's backlog hides few others
SCHEMA_VERSION = 1

#: attribute name by Head field
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
    "allowances": "al",
    "plans": "pl",
    "facts": "fx",
    "void_upload": "vu",
    "confirm_at": "cf",
    "told": "tn",
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
        "confirm_at",
        "sv",
    }
)
_JSON = frozenset({"refusal", "attention", "want", "facts", "told"})
_PACKED = frozenset({"payload", "past", "next", "allowances", "plans"})

#: what an index or another attribute is made of: only a write that knows the whole head may change it
_MADE_OF = frozenset({"allowances", "plans", "number", "period", "confirm_at"})

Item = dict[str, Any]
_CONFIRM = "CONFIRM#"


def check_blind(change: Mapping[str, Any]) -> None:
    """Raises ValueError for what a write without reading first cannot change; a mistake of ours."""
    wrong = _MADE_OF & set(change)
    if change.get("due_at", 0) is None:  # whether it then waits for the ministry, only the whole head says
        wrong |= {"due_at"}
    if wrong:
        raise ValueError(f"not without the whole head: {', '.join(sorted(wrong))}")


def item_key(key: OrderKey) -> Item:
    """The primary key of an order's head."""
    return {
        "pk": {"S": f"M#{key.merchant}#O#{len(key.source)}:{key.source}:{key.order_id}"},
        "sk": {"S": "H"},
    }


def item_of(head: Head) -> Item:
    """The head as an item; empty values are left out."""
    item = item_key(head.key)
    for name, short in NAMES.items():
        value = getattr(head, name)
        if name in {"keys", "log"} or value not in (None, "", {}, []):
            item[short] = attribute(name, value)
    if head.due_at is not None:
        item["due_shard"] = {"S": due_shard(head.key)}
    elif head.confirm_at is not None:
        item |= {"due_shard": {"S": due_shard(head.key, confirm=True)}, "due_at": number(head.confirm_at)}
    if head.number:
        item["bk"] = {"S": book(head.key.merchant, head.period)}
    # what a blind `begin` must know of the packed values
    if head.planned:
        item["po"] = number(1)
    if head.allowed_twd:
        item["aw"] = number(head.allowed_twd)
    if head.had_allowance:
        item["ha"] = number(1)
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
    if item.get("due_shard", {}).get("S", "").startswith(_CONFIRM):
        values.pop("due_at", None)  # the index's, not work's
    return Head(key=order_key(item["pk"]["S"]), **values)


def attribute(name: str, value: Any) -> Any:  # noqa: ANN401 — a Head field to an attribute value
    """One field of a head as an attribute value."""
    if name in _INTS:
        return number(value)
    if name in _JSON:
        return {"S": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}
    if name in _PACKED:
        return {"B": zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), 6)}
    if name == "centre":
        return strings([value.provider, value.account, value.credential_id])
    if name == "keys":
        return {"M": {operation: strings(pair) for operation, pair in value.items()}}
    if name == "log":
        return strings([json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in value])
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


def number(value: int) -> Item:
    """A whole number as an attribute value."""
    return {"N": str(value)}


def strings(values: list[str]) -> Item:
    """Texts as an attribute value."""
    return {"L": [{"S": value} for value in values]}


def _texts(attribute: Item) -> list[str]:
    return [entry["S"] for entry in attribute["L"]]


def order_key(pk: str) -> OrderKey:
    """The order whose primary key this is."""
    merchant, _, rest = pk.removeprefix("M#").partition("#O#")
    size, _, rest = rest.partition(":")
    return OrderKey(merchant, rest[: int(size)], rest[int(size) + 1 :])


def due_shard(key: OrderKey, *, confirm: bool = False) -> str:
    """Which part of the due index an order is in."""
    return shard(zlib.crc32(key.merchant.encode()) % DUE_SHARDS, confirm=confirm)


def shard(number: int, *, confirm: bool) -> str:
    """Name of one part of one of the two queues in the due index."""
    return f"{_CONFIRM if confirm else 'DUE#'}{number}"


def book(merchant: str, period: str) -> str:
    """Partition of the index ``books``: one merchant's invoices of one period."""
    return f"{merchant}#{period}"


def filed_key(merchant: str, period: str) -> Item:
    """Where the mark "this period was filed" is kept."""
    return {"pk": {"S": f"M#{merchant}"}, "sk": {"S": f"FILED#{period}"}}


def name_key(merchant: str, name: str) -> Item:
    """Where a name given to the outside is kept."""
    return {"pk": {"S": f"M#{merchant}"}, "sk": {"S": f"NAME#{name}"}}


def breaker_key(merchant: str, account: str) -> Item:
    """Where a centre account's ban is kept."""
    return {"pk": {"S": f"M#{merchant}"}, "sk": {"S": f"BRK#{account}"}}

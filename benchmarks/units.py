"""DynamoDB's own units: the size of an item and what writing it costs.

As the DynamoDB developer guide has them ("item sizes and formats", "read/write capacity units"). Engines on one machine
do not report them reliably, so they are computed from the items.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

WRITE_UNIT_BYTES = 1024
INDEX_KEYS = ("pk", "sk", "due_shard", "due_at")  # what the ledger's index `due` (KEYS_ONLY) holds of an item

Item = Mapping[str, Mapping[str, Any]]


def item_bytes(item: Item) -> int:
    """Bytes of an item as the SDK hands it out (binary values as bytes): names and values.

    >>> item_bytes({"pk": {"S": "發票"}, "n": {"N": "1234"}})
    12
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(before: Item | None, after: Item | None) -> int:
    """Units of one write that leaves ``after`` (None: a refused write) where ``before`` stood, its index included.

    >>> write_units(None, {"pk": {"S": "a"}, "sk": {"S": "H"}, "due_shard": {"S": "x"}, "due_at": {"N": "1"}})
    2
    """
    if after is None:
        return _units(before)
    return max(_units(before), _units(after)) + _index_units(_projected(before), _projected(after))


def _index_units(before: Item | None, after: Item | None) -> int:
    """Entering or leaving the index is one write, a changed key is both."""
    return 0 if before == after else (before is not None) + (after is not None)


def _projected(item: Item | None) -> Item | None:
    if item is None or "due_shard" not in item or "due_at" not in item:
        return None
    return {name: item[name] for name in INDEX_KEYS}


def _units(item: Item | None) -> int:
    return max(1, math.ceil(item_bytes(item or {}) / WRITE_UNIT_BYTES))


def _value_bytes(value: Mapping[str, Any]) -> int:
    kind: str
    content: Any
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(str(content).encode())
        case "N":
            digits = str(content).lstrip("-").replace(".", "").strip("0")
            return math.ceil(max(len(digits), 1) / 2) + 1 + str(content).startswith("-")
        case "B":
            return len(content)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value_bytes(entry) for entry in content)
        case "M":
            return 3 + len(content) + item_bytes(content)
        case _:
            raise ValueError(f"an attribute of kind {kind} is not among ours")

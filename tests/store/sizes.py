"""How large a head's item is (項目大小)."""

from __future__ import annotations

from typing import Any

from einvoice.store.base import Head
from einvoice.store.items import item_of


def _bytes(value: Any) -> int:
    """Size of an attribute value, roughly as DynamoDB bills it: names and values as UTF-8, numbers by digit pairs."""
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "N":
            return len(inner) // 2 + 2
        case "B":
            return len(inner)
        case "M":
            return 3 + sum(len(name.encode()) + _bytes(part) + 1 for name, part in inner.items())
        case _:
            return 3 + sum(_bytes(part) + 1 for part in inner)


def item_bytes(head: Head) -> int:
    """Size of the head's item."""
    return sum(len(name) + _bytes(value) for name, value in item_of(head).items())

"""The ledger in memory: for the simulation only, held to the same contract suite as DynamoDB."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from einvoice.model import OrderKey
from einvoice.store.base import Breaker, Guard, Head


class MemoryStore:
    """``Store`` in a dictionary; heads are frozen, so sharing them is safe."""

    def __init__(self) -> None:
        self.heads: dict[OrderKey, Head] = {}
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._lock = threading.Lock()

    def create(self, head: Head) -> Head | None:
        """See Store.create."""
        with self._lock:
            standing = self.heads.setdefault(head.key, head)
        return None if standing.op == head.op else standing

    def read(self, key: OrderKey) -> Head | None:
        """See Store.read."""
        return self.heads.get(key)

    def replace(self, head: Head) -> Head | None:
        """See Store.replace."""
        with self._lock:
            standing = self.heads.get(head.key)
            if standing is None:
                return replace(head, write_id="", op="")
            if standing.ver == head.ver - 1:
                self.heads[head.key] = head
                return None
        return None if standing.write_id == head.write_id else standing

    def begin(self, key: OrderKey, guard: Guard, change: Mapping[str, Any]) -> tuple[bool, Head | None]:
        """See Store.begin."""
        with self._lock:
            standing = self.heads.get(key)
            if standing is None:
                return False, None
            if not _holds(guard, standing) or standing.write_id == change["write_id"]:
                ours = standing.op == change["op"] if "op" in change else standing.write_id == change["write_id"]
                return ours, standing
            self.heads[key] = _changed(standing, change)
            return True, self.heads[key]

    def due(self, now: int, limit: int) -> list[OrderKey]:
        """See Store.due."""
        heads = [head for head in self.heads.values() if head.due_at is not None and head.due_at <= now]
        return [head.key for head in sorted(heads, key=lambda head: (head.due_at or 0, head.relate_number))[:limit]]

    def read_breaker(self, merchant: str, account: str) -> Breaker | None:
        """See Store.read_breaker."""
        return self._breakers.get((merchant, account))

    def open_breaker(self, merchant: str, account: str, breaker: Breaker) -> None:
        """See Store.open_breaker."""
        with self._lock:
            standing = self._breakers.get((merchant, account))
            if standing is None or standing.until < breaker.until:
                self._breakers[(merchant, account)] = breaker


def _holds(guard: Guard, head: Head) -> bool:
    return (
        head.state in guard.states
        and head.generation == guard.generation
        and not (guard.calm and head.attention)
        and not (guard.period_from and head.period < guard.period_from)
        and not (guard.quiet_before is not None and (head.quiet_until or 0) > guard.quiet_before)
    )


def _changed(head: Head, change: Mapping[str, Any]) -> Head:
    values: dict[str, Any] = {"ver": head.ver + 1, "keys": dict(head.keys), "log": list(head.log)}
    for name, value in change.items():
        if name == "log":
            values["log"] += value
        elif name.startswith("keys."):
            values["keys"][name.removeprefix("keys.")] = value
        else:
            values[name] = value
    return replace(head, **values)

"""The ledger in memory: for the simulation only, held to the same contract suite as DynamoDB."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from einvoice.model import OrderKey
from einvoice.store.base import Breaker, Guard, Head
from einvoice.store.items import check_blind


class MemoryStore:
    """``Store`` in a dictionary; heads are frozen, so sharing them is safe."""

    def __init__(self) -> None:
        self.heads: dict[OrderKey, Head] = {}
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._filed: dict[tuple[str, str], int] = {}
        self._names: dict[tuple[str, str], OrderKey] = {}
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
        check_blind(change)
        with self._lock:
            standing = self.heads.get(key)
            if standing is None:
                return False, None
            if not _holds(guard, standing) or standing.write_id == change["write_id"]:
                ours = standing.op == change["op"] if "op" in change else standing.write_id == change["write_id"]
                return ours, standing
            self.heads[key] = _changed(standing, change)
            return True, self.heads[key]

    def due(self, now: int, limit: int, *, confirm: bool = False) -> list[OrderKey]:
        """See Store.due."""
        times = [(_queued(head, confirm=confirm), head) for head in self.heads.values()]
        due = [(at, head.relate_number, head.key) for at, head in times if at is not None and at <= now]
        return [key for _, _, key in sorted(due, key=lambda entry: entry[:2])[:limit]]

    def booked(self, merchant: str, period: str, after: str, limit: int) -> list[tuple[str, OrderKey]]:
        """See Store.booked."""
        mine = (head for head in self.heads.values() if head.key.merchant == merchant and head.period == period)
        return sorted((head.number, head.key) for head in mine if head.number > after)[:limit]

    def read_many(self, keys: Sequence[OrderKey]) -> list[Head]:
        """See Store.read_many."""
        return [self.heads[key] for key in dict.fromkeys(keys) if key in self.heads]

    def filed_at(self, merchant: str, period: str) -> int | None:
        """See Store.filed_at."""
        return self._filed.get((merchant, period))

    def mark_filed(self, merchant: str, period: str, at: int) -> int:
        """See Store.mark_filed."""
        return self._filed.setdefault((merchant, period), at)

    def remember(self, merchant: str, name: str, key: OrderKey) -> None:
        """See Store.remember."""
        self._names[(merchant, name)] = key

    def recall(self, merchant: str, name: str) -> OrderKey | None:
        """See Store.recall."""
        return self._names.get((merchant, name))

    def read_breaker(self, merchant: str, account: str) -> Breaker | None:
        """See Store.read_breaker."""
        return self._breakers.get((merchant, account))

    def open_breaker(self, merchant: str, account: str, breaker: Breaker) -> None:
        """See Store.open_breaker."""
        with self._lock:
            standing = self._breakers.get((merchant, account))
            if standing is None or standing.until < breaker.until:
                self._breakers[(merchant, account)] = breaker


def _queued(head: Head, *, confirm: bool) -> int | None:
    """When this head is due in one of the two queues; what has work to do is in that one only."""
    if head.due_at is not None:
        return None if confirm else head.due_at
    return head.confirm_at if confirm else None


def _holds(guard: Guard, head: Head) -> bool:
    return (
        head.state in guard.states
        and head.generation == guard.generation
        and not (guard.calm and (head.attention or head.planned))
        and not (guard.allowances == "no_living" and head.allowed_twd)
        and not (guard.allowances == "never" and head.had_allowance)
        and not (guard.factless and head.facts)
        and not (guard.issued_from and head.issued_at < guard.issued_from)
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

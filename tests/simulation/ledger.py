"""The ledger (帳本) over a faulty network: the product's own MemoryStore, with DynamoDB's ways to fail before it.

A write and its answer travel apart: a write may be lost, land late (120 s), land without an answer, or be repeated by
the SDK, which then meets itself. StoreUnavailable says only that nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from einvoice.errors import StoreUnavailable
from einvoice.model import OrderKey
from einvoice.store.base import Breaker, Guard, Head
from einvoice.store.memory import MemoryStore
from tests.simulation.engine import Actor, World

WRITE_FAULTS = (
    "db_crash_before", "db_crash_after", "db_lost", "db_late", "db_answer_lost", "db_sdk_retry", "db_late_and_retry",
)
READ_FAULTS = ("db_crash_before", "db_lost")
LATE_S = 120.0
WEIGHT = 0.5  # there are many more calls to the ledger than to a centre
KNOWN_SCHEMA = {"old": 1, "new": 2}  # what the code of each age can read


class Ledger:
    """The one table: keeps the heads, tells ``watch`` of every change, and can be restored to an older copy."""

    def __init__(self, world: World, watch: Callable[[Head | None, Head | None], None]) -> None:
        self.world, self.watch = world, watch
        self.memory = MemoryStore()
        self.epoch = 0
        self.filed: dict[tuple[str, str], float] = {}  # since when, in truth, the ledger says so

    def apply(self, key: OrderKey, write: Callable[[], Any]) -> Any:
        """Carry out one write and tell the checker what it changed."""
        before = self.memory.heads.get(key)
        result = write()
        after = self.memory.heads.get(key)
        if after is not before:
            self.watch(before, after)
        return result

    def restore(self, key: OrderKey, head: Head | None) -> None:
        """An older copy takes the table's place; writes on their way to the old one are lost with it."""
        self.epoch += 1
        if head is None:
            self.memory.heads.pop(key, None)
        else:
            self.memory.heads[key] = head


class FaultyStore:
    """``Store`` as one worker reaches it; ``code`` says whether that worker runs the old or the new release."""

    def __init__(self, actor: Actor, ledger: Ledger, code: str = "") -> None:
        self.actor, self.ledger, self.code = actor, ledger, code

    def create(self, head: Head) -> Head | None:
        """See Store.create."""
        head = self._stamped(head)
        return self._seen(self._write(head.key, "create", lambda: self.ledger.memory.create(head), head))

    def read(self, key: OrderKey) -> Head | None:
        """See Store.read."""
        self._ask()
        return self._seen(self.ledger.memory.read(key))

    def replace(self, head: Head) -> Head | None:
        """See Store.replace."""
        head = self._stamped(head)
        return self._seen(self._write(head.key, "replace", lambda: self.ledger.memory.replace(head), head))

    def begin(self, key: OrderKey, guard: Guard, change: Mapping[str, Any]) -> tuple[bool, Head | None]:
        """See Store.begin."""
        ok, head = self._write(key, "begin", lambda: self.ledger.memory.begin(key, guard, change), change)
        return ok, self._seen(head)

    def due(self, now: int, limit: int, *, confirm: bool = False) -> list[OrderKey]:
        """See Store.due."""
        return self.ledger.memory.due(now, limit, confirm=confirm)

    def booked(self, merchant: str, period: str, after: str, limit: int) -> list[tuple[str, OrderKey]]:
        """See Store.booked."""
        return self.ledger.memory.booked(merchant, period, after, limit)

    def filed_at(self, merchant: str, period: str) -> int | None:
        """See Store.filed_at."""
        self._ask()
        return self.ledger.memory.filed_at(merchant, period)

    def mark_filed(self, merchant: str, period: str, at: int) -> int:
        """See Store.mark_filed."""
        self._ask()
        self.ledger.filed.setdefault((merchant, period), self.actor.world.t)
        return self.ledger.memory.mark_filed(merchant, period, at)

    def remember(self, merchant: str, name: str, key: OrderKey) -> None:
        """See Store.remember."""
        self._ask()
        self.ledger.memory.remember(merchant, name, key)

    def recall(self, merchant: str, name: str) -> OrderKey | None:
        """See Store.recall."""
        self._ask()
        return self.ledger.memory.recall(merchant, name)

    def read_breaker(self, merchant: str, account: str) -> Breaker | None:
        """See Store.read_breaker."""
        self._ask()
        return self.ledger.memory.read_breaker(merchant, account)

    def open_breaker(self, merchant: str, account: str, breaker: Breaker) -> None:
        """See Store.open_breaker."""
        self._ask()
        self.ledger.memory.open_breaker(merchant, account, breaker)

    def _ask(self) -> None:
        actor = self.actor
        match actor.fault(READ_FAULTS, WEIGHT):
            case "db_crash_before":
                actor.crash()
            case "db_lost":
                actor.sleep(actor.rng.between(3, 11))
                raise StoreUnavailable("simulated")
            case _:
                actor.sleep(0.004 + 0.01 * actor.rng.random())

    def _write(  # noqa: C901 — one case per fault of the catalogue
        self, key: OrderKey, what: str, write: Callable[[], Any], detail: Any
    ) -> Any:
        actor, world = self.actor, self.actor.world
        fault = actor.fault(WRITE_FAULTS, WEIGHT)
        epoch = self.ledger.epoch

        def land() -> Any:
            if self.ledger.epoch != epoch:  # it was on its way to a table that no longer counts
                raise StoreUnavailable("simulated restore")
            result = self.ledger.apply(key, write)
            if world.trace is not None:
                world.say(actor.name, f"{what} {_short(detail)} -> {_outcome(what, result)}")
            return result

        def land_late() -> None:
            if self.ledger.epoch == epoch:
                land()

        if fault is None:
            actor.sleep(0.004 + 0.01 * actor.rng.random())
            result = land()
            actor.sleep(0.002)
            return result
        if fault == "db_crash_before":
            actor.crash()
        if fault == "db_crash_after":
            world.at(world.t + 0.005, land_late)
            actor.crash()
        if fault in ("db_late", "db_late_and_retry"):
            world.at(world.t + actor.rng.between(1, LATE_S), land_late)
        if fault in ("db_answer_lost", "db_sdk_retry"):
            actor.sleep(0.01)
            land()
        if fault in ("db_sdk_retry", "db_late_and_retry"):
            actor.sleep(actor.rng.between(0.5, 4))
            return land()
        actor.sleep(actor.rng.between(3, 11))
        raise StoreUnavailable("simulated")

    def _stamped(self, head: Head) -> Head:
        """New code marks what it writes; old code passes on what it read, which is never newer than itself."""
        return replace(head, sv=KNOWN_SCHEMA[self.code]) if self.code else head

    def _seen(self, head: Head | None) -> Head | None:
        """What DynamoStore does: an item of newer code is left to that code."""
        if self.code and head is not None and head.sv > KNOWN_SCHEMA[self.code]:
            raise StoreUnavailable("item of a newer schema")
        return head


def _short(detail: Any) -> str:
    if isinstance(detail, Head):
        return (
            f"{detail.state} g{detail.generation} v{detail.ver} op={detail.op} sent={detail.sent_at} "
            f"settle={detail.settle_until} quiet={detail.quiet_until} due={detail.due_at} cause={detail.cause}"
            f"{' ATTENTION ' + str(detail.attention) if detail.attention else ''}"
            f"{' want=' + detail.want['kind'] if detail.want else ''}"
        )
    return ", ".join(f"{name}={detail[name]}" for name in ("state", "op", "want", "quiet_until") if name in detail)


def _outcome(what: str, result: Any) -> str:
    if what == "begin":
        ok, head = result
        return f"{'ok' if ok else 'NO'} {head.state if head else None}"
    return "ok" if result is None else f"NO, stands {result.state} g{result.generation} v{result.ver} op={result.op}"

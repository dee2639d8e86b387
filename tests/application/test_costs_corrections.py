"""What a correction costs: every call to DynamoDB and to the centre, counted where the clients send them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from einvoice import wiring
from einvoice.application.confirm import confirm_one
from einvoice.application.ports import Work
from einvoice.application.recover import recover_one
from tests.service import Service, company, order

READ, WRITE = "GetItem", "PutItem"
FILED = 2  # after the period: whether it, or its odd month, was filed is read for every decision, never remembered
WORK = Work("cost", ends_at=10.0**12, lease_s=35)
COMPANY = {
    "goal": "correct",
    "reason": "補統一編號",
    "corrections": {
        "buyer": {"ubn": "53212539", "name": "測試公司", "address": "測試路 1 號"},
        "print": True,
        "carrier": None,
    },
    "evidence": {"consent": {"note": "客服單 88"}},
}


@dataclass
class Cost:
    """What was called, in order: of the table, of the centre."""

    table: list[str] = field(default_factory=list)
    centre: list[str] = field(default_factory=list)

    @property
    def reads_and_writes(self) -> tuple[int, int]:
        """How often an item was read and written; anything else has no place here."""
        assert set(self.table) <= {READ, WRITE, "UpdateItem"}
        reads = self.table.count(READ)
        return reads, len(self.table) - reads


Counted = Callable[[], AbstractContextManager[Cost]]


@pytest.fixture
def counted(service: Service) -> Counted:
    """Count while a block runs; settings, credential, ban and filed period of the moment are read before."""
    events = wiring.ports().store._client.meta.events

    @contextmanager
    def counting() -> Iterator[Cost]:
        cost = Cost()

        def seen(model: Any, **_: Any) -> None:
            cost.table.append(model.name)

        before = len(service.sim.calls())
        events.register("before-call.dynamodb", seen)
        try:
            yield cost
        finally:
            events.unregister("before-call.dynamodb", seen)
        cost.centre += [str(call["op"]) for call in service.sim.calls()[before:]]

    return counting


def issued(service: Service, body: dict[str, Any] | None = None) -> str:
    """The id of an invoice that the ministry confirmed; this container's caches are warm."""
    answer = service.issue(body or order())
    service.confirm_now(answer.body["order_id"])
    return str(answer.body["id"])


def refund(refund_id: str = "R-1", amount_twd: int = 100) -> dict[str, Any]:
    """A refund of a sum."""
    return {"reason": "退貨", "refund_id": refund_id, "amount_twd": amount_twd}


def test_an_allowance(service: Service, counted: Counted) -> None:
    """One read, two writes, one call: the plan with its intent, and what came of it, which ends the plan."""
    invoice = issued(service)
    with counted() as cost:
        assert service.allow(invoice, refund()).status == 201
    assert (cost.table, cost.centre) == ([READ, WRITE, WRITE], ["Allowance"])


def test_an_allowance_asked_for_again(service: Service, counted: Counted) -> None:
    """A repeat is one read, however often."""
    invoice = issued(service)
    service.allow(invoice, refund())
    with counted() as cost:
        assert service.allow(invoice, refund()).status == 200
    assert (cost.table, cost.centre) == ([READ], [])


def test_the_void_of_an_allowance(service: Service, counted: Counted) -> None:
    """As an allowance."""
    made = service.allow(issued(service), refund()).body["allowances"][0]
    service.confirm_now("1001")
    with counted() as cost:
        assert service.void_allowance(made["id"]).status == 201
    assert (cost.table, cost.centre) == ([READ, WRITE, WRITE], ["AllowanceInvalid"])


def test_a_cancellation(service: Service, counted: Counted) -> None:
    """The void that the rules choose costs what an allowance does; a plain POST …/void has no read."""
    issued(service)
    with counted() as cost:
        assert service.correct("1001", {"goal": "cancel", "reason": "取消"}).status == 201
    assert (cost.table, cost.centre) == ([READ, WRITE, WRITE], ["Invalid"])
    other = issued(service, order("1002"))
    with counted() as cost:
        assert service.void(other).status in (200, 201)
    assert (cost.table, cost.centre) == (["UpdateItem", WRITE], ["Invalid"])


def test_a_correction_across_periods(service: Service, counted: Counted) -> None:
    """Allowance, the ministry's answer, new invoice: nothing is looked up twice in one step, and nothing is polled."""
    issued(service)
    service.sim.move_clock(now=datetime.fromisoformat("2026-05-14T10:00:00+08:00"))
    service.issue(order("warm"))
    with counted() as begun:
        assert service.correct("1001", COMPANY).status == 202
    head = service.head("1001")
    due = replace(head, ver=head.ver + 1, write_id="due", confirm_at=1)
    assert wiring.ports().store.replace(due) is None
    with counted() as asked:
        assert confirm_one(wiring.ports(), WORK, due.key).outcome == "confirmed"
    with counted() as ended:
        assert recover_one(wiring.ports(), WORK, due.key).outcome == "resting"
    head = service.head("1001")
    assert (head.generation, head.plans[0]["status"]) == (2, "done")
    numbers = "GetInvoiceWordSetting"  # asked before each step that a new invoice depends on
    assert begun.centre == [numbers, "Allowance"]
    assert begun.reads_and_writes == (1 + FILED * 2, 3)  # plan with intent, allowance, wait
    assert asked.centre == ["GetAllowanceList"]
    assert asked.reads_and_writes == (1, 1)
    assert ended.centre == [numbers, "Issue"]
    assert ended.reads_and_writes == (1 + FILED, 3)  # taken over, intent, invoice


def test_a_dry_run(service: Service, counted: Counted) -> None:
    """What is only asked writes nothing, and asks the centre only where a number would be needed."""
    issued(service)
    with counted() as cost:
        body = {"goal": "refund", "reason": "退貨", "refund": {"amount_twd": 100}, "dry_run": True}
        assert service.correct("1001", body).status == 200
    assert (cost.table, cost.centre) == ([READ], [])
    with counted() as cost:
        assert service.correct("1001", COMPANY | {"dry_run": True}).status == 200
    assert (cost.table, cost.centre) == ([READ], ["GetInvoiceWordSetting"])


def test_facts(service: Service, counted: Counted) -> None:
    """One read, one write; where a correction waited for them, what it does then comes on top."""
    issued(service, company())
    with counted() as cost:
        assert service.record("2001", {"claimed": {}}).status == 200
    assert (cost.table, cost.centre) == ([READ, WRITE], [])


def test_what_is_refused_costs_a_read(service: Service, counted: Counted) -> None:
    """A refund of more than there is, of an order that is not there: nothing is written or sent."""
    invoice = issued(service)
    with counted() as cost:
        assert service.allow(invoice, refund(amount_twd=2_000)).status == 422
        assert service.correct("no such order", {"goal": "cancel", "reason": "取消"}).status == 404
    assert (cost.table, cost.centre) == ([READ, READ], [])

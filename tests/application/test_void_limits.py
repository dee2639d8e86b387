"""What closes a void closes it on every way there (作廢的界限): filings, cut-offs and what people recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.service import MERCHANT, Service, company, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID = invoice_id(KEY, 1)
CHANGED = {"reason": "更正備註", "corrections": {"remark": "更正"}}
CANCEL_MESSAGE = {"command": "void", "order_id": "1001", "reason": "訂單取消"}
CHANGES = ("Invalid", "Allowance", "VoidWithReIssue")
CACHES_S = 400  # longer than a merchant's settings are remembered

Configure = Callable[..., None]


def at(service: Service, instant: str) -> None:
    """Move the clock there."""
    service.sim.move_clock(now=service.now().fromisoformat(instant))


def filed_monthly(service: Service, configure: Configure) -> None:
    """An invoice of January, whose month was filed on the 5th of February."""
    configure(filing="monthly")
    service.sold(order(), "2026-01-15T10:00:00+08:00")
    at(service, "2026-02-05T10:00:00+08:00")
    assert service.file("11501").status == 200


def cut_off_monthly(service: Service, configure: Configure) -> None:
    """An invoice of January in late February: the month's cut-off is over, though the period runs on."""
    configure(filing="monthly")
    service.sold(order(), "2026-01-15T10:00:00+08:00")
    at(service, "2026-02-14T00:00:01+08:00")


def filed_bimonthly(service: Service, configure: Configure) -> None:
    """An invoice of February whose period was filed before the centre's cut-off."""
    configure(reissue_scope="until_cutoff")
    service.sold(order(), "2026-02-15T10:00:00+08:00")
    at(service, "2026-03-05T10:00:00+08:00")
    assert service.file("11502").status == 200


def filed_by_the_month_before_a_change(service: Service, configure: Configure) -> None:
    """January was filed by itself; since then the merchant files every two months."""
    filed_monthly(service, configure)
    configure()
    service.advance(CACHES_S)


def filed_by_the_period_before_a_change(service: Service, configure: Configure) -> None:
    """January and February were filed together; since then the merchant files every month."""
    service.sold(order(), "2026-02-15T10:00:00+08:00")
    at(service, "2026-03-05T10:00:00+08:00")
    assert service.file("11502").status == 200
    configure(filing="monthly", reissue_scope="until_cutoff")
    service.advance(CACHES_S)


CLOSED = [
    filed_monthly,
    cut_off_monthly,
    filed_bimonthly,
    filed_by_the_month_before_a_change,
    filed_by_the_period_before_a_change,
]
Closed = Callable[[Service, Configure], None]


def nothing_was_sent(service: Service) -> None:
    """The invoice lives, and the centre was asked for no change of it."""
    assert service.living("1001") == [service.head("1001").number]
    assert [op for op in CHANGES if service.sim.calls(op=op)] == []
    assert len(service.sim.calls(op="Issue")) == 1


@pytest.mark.parametrize("closed", CLOSED)
def test_a_closed_void_is_refused_and_so_is_the_reissue_that_begins_with_one(
    service: Service, configure: Configure, closed: Closed
) -> None:
    """Both 422 with the way that is left; the reissue is not begun and taken back."""
    closed(service, configure)
    void, reissue = service.void(ID), service.reissue(ID, CHANGED)
    assert (void.status, void.body["code"], void.body["next_action"]) == (422, "VOID_WINDOW_CLOSED", "USE_ALLOWANCE")
    assert (reissue.status, reissue.body["code"], reissue.body["next_action"]) == (
        422, "CROSS_PERIOD", "USE_ALLOWANCE",
    )
    assert [entry["event"] for entry in service.head("1001").log if "void" in entry["event"]] == []
    nothing_was_sent(service)


@pytest.mark.parametrize("closed", CLOSED)
def test_a_cancellation_by_queue_of_a_closed_void_is_an_allowance(
    service: Service, configure: Configure, closed: Closed
) -> None:
    """The platform's message is carried out in the lawful way."""
    closed(service, configure)
    assert service.messages("void", CANCEL_MESSAGE) == []
    service.go_on(2)
    assert [one["amount"] for one in service.sim.allowances()] == [1050]
    assert service.sim.calls(op="Invalid") == []


@pytest.mark.parametrize("closed", CLOSED)
def test_the_correction_of_a_closed_void_begins_with_an_allowance(
    service: Service, configure: Configure, closed: Closed
) -> None:
    """The same limits for the engine as for /void and /reissue."""
    closed(service, configure)
    wish = {"goal": "correct", "dry_run": True, **CHANGED}
    steps = service.correct("1001", wish).body["decision"]["steps"]
    assert [step["do"] for step in steps] == ["allow", "issue"]


def test_a_month_that_was_not_filed_stays_open_after_a_change(service: Service, configure: Configure) -> None:
    """January was filed by itself: an invoice of February is void as ever."""
    filed_by_the_month_before_a_change(service, configure)
    service.sold(order("1002"))
    assert service.void(invoice_id(OrderKey(MERCHANT, "api", "1002"), 1)).status == 201


# --- closed while it was under way -----------------------------------------------------------------------------------


def closed_while_under_way(service: Service, configure: Configure, how: str) -> None:
    """The first packet of a change of January's invoice was lost; then the month is filed, or cut off."""
    configure(filing="monthly")
    service.sold(order(), "2026-01-31T10:00:00+08:00")
    at(service, "2026-02-13T23:30:00+08:00")
    service.sim.fault("drop_before", op="Invalid")
    change: Any = service.void(ID) if how.startswith("void") else service.reissue(ID, CHANGED)
    assert change.status == 202
    if how.endswith("filed"):
        assert service.file("11501").status == 200
    else:
        at(service, "2026-02-14T00:00:05+08:00")


@pytest.mark.parametrize("how", ["void filed", "void cut off"])
def test_a_void_that_is_taken_up_after_its_end_is_not_sent_again(
    service: Service, configure: Configure, how: str
) -> None:
    """The invoice lives on and a person is told why."""
    closed_while_under_way(service, configure, how)
    service.settle(10, 400)
    head = service.head("1001")
    assert (head.state, head.attention["cause"]) == (State.ISSUED, "VOID_WINDOW_CLOSED")
    assert service.living("1001") == [head.number]
    assert len(service.sim.calls(op="Invalid")) == 1


@pytest.mark.parametrize("how", ["reissue filed", "reissue cut off"])
def test_a_reissue_that_is_taken_up_after_its_end_is_not_sent_again(
    service: Service, configure: Configure, how: str
) -> None:
    """Nothing was void yet: the old invoice lives on, and no new one is issued."""
    closed_while_under_way(service, configure, how)
    service.settle(10, 400)
    assert service.head("1001").state is State.ISSUED
    assert service.living("1001") == [service.head("1001").number]
    assert (len(service.sim.calls(op="Invalid")), len(service.sim.calls(op="Issue"))) == (1, 1)


def test_a_void_that_had_arrived_before_its_end_counts(service: Service, configure: Configure) -> None:
    """Only its answer was lost: found, not sent again, and void."""
    configure(filing="monthly")
    service.sold(order(), "2026-01-31T10:00:00+08:00")
    at(service, "2026-02-13T23:55:00+08:00")
    service.sim.fault("drop_after", op="Invalid")
    service.sim.fault("http_500_before", op="GetIssue")
    assert service.void(ID).status == 202
    at(service, "2026-02-14T00:00:05+08:00")
    service.settle(10, 400)
    assert (service.head("1001").state, service.living("1001")) == (State.VOIDED, [])


@pytest.mark.parametrize("filed", [True, False])
def test_a_wish_to_cancel_that_comes_too_late_for_a_void_is_an_allowance(
    service: Service, configure: Configure, *, filed: bool
) -> None:
    """Cancelled while the issue's fate was unknown, found out in the next month, filed or cut off."""
    configure(filing="monthly")
    at(service, "2026-01-31T23:00:00+08:00")
    service.sim.fault("drop_after", op="Issue")
    service.sim.fault("http_500_before", op="GetIssue")
    assert service.issue(order()).status == 202
    assert service.messages("void", CANCEL_MESSAGE) == []
    at(service, "2026-02-05T10:00:00+08:00" if filed else "2026-02-20T10:00:00+08:00")
    if filed:
        assert service.file("11501").status == 200
    service.settle(10, 300)
    service.go_on(14)
    assert [one["amount"] for one in service.sim.allowances()] == [1050]
    assert service.sim.calls(op="Invalid") == []


# --- what people recorded --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "status", "sent"),
    [("paper_back", "done", {"Invalid"}), ("redeemed", "stopped", set()), ("government", "stopped", set())],
)
def test_a_void_where_something_was_recorded_is_the_corrections(
    service: Service, fact: str, status: str, sent: set[str]
) -> None:
    """Neither /void nor /reissue weighs facts, so neither acts; the queue's cancellation goes the way they allow."""
    service.sold(order())
    service.record("1001", {fact: {"note": "櫃台登錄"}})
    answers = [service.void(ID), service.reissue(ID, CHANGED)]
    assert [(one.status, one.body["code"]) for one in answers] == [(422, "FACTS_RECORDED")] * 2
    nothing_was_sent(service)
    assert service.messages("void", CANCEL_MESSAGE) == []
    service.go_on(2)
    (plan,) = service.order("1001").body["corrections"]
    assert (plan["status"], {op for op in CHANGES if service.sim.calls(op=op)}) == (status, sent)


def test_a_claimed_invoice_is_allowed_and_not_void(service: Service) -> None:
    """The buyer deducted the tax already: /void says that this is not for it, the cancellation allows the whole."""
    service.sold(company("1001"))
    service.record("1001", {"claimed": {"note": "已申報扣抵"}, "consent": {"note": "來信同意"}})
    assert service.void(ID).body["code"] == "FACTS_RECORDED"
    assert service.messages("void", CANCEL_MESSAGE) == []
    assert [one["amount"] for one in service.sim.allowances()] == [1050]
    assert service.sim.calls(op="Invalid") == []


def test_a_fact_that_was_taken_back_is_in_nobodys_way(service: Service) -> None:
    """Recorded by mistake and taken back: the plain void is as plain as before."""
    service.sold(order())
    service.record("1001", {"redeemed": {"note": "誤登"}})
    service.record("1001", {"redeemed": None})
    assert service.void(ID).status == 201


def test_a_wish_meets_the_facts_that_were_recorded_since(service: Service) -> None:
    """Cancelled on its way, the prize redeemed before it was found: no void is sent."""
    service.sim.fault("drop_after", op="Issue")
    service.sim.fault("http_500_before", op="GetIssue")
    assert service.issue(order()).status == 202
    assert service.messages("void", CANCEL_MESSAGE) == []
    service.record("1001", {"redeemed": {"note": "已兌獎"}})
    service.settle(10, 300)
    service.go_on(2)
    (plan,) = service.order("1001").body["corrections"]
    assert (plan["status"], plan["cause"]) == ("stopped", "PRIZE_REDEEMED")
    assert service.living("1001") == [service.head("1001").number]
    assert service.sim.calls(op="Invalid") == []

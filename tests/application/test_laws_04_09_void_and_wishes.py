"""Void: sent again only after its quiet time; a wish that cannot be done yet is kept and done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.providers.ecpay.provider import EcpayProvider
from einvoice.store.base import State
from tests.service import MERCHANT, Service, company, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID = invoice_id(KEY, 1)
CORRECTION = {"reason": "更正備註", "corrections": {"remark": "更正"}}


def cancel(service: Service, **more: str) -> list[str]:
    """The void message a platform's adapter sends."""
    return service.messages("void", {"command": "void", "order_id": "1001", "reason": "訂單取消", **more})


def test_04_a_void_whose_answer_was_lost_is_found_done(service: Service) -> None:
    """Committed, no answer: the look-up in the same request finds it void."""
    service.issue(order())
    service.sim.fault("drop_after", op="Invalid")
    assert service.void(ID).body["state"] == "VOIDED"
    assert len(service.sim.calls(op="Invalid")) == 1


def test_04_an_unanswered_void_is_sent_again_only_after_its_quiet_time(service: Service) -> None:
    """Looked at before, however often it is asked for; sent again when no packet of it can land any more."""
    service.issue(order())
    service.sim.fault("drop_before", op="Invalid")
    answer = service.void(ID)
    assert (answer.status, answer.body["state"]) == (202, "VOIDING")
    quiet_until = service.head("1001").quiet_until
    assert quiet_until is not None
    while service.now().timestamp() + 310 < quiet_until:
        service.recover(300)
        assert service.void(ID).status == 202
        assert len(service.sim.calls(op="Invalid")) == 1
    assert service.head("1001").state is State.VOIDING
    service.settle(4, 310)
    assert service.head("1001").state is State.VOIDED
    assert len(service.sim.calls(op="Invalid")) == 2


def test_04_a_late_void_is_adopted_and_not_repeated(service: Service) -> None:
    """The packet lands ten minutes later: the next look finds the invoice void."""
    service.issue(order())
    service.sim.fault("late_arrival", op="Invalid", seconds=500.0)
    assert service.void(ID).status == 202
    service.settle(8, 300)
    assert service.head("1001").state is State.VOIDED
    assert [call["arrived_late"] for call in service.sim.calls(op="Invalid")] == [False, True]


def test_04_a_void_the_centre_had_done_already_is_done(service: Service) -> None:
    """Voided in the centre's back office: our void is a success."""
    service.issue(order())
    with service.sim.world.lock:
        next(iter(service.sim.world.invoices.values())).voided = service.now()
    assert service.void(ID).status == 201


def test_04_a_definite_refusal_leaves_the_invoice_as_it_is(service: Service) -> None:
    """A void the centre refuses for certain: 422, the invoice lives on and may be voided later."""
    service.issue(order())
    with service.sim.world.lock:
        next(iter(service.sim.world.invoices.values())).reissued = service.now()
    answer = service.void(ID)
    assert (answer.status, answer.body["code"], answer.body["next_action"]) == (422, "NOT_UPLOADED", "WAIT")
    assert service.invoice(ID).body["state"] == "ISSUED"
    assert service.head("1001").quiet_until is None


def test_09_a_direct_void_of_an_order_on_its_way_waits(service: Service) -> None:
    """409 with Retry-After; nothing about the order changes."""
    service.sim.fault("drop_before", op="Issue")
    service.issue(order())
    before = service.head("1001")
    answer = service.void(ID)
    assert (answer.status, answer.body["code"]) == (409, "ORDER_IN_PROGRESS")
    assert int(answer.headers["retry-after"]) >= 5
    assert service.head("1001") == before


def test_09_a_queued_void_of_an_order_on_its_way_is_kept_and_done(service: Service) -> None:
    """Cancelled while the issue's fate is unknown: the invoice that turns up is voided, nobody asks again."""
    service.sim.fault("late_arrival", op="Issue", seconds=300.0)
    service.issue(order())
    assert cancel(service) == []
    assert service.head("1001").want["kind"] == "cancelled"
    service.settle(20, 200)
    assert service.head("1001").state is State.VOIDED
    assert (len(service.sim.invoices()), service.living("1001")) == (1, [])


def test_09_a_cancelled_order_that_never_arrived_is_not_issued(service: Service) -> None:
    """Cancelled while unknown, and nothing ever landed: proved, closed, and a redelivered issue stays refused."""
    service.sim.fault("drop_before", op="Issue")
    service.issue(order())
    cancel(service)
    service.recover(400)
    assert service.head("1001").state is State.ISSUING
    service.settle(10, 400)
    head = service.head("1001")
    assert (head.state, head.cause) == (State.REFUSED, "ORDER_CANCELLED")
    assert service.issue(order()).body["code"] == "ORDER_CANCELLED"
    assert service.issue(order(remark="另一內容")).body["code"] == "ORDER_CANCELLED"
    assert service.reissue(ID, CORRECTION).body["code"] == "ORDER_CANCELLED"
    assert service.sim.invoices() == []


def test_09_a_cancellation_before_any_claim_is_a_tombstone(service: Service) -> None:
    """The cancellation overtook the order: the issue that follows is refused, over HTTP and from the queue."""
    assert cancel(service) == []
    assert cancel(service) == []
    answer = service.issue(order())
    assert (answer.status, answer.body["code"]) == (409, "ORDER_CANCELLED")
    assert service.messages("issue", {"command": "issue", **order()}) == []
    assert service.invoice(ID).status == 404
    assert service.order("1001").body["state"] == "WANTED"
    assert service.sim.calls() == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_09_a_wish_meets_an_issue_under_way(service: Service, moment: str) -> None:
    """The cancellation arrives while the centre is being asked, or between its answer and our commit."""
    real = EcpayProvider.issue

    def issue(provider, *asked):
        if moment == "before":
            assert cancel(service) == []
        outcome = real(provider, *asked)
        if moment == "after":
            assert cancel(service) == []
        return outcome

    with patch.object(EcpayProvider, "issue", issue):
        assert service.issue(order()).status == 201
    service.settle(3, 60)
    assert service.head("1001").state is State.VOIDED
    assert service.living("1001") == []


@pytest.mark.parametrize("moment", ["sent", "lost"])
def test_09_a_cancellation_during_a_reissue_ends_with_no_invoice(service: Service, moment: str) -> None:
    """Cancelled while the old invoice is being voided for a reissue: void it is, and nothing new is issued."""
    service.issue(order())
    service.sim.fault("drop_before" if moment == "lost" else "drop_after", op="Invalid")
    service.sim.fault("http_500_before", op="GetIssue")
    assert service.reissue(ID, CORRECTION).body["state"] == "REISSUING"
    assert cancel(service) == []
    service.settle(20, 300)
    assert service.head("1001").state is State.VOIDED
    assert (len(service.sim.calls(op="Issue")), service.living("1001")) == (1, [])
    assert service.reissue(ID, CORRECTION).body["state"] == "VOIDED"
    assert len(service.sim.calls(op="Issue")) == 1


def test_09_a_cancellation_during_a_reissue_that_stops_is_still_done(service: Service) -> None:
    """The reissue turns out not to be possible any more; the cancellation is carried out all the same."""
    service.issue(order())
    service.sim.fault("drop_before", op="Invalid")
    assert service.reissue(ID, CORRECTION).body["state"] == "REISSUING"
    service.sim.exhaust()
    assert cancel(service) == []
    service.settle(20, 300)
    assert service.head("1001").state is State.VOIDED


def wished_too_late(service: Service, body: dict[str, Any]) -> None:
    """A cancellation was stored while the invoice was on its way, and is taken up when its void is over."""
    service.issue(body)
    head = service.head("1001")
    want = {"kind": "cancelled", "reason": "取消", "at": wiring.ports().now()}
    wished = replace(head, ver=head.ver + 1, write_id="w", want=want, due_at=1)
    assert wiring.ports().store.replace(wished) is None
    service.sim.move_clock(now=service.now().replace(month=5, day=14))
    service.recover(1)


def test_09_a_cancellation_too_late_for_a_void_becomes_an_allowance(service: Service) -> None:
    """The wish is a plan now: it waits for the invoice's upload, then all of it is allowed, and nothing remains."""
    wished_too_late(service, order())
    (plan,) = service.order("1001").body["corrections"]
    assert (plan["goal"], plan["status"], plan["waits_for"]) == ("cancel", "open", "NOT_UPLOADED")
    assert (service.head("1001").want, service.sim.allowances()) == ({}, [])
    service.confirm_now("1001")
    service.recover(1)
    assert [one["amount"] for one in service.sim.allowances()] == [1050]
    assert (service.head("1001").plans[0]["status"], service.invoice(ID).body["remaining_twd"]) == ("done", 0)


def test_09_a_companys_cancellation_too_late_for_a_void_is_held_for_consent(service: Service) -> None:
    """A business buyer's allowance needs consent: held, told what is missing, and done once it is recorded."""
    wished_too_late(service, company("1001"))
    (plan,) = service.order("1001").body["corrections"]
    assert (plan["goal"], plan["status"], plan["waits_for"]) == ("cancel", "open", "CONSENT_NEEDED")
    service.confirm_now("1001")
    assert service.sim.allowances() == []
    service.record("1001", {"consent": {"note": "來信同意"}})
    assert [one["amount"] for one in service.sim.allowances()] == [1050]


def test_09_a_cancellation_of_an_order_that_waits_for_a_person_is_kept(service: Service) -> None:
    """The sale's period ended before it was issued, then it is cancelled: no later repeat issues it."""
    service.sim.fault("exhausted", op="Issue", times=None)
    service.issue(order())
    service.sim.move_clock(now=service.now().replace(month=5, day=2))
    service.recover(1)
    assert service.head("1001").attention["cause"] == "SALE_PERIOD_OVER"
    assert cancel(service) == []
    assert service.head("1001").want["kind"] == "cancelled"
    service.sim.clear_faults()
    answer = service.issue(order(late_reason="補開"))
    assert answer.body["code"] == "ORDER_CANCELLED"
    assert service.sim.invoices() == []


def test_08_a_void_message_for_nothing_to_void_is_done_with(service: Service) -> None:
    """A queued void of a voided, refused or too old invoice is acknowledged."""
    service.issue(order())
    service.void(ID)
    assert cancel(service) == []
    service.issue(order("1002"))
    service.sim.move_clock(now=service.now().replace(month=6))
    assert service.messages("void", {"command": "void", "order_id": "1002", "reason": "取消"}) == []
    assert service.living("1002") != []


def test_12_the_void_window_closes_with_the_centres_cut_off(service: Service) -> None:
    """The 13th of the month after the period, 23:59:59, still; one second later an allowance is the way."""
    service.issue(order())
    service.issue(order("1002"))
    service.sim.move_clock(now=service.now().replace(month=5, day=13, hour=23, minute=59, second=50))
    assert service.void(ID).status == 201
    service.advance(15)
    answer = service.void(invoice_id(OrderKey(MERCHANT, "api", "1002"), 1))
    assert (answer.status, answer.body["code"]) == (422, "VOID_WINDOW_CLOSED")
    assert answer.body["next_action"] == "USE_ALLOWANCE"

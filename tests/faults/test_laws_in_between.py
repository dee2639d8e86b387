"""What happens in the middle of something else: people, generations and periods move on (laws 4, 5, 7 and 12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.faults.moments import during
from tests.faults.table import item
from tests.service import MERCHANT, Service, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID, SECOND = invoice_id(KEY, 1), invoice_id(KEY, 2)
CORRECTION = {"reason": "更正備註", "corrections": {"remark": "更正"}}


def test_law_05_an_invoice_voided_by_hand_in_mid_call_is_void(service: Service) -> None:
    """Issued, its answer lost, and voided in the centre's back office before we look: void it is, not issued again."""
    service.sim.fault("drop_after", op="Issue")

    def by_hand() -> None:
        (invoice,) = service.sim.world.invoices.values()
        with service.sim.world.lock:
            invoice.voided = service.now()

    with during("find", by_hand):
        answer = service.issue(order())
    assert answer.body["state"] == "VOIDED"
    service.settle(3)
    assert (len(service.sim.invoices()), service.living("1001")) == (1, [])


def test_law_05_an_invoice_of_somebody_else_under_our_order_number_is_not_ours(service: Service) -> None:
    """Made by hand with our order number and another amount while our packet was lost: a person, nothing is sent."""
    service.sim.fault("drop_after", op="Issue")
    service.sim.fault("http_500_before", op="GetIssue")
    service.issue(order())
    (invoice,) = service.sim.world.invoices.values()
    with service.sim.world.lock:
        invoice.content = replace(invoice.content, sales_twd=1)
    calls = len(service.sim.calls(op="Issue"))
    service.settle(5)
    head = service.head("1001")
    assert (head.number, str(head.attention["theirs"]["total_twd"])) == ("", "1")
    assert len(service.sim.calls(op="Issue")) == calls


def test_law_07_a_void_of_the_replaced_generation_leaves_the_new_one_alone(service: Service) -> None:
    """Told what became of the one it names; the record stays byte for byte, over HTTP and by message."""
    service.issue(order())
    service.reissue(ID, CORRECTION)
    before = item(service)
    answer = service.void(ID)
    assert (answer.status, answer.body["state"], answer.body["replaced_by"]) == (200, "VOIDED", SECOND)
    assert service.messages("void", {"command": "void", "invoice_id": ID, "reason": "取消"}) == []
    assert item(service) == before
    assert len(service.living("1001")) == 1


def test_law_07_a_cancellation_that_read_the_old_generation_voids_the_one_that_lives(service: Service) -> None:
    """The order is re-issued between its read and its write: the message comes again, and then means the new one."""
    service.issue(order())
    store = wiring.ports().store
    real, left = store.read, [None]

    def read(key: OrderKey) -> object:
        head = real(key)
        if left:
            left.pop()
            assert service.reissue(ID, CORRECTION).status == 201
        return head

    cancel = {"command": "void", "order_id": "1001", "reason": "取消"}
    with patch.object(store, "read", read):
        assert service.messages("void", cancel) == ["0"]
    assert len(service.living("1001")) == 1
    assert service.messages("void", cancel) == []
    assert service.living("1001") == []


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
def test_law_04_a_recovery_in_the_middle_of_a_void_sends_none(service: Service, answered: bool) -> None:
    """The void's lease holds while its call lasts, and its quiet time after: one Invalid call."""
    service.issue(order())

    def recover() -> None:
        before = item(service)
        service.recover()
        assert service.void(ID).status == 202
        assert item(service) == before

    with during("void", recover, answered=answered):
        assert service.void(ID).status == 201
    assert len(service.sim.calls(op="Invalid")) == 1


def test_law_04_a_void_taken_over_in_mid_call_is_not_sent_twice(service: Service) -> None:
    """Its worker outlived the lease: the one that takes over only looks, and the zombie's commit is refused."""
    service.issue(order())

    def overtake() -> None:
        service.recover(61)
        head = service.head("1001")
        assert (head.state, head.cause) == (State.VOIDING, "SETTLING")

    with during("void", overtake):
        answer = service.void(ID)
    assert (answer.status, answer.body["state"]) == (202, "VOIDING")
    service.settle(30, 120)
    assert service.head("1001").state is State.VOIDED
    assert len(service.sim.calls(op="Invalid")) == 1


def test_law_12_a_period_that_ends_in_mid_call_is_the_centres(service: Service) -> None:
    """Sent in April, issued in May by the centre's clock: its period is May–June, and nothing is issued twice."""
    service.sim.move_clock(now=datetime.fromisoformat("2026-04-30T23:59:30+08:00"))
    with during("issue", lambda: service.advance(60)):
        answer = service.issue(order())
    assert (answer.status, answer.body["period"]) == (201, "11506")
    assert service.issue(order()).body["number"] == answer.body["number"]
    assert len(service.sim.invoices()) == 1


def test_law_09_a_cancellation_that_read_too_early_comes_again(service: Service) -> None:
    """A reissue replaces the invoice between the cancellation's read and its void: the new one is meant, not the old.

    The message is not taken for done with the old generation's void; it comes again and voids what lives.
    """
    service.issue(order())
    store = wiring.ports().store
    early = store.read(KEY)
    assert early is not None
    assert service.reissue(ID, CORRECTION).status == 201
    cancel = {"command": "void", "order_id": "1001", "reason": "訂單取消"}
    with patch.object(store, "read", lambda _: early):
        assert service.messages("void", cancel) == ["0"]
    assert len(service.living("1001")) == 1
    service.advance(2000)
    assert service.messages("void", cancel) == []
    service.settle()
    assert service.living("1001") == []

"""A merchant whose credentials or settings go away in mid-flight: nobody is told "nothing was sent" of what was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.application import heads
from einvoice.errors import MerchantUnusable
from tests.service import Service, order, running


@pytest.fixture
def service() -> Iterator[Service]:
    """A service of its own for every test."""
    with running() as made:
        yield made


class _Forgetful:
    """The real provider, whose look-up finds its credentials gone."""

    def __init__(self, real: Any) -> None:
        self._real, self.profile = real, real.profile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def find(self, *_: Any) -> Any:
        raise MerchantUnusable("KMS_UNAVAILABLE")


def forgetful() -> Any:
    """Credentials that go away between the send and the look-up."""
    real = wiring.ports()
    pinned = real.centres.pinned
    ports = replace(real, centres=_Centres(real.centres, lambda m, c: _Forgetful(pinned(m, c))))
    return patch.object(wiring, "ports", lambda: ports)


class _Centres:
    def __init__(self, real: Any, pinned: Any) -> None:
        self._real, self.pinned = real, pinned

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_an_issue_whose_answer_is_lost_is_pending_not_failed(service: Service) -> None:
    """202, and the living invoice is adopted once the credentials are back."""
    service.sim.fault("drop_after", op="Issue", times=1)
    with forgetful():
        assert service.issue(order("1")).status == 202
        service.recover(120)
    assert len(service.living("1")) == 1
    service.settle(5)
    assert service.issue(order("1")).body["number"] in service.living("1")


def test_a_void_whose_answer_is_lost_is_not_taken_back(service: Service) -> None:
    """202 VOIDING, then VOIDED: never "still valid" of what the centre has void."""
    living = service.issue(order("2")).body["id"]
    service.sim.fault("drop_after", op="Invalid", times=1)
    with forgetful():
        answer = service.void(living)
        assert (answer.status, answer.body["state"]) == (202, "VOIDING")
        service.recover(120)
    service.settle(20)
    assert (service.head("2").state.value, service.living("2")) == ("VOIDED", [])


def test_a_resend_whose_answer_is_lost_is_no_longer_waiting(service: Service) -> None:
    """A cancellation that comes then does not refuse an order whose invoice lives."""
    service.sim.fault("exhausted", op="Issue", times=1)
    assert service.issue(order("3")).body["state"] == "WAITING"
    service.sim.fault("drop_after", op="Issue", times=1)
    with forgetful():
        service.recover(120)
        assert service.head("3").state.value == "ISSUING"
        assert service.messages("void", {"command": "void", "order_id": "3", "reason": "取消"}) == []
        service.recover(120)
    service.settle(40)
    assert (service.head("3").state.value, service.living("3")) == ("VOIDED", [])


def test_a_disabled_merchant_hears_of_the_invoice_it_has(service: Service) -> None:
    """The same request again: what stands, also before the lost answer is known; a new order: 503."""
    service.sim.fault("drop_after", op="Issue", times=1)
    service.sim.fault("drop_before", op="GetIssue", times=1)
    assert service.issue(order("4")).status == 202
    real = wiring.ports()

    def disabled(*_: Any) -> Any:
        raise MerchantUnusable("DISABLED")

    centres = _Centres(real.centres, real.centres.pinned)
    centres.current = disabled  # type: ignore[attr-defined] # stands before the real one
    ports = replace(real, centres=centres)
    with patch.object(wiring, "ports", lambda: ports):
        assert service.issue(order("4")).status == 202
        service.settle(5)
        assert (service.issue(order("4")).status, len(service.living("4"))) == (200, 1)
        assert service.issue(order("5")).status == 503


def test_an_order_the_rules_refused_can_be_reissued(service: Service) -> None:
    """It was never claimed for a centre; its correction is."""
    assert service.messages("issue", order("6", total_twd=0) | {"command": "issue"}) == []
    refused = service.order("6").body["invoices"][-1]["id"]
    again = service.reissue(refused, {"reason": "更正", "corrections": {"total_twd": 1050}, "order_total_twd": 1050})
    assert (again.status, len(service.living("6"))) == (201, 1)


def test_a_flag_of_many_differences_can_be_stored(service: Service) -> None:
    """Nine hundred lines that differ: flagged, with some of them and their number."""
    many = [{"name": f"品項{n}", "quantity": "1", "unit_price_twd": "1", "amount_twd": 1} for n in range(900)]
    service.sim.fault("drop_after", op="Issue", times=1)
    service.sim.fault("drop_before", op="GetIssue", times=1)
    assert service.issue(order("7", lines=many, total_twd=900)).status == 202
    head = service.head("7")
    lines = [line | {"name": "別的" + line["name"] * 20} for line in head.payload["lines"]]
    altered = replace(head, ver=head.ver + 1, write_id="w", payload=head.payload | {"lines": lines})
    assert wiring.ports().store.replace(altered) is None
    service.settle(5)
    flag = service.head("7").attention
    assert (flag["cause"], flag["differences"] >= 900, len(flag["ours"]) <= 20) == ("DIFFERENT_DOCUMENT", True, True)


def test_after_a_cancellation_was_forgotten_the_order_is_issued(service: Service) -> None:
    """A mistaken cancellation blocks an order id only until a person takes it back."""
    assert service.messages("void", {"command": "void", "order_id": "8", "reason": "誤"}) == []
    assert service.issue(order("8")).body["code"] == "ORDER_CANCELLED"
    head = service.head("8")
    after = heads.looked_into(heads.cancellation_forgotten(head, 1, by="p", reason="r"), 1, by="p", reason="r")
    assert wiring.ports().store.replace(replace(after, ver=head.ver + 1, write_id="w")) is None
    assert (service.issue(order("8")).status, len(service.living("8"))) == (201, 1)

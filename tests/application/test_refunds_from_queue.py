"""Refunds and cancellations from a queue (佇列退款): nobody hears the answer, so the order says what came of them."""

from __future__ import annotations

from typing import Any

import pytest

from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from tests.service import MERCHANT, Service, order

ID = invoice_id(OrderKey(MERCHANT, "api", "1001"), 1)
LINES = [
    {"name": "咖啡豆", "quantity": "3", "unit": "包", "unit_price_twd": "250", "amount_twd": 750},
    {"name": "濾紙", "quantity": "2", "unit": "盒", "unit_price_twd": "150", "amount_twd": 300},
]
CANCEL = {"command": "void", "order_id": "1001", "reason": "訂單取消"}


def refund(refund_id: str, **how_much: Any) -> dict[str, Any]:
    """A message that asks for a refund."""
    return {"command": "allowance", "order_id": "1001", "reason": "退貨", "refund_id": refund_id, **how_much}


def in_force(service: Service) -> list[int]:
    """The amounts of the allowances that live at the centre."""
    return [int(str(one["amount"])) for one in service.sim.allowances() if not one["void"]]


def stopped(service: Service) -> list[tuple[str, str]]:
    """Refund id and cause of the corrections that stopped."""
    told = service.order("1001").body["corrections"]
    return [(one["refund_id"], one["cause"]) for one in told if one["status"] == "stopped"]


@pytest.mark.parametrize(("how_much", "cause"), [
    ({"amount_twd": 2000}, "EXCEEDS_REMAINING"),
    ({"refunded_total_twd": 2000}, "EXCEEDS_REMAINING"),
    ({"lines": [{"line": 9, "amount_twd": 5}]}, "NO_SUCH_LINE"),
    ({"lines": [{"line": 1, "quantity": "4"}]}, "EXCEEDS_QUANTITY"),
])
def test_a_refund_against_the_rules_stands_with_the_order(
    service: Service, how_much: dict[str, Any], cause: str
) -> None:
    """The message is done with; the order's log and its corrections say that nothing was refunded, and why."""
    service.sold(order(lines=LINES))
    assert service.messages("allowance", refund("Q1", **how_much)) == []
    assert stopped(service) == [("Q1", cause)]
    entry = service.order("1001").body["log"][-1]
    assert (entry["event"], entry["cause"]) == ("correction_stopped", cause)
    assert cause not in entry["text"] or "（" in entry["text"]  # in words, not as a bare code
    assert (in_force(service), service.head("1001").due_at) == ([], None)


def test_a_refused_refund_burns_nothing(service: Service) -> None:
    """Delivered again: refused and told again. The order takes other refunds; corrected under its id it is made."""
    service.sold(order())
    too_much = refund("Q1", amount_twd=2000)
    assert [service.messages("allowance", too_much) for _ in range(2)] == [[], []]
    assert service.messages("allowance", refund("Q2", amount_twd=100)) == []
    assert (in_force(service), stopped(service)) == ([100], [("Q1", "EXCEEDS_REMAINING")] * 2)
    assert service.messages("allowance", refund("Q1", amount_twd=50)) == []
    assert in_force(service) == [100, 50]


def test_a_refund_of_an_unknown_order_comes_again_until_there_is_one(service: Service) -> None:
    """It overtook its order's issue: not done with, and carried out once the order is there."""
    message = refund("Q1", amount_twd=100)
    assert service.messages("allowance", message) == ["0"]
    assert service.messages("allowance", message) == ["0"]
    service.sold(order())
    assert service.messages("allowance", message) == []
    assert in_force(service) == [100]


def test_one_messages_trouble_is_not_its_neighbours(service: Service) -> None:
    """One batch of an unknown order, a refusal and a good refund: the first comes again, the last is made."""
    service.sold(order())
    service.sold(order("1002"))
    batch = [
        refund("Q1", amount_twd=100) | {"order_id": "9999"},
        refund("Q2", amount_twd=5000),
        refund("Q3", amount_twd=300) | {"order_id": "1002"},
    ]
    assert service.messages("allowance", *batch) == ["0"]
    assert (in_force(service), stopped(service)) == ([300], [("Q2", "EXCEEDS_REMAINING")])


def test_over_http_a_refused_refund_is_answered_and_not_kept(service: Service) -> None:
    """Who asks hears it: nothing of it stands in the order."""
    service.sold(order(lines=LINES))
    for how_much in ({"amount_twd": 2000}, {"lines": [{"line": 9, "amount_twd": 5}]}):
        answer = service.allow(ID, {"reason": "退貨", "refund_id": "H1", **how_much})
        assert answer.status == 422
    assert service.order("1001").body["corrections"] == []


def test_a_cancellation_the_rules_refuse_stands_with_the_order(service: Service) -> None:
    """From the void queue: the prize was redeemed, so a person must decide, and reads it in the log."""
    service.sold(order())
    service.record("1001", {"redeemed": {"note": "已兌獎"}})
    assert service.messages("void", CANCEL) == []
    (told,) = service.order("1001").body["corrections"]
    assert (told["goal"], told["status"], told["cause"]) == ("cancel", "stopped", "PRIZE_REDEEMED")
    assert service.order("1001").body["log"][-1]["event"] == "correction_stopped"
    assert service.sim.calls(op="Invalid") == []


def test_a_refund_of_an_order_that_waits_for_a_person_waits_too(service: Service) -> None:
    """The message is kept, takes no flag away, and nothing is refunded before somebody has looked."""
    service.issue(order())
    service.sim.fail_upload(service.head("1001").number)
    service.advance(600)
    service.confirm_now("1001")
    flag = service.head("1001").attention
    assert flag["cause"] == "UPLOAD_REFUSED"
    assert service.messages("allowance", refund("Q1", amount_twd=100)) == []
    service.go_on(2)
    assert (service.head("1001").attention, in_force(service)) == (flag, [])
    (told,) = service.order("1001").body["corrections"]
    assert (told["refund_id"], told["status"]) == ("Q1", "open")

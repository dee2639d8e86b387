"""Refunds (退款折讓): their sum never exceeds the invoice, a repeat is never a second one, and none is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.service import MERCHANT, Service, order

ID = invoice_id(OrderKey(MERCHANT, "api", "1001"), 1)
TWO_LINES = [
    {"name": "咖啡豆", "quantity": "3", "unit": "包", "unit_price_twd": "250", "amount_twd": 750},
    {"name": "濾紙", "quantity": "2", "unit": "盒", "unit_price_twd": "150", "amount_twd": 300},
]


def refund(refund_id: str, twd: int = 350, **more: Any) -> dict[str, Any]:
    """An allowance of a sum."""
    return {"reason": "退貨", "refund_id": refund_id, "amount_twd": twd, **more}


def in_force(service: Service) -> list[int]:
    """The amounts of the allowances that live at the centre, oldest first."""
    return [int(str(one["amount"])) for one in service.sim.allowances() if not one["void"]]


def remaining(service: Service) -> int:
    """What the service says is left of the invoice."""
    left = service.invoice(ID).body["remaining_twd"]
    assert left == service.sim.invoices()[0]["remaining"]
    return int(left)


def test_three_refunds_use_an_invoice_up_and_a_fourth_is_refused(service: Service) -> None:
    """3 × 350 of 1,050: nothing remains, the fourth is 422 at once and was not sent; the invoice was never void."""
    service.sold(order())
    for n, left in ((1, 700), (2, 350), (3, 0)):
        assert service.allow(ID, refund(f"R{n}")).status == 201
        assert remaining(service) == left
    answer = service.allow(ID, refund("R4", 1))
    assert (answer.status, answer.body["code"], answer.body["next_action"]) == (
        422, "EXCEEDS_REMAINING", "FIX_REQUEST",
    )
    assert (in_force(service), len(service.sim.calls(op="Allowance"))) == ([350, 350, 350], 3)
    assert service.sim.calls(op="Invalid") == []


def test_the_tax_of_all_refunds_closes_to_the_invoices_where_we_send_it(
    service: Service, profile: Callable[..., None]
) -> None:
    """17 + 16 + 17 = 50: what a centre is told that takes the tax from us; the ledger keeps what was sent."""
    profile(sends_allowance_tax=True)
    service.sold(order())
    answers = [service.allow(ID, refund(f"R{n}")) for n in range(3)]
    assert [one["tax_twd"] for one in answers[-1].body["allowances"]] == [17, 16, 17]


def test_the_tax_is_the_centres_own_split_where_it_makes_it(service: Service) -> None:
    """Not known before the centre was asked; then what its books say, dollar for dollar."""
    service.sold(order())
    for n in range(3):
        answer = service.allow(ID, refund(f"R{n}"))
    assert {one["tax_twd"] for one in answer.body["allowances"][-1:]} == {None}
    service.confirm_now("1001")
    theirs = [one["tax"] for one in service.sim.allowances()]
    told = service.order("1001").body["allowances"]
    assert [(one["tax_twd"], one["effective"]) for one in told] == [(tax, True) for tax in theirs]


def test_a_refund_may_name_pieces_of_lines_or_sums(service: Service) -> None:
    """Two of three bags and 100 of the filters: their lines, their sum; more pieces than are left is refused."""
    service.sold(order(lines=TWO_LINES))
    wanted = [{"line": 1, "quantity": "2"}, {"line": 2, "amount_twd": 100}]
    answer = service.allow(ID, {"reason": "退貨", "refund_id": "R1", "lines": wanted})
    assert (answer.status, in_force(service)) == (201, [600])
    lines = service.order("1001").body["allowances"][0]["lines"]
    assert [(one["line"], one["amount_twd"]) for one in lines] == [(1, 500), (2, 100)]
    too_many = service.allow(ID, {"reason": "退貨", "refund_id": "R2", "lines": [{"line": 1, "quantity": "2"}]})
    assert (too_many.status, too_many.body["code"]) == (422, "INVALID_REQUEST")
    assert too_many.body["violations"][0]["path"].startswith("lines")
    assert in_force(service) == [600]


def test_cumulative_sums_in_any_order_never_refund_twice(service: Service) -> None:
    """A platform tells 300, then 800, then once more 300 and 500: 300 and 500 were given back, no more."""
    service.sold(order())
    told = [service.allow(ID, {"reason": "退", "refund_id": f"T{n}", "refunded_total_twd": twd}) for n, twd in (
        (1, 300), (2, 800), (3, 300), (4, 500),
    )]
    assert [answer.status for answer in told] == [201, 201, 200, 200]
    assert (in_force(service), remaining(service)) == ([300, 500], 250)


def test_a_refund_id_is_one_refund_for_ever(service: Service) -> None:
    """The same id again, days later and after a restart of nothing: the same allowance; with another body 422."""
    service.sold(order())
    first = service.allow(ID, refund("R1"))
    service.advance(20 * 86400)
    again = service.allow(ID, refund("R1"))
    assert (first.status, again.status) == (201, 200)
    assert first.body["allowances"][0]["number"] == again.body["allowances"][0]["number"]
    other = service.allow(ID, refund("R1", 300))
    assert (other.status, other.body["code"]) == (422, "REFUND_ID_REUSED")
    assert in_force(service) == [350]


def test_an_idempotency_key_of_another_refund_is_refused(service: Service) -> None:
    """Two refund ids under one key: the second is 422, nothing was sent for it."""
    service.sold(order())
    assert service.allow(ID, refund("R1"), idempotency_key="k").status == 201
    answer = service.allow(ID, refund("R2"), idempotency_key="k")
    assert (answer.status, answer.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert in_force(service) == [350]


def test_two_equal_refunds_with_their_own_ids_are_two(service: Service) -> None:
    """Equal sums on one day are not taken for a repeat."""
    service.sold(order())
    assert [service.allow(ID, refund(one)).status for one in ("R1", "R2")] == [201, 201]
    assert in_force(service) == [350, 350]


def test_a_refused_refund_may_be_sent_again_under_its_id(service: Service, refuse: Callable[..., None]) -> None:
    """The centre refused it for certain, so nothing was given back: the same id is not burnt."""
    service.sold(order())
    refuse("allowance", 1600003, times=1)
    refused = service.allow(ID, refund("R1"))
    assert (refused.status, refused.body["code"]) == (422, "INVOICE_OR_DATE_UNKNOWN")
    assert service.allow(ID, refund("R1")).status == 201
    assert (in_force(service), remaining(service)) == ([350], 700)


def test_queue_messages_refund_once(service: Service) -> None:
    """Delivered twice: one allowance; against the rules or of an unknown order: done with or told; unreadable: back."""
    service.sold(order())
    message = {"command": "allowance", "order_id": "1001", **refund("R1")}
    assert service.messages("allowance", message, message) == []
    assert service.messages("allowance", message) == []
    assert service.messages("allowance", {**message, "refund_id": "R2", "amount_twd": 5000}) == []
    assert service.messages("allowance", {**message, "refund_id": "R3", "lines": [{"line": 9, "quantity": "1"}]}) == [
        "0"
    ]  # two ways of saying how much cannot be read
    assert in_force(service) == [350]


def test_a_refund_while_the_invoice_is_on_its_way_is_kept_and_done(service: Service) -> None:
    """Over HTTP 202, from the queue taken; both are made once the invoice is there and the ministry has it."""
    service.sim.fault("drop_before", op="Issue")
    assert service.issue(order()).status == 202
    answer = service.allow(ID, refund("R1", 100))
    assert (answer.status, answer.body["correction"]["status"]) == (202, "open")
    assert service.messages("allowance", {"command": "allowance", "order_id": "1001", **refund("R2", 200)}) == []
    service.settle(10, 200)
    assert in_force(service) == []
    service.go_on(14)
    assert sorted(in_force(service)) == [100, 200]
    assert service.head("1001").state is State.ISSUED
    assert [plan["status"] for plan in service.head("1001").plans] == ["done", "done"]


def test_refunds_wait_in_a_row_for_the_upload(service: Service) -> None:
    """Three refunds of an invoice the ministry has not confirmed: kept in order, made in order, the fourth stopped."""
    service.sim.settings({"profile": "doc"})
    try:
        assert service.issue(order()).status == 201
        for n in range(4):
            answer = service.allow(ID, refund(f"R{n}"))
            assert answer.status == 202
        assert service.order("1001").body["corrections"][0]["waits_for"] == "NOT_UPLOADED"
        service.go_on(8)
        assert in_force(service) == [350, 350, 350]
        told = service.order("1001").body["corrections"]
        assert [(one["status"], one["cause"]) for one in told] == [
            ("done", None), ("done", None), ("done", None), ("stopped", "EXCEEDS_REMAINING"),
        ]
    finally:
        service.sim.settings({"profile": "stage"})


def test_a_refund_of_an_invoice_that_never_came_is_nothing_to_do(
    service: Service, refuse: Callable[..., None]
) -> None:
    """Refused for certain while the refund waited: no allowance, and the refund ends as done."""
    service.sim.fault("drop_before", op="Issue")
    service.issue(order())
    assert service.allow(ID, refund("R1")).status == 202
    refuse("issue", 5000022)
    service.settle(10, 400)
    head = service.head("1001")
    (plan,) = head.plans
    assert (head.state, plan["status"], plan["cause"]) == (State.REFUSED, "stopped", "AMOUNT_MISMATCH")
    assert in_force(service) == []


def test_a_void_waits_for_no_refund_and_a_refund_for_no_void(service: Service) -> None:
    """A voided invoice takes no refund; one with a refund takes no void: each says which way is left."""
    service.sold(order())
    assert service.allow(ID, refund("R1")).status == 201
    assert (service.void(ID).status, service.void(ID).body["code"]) == (422, "HISTORY")
    service.sold(order("1002"))
    other = invoice_id(OrderKey(MERCHANT, "api", "1002"), 1)
    assert service.void(other).status == 201
    answer = service.allow(other, refund("R1"))
    assert (answer.status, answer.body["code"]) == (422, "ALREADY_VOIDED")


def test_a_refund_of_everything_by_allowance_where_a_void_were_possible(service: Service) -> None:
    """POST …/allowances means an allowance; the correction of the same sum is a void."""
    service.sold(order())
    assert service.allow(ID, refund("R1", 1050)).status == 201
    assert (in_force(service), service.living("1001")) == ([1050], [service.head("1001").number])


@pytest.mark.parametrize("twd", [0, -1, 1051])
def test_a_sum_that_cannot_be_refunded_is_refused_before_anything_is_sent(service: Service, twd: int) -> None:
    """Nothing, less than nothing, more than all."""
    service.sold(order())
    answer = service.allow(ID, refund("R1", twd))
    assert (answer.status, answer.body["code"]) == (422, "EXCEEDS_REMAINING" if twd > 0 else "BAD_AMOUNT")
    assert (service.sim.calls(op="Allowance"), service.head("1001").plans) == ([], [])


def test_an_allowance_void_by_hand_gives_the_sum_back(service: Service) -> None:
    """Made by mistake: void at the centre, its sum can be refunded again; a second void is the same."""
    service.sold(order())
    made = service.allow(ID, refund("R1")).body["allowances"][0]
    service.confirm_now("1001")
    answer = service.void_allowance(made["id"])
    assert (answer.status, answer.body["allowances"][0]["state"]) == (201, "VOIDED")
    assert (in_force(service), remaining(service)) == ([], 1050)
    assert service.void_allowance(made["id"]).status == 200
    assert service.allow(ID, refund("R2", 1050)).status == 201
    assert len(service.sim.calls(op="AllowanceInvalid")) == 1


def test_an_allowance_can_be_read_and_an_unknown_one_not(service: Service) -> None:
    """GET /v1/allowances/{id}: the same as in the order; an id of an invoice, or of nothing, is 404."""
    service.sold(order())
    made = service.allow(ID, refund("R1")).body["allowances"][0]
    read = service.call("orders", "GET /v1/allowances/{id}", None, path={"id": made["id"]})
    assert (read.status, read.body["number"], read.body["amount_twd"]) == (200, made["number"], 350)
    for unknown in (ID, "eA"):
        assert service.call("orders", "GET /v1/allowances/{id}", None, path={"id": unknown}).status == 404
        assert service.void_allowance(unknown).status == 404

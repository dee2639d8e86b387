"""Corrections of several steps (更正的步驟): one living invoice at any moment, every document kept and linked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from einvoice.identity import allowance_id, invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.service import MERCHANT, Response, Service, company, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID, SECOND = invoice_id(KEY, 1), invoice_id(KEY, 2)
REMARK = {"goal": "correct", "reason": "更正備註", "corrections": {"remark": "更正"}}
CANCEL = {"goal": "cancel", "reason": "訂單取消"}
LATE = "2026-05-14T10:00:00+08:00"  # the void of an invoice of March is over


def late(service: Service, body: dict[str, Any] | None = None) -> None:
    """An invoice of March that the ministry has, in the middle of May."""
    service.sold(body or order(), "2026-03-20T10:00:00+08:00")
    service.sim.move_clock(now=service.now().fromisoformat(LATE))


def living(service: Service) -> list[str]:
    """Numbers that live at the centre: not void, and not allowed in full."""
    return [str(one["number"]) for one in service.sim.invoices() if one["living"]]


def open_plan(service: Service) -> tuple[str, str | None]:
    """Status of the last plan and what it waits for."""
    told = service.order("1001").body["corrections"][-1]
    return told["status"], told["waits_for"]


def test_across_periods_the_old_invoice_is_allowed_before_a_new_one_is_made(service: Service) -> None:
    """Allowed in full, confirmed, then the new number of the new period: never two living ones, linked for readers."""
    late(service)
    answer = service.correct("1001", REMARK)
    assert (answer.status, open_plan(service)) == (202, ("open", "NOT_UPLOADED"))
    assert (living(service), service.sim.calls(op="Issue")[1:]) == ([], [])
    service.confirm_now("1001")
    service.recover(1)
    new = service.head("1001").number
    assert living(service) == [new]
    told = service.order("1001").body
    assert [(one["number"], one["period"], one["state"]) for one in told["invoices"]] == [
        (told["invoices"][0]["number"], "11504", "ALLOWED"), (new, "11506", "ISSUED"),
    ]
    (allowance,) = told["allowances"]
    assert (allowance["invoice"], allowance["amount_twd"], allowance["purpose"]) == (ID, 1050, "reissue")
    assert (told["invoices"][0]["replaced_by"], told["invoices"][1]["replaces"]) == (SECOND, ID)
    assert told["corrections"][0]["status"] == "done"


def test_a_new_invoice_is_effective_only_after_the_ministry_confirmed_both(service: Service) -> None:
    """The allowance is confirmed before the issue; the invoice's own confirmation makes it effective."""
    late(service)
    service.correct("1001", REMARK)
    service.confirm_now("1001")
    service.recover(1)
    assert [one["effective"] for one in service.order("1001").body["invoices"]] == [False, False]
    service.confirm_now("1001")
    assert [one["effective"] for one in service.order("1001").body["invoices"]] == [False, True]


def test_a_void_is_followed_by_the_new_invoice_in_one_request(service: Service) -> None:
    """Same period, nothing ever allowed: void, then a new number; effective once void and invoice are confirmed."""
    old = service.sold(order())
    answer = service.correct("1001", REMARK)
    assert (answer.status, answer.body["invoice"]["generation"]) == (201, 2)
    assert [one["state"] for one in service.order("1001").body["invoices"]] == ["VOIDED", "ISSUED"]
    assert living(service) == [service.head("1001").number]
    assert service.invoice(SECOND).body["effective"] is False
    service.confirm_now("1001")
    assert service.invoice(SECOND).body["effective"] is True
    assert service.invoice(old).body["replaced_by"] == SECOND


def test_the_same_number_lives_on_with_another_content(service: Service, configure: Callable[..., None]) -> None:
    """註銷重開: one number, the new remark, the earlier content kept; a refunded invoice cannot have it."""
    configure(same_number_reissue=True)
    service.sold(order())
    number = service.head("1001").number
    answer = service.correct("1001", REMARK | {"mode": "same_number"})
    assert (answer.status, answer.body["invoice"]["number"], living(service)) == (201, number, [number])
    assert [one["content"].get("remark") for one in service.order("1001").body["invoices"]] == [None, "更正"]
    service.sold(order("1002"))
    other = invoice_id(OrderKey(MERCHANT, "api", "1002"), 1)
    service.allow(other, {"reason": "退", "refund_id": "R", "amount_twd": 1})
    refused = service.correct("1002", REMARK | {"mode": "same_number"})
    assert (refused.status, refused.body["code"]) == (422, "SAME_NUMBER_ALLOWED")


@pytest.mark.parametrize("when", ["same period", "late"])
def test_what_was_refunded_is_never_billed_again(service: Service, when: str) -> None:
    """300 given back: the corrected invoice says 750; asked for 1,050 it is refused; the refund stays a refund."""
    service.sold(order(), "2026-03-20T10:00:00+08:00")
    service.allow(ID, {"reason": "退", "refund_id": "R1", "amount_twd": 300})
    service.confirm_now("1001")
    if when == "late":
        service.sim.move_clock(now=service.now().fromisoformat(LATE))
    full = REMARK | {"corrections": {"lines": order()["lines"], "total_twd": 1050, "remark": "更正"}}
    refused = service.correct("1001", full)
    assert (refused.status, refused.body["code"]) == (422, "AMOUNT_MISMATCH")
    service.correct("1001", REMARK)
    service.go_on(26)
    told = service.order("1001").body
    assert [(one["total_twd"], one["remaining_twd"]) for one in told["invoices"]] == [(1050, 0), (750, 750)]
    assert [(one["amount_twd"], one["purpose"]) for one in told["allowances"]] == [(300, "refund"), (750, "reissue")]
    assert [one["total"] for one in service.sim.invoices() if one["living"]] == [750]


def test_a_refund_after_a_correction_takes_from_the_new_invoice(service: Service) -> None:
    """750 is what can still be refunded of an order of 1,050 with 300 refunded before; over both it is all."""
    service.sold(order())
    service.allow(ID, {"reason": "退", "refund_id": "R1", "amount_twd": 300})
    service.confirm_now("1001")
    service.correct("1001", REMARK)
    service.go_on(26)
    assert service.allow(SECOND, {"reason": "退", "refund_id": "R2", "amount_twd": 751}).status == 422
    assert service.allow(SECOND, {"reason": "退", "refund_id": "R3", "refunded_total_twd": 1050}).status == 201
    assert service.invoice(SECOND).body["remaining_twd"] == 0
    again = service.correct("1001", REMARK | {"corrections": {"remark": "再更正"}})
    assert (again.status, again.body["code"]) == (422, "FULLY_REFUNDED")


def test_a_wholly_refunded_order_is_never_issued_again(service: Service) -> None:
    """Refunded in full: no correction opens the way to another invoice."""
    late(service)
    service.allow(ID, {"reason": "退", "refund_id": "R1", "amount_twd": 1050})
    answer = service.correct("1001", REMARK)
    assert (answer.status, answer.body["code"]) == (422, "FULLY_REFUNDED")
    assert service.reissue(ID, {"reason": "再開", "corrections": {"remark": "x"}}).status == 422
    assert len(service.sim.calls(op="Issue")) == 1


def test_numbers_that_ran_out_after_the_allowance_are_waited_for(service: Service) -> None:
    """The allowance stands and is not made again; once numbers are added, the new invoice follows by itself."""
    late(service)
    service.correct("1001", REMARK)
    service.sim.exhaust()
    service.confirm_now("1001")
    service.go_on(3)
    assert (open_plan(service), living(service)) == (("open", "NUMBER_EXHAUSTED"), [])
    service.sim.add_track("ZZ", 10000000, 10000049)
    service.go_on(3)
    assert (open_plan(service)[0], living(service)) == ("done", [service.head("1001").number])
    assert len(service.sim.calls(op="Allowance")) == 1


def test_an_issue_refused_for_numbers_after_the_allowance_goes_on_by_itself(service: Service) -> None:
    """The list said there were numbers, the issue says 5070350: waiting, one allowance, one invoice in the end."""
    late(service)
    service.correct("1001", REMARK)
    service.sim.fault("exhausted", op="Issue", times=2)
    service.confirm_now("1001")
    service.recover(1)
    assert (service.head("1001").state, service.head("1001").cause) == (State.WAITING, "NUMBER_EXHAUSTED")
    service.settle(20, 300)
    assert (open_plan(service)[0], living(service)) == ("done", [service.head("1001").number])
    assert (len(service.sim.calls(op="Allowance")), len(service.sim.invoices())) == (1, 2)


def test_no_correction_begins_without_a_number_for_its_invoice(service: Service) -> None:
    """Nothing is void or allowed where nothing could take its place; numbers added, it goes on by itself."""
    service.sold(order())
    service.sim.exhaust()
    answer = service.correct("1001", REMARK)
    assert (answer.status, answer.body["correction"]["waits_for"]) == (202, "NUMBER_EXHAUSTED")
    assert living(service) == [service.head("1001").number]
    service.sim.add_track("ZZ", 10000000, 10000049)
    service.go_on(3)
    assert (open_plan(service)[0], service.head("1001").generation) == ("done", 2)
    assert living(service) == [service.head("1001").number]


def test_a_new_invoice_the_centre_refuses_leaves_the_allowance_and_is_corrected(
    service: Service, refuse: Callable[..., None]
) -> None:
    """Refused for certain after the allowance: told so; another correction issues it, with one allowance in all."""
    late(service)
    service.correct("1001", REMARK)
    refuse("issue", 5000022, times=1)
    service.confirm_now("1001")
    service.settle(10, 400)
    assert service.order("1001").body["corrections"][0]["cause"] == "AMOUNT_MISMATCH"
    assert living(service) == []
    again = service.correct("1001", REMARK | {"corrections": {"remark": "再更正"}})
    assert (again.status, living(service)) == (201, [service.head("1001").number])
    assert (len(service.sim.calls(op="Allowance")), service.head("1001").generation) == (1, 2)


def test_07_an_allowance_under_a_later_invoice_cannot_be_void(service: Service) -> None:
    """It would leave two living invoices of one order: 409, nothing was sent."""
    late(service)
    service.correct("1001", REMARK)
    service.go_on(2)
    assert service.head("1001").generation == 2
    answer = service.void_allowance(allowance_id(KEY, 1))
    assert (answer.status, answer.body["code"]) == (409, "LATER_GENERATION")
    assert service.sim.calls(op="AllowanceInvalid") == []


def test_07_an_allowance_cannot_be_void_while_the_later_invoice_is_on_its_way(service: Service) -> None:
    """The issue's fate unknown: the allowance it rests on stays, also for a request that is kept until later."""
    late(service)
    service.correct("1001", REMARK)
    service.sim.fault("late_arrival", op="Issue", seconds=600.0)
    service.confirm_now("1001")
    service.recover(1)
    assert service.head("1001").state is State.ISSUING
    service.void_allowance(allowance_id(KEY, 1))
    service.go_on(3)
    assert living(service) == [service.head("1001").number]
    assert service.sim.calls(op="AllowanceInvalid") == []


@pytest.mark.parametrize("document", ["invoice", "void"])
def test_07_what_the_ministry_refuses_and_a_later_invoice_rests_on_is_a_persons(
    service: Service, document: str
) -> None:
    """The new invoice's upload fails, or the centre's books have the void one alive: flagged, no further step."""
    service.sold(order())
    old = service.head("1001").number
    service.correct("1001", REMARK)
    assert service.head("1001").generation == 2
    if document == "invoice":
        service.sim.fail_upload(service.head("1001").number)
    else:
        with service.sim.world.lock:
            next(one for one in service.sim.world.invoices.values() if one.number == old).voided = None
    service.advance(600)  # a centre's books may be minutes behind its own answers
    service.confirm_now("1001")
    assert service.head("1001").attention["cause"] in {"UPLOAD_REFUSED", "VOID_ABSENT"}
    assert service.invoice(SECOND).body["effective"] is False
    before = len(service.sim.calls(op="Issue"))
    assert service.correct("1001", REMARK | {"corrections": {"remark": "再"}}).status == 409
    assert len(service.sim.calls(op="Issue")) == before


def test_07_an_allowance_void_behind_our_back_is_a_persons(service: Service) -> None:
    """Void in the centre's back office before the ministry confirmed it: no new invoice, attention."""
    late(service)
    service.correct("1001", REMARK)
    with service.sim.world.lock:
        next(iter(service.sim.world.allowances.values())).voided = service.now()
    service.confirm_now("1001")
    service.recover(1)
    assert service.head("1001").attention["cause"] in {"ALLOWANCE_VOID_AT_CENTRE", "REMAINING_DIFFERS"}
    assert (len(service.sim.calls(op="Issue")), service.head("1001").generation) == (1, 1)


def test_a_cancellation_across_periods_is_an_allowance_of_all(service: Service) -> None:
    """Too late to void: the rest is allowed in full, nothing new is issued, and asking again changes nothing."""
    late(service)
    assert service.correct("1001", CANCEL).status == 201
    assert service.correct("1001", CANCEL).status == 200
    assert living(service) == []
    assert (len(service.sim.calls(op="Allowance")), len(service.sim.calls(op="Issue"))) == (1, 1)


def test_a_cancellation_between_the_two_steps_of_a_correction_wins(service: Service) -> None:
    """Cancelled while the allowance's upload is awaited: what was to take the invoice's place is never issued."""
    late(service)
    assert service.correct("1001", REMARK).status == 202
    assert service.correct("1001", CANCEL).status == 200  # nothing is left of it already
    service.go_on(14)
    assert (living(service), len(service.sim.calls(op="Issue"))) == ([], 1)
    again = service.correct("1001", REMARK | {"corrections": {"remark": "再更正"}})
    assert (again.status, again.body["code"]) == (422, "FULLY_REFUNDED")


def test_a_refund_between_the_two_steps_of_a_correction_waits_its_turn(service: Service) -> None:
    """A refund that comes while the allowance's upload is awaited takes from the invoice that replaces the old one."""
    late(service)
    assert service.correct("1001", REMARK).status == 202
    wish = {"goal": "refund", "reason": "退", "refund_id": "R1", "refund": {"amount_twd": 100}}
    assert service.correct("1001", wish).status == 202
    service.go_on(30)
    told = service.order("1001").body
    assert [(one["amount_twd"], one["purpose"], one["invoice"]) for one in told["allowances"]] == [
        (1050, "reissue", ID), (100, "refund", SECOND),
    ]
    assert [one["status"] for one in told["corrections"]] == ["done", "done"]


def test_a_repeated_correction_is_carried_out_once(service: Service) -> None:
    """The same body, while it waits and after it is done: one allowance, one new invoice."""
    late(service)
    answers: list[Response] = [service.correct("1001", REMARK)]
    service.go_on(2)
    answers += [service.correct("1001", REMARK) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 200, 200]
    assert (len(service.sim.calls(op="Allowance")), len(service.sim.calls(op="Issue"))) == (1, 2)


def test_an_uncorrected_invoice_is_not_issued_again(service: Service) -> None:
    """A valid invoice and nothing to correct: 409, whatever the period."""
    service.sold(order())
    for _ in range(2):
        answer = service.correct("1001", {"goal": "correct", "reason": "再開一張"})
        assert (answer.status, answer.body["code"]) == (409, "ORDER_HAS_VALID_INVOICE")
        service.sim.move_clock(now=service.now().fromisoformat(LATE))


def test_a_business_numbers_correction_needs_its_paper_or_none(service: Service) -> None:
    """A consumer's carrier invoice becomes a company's on paper, across periods: new number, new buyer."""
    late(service)
    buyer = company()["buyer"]
    wish = REMARK | {"corrections": {"buyer": buyer, "carrier": None, "print": True}}
    assert service.correct("1001", wish).status == 202
    service.go_on(2)
    assert [one["ubn"] for one in service.sim.invoices() if one["living"]] == ["53538851"]

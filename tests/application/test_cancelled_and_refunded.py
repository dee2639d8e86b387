"""What is cancelled or refunded in full is never billed again (取消與全額退款); a wish that returns is new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from einvoice import wiring
from einvoice.application import planning, plans
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.service import MERCHANT, Response, Service, company, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID, SECOND = invoice_id(KEY, 1), invoice_id(KEY, 2)
CANCEL = {"goal": "cancel", "reason": "訂單取消"}
REMARK = {"goal": "correct", "reason": "更正備註", "corrections": {"remark": "更正"}}
WHOLE = {"goal": "refund", "reason": "退貨", "refund_id": "R1", "refund": {"amount_twd": 1050}}
CANCEL_MESSAGE = {"command": "void", "order_id": "1001", "reason": "訂單取消"}
CONSENT = {"consent": {"note": "來信同意"}, "paper_back": {}}
LATE = "2026-05-14T10:00:00+08:00"  # the void of an invoice of March is over


def late(service: Service, body: dict[str, Any] | None = None) -> None:
    """An invoice of March that the ministry has, in the middle of May."""
    service.sold(body or order(), "2026-03-20T10:00:00+08:00")
    service.sim.move_clock(now=service.now().fromisoformat(LATE))


def living(service: Service) -> list[str]:
    """Numbers that live at the centre: not void, and not allowed in full."""
    return [str(one["number"]) for one in service.sim.invoices() if one["living"]]


def corrections(service: Service) -> list[tuple[str, str, str | None]]:
    """Goal, status and cause of every correction of the order."""
    return [(one["goal"], one["status"], one["cause"]) for one in service.order("1001").body["corrections"]]


def refused_ever_since(service: Service, code: str, *, issues: int) -> None:
    """Neither a correction nor either form of a reissue issues anything; each is told why, and nothing was sent."""
    answers = [
        service.correct("1001", REMARK),
        service.correct("1001", {"goal": "correct", "reason": "再開一張"}),
        service.reissue(ID, {"reason": "再開一張"}),
        service.reissue(ID, {"reason": "再開一張", "corrections": {"remark": "更正"}}),
    ]
    assert [answer.body["code"] for answer in answers] == [code] * len(answers)
    assert {answer.status for answer in answers} <= {409, 422}
    service.go_on(14)
    assert (living(service), len(service.sim.calls(op="Issue"))) == ([], issues)


# --- cancelled while a correction is between its steps --------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "late_arrival"])
@pytest.mark.parametrize("way", ["http", "queue"])
def test_a_cancellation_during_a_corrections_allowance_issues_nothing_new(
    service: Service, configure: Callable[..., None], fault: str, way: str
) -> None:
    """Its fate unknown, and no upload to wait for: the order ends with nothing left to bill, and one allowance."""
    configure(upload_first=[])
    late(service)
    service.sim.fault(fault, op="Allowance")
    service.sim.fault("http_500_before", op="GetAllowanceList")
    assert service.correct("1001", REMARK).status == 202
    assert service.head("1001").state is State.ALLOWING
    cancelled(service, way)
    service.settle(20, 300)
    assert (living(service), len(service.sim.calls(op="Issue"))) == ([], 1)
    assert [one["amount"] for one in service.sim.allowances()] == [1050]
    assert [status for goal, status, _ in corrections(service) if goal == "correct"] == ["stopped"]


@pytest.mark.parametrize("way", ["http", "queue"])
def test_a_cancellation_while_the_upload_is_awaited_issues_nothing_new(service: Service, way: str) -> None:
    """The allowance stands and gives the money back; the correction it was made for is stopped, and says why."""
    late(service)
    assert service.correct("1001", REMARK).status == 202
    cancelled(service, way)
    service.go_on(14)
    assert (living(service), len(service.sim.calls(op="Issue"))) == ([], 1)
    assert corrections(service) == [("correct", "stopped", "ORDER_CANCELLED"), ("cancel", "done", "NOTHING_REMAINS")]
    assert [one["purpose"] for one in service.order("1001").body["allowances"]] == ["refund"]


def cancelled(service: Service, way: str) -> None:
    """Cancel the order, and be told that this will be seen to."""
    if way == "queue":
        assert service.messages("void", CANCEL_MESSAGE) == []
    else:
        assert service.correct("1001", CANCEL).status in (200, 202)


# --- never billed again ----------------------------------------------------------------------------------------------


def test_a_whole_refund_by_void_is_never_billed_again(service: Service) -> None:
    """The void gave everything back: no correction and no reissue, with or without changes, opens a way around it."""
    service.sold(order())
    assert (service.correct("1001", WHOLE).status, service.head("1001").state) == (201, State.VOIDED)
    refused_ever_since(service, "FULLY_REFUNDED", issues=1)


def test_a_cancelled_invoice_is_never_billed_again(service: Service) -> None:
    """A cancellation that was a void is as final as a refund."""
    service.sold(order())
    assert service.correct("1001", CANCEL).status == 201
    refused_ever_since(service, "FULLY_REFUNDED", issues=1)


def test_a_refund_of_the_rest_that_voided_the_invoice_is_never_billed_again(
    service: Service, configure: Callable[..., None]
) -> None:
    """300, then 750 as the void of the whole: 1,050 were given back, though only 750 were asked for last."""
    configure(history="void_allowances_first")
    service.sold(order())
    assert service.allow(ID, {"reason": "退", "refund_id": "R0", "amount_twd": 300}).status == 201
    service.confirm_now("1001")
    assert service.correct("1001", WHOLE | {"refund": {"amount_twd": 750}}).status == 202
    service.go_on(4)
    assert service.head("1001").state is State.VOIDED
    refused_ever_since(service, "FULLY_REFUNDED", issues=1)


def test_a_cancellation_with_nothing_left_to_do_still_counts(service: Service) -> None:
    """Told that all is allowed already, in a correction that a person stopped half way: no invoice follows."""
    late(service)
    service.correct("1001", REMARK)
    forgotten(service, 1)
    answer = service.correct("1001", CANCEL)
    assert (answer.status, answer.body["correction"]["cause"]) == (200, "NOTHING_REMAINS")
    answers = [service.correct("1001", REMARK | {"reason": "再更正"}), service.reissue(ID, {"reason": "再開"})]
    assert [one.body["code"] for one in answers] == ["FULLY_REFUNDED", "ORDER_HAS_VALID_INVOICE"]
    service.go_on(14)
    assert (living(service), len(service.sim.calls(op="Issue"))) == ([], 1)


@pytest.mark.parametrize("way", ["http", "queue"])
def test_an_order_cancelled_before_its_invoice_gets_none(service: Service, way: str) -> None:
    """Cancelled while numbers were missing; once there are some, neither issue, correction nor reissue takes one."""
    service.sim.fault("exhausted", op="Issue", times=1)
    assert service.issue(order()).status == 202
    cancelled(service, way)
    service.settle()
    assert service.head("1001").state is State.REFUSED
    issue = service.issue(order())
    assert (issue.status, issue.body["code"]) == (409, "ORDER_CANCELLED")
    refused_ever_since(service, "ORDER_CANCELLED", issues=1)


def test_a_cancellation_of_a_refused_issue_is_the_last_word(service: Service, refuse: Callable[..., None]) -> None:
    """Nothing was issued, so there is nothing to cancel: answered so, and the order stays without an invoice."""
    refuse("issue", 5000022, times=1)
    assert service.issue(order()).status == 422
    answer = service.correct("1001", CANCEL)
    assert (answer.status, answer.body["correction"]["status"]) == (200, "done")
    assert service.issue(order()).body["code"] == "ORDER_CANCELLED"
    refused_ever_since(service, "ORDER_CANCELLED", issues=1)


def forgotten(service: Service, plan_id: int) -> None:
    """A person stops a correction that has not ended, as the operator's tool does."""
    head = service.head("1001")
    after = planning.forgotten(head, plan_id, int(service.now().timestamp()), by="operator", reason="已與客戶說明")
    assert after is not None
    assert wiring.ports().store.replace(replace(after, ver=head.ver + 1, write_id="w" * 32)) is None


# --- a cancellation comes first --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["http", "queue"])
def test_a_cancellation_takes_the_place_of_what_has_not_begun(service: Service, way: str) -> None:
    """Refunds and a correction that wait for consent are stopped as cancelled; the order is cancelled, not they."""
    service.sold(company("1001"))
    for n in (1, 2):
        assert service.allow(ID, {"reason": "退", "refund_id": f"R{n}", "amount_twd": 100}).status == 202
    assert service.correct("1001", REMARK).status == 202
    cancelled(service, way)
    assert service.record("1001", CONSENT).status == 200
    assert service.head("1001").state is State.VOIDED
    assert corrections(service) == [
        ("refund", "stopped", "ORDER_CANCELLED"),
        ("refund", "stopped", "ORDER_CANCELLED"),
        ("correct", "stopped", "ORDER_CANCELLED"),
        ("cancel", "done", None),
    ]
    assert service.sim.calls(op="Allowance") == []


def test_a_cancellation_with_its_consent_is_not_held_up_by_a_refund_without(service: Service) -> None:
    """What the refund waits for is not the cancellation's business: void in the same request."""
    service.sold(company("1001"))
    service.allow(ID, {"reason": "退", "refund_id": "R1", "amount_twd": 100})
    answer = service.correct("1001", CANCEL | {"evidence": CONSENT})
    assert (answer.status, service.head("1001").state) == (201, State.VOIDED)


def test_a_refund_that_has_begun_is_not_taken_back_by_a_cancellation(service: Service) -> None:
    """Its allowance may live: it ends as done, and the cancellation allows what it left."""
    late(service)
    service.sim.fault("drop_after", op="Allowance")
    service.sim.fault("http_500_before", op="GetAllowanceList")
    assert service.allow(ID, {"reason": "退", "refund_id": "R1", "amount_twd": 300}).status == 202
    assert service.correct("1001", CANCEL).status == 202
    service.settle(20, 300)
    service.go_on(14)
    assert corrections(service) == [("refund", "done", None), ("cancel", "done", None)]
    assert sorted(int(str(one["amount"])) for one in service.sim.allowances()) == [300, 750]
    assert living(service) == []


def test_who_waits_for_an_earlier_correction_is_told_so(service: Service) -> None:
    """Not for what that one waits for, and not for nothing."""
    service.sold(company("1001"))
    waits = [
        service.allow(ID, {"reason": "退", "refund_id": f"R{n}", "amount_twd": 100}).body["correction"]["waits_for"]
        for n in (1, 2, 3)
    ]
    assert waits == ["CONSENT_NEEDED", "EARLIER_CORRECTION", "EARLIER_CORRECTION"]
    told = service.order("1001").body["corrections"]
    assert [one["waits_for"] for one in told] == waits


# --- the same wish again ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["http", "queue"])
def test_a_cancellation_after_a_new_invoice_is_a_cancellation(service: Service, way: str) -> None:
    """Void, issued again, cancelled with the words of the first time: the second invoice is void, too."""
    service.sold(order())
    assert service.messages("void", CANCEL_MESSAGE) == []
    assert service.reissue(ID, {"reason": "客戶又要了"}).status == 201
    service.confirm_now("1001")
    again = cancelled_twice(service, way)
    assert service.head("1001").state is State.VOIDED
    assert (living(service), len(service.sim.calls(op="Invalid"))) == ([], 2)
    assert again in (None, 200)


def cancelled_twice(service: Service, way: str) -> int | None:
    """Cancel the order, and once more; the status of the second answer, which nothing came of."""
    if way == "queue":
        assert service.messages("void", CANCEL_MESSAGE) == []
        assert service.messages("void", CANCEL_MESSAGE) == []
        return None
    assert service.correct("1001", CANCEL).status == 201
    return service.correct("1001", CANCEL).status


def test_a_cancellation_that_was_refused_may_be_asked_for_again(service: Service) -> None:
    """A cancellation that the rules had refused is not remembered as done: asked again, it is carried out."""
    service.sold(order())
    service.record("1001", {"redeemed": {"note": "已兌獎"}})
    assert service.correct("1001", CANCEL).body["code"] == "PRIZE_REDEEMED"
    service.record("1001", {"redeemed": None})
    assert service.correct("1001", CANCEL).status == 201
    assert service.head("1001").state is State.VOIDED


@pytest.mark.parametrize("way", ["correct", "reissue"])
def test_a_correction_to_and_fro_and_to_again_is_three(service: Service, way: str) -> None:
    """X, Y, X, the third in the very words of the first: each replaces the invoice before it."""
    service.sold(order())
    answers, remarks = [], ["X", "Y", "X"]
    for generation, remark in enumerate(remarks, start=1):
        answers.append(corrected(service, way, generation, remark))
        service.confirm_now("1001")
    assert [answer.status for answer in answers] == [201, 201, 201]
    told = service.order("1001").body["invoices"]
    assert [one["content"].get("remark") for one in told] == [None, *remarks]
    assert living(service) == [service.head("1001").number]


def corrected(service: Service, way: str, generation: int, remark: str) -> Response:
    """Give the invoice another remark, the one way or the other."""
    values = {"reason": "更正備註", "corrections": {"remark": remark}}
    if way == "reissue":
        return service.reissue(invoice_id(KEY, generation), values)
    return service.correct("1001", {"goal": "correct", **values})


@pytest.mark.parametrize("wish", [CANCEL, REMARK, WHOLE])
@pytest.mark.parametrize("key", [{}, {"idempotency_key": "k-1"}])
def test_a_true_repeat_is_answered_and_nothing_is_done(
    service: Service, wish: dict[str, Any], key: dict[str, str]
) -> None:
    """201, then 200 as often as it is sent, with and without a key: nothing goes to the centre, nothing is stored."""
    service.sold(order())
    assert service.correct("1001", wish, **key).status == 201
    head, calls = service.head("1001"), len(service.sim.calls())
    assert [service.correct("1001", wish, **key).status for _ in range(3)] == [200, 200, 200]
    assert (service.head("1001"), len(service.sim.calls())) == (head, calls)
    assert [plan["status"] for plan in head.plans] == [plans.DONE]

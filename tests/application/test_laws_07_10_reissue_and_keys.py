"""A next invoice only after a definite void; keys: the same request is the same answer, never a second wish."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from simulators.ecpay.codes import ALL, Refused
from simulators.ecpay.operations import OPERATIONS
from tests.service import MERCHANT, Service, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID, SECOND, THIRD = (invoice_id(KEY, generation) for generation in (1, 2, 3))


def remark(text: str, **more: Any) -> dict[str, Any]:
    """A correction of the remark."""
    return {"reason": "更正備註", "corrections": {"remark": text}, **more}


def test_07_a_reissue_voids_first_and_issues_then(service: Service) -> None:
    """201 with a new number; the old one void and still readable, each naming the other."""
    first = service.issue(order()).body
    answer = service.reissue(ID, remark("更正"))
    assert (answer.status, answer.body["generation"], answer.body["replaces"]) == (201, 2, ID)
    assert service.living("1001") == [answer.body["number"]]
    old = service.invoice(ID).body
    assert (old["number"], old["state"], old["replaced_by"]) == (first["number"], "VOIDED", SECOND)
    ops = [call["op"] for call in service.sim.calls() if call["committed"]]
    assert ops == ["Issue", "Invalid", "Issue"]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "http_500_after", "late_arrival"])
@pytest.mark.parametrize("op", ["Invalid", "Issue"])
def test_07_a_reissue_whose_answers_are_lost_ends_with_one_new_invoice(service: Service, op: str, fault: str) -> None:
    """Wherever the answer gets lost, in the end the old one is void and one new one lives."""
    service.issue(order())
    service.sim.fault(fault, op=op)
    service.sim.fault("http_500_before", op="GetIssue", times=2)
    assert service.reissue(ID, remark("更正")).status == 202
    service.settle(30, 200)
    head = service.head("1001")
    assert (head.state, head.generation, head.payload["remark"]) == (State.ISSUED, 2, "更正")
    assert service.living("1001") == [head.number]
    assert service.reissue(ID, remark("更正")).body["number"] == head.number


def test_07_nothing_is_touched_where_no_number_is_left(service: Service) -> None:
    """Exhausted: 422 with the way out; the old invoice lives as it was, and the same request works later."""
    number = service.issue(order()).body["number"]
    service.sim.exhaust()
    answer = service.reissue(ID, remark("更正"), idempotency_key="k")
    assert (answer.status, answer.body["code"], answer.body["next_action"]) == (422, "NUMBER_EXHAUSTED", "ADD_NUMBERS")
    assert service.living("1001") == [number]
    assert service.sim.calls(op="Invalid") == []
    service.sim.add_track("ZZ", 10000000, 10000049)
    assert service.reissue(ID, remark("更正"), idempotency_key="k").status == 201


def test_07_numbers_that_cannot_be_asked_for_touch_nothing(service: Service) -> None:
    """The centre does not say how many are left: 503, nothing was sent."""
    number = service.issue(order()).body["number"]
    service.sim.fault("http_500_before", op="GetInvoiceWordSetting")
    assert service.reissue(ID, remark("更正")).status == 503
    assert service.living("1001") == [number]


def test_07_a_reissue_begun_outlasts_a_centre_that_does_not_tell_its_numbers(service: Service) -> None:
    """Told "pending", and only time is in the way: it is carried out once the centre answers again."""
    service.issue(order())
    service.sim.fault("drop_before", op="Invalid")
    assert service.reissue(ID, remark("更正")).status == 202
    service.sim.fault("http_500_before", op="GetInvoiceWordSetting")
    service.settle(20, 300)
    assert (service.head("1001").state, service.head("1001").generation) == (State.ISSUED, 2)


def test_07_a_voided_invoice_is_followed_by_a_new_one_with_or_without_corrections(service: Service) -> None:
    """Void by hand, then again: a new number, the same content; and again with a correction."""
    service.issue(order())
    service.void(ID)
    assert service.reissue(ID, {"reason": "重新開立"}).status == 201
    service.void(SECOND)
    answer = service.reissue(SECOND, remark("更正"))
    assert (answer.status, answer.body["generation"]) == (201, 3)
    assert len(service.living("1001")) == 1


def test_07_a_refused_next_invoice_is_corrected_under_its_own_order_number(service: Service) -> None:
    """The old one is void, the new one refused: told so, and a correction of it is issued."""
    service.issue(order())
    real = OPERATIONS["issue"]

    def refuse(call: object, data: object) -> Any:
        raise Refused(ALL[5000022])

    OPERATIONS["issue"] = replace(real, run=refuse)
    try:
        answer = service.reissue(ID, remark("更正"))
    finally:
        OPERATIONS["issue"] = real
    assert (answer.status, answer.body["state"], answer.body["code"]) == (422, "REFUSED", "AMOUNT_MISMATCH")
    relate = service.head("1001").relate_number
    again = service.reissue(SECOND, remark("再更正"))
    assert (again.status, again.body["generation"]) == (201, 2)
    assert service.head("1001").relate_number == relate
    assert len(service.living("1001")) == 1


@pytest.mark.parametrize(
    ("corrections", "code"),
    [
        ({"total_twd": 1000}, "SUM_MISMATCH"),
        ({"buyer": {"ubn": "12345678"}}, None),
        ({"lines": []}, "LINES_MISSING"),
        ({"carrier": None}, None),
        ({"carrier": {"kind": "mobile_barcode"}}, None),
    ],
)
def test_07_an_unlawful_correction_touches_nothing(service: Service, corrections: Any, code: str | None) -> None:
    """422 with every violation under ``corrections``; the old invoice lives and can be changed at once."""
    number = service.issue(order()).body["number"]
    answer = service.reissue(ID, {"reason": "更正", "corrections": corrections})
    assert (answer.status, answer.body["code"]) == (422, "INVALID_REQUEST")
    assert all(one["path"].startswith("corrections.") for one in answer.body["violations"])
    assert code is None or code in {one["code"] for one in answer.body["violations"]}
    assert service.living("1001") == [number]
    assert (service.head("1001").state, service.head("1001").due_at) == (State.ISSUED, None)
    assert service.void(ID).status == 201


def test_07_a_member_carrier_needs_no_number(service: Service) -> None:
    """A correction may name a carrier without a number, as an order may."""
    service.issue(order())
    answer = service.reissue(ID, {"reason": "更正載具", "corrections": {"carrier": {"kind": "member"}}})
    assert answer.status == 201


def test_12_across_periods_an_allowance_comes_first(service: Service) -> None:
    """The period ended: USE_ALLOWANCE, nothing is sent."""
    service.issue(order())
    service.sim.move_clock(now=service.now().replace(month=5, day=2))
    answer = service.reissue(ID, remark("更正"))
    assert (answer.status, answer.body["code"], answer.body["next_action"]) == (422, "CROSS_PERIOD", "USE_ALLOWANCE")
    assert len(service.living("1001")) == 1


def test_12_no_reissue_begins_in_the_last_quarter_of_an_hour(service: Service) -> None:
    """Until 23:44:59 it may; from 23:45:00 on the period's last day it has to wait."""
    service.issue(order())
    service.sim.move_clock(now=service.now().replace(month=4, day=30, hour=23, minute=45, second=1))
    answer = service.reissue(ID, remark("更正"))
    assert (answer.status, answer.body["code"], answer.body["next_action"]) == (409, "PERIOD_ENDING", "WAIT")
    service.sim.move_clock(now=service.now().replace(minute=44, second=50))
    assert service.reissue(ID, remark("更正")).status == 201


def test_12_a_void_that_arrives_in_the_next_period_opens_no_invoice(service: Service) -> None:
    """The reissue's void is confirmed after the period ended: no invoice by itself, a person decides."""
    service.issue(order())
    service.sim.move_clock(now=service.now().replace(month=4, day=30, hour=23, minute=40))
    service.sim.fault("late_arrival", op="Invalid", seconds=500.0)
    assert service.reissue(ID, remark("更正")).status == 202
    service.recover(1500)
    assert service.living("1001") == []
    assert service.head("1001").attention["cause"] == "VOIDED_CROSS_PERIOD"
    assert len(service.sim.calls(op="Issue")) == 1


def test_10_the_same_issue_again_is_the_same_answer(service: Service) -> None:
    """With or without a key: 200 and the same number; nothing is sent."""
    first = service.issue(order(), idempotency_key="k1")
    assert first.status == 201
    for again in (service.issue(order(), idempotency_key="k1"), service.issue(order()), service.issue(order())):
        assert (again.status, again.body["number"]) == (200, first.body["number"])
    assert len(service.sim.calls(op="Issue")) == 1


def test_10_a_key_with_another_body_is_refused(service: Service) -> None:
    """Issue, void and reissue alike: 422, nothing changes."""
    service.issue(order(), idempotency_key="k")
    answers = [service.issue(order(remark="另一"), idempotency_key="k")]
    service.reissue(ID, remark("甲"), idempotency_key="k")
    answers.append(service.reissue(ID, remark("乙"), idempotency_key="k"))
    answers.append(service.reissue(SECOND, remark("乙"), idempotency_key="k"))
    service.void(SECOND, idempotency_key="k")
    answers.append(service.void(SECOND, "另一理由", idempotency_key="k"))
    assert [(one.status, one.body["code"]) for one in answers] == [(422, "IDEMPOTENCY_KEY_REUSED")] * 4
    assert service.head("1001").state is State.VOIDED


def test_10_another_body_for_an_issued_order_is_refused(service: Service) -> None:
    """409 with the way on; the invoice is untouched."""
    service.issue(order())
    before = service.head("1001")
    answer = service.issue(order(remark="另一內容"))
    assert (answer.status, answer.body["code"]) == (409, "ORDER_HAS_INVOICE")
    assert service.head("1001") == before


def test_10_a_reissue_repeated_is_the_same_answer_and_an_older_one_is_refused(service: Service) -> None:
    """Same body: 200 and the same new number. Another body for the replaced generation: 409."""
    service.issue(order())
    number = service.reissue(ID, remark("甲"), idempotency_key="k1").body["number"]
    again = service.reissue(ID, remark("甲"), idempotency_key="k1")
    assert (again.status, again.body["number"]) == (200, number)
    assert service.reissue(ID, remark("乙")).body["code"] == "OLD_GENERATION"
    service.reissue(SECOND, remark("乙"), idempotency_key="k2")
    assert service.reissue(ID, remark("甲"), idempotency_key="k1").body["code"] == "OLD_GENERATION"
    assert len(service.living("1001")) == 1


def test_10_redelivered_messages_after_a_void_make_nothing_new(service: Service) -> None:
    """An issue message, or one of a reissue that was voided since, comes again: acknowledged, nothing is sent."""
    issue = {"command": "issue", **order()}
    again = {"command": "reissue", "invoice_id": ID, **remark("甲")}
    assert service.messages("issue", issue) == []
    assert service.messages("reissue", again) == []
    service.void(SECOND)
    calls = len(service.sim.calls())
    assert service.messages("issue", issue) == []
    assert service.messages("reissue", again) == []
    assert len(service.sim.calls()) == calls
    assert service.issue(order()).body["state"] == "VOIDED"


def test_10_a_stale_older_content_does_not_come_back(service: Service) -> None:
    """A refused, B sent instead and repeated often while it waits; A, delivered late, is no new wish."""
    service.sim.fault("exhausted", op="Issue", times=None)
    service.issue(order(remark="甲"))
    for _ in range(50):
        assert service.issue(order(remark="乙")).status == 202
    assert service.issue(order(remark="甲")).status == 202
    service.sim.clear_faults()
    service.settle(5, 900)
    assert service.head("1001").payload["remark"] == "乙"

"""Unknown is the default; "refused" only from proof that nothing lives and nothing can arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import patch

import pytest

from einvoice.providers.http import HttpTransport, NotSent
from einvoice.store.base import State
from simulators.ecpay.codes import ALL, Refused
from simulators.ecpay.operations import OPERATIONS
from tests.service import Service, order

REFUSED_CODE = 5000022
UNMAPPED_CODE = 5901025  # of the simulator only, so nobody's table knows it


def let_the_centre_refuse(service: Service, code: int, *, times: int = 10**6) -> None:
    """Let the simulator answer the next ``times`` issues with a business code."""
    real, left = OPERATIONS["issue"], iter(range(times))

    def refuse(call, data):
        if next(left, None) is None:
            return real.run(call, data)
        raise Refused(ALL[code])

    OPERATIONS["issue"] = replace(real, run=refuse)


@pytest.fixture(autouse=True)
def _real_operations() -> Iterator[None]:
    """The simulator's operations are its own again afterwards."""
    kept = dict(OPERATIONS)
    yield
    OPERATIONS.update(kept)


@pytest.mark.parametrize("fault", ["drop_before", "http_500_before", "garbage_before", "redirect"])
def test_02_an_issue_without_an_answer_is_pending_and_issued_once_later(service: Service, fault: str) -> None:
    """Nothing was committed, nobody knows: 202, and the recovery issues exactly one invoice."""
    service.sim.fault(fault, op="Issue")
    assert service.issue(order()).status == 202
    service.settle(10)
    assert service.head("1001").state is State.ISSUED
    assert len(service.living("1001")) == 1


@pytest.mark.parametrize(
    "fault", ["drop_after", "http_500_after", "garbage_after", "truncated_after", "wrong_key_after"]
)
def test_02_an_issue_whose_answer_was_lost_is_adopted_in_the_same_request(service: Service, fault: str) -> None:
    """Committed, unreadable answer: the look-up finds it, and the caller gets its number."""
    service.sim.fault(fault, op="Issue")
    answer = service.issue(order())
    assert answer.status == 201
    assert [answer.body["number"]] == service.living("1001")
    assert len(service.sim.calls(op="Issue")) == 1


def test_02_a_centre_that_is_away_for_hours_never_becomes_a_refusal(service: Service) -> None:
    """Every call fails for two hours: pending all the time, then one invoice."""
    service.sim.fault("http_500_before", times=None)
    assert service.issue(order()).status == 202
    for _ in range(6):
        service.recover(1200)
        head = service.head("1001")
        assert head.state is State.ISSUING
        assert not head.attention
    service.sim.clear_faults()
    service.settle(10)
    assert len(service.living("1001")) == 1


def test_03_a_plain_definite_refusal_is_told_at_once(service: Service) -> None:
    """First send, an allow-listed code, nothing found: 422 with the centre's code; a corrected order may follow."""
    let_the_centre_refuse(service, REFUSED_CODE, times=1)
    answer = service.issue(order())
    assert (answer.status, answer.body["code"], answer.body["next_action"]) == (422, "AMOUNT_MISMATCH", "FIX_REQUEST")
    relate = service.head("1001").relate_number
    corrected = service.issue(order(remark="更正後"))
    assert corrected.status == 201
    assert service.head("1001").relate_number == relate


def test_03_a_refusal_after_an_unanswered_send_is_not_told_before_the_window_ends(service: Service) -> None:
    """The first packet may still land: pending until its window is over, refused only after a last look."""
    service.sim.fault("drop_before", op="Issue")
    assert service.issue(order()).status == 202
    let_the_centre_refuse(service, REFUSED_CODE)
    service.recover(120)
    assert service.head("1001").refusal["pending"] == "yes"
    assert service.issue(order()).status == 202
    assert service.issue(order(remark="更正")).status == 409
    service.recover(900)
    assert service.head("1001").state is State.ISSUING
    looks = len(service.sim.calls(op="GetIssue"))
    service.recover(600)
    assert service.head("1001").state is State.REFUSED
    assert len(service.sim.calls(op="GetIssue")) > looks
    assert service.issue(order()).status == 422


def test_03_a_late_arrival_is_adopted_by_the_last_look(service: Service) -> None:
    """Sent, refused on repeat, and then the first packet lands: the order is issued, it was never told "failed"."""
    service.sim.fault("late_arrival", op="Issue", seconds=590.0)
    assert service.issue(order()).status == 202
    real = OPERATIONS["issue"]
    let_the_centre_refuse(service, REFUSED_CODE)
    service.recover(120)
    assert service.head("1001").refusal["pending"] == "yes"
    OPERATIONS["issue"] = real
    service.advance(600)
    assert len(service.sim.invoices()) == 1
    service.settle(8, 300)
    head = service.head("1001")
    assert head.state is State.ISSUED
    assert [head.number] == service.living("1001")


def test_03_a_late_arrival_after_a_repeat_is_refused_by_the_centre(service: Service) -> None:
    """The repeat issued first; the late packet meets its own order number and changes nothing."""
    service.sim.fault("late_arrival", op="Issue", seconds=400.0)
    assert service.issue(order()).status == 202
    service.recover(120)
    issued = service.head("1001")
    assert issued.state is State.ISSUED
    service.advance(600)
    assert service.head("1001") == issued
    assert service.living("1001") == [issued.number]


def test_03_a_duplicate_that_cannot_be_seen_yet_is_adopted_later(service: Service) -> None:
    """The centre refuses the repeat as a duplicate while its look-up still lags: pending, then adopted."""
    service.sim.fault("drop_after", op="Issue")
    service.sim.fault("read_lag", op="Issue", seconds=100.0)
    assert service.issue(order()).status == 202
    service.recover(70)
    assert service.head("1001").cause == "DUPLICATE_ORDER_NUMBER"
    service.settle(5)
    assert [service.head("1001").number] == service.living("1001")
    assert service.head("1001").log[-1]["event"] == "adopted"


def test_03_an_unmapped_refusal_is_looked_at_three_times_and_then_a_persons(service: Service) -> None:
    """+1, +5 and +15 minutes, then attention with the centre's own words; never "refused"."""
    let_the_centre_refuse(service, UNMAPPED_CODE)
    assert service.issue(order()).status == 202
    for wait in (60, 300, 900):
        head = service.head("1001")
        assert (head.state, head.attention) == (State.ISSUING, {})
        assert head.due_at == service.now().timestamp() // 1 + wait
        service.recover(wait)
    head = service.head("1001")
    assert head.attention["cause"] == "UNPLACED_REFUSAL"
    assert head.attention["theirs"]["code"] == str(UNMAPPED_CODE)
    answer = service.issue(order())
    assert (answer.status, answer.body["next_action"]) == (202, "ASK_A_PERSON")


def test_03_failures_before_it_do_not_use_up_the_looks_of_a_refusal(service: Service) -> None:
    """A centre that was away for an hour and then answers in a lagging way is asked again, not left to a person."""
    service.sim.fault("http_500_before", op="Issue", times=5)
    service.issue(order())
    for _ in range(4):
        service.recover(901)
    service.sim.fault("drop_after", op="Issue")
    service.sim.fault("read_lag", op="Issue", seconds=1000.0)
    service.recover(901)
    service.recover(901)
    assert (service.head("1001").cause, service.head("1001").attention) == ("DUPLICATE_ORDER_NUMBER", {})
    service.settle(10, 600)
    assert [service.head("1001").number] == service.living("1001")


def test_f15_not_sent_is_waiting_and_tried_again_soon(service: Service) -> None:
    """Nobody listens: nothing was sent, so nothing has to be looked up, and half a minute later it goes out."""
    with patch.object(HttpTransport, "post", side_effect=NotSent("REFUSED")):
        answer = service.issue(order())
    assert (answer.status, answer.body["state"]) == (202, "WAITING")
    service.recover(31)
    assert service.head("1001").state is State.ISSUED
    assert [call["op"] for call in service.sim.calls()] == ["Issue"]


def test_f10_our_clock_off_is_no_refusal_of_the_order(service: Service) -> None:
    """The centre finds our timestamp wrong: nobody is told "refused", and it goes out when the clocks agree."""
    service.sim.fault("clock_off", op="Issue")
    answer = service.issue(order())
    assert (answer.status, answer.body["state"]) == (202, "WAITING")
    service.settle(12)
    assert len(service.living("1001")) == 1


def test_f13_no_time_left_sends_nothing(service: Service) -> None:
    """An invocation with too little time left claims the order and leaves the sending to the recovery."""
    assert service.call("issue", "POST /v1/invoices", order(), left_s=3.5).status == 202
    assert service.sim.calls() == []
    service.settle(3)
    assert len(service.living("1001")) == 1

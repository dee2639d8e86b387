"""Allowances whose answers are lost or late, that meet each other or a void, or that a person made (F47–F53)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from einvoice.store.base import State
from simulators.ecpay.codes import ALL, Refused
from simulators.ecpay.operations import OPERATIONS
from tests.faults.moments import at_once, during, until
from tests.faults.shop import ALLOWANCE_ID, ID, at_centre, both, by_hand, cancel, correct, queued, refund, sold, through
from tests.faults.table import item
from tests.service import Service

LOST = ["drop_after", "http_500_after", "garbage_after", "truncated_after", "wrong_key_after"]
VALID_S = 600.0  # how long ECPay takes a packet's timestamp
PENDING = {200, 201, 202}
ONCE = [(300, False)]


# --- F47, F48: answers lost, packets late -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LOST)
def test_f47_an_allowance_whose_answer_is_lost_is_found_at_once(service: Service, kind: str) -> None:
    """Made, and not heard: its list is asked for in the same request, 201 with its number, the repeat 200 the same."""
    sold(service)
    service.sim.fault(kind, op="Allowance")
    first = service.allow(ID, refund())
    again = service.allow(ID, refund())
    assert (first.status, again.status) == (201, 200)
    assert first.body["allowances"] == again.body["allowances"]
    assert (both(service), len(service.sim.calls(op="Allowance"))) == (ONCE, 1)


def test_f47_an_allowance_nobody_can_ask_after_is_pending_and_then_adopted(service: Service) -> None:
    """The list is out of order as well: 202 with Retry-After for every repeat, then adopted; sent once."""
    sold(service)
    service.sim.fault("drop_after", op="Allowance")
    service.sim.fault("http_500_before", op="GetAllowanceList", times=4)
    for _ in range(2):
        answer = service.allow(ID, refund())
        assert answer.status == 202
        assert "retry-after" in answer.headers
    through(service)
    assert service.allow(ID, refund()).status == 200
    assert (both(service), len(service.sim.calls(op="Allowance"))) == (ONCE, 1)


@pytest.mark.parametrize("late_s", [60.0, 590.0])
def test_f48_an_allowance_that_arrives_late_is_the_only_one(service: Service, late_s: float) -> None:
    """Taken over while its packet is still on its way: nothing is sent again before it can no longer land."""
    sold(service)
    service.sim.fault("late_arrival", op="Allowance", seconds=late_s)
    assert service.allow(ID, refund()).status == 202
    for _ in until(lambda: service.head("1001").state is State.ISSUED):
        assert service.allow(ID, refund()).status in PENDING
        service.recover(60)
    through(service)
    assert both(service) == ONCE
    assert len([call for call in service.sim.calls(op="Allowance") if call["committed"]]) == 1


def test_f48_an_allowance_that_never_arrives_keeps_its_quiet_time(service: Service) -> None:
    """It is sent a second time only when the first packet is older than any the centre takes."""
    sold(service)
    begun = service.now().timestamp()
    service.sim.fault("drop_before", op="Allowance")
    assert service.allow(ID, refund()).status == 202
    for _ in until(lambda: service.head("1001").state is State.ISSUED):
        service.recover(60)
    assert service.now().timestamp() - begun > VALID_S
    assert (both(service), len(service.sim.calls(op="Allowance"))) == (ONCE, 2)


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
def test_f48_a_worker_that_outlives_its_lease_makes_no_second_allowance(service: Service, answered: bool) -> None:
    """Recovery takes the order over in the middle of the call: the first worker's answer is what the winner made."""
    sold(service)
    with during("allow", lambda: service.recover(60), answered=answered):
        answer = service.allow(ID, refund())
    assert answer.status in PENDING
    through(service)
    assert both(service) == ONCE
    assert len(service.sim.calls(op="Allowance")) == 1


# --- F49: over the remainder ------------------------------------------------------------------------------------------


def test_f49_more_than_remains_is_refused_before_any_call(service: Service) -> None:
    """422 with a code; the record and the centre are as they were."""
    sold(service)
    before, calls = item(service), len(service.sim.calls())
    answer = service.allow(ID, refund(amount_twd=1051))
    assert (answer.status, answer.body["code"]) == (422, "EXCEEDS_REMAINING")
    assert (item(service), len(service.sim.calls())) == (before, calls)


def test_f49_a_remainder_that_somebody_took_past_us_goes_to_a_person(service: Service) -> None:
    """The centre refuses, and holds an allowance the ledger never made: flagged, nothing more is sent, no "failed"."""
    sold(service)
    by_hand(service, 900)
    assert service.allow(ID, refund()).status == 202
    through(service)
    head = service.head("1001")
    assert head.attention["cause"] == "FOREIGN_ALLOWANCE"
    assert head.attention["theirs"]["allowances"] == [{"number": "9999999999999999", "amount_twd": 900}]
    assert at_centre(service) == [(900, False)]


def test_f49_an_allowance_by_hand_of_the_same_sum_is_not_ours(service: Service) -> None:
    """Our packet was lost, and one of the same sum was made by hand before: it is a person's to say whose it is."""
    sold(service)
    by_hand(service, 300)
    service.advance(3600)
    service.sim.fault("drop_before", op="Allowance")
    service.allow(ID, refund())
    through(service)
    assert service.head("1001").attention["cause"] == "FOREIGN_ALLOWANCE"
    assert at_centre(service) == ONCE


# --- F50: two refunds at once -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("one_write_at_a_time")
@pytest.mark.parametrize("round_", range(3))
def test_f50_two_refunds_at_once_are_two_allowances(service: Service, round_: int) -> None:
    """One over HTTP, one from the queue: each is made once, the one that comes second waits for the first."""
    sold(service)
    told = at_once(
        lambda: service.allow(ID, refund("R1")).status,
        lambda: len(service.messages("allowance", queued(refund("R2", 200)))),
    )
    assert told[0] in {*PENDING, 409}
    if told[0] == 409:
        assert service.allow(ID, refund("R1")).status in PENDING
    if told[1]:  # it came back to the queue
        assert service.messages("allowance", queued(refund("R2", 200))) == []
    through(service)
    assert sorted(both(service)) == [(200, False), (300, False)]
    assert service.head("1001").attention == {}


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
@pytest.mark.parametrize("goal", ["refund", "cancel", "correct"])
def test_f50_whatever_comes_in_the_middle_of_a_refund_drives_nothing(
    service: Service, goal: str, answered: bool
) -> None:
    """It is kept, 202, and nothing is sent for it while another worker holds the order; its turn comes after."""
    sold(service)

    def other() -> None:
        calls = len(service.sim.calls())
        told = {
            "refund": lambda: service.allow(ID, refund("R2", 200)),
            "cancel": lambda: cancel(service),
            "correct": lambda: correct(service),
        }[goal]()
        assert (told.status, told.body["correction"]["status"]) == (202, "open")
        assert len(service.sim.calls()) == calls

    with during("allow", other, answered=answered):
        assert service.allow(ID, refund()).status in {201, 202}
    through(service)
    expected = {"refund": [300, 200], "cancel": [300, 750], "correct": [300, 750]}[goal]
    assert both(service) == [(amount, False) for amount in expected]
    assert service.head("1001").attention == {}


@pytest.mark.usefixtures("one_write_at_a_time")
def test_f50_one_refund_asked_for_at_once_is_one_allowance(service: Service) -> None:
    """Three over HTTP and one from the queue, the same refund id: one call, nobody hears "failed"."""
    sold(service)
    ask: list[Callable[[], int]] = [lambda: service.allow(ID, refund()).status] * 3
    told = at_once(*ask, lambda: len(service.messages("allowance", queued(refund()))))
    assert set(told[:3]) <= {*PENDING, 409}
    through(service)
    assert service.allow(ID, refund()).status in {200, 201}
    assert (both(service), len(service.sim.calls(op="Allowance"))) == (ONCE, 1)


@pytest.mark.usefixtures("one_write_at_a_time")
def test_f50_two_refunds_that_are_too_much_together_are_one(service: Service) -> None:
    """Each fits, both do not: one is made, the other is refused by what the first left."""
    sold(service)
    asked = {"R1": 600, "R2": 500}
    at_once(*[lambda name=name: service.allow(ID, refund(name, asked[name])) for name in asked])  # type: ignore[misc]  # mypy cannot type the default
    through(service)
    assert [amount for amount, _ in both(service)] in ([600], [500])
    assert sorted(service.allow(ID, refund(name, asked[name])).status for name in asked) == [200, 422]


# --- F51, F52: against a void, against a reissue ----------------------------------------------------------------------


@pytest.mark.usefixtures("one_write_at_a_time")
@pytest.mark.parametrize("round_", range(3))
def test_f51_a_refund_and_a_void_at_once_are_one_of_them(service: Service, round_: int) -> None:
    """Void, or allowed and not void: never both, and the loser hears why or to wait."""
    sold(service)
    answers = at_once(lambda: service.allow(ID, refund()), lambda: service.void(ID))
    assert {answer.status for answer in answers} <= {*PENDING, 409, 422}
    through(service)
    state = service.head("1001").state
    assert (state, both(service)) in [(State.VOIDED, []), (State.ISSUED, ONCE)]
    assert len(service.sim.calls(op="Allowance")) + len(service.sim.calls(op="Invalid")) == 1


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
def test_f51_a_void_in_the_middle_of_a_refund_waits(service: Service, answered: bool) -> None:
    """409 with Retry-After, the record untouched; afterwards the void is refused, because the allowance lives."""
    sold(service)

    def void() -> None:
        before = item(service)
        answer = service.void(ID)
        assert (answer.status, answer.body["next_action"]) == (409, "WAIT")
        assert "retry-after" in answer.headers
        assert item(service) == before

    with during("allow", void, answered=answered):
        assert service.allow(ID, refund()).status == 201
    assert (service.void(ID).status, service.void(ID).body["code"]) == (422, "HISTORY")
    assert service.sim.calls(op="Invalid") == []


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
def test_f51_a_refund_in_the_middle_of_a_void_ends_without_an_allowance(service: Service, answered: bool) -> None:
    """It is kept and decided on when the void is done: there is nothing to allow any more, and its repeat says so."""
    sold(service)
    with during("void", lambda: service.allow(ID, refund()), answered=answered):
        assert service.void(ID).status in {201, 202}
    through(service)
    answer = service.allow(ID, refund())
    assert (answer.status, answer.body["code"]) == (422, "ALREADY_VOIDED")
    assert (service.head("1001").state, at_centre(service)) == (State.VOIDED, [])
    assert len(service.sim.calls(op="Invalid")) == 1


def test_f51_a_void_that_is_refused_takes_no_refund_along(service: Service) -> None:
    """A refund came in the middle of it and was kept: what the centre said of the void says nothing of the refund."""
    sold(service)
    real = OPERATIONS["invalid"]

    def refuse(call: object, data: object) -> Any:
        service.allow(ID, refund())
        raise Refused(ALL[5070450])

    with patch.dict(OPERATIONS, {"invalid": replace(real, run=refuse)}):
        answer = service.void(ID)
    assert (answer.status, answer.body["code"]) == (422, "LIVING_ALLOWANCE")
    through(service)
    assert both(service) == ONCE
    assert service.allow(ID, refund()).status == 200


@pytest.mark.usefixtures("one_write_at_a_time")
@pytest.mark.parametrize("by", ["reissue", "correct"])
@pytest.mark.parametrize("round_", range(3))
def test_f52_a_refund_and_a_reissue_at_once_leave_one_living_invoice(service: Service, round_: int, by: str) -> None:
    """Whoever comes first: one lives, the refund is made at most once, and the sums of ledger and centre agree."""
    sold(service)
    change = {"reason": "更正備註", "corrections": {"remark": "更正"}}
    told = at_once(
        lambda: service.allow(ID, refund()),
        lambda: service.reissue(ID, change) if by == "reissue" else correct(service),
    )
    assert {answer.status for answer in told} <= {*PENDING, 409, 422}
    through(service)
    head = service.head("1001")
    (living,) = [one for one in service.sim.invoices() if one["living"]]
    assert (head.state, head.attention, head.number) == (State.ISSUED, {}, living["number"])
    refunds = [one for one in both(service) if one == (300, False)]
    assert len(refunds) <= 1
    assert living["remaining"] == 1050 - 300 * len(refunds)


# --- F53: an allowance void without an answer -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LOST)
def test_f53_an_allowance_void_whose_answer_is_lost_is_found_done(service: Service, kind: str) -> None:
    """Void at the centre, and not heard: asked for in the same request, and no second void is sent."""
    sold(service)
    service.allow(ID, refund())
    service.confirm_now("1001")
    service.sim.fault(kind, op="AllowanceInvalid")
    assert service.void_allowance(ALLOWANCE_ID).status == 201
    assert service.void_allowance(ALLOWANCE_ID).status == 200
    assert (both(service), len(service.sim.calls(op="AllowanceInvalid"))) == ([(300, True)], 1)


@pytest.mark.parametrize("kind", ["drop_before", "late_arrival"])
def test_f53_an_allowance_void_without_an_answer_keeps_its_quiet_time(service: Service, kind: str) -> None:
    """Its sum stays taken until its fate is known: another refund meanwhile waits and takes nothing twice."""
    sold(service)
    service.allow(ID, refund())
    service.confirm_now("1001")
    more = {"seconds": 540.0} if kind == "late_arrival" else {}
    service.sim.fault(kind, op="AllowanceInvalid", **more)
    assert service.void_allowance(ALLOWANCE_ID).status == 202
    assert service.allow(ID, refund("R2", 1050)).status in {202, 409, 422}
    for _ in until(lambda: service.head("1001").state is State.ISSUED):
        service.recover(60)
    through(service)
    assert (300, True) in both(service)
    sent = 1 if kind == "late_arrival" else 2
    assert len([call for call in service.sim.calls(op="AllowanceInvalid") if call["rtn_code"] == 1]) == 1
    assert len([call for call in service.sim.calls(op="AllowanceInvalid") if not call["arrived_late"]]) == sent

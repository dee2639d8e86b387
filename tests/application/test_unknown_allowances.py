"""Allowances whose fate is unknown: no centre knows a repeat, so nothing is sent twice before it was looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.identity import allowance_id, invoice_id
from einvoice.model import Allowance, AllowanceLine, OrderKey
from einvoice.providers.base import Accepted, Call
from einvoice.providers.http import HttpTransport
from einvoice.store.base import State
from einvoice.store.dynamodb import DynamoStore
from tests.service import MERCHANT, Service, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID = invoice_id(KEY, 1)
REFUND = {"reason": "退貨", "refund_id": "R1", "amount_twd": 350}
REMARK = {"goal": "correct", "reason": "更正備註", "corrections": {"remark": "更正"}}

COMMITTED = ["drop_after", "http_500_after", "garbage_after", "truncated_after", "wrong_key_after"]
NOT_COMMITTED = ["drop_before", "http_500_before", "garbage_before", "redirect"]


def in_force(service: Service) -> list[int]:
    """The amounts of the allowances that live at the centre."""
    return [int(str(one["amount"])) for one in service.sim.allowances() if not one["void"]]


def sent(service: Service, op: str = "Allowance") -> int:
    """How often the centre was asked to change something."""
    return len(service.sim.calls(op=op))


def in_the_console(service: Service, twd: int) -> str:
    """Somebody makes an allowance in the centre's back office; its number."""
    head = service.head("1001")
    assert head.centre is not None
    provider = wiring.ports().centres.pinned(MERCHANT, head.centre)
    line = AllowanceLine(1, "後台折讓", Decimal(1), Decimal(twd), twd)
    what = Allowance((line,), twd, 0)
    outcome = provider.allow(head.number, date.fromisoformat(head.issued_at[:10]), what, Call(5, service.now()))
    assert isinstance(outcome, Accepted)
    return outcome.value.number


# --- making one ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", COMMITTED)
def test_04_an_allowance_whose_answer_was_lost_is_adopted(service: Service, fault: str) -> None:
    """Made, no readable answer: the comparison in the same request finds it; it was sent once."""
    service.sold(order())
    service.sim.fault(fault, op="Allowance")
    answer = service.allow(ID, REFUND)
    assert (answer.status, answer.body["allowances"][0]["state"]) == (201, "LIVE")
    assert answer.body["allowances"][0]["number"] == service.sim.allowances()[0]["number"]
    assert (in_force(service), sent(service)) == ([350], 1)


@pytest.mark.parametrize("fault", NOT_COMMITTED)
def test_04_an_allowance_that_never_arrived_is_sent_again_after_its_quiet_time(service: Service, fault: str) -> None:
    """However often it is asked for, nothing is sent before; then once, and one allowance stands."""
    service.sold(order())
    service.sim.fault(fault, op="Allowance")
    assert service.allow(ID, REFUND).status == 202
    quiet_until = service.head("1001").quiet_until
    assert quiet_until is not None
    assert service.head("1001").state is State.ALLOWING
    while service.now().timestamp() + 310 < quiet_until:
        service.recover(300)
        assert service.allow(ID, REFUND).status == 202
        assert sent(service) == 1
    service.settle(4, 310)
    assert (in_force(service), sent(service)) == ([350], 2)
    assert service.allow(ID, REFUND).status == 200


def test_04_a_late_allowance_is_adopted_and_not_repeated(service: Service) -> None:
    """The packet lands ten minutes later: the next look finds it."""
    service.sold(order())
    service.sim.fault("late_arrival", op="Allowance", seconds=500.0)
    assert service.allow(ID, REFUND).status == 202
    service.settle(8, 300)
    assert (in_force(service), [call["arrived_late"] for call in service.sim.calls(op="Allowance")]) == (
        [350], [False, True],
    )
    assert service.head("1001").state is State.ISSUED


def test_04_nothing_is_sent_again_while_the_list_cannot_be_read(service: Service) -> None:
    """The quiet time is over, but the centre does not list its allowances: no second one, however long it takes."""
    service.sold(order())
    service.sim.fault("drop_after", op="Allowance")
    service.sim.fault("http_500_before", op="GetAllowanceList", times=30)
    assert service.allow(ID, REFUND).status == 202
    service.settle(20, 300)
    assert (service.head("1001").state, sent(service)) == (State.ALLOWING, 1)
    service.sim.clear_faults()
    service.settle(10, 900)
    assert (service.head("1001").state, in_force(service), sent(service)) == (State.ISSUED, [350], 1)


def test_04_a_second_refund_waits_for_the_first_ones_fate(service: Service) -> None:
    """Two refunds of 350, the first unanswered: the second is kept, and in the end there are two, not three."""
    service.sold(order())
    service.sim.fault("drop_before", op="Allowance")
    assert service.allow(ID, REFUND).status == 202
    assert service.allow(ID, REFUND | {"refund_id": "R2"}).status == 202
    assert sent(service) == 1
    service.settle(10, 310)
    assert in_force(service) == [350, 350]


def test_04_a_ban_while_allowing_is_sat_out(service: Service) -> None:
    """Half an hour of 403: nothing is sent into it, the allowance is made after it, once."""
    service.sold(order())
    service.sim.fault("ban", minutes=30.0)
    assert service.allow(ID, REFUND).status == 202
    before = len(service.sim.calls())
    service.settle(14, 120)
    assert len(service.sim.calls()) == before
    service.settle(20, 310)
    assert in_force(service) == [350]


# --- what somebody else made ---------------------------------------------------------------------------------------


def test_05_two_that_look_alike_are_a_persons(service: Service) -> None:
    """Ours unanswered, and another of the same sum from the console: neither is adopted, nothing more is sent."""
    service.sold(order())
    service.sim.fault("drop_after", op="Allowance")
    service.sim.fault("http_500_before", op="GetAllowanceList")
    assert service.allow(ID, REFUND).status == 202
    in_the_console(service, 350)
    service.settle(10, 310)
    head = service.head("1001")
    assert (head.state, head.attention["cause"]) == (State.ALLOWING, "FOREIGN_ALLOWANCE")
    assert len(head.attention["theirs"]["allowances"]) == 2
    assert sent(service) == 2  # ours, and the console's own
    assert service.allow(ID, REFUND | {"refund_id": "R2"}).status == 409


def test_05_one_of_another_sum_is_a_persons(service: Service) -> None:
    """Ours never arrived, the console's is of another sum: it is not taken for ours, and ours is not sent again."""
    service.sold(order())
    service.sim.fault("drop_before", op="Allowance")
    service.allow(ID, REFUND)
    in_the_console(service, 100)
    service.settle(10, 310)
    assert service.head("1001").attention["cause"] == "FOREIGN_ALLOWANCE"
    assert in_force(service) == [100]


def test_05_one_made_before_shows_in_what_is_left(service: Service) -> None:
    """Made in the console earlier: our allowance stands, and the remainder that does not add up is a person's."""
    service.sold(order())
    in_the_console(service, 100)
    service.allow(ID, REFUND)
    head = service.head("1001")
    assert (head.attention["cause"], head.allowances[0]["status"]) == ("REMAINING_DIFFERS", "LIVE")
    assert (head.attention["ours"]["remaining_twd"], head.attention["theirs"]["remaining_twd"]) == (700, 600)
    assert service.allow(ID, REFUND).status in (200, 202)
    assert in_force(service) == [100, 350]


def test_05_a_person_is_told_once(service: Service) -> None:
    """A flag stays as it was first raised, however often the uploads are asked for again."""
    service.sold(order())
    in_the_console(service, 100)
    service.allow(ID, REFUND)
    raised = service.head("1001").attention
    service.go_on(40, 7200)
    assert service.head("1001").attention == raised
    assert [entry["event"] for entry in service.head("1001").log].count("attention") == 1


# --- voiding one ---------------------------------------------------------------------------------------------------


def made(service: Service) -> str:
    """A refund of 350 that the ministry has; the allowance's id."""
    service.sold(order())
    assert service.allow(ID, REFUND).status == 201
    service.confirm_now("1001")
    return allowance_id(KEY, 1)


@pytest.mark.parametrize("fault", COMMITTED)
def test_04_an_allowances_void_whose_answer_was_lost_is_found_done(service: Service, fault: str) -> None:
    """Void at the centre, no readable answer: found in the same request, sent once."""
    allowance = made(service)
    service.sim.fault(fault, op="AllowanceInvalid")
    answer = service.void_allowance(allowance)
    assert (answer.status, answer.body["allowances"][0]["state"]) == (201, "VOIDED")
    assert (in_force(service), sent(service, "AllowanceInvalid")) == ([], 1)


@pytest.mark.parametrize("fault", NOT_COMMITTED)
def test_04_an_allowances_void_that_never_arrived_is_sent_again_later(service: Service, fault: str) -> None:
    """Sent once more after its quiet time; meanwhile the sum is not free."""
    allowance = made(service)
    service.sim.fault(fault, op="AllowanceInvalid")
    assert service.void_allowance(allowance).status == 202
    assert service.invoice(ID).body["remaining_twd"] == 700
    service.recover(600)
    assert sent(service, "AllowanceInvalid") == 1
    service.settle(6, 310)
    assert (in_force(service), sent(service, "AllowanceInvalid")) == ([], 2)
    assert service.invoice(ID).body["remaining_twd"] == 1050


def test_04_a_late_void_of_an_allowance_is_adopted(service: Service) -> None:
    """It lands ten minutes later and is found; never sent twice."""
    allowance = made(service)
    service.sim.fault("late_arrival", op="AllowanceInvalid", seconds=500.0)
    assert service.void_allowance(allowance).status == 202
    service.settle(8, 300)
    assert (in_force(service), service.head("1001").state) == ([], State.ISSUED)
    assert [call["arrived_late"] for call in service.sim.calls(op="AllowanceInvalid")] == [False, True]


def test_04_an_allowance_void_in_the_console_already_is_done(service: Service) -> None:
    """The centre says "void already": a success."""
    allowance = made(service)
    with service.sim.world.lock:
        next(iter(service.sim.world.allowances.values())).voided = service.now()
    assert service.void_allowance(allowance).status == 201


# --- asking the buyer ----------------------------------------------------------------------------------------------

ONLINE = REFUND | {"online_email": "buyer@example.com"}


@pytest.mark.parametrize("fault", COMMITTED)
def test_04_a_question_whose_answer_was_lost_is_not_asked_twice(reachable: Service, fault: str) -> None:
    """What the centre reserves tells that the buyer was asked."""
    reachable.sold(order())
    reachable.sim.fault(fault, op="AllowanceByCollegiate")
    reachable.allow(ID, ONLINE)
    reachable.settle(10, 310)
    assert reachable.head("1001").allowances[0]["status"] == "ASKED"
    assert len(reachable.sim.online_allowances()) == 1


@pytest.mark.parametrize("fault", NOT_COMMITTED)
def test_04_a_question_that_never_arrived_is_asked_once_later(reachable: Service, fault: str) -> None:
    """Nothing is reserved: asked again, after the quiet time."""
    reachable.sold(order())
    reachable.sim.fault(fault, op="AllowanceByCollegiate")
    reachable.allow(ID, ONLINE)
    assert reachable.sim.online_allowances() == []
    reachable.settle(10, 310)
    assert len(reachable.sim.online_allowances()) == 1


@pytest.mark.parametrize("fault", ["drop_after", "garbage_after", "drop_before", "garbage_before"])
def test_04_taking_a_question_back_is_finished_whatever_was_answered(reachable: Service, fault: str) -> None:
    """Done or not done at the first try: cancelled in the end, the sum free, and no person is needed."""
    reachable.sold(order())
    reachable.allow(ID, ONLINE)
    reachable.sim.fault(fault, op="AllowanceInvalidByCollegiate")
    reachable.void_allowance(allowance_id(KEY, 1))
    reachable.settle(12, 310)
    head = reachable.head("1001")
    assert (head.state, head.attention, head.allowances[0]["status"]) == (State.ISSUED, {}, "CANCELLED")
    assert reachable.sim.online_allowances()[0]["state"] == "cancelled"


# --- a worker that dies --------------------------------------------------------------------------------------------


class Died(BaseException):
    """The worker is gone: nothing catches this."""


@contextmanager
def dying(target: type, name: str, nth: int, when: str) -> Iterator[None]:
    """The worker dies at the ``nth`` call of a method: before it, or when it has taken effect."""
    real: Callable[..., Any] = getattr(target, name)
    count = iter(range(1, 10**6))

    def deadly(self: Any, *args: Any, **more: Any) -> Any:
        mine = next(count) == nth
        if mine and when == "before":
            raise Died
        result = real(self, *args, **more)
        if mine:
            raise Died
        return result

    with patch.object(target, name, deadly):
        yield


@pytest.mark.parametrize("when", ["before", "after"])
def test_04_a_worker_that_dies_at_its_call_is_taken_over(service: Service, when: str) -> None:
    """The intent stands; after the lease the next one looks first: adopted, or sent after the quiet time."""
    service.sold(order())
    with dying(HttpTransport, "post", 1, when), suppress(Died):
        service.allow(ID, REFUND)
    assert service.head("1001").state is State.ALLOWING
    service.recover(1)
    assert sent(service) == (when == "after")
    service.settle(12, 310)
    assert (in_force(service), service.head("1001").state) == ([350], State.ISSUED)
    assert sent(service) == 1
    assert [plan["status"] for plan in service.head("1001").plans] == ["done"]


@pytest.mark.parametrize(("target", "when"), [("write", "after"), ("call", "before"), ("call", "after")])
@pytest.mark.parametrize("nth", range(1, 8))
def test_04_a_correction_survives_a_death_at_any_write_and_any_call(
    service: Service, target: str, when: str, nth: int
) -> None:
    """Across periods, the worker gone at its n-th write or call: one allowance, one new invoice, the plan done."""
    service.sold(order(), "2026-03-20T10:00:00+08:00")
    service.sim.move_clock(now=service.now().replace(month=5, day=14))
    place = (DynamoStore, "replace") if target == "write" else (HttpTransport, "post")
    with dying(*place, nth, when):
        with suppress(Died):
            service.correct("1001", REMARK)
        for _ in range(8):
            with suppress(Died):
                service.recover(650)
            with suppress(Died):
                service.confirm()
    service.correct("1001", REMARK)
    service.go_on(6)
    living = [one["number"] for one in service.sim.invoices() if one["living"]]
    assert (living, in_force(service)) == ([service.head("1001").number], [1050])
    assert (len(service.sim.invoices()), service.head("1001").generation) == (2, 2)
    assert {plan["status"] for plan in service.head("1001").plans} == {"done"}


def test_04_an_order_in_the_hands_of_another_worker_is_left_alone(service: Service) -> None:
    """Its lease runs: a second request is told to wait, and sends nothing."""
    service.sold(order())
    with dying(HttpTransport, "post", 1, "before"), suppress(Died):
        service.allow(ID, REFUND)
    head = service.head("1001")
    assert head.lease_until > service.now().timestamp()
    assert service.allow(ID, REFUND).status == 202
    assert service.void(ID).status == 409
    assert service.recover(1)["due"] == 0
    assert (service.head("1001"), sent(service)) == (replace(head), 0)

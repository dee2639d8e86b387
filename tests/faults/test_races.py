"""Two workers on one order, and workers whose clocks differ (F28, F36, F38, F39)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from simulators.ecpay.codes import ALL, Refused
from simulators.ecpay.operations import OPERATIONS
from tests.faults.clocks import off_by
from tests.faults.moments import at_once, during, until
from tests.faults.table import item
from tests.service import MERCHANT, Service, order

ID = invoice_id(OrderKey(MERCHANT, "api", "1001"), 1)
ISSUE = {"command": "issue", **order()}
CORRECTION = {"reason": "更正備註", "corrections": {"remark": "更正"}}
VALID_S = 600.0  # how long ECPay takes a packet's timestamp
SKEWS = [(0.0, 300.0), (0.0, -300.0), (300.0, -300.0), (-300.0, 300.0), (300.0, 300.0)]


@pytest.fixture(autouse=True)
def _real_operations() -> Iterator[None]:
    """The simulator's operations are its own again afterwards."""
    kept = dict(OPERATIONS)
    yield
    OPERATIONS.update(kept)


def test_f28_a_message_that_comes_again_too_early_meets_the_lease(service: Service) -> None:
    """Delivered once more while its first delivery still works: done with, no call; the first one finishes alone."""
    service.sim.fault("late_answer", op="Issue", seconds=0.8)
    first: list[list[str]] = []
    worker = threading.Thread(target=lambda: first.append(service.messages("issue", ISSUE)))
    worker.start()
    for _ in until(lambda: bool(service.sim.calls(op="Issue")), 1000):
        time.sleep(0.005)
    before = item(service)
    for _ in range(3):
        assert service.messages("issue", ISSUE) == []
    assert worker.is_alive()
    assert item(service) == before
    worker.join()
    assert first == [[]]
    assert [call["op"] for call in service.sim.calls()] == ["Issue"]
    assert [service.head("1001").number] == service.living("1001")


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
@pytest.mark.parametrize("skew", [300.0, -300.0], ids=["ahead", "behind"])
def test_f36_a_worker_whose_clock_differs_makes_no_second_invoice(
    service: Service, skew: float, answered: bool
) -> None:
    """To a clock five minutes ahead a running lease is over: it takes over, and still one invoice comes of it."""

    def meddle() -> None:
        with off_by(skew):
            service.recover()
            assert service.issue(order()).status in {200, 202}

    with during("issue", meddle, answered=answered):
        answer = service.issue(order())
    assert answer.status in {200, 201, 202}
    service.settle(5)
    head = service.head("1001")
    assert (head.state, [head.number], head.attention) == (State.ISSUED, service.living("1001"), {})
    assert answer.body["number"] in {None, head.number}
    assert len([call for call in service.sim.calls(op="Issue") if call["committed"]]) == 1


@pytest.mark.parametrize(("sender", "judge"), SKEWS)
def test_f36_no_order_is_told_refused_while_a_packet_may_land(service: Service, sender: float, judge: float) -> None:
    """Whatever two clocks say, the window outlasts the last moment at which the centre takes the first packet."""
    service.sim.fault("late_arrival", op="Issue", seconds=VALID_S + sender - 2)
    with off_by(sender):
        assert service.issue(order()).status == 202
    real = OPERATIONS["issue"]

    def refuse(call: object, data: object) -> Any:
        raise Refused(ALL[5000022])

    for _ in range(40):
        service.advance(60)
        OPERATIONS["issue"] = replace(real, run=refuse)
        with off_by(judge):
            service.recover()
            assert service.issue(order()).status in {200, 202}
        OPERATIONS["issue"] = real
    head = service.head("1001")
    assert (head.state, [head.number], head.attention) == (State.ISSUED, service.living("1001"), {})
    assert "refused" not in {entry["event"] for entry in head.log}


@pytest.mark.parametrize(("sender", "judge"), SKEWS)
def test_f36_no_void_is_repeated_while_the_first_may_land(service: Service, sender: float, judge: float) -> None:
    """The second void is sent only after the last moment at which the centre takes the first."""
    service.issue(order())
    service.sim.fault("drop_before", op="Invalid")
    begun = service.now().timestamp()
    with off_by(sender):
        assert service.void(ID).status == 202
    with off_by(judge):
        for _ in until(lambda: service.head("1001").state is State.VOIDED):
            service.recover(60)
    assert service.now().timestamp() - begun > VALID_S + sender
    assert len(service.sim.calls(op="Invalid")) == 2


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
def test_f38_a_void_during_the_issue_waits(service: Service, answered: bool) -> None:
    """409 and Retry-After, the record untouched; after the issue the same void is carried out."""

    def void() -> None:
        before = item(service)
        answer = service.void(ID)
        assert (answer.status, answer.body["code"]) == (409, "ORDER_IN_PROGRESS")
        assert "retry-after" in answer.headers
        assert item(service) == before

    with during("issue", void, answered=answered):
        assert service.issue(order()).status == 201
    assert service.void(ID).status == 201


@pytest.mark.usefixtures("one_write_at_a_time")
def test_f39_of_voids_at_once_one_is_sent(service: Service) -> None:
    """Four at the same moment: one Invalid call, nobody is told an error, the invoice is void."""
    service.issue(order())
    answers = at_once(*[lambda: service.void(ID)] * 4)
    assert {answer.status for answer in answers} <= {200, 201, 202}
    assert len(service.sim.calls(op="Invalid")) == 1
    assert service.head("1001").state is State.VOIDED


@pytest.mark.usefixtures("one_write_at_a_time")
@pytest.mark.parametrize("round_", range(4))
def test_f39_of_a_void_and_a_reissue_at_once_one_wins(service: Service, round_: int) -> None:
    """The loser is told to wait, or what stands; never two living invoices, never a void of the new one."""
    service.issue(order())
    answers = at_once(lambda: service.void(ID), lambda: service.reissue(ID, CORRECTION))
    assert {answer.status for answer in answers} <= {200, 201, 202, 409}
    service.settle(5)
    head = service.head("1001")
    if head.generation == 1:
        assert (head.state, service.living("1001")) == (State.VOIDED, [])
    else:
        assert (head.state, service.living("1001")) == (State.ISSUED, [head.number])
    assert len(service.sim.calls(op="Invalid")) == 1


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
@pytest.mark.parametrize("winner", ["void", "reissue"])
def test_f39_the_second_change_meets_the_first_one_under_way(service: Service, winner: str, answered: bool) -> None:
    """In the middle of one, the other is refused for now and leaves the record byte for byte as it is."""
    service.issue(order())

    def other() -> None:
        before, calls = item(service), len(service.sim.calls())
        loser = service.reissue(ID, CORRECTION) if winner == "void" else service.void(ID)
        assert (loser.status, loser.body["code"]) == (409, "ORDER_IN_PROGRESS")
        same = service.void(ID) if winner == "void" else service.reissue(ID, CORRECTION)
        assert same.status == 202
        assert item(service) == before
        assert len(service.sim.calls()) == calls

    with during("void", other, answered=answered):
        assert (service.void(ID) if winner == "void" else service.reissue(ID, CORRECTION)).status == 201
    assert len(service.living("1001")) == (0 if winner == "void" else 1)

"""The last moment to void, what the centre does not void, and the edge of a period (F44, F45)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from simulators.ecpay.codes import ALL, Refused
from simulators.ecpay.operations import OPERATIONS
from tests.faults.clocks import off_by, stopped
from tests.service import MERCHANT, Service, order

ID = invoice_id(OrderKey(MERCHANT, "api", "1001"), 1)


def test_f44_a_void_with_a_living_allowance_is_refused_and_named(service: Service) -> None:
    """The centre refuses for certain: 422 "void the allowances first", the invoice lives as it was."""
    real = OPERATIONS["invalid"]

    def refuse(call: object, data: object) -> Any:
        raise Refused(ALL[5070450])

    number = service.issue(order()).body["number"]
    OPERATIONS["invalid"] = replace(real, run=refuse)
    try:
        answer = service.void(ID)
    finally:
        OPERATIONS["invalid"] = real
    assert (answer.status, answer.body["code"]) == (422, "LIVING_ALLOWANCE")
    assert answer.body["next_action"] == "VOID_ALLOWANCES_FIRST"
    assert (service.head("1001").state, service.living("1001")) == (State.ISSUED, [number])


def test_f44_a_donated_invoice_the_centre_does_not_void_goes_to_a_person(service: Service) -> None:
    """Whether donated ones can be voided is the centre's to say: tried, never told "void", then a person decides."""
    number = service.issue(order(carrier=None, love_code="168001")).body["number"]
    service.sim.settings({"profile": "doc"})
    try:
        answer = service.void(ID)
        service.settle(10, 901)
    finally:
        service.sim.settings({"profile": "stage"})
    assert (answer.status, answer.body["state"]) == (202, "VOIDING")
    head = service.head("1001")
    assert (head.state, head.attention["cause"]) == (State.VOIDING, "UNPLACED_REFUSAL")
    assert service.living("1001") == [number]


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2026-05-13T23:59:59.900+08:00", 201),
        ("2026-05-14T00:00:00+08:00", 422),
        ("2026-05-13T16:00:00+00:00", 422),  # the same instant, as a Lambda in UTC has it
        ("2026-05-13T15:59:59+00:00", 201),
        ("2026-05-13T23:59:59+08:00", 201),
    ],
)
def test_f44_the_last_moment_to_void_is_an_instant(service: Service, moment: str, status: int) -> None:
    """The 13th, 23:59:59 in Taipei, to the fraction; after it 422, an allowance, and no call."""
    service.issue(order())
    with stopped(service, moment):
        answer = service.void(ID)
    assert answer.status == status
    assert len(service.sim.calls(op="Invalid")) == (1 if status == 201 else 0)
    if status == 422:
        assert (answer.body["code"], answer.body["next_action"]) == ("VOID_WINDOW_CLOSED", "USE_ALLOWANCE")


@pytest.mark.parametrize(
    ("moment", "period", "day"),
    [
        ("2026-08-31T23:59:59.900+08:00", "11508", "2026-08-31"),
        ("2026-08-31T15:59:59.900+00:00", "11508", "2026-08-31"),
        ("2026-09-01T00:00:00+08:00", "11510", "2026-09-01"),
        ("2026-08-31T16:00:00+00:00", "11510", "2026-09-01"),
        ("2026-12-31T23:59:58+08:00", "11512", "2026-12-31"),
        ("2026-12-31T16:00:00+00:00", "11602", "2027-01-01"),
    ],
)
def test_f45_the_period_is_that_of_the_centres_own_date(service: Service, moment: str, period: str, day: str) -> None:
    """To the fraction of a second, in Taipei, wherever the function runs."""
    with stopped(service, moment):
        answer = service.issue(order())
    assert (answer.status, answer.body["issued_at"][:10], answer.body["period"]) == (201, day, period)
    assert service.head("1001").period == period


@pytest.mark.parametrize(("ours", "theirs"), [(-2.0, "11510"), (2.0, "11508")])
def test_f45_two_clocks_around_midnight_agree_on_the_centres_date(service: Service, ours: float, theirs: str) -> None:
    """Our clock still in August, the centre's in September, and the other way round: its date is the law."""
    centre = "2026-09-01T00:00:00.5+08:00" if ours < 0 else "2026-08-31T23:59:58.5+08:00"
    with stopped(service, centre), off_by(ours):
        answer = service.issue(order())
    assert (answer.status, answer.body["period"]) == (201, theirs)
    assert service.head("1001").attention == {}
    month = 11 if theirs == "11510" else 9
    with stopped(service, f"2026-{month:02}-14T00:00:00+08:00"):
        assert service.void(ID).body["code"] == "VOID_WINDOW_CLOSED"
    with stopped(service, f"2026-{month:02}-13T23:59:59+08:00"):
        assert service.void(ID).status == 201

"""Changes of one number that arrive late: nothing is sent over what may still land (F41, F42)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.faults.moments import until
from tests.service import MERCHANT, Service, order, running

NOW = "2026-03-20T10:00:00+08:00"
STEP_S = 60.0
UPLOADED_S = 3 * 3600.0


@pytest.fixture(scope="module")
def _switched_on() -> Iterator[Service]:
    with running(now=NOW, same_number_reissue=True) as made:
        yield made


@pytest.fixture
def again(_switched_on: Service, request: pytest.FixtureRequest) -> Again:
    """An issued invoice that the ministry has, of a merchant who may register a number again."""
    _switched_on.sim.reset()
    _switched_on.sim.move_clock(now=datetime.fromisoformat(NOW))
    made = Again(_switched_on, request.node.name)
    assert made.service.issue(order(made.order_id)).status == 201
    made.service.advance(UPLOADED_S)
    return made


class Again:
    """One order, and what a merchant may ask of it."""

    def __init__(self, service: Service, order_id: str) -> None:
        self.service, self.order_id = service, order_id
        self.id = invoice_id(OrderKey(MERCHANT, "api", order_id), 1)

    def register(self, name: str) -> Any:
        """註銷重開 with another name of the line."""
        line = {"name": name, "quantity": "2", "unit": "包", "unit_price_twd": "525", "amount_twd": 1050}
        return self.service.reissue(
            self.id, {"reason": "更正", "mode": "same_number", "corrections": {"lines": [line]}}
        )

    def sent(self, op: str = "VoidWithReIssue") -> list[dict[str, object]]:
        """The calls of that kind, late arrivals included."""
        return self.service.sim.calls(op=op)

    @property
    def state(self) -> State:
        """Where the order stands."""
        return self.service.head(self.order_id).state

    @property
    def content(self) -> str:
        """What the centre holds now."""
        (invoice,) = self.service.sim.world.invoices.values()
        return str(invoice.content.lines[0].name)


@pytest.mark.parametrize("late_s", [60.0, 590.0])
def test_f41_a_late_void_never_meets_a_number_registered_again(again: Again, late_s: float) -> None:
    """The void's packet is still on its way: 註銷重開 is refused until its fate is known, and then there is none."""
    again.service.sim.fault("late_arrival", op="Invalid", seconds=late_s)
    assert again.service.void(again.id).status == 202
    for _ in until(lambda: again.state is State.VOIDED):
        assert again.register("甲").status == 409
        again.service.recover(STEP_S)
    assert again.sent() == []
    assert again.service.living(again.order_id) == []


def test_f41_a_void_that_never_arrives_keeps_its_quiet_time(again: Again) -> None:
    """Lost on the way: nothing else is sent for this number before the void's own window is over."""
    again.service.sim.fault("drop_before", op="Invalid")
    begun = again.service.now()
    assert again.service.void(again.id).status == 202
    for _ in until(lambda: again.state is State.VOIDED):
        assert again.register("甲").status == 409
        again.service.recover(STEP_S)
    assert again.service.now() - begun > timedelta(seconds=1260)
    assert (len(again.sent()), len(again.sent("Invalid"))) == (0, 2)


@pytest.mark.parametrize("fault", [{"kind": "late_arrival", "seconds": 590.0}, {"kind": "drop_before"}])
def test_f42_a_second_registration_waits_for_the_fate_of_the_first(again: Again, fault: dict[str, Any]) -> None:
    """甲 late or lost, 乙 asked for all the time: 409, nothing of 乙 is sent; in the end 甲, compared, and once."""
    again.service.sim.fault(op="VoidWithReIssue", **fault)
    begun = again.service.now()
    assert again.register("甲").status == 202
    attempts: list[datetime] = []
    for _ in until(lambda: again.state is State.ISSUED):
        assert again.register("乙").status == 409
        sent = len([call for call in again.sent() if not call["arrived_late"]])
        again.service.recover(STEP_S)
        if len([call for call in again.sent() if not call["arrived_late"]]) > sent:
            attempts.append(again.service.now())
    assert again.content == "甲"
    assert again.service.head(again.order_id).payload["lines"][0]["name"] == "甲"
    assert len([call for call in again.sent() if call["committed"]]) == 1
    quiet = timedelta(seconds=1260)
    assert all(at - begun > quiet for at in attempts)
    assert len(attempts) == (1 if fault["kind"] == "drop_before" else 0)


def test_f42_the_second_one_follows_when_the_first_is_settled(again: Again) -> None:
    """甲 arrived late and the ministry has it: 乙 may follow, and the late 甲 does not come back."""
    again.service.sim.fault("late_arrival", op="VoidWithReIssue", seconds=300.0)
    assert again.register("甲").status == 202
    again.service.settle(40, STEP_S)
    again.service.advance(UPLOADED_S)
    assert again.register("乙").status == 201
    again.service.advance(3600)
    assert (again.content, len(again.service.living(again.order_id))) == ("乙", 1)

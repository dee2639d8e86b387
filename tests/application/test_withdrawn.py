"""A correction that waits can be taken back, and only while nothing of it was done."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.application.withdraw import withdraw
from einvoice.errors import Conflict, NotFound
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.service import MERCHANT, Service, company, order

KEY = OrderKey(MERCHANT, "api", "2001")
CANCEL = {"goal": "cancel", "reason": "取消"}
REMARK = {"goal": "correct", "reason": "更正", "corrections": {"remark": "x"}}


def refund(refund_id: str = "R-1", amount_twd: int = 100) -> dict[str, object]:
    """A refund of a sum."""
    return {"goal": "refund", "reason": "退貨", "refund_id": refund_id, "refund": {"amount_twd": amount_twd}}


def held(service: Service, body: dict[str, object]) -> None:
    """A company's invoice with a correction that waits for consent."""
    service.sold(company())
    assert service.correct("2001", body).body["correction"]["waits_for"] == "CONSENT_NEEDED"


def refused(cause: str, plan_id: int = 1) -> None:
    """Taking it back is refused with this cause, and changes nothing."""
    p = wiring.ports()
    before = p.store.read(KEY)
    with pytest.raises(Conflict) as refusal:
        withdraw(p, KEY, plan_id, by="k")
    assert refusal.value.cause == cause
    assert p.store.read(KEY) == before


def written(service: Service, **values: object) -> None:
    """The order with some values of its head replaced."""
    head = service.head("2001")
    assert wiring.ports().store.replace(replace(head, ver=head.ver + 1, write_id="other", **values)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [refund(), CANCEL, REMARK])
def test_what_was_taken_back_is_not_done_when_its_evidence_comes(service: Service, body: dict[str, object]) -> None:
    """The consent opens nothing any more; the order rests, and who took it back stands in its log."""
    held(service, body)
    assert withdraw(wiring.ports(), KEY, 1, by="key-7").new
    service.record("2001", {"consent": {}})
    service.go_on(2)
    head = service.head("2001")
    assert (head.state, head.allowances, head.due_at) == (State.ISSUED, [], None)
    assert (head.plans[0]["status"], head.plans[0]["cause"]) == ("stopped", "FORGOTTEN_BY_PERSON")
    (entry,) = [one for one in head.log if one["event"] == "plan_forgotten"]
    assert entry["by"] == "key-7"
    assert len(service.living("2001")) == 1


def test_those_behind_it_go_on(service: Service) -> None:
    """The refund that stood behind a correction without consent has its own, and is made once."""
    held(service, REMARK)
    behind = service.correct("2001", refund() | {"evidence": {"consent": {}}})
    assert behind.body["correction"]["waits_for"] == "EARLIER_CORRECTION"
    withdraw(wiring.ports(), KEY, 1, by="k")
    service.recover()
    head = service.head("2001")
    assert [plan["status"] for plan in head.plans] == ["stopped", "done"]
    assert [one["amount_twd"] for one in head.allowances] == [100]


def test_one_behind_can_be_taken_back_alone(service: Service) -> None:
    """The one before it still waits, and is done when its evidence comes."""
    held(service, refund())
    service.correct("2001", refund("R-2", 50))
    withdraw(wiring.ports(), KEY, 2, by="k")
    service.record("2001", {"consent": {}})
    head = service.head("2001")
    assert [plan["status"] for plan in head.plans] == ["done", "stopped"]
    assert [one["amount_twd"] for one in head.allowances] == [100]


def test_its_refund_id_may_be_used_again(service: Service) -> None:
    """The refund that was taken back is made when it is sent again; a repeat of taking it back changes nothing."""
    held(service, refund())
    p = wiring.ports()
    assert withdraw(p, KEY, 1, by="k").new
    before = service.head("2001")
    assert not withdraw(p, KEY, 1, by="k").new
    assert service.head("2001") == before
    again = service.correct("2001", refund() | {"evidence": {"consent": {}}})
    assert again.status == 201
    assert [one["amount_twd"] for one in service.head("2001").allowances] == [100]
    refused("CORRECTION_DONE", plan_id=2)


def test_nothing_is_taken_back_while_somebody_is_at_work(service: Service) -> None:
    """A worker that holds the order may be about to send."""
    held(service, refund())
    written(service, lease_until=wiring.ports().now() + 30)
    refused("CORRECTION_IN_PROGRESS")


def test_nothing_is_taken_back_of_an_order_that_a_person_looks_at(service: Service) -> None:
    """What a person decides by stays as it is."""
    held(service, refund())
    written(service, attention={"cause": "REMAINING_DIFFERS", "since": 1})
    refused("ATTENTION")


def test_a_cancellation_of_an_invoice_on_its_way_is_not_taken_back(service: Service) -> None:
    """It is a wish of the order, too, which would be carried out without its plan."""
    service.sim.fault("drop_after", op="issue")
    service.sim.fault("http_500_before", op="getissue", times=2)
    service.issue(company())
    assert service.correct("2001", CANCEL).status == 202
    refused("CORRECTION_IN_PROGRESS")
    written(service, state=State.ISSUED, lease_until=0)
    refused("CORRECTION_IN_PROGRESS")


def test_a_correction_that_emptied_its_invoice_is_not_taken_back(service: Service) -> None:
    """Across periods: allowed in full, the new invoice not there yet. Without the rest the sale would have none."""
    service.sold(order("2001"), "2026-03-14T10:00:00+08:00")
    service.sim.move_clock(advance_s=61 * 86_400)
    assert service.correct("2001", REMARK).body["correction"]["waits_for"] == "NOT_UPLOADED"
    assert service.head("2001").allowed_twd == 1050
    refused("CORRECTION_IN_PROGRESS")


def test_what_a_buyer_is_being_asked_is_not_taken_back(service: Service) -> None:
    """The buyer may agree at any moment: the question is taken back by voiding its allowance."""
    service.sold(order("2001"), "2026-03-14T10:00:00+08:00")
    service.sim.move_clock(advance_s=61 * 86_400)
    asked = service.correct("2001", CANCEL | {"online_email": "buyer@example.com"})
    assert asked.body["correction"]["waits_for"] == "CONSENT_ASKED"
    refused("CORRECTION_IN_PROGRESS")


def test_a_void_that_came_first_wins(service: Service) -> None:
    """Written over what stood before, nobody's work is lost: the second try meets what stands then."""
    held(service, refund())
    p = wiring.ports()
    stale = p.store.read(KEY)
    assert stale is not None
    service.record("2001", {"consent": {}})  # done meanwhile
    reads = iter([stale, service.head("2001")])
    with patch.object(type(p.store), "read", lambda *_, **__: next(reads)), pytest.raises(Conflict) as refusal:
        withdraw(p, KEY, 1, by="k")
    assert refusal.value.cause == "CORRECTION_DONE"
    assert service.head("2001").allowed_twd == 100


@pytest.mark.parametrize(("key", "plan_id"), [(KEY, 2), (KEY, 0), (OrderKey("other-shop", "api", "2001"), 1)])
def test_what_is_not_there_is_not_found(service: Service, key: OrderKey, plan_id: int) -> None:
    """Neither another number nor another merchant's order."""
    held(service, refund())
    with pytest.raises(NotFound):
        withdraw(wiring.ports(), key, plan_id, by="k")

"""Corrections of several steps, disturbed between any two of them (F56, F58–F62)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.model import OrderKey
from einvoice.providers.base import Accepted
from einvoice.providers.ecpay.provider import EcpayProvider
from einvoice.store.base import State
from tests.faults.moments import during
from tests.faults.shop import (
    CONSENT,
    ID,
    LAST_PERIOD,
    TOTAL_TWD,
    both,
    cancel,
    correct,
    refund,
    sold,
    through,
)
from tests.faults.table import ATTEMPTS, failing, item
from tests.service import MERCHANT, Service, order

PLANNED = rb'\"event\":\"planned\"'  # in the write that stores a plan, as the ledger spells its log
ALLOWED = rb'\"event\":\"allowed\"'
CONFIRMED = rb'\"event\":\"upload_confirmed\"'
CODES = ["ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError", "ServiceUnavailable"]
WHOLE = [(TOTAL_TWD, False)]


def replaced(service: Service) -> None:
    """One invoice lives, the second one; the first is allowed in full, once; ledger and centre agree."""
    head = service.head("1001")
    (living,) = [one for one in service.sim.invoices() if one["living"]]
    assert (head.state, head.generation, head.number, head.attention) == (State.ISSUED, 2, living["number"], {})
    assert both(service) == WHOLE
    assert len(service.sim.calls(op="Issue")) == 2


def open_steps(service: Service) -> None:
    """A correction across periods whose allowance is made, and waits for the ministry."""
    sold(service, LAST_PERIOD)
    answer = correct(service)
    assert (answer.status, answer.body["correction"]["waits_for"]) == (202, "NOT_UPLOADED")


# --- F56: the ministry refuses ----------------------------------------------------------------------------------------


def test_f56_an_allowance_the_ministry_refuses_opens_no_next_invoice(service: Service) -> None:
    """The invoice to come rests on it: flagged, nothing further is sent, and no repeat of the request moves it."""
    open_steps(service)
    real = EcpayProvider.find_allowances

    def refused(self: EcpayProvider, *asked: Any) -> Any:
        outcome = real(self, *asked)
        assert isinstance(outcome, Accepted)
        return Accepted(tuple(replace(one, upload="refused") for one in outcome.value))

    with patch.object(EcpayProvider, "find_allowances", refused):
        through(service)
    head = service.head("1001")
    assert (head.attention["cause"], head.attention["theirs"]["document"]) == ("UPLOAD_REFUSED", "allowance")
    assert correct(service).status == 202
    service.settle(3)
    assert (service.head("1001").generation, len(service.sim.calls(op="Issue"))) == (1, 1)


def test_f56_an_invoice_the_ministry_refused_is_not_allowed(service: Service) -> None:
    """A refund of it waits for the upload, which ends in a refusal: a person's, and no allowance is made."""
    assert service.issue(order()).status == 201
    service.sim.fail_upload(service.head("1001").number)
    assert service.allow(ID, refund()).status == 202
    through(service)
    assert service.head("1001").attention["cause"] == "UPLOAD_REFUSED"
    assert both(service) == []


# --- F58, F59: the table between two steps ----------------------------------------------------------------------------


@pytest.mark.parametrize("written", [False, True], ids=["not written", "written"])
@pytest.mark.parametrize("code", CODES)
def test_f58_a_step_whose_commit_fails_is_not_done_again(service: Service, code: str, written: bool) -> None:
    """The allowance is made and the write that says so fails: 202, found at the centre, and the plan goes on."""
    sold(service, LAST_PERIOD)
    with failing(ALLOWED, code, ATTEMPTS, written=written):
        answer = correct(service)
    assert (answer.status, answer.body["correction"]["status"]) == (202, "open")
    through(service)
    replaced(service)
    assert len(service.sim.calls(op="Allowance")) == 1


@pytest.mark.parametrize("written", [False, True], ids=["not written", "written"])
def test_f58_a_confirmation_that_is_not_kept_is_asked_for_again(service: Service, written: bool) -> None:
    """The ministry has the allowance, the write fails: the correction waits, is asked for again, and ends."""
    open_steps(service)
    with failing(CONFIRMED, times=ATTEMPTS, written=written):
        service.confirm(700)
    through(service)
    replaced(service)


@pytest.mark.parametrize("code", CODES)
def test_f59_a_plan_the_table_does_not_take_sends_nothing(service: Service, code: str) -> None:
    """503 "repeat it", or back to the queue; the order as it was; the repeat is carried out once."""
    sold(service)
    before, calls = item(service), len(service.sim.calls())
    with failing(PLANNED, code):
        answer = service.allow(ID, refund())
    assert (answer.status, answer.body["code"]) == (503, "LEDGER_UNAVAILABLE")
    with failing(PLANNED, code):
        assert service.messages("allowance", {"command": "allowance", "invoice_id": ID, **refund()}) == ["0"]
    assert (item(service), len(service.sim.calls())) == (before, calls)
    assert service.allow(ID, refund()).status == 201
    assert both(service) == [(300, False)]


@pytest.mark.parametrize("code", CODES)
def test_f59_a_plan_that_is_kept_unheard_is_made_once(service: Service, code: str) -> None:
    """The write landed and its answers were lost: 503, and the repeat goes on with that very plan."""
    sold(service)
    with failing(PLANNED, code, written=True):
        answer = service.allow(ID, refund())
    assert answer.status in {201, 503}
    assert service.allow(ID, refund()).status in {200, 201, 202}
    through(service)
    assert (both(service), len(service.head("1001").plans)) == ([(300, False)], 1)


# --- F60: the clock passes the cut-off --------------------------------------------------------------------------------

BEFORE_CUT_OFF, AFTER_CUT_OFF_S = "2026-03-13T23:59:30+08:00", 60.0


def at(service: Service, instant: str) -> None:
    """Both clocks are there."""
    service.sim.move_clock(now=service.now().fromisoformat(instant))


def test_f60_a_void_decided_on_before_the_cut_off_and_lost_becomes_an_allowance(service: Service) -> None:
    """Nothing of it arrived, and now it is too late to void: what was decided is decided anew."""
    at(service, BEFORE_CUT_OFF)
    sold(service, LAST_PERIOD)
    service.sim.fault("drop_before", op="Invalid")
    assert cancel(service).status == 202
    service.advance(AFTER_CUT_OFF_S)
    through(service)
    assert (both(service), service.head("1001").attention) == (WHOLE, {})
    assert service.head("1001").plans[-1]["status"] == "done"


def test_f60_a_void_that_arrives_after_the_cut_off_becomes_an_allowance(service: Service) -> None:
    """The centre refuses it: nobody is told the invoice is void, and what the merchant wants is done by allowance."""
    at(service, BEFORE_CUT_OFF)
    sold(service, LAST_PERIOD)
    with during("void", lambda: service.advance(AFTER_CUT_OFF_S)):
        assert cancel(service).status == 202
    through(service)
    assert (both(service), service.head("1001").attention) == (WHOLE, {})
    assert [call["committed"] for call in service.sim.calls(op="Invalid")] == [False]


def test_f60_a_void_and_reissue_that_the_period_overtook_goes_by_allowance(service: Service) -> None:
    """Decided in February, nothing arrived; in March the lawful way is another one, and it is taken by itself."""
    at(service, "2026-02-28T23:30:00+08:00")
    sold(service, LAST_PERIOD)
    service.sim.fault("drop_before", op="Invalid")
    assert correct(service).status == 202
    service.advance(3600)
    through(service)
    replaced(service)
    assert [call["committed"] for call in service.sim.calls(op="Invalid")] == [False]


# --- F61: a stale index -----------------------------------------------------------------------------------------------


def test_f61_a_stale_confirm_entry_moves_nothing_that_rests_or_is_in_work(service: Service) -> None:
    """The index still lists an order that is confirmed, one in work and one that is gone: none is looked up."""
    sold(service)
    stale = [OrderKey(MERCHANT, "api", order_id) for order_id in ("1001", "gone", "1001")]
    seen = []

    def confirm() -> None:
        before, calls = item(service), len(service.sim.calls())
        with patch.object(wiring.ports().store, "due", lambda now, limit, *, confirm: stale):
            seen.append(service.confirm())
        assert (item(service), len(service.sim.calls())) == (before, calls)

    confirm()
    with during("allow", confirm):
        assert service.allow(ID, refund()).status == 201
    through(service)
    confirm()
    assert seen == [{"due": 3, "busy": 3}] * 3


def test_f61_two_confirmations_at_once_make_the_next_invoice_once(service: Service) -> None:
    """One confirms while the other still asks: the later one changes nothing, one next invoice is made."""
    open_steps(service)
    service.advance(700)
    with during("find_allowances", service.confirm, answered=True):
        service.confirm()
    through(service)
    replaced(service)


# --- F62: facts in between --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
@pytest.mark.parametrize("call", ["allow", "numbers_left"])
def test_f62_a_fact_recorded_while_a_worker_is_at_work_is_kept(service: Service, call: str, answered: bool) -> None:
    """Neither write is lost: the worker's commit takes the fact along, the correction goes on to its end."""
    sold(service, LAST_PERIOD)
    with during(call, lambda: service.record("1001", {"paid_on": {"value": "2026-02-27"}}), answered=answered):
        assert correct(service).status in {201, 202}
    through(service)
    replaced(service)
    assert service.head("1001").facts["paid_on"]["value"] == "2026-02-27"


def test_f62_a_consent_taken_back_between_two_steps_stops_no_step_that_was_sent(service: Service) -> None:
    """Consent goes while the allowance is being made: it stands, and what follows needs none of the new invoice."""
    sold(service, LAST_PERIOD)
    with during("allow", lambda: service.record("1001", {"consent": None})):
        assert correct(service).status == 202
    through(service)
    service.record("1001", CONSENT)
    through(service)
    replaced(service)

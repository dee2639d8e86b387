"""Corrections that cannot be finished (更正做到一半): another way is found, or a person is told; none just stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from einvoice import wiring
from einvoice.application import planning
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.service import MERCHANT, Service, company, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID = invoice_id(KEY, 1)
REMARK = {"goal": "correct", "reason": "更正備註", "corrections": {"remark": "更正"}}
REST = {"goal": "refund", "reason": "退貨", "refund_id": "R2", "refund": {"amount_twd": 750}}
ONLINE = {"online_email": "buyer@example.com"}
HALF_DONE = "CORRECTION_HALF_DONE"

Configure = Callable[..., None]
Refuse = Callable[..., None]


def in_force(service: Service) -> list[int]:
    """The amounts of the allowances that live at the centre."""
    return [int(str(one["amount"])) for one in service.sim.allowances() if not one["void"]]


def living(service: Service) -> list[str]:
    """Numbers that live at the centre: not void, and not allowed in full."""
    return [str(one["number"]) for one in service.sim.invoices() if one["living"]]


def last(service: Service) -> tuple[str, str | None, str | None]:
    """Status, cause and what it waits for of the order's last correction."""
    told = service.order("1001").body["corrections"][-1]
    return told["status"], told["cause"], told["waits_for"]


def attention(service: Service) -> str | None:
    """What a person is to look at."""
    return service.head("1001").attention.get("cause")


# --- earlier allowances were void for a void that cannot be ----------------------------------------------------------


def refunded_once(service: Service, configure: Configure, **settings: Any) -> None:
    """300 of 1,050 were given back, in a shop that voids allowances so that the invoice can be void."""
    configure(history="void_allowances_first", **settings)
    service.sold(order())
    assert service.allow(ID, {"reason": "退貨", "refund_id": "R1", "amount_twd": 300}).status == 201
    service.confirm_now("1001")


def taken_back(service: Service, configure: Configure, **more: Any) -> None:
    """The rest is refunded too: the first allowance is void, the void of the invoice waits for that to be uploaded."""
    refunded_once(service, configure)
    assert service.correct("1001", REST | more).status == 202
    assert (in_force(service), last(service)) == ([], ("open", None, "NOT_UPLOADED"))


@pytest.mark.parametrize("why", ["redeemed", "cut off", "filed"])
def test_a_void_that_became_impossible_becomes_an_allowance_of_all(
    service: Service, configure: Configure, why: str
) -> None:
    """Both refunds' money, 1,050, is given back in the way that is left; neither can be had a second time."""
    taken_back(service, configure)
    if why == "redeemed":
        service.record("1001", {"redeemed": {"note": "已兌獎"}})
    else:
        service.sim.move_clock(now=service.now().replace(month=5, day=14 if why == "cut off" else 5))
    if why == "filed":
        assert service.file("11504").status == 200
    service.go_on(4)
    assert (in_force(service), living(service), service.sim.calls(op="Invalid")) == ([1050], [], [])
    assert (last(service), attention(service)) == (("done", None, None), None)
    again = [service.allow(ID, {"reason": "退貨", "refund_id": "R1", "amount_twd": 300}), service.correct("1001", REST)]
    assert [answer.status for answer in again] == [200, 200]
    assert in_force(service) == [1050]


def test_a_void_the_centre_refuses_becomes_an_allowance_of_all(
    service: Service, configure: Configure, refuse: Refuse
) -> None:
    """Refused for certain after the allowance was void, with nothing in between to wait for."""
    refunded_once(service, configure, upload_first=[])
    refuse("invalid", 5070450)
    service.correct("1001", REST)
    service.go_on(2)
    assert (in_force(service), living(service)) == ([1050], [])
    assert (last(service), attention(service)) == (("done", None, None), None)


def test_a_cancellation_whose_void_is_refused_allows_all(
    service: Service, configure: Configure, refuse: Refuse
) -> None:
    """The same for an order that is cancelled: nothing is left of its invoice."""
    refunded_once(service, configure, upload_first=[])
    refuse("invalid", 5070450)
    service.correct("1001", {"goal": "cancel", "reason": "訂單取消"})
    service.go_on(2)
    assert (in_force(service), living(service), attention(service)) == ([1050], [], None)


def test_a_refund_that_has_no_way_left_is_a_persons(service: Service, configure: Configure, refuse: Refuse) -> None:
    """Void refused, then the allowance, too: 300 that were given back once are not any more, and somebody is told."""
    taken_back(service, configure)
    refuse("allowance", 1600003)
    service.record("1001", {"redeemed": {"note": "已兌獎"}})
    service.go_on(4)
    status, cause, _ = last(service)
    assert (status, cause) == ("stopped", "INVOICE_OR_DATE_UNKNOWN")
    assert (in_force(service), attention(service)) == ([], HALF_DONE)


def test_a_buyer_who_does_not_consent_in_place_of_a_void_is_a_persons(reachable: Service, configure: Configure) -> None:
    """Asked online for all of it instead, and no click: the earlier refund is open again, and somebody is told."""
    taken_back(reachable, configure, **ONLINE)
    reachable.record("1001", {"redeemed": {"note": "已兌獎"}})
    reachable.go_on(90, 7200)
    assert last(reachable) == ("stopped", "CONSENT_EXPIRED", None)
    assert (in_force(reachable), attention(reachable)) == ([], HALF_DONE)
    whole = {"goal": "refund", "reason": "退貨", "refund_id": "R3", "refund": {"amount_twd": 1050}}
    reachable.record("1001", {"redeemed": None})
    reachable.correct("1001", whole)
    reachable.go_on(4)
    assert (living(reachable), attention(reachable)) == ([], None)


def test_nobody_stops_a_correction_that_took_refunds_back(service: Service, configure: Configure) -> None:
    """The operator's tool leaves it alone: a refund would be lost between its steps."""
    taken_back(service, configure)
    head = service.head("1001")
    assert planning.forgotten(head, 2, int(service.now().timestamp()), by="operator", reason="x") is None


# --- the old invoice is gone, and the new one does not come ----------------------------------------------------------


def late(service: Service) -> None:
    """An invoice of March that the ministry has, in the middle of May."""
    service.sold(order(), "2026-03-20T10:00:00+08:00")
    service.sim.move_clock(now=service.now().replace(month=5, day=14))


@pytest.mark.parametrize("made_room", ["allowance", "void"])
def test_a_new_invoice_that_is_refused_is_a_persons_and_another_correction_makes_it(
    service: Service, refuse: Refuse, made_room: str
) -> None:
    """The sale is without an invoice: flagged. The next correction is taken, issues it and takes the flag away."""
    if made_room == "allowance":
        late(service)
    else:
        service.sold(order())
    refuse("issue", 5000022, times=1)
    service.correct("1001", REMARK)
    service.confirm_now("1001")
    service.settle(10, 400)
    assert (living(service), last(service)) == ([], ("stopped", "AMOUNT_MISMATCH", None))
    assert attention(service) == HALF_DONE
    told = service.order("1001").body
    assert (told["attention"]["cause"], [one["cause"] for one in told["log"] if one["event"] == "attention"]) == (
        HALF_DONE, [HALF_DONE],
    )
    again = service.correct("1001", REMARK | {"corrections": {"remark": "再更正"}})
    assert (again.status, living(service)) == (201, [service.head("1001").number])
    assert (attention(service), last(service)) == (None, ("done", None, None))


def test_a_content_that_became_impossible_after_the_allowance_is_a_persons(service: Service) -> None:
    """What the corrected invoice needs is no longer so when its turn comes: allowed, not issued, flagged, mended."""
    late(service)
    assert service.correct("1001", REMARK).status == 202
    broken(service)
    service.confirm_now("1001")
    service.recover(1)
    status, cause, _ = last(service)
    assert (status, cause, attention(service)) == ("stopped", "LINE_AMOUNT_MISMATCH, SUM_MISMATCH", HALF_DONE)
    assert (in_force(service), living(service)) == ([1050], [])
    again = service.correct("1001", REMARK | {"reason": "更正備註二"})
    service.go_on(2)
    assert (again.status, attention(service)) == (201, None)
    assert living(service) == [service.head("1001").number]


def broken(service: Service) -> None:
    """The stored plan asks for a content that the rules refuse today, as if they had become stricter."""
    head = service.head("1001")
    lines = [{**order()["lines"][0], "amount_twd": 999}]
    plan = {**head.plans[0], "corrections": {"lines": lines}}
    changed = replace(head, ver=head.ver + 1, write_id="w" * 32, plans=[plan])
    assert wiring.ports().store.replace(changed) is None


@pytest.mark.parametrize("goal", ["refund", "cancel"])
def test_only_what_ends_a_half_done_correction_takes_its_flag_away(
    service: Service, refuse: Refuse, goal: str
) -> None:
    """Nothing is billed: a cancellation ends the matter; a refund finds nothing to do, and a person still must."""
    late(service)
    refuse("issue", 5000022, times=1)
    service.correct("1001", REMARK)
    service.confirm_now("1001")
    service.settle(10, 400)
    assert attention(service) == HALF_DONE
    wish: dict[str, Any] = {"goal": goal, "reason": "不要了"}
    if goal == "refund":
        wish |= {"refund_id": "R9", "refund": {"amount_twd": 100}}
    answer = service.correct("1001", wish)
    assert (answer.status, answer.body["correction"]["cause"]) == (200, "NO_ACTION")
    assert (attention(service), living(service)) == (None if goal == "cancel" else HALF_DONE, [])


def test_a_correction_that_changed_nothing_is_only_stopped(service: Service) -> None:
    """Stopped before its first step, the old invoice lives: its log says why, and no person has to come."""
    service.sim.settings({"profile": "doc"})
    try:
        service.issue(order())
        service.sim.move_clock(now=service.now().replace(month=5, day=14))
        assert service.correct("1001", REMARK).body["correction"]["waits_for"] == "NOT_UPLOADED"
        broken(service)
        service.go_on(8)
        assert (last(service)[0], attention(service), len(living(service))) == ("stopped", None, 1)
    finally:
        service.sim.settings({"profile": "stage"})


# --- a buyer who did not click ---------------------------------------------------------------------------------------


def test_an_expired_consent_stops_the_refund_and_the_same_id_may_be_sent_again(reachable: Service) -> None:
    """Done when the buyer was asked, stopped when nothing came of it; asked again, agreed, refunded once."""
    reachable.sold(order())
    wish = {"reason": "退貨", "refund_id": "R1", "amount_twd": 300, **ONLINE}
    assert (reachable.allow(ID, wish).status, last(reachable)) == (201, ("done", None, None))
    assert reachable.allow(ID, wish).status == 200
    reachable.go_on(76, 7200)
    assert last(reachable) == ("stopped", "CONSENT_EXPIRED", None)
    again = reachable.allow(ID, wish)
    assert (again.status, last(reachable)) == (201, ("done", None, None))
    reachable.sim.agree(str(reachable.sim.online_allowances()[-1]["number"]))
    reachable.go_on(14)
    assert in_force(reachable) == [300]
    assert reachable.allow(ID, wish).status == 200
    assert (in_force(reachable), len(reachable.sim.calls(op="AllowanceByCollegiate"))) == ([300], 2)


def test_an_expired_consent_may_be_followed_by_another_way_of_refunding(reachable: Service) -> None:
    """Under another id, without asking online."""
    reachable.sold(order())
    wish = {"reason": "退貨", "refund_id": "R1", "amount_twd": 300}
    reachable.allow(ID, wish | ONLINE)
    reachable.go_on(76, 7200)
    assert reachable.allow(ID, wish | {"refund_id": "R1-paper"}).status == 201
    assert in_force(reachable) == [300]


def test_a_correction_whose_buyer_does_not_click_asks_once(reachable: Service) -> None:
    """Asked for three days, then stopped for weeks: no second mail by itself, the old invoice whole and living."""
    late(reachable)
    answer = reachable.correct("1001", REMARK | ONLINE)
    assert (answer.status, last(reachable)) == (202, ("open", None, "CONSENT_ASKED"))
    reachable.go_on(24 * 14, 14_400)
    assert last(reachable) == ("stopped", "CONSENT_EXPIRED", None)
    assert len(reachable.sim.calls(op="AllowanceByCollegiate")) == 1
    assert (attention(reachable), living(reachable)) == (None, [reachable.head("1001").number])
    assert reachable.invoice(ID).body["remaining_twd"] == 1050
    assert reachable.correct("1001", REMARK | ONLINE).status == 202  # a person may ask once more
    assert len(reachable.sim.calls(op="AllowanceByCollegiate")) == 2


def test_what_waited_behind_an_unclicked_question_goes_on(reachable: Service) -> None:
    """A refund that came while the buyer was asked is made once nobody is asked any more."""
    late(reachable)
    reachable.correct("1001", REMARK | ONLINE)
    assert reachable.allow(ID, {"reason": "退貨", "refund_id": "R1", "amount_twd": 300}).status == 202
    reachable.go_on(80, 7200)
    assert (in_force(reachable), last(reachable)) == ([300], ("done", None, None))


# --- nobody came in time ---------------------------------------------------------------------------------------------


def test_a_void_that_waits_for_paper_past_its_end_becomes_an_allowance_by_itself(service: Service) -> None:
    """Nothing is recorded, nobody asks: the minute the void closes, the cancellation goes the other way."""
    service.sold(company("1001"))
    service.correct("1001", {"goal": "cancel", "reason": "訂單取消", "evidence": {"consent": {"note": "同意"}}})
    assert last(service) == ("open", None, "PAPER_NOT_BACK")
    service.sim.move_clock(now=service.now().fromisoformat("2026-05-13T23:50:00+08:00"))
    service.confirm()
    service.recover()
    assert (last(service), in_force(service)) == (("open", None, "PAPER_NOT_BACK"), [])
    service.go_on(1, 300)
    assert (last(service), in_force(service), living(service)) == (("done", None, None), [1050], [])
    assert service.head("1001").state is State.ISSUED

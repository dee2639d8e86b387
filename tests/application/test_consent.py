"""A buyer's consent (買受人同意): recorded by the shop, or given online; nothing of a company's goes without it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from einvoice.identity import allowance_id, invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.service import MERCHANT, Service, company, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID = invoice_id(KEY, 1)
CONSENT = {"consent": {"note": "來信同意"}}
REFUND = {"reason": "退貨", "refund_id": "R1", "amount_twd": 300}
CANCEL = {"goal": "cancel", "reason": "訂單取消"}
HOURS = 3600


def waits_for(service: Service) -> str | None:
    """What the last plan of the order waits for; None once it is over."""
    told = service.order("1001").body["corrections"][-1]
    return told["waits_for"] if told["status"] == "open" else None


def in_force(service: Service) -> list[int]:
    """The amounts of the allowances that live at the centre."""
    return [int(str(one["amount"])) for one in service.sim.allowances() if not one["void"]]


# --- recorded by the shop ------------------------------------------------------------------------------------------


def test_a_companys_refund_waits_for_consent_and_goes_on_with_it(service: Service) -> None:
    """202 and CONSENT_NEEDED, nothing sent for days; recorded, the allowance is made in the same request."""
    service.sold(company("1001"))
    answer = service.allow(ID, REFUND)
    assert (answer.status, answer.body["correction"]["waits_for"]) == (202, "CONSENT_NEEDED")
    assert "retry-after" not in answer.headers
    service.go_on(24, 3600)
    assert (waits_for(service), in_force(service)) == ("CONSENT_NEEDED", [])
    assert service.record("1001", CONSENT).status == 200
    assert (waits_for(service), in_force(service)) == (None, [300])


def test_consent_and_paper_are_asked_for_one_after_the_other(service: Service) -> None:
    """A company's printed invoice is void only with both; the decision's deadline is the last day for it."""
    service.sold(company("1001"))
    assert service.correct("1001", CANCEL).body["correction"]["waits_for"] == "CONSENT_NEEDED"
    service.record("1001", CONSENT)
    assert waits_for(service) == "PAPER_NOT_BACK"
    decision = service.order("1001").body["corrections"][0]["decision"]
    assert decision["deadline"] == "2026-05-13T23:59:59+08:00"
    service.record("1001", {"paper_back": {"note": "櫃台收回"}})
    assert (waits_for(service), service.head("1001").state) == (None, State.VOIDED)


def test_paper_that_is_not_back_in_time_makes_it_an_allowance(service: Service) -> None:
    """Held until the void was over: recorded too late, or anything else recorded, the rest is allowed in full."""
    service.sold(company("1001"))
    service.correct("1001", CANCEL | {"evidence": CONSENT})
    assert waits_for(service) == "PAPER_NOT_BACK"
    service.sim.move_clock(now=service.now().replace(month=5, day=14))
    service.record("1001", {"paid_on": {"value": "2026-03-20"}})
    assert (waits_for(service), in_force(service)) == (None, [1050])


def test_consent_is_used_once(service: Service) -> None:
    """The second refund of a company needs its own; the first's stays with the first, as evidence."""
    service.sold(company("1001"))
    assert service.allow(ID, REFUND | {"evidence": CONSENT}).status == 201
    answer = service.allow(ID, REFUND | {"refund_id": "R2"})
    assert (answer.status, answer.body["correction"]["waits_for"]) == (202, "CONSENT_NEEDED")
    told = service.order("1001").body
    assert (told["facts"], told["corrections"][0]["consent"]["note"]) == ({}, "來信同意")
    assert in_force(service) == [300]


def test_a_fact_taken_back_is_none(service: Service) -> None:
    """A null takes a fact back, and says so in the log; a correction waits again."""
    service.sold(company("1001"))
    service.record("1001", CONSENT)
    service.record("1001", {"consent": None})
    assert service.order("1001").body["facts"] == {}
    assert service.allow(ID, REFUND).body["correction"]["waits_for"] == "CONSENT_NEEDED"
    assert [entry["event"] for entry in service.head("1001").log if "fact" in entry["event"]] == [
        "fact", "fact_taken_back",
    ]


@pytest.mark.parametrize(("setting", "waits"), [("always", "CONSENT_NEEDED"), ("never", None), ("business", None)])
def test_whose_consent_is_needed_is_the_merchants_setting(
    service: Service, configure: Any, setting: str, waits: str | None
) -> None:
    """A consumer's is by default only recorded."""
    configure(consent_required=setting)
    service.sold(order())
    service.allow(ID, REFUND)
    assert waits_for(service) == waits


def test_facts_are_checked_and_only_of_an_order_that_exists(service: Service) -> None:
    """An unknown order is 404, a day that does not exist or a fact nobody knows 422; nothing is kept."""
    assert service.record("1001", CONSENT).status == 404
    service.sold(order())
    for facts in ({"paid_on": {"value": "2026-02-30"}}, {"rumour": {"note": "x"}}, {"approval_no": {"note": "x"}}):
        assert service.record("1001", facts).status == 422
    assert service.order("1001").body["facts"] == {}


# --- given online --------------------------------------------------------------------------------------------------

ONLINE = REFUND | {"online_email": "buyer@example.com"}


def asked(service: Service, body: dict[str, Any] | None = None) -> str:
    """The buyer was asked for 300 online; the centre's number of the request."""
    service.sold(body or order())
    answer = service.allow(ID, ONLINE)
    assert answer.status == 201
    (request,) = service.sim.online_allowances()
    return str(request["number"])


def called_back(service: Service, **changes: str) -> int:
    """Deliver the last callback the centre would have posted, perhaps changed on its way; the answer's status."""
    posted = service.sim.callbacks()[-1]
    name = str(service.sim.online_allowances()[-1]["return_url"]).rsplit("/", 1)[1]
    form = {**posted["form"], **changes}  # type: ignore[dict-item]
    return int(service.callback(name, urlencode(form))["statusCode"])


def state(service: Service) -> tuple[str, int]:
    """State of the order's allowance, and what is left of the invoice."""
    told = service.order("1001").body
    return told["allowances"][0]["state"], told["invoices"][0]["remaining_twd"]


def test_a_buyer_is_asked_and_the_sum_is_held_back(reachable: Service) -> None:
    """ASKED with its last moment, 750 left for others; the company's consent is the click, so none is waited for."""
    asked(reachable, company("1001"))
    assert state(reachable) == ("ASKED", 750)
    told = reachable.order("1001").body["allowances"][0]
    assert told["expires_at"].startswith("2026-03-23T10:")
    assert told["effective"] is False
    url = str(reachable.sim.online_allowances()[0]["return_url"])
    assert url.startswith(f"https://api.example.com/v1/callbacks/ecpay/{MERCHANT}/")
    assert "1001" not in url


def test_a_genuine_callback_is_looked_into_and_makes_the_allowance_live(reachable: Service) -> None:
    """The buyer clicked: the centre's list, not the form, says so; a second delivery changes nothing."""
    reachable.sim.agree(asked(reachable))
    looks = len(reachable.sim.calls(op="GetAllowanceList"))
    assert called_back(reachable) == 200
    assert state(reachable) == ("LIVE", 750)
    assert len(reachable.sim.calls(op="GetAllowanceList")) > looks
    head = reachable.head("1001")
    assert called_back(reachable) == 200
    assert reachable.head("1001").allowances == head.allowances


def test_a_genuine_callback_of_nothing_is_only_a_look(reachable: Service) -> None:
    """Signed with the merchant's keys, but the centre lists nothing: still asked."""
    number = asked(reachable)
    reachable.sim.agree(number)
    with reachable.sim.world.lock:
        for invoice in reachable.sim.world.invoices.values():
            invoice.allowances.clear()
        reachable.sim.world.allowances.clear()
    called_back(reachable)
    assert state(reachable)[0] != "LIVE"


@pytest.mark.parametrize("change", [
    {"CheckMacValue": "0" * 64}, {"IA_Allow_No": "9999999999999999"}, {"IIS_Remain_Allowance_Amt": "0"}, {"extra": "1"},
])
def test_a_forged_callback_is_refused_and_changes_nothing(reachable: Service, change: dict[str, str]) -> None:
    """Any field changed: 400, no call to the centre, the order as it was."""
    reachable.sim.agree(asked(reachable))
    before, calls = reachable.head("1001"), len(reachable.sim.calls())
    assert called_back(reachable, **change) == 400
    assert (reachable.head("1001"), len(reachable.sim.calls())) == (before, calls)


def test_a_callback_at_another_door_is_refused(reachable: Service) -> None:
    """A name nobody was given, another merchant's path, an empty form: 400, and nothing is asked."""
    reachable.sim.agree(asked(reachable))
    name = str(reachable.sim.online_allowances()[0]["return_url"]).rsplit("/", 1)[1]
    form = urlencode(reachable.sim.callbacks()[-1]["form"])  # type: ignore[call-overload]
    calls = len(reachable.sim.calls())
    answers = [
        reachable.callback("AAAA-1", form),
        reachable.callback(name, form, merchant="other-shop"),
        reachable.callback(name, ""),
        reachable.callback("", form),
    ]
    assert [answer["statusCode"] for answer in answers] == [400] * 4
    assert (len(reachable.sim.calls()), state(reachable)[0]) == (calls, "ASKED")


def test_a_click_without_a_callback_is_found_by_the_confirmation(reachable: Service) -> None:
    """The callback is lost: the next look-up of the centre's list finds the allowance."""
    reachable.sim.agree(asked(reachable))
    reachable.go_on(13)
    assert state(reachable) == ("LIVE", 750)


def test_no_click_in_72_hours_frees_the_sum(reachable: Service) -> None:
    """Held back to the last moment and a margin for clocks, then free for another refund."""
    asked(reachable)
    reachable.go_on(71, 2 * HOURS)
    assert state(reachable) == ("ASKED", 750)
    reachable.go_on(4, HOURS)
    assert state(reachable) == ("EXPIRED", 1050)
    assert reachable.allow(ID, REFUND | {"refund_id": "R2", "amount_twd": 1050}).status == 201


def test_other_changes_wait_while_the_buyer_is_asked(reachable: Service) -> None:
    """A refund, and a cancellation, wait for the click or its end, then go on by themselves."""
    asked(reachable)
    assert reachable.allow(ID, REFUND | {"refund_id": "R2"}).body["correction"]["waits_for"] == "CONSENT_ASKED"
    reachable.sim.agree(str(reachable.sim.online_allowances()[0]["number"]))
    assert called_back(reachable) == 200
    reachable.go_on(14)
    assert in_force(reachable) == [300, 300]


def test_a_question_can_be_taken_back(reachable: Service) -> None:
    """Before the click: cancelled, the sum is free; after the click there is an allowance and it is told so."""
    asked(reachable)
    answer = reachable.void_allowance(allowance_id(KEY, 1))
    assert (answer.status, state(reachable)) == (201, ("CANCELLED", 1050))
    assert reachable.sim.online_allowances()[0]["state"] == "cancelled"


def test_a_question_taken_back_after_the_click_is_an_allowance(reachable: Service) -> None:
    """The centre refuses to take it back: nothing is lost, the allowance is live once it was looked up."""
    reachable.sim.agree(asked(reachable))
    answer = reachable.void_allowance(allowance_id(KEY, 1))
    assert (answer.status, answer.body["code"]) == (422, "ALREADY_AGREED")
    reachable.go_on(13)
    assert state(reachable) == ("LIVE", 750)


@pytest.mark.parametrize("fault", ["drop_after", "garbage_after"])
def test_a_lost_answer_waits_for_the_callback(reachable: Service, fault: str) -> None:
    """Asked, the number never heard: not asked twice; reserved, and live with the callback."""
    reachable.sold(order())
    reachable.sim.fault(fault, op="AllowanceByCollegiate")
    assert reachable.allow(ID, ONLINE).status in (201, 202)
    reachable.settle(6, 300)
    assert state(reachable) == ("ASKED", 750)
    assert len(reachable.sim.calls(op="AllowanceByCollegiate")) == 1
    reachable.sim.agree(str(reachable.sim.online_allowances()[0]["number"]))
    assert called_back(reachable) == 200
    assert state(reachable) == ("LIVE", 750)


def test_a_lost_answer_ends_with_its_time(reachable: Service) -> None:
    """Nobody clicked: once the centre reserves nothing any more, the sum is free."""
    reachable.sold(order())
    reachable.sim.fault("drop_after", op="AllowanceByCollegiate")
    reachable.allow(ID, ONLINE)
    reachable.go_on(80, 2 * HOURS)
    assert state(reachable) == ("EXPIRED", 1050)


def test_a_question_that_never_left_is_asked_later_and_once(reachable: Service) -> None:
    """Lost on the way there: after its quiet time, the centre holding nothing, asked again."""
    reachable.sold(order())
    reachable.sim.fault("drop_before", op="AllowanceByCollegiate")
    assert reachable.allow(ID, ONLINE).status == 202
    reachable.settle(10, 310)
    assert (state(reachable), len(reachable.sim.online_allowances())) == (("ASKED", 750), 1)

"""Buyers who are asked: callbacks forged, replayed, early and lost, and a time that runs out unheard (F54, F55)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest

from einvoice import wiring
from tests.faults.moments import during
from tests.faults.shop import ID, both, refund, sold, through
from tests.faults.table import item
from tests.service import Service

MAIL = "buyer@example.com"
ONCE = [(300, False)]
EXPIRED_S = 74 * 3600.0  # two hours after the buyer's time is over


@pytest.fixture
def asking(service: Service) -> Iterator[Service]:
    """A service that centres can call back: their callbacks reach nobody, until a test hands them on."""
    reachable = replace(wiring.ports(), public_url="http://127.0.0.1:1")
    sold(service)
    with patch.object(wiring, "ports", lambda: reachable):
        yield service


def ask(service: Service, refund_id: str = "R1") -> Any:
    """An allowance for which the buyer is asked by e-mail."""
    return service.allow(ID, refund(refund_id, online_email=MAIL))


def click(service: Service) -> None:
    """The buyer agrees to whatever waits."""
    (number,) = [one["number"] for one in service.sim.online_allowances() if one["state"] == "waiting"]
    service.sim.agree(str(number))


def called_back(service: Service, **changes: str) -> Any:
    """The centre's last callback, as it is or with some fields changed, handed on to us."""
    told = service.sim.callbacks()[-1]
    form: Any = told["form"]
    name = changes.pop("name", str(told["url"]).rpartition("/")[2])
    return service.callback(name, urlencode({**form, **changes}))


def status(service: Service) -> str:
    """What the ledger says of the allowance."""
    (record,) = service.head("1001").allowances
    return str(record["status"])


def test_f54_a_forged_callback_is_refused_without_a_word_to_the_centre(asking: Service) -> None:
    """A false check value, or a true one over other fields: 400, nothing is looked up, nothing changes."""
    ask(asking)
    (number,) = [str(one["number"]) for one in asking.sim.online_allowances()]
    asking.sim.forge_consent(number)
    before, calls = item(asking), len(asking.sim.calls())
    assert called_back(asking)["statusCode"] == 400
    assert called_back(asking, CheckMacValue="")["statusCode"] == 400
    click(asking)
    assert called_back(asking, IIS_Remain_Allowance_Amt="0")["statusCode"] == 400
    assert (item(asking), len(asking.sim.calls())) == (before, calls)


def test_f54_a_genuine_callback_for_another_name_is_only_a_reason_to_look(asking: Service) -> None:
    """A name nobody was given is refused; a true form says nothing that the centre does not: it is asked."""
    ask(asking)
    click(asking)
    assert called_back(asking, name="NOBODY-1")["statusCode"] == 400
    assert status(asking) == "ASKED"
    assert called_back(asking)["statusCode"] == 200
    assert (status(asking), both(asking)) == ("LIVE", ONCE)


def test_f54_a_replayed_callback_changes_nothing(asking: Service) -> None:
    """Taken each time, one allowance; also when it comes once more after everything is confirmed."""
    ask(asking)
    click(asking)
    assert [called_back(asking)["statusCode"] for _ in range(3)] == [200] * 3
    assert (status(asking), both(asking)) == ("LIVE", ONCE)
    through(asking)
    before = asking.head("1001").allowances
    assert called_back(asking)["statusCode"] == 200
    assert asking.head("1001").allowances == before


def test_f54_a_click_before_our_own_commit_is_not_lost(asking: Service) -> None:
    """The buyer is faster than our write: the callback finds a worker and is taken, and a later look adopts it."""
    told = []

    def clicks() -> None:
        click(asking)
        told.append(called_back(asking)["statusCode"])

    with during("ask_allowance", clicks, answered=True):
        assert ask(asking).status in {201, 202}
    assert told == [200]
    through(asking)
    assert (status(asking), both(asking)) == ("LIVE", ONCE)


def test_f54_a_lost_callback_is_made_up_for_by_looking(asking: Service) -> None:
    """Nobody calls back: within hours the click is seen; a refund of the reserved sum waited, and is refused now."""
    ask(asking)
    click(asking)
    waits = asking.allow(ID, refund("R2", 1050))
    assert (waits.status, waits.body["correction"]["waits_for"]) == (202, "CONSENT_ASKED")
    asking.confirm(3 * 3600)
    assert (status(asking), both(asking)) == ("LIVE", ONCE)
    through(asking)
    assert asking.allow(ID, refund("R2", 1050)).body["code"] == "EXCEEDS_REMAINING"
    assert both(asking) == ONCE


def test_f54_a_click_whose_question_was_not_heard_is_adopted(asking: Service) -> None:
    """Our answer was lost and the look-ups failed; the buyer clicks: the callback, or recovery, finds one allowance."""
    asking.sim.fault("drop_after", op="AllowanceByCollegiate")
    asking.sim.fault("http_500_before", op="GetAllowanceList", times=1)
    assert ask(asking).status == 202
    click(asking)
    assert called_back(asking)["statusCode"] == 200
    through(asking)
    assert (status(asking), both(asking)) == ("LIVE", ONCE)
    assert len(asking.sim.calls(op="AllowanceByCollegiate")) == 1


def test_f55_a_question_not_heard_of_that_expired_reserves_nothing(asking: Service) -> None:
    """Our answer was lost, the sum was seen reserved, and nobody clicked: expired, and the whole sum is free again."""
    asking.sim.fault("drop_after", op="AllowanceByCollegiate")
    assert ask(asking).status in {201, 202}
    assert status(asking) == "ASKED"
    asking.advance(EXPIRED_S)
    asking.confirm()
    assert (status(asking), both(asking)) == ("EXPIRED", [])
    assert asking.allow(ID, refund("R2", 1050)).status == 201


def test_f55_after_an_outage_longer_than_the_buyers_time_one_question_stands(asking: Service) -> None:
    """Nothing was heard for three days: the expired question counts for nothing, the buyer is asked once more."""
    asking.sim.fault("drop_after", op="AllowanceByCollegiate")
    asking.sim.fault("http_500_before", op="GetAllowanceList", times=1)
    assert ask(asking).status == 202
    asking.advance(EXPIRED_S)
    for _ in range(3):
        asking.recover(1300)
    assert [one["state"] for one in asking.sim.online_allowances()] == ["expired", "waiting"]
    click(asking)
    through(asking)
    assert (status(asking), both(asking)) == ("LIVE", ONCE)


def test_f55_a_refund_whose_question_expired_may_be_asked_for_again(asking: Service) -> None:
    """The same refund id once more: it came to nothing, so that the buyer is asked again instead of told "done"."""
    ask(asking)
    asking.advance(EXPIRED_S)
    asking.confirm()
    assert status(asking) == "EXPIRED"
    assert ask(asking).status == 201
    click(asking)
    through(asking)
    assert both(asking) == ONCE

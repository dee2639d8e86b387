"""Delayed issue: what waits, when it becomes an invoice, who may still change it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

from simulators.ecpay import Simulator
from tests.simulators.ecpay_client import Client, delayed, issued, order
from tests.simulators.receiver import Receiver

EVENING = datetime.fromisoformat("2026-03-09T20:00:00+08:00")


def at(sim: Simulator, text: str) -> None:
    """Set the clock to a Taipei time."""
    sim.move_clock(now=datetime.fromisoformat(f"{text}+08:00"))


def of_tsr(client: Client, op: str, relate: str, **more: Any) -> int:
    """The code of an operation on the Tsr of an order."""
    return client.call(op, Tsr=f"T-{relate}", PayType="2", **more).code


def test_scheduled_order_is_issued_on_its_day(sim: Simulator, client: Client) -> None:
    """No invoice and no number before; from noon of the day on there is one, dated then, whatever the jump."""
    sim.move_clock(now=EVENING)
    answer = client.call("DelayIssue", **delayed("D1", DelayDay=3))
    assert (answer.code, answer.data["OrderNumber"]) == (1, "T-D1")
    assert (client.call("GetIssue", RelateNumber="D1").code, sim.invoices()) == (2, [])
    at(sim, "2026-03-12T11:59:00")
    assert client.call("GetIssue", RelateNumber="D1").code == 2
    sim.move_clock(advance_s=86400 * 9)
    found = client.call("GetIssue", RelateNumber="d1").data
    assert found["IIS_Create_Date"] == "2026-03-12 12:00:00"
    (told,) = sim.delayed()
    assert (told["state"], told["invoice_no"]) == ("issued", found["IIS_Number"])
    assert [call["op"] for call in sim.calls()] == ["DelayIssue", "GetIssue", "GetIssue", "GetIssue"]
    assert client.control("GET", "delayed")[1]["delayed"] == [told]
    assert sim.pending() == []


def test_numbers_are_given_out_when_issued(sim: Simulator, client: Client) -> None:
    """A delayed order takes the number that is next on its day, also one of the next period."""
    at(sim, "2026-02-28T20:00:00")
    client.call("DelayIssue", **delayed("D2"))
    before = issued(client, "D3")[0]
    at(sim, "2026-03-01T13:00:00")
    later = sim.invoices(relate="D2")[0]["number"]
    assert str(later)[:2] != before[:2]


def test_trigger(sim: Simulator, client: Client) -> None:
    """Without days it issues at once (4000004) and without a number in the answer; with days later (4000003)."""
    sim.move_clock(now=EVENING)
    client.call("DelayIssue", **delayed("T0", DelayFlag="2", DelayDay=0))
    client.call("DelayIssue", **delayed("T2", DelayFlag="2", DelayDay=2))
    sim.move_clock(advance_s=86400 * 30)
    assert (sim.invoices(), sim.delayed()[0]["waits_for_trigger"]) == ([], True)
    now = client.call("TriggerIssue", Tsr="T-T0", PayType="2")
    assert (now.code, now.data["Tsr"], "InvoiceNo" in now.data) == (4000004, "T-T0", False)
    assert client.call("GetIssue", RelateNumber="T0").code == 1
    assert of_tsr(client, "TriggerIssue", "T2") == 4000003
    assert client.call("GetIssue", RelateNumber="T2").code == 2
    assert [of_tsr(client, "TriggerIssue", relate) for relate in ("T0", "T2")] == [5907007, 5907007]
    assert of_tsr(client, "TriggerIssue", "none") == 4000001
    assert client.call("TriggerIssue", Tsr="T-T2", PayType="3").code == 5907005
    sim.move_clock(advance_s=86400 * 3)
    assert client.call("GetIssue", RelateNumber="T2").code == 1
    committed = [call["rtn_code"] for call in sim.calls(op="TriggerIssue") if call["committed"]]
    assert committed == [4000004, 4000003]
    assert [call["relate"] for call in sim.calls(op="TriggerIssue")][:2] == ["T0", "T2"]


def test_triggering_a_scheduled_order(client: Client, strict_client: Client, sim: Simulator) -> None:
    """Stage said 4000003 and issued nothing; the page allows it for the other kind only."""
    for one, code in ((client, 4000003), (strict_client, 5907009)):
        one.call("DelayIssue", **delayed("S1", DelayDay=15))
        assert of_tsr(one, "TriggerIssue", "S1") == code
        assert one.call("GetIssue", RelateNumber="S1").code == 2
    sim.move_clock(advance_s=16 * 86400)
    assert len(sim.invoices()) == 1


def test_edit_changes_what_is_issued(sim: Simulator, client: Client) -> None:
    """Content and RelateNumber change, the old RelateNumber is free; not once it is triggered or issued."""
    client.call("DelayIssue", **delayed("E1"))
    assert client.call("EditDelayIssue", Tsr="T-E1", **order("E2", total=70)).code == 1
    assert client.call("Issue", **order("E1")).code == 1
    assert client.call("EditDelayIssue", Tsr="T-E1", **order("E1")).code == 5070357
    assert client.call("EditDelayIssue", Tsr="T-none", **order("E3")).code == 4000001
    assert client.call("EditDelayIssue", Tsr="T-E1", **order("E2", TaxType="5")).code == 2001019
    client.call("DelayIssue", **delayed("E4", DelayFlag="2", DelayDay=1))
    assert of_tsr(client, "TriggerIssue", "E4") == 4000003
    assert client.call("EditDelayIssue", Tsr="T-E4", **order("E4")).code == 5907007
    sim.move_clock(advance_s=3 * 86400)
    assert sim.invoices(relate="E2")[0]["total"] == 70
    assert client.call("EditDelayIssue", Tsr="T-E1", **order("E2")).code == 5907007


def test_cancel_until_ten_on_the_issue_day(sim: Simulator, client: Client) -> None:
    """A cancelled order is never issued and its RelateNumber is free; 10:00 is too late; twice is 5070305."""
    sim.move_clock(now=EVENING)
    for relate in ("C1", "C2"):
        client.call("DelayIssue", **delayed(relate))
    at(sim, "2026-03-10T09:59:30")
    assert (of_tsr(client, "CancelDelayIssue", "C1"), of_tsr(client, "CancelDelayIssue", "C1")) == (1, 5070305)
    at(sim, "2026-03-10T10:00:00")
    assert of_tsr(client, "CancelDelayIssue", "C2") == 5907008
    assert client.call("EditDelayIssue", Tsr="T-C2", **order("C2")).code == 5907008
    at(sim, "2026-03-10T12:00:01")
    assert [one["relate_number"] for one in sim.invoices()] == ["C2"]
    assert of_tsr(client, "CancelDelayIssue", "C2") == 5070305
    assert client.call("DelayIssue", **delayed("C1")).code == 5907004
    assert client.call("DelayIssue", **delayed("C1", Tsr="T-C1b")).code == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 1),
        ({"DelayFlag": "3"}, 5907001),
        ({"DelayDay": 0}, 5907002),
        ({"DelayDay": 16}, 5907002),
        ({"DelayDay": "15"}, 1),
        ({"DelayFlag": "2", "DelayDay": 0}, 1),
        ({"DelayFlag": "2", "DelayDay": 16}, 5907002),
        ({"Tsr": ""}, 5907003),
        ({"Tsr": "t" * 31}, 5907003),
        ({"PayType": "3"}, 5907005),
        ({"PayAct": "OPAY"}, 5907005),
        ({"NotifyURL": "http://127.0.0.1/" + "x" * 200}, 5907006),
        ({"SalesAmount": 1}, 5000022),
        ({"CarrierType": "9"}, 2001096),
    ],
)
def test_delay_validation(sim: Simulator, client: Client, changes: dict[str, Any], code: int) -> None:
    """Its own fields, then those of Issue; a refusal leaves nothing behind."""
    assert client.call("DelayIssue", **delayed("V1") | changes).code == code
    assert len(sim.delayed()) == (code == 1)


def test_relate_number_is_one_among_delayed_and_issued(sim: Simulator, client: Client) -> None:
    """While an order waits, nobody else can take its RelateNumber, and the other way round."""
    client.call("DelayIssue", **delayed("R1"))
    assert client.call("Issue", **order("r1")).code == 5070357
    assert client.call("DelayIssue", **delayed("R1", Tsr="other")).code == 5070357
    issued(client, "R2")
    assert client.call("DelayIssue", **delayed("R2")).code == 5070357
    sim.move_clock(advance_s=3 * 86400)
    assert len(sim.invoices()) == 2


def test_notify_url_is_called_by_the_strict_profile_only(
    sim: Simulator, client: Client, strict: Simulator, strict_client: Client, receiver: Receiver
) -> None:
    """A form without a checksum, once, when the invoice is there; stage stays silent and says so."""
    for one, its_client in ((sim, client), (strict, strict_client)):
        one.move_clock(now=EVENING)
        assert its_client.call("DelayIssue", **delayed("N1", NotifyURL=receiver.url)).code == 1
        one.move_clock(advance_s=86400)
    (form,) = receiver.forms
    number = strict.invoices()[0]["number"]
    assert form == {
        "inv_mer_id": "2000132",
        "od_sob": "N1",
        "tsr": "T-N1",
        "invoicedate": "2026-03-10",
        "invoicetime": "12:00:00",
        "invoicenumber": number,
        "invoicecode": "0000" + str(strict.invoices()[0]["random"]),
        "inv_error": "",
    }
    assert receiver.headers[0]["Accept"] == "text/html"
    assert [one["state"] for one in strict.callbacks()] == ["delivered"]
    assert [one["state"] for one in sim.callbacks()] == ["not sent"]


def test_an_order_that_cannot_be_issued(strict: Simulator, strict_client: Client, receiver: Receiver) -> None:
    """It fails, the callback says why (an edit kept its address), and its RelateNumber can be issued otherwise."""
    strict.move_clock(now=EVENING)
    strict_client.call("DelayIssue", **delayed("F1", NotifyURL=receiver.url))
    assert strict_client.call("EditDelayIssue", Tsr="T-F1", **order("F1", total=90)).code == 1
    strict.exhaust()
    strict.move_clock(advance_s=86400)
    assert [(form["inv_error"], form["invoicenumber"]) for form in receiver.forms] == [("5070350", "")]
    assert [(one["state"], one["failure"]) for one in strict.delayed()] == [("failed", 5070350)]
    strict.add_track("ZZ", 0, 49)
    assert strict_client.call("Issue", **order("F1")).code == 1


def test_trigger_without_numbers_can_be_repeated(sim: Simulator, client: Client) -> None:
    """A refused trigger leaves the order waiting."""
    client.call("DelayIssue", **delayed("F2", DelayFlag="2", DelayDay=0))
    sim.fault("exhausted", op="TriggerIssue")
    assert of_tsr(client, "TriggerIssue", "F2") == 5070350
    assert client.call("Issue", **order("F2")).code == 5070357
    assert of_tsr(client, "TriggerIssue", "F2") == 4000004


def test_callback_of_a_trigger_comes_by_itself(strict: Simulator, strict_client: Client, receiver: Receiver) -> None:
    """The answer does not wait for the receiver, who may be the caller."""
    strict_client.call("DelayIssue", **delayed("T9", DelayFlag="2", DelayDay=0, NotifyURL=receiver.url))
    assert of_tsr(strict_client, "TriggerIssue", "T9") == 4000004
    end = time.monotonic() + 5
    while not receiver.forms and time.monotonic() < end:
        time.sleep(0.005)
    assert [form["od_sob"] for form in receiver.forms] == ["T9"]

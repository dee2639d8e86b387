"""VoidWithReIssue: what stays, what changes, and what it waits for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulators.ecpay import Simulator
from tests.simulators.ecpay_client import Answer, Client, allowance, issued, online, order

MARCH_13 = datetime.fromisoformat("2026-03-13T23:59:50+08:00")
JANUARY = datetime.fromisoformat("2026-01-31T23:30:00+08:00")


def void(client: Client, number: str, at: str) -> Answer:
    """Invalid."""
    return client.call("Invalid", InvoiceNo=number, InvoiceDate=at, Reason="退貨")


def reissue(client: Client, number: str, at: str, relate: str, **changes: Any) -> Answer:
    """VoidWithReIssue in the shape of ECPay's PHP sample: MerchantID in both models, none on top."""
    return client.call(
        "VoidWithReIssue",
        VoidModel={"MerchantID": client.merchant, "InvoiceNo": number, "VoidReason": "更正"},
        IssueModel={"MerchantID": client.merchant, **order(relate, **changes), "InvoiceDate": at},
    )


def test_reissue_keeps_number_order_and_time(sim: Simulator, client: Client) -> None:
    """New content and random code; the old RelateNumber still finds it, the one in IssueModel does nothing."""
    number, at = issued(client, "R1")
    before = client.call("GetIssue", RelateNumber="R1").data["IIS_Random_Number"]
    answer = reissue(client, number, at.replace("-", "/"), "R1-new", total=90)
    assert (answer.code, answer.data["InvoiceNo"], answer.data["InvoiceDate"]) == (1, number, at)
    assert answer.data["RandomNumber"] != before
    found = client.call("GetIssue", RelateNumber="R1").data
    assert (found["IIS_Sales_Amount"], found["IIS_Relate_Number"]) == (90, "R1")
    assert client.call("GetIssue", RelateNumber="R1-new").code == 2
    assert [(one["reissues"], one["total"]) for one in sim.invoices()] == [(1, 90)]


def test_reissued_invoice_waits_for_its_upload(sim: Simulator, client: Client) -> None:
    """Even on stage: no void, no second re-issue, no allowance before the ministry has it."""
    number, at = issued(client, "R2")
    assert reissue(client, number, at, "R2").code == 1
    assert void(client, number, at).code == 5070451
    assert reissue(client, number, at, "R2").code == 5918005
    assert client.call("Allowance", **allowance(number, at, 1)).code == 5902005
    assert client.call("GetIssue", RelateNumber="R2").data["IIS_Turnkey_Status"] == "P"
    sim.move_clock(advance_s=7201)
    assert void(client, number, at).code == 1


def test_reissue_refusals(sim: Simulator, client: Client) -> None:
    """Unknown, other time, void, allowed, malformed."""
    number, at = issued(client, "R3")
    assert reissue(client, "AA00000000", at, "R3").code == 2
    assert reissue(client, number, "2020-01-01 00:00:00", "R3").code == 5918002
    assert reissue(client, number, at, "R3", SalesAmount=1).code == 5000022
    assert client.call("VoidWithReIssue", VoidModel={}).code == 5918001
    made = client.call("Allowance", **allowance(number, at, 1)).data["IA_Allow_No"]
    assert reissue(client, number, at, "R3").code == 5918004
    client.call("AllowanceInvalid", InvoiceNo=number, AllowanceNo=made, Reason="x")
    assert void(client, number, at).code == 1
    assert reissue(client, number, at, "R3").code == 5918003
    assert sim.invoices()[0]["reissues"] == 0


def test_reissue_with_another_number(sim: Simulator, client: Client) -> None:
    """Stage was seen to answer another number at times; the old one is gone then."""
    sim.settings({"reissue_keeps_number": False})
    number, at = issued(client, "R4")
    again = reissue(client, number, at, "R4").data["InvoiceNo"]
    assert again != number
    assert client.call("GetIssue", InvoiceNo=number, InvoiceDate=at).code == 2
    assert client.call("GetIssue", RelateNumber="R4").data["IIS_Number"] == again


def test_strict_reissue_needs_upload_and_48_hours(strict: Simulator, strict_client: Client) -> None:
    """The back office function of ECPay asks for both."""
    strict.move_clock(now=JANUARY)
    (number, at), late = issued(strict_client, "R5"), issued(strict_client, "R6")
    assert reissue(strict_client, number, at, "R5").code == 5918005
    strict.move_clock(advance_s=7201)
    assert reissue(strict_client, number, at, "R5").code == 1
    strict.move_clock(advance_s=48 * 3600)
    assert reissue(strict_client, *late, "R6").code == 5918006


def test_reissue_ends_with_the_13th_of_the_next_odd_month(sim: Simulator, client: Client) -> None:
    """The same moment as a void."""
    sim.move_clock(now=JANUARY)
    first, second = issued(client, "R7"), issued(client, "R8")
    sim.move_clock(now=MARCH_13)
    assert reissue(client, *first, "R7").code == 1
    sim.move_clock(advance_s=11)
    assert reissue(client, *second, "R8").code == 5918006


def test_reissue_waits_for_the_buyer_of_an_online_allowance(client: Client) -> None:
    """While he may still agree, the invoice stays as it is."""
    number, at = issued(client, "R9")
    client.call("AllowanceByCollegiate", **online(number, at, 10))
    assert reissue(client, number, at, "R9").code == 5918004

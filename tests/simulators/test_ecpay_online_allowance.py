"""Online allowances: asked, agreed to, cancelled, expired; and the queries of allowances of both kinds."""

from __future__ import annotations

import http.client
from datetime import datetime, timedelta
from typing import Any

import pytest

from simulators.ecpay import Simulator
from tests.simulators.ecpay_client import COMPANY, Client, allowance, issued, online

JANUARY = datetime.fromisoformat("2026-01-31T23:30:00+08:00")


def remaining(client: Client, relate: str) -> int:
    """As GetIssue tells it."""
    return int(client.call("GetIssue", RelateNumber=relate).data["IIS_Remain_Allowance_Amt"])


def cancel(client: Client, number: str, asked: str) -> int:
    """The code of AllowanceInvalidByCollegiate."""
    keys = {"InvoiceNo": number, "AllowanceNo": asked, "Reason": "x"}
    return client.call("AllowanceInvalidByCollegiate", **keys).code


def ask(client: Client, number: str, at: str, amount: int, **more: Any) -> str:
    """The number of a new online allowance."""
    answer = client.call("AllowanceByCollegiate", **online(number, at, amount, **more))
    assert answer.code == 1, answer.data
    return str(answer.data["IA_Allow_No"])


def test_amount_is_held_back_until_the_buyer_agrees(sim: Simulator, client: Client) -> None:
    """Asked is not allowed: nothing lists it, yet its amount is gone and the invoice lives; agreed it is like any."""
    sim.move_clock(now=JANUARY)
    number, at = issued(client, "O1")
    answer = client.call("AllowanceByCollegiate", **online(number, at, 100)).data
    asked = answer["IA_Allow_No"]
    assert (len(asked), answer["IA_Invoice_No"], answer["IA_Remain_Allowance_Amt"]) == (16, number, 0)
    until = datetime.fromisoformat(answer["IA_TempExpireDate"]) - datetime.fromisoformat(answer["IA_TempDate"])
    assert until == timedelta(hours=72)
    assert remaining(client, "O1") == 0
    assert client.call("GetAllowanceList", SearchType="0", AllowanceNo=asked).code == 7
    assert (sim.invoices()[0]["living"], sim.invoices()[0]["reserved"], sim.allowances()) == (True, 100, [])
    assert client.call("Allowance", **allowance(number, at, 1)).code == 5902001
    assert client.call("Invalid", InvoiceNo=number, InvoiceDate=at, Reason="x").code == 5070450
    sim.move_clock(advance_s=86400)
    sim.agree(asked)
    (told,) = client.call("GetAllowanceList", SearchType="2", InvoiceNo=number, Date="2026-02-01").data["AllowanceInfo"]
    assert (told["IA_Allow_No"], told["IA_Check_Send_Mail"], told["IA_Send_Mail"]) == (asked, "E", "buyer@example.com")
    assert (sim.invoices()[0]["living"], sim.invoices()[0]["reserved"], remaining(client, "O1")) == (False, 0, 0)
    assert cancel(client, number, asked) == 5070250
    keys = {"InvoiceNo": number, "AllowanceNo": asked, "Reason": "x"}
    assert client.call("AllowanceInvalid", **keys).code == 1
    assert remaining(client, "O1") == 100


def test_cancelled_and_expired_give_the_amount_back(sim: Simulator, client: Client) -> None:
    """72 hours by the simulator's clock; neither can be agreed to or cancelled afterwards."""
    number, at = issued(client, "O2")
    first, second = ask(client, number, at, 60), ask(client, number, at, 40)
    assert first != second
    assert (cancel(client, number, first), cancel(client, number, first)) == (1, 5905001)
    assert remaining(client, "O2") == 60
    sim.move_clock(advance_s=72 * 3600 - 30)
    assert remaining(client, "O2") == 60
    sim.move_clock(advance_s=31)
    assert remaining(client, "O2") == 100
    assert cancel(client, number, second) == 5905001
    assert [one["state"] for one in sim.online_allowances()] == ["cancelled", "expired"]
    for done in (first, second):
        with pytest.raises(ValueError, match=done):
            sim.agree(done)
    assert client.call("Invalid", InvoiceNo=number, InvoiceDate=at, Reason="x").code == 1


def test_unknown_and_misused_numbers(client: Client) -> None:
    """The two kinds of void do not reach each other's allowances."""
    number, at = issued(client, "O3")
    asked = ask(client, number, at, 10)
    paper = client.call("Allowance", **allowance(number, at, 10)).data["IA_Allow_No"]
    assert cancel(client, number, paper) == 2000039
    assert client.call("AllowanceInvalid", InvoiceNo=number, AllowanceNo=asked, Reason="x").code == 2000039
    assert cancel(client, "AA00000000", asked) == 2000039


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 1),
        ({"AllowanceNotify": "S"}, 5904001),
        ({"AllowanceNotify": "N"}, 5904001),
        ({"NotifyMail": ""}, 5904001),
        ({"NotifyMail": "a@example.com;b@example.com"}, 1),
        ({"NotifyMail": "nobody"}, 5902003),
        ({"ReturnURL": "http://127.0.0.1/" + "x" * 200}, 5904001),
        ({"AllowanceAmount": 101}, 5902001),
        ({"AllowanceAmount": 0}, 5902002),
        ({"InvoiceNo": "AA00000000"}, 1600003),
    ],
)
def test_online_allowance_validation(sim: Simulator, client: Client, changes: dict[str, Any], code: int) -> None:
    """It goes by mail; the rest is that of Allowance."""
    number, at = issued(client, "O4")
    assert client.call("AllowanceByCollegiate", **online(number, at, 50) | changes).code == code
    assert len(sim.online_allowances()) == (code == 1)


def test_strict_online_allowance(strict: Simulator, strict_client: Client) -> None:
    """As the paper one: upload first, the real date, a closing sum."""
    number, at = issued(strict_client, "OS")
    assert strict_client.call("AllowanceByCollegiate", **online(number, at, 50)).code == 5902005
    strict.move_clock(advance_s=7201)
    assert strict_client.call("AllowanceByCollegiate", **online(number, "1999-01-01", 50)).code == 1600003
    assert strict_client.call("AllowanceByCollegiate", **online(number, at, 50, AllowanceAmount=51)).code == 5902004
    assert strict_client.call("AllowanceByCollegiate", **online(number, at, 50)).code == 1


def test_consent_over_http(client: Client) -> None:
    """Asked, agreed to once, and no second time."""
    number, at = issued(client, "O5")
    asked = ask(client, number, at, 10)
    path = f"online-allowances/{asked}"
    (told,) = client.control("GET", "online-allowances")[1]["online_allowances"]
    assert (told["number"], told["state"], told["amount"]) == (asked, "waiting", 10)
    assert client.control("POST", path, {"agree": False})[0] == 400
    assert client.control("POST", path, {"agree": True})[1]["online_allowances"][0]["state"] == "agreed"
    assert client.control("POST", path, {"agree": True})[0] == 400
    assert client.control("POST", "online-allowances/1", {"agree": True})[0] == 404


def test_query_of_one_online_allowance(sim: Simulator, client: Client) -> None:
    """It tells the question in every state; 7 for another invoice's number."""
    number, at = issued(client, "O6")
    asked = ask(client, number, at, 50)
    keys = {"InvoiceNo": number, "AllowanceNo": asked}
    told = client.call("GetAllowanceByCollegiate", **keys).data
    assert (told["IA_Consent_Status"], told["IA_Date"], told["IA_Total_Amount"], told["IA_Tax_Amount"]) == (
        "0",
        "",
        48,
        2,
    )
    sim.agree(asked)
    told = client.call("GetAllowanceByCollegiate", **keys).data
    assert (told["IA_Consent_Status"], told["IA_Date"] != "") == ("1", True)
    assert client.call("GetAllowanceByCollegiate", InvoiceNo="AA00000000", AllowanceNo=asked).code == 7
    assert client.call("GetAllowanceByCollegiate", AllowanceNo=asked).code == 5916001


def test_query_of_a_void_allowance(client: Client) -> None:
    """7 before it is void; then when and why."""
    number, at = issued(client, "O7", **COMPANY)
    made = client.call("Allowance", **allowance(number, at, 10)).data["IA_Allow_No"]
    keys = {"InvoiceNo": number, "AllowanceNo": made}
    assert client.call("GetAllowanceInvalid", **keys).code == 7
    assert client.call("AllowanceInvalid", **keys, Reason="退回").code == 1
    told = client.call("GetAllowanceInvalid", **keys).data
    assert (told["AI_Allow_No"], told["AI_Invoice_No"], told["Reason"]) == (made, number, "退回")
    assert (told["AI_Buyer_Identifier"], told["AI_Mer_ID"], told["AI_Upload_Status"]) == ("53538851", 2000132, "1")
    assert client.call("GetAllowanceInvalid", InvoiceNo=number).code == 5919001


def test_allowances_are_listed_by_each_date(sim: Simulator, client: Client) -> None:
    """SearchType 1 is the day of the invoice, 2 the day of the allowance."""
    sim.move_clock(now=JANUARY)
    number, at = issued(client, "O8")
    sim.move_clock(advance_s=3600)
    made = [client.call("Allowance", **allowance(number, at, 10)).data["IA_Allow_No"] for _ in range(2)]

    def listed(by: str, day: str) -> list[str]:
        answer = client.call("GetAllowanceList", SearchType=by, InvoiceNo=number, Date=day)
        return [one["IA_Allow_No"] for one in answer.data["AllowanceInfo"]]

    assert (listed("1", "2026-01-31"), listed("2", "2026/02/01")) == (made, made)
    assert listed("1", "2026-02-01") == listed("2", "2026-01-31") == []


def test_a_repeat_after_a_lost_answer_allows_twice(sim: Simulator, client: Client) -> None:
    """As in reality nothing recognises the repeat; only the remaining amount tells that the first one counted."""
    number, at = issued(client, "O9")
    sim.fault("drop_after", op="Allowance", invoice_no=number)
    with pytest.raises(http.client.RemoteDisconnected):
        client.call("Allowance", **allowance(number, at, 30))
    assert remaining(client, "O9") == 70
    assert client.call("Allowance", **allowance(number, at, 30)).data["IA_Remain_Allowance_Amt"] == 40
    assert [one["amount"] for one in sim.allowances()] == [30, 30]


def test_a_lost_answer_that_queries_do_not_show_yet(sim: Simulator, client: Client) -> None:
    """With ``read_lag`` even the remaining amount lies for a while; the amount is taken nevertheless."""
    number, at = issued(client, "O10")
    sim.fault("read_lag", op="Allowance", seconds=60)
    made = client.call("Allowance", **allowance(number, at, 80)).data["IA_Allow_No"]
    assert remaining(client, "O10") == 100
    assert client.call("GetAllowance", InvoiceNo=number, AllowanceNo=made).code == 7
    assert client.call("GetAllowanceList", SearchType="1", InvoiceNo=number, Date=at[:10]).code == 7
    assert client.call("Allowance", **allowance(number, at, 80)).code == 5902001
    sim.move_clock(advance_s=61)
    assert remaining(client, "O10") == 20
    assert client.call("GetAllowance", InvoiceNo=number, AllowanceNo=made).code == 1

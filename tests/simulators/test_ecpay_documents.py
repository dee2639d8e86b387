"""Void, allowance, queries, and how they stand in each other's way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from simulators.ecpay import Simulator
from tests.simulators.ecpay_client import COMPANY, DONATED, Answer, Client, allowance, issued

MARCH_13 = datetime.fromisoformat("2026-03-13T23:59:50+08:00")
JANUARY = datetime.fromisoformat("2026-01-31T23:30:00+08:00")


def void(client: Client, number: str, at: str, reason: str = "退貨") -> Answer:
    """Invalid."""
    return client.call("Invalid", InvoiceNo=number, InvoiceDate=at, Reason=reason)


def test_void_and_its_query(sim: Simulator, client: Client) -> None:
    """A void invoice stays, says so everywhere, and a second void is 5070453 with its number."""
    number, at = issued(client, "V1")
    assert client.call("GetInvalid", RelateNumber="V1", InvoiceNo=number, InvoiceDate=at[:10]).code == 2
    answer = void(client, number, at[:10].replace("-", "/"))
    assert (answer.code, answer.data["InvoiceNo"]) == (1, number)
    again = void(client, number, at)
    assert (again.code, again.data["InvoiceNo"]) == (5070453, number)
    assert client.call("GetIssue", RelateNumber="V1").data["IIS_Invalid_Status"] == "1"
    told = client.call("GetInvalid", RelateNumber="V1", InvoiceNo=number, InvoiceDate=at[:10]).data
    assert (told["II_Invoice_No"], told["Reason"], told["II_Buyer_Identifier"]) == (number, "退貨", "0000000000")
    assert [(one["void"], one["living"]) for one in sim.invoices()] == [(True, False)]


def test_void_needs_the_real_number_date_and_reason(client: Client) -> None:
    """A wrong date is the same as a wrong number; 20 characters of reason pass, 21 do not."""
    number, at = issued(client, "V2")
    tomorrow = (datetime.fromisoformat(at) + timedelta(days=1)).strftime("%Y-%m-%d")
    assert void(client, number, tomorrow).code == 1600003
    assert void(client, "AA00000000", at).code == 1600003
    assert void(client, "AA0", at).code == 2011002
    assert void(client, number, "yesterday").code == 5909001
    assert void(client, number, at, "字" * 21).code == 2009005
    assert void(client, number, at, "").code == 2009005
    assert void(client, number, at, "字" * 20).code == 1


def test_void_ends_with_the_13th_of_the_next_odd_month(sim: Simulator, client: Client) -> None:
    """Until 23:59:59 Taipei it works, a moment later it does not; the same for a void of an allowance."""
    sim.move_clock(now=JANUARY)
    numbers = [issued(client, f"D{index}") for index in range(3)]
    allowed = client.call("Allowance", **allowance(*numbers[2], 10)).data["IA_Allow_No"]
    sim.move_clock(now=MARCH_13)
    assert void(client, *numbers[0]).code == 1
    sim.move_clock(advance_s=11)
    assert void(client, *numbers[1]).code == 5909002
    late = client.call("AllowanceInvalid", InvoiceNo=numbers[2][0], AllowanceNo=allowed, Reason="x")
    assert late.code == 5903002


def test_donated_invoice_is_voidable_on_stage_only(client: Client, strict_client: Client) -> None:
    """ECPay's guide says it is not; that was never confirmed."""
    assert void(client, *issued(client, "DN", **DONATED)).code == 1
    assert void(strict_client, *issued(strict_client, "DN", **DONATED)).code == 5909003


def test_allowances_and_void_stand_in_each_others_way(sim: Simulator, client: Client) -> None:
    """5070450 while one allowance is in force, whatever was voided before; then the void works; then 2000042."""
    number, at = issued(client, "A1", total=100)
    first = client.call("Allowance", **allowance(number, at, 30))
    second = client.call("Allowance", **allowance(number, at, 70))
    assert (first.data["IA_Remain_Allowance_Amt"], second.data["IA_Remain_Allowance_Amt"]) == (70, 0)
    assert len(first.data["IA_Allow_No"]) == 16
    assert client.call("Allowance", **allowance(number, at, 1)).code == 5902001
    assert sim.invoices()[0]["living"] is False
    for answer in (first, second):
        assert void(client, number, at).code == 5070450
        keys = {"InvoiceNo": number, "AllowanceNo": answer.data["IA_Allow_No"], "Reason": "x"}
        assert client.call("AllowanceInvalid", **keys).code == 1
        assert client.call("AllowanceInvalid", **keys).code == 2000063
    assert client.call("GetIssue", RelateNumber="A1").data["IIS_Remain_Allowance_Amt"] == 100
    assert void(client, number, at).code == 1
    assert client.call("Allowance", **allowance(number, at, 1)).code == 2000042


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"InvoiceNo": "AA00000000"}, 1600003),
        ({"InvoiceNo": "A"}, 2011002),
        ({"AllowanceAmount": 0}, 5902002),
        ({"AllowanceAmount": "1.5"}, 5902002),
        ({"AllowanceNotify": "X"}, 5902003),
        ({"AllowanceNotify": "E"}, 5902003),
        ({"AllowanceNotify": "A", "NotifyMail": "a@example.com"}, 5902003),
        ({"AllowanceNotify": "A", "NotifyMail": "a@example.com", "NotifyPhone": "0900000000"}, 1),
        ({"Items": []}, 5902003),
        ({"InvoiceDate": "1999-01-01"}, 1),
        ({"AllowanceAmount": "40"}, 1),
    ],
)
def test_allowance_validation(client: Client, changes: dict[str, Any], code: int) -> None:
    """Stage compares neither the date nor the sum of lines."""
    number, at = issued(client, "AV")
    assert client.call("Allowance", **allowance(number, at, 50) | changes).code == code


def test_strict_allowance(strict: Simulator, strict_client: Client) -> None:
    """The strict profile wants the upload first, the real date and a closing sum."""
    number, at = issued(strict_client, "AS")
    assert strict_client.call("Allowance", **allowance(number, at, 50)).code == 5902005
    strict.move_clock(advance_s=7201)
    assert strict_client.call("Allowance", **allowance(number, "1999-01-01", 50)).code == 1600003
    assert strict_client.call("Allowance", **allowance(number, at, 50) | {"AllowanceAmount": 51}).code == 5902004
    assert strict_client.call("Allowance", **allowance(number, at, 50)).code == 1


def test_allowance_queries(client: Client) -> None:
    """By its number, by issue date, by allowance date; flat by both numbers; 7 for none; 50 is 48 and 2."""
    number, at = issued(client, "AQ")
    made = client.call("Allowance", **allowance(number, at, 50)).data["IA_Allow_No"]
    searches = [
        {"SearchType": "0", "AllowanceNo": made},
        {"SearchType": "1", "InvoiceNo": number, "Date": at[:10]},
        {"SearchType": "2", "InvoiceNo": number, "Date": at[:10]},
    ]
    for search in searches:
        (told,) = client.call("GetAllowanceList", **search).data["AllowanceInfo"]
        assert (told["IA_Allow_No"], told["IA_Total_Tax_Amount"]) == (made, 50)
        assert (told["IA_Total_Amount"], told["IA_Tax_Amount"], told["IA_Invalid_Status"]) == (48, 2, "0")
    assert client.call("GetAllowanceList", SearchType="0", AllowanceNo="1").code == 7
    assert client.call("GetAllowanceList", SearchType="1", InvoiceNo=number, Date="1999-01-01").code == 7
    assert client.call("GetAllowanceList", SearchType="9").code == 5915001
    assert client.call("GetAllowance", InvoiceNo=number, AllowanceNo=made).data["IA_Allow_No"] == made
    assert client.call("GetAllowance", AllowanceNo=made).code == 2014001
    assert client.call("GetAllowance", InvoiceNo=number).code == 2014003
    assert client.call("AllowanceInvalid", InvoiceNo=number, AllowanceNo="1", Reason="x").code == 2000039


def test_get_issue_goes_by_the_keys_present(client: Client) -> None:
    """An empty key of the other mode finds nothing, though the invoice is there."""
    number, at = issued(client, "Q1")
    assert client.call("GetIssue", RelateNumber="q1").code == 1
    assert client.call("GetIssue", InvoiceNo=number, InvoiceDate=at[:10].replace("-", "/")).code == 1
    assert client.call("GetIssue", RelateNumber="Q1", InvoiceNo="", InvoiceDate="").code == 2
    assert client.call("GetIssue", RelateNumber="", InvoiceNo=number, InvoiceDate=at).code == 2
    assert client.call("GetIssue", InvoiceNo=number, InvoiceDate="1999-01-01").code == 2
    assert client.call("GetIssue", RelateNumber="none").code == 2
    assert client.call("GetIssue", InvoiceNo="A", InvoiceDate=at).code == 2011002
    assert client.call("GetIssue").code == 5911001


def test_get_invalid_wants_all_three_keys(client: Client) -> None:
    """An empty RelateNumber is 2013001, a wrong one 2."""
    number, at = issued(client, "Q2")
    void(client, number, at)
    assert client.call("GetInvalid", RelateNumber="", InvoiceNo=number, InvoiceDate=at).code == 2013001
    assert client.call("GetInvalid", RelateNumber="x", InvoiceNo=number, InvoiceDate=at).code == 2
    assert client.call("GetInvalid", RelateNumber="Q2").code == 5913001


def test_list_is_plain_newest_first_and_paged(sim: Simulator, client: Client) -> None:
    """Data is an object; pages do not overlap; days are Taipei days; every filter divides what is there."""
    sim.move_clock(now=JANUARY)
    first = issued(client, "L0", **COMPANY)[0]
    sim.move_clock(advance_s=3600)
    rest = [issued(client, f"L{index}")[0] for index in range(1, 5)]
    void(client, rest[0], "2026-02-01")
    keys = {"BeginDate": "2026-01-31", "EndDate": "2026-02-01", "NumPerPage": 2}

    def numbers(**more: Any) -> list[str]:
        answer = client.call("GetIssueList", **{"ShowingPage": 1, **keys, "NumPerPage": 200, **more})
        assert isinstance(answer.envelope["Data"], dict)
        return [row["IIS_Number"] for row in answer.data["InvoiceData"]]

    pages = [numbers(NumPerPage=2, ShowingPage=page) for page in (1, 2, 3, 4)]
    assert pages == [[rest[3], rest[2]], [rest[1], rest[0]], [first], []]
    assert client.call("GetIssueList", **keys, ShowingPage="2").data["TotalCount"] == 5
    assert numbers(EndDate="2026-01-31") == [first]
    assert numbers(Query_Invalid="1") == [rest[0]]
    assert numbers(Query_Identifier="1") == numbers(Query_Print="1") == [first]
    assert len(numbers(Query_Invalid="2")) == len(numbers(Query_Identifier="2")) == len(numbers(Query_Print="2")) == 4
    assert len(numbers(Query_Upload="1")) == len(numbers(Query_TaxType="1")) == len(numbers(Query_Category="1")) == 5
    assert numbers(Query_Upload="2") == numbers(Query_TaxType="9") == numbers(Query_Category="2") == []
    assert numbers(Query_Award="1") == numbers(Query_Customer_Name="nobody") == []
    for wrong in ({"NumPerPage": 201}, {"ShowingPage": 0}, {"BeginDate": "x"}, {"Query_Upload": "7"}):
        assert client.call("GetIssueList", **{"ShowingPage": 1, **keys, **wrong}).code == 5917001


def test_upload_of_the_strict_profile_follows_the_clock(strict: Simulator, strict_client: Client) -> None:
    """P, then G, then C; or E where the ministry refuses."""

    def upload() -> tuple[str, str]:
        found = strict_client.call("GetIssue", RelateNumber="U1").data
        return found["IIS_Turnkey_Status"], found["IIS_Upload_Status"]

    number, _ = issued(strict_client, "U1")
    seen = [upload()]
    for seconds in (3601, 3600):
        strict.move_clock(advance_s=seconds)
        seen.append(upload())
    assert seen == [("P", "0"), ("G", "1"), ("C", "1")]
    assert strict_client.control("POST", f"invoices/{number}", {"upload_failed": True})[0] == 200
    assert upload() == ("E", "0")

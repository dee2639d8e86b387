"""Issue: validation, numbers, uniqueness."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from simulators.ecpay import Simulator, start
from tests.simulators.ecpay_client import COMPANY, DONATED, PAPER, Client, order

LINE = order("x")["Items"][0]
MIXED = [{**LINE, "ItemAmount": 60, "ItemPrice": 60}, {**LINE, "ItemSeq": 2, "ItemAmount": 40, "ItemPrice": 40}]


def mixed(first: str, second: str) -> dict[str, Any]:
    """Two lines of these tax types under TaxType 9."""
    return {"TaxType": "9", "Items": [{**MIXED[0], "ItemTaxType": first}, {**MIXED[1], "ItemTaxType": second}]}


def test_issue_answers_number_time_and_random_code(client: Client) -> None:
    """The shape of a success, and GetIssue agrees with it."""
    answer = client.call("Issue", **order("A1", total=105))
    assert (answer.status, answer.envelope["TransMsg"], answer.code) == (200, "Success", 1)
    assert re.fullmatch(r"[A-Z]{2}\d{8}", answer.data["InvoiceNo"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", answer.data["InvoiceDate"])
    assert re.fullmatch(r"\d{4}", answer.data["RandomNumber"])
    found = client.call("GetIssue", RelateNumber="a1").data
    assert found["IIS_Number"] == answer.data["InvoiceNo"]
    assert found["IIS_Create_Date"] == answer.data["InvoiceDate"]
    assert found["IIS_Random_Number"] == answer.data["RandomNumber"]
    assert (found["IIS_Sales_Amount"], found["IIS_Remain_Allowance_Amt"], found["IIS_Tax_Amount"]) == (105, 105, 0)
    assert (found["IIS_Identifier"], found["IIS_Love_Code"], found["IIS_Category"]) == ("0000000000", "0", "B2C")
    assert (found["IIS_Carrier_Num"], found["Items"][0]["ItemCount"]) == ("buyer@example.com", 1.0)


def test_company_invoice_shows_its_tax(client: Client) -> None:
    """Tax is told only where there is a UBN."""
    assert client.call("Issue", **order("B1", total=105, **COMPANY)).code == 1
    found = client.call("GetIssue", RelateNumber="B1").data
    assert (found["IIS_Tax_Amount"], found["IIS_Category"], found["IIS_Identifier"]) == (5, "B2B", "53538851")
    assert (found["IIS_Tax_Rate"], found["IIS_Award_Flag"]) == (0.05, "X")


def test_relate_number_is_unique_for_ever_in_any_case(sim: Simulator, client: Client) -> None:
    """5070357 with empty fields, also for another spelling, another body, and after a void."""
    first = client.call("Issue", **order("Order-1")).data
    again = client.call("Issue", **order("ORDER-1", total=200))
    assert (again.code, again.data["InvoiceNo"], again.data["RandomNumber"]) == (5070357, "", "")
    client.call("Invalid", InvoiceNo=first["InvoiceNo"], InvoiceDate=first["InvoiceDate"], Reason="x")
    assert client.call("Issue", **order("order-1")).code == 5070357
    assert len(sim.invoices()) == 1


BOTH: list[tuple[dict[str, Any], int]] = [
    ({}, 1),
    (PAPER, 1),
    (COMPANY, 1),
    (DONATED, 1),
    ({**DONATED, "CarrierType": "3", "CarrierNum": "/ABC+123"}, 1),
    ({"RelateNumber": "r" * 50}, 1),
    ({"RelateNumber": "r" * 51}, 2001003),
    ({"RelateNumber": ""}, 5901001),
    ({"CustomerEmail": "a" * 70 + "@example.com"}, 2001010),
    ({"CustomerEmail": "a@example.com;b@example.com"}, 5901008),
    ({"CustomerEmail": "", "CustomerPhone": ""}, 5901009),
    ({"CustomerPhone": "+886912345678"}, 5901007),
    ({"CustomerEmail": "", "CustomerPhone": "0900000000"}, 1),
    ({"CustomerID": "a b"}, 5901002),
    ({"TaxType": "5"}, 2001019),
    ({"TaxType": ""}, 2001019),
    ({"CarrierType": "9"}, 2001096),
    ({"CarrierType": "1", "CarrierNum": "x"}, 5901013),
    ({"CarrierType": "2", "CarrierNum": "AB12345678901234"}, 1),
    ({"CarrierType": "2", "CarrierNum": "AB1"}, 5901013),
    ({"CarrierType": "3", "CarrierNum": "/ABC+123"}, 1),
    ({"CarrierType": "3", "CarrierNum": "/abc+123"}, 5901013),
    ({"CarrierType": "3", "CarrierNum": ""}, 5901013),
    ({"CarrierType": "3", "CarrierNum": "/ABC+123", "CarrierNum2": "x"}, 5901014),
    ({"CarrierType": "4", "CarrierNum": "hidden", "CarrierNum2": "visible"}, 1),
    ({"CarrierType": "5", "CarrierNum": "hidden"}, 5901014),
    ({"CarrierType": "1", "Print": "1"}, 5000015),
    ({"CustomerIdentifier": "53538851", "CarrierType": "", "Print": "0"}, 5000028),
    ({"CustomerIdentifier": "53538851", "CarrierType": "1", "Print": "0"}, 1),
    ({"CustomerIdentifier": "53538851", "CarrierType": "1", "Print": "1"}, 5901028),
    ({"CustomerIdentifier": "53538851", "CarrierType": "3", "CarrierNum": "/ABC+123", "Print": "1"}, 1),
    ({"CustomerIdentifier": "53538851", **DONATED}, 5901027),
    ({**COMPANY, "CustomerIdentifier": "12345678"}, 5901004),
    ({**COMPANY, "CustomerIdentifier": "1234567"}, 5901004),
    ({"CustomerIdentifier": "0000000000"}, 1),
    ({**DONATED, "LoveCode": ""}, 5901012),
    ({**DONATED, "LoveCode": "12"}, 5901012),
    ({**DONATED, "Print": "1"}, 5901026),
    ({**PAPER, "CustomerName": ""}, 5901025),
    ({**PAPER, "CustomerAddr": ""}, 5901025),
    ({"Print": "2"}, 5901010),
    ({"Donation": "2"}, 5901011),
    ({"InvType": "09"}, 5901015),
    ({"TaxType": "4", "SpecialTaxType": 1}, 5901016),
    ({"TaxType": "2", "InvType": "08"}, 5901016),
    ({"TaxType": "4", "SpecialTaxType": 1, "InvType": "08"}, 1),
    ({"TaxType": "4", "InvType": "08"}, 5901031),
    ({"TaxType": "2"}, 5000007),
    ({"TaxType": "2", "ClearanceMark": "1", "ZeroTaxRateReason": "71"}, 1),
    ({"TaxType": "3", "SpecialTaxType": 8}, 1),
    ({**mixed("1", "3")}, 1),
    ({**mixed("2", "3")}, 5901032),
    ({**mixed("1", "1")}, 5901032),
    ({**mixed("1", "")}, 5901032),
    ({**mixed("1", "2")}, 5000007),
    ({"SalesAmount": 0}, 5901017),
    ({"SalesAmount": -1}, 5901017),
    ({"SalesAmount": 100.5}, 5901017),
    ({"SalesAmount": "abc"}, 5901017),
    ({"SalesAmount": 101}, 5000022),
    ({"vat": "2"}, 5901019),
    ({"InvoiceRemark": "r" * 201}, 5901020),
    ({"Items": []}, 5901021),
    ({"Items": [LINE] * 1000}, 5901022),
    ({"Items": [{**LINE, "ItemName": ""}]}, 5901023),
    ({"Items": [{**LINE, "ItemName": "字" * 501}]}, 5901023),
    ({"Items": [{**LINE, "ItemCount": "one"}]}, 5901023),
    ({"Items": [{**LINE, "ItemCount": True}]}, 5901023),
    ({"Items": [LINE, LINE]}, 5901024),
    ({"Items": [{**LINE, "ItemSeq": 1000}]}, 5901024),
    ({"Items": [{**LINE, "ItemAmount": 120}, {**LINE, "ItemSeq": 2, "ItemAmount": -20}]}, 1),
    ({"Items": [{**LINE, "ItemAmount": 49.5}, {**LINE, "ItemSeq": 2, "ItemAmount": 50}]}, 1),
    ({"Items": [{key: LINE[key] for key in LINE if key != "ItemSeq"}]}, 1),
]
BY_PROFILE: list[tuple[dict[str, Any], int, int]] = [  # changes, stage, doc
    ({"CarrierType": ""}, 1, 5901029),
    ({"TaxType": "2", "ClearanceMark": "1"}, 1, 5901030),
    ({"TaxType": "3"}, 1, 5901031),
    ({"vat": "0", "SalesAmount": 105}, 1, 5000022),
    ({"TaxAmount": 50}, 1, 5901018),
    ({"TaxAmount": 4}, 1, 1),
    ({"Items": [{**LINE, "ItemWord": ""}]}, 1, 5901023),
    ({**COMPANY, "CarrierType": "1", "Print": "0", "CustomerName": ""}, 1, 5901033),
]


@pytest.mark.parametrize("profile", ["stage", "doc"])
def test_validation(profile: Any) -> None:
    """Each change of a legal order is answered by its code, and only a success leaves an invoice."""
    column = {"stage": 0, "doc": 1}[profile]
    table = [*BOTH, *((changes, codes[column]) for changes, *codes in BY_PROFILE)]
    with start(profile=profile) as sim:
        client = Client(sim.url)
        wrong: list[Any] = []
        for number, (changes, code) in enumerate(table):
            before = len(sim.invoices())
            answer = client.call("Issue", **order(f"T{number}") | changes)
            if answer.code != code or len(sim.invoices()) - before != (code == 1):
                wrong.append((changes, code, answer.data))
        assert wrong == []


def test_hundred_at_once_get_hundred_ascending_numbers(sim: Simulator, client: Client) -> None:
    """No number twice, none skipped, and the order of issue is the order of numbers."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: client.call("Issue", **order(f"C{number}")), range(100)))
    numbers = sorted(answer.data["InvoiceNo"] for answer in answers)
    assert len(set(numbers)) == 100
    assert int(numbers[-1][2:]) - int(numbers[0][2:]) == 99
    assert [invoice["number"] for invoice in sim.invoices()] == numbers


def test_same_order_at_once_is_issued_once(sim: Simulator, client: Client) -> None:
    """Of twenty racing requests one wins and nineteen are duplicates."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.call("Issue", **order("RACE")).code, range(20)))
    assert sorted(answers) == [1, *[5070357] * 19]
    assert len(sim.invoices()) == 1


def test_exhausted_track_and_a_new_one(sim: Simulator, client: Client) -> None:
    """5070350 leaves the RelateNumber free; the next range goes on."""
    assert sim.exhaust() > 0
    assert client.call("Issue", **order("N1")).code == 5070350
    sim.add_track("ZZ", 50, 51)
    issued = [client.call("Issue", **order(f"N{number}")).data["InvoiceNo"] for number in (1, 2, 3)]
    assert issued == ["ZZ00000050", "ZZ00000051", ""]


def test_tracks_follow_the_clock(sim: Simulator, client: Client) -> None:
    """A new period has other letters; without default tracks it has none."""
    first = client.call("Issue", **order("P1")).data["InvoiceNo"]
    sim.move_clock(advance_s=70 * 86400)
    assert client.call("Issue", **order("P2")).data["InvoiceNo"][:2] != first[:2]
    sim.settings({"default_tracks": False})
    sim.move_clock(advance_s=130 * 86400)
    assert client.call("Issue", **order("P3")).code == 5070350


def test_product_service_id_chooses_the_track_only_where_switched_on(sim: Simulator, client: Client) -> None:
    """With several track groups an Issue without the right group finds no number."""
    assert client.call("Issue", **order("S1", ProductServiceID="A1")).code == 1
    sim.add_merchant("2000132", client.key, client.iv, several_tracks=True)
    sim.add_track("YY", 0, 49, product_service_id="A1")
    assert client.call("Issue", **order("S2", ProductServiceID="A1")).data["InvoiceNo"] == "YY00000000"
    assert client.call("Issue", **order("S3", ProductServiceID="B1")).code == 5070350

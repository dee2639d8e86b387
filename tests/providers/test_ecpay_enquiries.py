"""ECPay's enquiries and checks: what they ask, and what every kind of answer means."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from einvoice.errors import Reason
from einvoice.providers.base import Absent, Accepted, Rejected, Unknown, VoidRecord
from einvoice.providers.ecpay import enquiries
from einvoice.providers.ecpay.enquiries import Charity
from einvoice.providers.ecpay.fields import Fields

TAIPEI = timezone(timedelta(hours=8))
RELATE = "ABCDEFGHIJ234567KLMN"
AT = datetime(2026, 3, 1, 0, 0, 5, tzinfo=TAIPEI)

ROW = {
    "IIS_Number": "AB12345678",
    "IIS_Relate_Number": RELATE,
    "IIS_Create_Date": "2026-03-01 00:00:05",
    "IIS_Sales_Amount": 950,
    "IIS_Identifier": "0000000000",
    "IIS_Issue_Status": "1",
    "IIS_Invalid_Status": "0",
    "IIS_Upload_Status": "0",
    "IIS_Turnkey_Status": "",
    "IIS_Remain_Allowance_Amt": 950,
}


def test_a_page_of_the_list_is_read_or_unknown_as_a_whole() -> None:
    """One unreadable row may hide an invoice, so the page is not half believed."""
    page = enquiries.parse_list(
        {"RtnCode": 1, "TotalCount": "1", "ShowingPage": 1, "InvoiceData": [ROW | {"IIS_Invalid_Status": 1}]}
    )
    assert isinstance(page, Accepted)
    assert (page.value.total, page.value.page, len(page.value.invoices)) == (1, 1, 1)
    row = page.value.invoices[0]
    assert (row.number, row.relate_number, row.issued_at, row.total_twd) == ("AB12345678", RELATE, AT, 950)
    assert (row.void, row.withdrawn, row.upload, row.remaining_twd, row.ubn) == (True, False, "none", 950, "")
    broken = {"RtnCode": 1, "TotalCount": 2, "ShowingPage": 1, "InvoiceData": [ROW, ROW | {"IIS_Number": ""}]}
    assert enquiries.parse_list(broken) == Unknown("UNREADABLE", "1", "IIS_Number")


def test_the_list_is_asked_by_days_and_pages() -> None:
    """Dates are ISO, sizes within ECPay's 1–200."""
    assert enquiries.list_request(date(2026, 3, 1), date(2026, 3, 2), 1, 200) == {
        "BeginDate": "2026-03-01",
        "EndDate": "2026-03-02",
        "NumPerPage": 200,
        "ShowingPage": 1,
    }
    for begin, page, size in [(date(2026, 3, 3), 1, 1), (date(2026, 3, 1), 0, 1), (date(2026, 3, 1), 1, 201)]:
        with pytest.raises(ValueError, match="out of range"):
            enquiries.list_request(begin, date(2026, 3, 2), page, size)


VOIDED = {"RtnCode": 1, "II_Invoice_No": "AB12345678", "II_Date": "2026-03-02 10:00:00", "II_Upload_Status": "1",
          "Reason": "客戶取消"}  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (VOIDED, VoidRecord("AB12345678", datetime(2026, 3, 2, 10, tzinfo=TAIPEI), "客戶取消", uploaded=True)),
        (VOIDED | {"II_Invoice_No": "ZZ12345678"}, Unknown("UNREADABLE", "1", "II_Invoice_No")),
        (VOIDED | {"II_Date": ""}, Unknown("UNREADABLE", "1", "II_Date")),
        ({"RtnCode": 2, "RtnMsg": "m"}, Absent()),
        ({"RtnCode": 2013001, "RtnMsg": "m"}, Rejected(Reason.ASK_A_PERSON, "ORDER_NUMBER_REQUIRED", "2013001", "m")),
    ],
)
def test_answers_to_a_look_up_of_a_void(reply: Fields, outcome: object) -> None:
    """Found, absent or unknown."""
    assert enquiries.parse_find_void(reply, "AB12345678") == outcome


def test_a_void_is_looked_up_by_all_three_keys() -> None:
    """GetInvalid refuses a request without RelateNumber."""
    assert enquiries.find_void_request(RELATE, "AB12345678", date(2026, 3, 1)) == {
        "RelateNumber": RELATE,
        "InvoiceNo": "AB12345678",
        "InvoiceDate": "2026-03-01",
    }


def track(last: object, term: object = 1, status: object = 2, start: str = "00000000", end: str = "00000049") -> Fields:
    """One row of GetInvoiceWordSetting."""
    return {"InvoiceTerm": term, "UseStatus": status, "InvoiceStart": start, "InvoiceEnd": end, "InvoiceNo": last}


@pytest.mark.parametrize(
    ("ranges", "outcome"),
    [
        ([], Accepted(0)),
        ([track("")], Accepted(50)),
        ([track(None)], Accepted(50)),
        ([track("00000009")], Accepted(40)),
        ([track("AB00000009")], Accepted(40)),
        ([track("00000049")], Accepted(0)),
        ([track("00000009"), track("", start="00000100", end="00000149")], Accepted(90)),
        ([track("", term=2), track("", status=4), track("00000048", "1", "2")], Accepted(1)),
        ([track("00000050")], Unknown("UNREADABLE", "1", "InvoiceNo")),
        ([track("abc")], Unknown("UNREADABLE", "1", "InvoiceNo")),
        ([track("", start="")], Unknown("UNREADABLE", "1", "InvoiceStart")),
        (None, Unknown("UNREADABLE", "1", "InvoiceInfo")),
    ],
)
def test_numbers_left_are_counted_over_the_ranges_in_use(ranges: object, outcome: object) -> None:
    """Σ (end − last used); ranges of another term or status do not count; an odd one makes it unknown."""
    assert enquiries.parse_numbers_left({"RtnCode": 1, "InvoiceInfo": ranges}, "11502") == outcome


def test_no_range_at_all_is_no_number_left() -> None:
    """Code 7 answers the question."""
    assert enquiries.parse_numbers_left({"RtnCode": 7, "RtnMsg": "查無資料"}, "11502") == Accepted(0)


@pytest.mark.parametrize(("period", "term"), [("11502", 1), ("11504", 2), ("11512", 6)])
def test_numbers_are_asked_by_roc_year_and_term(period: str, term: int) -> None:
    """11502 is January and February of 115."""
    request = enquiries.numbers_left_request(period)
    assert request == {"InvoiceYear": "115", "InvoiceTerm": term, "UseStatus": 2, "InvoiceCategory": 1}


@pytest.mark.parametrize("period", ["11501", "1502", "202602", "", "１１５02"])
def test_what_is_no_period_is_refused(period: str) -> None:
    """A mistake of ours is told at once."""
    with pytest.raises(ValueError, match="period"):
        enquiries.numbers_left_request(period)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"RtnCode": 1, "InvoiceHtml": "https://print.example.com/a?b=c"}, Accepted("https://print.example.com/a?b=c")),
        ({"RtnCode": 1, "InvoiceHtml": "javascript:alert(1)"}, Unknown("UNREADABLE", "1", "InvoiceHtml")),
        ({"RtnCode": 1, "InvoiceHtml": "https://a\nb"}, Unknown("UNREADABLE", "1", "InvoiceHtml")),
        ({"RtnCode": 1}, Unknown("UNREADABLE", "1", "InvoiceHtml")),
        ({"RtnCode": 7, "RtnMsg": "查無資料"}, Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", "7", "查無資料")),
    ],
)
def test_a_print_address_is_an_address(reply: Fields, outcome: object) -> None:
    """What a browser will be sent to must look like a page."""
    assert enquiries.parse_print(reply) == outcome


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"RtnCode": 1, "RtnMsg": "", "IsExist": "Y"}, Accepted(value=True)),
        ({"RtnCode": 1, "IsExist": "N"}, Accepted(value=False)),
        ({"RtnCode": 1}, Unknown("UNREADABLE", "1", "IsExist")),
        ({"RtnCode": 9000001, "RtnMsg": "m"}, Unknown("REGISTRY_DOWN", "9000001", "m")),
        ({"RtnCode": 2019001, "RtnMsg": "m"}, Rejected(Reason.FIX_REQUEST, "BARCODE_FORMAT", "2019001", "m")),
    ],
)
def test_a_barcode_exists_only_if_the_ministry_says_so(reply: Fields, outcome: object) -> None:
    """RtnCode 1 alone says nothing about the code."""
    assert enquiries.parse_check_barcode(reply) == outcome


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"RtnCode": 1, "IsExist": "Y", "OrganName": "某會"}, Accepted(Charity(exists=True, name="某會"))),
        ({"RtnCode": 1, "IsExist": "N"}, Accepted(Charity(exists=False))),
        ({"RtnCode": 10000010, "RtnMsg": "m"}, Unknown("REGISTRY_DOWN", "10000010", "m")),
    ],
)
def test_a_love_code_comes_with_its_owner(reply: Fields, outcome: object) -> None:
    """The name belongs to a code that exists."""
    assert enquiries.parse_check_love_code(reply) == outcome


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"RtnCode": 1, "CompanyName": "某公司"}, Accepted("某公司")),
        ({"RtnCode": 7, "CompanyName": None}, Accepted("")),
        ({"RtnCode": 9000001, "RtnMsg": "m"}, Unknown("REGISTRY_DOWN", "9000001", "m")),
        ({"RtnCode": 1200125, "RtnMsg": "m"}, Rejected(Reason.FIX_REQUEST, "UBN_CHECKSUM", "1200125", "m")),
    ],
)
def test_a_ubn_is_never_invalid_because_the_register_is_down(reply: Fields, outcome: object) -> None:
    """Not in the register: issue all the same. Register down: unknown."""
    assert enquiries.parse_company_name(reply) == outcome


def test_the_checks_ask_by_one_key() -> None:
    """The documented names of the keys."""
    assert enquiries.check_barcode_request("/AB+CD12") == {"BarCode": "/AB+CD12"}
    assert enquiries.check_love_code_request("0168") == {"LoveCode": "0168"}
    assert enquiries.company_name_request("53538851") == {"UnifiedBusinessNo": "53538851"}
    assert enquiries.print_request("AB12345678", date(2026, 3, 1)) == {
        "InvoiceNo": "AB12345678",
        "InvoiceDate": "2026-03-01",
        "PrintStyle": 1,
        "IsShowingDetail": 1,
    }

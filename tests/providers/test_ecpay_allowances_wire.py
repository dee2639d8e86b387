"""ECPay's mapping of allowances: what one becomes, and what every kind of answer means."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from einvoice.errors import Reason
from einvoice.model import Allowance, AllowanceLine, TaxType
from einvoice.providers.base import (
    Absent,
    Accepted,
    Allowed,
    Asked,
    Done,
    FoundAllowance,
    FoundLine,
    Rejected,
    Unknown,
    VoidRecord,
)
from einvoice.providers.ecpay import allowances
from einvoice.providers.ecpay.fields import Fields

TAIPEI = timezone(timedelta(hours=8))
INVOICE, OTHER = "AB12345678", "ZZ12345678"
NUMBER = "2026030110000001"
DAY = date(2026, 3, 1)
AT = datetime(2026, 3, 2, 0, 0, 5, tzinfo=TAIPEI)
URL = "https://shop.example.com/callbacks/ecpay"

ALLOWANCE = Allowance(
    lines=(
        AllowanceLine(2, "茶", Decimal("1.50"), Decimal(400), 600, unit="包"),
        AllowanceLine(3, "書", Decimal(1), Decimal(50), 50, tax_type=TaxType.EXEMPT),
    ),
    total_twd=650,
    tax_twd=29,
)
REQUEST = {
    "InvoiceNo": INVOICE,
    "InvoiceDate": "2026-03-01",
    "AllowanceAmount": 650,
    "Items": [
        {
            "ItemSeq": 1,
            "ItemName": "茶",
            "ItemCount": Decimal("1.50"),
            "ItemWord": "包",
            "ItemPrice": Decimal(400),
            "ItemAmount": 600,
            "ItemTaxType": "1",
        },
        {
            "ItemSeq": 2,
            "ItemName": "書",
            "ItemCount": Decimal(1),
            "ItemWord": "式",
            "ItemPrice": Decimal(50),
            "ItemAmount": 50,
            "ItemTaxType": "3",
        },
    ],
}
FULL = replace(ALLOWANCE, reason="退貨", buyer_name="測試買受人", notify_email="buyer@example.com")
OPTIONAL = {"Reason": "退貨", "CustomerName": "測試買受人", "NotifyMail": "buyer@example.com"}


# --- requests ---


def test_an_allowance_becomes_exactly_this() -> None:
    """The whole request: no tax of ours, no date of its own, and nothing empty."""
    assert allowances.allow_request(INVOICE, DAY, ALLOWANCE) == REQUEST | {"AllowanceNotify": "N"}
    assert allowances.allow_request(INVOICE, DAY, FULL) == REQUEST | OPTIONAL | {"AllowanceNotify": "E"}


def test_a_question_to_the_buyer_becomes_exactly_this() -> None:
    """The same by e-mail; the address to call is left out where there is none."""
    asked = REQUEST | OPTIONAL | {"AllowanceNotify": "E"}
    assert allowances.ask_request(INVOICE, DAY, FULL, "") == asked
    assert allowances.ask_request(INVOICE, DAY, FULL, URL) == asked | {"ReturnURL": URL}


def test_nobody_is_asked_without_an_address() -> None:
    """A mistake of ours, told before anything is sent."""
    with pytest.raises(ValueError, match="e-mail"):
        allowances.ask_request(INVOICE, DAY, ALLOWANCE, URL)


@pytest.mark.parametrize(
    ("tax_type", "spelling"),
    [(TaxType.TAXABLE, "1"), (TaxType.ZERO_RATED, "2"), (TaxType.EXEMPT, "3"), (TaxType.SPECIAL, None)],
)
def test_each_line_says_its_tax_type_where_ecpay_has_a_word_for_it(tax_type: TaxType, spelling: str | None) -> None:
    """Special tax is the invoice's own affair."""
    line = AllowanceLine(1, "茶", Decimal(1), Decimal(1), 1, tax_type=tax_type)
    request: dict[str, Any] = allowances.allow_request(INVOICE, DAY, Allowance((line,), 1, 0))
    assert [item.get("ItemTaxType") for item in request["Items"]] == [spelling]


def test_the_other_requests_of_an_allowances_life() -> None:
    """Every key is required, and there is no other."""
    keys = {"InvoiceNo": INVOICE, "AllowanceNo": NUMBER}
    assert allowances.void_allowance_request(INVOICE, NUMBER, "折讓錯誤") == keys | {"Reason": "折讓錯誤"}
    assert allowances.find_allowance_void_request(INVOICE, NUMBER) == keys
    assert allowances.find_allowances_request(INVOICE, DAY) == {
        "SearchType": "1",
        "InvoiceNo": INVOICE,
        "Date": "2026-03-01",
    }


# --- answers to what changes something ---

MADE = {
    "RtnCode": 1,
    "RtnMsg": "折讓單資料新增成功",
    "IA_Allow_No": NUMBER,
    "IA_Invoice_No": INVOICE,
    "IA_Date": "2026-03-02 00:00:05",
    "IA_Remain_Allowance_Amt": 300,
}
ALLOWED = Allowed(NUMBER, AT, 300)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ALLOWED),
        ({"RtnCode": "1", "IA_Remain_Allowance_Amt": "300", "IA_Allow_No": int(NUMBER)}, ALLOWED),
        ({"IA_Date": "2026/03/02 00:00:05", "IA_Invoice_No": None, "InvoiceNo": ""}, ALLOWED),
        ({"IA_Remain_Allowance_Amt": Decimal("0.0")}, Allowed(NUMBER, AT, 0)),
        ({"IA_Remain_Allowance_Amt": None}, Allowed(NUMBER, AT, None)),
        ({"IA_Remain_Allowance_Amt": ""}, Allowed(NUMBER, AT, None)),
    ],
)
def test_an_allowance_made_is_read_in_every_spelling(change: dict[str, object], expected: Allowed) -> None:
    """Numbers as text and text as numbers; what is left may be unsaid."""
    assert allowances.parse_allow(MADE | change, INVOICE) == Accepted(expected)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("IA_Allow_No", ""),
        ("IA_Allow_No", None),
        ("IA_Allow_No", "20260301100000012"),
        ("IA_Allow_No", "2026-0301"),
        ("IA_Date", ""),
        ("IA_Date", "2026-03-02+00:00:05"),
        ("IA_Date", "0001-01-01 00:00:00"),
        ("IA_Invoice_No", OTHER),
        ("IA_Remain_Allowance_Amt", "many"),
        ("IA_Remain_Allowance_Amt", Decimal("0.5")),
    ],
)
def test_an_allowance_made_that_cannot_be_read_is_unknown(key: str, value: object) -> None:
    """The centre said that it made one: nothing may be sent again, and nothing is guessed."""
    assert allowances.parse_allow(MADE | {key: value}, INVOICE) == Unknown("UNREADABLE", "1", key)


ASKED = {
    "RtnCode": 1,
    "IA_Allow_No": NUMBER,
    "IA_Invoice_No": INVOICE,
    "IA_TempDate": "2026-03-02 00:00:05",
    "IA_TempExpireDate": "2026-03-05 00:00:05",
    "IA_Remain_Allowance_Amt": 0,
}


def test_an_asked_allowance_is_read() -> None:
    """Three days, in Taipei."""
    assert allowances.parse_ask(ASKED, INVOICE) == Accepted(Asked(NUMBER, AT, AT + timedelta(hours=72), 0))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("IA_Allow_No", ""),
        ("IA_TempDate", None),
        ("IA_TempExpireDate", ""),
        ("IA_TempExpireDate", "2026-03-02 00:00:05"),
        ("IA_Invoice_No", OTHER),
    ],
)
def test_an_asked_allowance_that_cannot_be_read_is_unknown(key: str, value: object) -> None:
    """An end before the beginning included: its sum would look free while it is held back."""
    assert allowances.parse_ask(ASKED | {key: value}, INVOICE) == Unknown("UNREADABLE", "1", key)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"RtnCode": 2000016}, Rejected(Reason.ASK_A_PERSON, "EXCEEDS_REMAINING", "2000016", "m")),
        ({"RtnCode": "2000042"}, Rejected(Reason.ASK_A_PERSON, "INVOICE_VOID", "2000042", "m", definite=True)),
        ({"RtnCode": 1600003}, Rejected(Reason.ASK_A_PERSON, "INVOICE_OR_DATE_UNKNOWN", "1600003", "m", definite=True)),
        ({"RtnCode": 5070357}, Unknown("UNMAPPED_CODE", "5070357", "m", answered=True)),
        ({"RtnCode": None}, Unknown("UNREADABLE", raw_message="RtnCode")),
    ],
)
def test_only_a_recorded_refusal_of_an_allowance_is_definite(reply: Fields, outcome: object) -> None:
    """The rest is unknown, the code nobody saw on stage is not definite either."""
    assert allowances.parse_allow({"RtnMsg": "m", **reply}, INVOICE) == outcome


@pytest.mark.parametrize("code", [1600003, 2000016, 2000042, 5902001])
def test_no_refusal_of_a_question_was_ever_recorded(code: int) -> None:
    """So each of them leaves open whether the buyer was asked."""
    reply = {"RtnCode": code, "RtnMsg": "m"}
    assert allowances.parse_ask(reply, INVOICE) == Unknown("UNMAPPED_CODE", str(code), "m", answered=True)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        # the words of the success are those of a refusal
        ({"RtnCode": 1, "RtnMsg": "該折讓單已作廢", "IA_Invoice_No": INVOICE}, Accepted(Done())),
        ({"RtnCode": "1", "RtnMsg": "該折讓單已作廢"}, Accepted(Done())),
        ({"RtnCode": 2000063, "RtnMsg": "該折讓單已作廢過，請確認"}, Accepted(Done(already=True))),
        ({"RtnCode": 1, "RtnMsg": "m", "IA_Invoice_No": OTHER}, Unknown("UNREADABLE", "1", "IA_Invoice_No")),
        ({"RtnCode": 2000039, "RtnMsg": "m"},
         Rejected(Reason.ASK_A_PERSON, "ALLOWANCE_UNKNOWN", "2000039", "m", definite=True)),
        ({"RtnCode": 5070250, "RtnMsg": "m"}, Unknown("UNMAPPED_CODE", "5070250", "m", answered=True)),
    ],
)  # fmt: skip
def test_answers_to_the_void_of_an_allowance(reply: Fields, outcome: object) -> None:
    """Judged by code, never by words."""
    assert allowances.parse_void_allowance(reply, INVOICE) == outcome


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"RtnCode": "1", "RtnMsg": "取消成功", "IA_Invoice_No": INVOICE}, Accepted(Done())),
        ({"RtnCode": 1, "RtnMsg": "m", "IA_Invoice_No": OTHER}, Unknown("UNREADABLE", "1", "IA_Invoice_No")),
        ({"RtnCode": 5070250, "RtnMsg": "m"},
         Rejected(Reason.ASK_A_PERSON, "ALREADY_AGREED", "5070250", "m", definite=True)),
        ({"RtnCode": 2000063, "RtnMsg": "m"}, Unknown("UNMAPPED_CODE", "2000063", "m", answered=True)),
    ],
)  # fmt: skip
def test_answers_to_the_end_of_a_question(reply: Fields, outcome: object) -> None:
    """Agreed already is a refusal; the codes of the void of an allowance mean nothing here."""
    assert allowances.parse_cancel_asked_allowance(reply, INVOICE) == outcome


# --- answers to look-ups ---

ROW: dict[str, Any] = {
    "IA_Allow_No": NUMBER,
    "IA_Check_Send_Mail": "N",
    "IA_Date": "2026-03-02 00:00:05",
    "IA_Identifier": "0000000000",
    "IA_Invalid_Status": "0",
    "IA_Invoice_Issue_Date": "2026-03-01 00:00:05",
    "IA_Invoice_No": INVOICE,
    "IA_Tax_Amount": 2,
    "IA_Tax_Type": "1",
    "IA_Total_Amount": 48,
    "IA_Total_Tax_Amount": 50,
    "IA_Upload_Date": "",
    "IA_Upload_Status": "0",
    "Items": [{"ItemSeq": 1, "ItemName": "茶", "ItemCount": Decimal("2.0"), "ItemAmount": Decimal("50.0")}],
}
FOUND = FoundAllowance(NUMBER, INVOICE, AT, 50, 2, (FoundLine("茶", "2", 50),), void=False, upload="none")


def listed(*rows: dict[str, Any], **change: Any) -> Fields:
    """An answer of GetAllowanceList."""
    return {"RtnCode": 1, "RtnMsg": "成功", "AllowanceInfo": list(rows)} | change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, FOUND),
        ({"IA_Total_Amount": "48", "IA_Tax_Amount": "2", "IA_Total_Tax_Amount": Decimal("50.0")}, FOUND),
        ({"IA_Invalid_Status": 1}, replace(FOUND, void=True)),
        ({"IA_Upload_Status": "1"}, replace(FOUND, upload="confirmed")),
        ({"IA_Tax_Amount": 0, "IA_Total_Amount": 50}, replace(FOUND, tax_twd=0)),
    ],
)
def test_an_allowance_is_told_in_our_terms(change: dict[str, object], expected: FoundAllowance) -> None:
    """Total_Tax is the sum with tax, whatever its name suggests."""
    assert allowances.parse_find_allowances(listed(ROW | change), INVOICE) == Accepted((expected,))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("IA_Allow_No", ""),
        ("IA_Invoice_No", OTHER),
        ("IA_Invoice_No", ""),
        ("IA_Date", ""),
        ("IA_Invalid_Status", ""),
        ("IA_Upload_Status", "P"),
        ("IA_Total_Tax_Amount", 51),
        ("IA_Tax_Amount", None),
        ("Items", None),
    ],
)
def test_one_row_that_cannot_be_read_makes_the_whole_list_unknown(key: str, value: object) -> None:
    """An allowance overlooked could be made twice; sums that do not close are misread ones."""
    rows = [ROW, ROW | {"IA_Allow_No": "2026030110000002", key: value}]
    assert allowances.parse_find_allowances(listed(*rows), INVOICE) == Unknown("UNREADABLE", "1", key)


def test_the_oldest_comes_first_whatever_the_order_of_the_answer() -> None:
    """Those of one second by their numbers."""
    later = ROW | {"IA_Allow_No": "2026030110000000", "IA_Date": "2026-03-02 00:00:06"}
    same = ROW | {"IA_Allow_No": "2026030110000002"}
    outcome = allowances.parse_find_allowances(listed(later, same, ROW), INVOICE)
    assert isinstance(outcome, Accepted)
    assert [one.number[-4:] for one in outcome.value] == ["0001", "0002", "0000"]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"RtnCode": 7, "RtnMsg": "m"}, Accepted(())),
        ({"RtnCode": "7", "RtnMsg": "m", "AllowanceInfo": []}, Accepted(())),
        (listed(), Accepted(())),
        (listed(AllowanceInfo=None), Unknown("UNREADABLE", "1", "AllowanceInfo")),
        (listed(AllowanceInfo=["x"]), Unknown("UNREADABLE", "1", "AllowanceInfo")),
        ({"RtnCode": 2, "RtnMsg": "m"}, Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", "2", "m")),
    ],
)
def test_only_no_data_and_an_empty_list_say_that_there_is_none(reply: Fields, outcome: object) -> None:
    """Anything else says nothing."""
    assert allowances.parse_find_allowances(reply, INVOICE) == outcome


VOIDED = {
    "RtnCode": 1,
    "AI_Allow_No": NUMBER,
    "AI_Date": "2026-03-02 00:00:05",
    "AI_Invoice_No": INVOICE,
    "AI_Mer_ID": 2000132,
    "AI_Upload_Status": "0",
    "Reason": "折讓錯誤",
}


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (VOIDED, VoidRecord(NUMBER, AT, "折讓錯誤", uploaded=False)),
        (VOIDED | {"AI_Upload_Status": 1}, VoidRecord(NUMBER, AT, "折讓錯誤", uploaded=True)),
        (VOIDED | {"AI_Allow_No": "1"}, Unknown("UNREADABLE", "1", "AI_Allow_No")),
        (VOIDED | {"AI_Invoice_No": OTHER}, Unknown("UNREADABLE", "1", "AI_Invoice_No")),
        (VOIDED | {"AI_Date": ""}, Unknown("UNREADABLE", "1", "AI_Date")),
        ({"RtnCode": 7, "RtnMsg": "m"}, Absent()),
        ({"RtnCode": 2000039, "RtnMsg": "m"}, Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", "2000039", "m")),
    ],
)
def test_answers_to_a_look_up_of_the_void_of_an_allowance(reply: Fields, outcome: object) -> None:
    """Found, absent or unknown; never another allowance's."""
    assert allowances.parse_find_allowance_void(reply, INVOICE, NUMBER) == outcome

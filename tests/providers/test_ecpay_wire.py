"""ECPay's mapping: what an order becomes, and what every kind of answer means."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from einvoice.errors import Reason
from einvoice.model import Buyer, Carrier, CarrierKind, CustomsMark, Line, Order, TaxType
from einvoice.providers.base import Absent, Accepted, Done, Found, FoundLine, Issued, Rejected, Unknown
from einvoice.providers.ecpay import wire
from einvoice.providers.ecpay.fields import Fields, from_json, to_json

TAIPEI = timezone(timedelta(hours=8))
RELATE = "ABCDEFGHIJ234567KLMN"
AT = datetime(2026, 3, 1, 0, 0, 5, tzinfo=TAIPEI)

CONSUMER = Order(
    buyer=Buyer(name="測試買受人", email="buyer@example.com"),
    lines=(Line("茶", Decimal("2.50"), Decimal(400), 1000, unit="包"), Line("折扣", Decimal(1), Decimal(-50), -50)),
    total_twd=950,
    carrier=Carrier(CarrierKind.MOBILE_BARCODE, "/AB+CD12"),
)


def changed(order: Order, **fields: Any) -> dict[str, object]:
    """The request of the order with some fields replaced."""
    return wire.issue_request(replace(order, **fields), RELATE)


def test_a_consumers_order_becomes_exactly_this() -> None:
    """The whole request, so that no field slips in or out unseen."""
    assert wire.issue_request(CONSUMER, RELATE) == {
        "RelateNumber": RELATE,
        "CustomerIdentifier": "",
        "CustomerName": "測試買受人",
        "CustomerAddr": "",
        "CustomerPhone": "",
        "CustomerEmail": "buyer@example.com",
        "Print": "0",
        "Donation": "0",
        "LoveCode": "",
        "CarrierType": "3",
        "CarrierNum": "/AB+CD12",
        "TaxType": "1",
        "SalesAmount": 950,
        "InvType": "07",
        "vat": "1",
        "Items": [
            {
                "ItemSeq": 1,
                "ItemName": "茶",
                "ItemCount": Decimal("2.50"),
                "ItemWord": "包",
                "ItemPrice": Decimal(400),
                "ItemAmount": 1000,
            },
            {
                "ItemSeq": 2,
                "ItemName": "折扣",
                "ItemCount": Decimal(1),
                "ItemWord": "式",
                "ItemPrice": Decimal(-50),
                "ItemAmount": -50,
            },
        ],
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"carrier": Carrier(CarrierKind.MEMBER)}, {"CarrierType": "1", "CarrierNum": ""}),
        (
            {"carrier": Carrier(CarrierKind.CITIZEN_CERTIFICATE, "TP03000001234567")},
            {"CarrierType": "2", "CarrierNum": "TP03000001234567"},
        ),
        ({"carrier": None, "print_paper": True}, {"CarrierType": "", "CarrierNum": "", "Print": "1", "Donation": "0"}),
        ({"carrier": None, "love_code": "0168"}, {"Donation": "1", "LoveCode": "0168", "Print": "0"}),
        ({"buyer": Buyer(ubn="53538851", name="測試")}, {"CustomerIdentifier": "53538851"}),
        ({"buyer": Buyer(address="某路1號", phone="0900")}, {"CustomerAddr": "某路1號", "CustomerPhone": "0900"}),
        ({"tax_type": TaxType.EXEMPT}, {"TaxType": "3", "InvType": "07", "SpecialTaxType": 8}),
        ({"tax_type": TaxType.SPECIAL, "special_tax_type": 2}, {"TaxType": "4", "InvType": "08", "SpecialTaxType": 2}),
        (
            {"tax_type": TaxType.ZERO_RATED, "customs_mark": CustomsMark.VIA_CUSTOMS, "zero_rate_reason": "71"},
            {"TaxType": "2", "ClearanceMark": "2", "ZeroTaxRateReason": "71"},
        ),
        ({"tax_type": TaxType.ZERO_RATED, "customs_mark": CustomsMark.NOT_VIA_CUSTOMS}, {"ClearanceMark": "1"}),
        ({"tax_type": TaxType.MIXED}, {"TaxType": "9", "InvType": "07"}),
        ({"remark": "備註"}, {"InvoiceRemark": "備註"}),
    ],
)  # fmt: skip
def test_each_choice_has_its_spelling(change: dict[str, Any], expected: dict[str, object]) -> None:
    """One choice of the order, the fields it becomes."""
    request = changed(CONSUMER, **change)
    assert {key: request.get(key) for key in expected} == expected


def test_optional_fields_are_left_out_when_empty() -> None:
    """No empty value where ECPay takes presence as meaning."""
    absent = {"ClearanceMark", "ZeroTaxRateReason", "SpecialTaxType", "InvoiceRemark", "CarrierNum2", "InvoiceDate"}
    assert not absent & wire.issue_request(CONSUMER, RELATE).keys()


def test_lines_of_a_mixed_invoice_carry_their_tax_type() -> None:
    """ItemTaxType and ItemRemark appear where given."""
    kinds = [TaxType.TAXABLE, TaxType.ZERO_RATED, TaxType.EXEMPT]
    lines = tuple(Line("x", Decimal(1), Decimal(1), 1, tax_type=kind, remark="r") for kind in kinds)
    items = changed(CONSUMER, tax_type=TaxType.MIXED, lines=lines)["Items"]
    assert [(item["ItemTaxType"], item["ItemRemark"]) for item in items] == [("1", "r"), ("2", "r"), ("3", "r")]  # type: ignore[attr-defined] # rows of a dict of objects


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("1", "1"),
        ("1.50", "1.5"),
        ("100", "100"),
        ("1E+2", "100"),
        ("0.0000001", "0.0000001"),
        ("1E-7", "0.0000001"),
        ("-0.0", "0"),
        ("-33.3333333", "-33.3333333"),
        ("99999999.9999999", "99999999.9999999"),
        ("123456789012345678901234567890.1234567", "123456789012345678901234567890.1234567"),
    ],
)
def test_numbers_are_written_exactly_and_without_exponent(value: str, written: str) -> None:
    """No binary float, no rounding, no 1e-07."""
    assert to_json({"n": Decimal(value)}) == f'{{"n":{written}}}'


def test_json_is_what_a_json_reader_expects() -> None:
    """Any character, nested as deep as a request is."""
    request = changed(CONSUMER, remark="\"\\\n\t\x00😀全<&>'~\u2028")
    assert json.loads(to_json(request), parse_float=Decimal) == json.loads(json.dumps(request, default=float))


@pytest.mark.parametrize("value", [1.5, True, None, Decimal("NaN"), Decimal("Infinity"), ("tuple",)])
def test_what_has_no_exact_spelling_is_refused(value: object) -> None:
    """A float or an infinity in a request is a mistake of ours, told at once."""
    with pytest.raises((TypeError, ValueError)):
        to_json({"n": value})


def test_the_other_requests_of_a_life() -> None:
    """Look-up by one key only; void and re-issue with the centre's own date and instant."""
    assert wire.find_request(RELATE) == {"RelateNumber": RELATE}
    assert wire.void_request("AB12345678", date(2026, 3, 1), "客戶取消") == {
        "InvoiceNo": "AB12345678",
        "InvoiceDate": "2026-03-01",
        "Reason": "客戶取消",
    }
    assert wire.reissue_same_number_request(CONSUMER, RELATE, "AB12345678", AT.astimezone(UTC), "抬頭") == {
        "VoidModel": {"InvoiceNo": "AB12345678", "VoidReason": "抬頭"},
        "IssueModel": {**wire.issue_request(CONSUMER, RELATE), "InvoiceDate": "2026-03-01 00:00:05"},
    }


# --- answers to Issue ---

GOOD = {
    "RtnCode": 1,
    "RtnMsg": "開立發票成功",
    "InvoiceNo": "AB12345678",
    "InvoiceDate": "2026-03-01 00:00:05",
    "RandomNumber": "0042",
}
ISSUED = Accepted(Issued("AB12345678", AT, "0042"))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"RtnCode": "1"},
        {"RtnCode": "1 "[:1], "RtnMsg": None},
        {"InvoiceDate": "2026/03/01 00:00:05"},
        {"RandomNumber": 42},
        {"Extra": {"nested": []}},
    ],
)
def test_an_issued_invoice_is_read_in_every_spelling(change: dict[str, object]) -> None:
    """RtnCode as text, dates with slashes, a random code that came as a number."""
    assert wire.parse_issue(GOOD | change) == ISSUED
    assert wire.parse_reissue_same_number(GOOD | change) == ISSUED


BAD = [
    *[
        ("InvoiceNo", value)
        for value in ("", None, "AB1234567", "ab12345678", "AB123456789", "ＡＢ12345678", 12345678, ["AB"])
    ],
    *[
        ("InvoiceDate", value)
        for value in (
            "", None, "2026-03-01", "2026-02-30 00:00:00", "2026-03-01 24:00:00", "0001-01-01 00:00:00", 1772294405,
            "2026-03/01 00:00:05", "2026-03-01+00:00:05", "２０２６-03-01 00:00:05", "2026-03-01 00:00:05Z",
        )
    ],
    *[("RandomNumber", value) for value in ("", None, "42", "12345", "12a4", 12345, -1, True, "４２４２", 4.2)],
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), BAD)
def test_a_success_with_an_unreadable_field_is_unknown(key: str, value: object) -> None:
    """Never an empty number, never "now" for a date: it may be issued, so it is looked up."""
    without = {k: v for k, v in GOOD.items() if k != key}
    expected = Unknown("UNREADABLE", "1", key)
    assert wire.parse_issue(GOOD | {key: value}) == expected
    assert wire.parse_issue(without) == expected


@pytest.mark.parametrize("code", [None, "", "ok", True, [], {}, "1.5", Decimal("1.5"), Decimal("1E+400")])
def test_an_answer_without_a_readable_code_is_unknown(code: object) -> None:
    """No RtnCode, no verdict."""
    assert wire.parse_issue(GOOD | {"RtnCode": code}) == Unknown("UNREADABLE", raw_message="RtnCode")


def test_a_refusal_keeps_the_centres_words() -> None:
    """Code and message come through; the number 0 of a refusal is not read."""
    reply = {"RtnCode": 5070357, "RtnMsg": "B2C開立發票 自訂編號重覆，請重新設定", "InvoiceNo": "", "InvoiceDate": ""}
    assert wire.parse_issue(reply) == Rejected(
        Reason.ORDER_HAS_INVOICE, "DUPLICATE_ORDER_NUMBER", "5070357", "B2C開立發票 自訂編號重覆，請重新設定"
    )


# --- answers to Invalid ---


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"RtnCode": "1", "RtnMsg": "作廢發票成功", "InvoiceNo": "AB12345678"}, Accepted(Done())),
        ({"RtnCode": 1}, Accepted(Done())),
        ({"RtnCode": 1, "InvoiceNo": "ZZ00000000"}, Unknown("UNREADABLE", "1", "InvoiceNo")),
        ({"RtnCode": 5070453, "RtnMsg": "m", "InvoiceNo": "AB12345678"}, Accepted(Done(already=True))),
        (
            {"RtnCode": 5070450, "RtnMsg": "m"},
            Rejected(Reason.VOID_ALLOWANCES_FIRST, "LIVING_ALLOWANCE", "5070450", "m", definite=True),
        ),
        ({"RtnCode": 5070451, "RtnMsg": "m"}, Rejected(Reason.WAIT, "NOT_UPLOADED", "5070451", "m", definite=True)),
        ({"RtnCode": 5900001, "RtnMsg": "已作廢"}, Unknown("UNMAPPED_CODE", "5900001", "已作廢", answered=True)),
    ],
)
def test_answers_to_a_void(reply: Fields, outcome: object) -> None:
    """Already void is done; words are never matched."""
    assert wire.parse_void(reply, "AB12345678") == outcome


# --- answers to GetIssue ---

STORED = {
    "RtnCode": 1,
    "RtnMsg": "查詢成功",
    "IIS_Number": "AB12345678",
    "IIS_Relate_Number": RELATE,
    "IIS_Create_Date": "2026-03-01 00:00:05",
    "IIS_Random_Number": "0042",
    "IIS_Sales_Amount": 950,
    "IIS_Identifier": "0000000000",
    "IIS_Tax_Type": "1",
    "IIS_Carrier_Type": "3",
    "IIS_Carrier_Num": "/AB+CD12",
    "IIS_Love_Code": "0",
    "IIS_Print_Flag": "0",
    "IIS_Issue_Status": "1",
    "IIS_Invalid_Status": "0",
    "IIS_Upload_Status": "0",
    "IIS_Turnkey_Status": "",
    "IIS_Remain_Allowance_Amt": 950,
    "Items": [
        {"ItemName": "茶", "ItemCount": Decimal("2.5000"), "ItemAmount": Decimal("1000.0")},
        {"ItemName": "折扣", "ItemCount": 1, "ItemAmount": -50},
    ],
}
FOUND = Found(
    number="AB12345678",
    issued_at=AT,
    random_code="0042",
    total_twd=950,
    ubn="",
    tax_type="taxable",
    carrier_kind="mobile_barcode",
    carrier_number="/AB+CD12",
    love_code="",
    print_paper=False,
    lines=(FoundLine("茶", "2.5", 1000), FoundLine("折扣", "1", -50)),
    void=False,
    withdrawn=False,
    upload="none",
    remaining_twd=950,
)


def uploaded(status: str, turnkey: str) -> dict[str, object]:
    """The two fields upload is read from."""
    return {"IIS_Upload_Status": status, "IIS_Turnkey_Status": turnkey}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {}),
        ({"IIS_Relate_Number": RELATE.lower()}, {}),
        ({"IIS_Sales_Amount": "950", "IIS_Print_Flag": 0, "IIS_Remain_Allowance_Amt": Decimal("950.0")}, {}),
        ({"IIS_Identifier": "53538851"}, {"ubn": "53538851"}),
        ({"IIS_Carrier_Type": "", "IIS_Carrier_Num": None}, {"carrier_kind": "", "carrier_number": ""}),
        ({"IIS_Carrier_Type": 1, "IIS_Carrier_Num": "b@example.com"}, {"carrier_kind": "member", "carrier_number": ""}),
        ({"IIS_Carrier_Type": "2"}, {"carrier_kind": "citizen_certificate"}),
        ({"IIS_Carrier_Type": "4"}, {"carrier_kind": "4"}),
        ({"IIS_Love_Code": "0168"}, {"love_code": "0168"}),
        ({"IIS_Love_Code": ""}, {}),
        ({"IIS_Print_Flag": "1"}, {"print_paper": True}),
        ({"IIS_Tax_Type": "9"}, {"tax_type": "mixed"}),
        ({"IIS_Tax_Type": "5"}, {"tax_type": "5"}),
        ({"IIS_Invalid_Status": "1"}, {"void": True}),
        ({"IIS_Issue_Status": "0"}, {"withdrawn": True}),
        ({"IIS_Remain_Allowance_Amt": 0}, {"remaining_twd": 0}),
        (uploaded("1", "C"), {"upload": "confirmed"}),
        (uploaded("0", "C"), {"upload": "confirmed"}),
        (uploaded("1", "E"), {"upload": "refused"}),
        (uploaded("1", "G"), {"upload": "uploading"}),
        (uploaded("0", "P"), {"upload": "uploading"}),
        (uploaded("1", ""), {"upload": "uploading"}),
        (uploaded("1", "Z"), {"upload": "uploading"}),
    ],
)
def test_a_found_document_is_told_in_our_terms(change: dict[str, object], expected: dict[str, Any]) -> None:
    """Each spelling of ECPay's and what it means here; only the ministry's C confirms an upload."""
    assert wire.parse_find(STORED | change, RELATE) == replace(FOUND, **expected)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("IIS_Number", ""),
        ("IIS_Relate_Number", "ANOTHER"),
        ("IIS_Create_Date", ""),
        ("IIS_Random_Number", ""),
        ("IIS_Sales_Amount", ""),
        ("IIS_Sales_Amount", Decimal("950.5")),
        ("IIS_Print_Flag", ""),
        ("IIS_Issue_Status", "2"),
        ("IIS_Invalid_Status", None),
        ("IIS_Upload_Status", "Y"),
        ("IIS_Remain_Allowance_Amt", None),
        ("Items", None),
        ("Items", {}),
        ("Items", ["茶"]),
    ],
)
def test_a_document_that_cannot_be_read_is_unknown(key: str, value: object) -> None:
    """Nothing is adopted on a guess, and nothing of another order."""
    assert wire.parse_find(STORED | {key: value}, RELATE) == Unknown("UNREADABLE", "1", key)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"RtnCode": 2, "RtnMsg": "查無發票資料，請重新確認"}, Absent()),
        ({"RtnCode": "2"}, Absent()),
        ({"RtnCode": 7, "RtnMsg": "m"}, Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", "7", "m")),
        ({"RtnCode": 0, "RtnMsg": "查無發票資料"}, Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", "0", "查無發票資料")),
    ],
)
def test_only_code_2_says_that_there_is_none(reply: Fields, outcome: object) -> None:
    """Any other refusal of a look-up is not an absence."""
    assert wire.parse_find(reply, RELATE) == outcome


# --- JSON ---


@pytest.mark.parametrize(
    "document",
    ["", "[]", "1", "null", '"x"', "{", "[" * 100_000, '{"a":NaN}', '{"a":' + "9" * 5000 + "}", b"\xff\xfe{}"],
)
def test_a_document_that_is_no_object_reads_as_nothing(document: str | bytes) -> None:
    """Depth, digits and encoding are no way to raise."""
    assert from_json(document) is None

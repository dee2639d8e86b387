"""Is the document the centre holds the one we asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from einvoice.model import Buyer, Carrier, CarrierKind, Line, Order, TaxType
from einvoice.providers.base import Found, FoundLine
from einvoice.rules import adoption
from einvoice.rules.period import TAIPEI

SENT = datetime(2026, 2, 20, 10, 0, tzinfo=TAIPEI)
NOW = SENT + timedelta(minutes=20)
SKEW = timedelta(seconds=300)

ORDER = Order(
    buyer=Buyer(ubn="04595257", name="測試股份有限公司"),
    lines=(Line("高山茶 ", Decimal("2.50"), Decimal(42), 105), Line("折扣", Decimal(1), Decimal(-5), -5)),
    total_twd=100,
    carrier=Carrier(CarrierKind.MOBILE_BARCODE, "/ABC+123"),
)
FOUND = Found(
    number="AB12345678",
    issued_at=SENT + timedelta(seconds=2),
    random_code="6866",
    total_twd=100,
    ubn="04595257",
    tax_type="taxable",
    carrier_kind="mobile_barcode",
    carrier_number="/ABC+123",
    love_code="",
    print_paper=False,
    lines=(FoundLine("高山茶", "2.5", 105), FoundLine("折扣", "1", -5)),
    void=False,
    withdrawn=False,
    upload="uploading",
    remaining_twd=100,
)


def found_differences(order=ORDER, found=FOUND):
    """What differs, with both values."""
    return adoption.differences(order, found, first_sent_at=SENT, now=NOW, skew=SKEW)


def test_the_same_document_has_no_difference():
    """Equal content in another spelling (2.50, 2.5; blanks at the end of a name) is the same."""
    assert found_differences() == []


@pytest.mark.parametrize(
    "status", [{"void": True}, {"upload": "confirmed"}, {"remaining_twd": 0}, {"withdrawn": True}, {"number": "X"}]
)
def test_status_is_not_content(status):
    """A void document can be the one we asked for."""
    assert found_differences(found=replace(FOUND, **status)) == []


@pytest.mark.parametrize(
    ("change", "field", "ours", "theirs"),
    [
        ({"total_twd": 101}, "total_twd", "100", "101"),
        ({"ubn": ""}, "ubn", "04595257", ""),
        ({"tax_type": "exempt"}, "tax_type", "taxable", "exempt"),
        ({"tax_type": "7"}, "tax_type", "taxable", "7"),
        ({"carrier_kind": "member"}, "carrier_kind", "mobile_barcode", "member"),
        ({"carrier_number": "/ABC 123"}, "carrier_number", "/ABC+123", "/ABC 123"),
        ({"love_code": "168001"}, "love_code", "", "168001"),
        ({"print_paper": True}, "print_paper", "False", "True"),
        ({"lines": FOUND.lines[:1]}, "lines", "2", "1"),
        ({"lines": (*FOUND.lines, FOUND.lines[1])}, "lines", "2", "3"),
        ({"lines": (replace(FOUND.lines[0], name="綠茶"), FOUND.lines[1])}, "lines[0].name", "高山茶", "綠茶"),
        ({"lines": (FOUND.lines[0], replace(FOUND.lines[1], quantity="2"))}, "lines[1].quantity", "1", "2"),
        ({"lines": (FOUND.lines[0], replace(FOUND.lines[1], quantity="?"))}, "lines[1].quantity", "1", "?"),
        ({"lines": (FOUND.lines[0], replace(FOUND.lines[1], quantity="NaN"))}, "lines[1].quantity", "1", "NaN"),
        (
            {"lines": (FOUND.lines[0], replace(FOUND.lines[1], quantity="1E+999999"))},
            "lines[1].quantity",
            "1",
            "1E+999999",
        ),
        ({"lines": (FOUND.lines[0], replace(FOUND.lines[1], amount_twd=-6))}, "lines[1].amount_twd", "-5", "-6"),
    ],
)
def test_a_difference_keeps_both_values(change, field, ours, theirs):
    """A person can compare them; nothing is overwritten."""
    assert found_differences(found=replace(FOUND, **change)) == [adoption.Difference(field, ours, theirs)]


def test_lines_in_another_order_are_another_document():
    """Order counts, as allowances refer to lines by place."""
    assert found_differences(found=replace(FOUND, lines=FOUND.lines[::-1]))


@pytest.mark.parametrize("quantity", ["2.500", "2.50000000", "25E-1"])
def test_a_quantity_is_compared_as_a_number(quantity):
    """The centre may write it as it likes."""
    lines = (replace(FOUND.lines[0], quantity=quantity), FOUND.lines[1])
    assert found_differences(found=replace(FOUND, lines=lines)) == []


def test_the_number_of_a_member_carrier_is_the_centres_own():
    """It is filled in there, from e-mail or phone."""
    order = replace(ORDER, carrier=Carrier(CarrierKind.MEMBER))
    found = replace(FOUND, carrier_kind="member", carrier_number="buyer@example.com")
    assert found_differences(order, found) == []


def test_a_carrier_nobody_asked_for_is_a_difference():
    """Kind and number both show."""
    fields = [difference.field for difference in found_differences(replace(ORDER, carrier=None))]
    assert fields == ["carrier_kind", "carrier_number"]


@pytest.mark.parametrize(
    ("issued_at", "same"),
    [
        (SENT - SKEW, True),
        (SENT - SKEW - timedelta(seconds=1), False),
        (NOW + SKEW, True),
        (NOW + SKEW + timedelta(seconds=1), False),
        ((SENT + SKEW).astimezone(UTC), True),
        (SENT - timedelta(days=365), False),
    ],
)
def test_the_date_lies_between_our_first_send_and_now(issued_at, same):
    """An invoice of another day is not the answer to our request; each clock may be a little off."""
    differences = found_differences(found=replace(FOUND, issued_at=issued_at))
    assert ([difference.field for difference in differences] == []) is same
    assert {difference.field for difference in differences} <= {"issued_at"}


@pytest.mark.parametrize("tax_type", TaxType)
def test_every_tax_type_compares_by_its_value(tax_type):
    """The centre's folder speaks our words."""
    assert found_differences(replace(ORDER, tax_type=tax_type), replace(FOUND, tax_type=tax_type.value)) == []

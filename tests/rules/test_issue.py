"""May an order be invoiced: each rule by one order that breaks it and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from einvoice.model import Buyer, Carrier, CarrierKind, CustomsMark, Line, Order, ProviderProfile, TaxType
from einvoice.rules import issue, money
from einvoice.rules.codes import Code

TODAY = date(2026, 3, 1)
MOBILE, CERTIFICATE, MEMBER = (
    Carrier(CarrierKind.MOBILE_BARCODE, "/ABC+123"),
    Carrier(CarrierKind.CITIZEN_CERTIFICATE, "TP03000001234567"),
    Carrier(CarrierKind.MEMBER),
)
# what ECPay's B2C interface takes (developers page 7896)
PROFILE = ProviderProfile(
    "test",
    ubn_carriers=frozenset({CarrierKind.MEMBER, CarrierKind.CITIZEN_CERTIFICATE, CarrierKind.MOBILE_BARCODE}),
    ubn_printable_carriers=frozenset({CarrierKind.MOBILE_BARCODE}),
    contact_required=True,
    max_lines=3,
)
TEA = Line("高山茶", Decimal(2), Decimal("52.5"), 105)
PERSON = Buyer(name="王小明", address="臺北市中正區", email="buyer@example.com")
COMPANY = replace(PERSON, ubn="04595257", name="測試股份有限公司")

CONSUMER = Order(PERSON, (TEA,), 105, print_paper=True)
CARRIED = replace(CONSUMER, print_paper=False, carrier=MOBILE)
DONATED = replace(CONSUMER, print_paper=False, love_code="168001")
BUSINESS = replace(CONSUMER, buyer=COMPANY)
ZERO_RATED = replace(CONSUMER, tax_type=TaxType.ZERO_RATED, customs_mark=CustomsMark.VIA_CUSTOMS, zero_rate_reason="71")
SPECIAL = replace(CONSUMER, tax_type=TaxType.SPECIAL, special_tax_type=8)


def mixed(*kinds, amounts=None, **changes):
    """A mixed order with one line for each kind, of 105 dollars unless said."""
    amounts = amounts or [105] * len(kinds)
    lines = tuple(
        replace(TEA, quantity=Decimal(1), unit_price_twd=Decimal(amount), amount_twd=amount, tax_type=kind)
        for kind, amount in zip(kinds, amounts, strict=True)
    )
    return replace(CONSUMER, tax_type=TaxType.MIXED, lines=lines, total_twd=sum(amounts), **changes)


T, Z, E = TaxType.TAXABLE, TaxType.ZERO_RATED, TaxType.EXEMPT
ZERO_RATE = {"customs_mark": CustomsMark.NOT_VIA_CUSTOMS, "zero_rate_reason": "79"}


def line(order=CONSUMER, **changes):
    """The order with its only line changed, and the total kept."""
    return replace(order, lines=(replace(TEA, **changes),))


def buyer(order=CONSUMER, **changes):
    """The order with its buyer changed."""
    return replace(order, buyer=replace(order.buyer, **changes))


def broken(order, on=TODAY, profile=PROFILE):
    """What ``check`` finds, as pairs."""
    return [(violation.code, violation.path) for violation in issue.check(order, on=on, profile=profile)]


GOOD = {
    "paper": CONSUMER,
    "mobile barcode": CARRIED,
    "certificate": replace(CARRIED, carrier=CERTIFICATE),
    "member": replace(CARRIED, carrier=MEMBER),
    "donation": DONATED,
    "no name on a carrier": buyer(CARRIED, name="", address=""),
    "phone only": buyer(email="", phone="0912345678"),
    "business on paper": BUSINESS,
    "business with barcode and paper": replace(BUSINESS, carrier=MOBILE),
    "business with member carrier": buyer(replace(BUSINESS, carrier=MEMBER, print_paper=False), address=""),
    "business overruled by a person": buyer(BUSINESS, ubn="12345678", ubn_override="looked up"),
    "discount": replace(CONSUMER, lines=(TEA, Line("折扣", Decimal(1), Decimal(-5), -5)), total_twd=100),
    "gift": replace(CONSUMER, lines=(TEA, Line("贈品", Decimal(1), Decimal(0), 0))),
    "half a dollar up": line(quantity=Decimal(1), unit_price_twd=Decimal("104.5")),
    "half a dollar off": replace(CONSUMER, lines=(TEA, Line("折扣", Decimal(1), Decimal("-4.5"), -5)), total_twd=100),
    "trailing zeros": line(quantity=Decimal("2.000000000000"), unit_price_twd=Decimal("52.500000000000")),
    "product of 32 digits": replace(
        CONSUMER,
        lines=(Line("油", Decimal("12345678.1234567"), Decimal("0.0000001"), 1), replace(TEA, amount_twd=105)),
        total_twd=106,
    ),
    "exempt": replace(CONSUMER, tax_type=TaxType.EXEMPT),
    "zero-rated": ZERO_RATED,
    "special": SPECIAL,
    "taxable and exempt": mixed(T, E),
    "taxable and zero-rated": mixed(T, Z, **ZERO_RATE),
    "sold today": replace(CONSUMER, sold_on="2026-03-01"),
    "sold long ago": replace(CONSUMER, sold_on="2024-02-29"),
    "largest total": replace(
        CONSUMER, lines=(Line("屋", Decimal(1), Decimal(10**12 - 1), 10**12 - 1),), total_twd=10**12 - 1
    ),
    "longest texts": buyer(line(name="茶" * 500, unit="盒" * 6, remark="備" * 120), name="名" * 60, address="址" * 100),
}

BAD = [
    # lines
    (replace(CONSUMER, lines=()), ["LINES_MISSING lines"]),
    (replace(CONSUMER, lines=(TEA,) * 4, total_twd=420), ["LINES_TOO_MANY lines"]),
    (line(name=""), ["TEXT_MISSING lines[0].name"]),
    (line(name=" \u3000"), ["TEXT_MISSING lines[0].name"]),
    (line(name="茶" * 501), ["TEXT_TOO_LONG lines[0].name"]),
    (line(name="茶\n葉"), ["TEXT_CONTROL_CHARACTER lines[0].name"]),
    (line(name="茶\x08"), ["TEXT_CONTROL_CHARACTER lines[0].name"]),
    (line(name="茶\ud83d"), ["TEXT_CONTROL_CHARACTER lines[0].name"]),
    (line(name="茶\uffff"), ["TEXT_CONTROL_CHARACTER lines[0].name"]),
    (line(name="茶😀"), ["TEXT_ASTRAL lines[0].name"]),
    (line(name="𠮷"), ["TEXT_ASTRAL lines[0].name"]),
    (line(unit=""), ["TEXT_MISSING lines[0].unit"]),
    (line(unit="1234567"), ["TEXT_TOO_LONG lines[0].unit"]),
    (line(remark="x" * 121), ["TEXT_TOO_LONG lines[0].remark"]),
    (line(remark="\t"), ["TEXT_CONTROL_CHARACTER lines[0].remark"]),
    (line(quantity=Decimal(0), amount_twd=0), ["QUANTITY_ZERO lines[0].quantity", "SUM_MISMATCH total_twd"]),
    (line(quantity=Decimal(-2), unit_price_twd=Decimal("-52.5")), ["QUANTITY_NEGATIVE lines[0].quantity"]),
    (line(quantity=Decimal("NaN")), ["NUMBER_NOT_FINITE lines[0].quantity"]),
    (line(quantity=Decimal("sNaN")), ["NUMBER_NOT_FINITE lines[0].quantity"]),
    (line(unit_price_twd=Decimal("Infinity")), ["NUMBER_NOT_FINITE lines[0].unit_price_twd"]),
    (line(quantity=Decimal("2.00000001")), ["NUMBER_TOO_FINE lines[0].quantity"]),
    (line(unit_price_twd=Decimal("1E-999999")), ["NUMBER_TOO_FINE lines[0].unit_price_twd"]),
    (line(quantity=Decimal("1E+13")), ["NUMBER_TOO_LARGE lines[0].quantity"]),
    (line(unit_price_twd=Decimal("-1E+999999")), ["NUMBER_TOO_LARGE lines[0].unit_price_twd"]),
    (line(unit_price_twd=Decimal(53)), ["LINE_AMOUNT_MISMATCH lines[0].amount_twd"]),
    (line(unit_price_twd=Decimal("52.2499999")), ["LINE_AMOUNT_MISMATCH lines[0].amount_twd"]),
    (
        line(amount_twd=10**12),
        ["NUMBER_TOO_LARGE lines[0].amount_twd"],
    ),
    # total
    (replace(CONSUMER, total_twd=106), ["SUM_MISMATCH total_twd"]),
    (
        replace(CONSUMER, lines=(TEA, Line("折扣", Decimal(1), Decimal(-105), -105)), total_twd=0),
        ["ZERO_AMOUNT total_twd"],
    ),
    (
        replace(CONSUMER, lines=(TEA, Line("折扣", Decimal(1), Decimal(-106), -106)), total_twd=-1),
        ["NEGATIVE_AMOUNT total_twd"],
    ),
    (replace(CONSUMER, total_twd=10**12), ["NUMBER_TOO_LARGE total_twd"]),
    (replace(CONSUMER, remark="x" * 201), ["TEXT_TOO_LONG remark"]),
    # buyer
    (buyer(BUSINESS, ubn="1234567"), ["UBN_FORM buyer.ubn"]),
    (buyer(BUSINESS, ubn="0000000000"), ["UBN_FORM buyer.ubn"]),
    (buyer(BUSINESS, ubn="00000000", ubn_override="x"), ["UBN_ZERO buyer.ubn"]),
    (buyer(BUSINESS, ubn="12345678"), ["UBN_CHECKSUM buyer.ubn"]),
    (buyer(BUSINESS, ubn_override="\x00"), ["TEXT_CONTROL_CHARACTER buyer.ubn_override"]),
    (buyer(name=" "), ["BUYER_NAME_REQUIRED buyer.name"]),
    (buyer(replace(BUSINESS, print_paper=False, carrier=MOBILE), name=""), ["BUYER_NAME_REQUIRED buyer.name"]),
    (buyer(address=""), ["BUYER_ADDRESS_REQUIRED buyer.address"]),
    (buyer(name="名" * 61), ["TEXT_TOO_LONG buyer.name"]),
    (buyer(address="臺北\r\n市"), ["TEXT_CONTROL_CHARACTER buyer.address"]),
    (buyer(email=""), ["CONTACT_REQUIRED buyer.email"]),
    (buyer(email="a@example.com" + "m" * 68), ["TEXT_TOO_LONG buyer.email"]),
    *(
        (buyer(email=email), ["EMAIL_FORM buyer.email"])
        for email in (
            "a",
            "a@b",
            "a@@b.c",
            "a@b.c@d.e",
            "a@b.c,d@e.f",
            "a@b.c;d@e.f",
            "甲@b.c",
            "a b@c.d",
            "A <a@b.c>",
            "a@b.c\n",
        )
    ),
    *(
        (buyer(phone=phone), ["PHONE_FORM buyer.phone"])
        for phone in ("+886912345678", "02-2655-1775", "０９１２", "0912 345", "0912\n")
    ),
    (buyer(phone="0" * 21), ["TEXT_TOO_LONG buyer.phone"]),
    # where the invoice goes
    (replace(CONSUMER, print_paper=False), ["DELIVERY_MISSING print_paper"]),
    (replace(CARRIED, print_paper=True), ["PRINT_AND_CARRIER carrier"]),
    (replace(DONATED, print_paper=True), ["PRINT_AND_DONATION love_code"]),
    (replace(DONATED, carrier=MOBILE), ["CARRIER_AND_DONATION love_code"]),
    (
        replace(DONATED, carrier=MOBILE, print_paper=True),
        ["PRINT_AND_CARRIER carrier", "PRINT_AND_DONATION love_code", "CARRIER_AND_DONATION love_code"],
    ),
    (replace(BUSINESS, love_code="168001"), ["UBN_DONATION love_code"]),
    (replace(BUSINESS, print_paper=False), ["UBN_DELIVERY_MISSING print_paper"]),
    (replace(BUSINESS, carrier=CERTIFICATE), ["UBN_PRINT_AND_CARRIER print_paper"]),
    (
        replace(CARRIED, carrier=Carrier(CarrierKind.MOBILE_BARCODE, "/abc+123")),
        ["CARRIER_NUMBER_FORM carrier.number"],
    ),
    (replace(CARRIED, carrier=Carrier(CarrierKind.MOBILE_BARCODE)), ["CARRIER_NUMBER_MISSING carrier.number"]),
    (replace(CARRIED, carrier=Carrier(CarrierKind.MEMBER, "7")), ["CARRIER_NUMBER_FORBIDDEN carrier.number"]),
    (replace(DONATED, love_code="12"), ["LOVE_CODE_FORM love_code"]),
    # tax
    (replace(ZERO_RATED, customs_mark=None), ["CUSTOMS_MARK_REQUIRED customs_mark"]),
    (replace(ZERO_RATED, zero_rate_reason=""), ["ZERO_RATE_REASON_REQUIRED zero_rate_reason"]),
    (replace(ZERO_RATED, zero_rate_reason="70"), ["ZERO_RATE_REASON_UNKNOWN zero_rate_reason"]),
    (
        replace(CONSUMER, **ZERO_RATE),
        ["CUSTOMS_MARK_FORBIDDEN customs_mark", "ZERO_RATE_REASON_FORBIDDEN zero_rate_reason"],
    ),
    (
        mixed(T, E, **ZERO_RATE),
        ["CUSTOMS_MARK_FORBIDDEN customs_mark", "ZERO_RATE_REASON_FORBIDDEN zero_rate_reason"],
    ),
    (
        mixed(T, Z),
        ["CUSTOMS_MARK_REQUIRED customs_mark", "ZERO_RATE_REASON_REQUIRED zero_rate_reason"],
    ),
    (replace(SPECIAL, special_tax_type=0), ["SPECIAL_TAX_TYPE_REQUIRED special_tax_type"]),
    (replace(SPECIAL, special_tax_type=9), ["SPECIAL_TAX_TYPE_UNKNOWN special_tax_type"]),
    (replace(SPECIAL, special_tax_type=-1), ["SPECIAL_TAX_TYPE_UNKNOWN special_tax_type"]),
    (replace(CONSUMER, special_tax_type=8), ["SPECIAL_TAX_TYPE_FORBIDDEN special_tax_type"]),
    (mixed(T, E, buyer=COMPANY), ["MIXED_TAX_B2B tax_type"]),
    (mixed(T, T), ["MIXED_TAX_ONE_KIND tax_type"]),
    (mixed(Z, E, **ZERO_RATE), ["MIXED_TAX_ZERO_AND_EXEMPT tax_type"]),
    (mixed(T, Z, E, **ZERO_RATE), ["MIXED_TAX_ZERO_AND_EXEMPT tax_type"]),
    (mixed(T, E, amounts=[105, -5]), ["MIXED_TAX_SUBTOTAL_NEGATIVE lines"]),
    (mixed(T, None), ["LINE_TAX_TYPE_REQUIRED lines[1].tax_type"]),
    (mixed(T, E, TaxType.SPECIAL), ["LINE_TAX_TYPE_UNMIXABLE lines[2].tax_type"]),
    (mixed(T, E, TaxType.MIXED), ["LINE_TAX_TYPE_UNMIXABLE lines[2].tax_type"]),
    (line(tax_type=TaxType.TAXABLE), ["LINE_TAX_TYPE_FORBIDDEN lines[0].tax_type"]),
    # dates
    *(
        (replace(CONSUMER, sold_on=day), ["SOLD_ON_FORM sold_on"])
        for day in ("2026-02-29", "20260301", "2026-W09-7", "2026-3-1", "yesterday", "2026-03-01T00:00:00")
    ),
    (replace(CONSUMER, sold_on="2026-03-02"), ["SOLD_ON_FUTURE sold_on"]),
]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_order_passes(name):
    """Nothing that may be invoiced is refused."""
    assert broken(GOOD[name]) == []


@pytest.mark.parametrize(("order", "expected"), BAD)
def test_a_broken_rule_is_named_where_it_was_broken(order, expected):
    """Exactly these codes at exactly these paths, each with a sentence."""
    assert sorted(" ".join(pair) for pair in broken(order)) == sorted(expected)


@pytest.mark.parametrize(
    ("order", "change", "expected"),
    [
        (replace(BUSINESS, carrier=MOBILE), {"ubn_carriers": frozenset()}, [("UBN_CARRIER_NOT_TAKEN", "carrier.kind")]),
        (CONSUMER, {"tax_types": frozenset({TaxType.EXEMPT})}, [("TAX_TYPE_NOT_OFFERED", "tax_type")]),
        (buyer(email=""), {"contact_required": False}, []),
        (
            buyer(replace(CARRIED, carrier=MEMBER), email=""),
            {"contact_required": False},
            [("CONTACT_REQUIRED", "buyer.email")],
        ),
        (line(name="茶😀"), {"astral_text": True}, []),
        (line(unit="12345😀"), {"astral_text": True}, [("TEXT_TOO_LONG", "lines[0].unit")]),
        (CONSUMER, {"max_price_decimals": 0}, [("NUMBER_TOO_FINE", "lines[0].unit_price_twd")]),
    ],
)
def test_the_centre_decides_what_is_its_own_to_decide(order, change, expected):
    """Another profile, another answer."""
    assert broken(order, profile=replace(PROFILE, **change)) == expected


def test_law_has_its_day():
    """A zero-rated invoice dated before 2026 needs no reason, and a 統編 before 2023-04 the old checksum."""
    without_reason = replace(ZERO_RATED, zero_rate_reason="")
    assert broken(without_reason, on=date(2025, 12, 31)) == []
    assert broken(without_reason, on=date(2026, 1, 1)) == [("ZERO_RATE_REASON_REQUIRED", "zero_rate_reason")]
    new_number = buyer(BUSINESS, ubn="04595252")
    assert broken(new_number, on=date(2023, 3, 31)) == [("UBN_CHECKSUM", "buyer.ubn")]
    assert broken(new_number, on=date(2023, 4, 1)) == []


def test_every_violation_is_told_at_once():
    """One answer is enough to put an order right."""
    order = Order(Buyer(ubn="1", email="x"), (replace(TEA, name="", quantity=Decimal(0)),), 0, sold_on="?")
    assert {code for code, _ in broken(order)} == {
        "UBN_FORM",
        "BUYER_NAME_REQUIRED",
        "EMAIL_FORM",
        "UBN_DELIVERY_MISSING",
        "TEXT_MISSING",
        "QUANTITY_ZERO",
        "LINE_AMOUNT_MISMATCH",
        "ZERO_AMOUNT",
        "SUM_MISMATCH",
        "SOLD_ON_FORM",
    }


def test_every_code_is_proved_by_an_order_here():
    """No code exists that no order can cause, and no sentence with a hole in it."""
    proved = {entry.split()[0] for _, expected in BAD for entry in expected}
    assert {code.name for code in Code} == proved | {"UBN_CARRIER_NOT_TAKEN", "TAX_TYPE_NOT_OFFERED"}
    messages = [v.message for order, _ in BAD for v in issue.check(order, on=TODAY, profile=PROFILE)]
    assert all(message.endswith("。") and "{" not in message for message in messages)


def test_no_sentence_repeats_what_the_buyer_typed():
    """An answer can be logged: it holds no name, address, number or e-mail of anybody."""
    private = "ZZTOP"
    order = replace(
        CONSUMER,
        buyer=Buyer(private, private + "\n", private + "\n", private, private, private + "\n"),
        carrier=Carrier(CarrierKind.MOBILE_BARCODE, private),
        love_code=private,
        remark=private + "\n",
    )
    violations = issue.check(order, on=TODAY, profile=PROFILE)
    assert len(violations) > 8
    assert not [violation for violation in violations if private in violation.message]


TEXT = st.text(st.characters(codec=None), max_size=12)
NUMBER = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from([Decimal(text) for text in ("0E+999999", "0E-999999", "1E+999999", "-1E-999999", "sNaN")]),
)
AMOUNT = st.integers() | st.sampled_from([10**12, -(10**12), 10**30])
LINES = st.builds(Line, TEXT, NUMBER, NUMBER, AMOUNT, TEXT, st.none() | st.sampled_from(TaxType), TEXT)
ORDERS = st.builds(
    Order,
    st.builds(Buyer, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT),
    st.lists(LINES, max_size=4).map(tuple),
    AMOUNT,
    st.sampled_from(TaxType),
    st.booleans(),
    st.none() | st.builds(Carrier, st.sampled_from(CarrierKind), TEXT),
    TEXT,
    st.none() | st.sampled_from(CustomsMark),
    TEXT,
    st.integers(),
    TEXT,
    TEXT,
)


@given(ORDERS)
@settings(max_examples=200)
def test_no_order_whatever_makes_the_check_fail(order):
    """Odd text, huge exponents, NaN and infinity are violations, never exceptions; the answer never changes."""
    first = issue.check(order, on=TODAY, profile=PROFILE)
    assert first == issue.check(order, on=TODAY, profile=PROFILE)
    codes = {(violation.code, violation.path) for violation in first}
    for index, item in enumerate(order.lines[: PROFILE.max_lines]):
        for field in ("quantity", "unit_price_twd"):
            assert getattr(item, field).is_finite() or ("NUMBER_NOT_FINITE", f"lines[{index}].{field}") in codes


def test_an_amount_too_long_to_write_out_is_a_violation():
    """Python itself refuses to print an int of 5,000 digits."""
    huge = 10**5000
    assert broken(replace(line(amount_twd=huge), total_twd=-huge)) == [
        ("NUMBER_TOO_LARGE", "lines[0].amount_twd"),
        ("NUMBER_TOO_LARGE", "total_twd"),
        ("NEGATIVE_AMOUNT", "total_twd"),
    ]


@given(
    st.lists(
        st.tuples(
            st.decimals("0.0000001", "99999999", places=7, allow_nan=False),
            st.decimals("-99999", "99999", places=7, allow_nan=False),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_an_order_that_passes_adds_up(numbers):
    """Whatever passes is a positive total equal to the sum of its lines."""
    lines = tuple(
        Line("茶", quantity, price, money.round_half_up(Fraction(quantity) * Fraction(price)))
        for quantity, price in numbers
    )
    total = sum(item.amount_twd for item in lines)
    found = {code for code, _ in broken(replace(CONSUMER, lines=lines, total_twd=total))}
    if total > 0:
        assert found <= {"NUMBER_TOO_LARGE"}
    else:
        assert found & {"ZERO_AMOUNT", "NEGATIVE_AMOUNT"}

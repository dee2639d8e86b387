"""EasyStore's orders as ours: figures that close, spellings that meet, wishes from wherever the shop keeps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from einvoice.errors import InvalidRequest
from einvoice.model import Carrier, CarrierKind, TaxType
from einvoice.platforms.base import Stage
from einvoice.platforms.easystore import mapping, webhook
from einvoice.rules.period import TAIPEI
from tests.platforms.samples import NOW, codes, easystore_line, easystore_order, figures, raw

UPDATED = datetime(2026, 3, 1, 0, 30, tzinfo=TAIPEI)


def shot(places=mapping.PLACES, **over):
    """Snapshot of the sample order with some fields changed."""
    return mapping.snapshot(easystore_order(**over), places, NOW)


def attributes(**said):
    """Note attributes as EasyStore lists them."""
    return [{"name": name, "value": value} for name, value in said.items()]


def test_a_plain_order_closes_to_what_was_paid():
    """Lines at what was paid, shipping as its own line, and the member carrier where the buyer said nothing."""
    found = shot()
    assert (found.order_id, found.number, found.currency, found.violations) == ("37000001", "1018", "TWD", ())
    assert figures(found.order) == [("高山茶（二兩）", 945), ("運費", 60)]
    assert (found.order.lines[0].quantity, found.order.lines[0].unit_price_twd) == (2, Decimal("472.5"))
    assert (found.order.total_twd, found.order.tax_type) == (1005, TaxType.TAXABLE)
    assert found.order.carrier == Carrier(CarrierKind.MEMBER)
    assert (found.order.buyer.email, found.order.buyer.phone) == ("buyer@example.com", "0912345678")
    assert found.updated_at == UPDATED


def test_a_consumer_without_paper_is_not_named():
    """Name and address stay in the shop where no paper needs them."""
    paperless = shot().order.buyer
    printed = shot(note_attributes=attributes(索取紙本="是")).order
    assert (paperless.name, paperless.address) == ("", "")
    assert (printed.print_paper, printed.carrier) == (True, None)
    assert (printed.buyer.name, printed.buyer.address) == ("王小明", "臺北市市府路1號")


def test_every_spelling_of_one_order_is_one_order():
    """37000001, "37000001", 1018, "#1018" and the API's other names: one id, from webhook, API and cancellation."""
    api = easystore_order(id="37000001", order_number="TW-1018")
    for gone in ("number", "line_items", "currency"):
        del api[gone]
    api |= {"items": [easystore_line()], "currency_code": "TWD"}
    cancelled = webhook.notice(
        {webhook.SHOP: "demo.easy.co", webhook.TOPIC: "order/cancel"}, raw({"order": {"id": 37000001}})
    )
    ids = {mapping.canonical(easystore_order()), mapping.canonical(api), cancelled.order_id}
    assert ids == {"37000001"}
    assert mapping.snapshot(api, mapping.PLACES, NOW).order == shot().order


def test_an_order_without_its_internal_id_is_refused():
    """A number is no identity: the API and the webhook spell it differently."""
    with pytest.raises(InvalidRequest) as caught:
        mapping.snapshot(easystore_order(id=None), mapping.PLACES, NOW)
    assert [one.code for one in caught.value.violations] == ["ORDER_ID_MISSING"]


@pytest.mark.parametrize("line_discount", ["0.00", "105.00"])
def test_an_order_discount_closes_however_the_platform_counts_line_discounts_in_it(line_discount):
    """``total_discount`` may or may not hold the lines' own; only the reading that meets the total is taken."""
    line = easystore_line(total_discount=line_discount)
    for told in ("50.00", str(Decimal("50.00") + Decimal(line_discount))):
        found = shot(line_items=[line], total_discount=told, total_amount_include_transaction="955.00")
        assert figures(found.order) == [("高山茶（二兩）", 945), ("運費", 60), ("折扣", -50)]


def test_credit_shipping_discount_and_payment_fee_are_lines():
    """Credit lowers the invoice; a payment's fee is part of the price."""
    found = shot(
        total_credit_used="100.00",
        total_transaction_charge=15.0,
        shipping_fees={"price": "60.00", "total_discount": "20.00"},
        total_price="885.00",
        total_amount_include_transaction="900.00",
    )
    assert figures(found.order)[1:] == [("運費", 60), ("交易手續費", 15), ("購物金折抵", -100), ("運費折扣", -20)]
    assert found.order.total_twd == 900


def test_figures_that_do_not_meet_stop_with_both():
    """Nothing reported explains the difference: nothing is invoiced, and a person sees the two sums."""
    found = shot(total_amount_include_transaction="1000.00")
    assert (found.order, codes(found)) == (None, ["TOTAL_MISMATCH"])
    assert "1,005" in found.violations[0].message
    assert "1,000" in found.violations[0].message


def test_credit_that_did_not_lower_the_total_stops():
    """Whether the total was paid in full or partly in credit cannot be told, so it is not."""
    assert codes(shot(total_credit_used="100.00")) == ["TOTAL_MISMATCH"]


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ({"currency": "MYR"}, ["NOT_TWD"]),
        ({"currency": None}, ["NOT_TWD"]),
        ({"line_items": [], "total_shipping": "0", "total_amount_include_transaction": "0.00"}, ["ZERO_TOTAL"]),
        ({"total_amount_include_transaction": "1005.50"}, ["NOT_WHOLE_TWD"]),
        ({"total_amount_include_transaction": "-1.00"}, ["AMOUNT_NEGATIVE"]),
        ({"total_amount_include_transaction": "1e99"}, ["NUMBER_UNREADABLE"]),
        ({"total_amount_include_transaction": True}, ["NUMBER_UNREADABLE"]),
        ({"total_amount_include_transaction": None, "total_price": None}, ["NUMBER_MISSING"]),
        ({"line_items": None}, ["LINES_UNREADABLE"]),
        ({"line_items": "none"}, ["LINES_UNREADABLE"]),
        ({"line_items": [easystore_line(quantity="1.5")]}, ["NUMBER_OUT_OF_RANGE"]),
        ({"line_items": [easystore_line(quantity=0)]}, ["NUMBER_OUT_OF_RANGE"]),
        ({"line_items": [easystore_line(taxable="maybe")]}, ["TAX_TYPE_UNKNOWN"]),
        ({"total_tax": "50.00", "taxes_included": False}, ["TAX_NOT_INCLUDED"]),
        ({"updated_at": "yesterday"}, ["TIME_UNREADABLE"]),
        ({"note_attributes": attributes(索取紙本="maybe")}, ["PRINT_WISH_UNREADABLE"]),
        (
            {"note_attributes": [*attributes(統一編號="04595257"), *attributes(統一編號="04595252")]},
            ["PLACE_AMBIGUOUS"],
        ),
        ({"note_attributes": attributes(統一編號=["04595257"])}, ["PLACE_UNREADABLE"]),
        ({"note_attributes": attributes(手機條碼="/ABC+123", 自然人憑證="TP03000001234567")}, ["CARRIER_AMBIGUOUS"]),
    ],
)
def test_what_cannot_be_mapped_is_named_and_not_invoiced(over, expected):
    """One code each, and no order."""
    found = shot(**over)
    assert (found.order, codes(found)) == (None, expected)


def test_gifts_and_deleted_lines_are_left_out():
    """They change no amount."""
    gift = easystore_line(price="0.00", subtotal="0.00", subtotal_after_discount="0.00", total_discount="0.00")
    found = shot(line_items=[easystore_line(), gift, easystore_line(is_deleted=True)])
    assert figures(found.order) == [("高山茶（二兩）", 945), ("運費", 60)]


def test_an_amount_is_worked_out_where_the_platform_does_not_say_it():
    """Subtotal less discount, or price times quantity less discount; exact, never in binary."""
    for gone in (("subtotal_after_discount",), ("subtotal_after_discount", "subtotal")):
        line = {name: value for name, value in easystore_line().items() if name not in gone}
        assert figures(shot(line_items=[line]).order)[0] == ("高山茶（二兩）", 945)
    tenths = easystore_line(price="0.10", quantity=30, subtotal=None, subtotal_after_discount=None, total_discount="0")
    assert figures(shot(line_items=[tenths], total_amount_include_transaction="63").order)[0] == ("高山茶（二兩）", 3)


def test_an_untaxed_product_is_exempt_and_mixes():
    """The unchecked 應稅 box; shipping of a mixed order is taxed; a reduction is shared by both."""
    lines = [easystore_line(), easystore_line(id=2, taxable=False, subtotal_after_discount="55.00", total_discount="0")]
    found = shot(line_items=lines, total_discount="265.00", total_amount_include_transaction="900.00").order
    assert found.tax_type is TaxType.MIXED
    assert [(line.name, line.amount_twd, line.tax_type) for line in found.lines[2:]] == [
        ("運費", 60, TaxType.TAXABLE),
        ("折扣", -152, TaxType.TAXABLE),
        ("折扣", -8, TaxType.EXEMPT),
    ]


def test_an_exempt_order_is_exempt_with_its_shipping_unless_the_shop_says_otherwise():
    """A fee shares the goods' tax type; a shop that never set the box up sells taxed goods only."""
    lines = [easystore_line(taxable=False)]
    exempt, taxed = (
        shot(line_items=lines).order,
        shot(replace(mapping.PLACES, all_taxable=True), line_items=lines).order,
    )
    assert (exempt.tax_type, taxed.tax_type) == (TaxType.EXEMPT, TaxType.TAXABLE)
    assert {line.tax_type for line in exempt.lines} == {None}


def test_a_business_buyer_gets_paper_unless_a_carrier_was_given():
    """Title from its own attribute or the billing address; never the person's name."""
    company = {"company": "範例有限公司", "city": "臺北市", "address1": "市府路1號"}
    found = shot(note_attributes=attributes(統一編號="04595257"), billing_address=company).order
    assert (found.buyer.ubn, found.buyer.name, found.print_paper, found.carrier) == (
        "04595257",
        "範例有限公司",
        True,
        None,
    )
    carried = shot(note_attributes=attributes(統一編號="04595257", 手機條碼="/ABC+123")).order
    assert (carried.buyer.name, carried.print_paper) == ("", False)
    assert carried.carrier == Carrier(CarrierKind.MOBILE_BARCODE, "/ABC+123")


def test_wishes_are_read_from_wherever_the_shop_keeps_them():
    """The places are settings: another attribute, a nested field, an attribute object instead of a list."""
    places = replace(mapping.PLACES, ubn=("remark_fields.tax.number",), love_code=("note_attributes.donate",))
    other = {"remark_fields": {"tax": {"number": 4595257}}}
    assert shot(places, **other).order.buyer.ubn == "4595257"  # seven digits: the rules refuse it, nobody pads it
    donated = shot(places, note_attributes={"donate": "007"}).order
    assert (donated.love_code, donated.carrier) == ("007", None)


def test_colliding_wishes_are_kept_for_the_rules():
    """Donation and carrier at once: neither is dropped."""
    found = shot(note_attributes=attributes(捐贈碼="168001", 手機條碼="/ABC+123")).order
    assert (found.love_code, found.carrier.number) == ("168001", "/ABC+123")


@pytest.mark.parametrize(
    ("over", "stages"),
    [
        ({"financial_status": "unpaid"}, {}),
        ({"financial_status": "partially_paid"}, {}),
        ({"financial_status": "paid"}, {Stage.PAID: UPDATED}),
        ({"financial_status": "refunded"}, {}),
        ({"financial_status": "voided"}, {}),
        ({"financial_status": "cod", "fulfillment_status": "partially_fulfilled"}, {}),
        (
            {
                "financial_status": "cod",
                "fulfillment_status": "fulfilled",
                "fulfillments": [{"created_at": "2026-02-27 10:00:00"}, {"created_at": "2026-02-28T10:00:00+08:00"}],
            },
            {Stage.SHIPPED: datetime(2026, 2, 28, 10, tzinfo=TAIPEI)},
        ),
        (
            {"financial_status": "voided", "cancelled_at": "2026-02-28T12:00:00.000+08:00"},
            {Stage.CANCELLED: datetime(2026, 2, 28, 12, tzinfo=TAIPEI)},
        ),
        ({"financial_status": "voided", "is_cancelled": True}, {Stage.CANCELLED: UPDATED}),
    ],
)
def test_stages_follow_the_statuses(over, stages):
    """Paid, shipped whole and cancelled; a part of either is not the stage."""
    assert shot(**over).stages == stages


def test_cash_on_delivery_is_seen_in_either_field():
    """Status until it is collected, type afterwards."""
    assert [shot(**over).cash_on_delivery for over in ({}, {"financial_status": "cod"}, {"cod_type": 1})] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("over", "refunded"),
    [
        ({}, 0),
        ({"total_refund_amount": "300.00"}, 300),
        ({"total_refund_amount": None, "refunds": [{"amount": "100.00"}, {"amount": "50.00"}]}, 150),
        ({"total_refund_amount": "0.00", "financial_status": "refunded"}, 1005),
    ],
)
def test_refunds_are_cumulative(over, refunded):
    """The platform's own sum, its refunds added up, or all of it."""
    assert shot(**over).refunded_total_twd == refunded


def test_an_order_without_a_time_stands_as_of_now():
    """Nothing is known of when it changed but that it has."""
    assert shot(updated_at=None).updated_at == NOW

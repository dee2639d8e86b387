"""CYBERBIZ's orders as ours: the lines are believed, the summary is not, and what cannot close is not invoiced."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from einvoice.errors import InvalidRequest
from einvoice.model import Carrier, CarrierKind, CustomsMark, TaxType
from einvoice.platforms.base import Stage
from einvoice.platforms.cyberbiz import mapping
from einvoice.rules.period import TAIPEI
from tests.platforms.samples import NOW, codes, cyberbiz_line, cyberbiz_order, figures, prices

UPDATED = datetime(2026, 3, 1, 0, 30, tzinfo=TAIPEI)


def shot(places=mapping.PLACES, **over):
    """Snapshot of the sample order with some fields changed."""
    return mapping.snapshot(cyberbiz_order(**over), places, NOW)


def statuses(**over):
    """The order's states with some changed."""
    return cyberbiz_order()["statuses"] | over


def einvoice(kind, **over):
    """What the buyer chose at checkout; the other fields still hold what was chosen before."""
    last_time = {
        "company_no": "04595257",
        "title": "範例有限公司",
        "phone_barcode": "/ABC+123",
        "nature_person": "TP03000001234567",
        "love_code": "168001",
    }
    return {"invoice_type": kind, **last_time, **over}


def test_a_discount_on_the_lines_only_closes():
    """2,610 became 2,088 by a referral discount that no summary mentions."""
    found = shot()
    assert (found.order_id, found.number, found.currency, found.violations) == ("500001", "10001", "TWD", ())
    assert figures(found.order) == [("高山茶（二兩）", 2088)]
    assert (found.order.lines[0].quantity, found.order.lines[0].unit_price_twd) == (3, Decimal(696))


def test_discounts_that_the_lines_already_hold_are_not_taken_twice():
    """The summary repeats what the lines show: they meet the total as they are."""
    assert figures(shot(prices=prices(2088.0, vip_discount=522.0)).order) == [("高山茶（二兩）", 2088)]


def test_discounts_beside_the_lines_are_taken_by_their_names():
    """Of those reported, the ones that meet the total: points and free shipping, not the coupon on the lines."""
    summary = prices(
        2000.0,
        80,
        bonus_consumed=88.0,
        coupon_shipping_discount=80.0,
        coupon_discounts=[{"amount": 500.0}, {"amount": 22.0}],
        shop_discount={"name": "全館", "amount": 1.0},
    )
    found = shot(prices=summary).order
    assert figures(found) == [("高山茶（二兩）", 2088), ("運費", 80), ("紅利折抵", -88), ("免運券折扣", -80)]
    assert found.total_twd == 2000


def test_figures_that_do_not_meet_stop_with_both():
    """A difference nobody reported, in either direction."""
    for total in (2000.0, 2100.0):
        found = shot(prices=prices(total, vip_discount=522.0))
        assert (found.order, codes(found)) == (None, ["TOTAL_MISMATCH"])
        assert "2,088" in found.violations[0].message
        assert f"{int(total):,}" in found.violations[0].message


def test_binary_floats_do_no_harm():
    """0.1 + 0.2 of a dollar is no amount; 2088.0 is one however the JSON was read."""
    assert codes(shot(prices=prices(0.1 + 0.2))) == ["NOT_WHOLE_TWD"]
    assert shot(prices=prices(Decimal("2088.0"))).order == shot().order


def test_gifts_are_left_out_and_an_order_of_gifts_is_not_invoiced():
    """Price 0 changes no amount; nothing else is a zero total."""
    gift = cyberbiz_line(id=92, item_type="gift", price=0.0, total_price_after_discounts=0.0)
    assert figures(shot(line_items=[cyberbiz_line(), gift]).order) == [("高山茶（二兩）", 2088)]
    assert codes(shot(line_items=[gift], prices=prices(0.0))) == ["ZERO_TOTAL"]


def test_lines_under_the_shipments_are_found_each_once():
    """Refund payloads nest them, and may show one line under two groups."""
    other = cyberbiz_line(id=92, title="紅茶", variant_title="", total_price_after_discounts=12.0)
    nested = {
        "line_items": None,
        "fulfillments": [{"line_items": [cyberbiz_line()]}, {"line_items": [cyberbiz_line(), other]}],
        "shipments": [{"line_items": [other]}],
        "prices": prices(2100.0),
    }
    assert figures(shot(**nested).order) == [("高山茶（二兩）", 2088), ("紅茶", 12)]
    assert codes(shot(line_items=[], fulfillments=[])) == ["LINES_UNREADABLE"]


def test_tax_types_are_cyberbiz_own():
    """應稅, 零稅率, 免稅; a zero-rated sale says how it left, as the shop has set."""
    places = replace(mapping.PLACES, customs_mark=CustomsMark.VIA_CUSTOMS, zero_rate_reason="71")
    kinds = {
        "inclusive_tax": (TaxType.TAXABLE, None, ""),
        "exclusive_tax": (TaxType.EXEMPT, None, ""),
        "zero_tax": (TaxType.ZERO_RATED, CustomsMark.VIA_CUSTOMS, "71"),
    }
    for name, expected in kinds.items():
        order = shot(places, line_items=[cyberbiz_line(tax_type_id=name)]).order
        assert (order.tax_type, order.customs_mark, order.zero_rate_reason) == expected
    assert codes(shot(line_items=[cyberbiz_line(tax_type_id="new_tax")])) == ["TAX_TYPE_UNKNOWN"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("default", ("", Carrier(CarrierKind.MEMBER), "", False)),
        ("", ("04595257", Carrier(CarrierKind.MOBILE_BARCODE, "/ABC+123"), "168001", False)),
        ("company", ("04595257", None, "", True)),
        ("phone_barcode", ("", Carrier(CarrierKind.MOBILE_BARCODE, "/ABC+123"), "", False)),
        ("nature_person", ("", Carrier(CarrierKind.CITIZEN_CERTIFICATE, "TP03000001234567"), "", False)),
        ("donate", ("", None, "168001", False)),
        ("love_code", ("", None, "168001", False)),
        ("paper_invoice", ("", None, "", True)),
    ],
)
def test_the_invoice_type_says_which_wish_is_meant(chosen, expected):
    """Fields of an earlier choice are not taken; without a type, all are kept for the rules to judge."""
    said = einvoice(chosen, nature_person="") if not chosen else einvoice(chosen)
    order = shot(einvoice=said).order
    assert (order.buyer.ubn, order.carrier, order.love_code, order.print_paper) == expected


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (einvoice("company", company_no=""), "UBN_MISSING"),
        (einvoice("phone_barcode", phone_barcode=None), "CARRIER_NUMBER_MISSING"),
        (einvoice("nature_person", nature_person=""), "CARRIER_NUMBER_MISSING"),
        (einvoice("donate", love_code=None), "LOVE_CODE_MISSING"),
        (einvoice("something_new"), "INVOICE_TYPE_UNKNOWN"),
    ],
)
def test_a_choice_without_its_number_is_never_a_consumers_default(said, code):
    """A company that forgot its 統編 must not get a consumer's invoice."""
    found = shot(einvoice=said)
    assert (found.order, codes(found)) == (None, [code])


@pytest.mark.parametrize("einvoice", [None, {}, {"invoice_type": None}])
def test_an_order_without_invoice_data_is_a_consumers(einvoice):
    """The checkout page may not ask at all."""
    assert shot(einvoice=einvoice).order.carrier == Carrier(CarrierKind.MEMBER)


@pytest.mark.parametrize("status", ["paid", "remitted", "pending_partial_refund", "partial_refunded"])
def test_these_count_as_paid(status):
    """CYBERBIZ's own list."""
    assert shot(statuses=statuses(financial_status=status)).stages == {Stage.PAID: UPDATED}


@pytest.mark.parametrize(
    "status",
    [
        "pending",
        "cod",
        "failed",
        "abandoned",
        "processing",
        "pending_refund",
        "refunding",
        "refunded",
        "refund_failed",
        "new",
    ],
)
def test_these_do_not(status):
    """Not paid yet, or on its way back as a whole; a status nobody documented starts nothing."""
    assert shot(statuses=statuses(financial_status=status)).stages == {}


@pytest.mark.parametrize(
    ("status", "stages"),
    [
        ("preparing", set()),
        ("partial", set()),
        ("problem", set()),
        ("fulfilled", {Stage.SHIPPED}),
        ("arrived", {Stage.SHIPPED, Stage.ARRIVED}),
        ("received", {Stage.SHIPPED, Stage.ARRIVED, Stage.PICKED_UP}),
        ("expired", {Stage.SHIPPED}),
        ("returned", {Stage.SHIPPED, Stage.RETURNED}),
    ],
)
def test_a_stage_implies_those_on_the_way_to_it(status, stages):
    """The notice of an earlier one may be lost."""
    found = shot(statuses=statuses(financial_status="cod", fulfillment_status=status))
    assert set(found.stages) == stages
    assert found.cash_on_delivery


def test_stages_carry_the_platforms_times_in_taipei():
    """Naive times are Taipei's: half past midnight there is the evening before in UTC, another period."""
    found = shot(
        statuses=statuses(order_status="cancelled", fulfillment_status="received", return_status="returned"),
        timings={"cancelled_at": "2026-03-02 08:00:00", "return_at": "2026-03-03 12:01+0800"},
        fulfillments=[
            {"fulfilled_at": "2026-02-26 10:00:00", "received_at": "2026-03-01 00:10:00"},
            {"fulfilled_at": "2026-02-27 10:00:00", "received_at": None},
        ],
    )
    assert found.stages == {
        Stage.PAID: UPDATED,
        Stage.SHIPPED: datetime(2026, 2, 27, 10, tzinfo=TAIPEI),
        Stage.ARRIVED: datetime(2026, 3, 1, 0, 10, tzinfo=TAIPEI),
        Stage.PICKED_UP: datetime(2026, 3, 1, 0, 10, tzinfo=TAIPEI),
        Stage.CANCELLED: datetime(2026, 3, 2, 8, tzinfo=TAIPEI),
        Stage.RETURNED: datetime(2026, 3, 3, 12, 1, tzinfo=TAIPEI),
    }


def test_a_partial_return_is_not_the_whole_order():
    """Some goods came back; the order stands."""
    assert Stage.RETURNED not in shot(statuses=statuses(return_status="partial_return")).stages


def test_refunds_add_up_even_where_only_the_status_tells():
    """Histories first; refunded without any is all of it; a refund that only waits is none."""
    two = [
        {"price": 100.0, "refunded_at": "2026-03-01 10:00:00"},
        {"price": 50.0, "refunded_at": "2026-03-02 10:00:00"},
    ]
    assert shot(return_histories=two).refunded_total_twd == 150
    assert shot(statuses=statuses(financial_status="refunded")).refunded_total_twd == 2088
    assert shot(statuses=statuses(financial_status="pending_refund")).refunded_total_twd == 0


def test_an_invoice_of_the_platforms_own_is_told():
    """Still "issue" when the order is refunded, because CYBERBIZ voids later; void ones do not live; paper ones do."""
    issued = einvoice("default", invoice_no="AB12345678", invoice_status="issue")
    refunded = shot(einvoice=issued, statuses=statuses(financial_status="refunded"))
    assert (refunded.invoiced_elsewhere, refunded.refunded_total_twd) == ("AB12345678", 2088)
    assert shot(einvoice=issued | {"invoice_status": "partial_allowance"}).invoiced_elsewhere == "AB12345678"
    assert shot(einvoice=issued | {"invoice_status": "issue_invalid"}).invoiced_elsewhere == ""
    assert shot(paper_invoice_no="CD12345678").invoiced_elsewhere == "CD12345678"
    assert shot().invoiced_elsewhere == ""


def test_cash_on_delivery_is_seen_after_it_was_collected():
    """Then the status says paid, and only the method still tells."""
    assert not shot().cash_on_delivery
    assert shot(payment_method="cvs_cod").cash_on_delivery
    assert shot(payment_name="7-11 貨到付款").cash_on_delivery


def test_another_currency_is_not_invoiced():
    """Orders name none; one that does must mean TWD."""
    assert codes(shot(currency="HKD")) == ["NOT_TWD"]


@pytest.mark.parametrize("order_id", [None, "#10001", 0])
def test_an_order_without_its_id_is_refused(order_id):
    """Its number is no identity."""
    with pytest.raises(InvalidRequest):
        shot(id=order_id)

"""Whatever order comes: it is invoiced at what was paid, or not at all and with a reason; nothing raises."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from einvoice.errors import InvalidRequest
from einvoice.model import CustomsMark, ProviderProfile
from einvoice.platforms.cyberbiz import mapping as cyberbiz
from einvoice.platforms.easystore import mapping as easystore
from einvoice.rules import issue
from einvoice.rules.normalise import normalise
from tests.platforms.samples import (
    NOW,
    cyberbiz_line,
    cyberbiz_order,
    easystore_line,
    easystore_order,
    prices,
)

TODAY, PROFILE = date(2026, 3, 2), ProviderProfile("any", max_lines=9999)
ZERO_RATED = {"customs_mark": CustomsMark.VIA_CUSTOMS, "zero_rate_reason": "71"}
# what a shop may sell and no single invoice may hold; which buyer it was is the rules' business too
NOT_OURS = {"MIXED_TAX_ZERO_AND_EXEMPT"}
AMOUNTS = st.integers(0, 5000) | st.sampled_from([0, 1, 999_999])
WRITTEN = st.sampled_from([str, float, lambda twd: f"{twd}.00", lambda twd: f"{twd}.0"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def easystore_orders(draw):
    """Orders whose total often, but not always, follows from their parts."""
    write = draw(WRITTEN)
    lines = []
    for number in range(draw(st.integers(1, 5))):
        off = draw(st.integers(0, 300))
        after = draw(AMOUNTS)
        lines.append(
            easystore_line(
                id=number,
                quantity=draw(st.integers(1, 999)),
                subtotal=write(after + off),
                subtotal_after_discount=write(after),
                total_discount=write(off),
                taxable=draw(st.booleans()),
            )
        )
    shipping, discount, credit, fee = (draw(st.integers(0, 400)) for _ in range(4))
    paid = sum(int(float(line["subtotal_after_discount"])) for line in lines) + shipping + fee - credit
    paid = max(0, paid - draw(st.sampled_from([0, discount])) + draw(st.sampled_from([0, 0, 0, 1, -1])))
    return easystore_order(
        line_items=lines,
        total_shipping=write(shipping),
        total_discount=write(discount),
        total_credit_used=write(credit),
        total_transaction_charge=write(fee),
        total_amount_include_transaction=write(paid),
    )


@st.composite
def cyberbiz_orders(draw):
    """The same for CYBERBIZ, with every kind of reduction beside the lines or in them."""
    kind = st.sampled_from(["inclusive_tax", "zero_tax", "exclusive_tax"])
    some = draw(st.lists(kind, min_size=1, max_size=2))
    lines = [
        cyberbiz_line(
            id=number,
            quantity=draw(st.integers(1, 999)),
            total_price_after_discounts=float(draw(AMOUNTS)),
            tax_type_id=draw(st.sampled_from(some)),
        )
        for number in range(1, draw(st.integers(2, 6)))
    ]
    shipping = draw(st.integers(0, 400))
    names = ["bonus_consumed", "vip_discount", "price_discount", "coupon_shipping_discount", "third_party_discount"]
    off = {name: draw(st.integers(0, 200)) for name in draw(st.lists(st.sampled_from(names), unique=True))}
    beside = sum(off[name] for name in draw(st.lists(st.sampled_from(sorted(off)), unique=True))) if off else 0
    paid = sum(int(line["total_price_after_discounts"]) for line in lines) + shipping - beside
    paid = max(0, paid + draw(st.sampled_from([0, 0, 0, 1, -1])))
    return cyberbiz_order(line_items=lines, prices=prices(float(paid), float(shipping), **off))


def spots(value):
    """Every place in a JSON value that holds another one."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from spots(inner)


def invoiced_as_paid_or_not_at_all(shot, paid_twd):
    """The one promise of every mapping."""
    if shot.order is None:
        assert shot.violations
        return
    assert not shot.violations
    assert shot.order.total_twd == paid_twd == sum(line.amount_twd for line in shot.order.lines)
    found = {one.code for one in issue.check(normalise(shot.order), on=TODAY, profile=PROFILE)}
    assert found <= NOT_OURS


@settings(max_examples=300, deadline=None)
@given(easystore_orders())
def test_an_easystore_order_is_invoiced_as_paid_or_not_at_all(order):
    """Lines close to the paid total and pass every rule of issue, or a code says why not."""
    paid = int(float(order["total_amount_include_transaction"]))
    invoiced_as_paid_or_not_at_all(easystore.snapshot(order, easystore.PLACES, NOW), paid)


@settings(max_examples=300, deadline=None)
@given(cyberbiz_orders())
def test_a_cyberbiz_order_is_invoiced_as_paid_or_not_at_all(order):
    """The same promise, with three tax types and reductions that may stand in the lines already."""
    places = replace(cyberbiz.PLACES, **ZERO_RATED)
    invoiced_as_paid_or_not_at_all(cyberbiz.snapshot(order, places, NOW), int(order["prices"]["total_price"]))


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from([easystore, cyberbiz]))
def test_no_shape_of_json_raises(data, platform):
    """Any field may hold anything: an order closes, or is refused by a code; only an id may be missing."""
    order = (easystore_order if platform is easystore else cyberbiz_order)()
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(list(spots(order))))
        container[key] = data.draw(JSON)
    try:
        shot = platform.snapshot(order, platform.PLACES, NOW)
    except InvalidRequest as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert [one.code for one in refused.violations] == ["ORDER_ID_MISSING"]
        return
    assert (shot.order is None) == bool(shot.violations)
    assert shot.updated_at.tzinfo is not None
    assert shot.refunded_total_twd >= 0
    if shot.order is not None:
        assert shot.order.total_twd == sum(line.amount_twd for line in shot.order.lines) > 0

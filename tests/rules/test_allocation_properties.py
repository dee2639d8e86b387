"""Refunds of any order in any sequence: no dollar lost, none made, none billed again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from einvoice.errors import InvalidRequest
from einvoice.model import Buyer, CustomsMark, Line, Order, ProviderProfile, TaxType
from einvoice.rules import issue, money
from einvoice.rules.allocation import (
    Wanted,
    WantedLine,
    allocate,
    allocate_rest,
    net_lines,
    rest_of,
    rest_order,
    taken_from,
)
from einvoice.rules.allowance_tax import allowance_tax

TODAY, PROFILE = date(2026, 3, 1), ProviderProfile("any")
T, Z, E, S, M = TaxType.TAXABLE, TaxType.ZERO_RATED, TaxType.EXEMPT, TaxType.SPECIAL, TaxType.MIXED
NAMES = st.sampled_from(["T恤", "運費", "襪子（2件）", "點數（部分金額）", "茶" * 500])
QUANTITIES = st.integers(1, 9).map(Decimal) | st.decimals("0.0000001", "20", places=7) | st.just(Decimal(12345))
PRICES = st.integers(0, 999).map(Decimal) | st.decimals("0", "99", places=2) | st.decimals("0", "3", places=7)


@st.composite
def goods(draw, kind):
    """A line of goods or a gift."""
    quantity, price = draw(QUANTITIES), draw(PRICES)
    amount = money.round_half_up(Fraction(quantity) * Fraction(price))
    return Line(draw(NAMES), quantity, price, amount, draw(st.sampled_from(["件", "式"])), kind)


@st.composite
def kind_lines(draw, kind):
    """Lines of one tax type with discounts that leave its subtotal at least 0."""
    lines = draw(st.lists(goods(kind), min_size=1, max_size=4))
    for _ in range(draw(st.integers(0, 2))):
        off = draw(st.integers(0, sum(line.amount_twd for line in lines)))
        lines.append(Line("折扣", Decimal(1), Decimal(-off), -off, tax_type=kind))
    return lines


@st.composite
def orders(draw):
    """Orders that may be issued: of one tax type, or mixed."""
    tax_type = draw(st.sampled_from([T, T, Z, E, S, M]))
    kinds = [T, draw(st.sampled_from([Z, E]))] if tax_type is M else [None]
    lines = draw(st.permutations([line for kind in kinds for line in draw(kind_lines(kind))]))
    exported = Z in (tax_type, *kinds)
    order = Order(
        Buyer(name="王小明", address="臺北市", email="a@example.com"),
        tuple(lines),
        sum(line.amount_twd for line in lines),
        tax_type,
        print_paper=True,
        customs_mark=CustomsMark.VIA_CUSTOMS if exported else None,
        zero_rate_reason="71" if exported else "",
        special_tax_type=8 if tax_type is S else 0,
    )
    return order if order.total_twd > 0 else replace(order, lines=(), total_twd=0)


ORDERS = orders().filter(lambda order: order.total_twd > 0)


@st.composite
def wishes(draw, order):
    """A refund in one of the three ways; many of them ask for too much."""
    way = draw(st.sampled_from(["amount", "total", "pieces", "money"]))
    if way in ("amount", "total"):
        amount = draw(st.integers(1, order.total_twd))
        return Wanted(amount_twd=amount) if way == "amount" else Wanted(refunded_total_twd=amount)
    wish = []
    for number in draw(st.lists(st.integers(1, len(order.lines)), min_size=1, max_size=2)):
        line = order.lines[number - 1]
        if way == "pieces":
            part = st.sampled_from([1, 2, 3]).map(lambda part, line=line: min(Decimal(part), line.quantity))
            wish.append(WantedLine(number, quantity=draw(part | st.decimals("0.0000001", line.quantity, places=7))))
        else:
            wish.append(WantedLine(number, amount_twd=draw(st.integers(1, max(1, line.amount_twd)))))
    return Wanted(lines=tuple(wish))


@st.composite
def histories(draw):
    """An order and what a row of refunds of it became; some are voided again."""
    order, live = draw(ORDERS), []
    for _ in range(draw(st.integers(0, 5))):
        if live and draw(st.integers(0, 4)) == 0:
            live.pop(draw(st.integers(0, len(live) - 1)))
        wanted = draw(wishes(order))
        so_far = sum(line.amount_twd for lines in live for line in lines)
        taken = taken_from(line for lines in live for line in lines)
        try:
            lines = allocate(order, taken, wanted, refunded_so_far_twd=so_far)
        except InvalidRequest:
            continue
        check_lines(order, wanted, lines, so_far)
        live.append(lines)
    return order, [line for lines in live for line in lines]


def check_lines(order, wanted, lines, so_far):
    """What every allowance line promises, and the sum that was asked for."""
    for line in lines:
        sold = order.lines[line.line - 1]
        assert line.amount_twd > 0
        assert line.quantity * line.unit_price_twd == line.amount_twd
        assert line.unit_price_twd == line.unit_price_twd.to_integral_value()
        assert line.quantity > 0
        assert len(line.name) <= 500
        assert line.tax_type is (sold.tax_type or order.tax_type)
    total = sum(line.amount_twd for line in lines)
    if wanted.amount_twd is not None:
        assert total == wanted.amount_twd
    if wanted.refunded_total_twd is not None:
        assert total == max(0, wanted.refunded_total_twd - so_far)
    if wanted.lines and all(wish.amount_twd is not None for wish in wanted.lines):
        assert total == sum(wish.amount_twd for wish in wanted.lines)


def by_kind(order, lines):
    """Subtotals of each tax type, without zeros."""
    found = Counter()
    for line in lines:
        found[line.tax_type or order.tax_type] += line.amount_twd
    return {kind: amount for kind, amount in found.items() if amount}


@given(ORDERS)
def test_the_orders_of_these_tests_may_be_issued(order):
    """Otherwise what follows would prove nothing about real ones."""
    assert issue.check(order, on=TODAY, profile=PROFILE) == []


@given(ORDERS)
def test_what_was_paid_adds_up_for_every_tax_type(order):
    """Nothing negative, nothing for a discount, to the dollar."""
    net = net_lines(order)
    assert sum(net) == order.total_twd
    paid = Counter()
    for line, twd in zip(order.lines, net, strict=True):
        assert 0 <= twd <= max(0, line.amount_twd)
        paid[line.tax_type or order.tax_type] += twd
    assert {kind: twd for kind, twd in paid.items() if twd} == by_kind(order, order.lines)


@given(histories())
@settings(max_examples=300)
def test_refunds_never_exceed_and_the_last_lands_on_zero(history):
    """Per line, per tax type and in all; also after voids."""
    order, lines = history
    net = net_lines(order)
    taken = Counter()
    for line in lines:
        taken[line.line] += line.amount_twd
    assert all(0 <= twd <= net[number - 1] for number, twd in taken.items())
    rest = allocate_rest(order, taken_from(lines))
    check_lines(order, Wanted(amount_twd=order.total_twd - sum(taken.values())), rest, 0)
    assert by_kind(order, [*lines, *rest]) == by_kind(order, order.lines)
    assert allocate_rest(order, taken_from([*lines, *rest])) == ()


@given(histories())
@settings(max_examples=300)
def test_a_new_invoice_bills_what_was_not_refunded_and_nothing_else(history):
    """Per tax type, and it may be issued."""
    order, lines = history
    taken = taken_from(lines)
    rest = rest_order(order, taken)
    refunded = by_kind(order, lines)
    owed = {kind: twd - refunded.get(kind, 0) for kind, twd in by_kind(order, order.lines).items()}
    assert by_kind(rest, rest.lines) == {kind: twd for kind, twd in owed.items() if twd}
    assert rest.total_twd == sum(owed.values()) == sum(line.amount_twd for line in rest_of(order, taken))
    if rest.total_twd:
        assert issue.check(rest, on=TODAY, profile=PROFILE) == []
    if not lines:
        assert rest == order


@given(ORDERS, st.data())
def test_the_tax_of_a_row_of_refunds_closes_to_the_invoices(order, data):
    """Each part is a part of its allowance, and all of them are the invoice's tax."""
    earlier, taxes = [], 0
    while (left := order.total_twd - sum(line.amount_twd for line in earlier)) > 0:
        amount = left if len(earlier) > 20 else data.draw(st.integers(1, left))
        lines = allocate(order, taken_from(earlier), Wanted(amount_twd=amount))
        tax = allowance_tax(order, earlier, lines)
        assert 0 <= tax <= amount
        taxes += tax
        earlier = [*earlier, *lines]
    taxable = by_kind(order, order.lines).get(T, 0)
    assert taxes == money.split_inclusive(taxable, Fraction(5, 100))[1]


@given(st.integers(1, 999), st.integers(1, 40), st.data())
def test_pieces_returned_one_after_another_close(price, count, data):
    """In any portions, with any coupon: the amounts add up to what was paid for the line."""
    off = data.draw(st.integers(0, price * count - 1))
    order = Order(
        Buyer(),
        (
            Line("T恤", Decimal(count), Decimal(price), price * count),
            Line("券", Decimal(1), Decimal(-off), -off),
        ),
        price * count - off,
    )
    lines, left, paid = [], count, order.total_twd
    while left:
        part = data.draw(st.integers(1, left))
        wanted = Wanted(lines=(WantedLine(1, quantity=Decimal(part)),))
        left -= part
        due = money.round_half_up(Fraction(paid * (count - left), count))
        if due == sum(line.amount_twd for line in lines):  # worth less than half a dollar: refused, and not counted
            with pytest.raises(InvalidRequest, match="BAD_AMOUNT"):
                allocate(order, taken_from(lines), wanted)
            return
        lines += allocate(order, taken_from(lines), wanted)
        assert sum(line.amount_twd for line in lines) == due
    assert due == paid

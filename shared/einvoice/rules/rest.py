"""What of an order is still to be billed (未退款部分): the content of a new invoice after refunds.

A refunded sale is never billed again. So the new invoice of an order says what was not refunded, and its total is the
old one's less the refunds, for each tax type.

>>> from decimal import Decimal
>>> from einvoice.model import Buyer
>>> shirts, coupon = Line("T恤", Decimal(3), Decimal(350), 1050), Line("折價券", Decimal(1), Decimal(-105), -105)
>>> order = Order(Buyer(), (shirts, coupon), 945)
>>> [(line.name, line.quantity, line.amount_twd) for line in rest_of(order, [Taken(1, 315, Decimal(1))])]
[('T恤', Decimal('2'), 700), ('折價券', Decimal('1'), -70)]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from einvoice.model import Line, Order, TaxType
from einvoice.rules import decimals, money
from einvoice.rules.shares import Left, Taken, left_of, members, noted, spread, whole_price

_LUMP_UNIT = "式"  # a lump sum, whatever its pieces are counted in


def rest_of(order: Order, taken: Sequence[Taken]) -> tuple[Line, ...]:
    """The lines that bill only what was not refunded; those nothing was taken from stay as they were.

    Discounts shrink to the part that belongs to what is left; a tax type that was refunded altogether is gone, with
    its gifts. On a mixed invoice one kind may be left alone: ``rest_order`` tells that.
    """
    left = left_of(order, taken)
    lines: dict[int, Line] = {}
    for indices in members(order).values():
        if not any(left[index].is_touched for index in indices):
            lines |= {index: order.lines[index] for index in indices}
        elif any(left[index].twd for index in indices):
            lines |= _rest_of_kind({index: left[index] for index in indices})
    return tuple(lines[index] for index in sorted(lines))


def rest_order(order: Order, taken: Sequence[Taken]) -> Order:
    """The same order with ``rest_of`` its lines: its total, and a mixed one's tax type where only one kind is left.

    With nothing left it has no lines and a total of 0, which may not be invoiced.
    """
    lines = rest_of(order, taken)
    rest = replace(order, lines=lines, total_twd=sum(line.amount_twd for line in lines))
    kinds = {line.tax_type or order.tax_type for line in lines}
    if order.tax_type is TaxType.MIXED and len(kinds) == 1:
        rest = replace(rest, tax_type=kinds.pop(), lines=tuple(replace(line, tax_type=None) for line in lines))
        if rest.tax_type is not TaxType.ZERO_RATED:
            rest = replace(rest, customs_mark=None, zero_rate_reason="")
    return rest


def _rest_of_kind(left: dict[int, Left]) -> dict[int, Line]:
    """The lines of one tax type, some of which were refunded: what is left of the goods, then of their discounts."""
    discounts = {index: one.line for index, one in left.items() if one.line.amount_twd < 0}
    goods = {
        index: _goods(one, is_discounted=bool(discounts))
        for index, one in left.items()
        if index not in discounts and (one.twd or not one.is_touched)
    }
    off_twd = sum(line.amount_twd for line in goods.values()) - sum(one.twd for one in left.values())
    shares = spread(off_twd, [-line.amount_twd for line in discounts.values()])
    return goods | {
        index: line if line.amount_twd == -share_twd else _lump(line, -share_twd, line.name)
        for (index, line), share_twd in zip(discounts.items(), shares, strict=True)
        if share_twd
    }


def _goods(one: Left, *, is_discounted: bool) -> Line:
    """What is left of one line before its discount: at the old price where that fits, else at whole dollars.

    Before the discount, so that the discount's share of this line stays what it was.
    """
    line = one.line
    if not one.is_touched:
        return line
    gross_twd = money.round_half_up(Fraction(one.twd * line.amount_twd, one.net_twd))
    at_old_price_twd = money.round_half_up(Fraction(one.quantity) * Fraction(line.unit_price_twd))
    slack_twd = 1 if is_discounted else 0  # a discount can take up a rounded dollar
    if one.quantity and one.twd <= at_old_price_twd and abs(at_old_price_twd - gross_twd) <= slack_twd:
        return replace(line, quantity=one.quantity, amount_twd=at_old_price_twd)
    if (price := whole_price(gross_twd, one.quantity)) is not None:
        return replace(line, quantity=one.quantity, unit_price_twd=price, amount_twd=gross_twd)
    return _lump(line, gross_twd, noted(line.name, f"（{decimals.canonical(one.quantity)}件）" if one.quantity else ""))


def _lump(line: Line, amount_twd: int, name: str) -> Line:
    return replace(
        line,
        name=name,
        quantity=Decimal(1),
        unit_price_twd=Decimal(amount_twd),
        amount_twd=amount_twd,
        unit=_LUMP_UNIT,
    )

"""Making an order's lines close to what was paid (對帳): goods, fees, reductions, total; or saying both figures.

Which reductions a platform has already taken off its lines is not documented: CYBERBIZ shows a ``referral_discount``
on the lines only, while its own summary says nothing was given. So the lines are believed, and of the reductions the
platform reports beside them the fewest that meet the total are taken, each under its own name. The invoice's total is
always the paid one; where nothing reported explains the difference, nothing is invoiced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import product

from einvoice.model import Line, Order, TaxType
from einvoice.platforms.codes import Code
from einvoice.platforms.places import Places
from einvoice.platforms.reading import Reader
from einvoice.platforms.wishes import Wishes
from einvoice.rules.shares import spread

PRICE_GRAIN = Decimal("0.0000001")  # MIG 4.1 UnitPrice: seven decimals


@dataclass(frozen=True, slots=True)
class Amount:
    """A named sum (金額) of an order other than its goods; not negative."""

    name: str
    twd: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All that makes up an order's paid total (訂單金額).

    ``goods`` carry their tax type each. ``taken`` was certainly taken off the total (points, credit); of every one of
    ``reductions`` at most one reading was, or none, because the lines may hold it already.
    """

    goods: tuple[Line, ...]
    fees: tuple[Amount, ...]
    taken: tuple[Amount, ...]
    reductions: tuple[tuple[Amount, ...], ...]
    total_twd: int


def goods_line(name: str, quantity: int, amount_twd: int, tax_type: TaxType) -> Line:
    """One line of goods; its price is what was paid for a piece, to seven decimals where it does not divide.

    >>> [goods_line("茶", 3, amount, TaxType.TAXABLE).unit_price_twd for amount in (100, 2088)]
    [Decimal('33.3333333'), Decimal('696')]
    """
    price = Decimal(amount_twd) / quantity
    if price != int(price):
        price = price.quantize(PRICE_GRAIN, ROUND_HALF_UP)
    return Line(name, Decimal(quantity), price, amount_twd, "件", tax_type)


def close(figures: Figures, wishes: Wishes, places: Places, reader: Reader, path: str) -> Order | None:
    """The order to invoice, its lines closing to the paid total; None with a note at ``path`` otherwise."""
    total = figures.total_twd
    if total == 0:
        reader.note(Code.ZERO_TOTAL, path)
        return None
    found = sum(line.amount_twd for line in figures.goods) + sum(fee.twd for fee in figures.fees)
    found -= sum(one.twd for one in figures.taken)
    picked = _explain(found - total, figures.reductions)
    if picked is None:
        reader.note(Code.TOTAL_MISMATCH, path, found=found, total=total)
        return None
    lines = _lines(figures, (*figures.taken, *picked))
    kinds = {line.tax_type for line in lines}
    only = kinds.pop() if len(kinds) == 1 else None
    zero_rated = any(line.tax_type is TaxType.ZERO_RATED for line in lines)
    return Order(
        buyer=wishes.buyer,
        lines=tuple(replace(line, tax_type=None) for line in lines) if only else lines,
        total_twd=total,
        tax_type=only or TaxType.MIXED,
        print_paper=wishes.print_paper,
        carrier=wishes.carrier,
        love_code=wishes.love_code,
        customs_mark=places.customs_mark if zero_rated else None,
        zero_rate_reason=places.zero_rate_reason if zero_rated else "",
    )


def _explain(off_twd: int, reductions: Sequence[Sequence[Amount]]) -> tuple[Amount, ...] | None:
    """The fewest reported reductions that make up ``off_twd``; None if none do. Adapters name ten kinds at most.

    >>> _explain(60, [[Amount("折扣", 50)], [Amount("紅利", 10), Amount("紅利", 60)]])
    (Amount(name='紅利', twd=60),)
    """
    if off_twd == 0:
        return ()
    worth = [[one for one in readings if one.twd] for readings in reductions]
    choices = [(None, *readings) for readings in worth if readings]
    picks = (tuple(one for one in pick if one is not None) for pick in product(*choices))
    fitting = [pick for pick in picks if sum(one.twd for one in pick) == off_twd]
    return min(fitting, key=len, default=None)


def _lines(figures: Figures, reductions: Sequence[Amount]) -> tuple[Line, ...]:
    """Goods, fees and reductions as lines with a tax type each.

    A fee is part of what is charged for the goods (營業稅法 art. 16) and shares their tax type; with several, it is
    taxed. A reduction is shared by the tax types in proportion to what each has left, so that none falls below zero.
    """
    kinds = {line.tax_type for line in figures.goods}
    fee_kind = next(iter(kinds)) if len(kinds) == 1 else TaxType.TAXABLE
    lines = [*figures.goods, *(_one(fee.name, fee.twd, fee_kind) for fee in figures.fees if fee.twd)]
    left: dict[TaxType | None, int] = {}
    for line in lines:
        left[line.tax_type] = left.get(line.tax_type, 0) + line.amount_twd
    for reduction in reductions:
        for kind, share in zip(list(left), spread(reduction.twd, list(left.values())), strict=True):
            left[kind] -= share
            lines += [_one(reduction.name, -share, kind)] if share else []
    return tuple(lines)


def _one(name: str, amount_twd: int, kind: TaxType | None) -> Line:
    return Line(name, Decimal(1), Decimal(amount_twd), amount_twd, tax_type=kind)

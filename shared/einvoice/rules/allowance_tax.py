"""The part of an allowance that is tax (折讓稅額), so that all allowances of an invoice close to its tax.

Splitting every allowance by itself loses or makes dollars: three of 350 would be 17 + 17 + 17, of an invoice whose tax
is 50. So the split is cumulative: the tax of everything allowed so far, less the tax already given back. Only taxable
sales carry it: zero-rated and exempt ones have none (營業稅法 art. 7, 8), and special tax is not shown apart (MIG 4.1
TaxType 4).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from einvoice.model import AllowanceLine, Order, TaxType
from einvoice.rules import law, money

_NEWEST_RATE = law.GENERAL_RATE[-1].value


def cumulative_tax(
    total_twd: int,
    earlier_twd: int,
    amount_twd: int,
    *,
    taxable: bool = True,
    earlier_tax_twd: int | None = None,
    rate: Fraction = _NEWEST_RATE,
) -> int:
    """The tax in an allowance of ``amount_twd``, after live allowances of ``earlier_twd``, of an invoice's total.

    All amounts are tax-inclusive. ``earlier_tax_twd`` is the tax those said; give it where an allowance was voided,
    because those left may not add up to what a row of them would have. ``rate`` is that of the invoice's day.
    ValueError for more than the invoice has.

    >>> [cumulative_tax(1050, earlier, 350) for earlier in (0, 350, 700)]
    [17, 16, 17]
    >>> cumulative_tax(1050, 700, 350, earlier_tax_twd=34)  # of the three the second was voided
    16
    """
    if earlier_twd < 0 or amount_twd < 0 or earlier_twd + amount_twd > total_twd:
        raise ValueError(f"{earlier_twd} and {amount_twd} do not fit into {total_twd}")
    if not taxable:
        return 0
    if earlier_tax_twd is None:
        earlier_tax_twd = _tax(earlier_twd, rate)
    return min(amount_twd, max(0, _tax(earlier_twd + amount_twd, rate) - earlier_tax_twd))


def allowance_tax(
    order: Order,
    earlier: Iterable[AllowanceLine],
    lines: Iterable[AllowanceLine],
    *,
    earlier_tax_twd: int | None = None,
    rate: Fraction = _NEWEST_RATE,
) -> int:
    """The tax in an allowance of ``lines``, after the live allowances' lines ``earlier``; as ``cumulative_tax``.

    >>> from decimal import Decimal
    >>> from einvoice.model import Buyer, Line
    >>> order = Order(Buyer(), (Line("書", Decimal(1), Decimal(210), 210),), 210)
    >>> half = AllowanceLine(1, "書（部分金額）", Decimal(1), Decimal(105), 105)
    >>> allowance_tax(order, [], [half]), allowance_tax(order, [half], [half])
    (5, 5)
    """
    sold_twd = sum(line.amount_twd for line in order.lines if (line.tax_type or order.tax_type) is TaxType.TAXABLE)
    return cumulative_tax(sold_twd, _taxable(earlier), _taxable(lines), earlier_tax_twd=earlier_tax_twd, rate=rate)


def _taxable(lines: Iterable[AllowanceLine]) -> int:
    return sum(line.amount_twd for line in lines if line.tax_type is TaxType.TAXABLE)


def _tax(total_twd: int, rate: Fraction) -> int:
    return money.split_inclusive(total_twd, rate)[1]

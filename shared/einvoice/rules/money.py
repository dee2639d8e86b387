"""Rounding and tax split (四捨五入與稅額): the only module of this package that rounds.

Parts of a dollar are rounded half up (四捨五入, 營業稅法 art. 14). Python's own ``round`` rounds half to even and must
not be used for money.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor

_HALF = Fraction(1, 2)


def round_half_up(value: Decimal | Fraction) -> int:
    """Whole dollars, half away from zero, so that a refund rounds as its sale did. ValueError unless finite.

    >>> round_half_up(Decimal("0.5")), round_half_up(Decimal("2.5")), round_half_up(Decimal("-2.5"))
    (1, 3, -3)
    >>> round_half_up(Fraction(1000, 21)), round_half_up(Decimal("2.4999999"))
    (48, 2)
    """
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("only a finite number can be rounded")
    exact = Fraction(value)
    magnitude = floor(abs(exact) + _HALF)
    return -magnitude if exact < 0 else magnitude


def split_inclusive(total_twd: int, rate: Fraction) -> tuple[int, int]:
    """Split a tax-inclusive total into ``(sales, tax)`` that add up to it again (營業稅法 art. 32, 細則 art. 32-1).

    Only the sales are rounded; the tax is what remains. Working the tax out from the rounded sales instead would miss
    the total by one dollar for every total of the form 21n + 10 at 5 %.

    >>> split_inclusive(1050, Fraction(5, 100)), split_inclusive(10, Fraction(5, 100))
    ((1000, 50), (10, 0))
    """
    sales = round_half_up(Fraction(total_twd) / (1 + rate))
    return sales, total_twd - sales

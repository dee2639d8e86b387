"""Exact shape of a decimal number (數量與單價的位數): no rounding, no context, safe for any size of exponent.

``Decimal.normalize`` and arithmetic round to 28 digits; a quantity of 8+7 digits times a price of 10+7 has 32.
All functions need a finite number.
"""

from __future__ import annotations

from decimal import Decimal


def shape(value: Decimal) -> tuple[int, int]:
    """``(integer digits, decimals)`` without leading and trailing zeros.

    >>> shape(Decimal("120.50")), shape(Decimal("1E+9")), shape(Decimal("0.001")), shape(Decimal("0E+99"))
    ((3, 1), (10, 0), (0, 3), (0, 0))
    """
    digits, exponent = _significant(value)
    if not digits:
        return 0, 0
    return max(0, len(digits) + exponent), max(0, -exponent)


def canonical(value: Decimal) -> str:
    """The one text of a number: no exponent, no trailing zeros, no ``-0``. For numbers of bounded size only.

    >>> canonical(Decimal("1.50")), canonical(Decimal("1E+2")), canonical(Decimal("-0.00")), canonical(Decimal("-.5"))
    ('1.5', '100', '0', '-0.5')
    """
    digits, exponent = _significant(value)
    if not digits:
        return "0"
    text = digits + "0" * exponent if exponent >= 0 else digits.rjust(1 - exponent, "0")
    if exponent < 0:
        text = f"{text[:exponent]}.{text[exponent:]}"
    return f"-{text}" if value.is_signed() else text


def _significant(value: Decimal) -> tuple[str, int]:
    """Digits without zeros at either end, and the exponent of the last one; ``("", 0)`` for zero."""
    _, raw_digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # "n", "N" or "F": NaN, sNaN, infinity
        raise ValueError("only a finite number has a shape")  # noqa: TRY004 - the type is right, the value is not
    digits = "".join(map(str, raw_digits)).lstrip("0")
    kept = digits.rstrip("0")
    return (kept, exponent + len(digits) - len(kept)) if kept else ("", 0)

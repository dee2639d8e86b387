"""Lines and total (品項與總額): every line closes by itself, and all of them close to the total.

A discount is a line with a negative price and amount. The ministry refuses a zero total (E0105), a zero quantity
(E0106) and sums that do not meet (E0103), though its XSD lets them pass. Tax-inclusive whole dollars throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from einvoice.errors import Violation
from einvoice.model import Line, Order, ProviderProfile
from einvoice.rules import decimals, law, money, text
from einvoice.rules.codes import Code, violation

_AMOUNT_LIMIT_TWD = 10**law.MAX_TOTAL_DIGITS


def check(order: Order, profile: ProviderProfile) -> Iterator[Violation]:
    """Everything wrong with the lines and the total of ``order``. Lines beyond the profile's limit are only counted."""
    if not order.lines:
        yield violation(Code.LINES_MISSING, "lines")
    if len(order.lines) > profile.max_lines:
        yield violation(Code.LINES_TOO_MANY, "lines", count=len(order.lines), max_lines=profile.max_lines)
    for index, line in enumerate(order.lines[: profile.max_lines]):
        path = f"lines[{index}]"
        yield from _check_texts(line, path, profile)
        yield from _check_numbers(line, path, profile)
    yield from _check_total(order)


def _check_texts(line: Line, path: str, profile: ProviderProfile) -> Iterator[Violation]:
    for value, field in (
        (line.name, text.Field(f"{path}.name", "品名", profile.max_name_chars, required=True)),
        (line.unit, text.Field(f"{path}.unit", "單位", profile.max_unit_chars, required=True)),
        (line.remark, text.Field(f"{path}.remark", "品項備註", profile.max_line_remark_chars)),
    ):
        yield from text.check(value, field, astral=profile.astral_text)


def _check_numbers(line: Line, path: str, profile: ProviderProfile) -> Iterator[Violation]:
    found = [
        *_check_shape(line.quantity, f"{path}.quantity", "數量", profile.max_quantity_decimals),
        *_check_shape(line.unit_price_twd, f"{path}.unit_price_twd", "單價", profile.max_price_decimals),
        *_check_size(line.amount_twd, f"{path}.amount_twd", "品項金額"),
    ]
    yield from found
    if line.quantity.is_zero():  # methods, not operators: comparing a signalling NaN raises
        yield violation(Code.QUANTITY_ZERO, f"{path}.quantity")
    elif line.quantity.is_signed() and not line.quantity.is_nan():
        yield violation(Code.QUANTITY_NEGATIVE, f"{path}.quantity")
    if found:
        return  # a product of unfit numbers says nothing, and may be too large to work out
    expected = money.round_half_up(Fraction(line.quantity) * Fraction(line.unit_price_twd))
    if expected != line.amount_twd:
        yield violation(Code.LINE_AMOUNT_MISMATCH, f"{path}.amount_twd", expected=expected, given=line.amount_twd)


def _check_total(order: Order) -> Iterator[Violation]:
    total_twd, lines_total_twd = order.total_twd, sum(line.amount_twd for line in order.lines)
    yield from _check_size(total_twd, "total_twd", "發票總額")
    if total_twd == 0:
        yield violation(Code.ZERO_AMOUNT, "total_twd")
    if total_twd < 0:
        yield violation(Code.NEGATIVE_AMOUNT, "total_twd")
    fits = all(abs(amount) < _AMOUNT_LIMIT_TWD for amount in (total_twd, *(line.amount_twd for line in order.lines)))
    if order.lines and fits and lines_total_twd != total_twd:
        yield violation(Code.SUM_MISMATCH, "total_twd", lines_total=lines_total_twd, given=total_twd)


def _check_shape(value: Decimal, path: str, label: str, max_decimals: int) -> Iterator[Violation]:
    if not value.is_finite():
        yield violation(Code.NUMBER_NOT_FINITE, path, label=label)
        return
    integer_digits, places = decimals.shape(value)
    if integer_digits > law.MAX_NUMBER_INTEGER_DIGITS:
        yield violation(Code.NUMBER_TOO_LARGE, path, label=label, max_digits=law.MAX_NUMBER_INTEGER_DIGITS)
    if places > max_decimals:
        yield violation(Code.NUMBER_TOO_FINE, path, label=label, max_decimals=max_decimals)


def _check_size(amount_twd: int, path: str, label: str) -> Iterator[Violation]:
    if abs(amount_twd) >= _AMOUNT_LIMIT_TWD:
        yield violation(Code.NUMBER_TOO_LARGE, path, label=label, max_digits=law.MAX_TOTAL_DIGITS)

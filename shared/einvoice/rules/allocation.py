"""Which lines a refund takes from (折讓分配): from what the merchant wants to the lines of an allowance.

What was refunded before comes as ``Taken``, from the live allowances only. No line, and so no invoice, ever gives back
more than was paid for it (ministry platform E0221), and the last refund lands on exactly zero. A mixed invoice's lines
keep their own tax type.

>>> from einvoice.model import Buyer, Line
>>> shirts = Line("T恤", Decimal(3), Decimal("33.33"), 100, "件")
>>> order = Order(Buyer(), (shirts, Line("運費", Decimal(1), Decimal(60), 60)), 160)
>>> first = allocate(order, (), Wanted(lines=(WantedLine(1, quantity=Decimal(2)), WantedLine(2, amount_twd=30))))
>>> [(line.line, line.name, line.amount_twd) for line in first]
[(1, 'T恤（2件）', 67), (2, '運費（部分金額）', 30)]
>>> [(line.line, line.name, line.amount_twd) for line in allocate_rest(order, taken_from(first))]
[(1, 'T恤', 33), (2, '運費', 30)]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique

from einvoice.errors import InvalidRequest, Violation
from einvoice.model import AllowanceLine, Order
from einvoice.rules import decimals
from einvoice.rules.rest import rest_of, rest_order
from einvoice.rules.shares import Left, Taken, left_of, net_lines, noted, spread, whole_price

# the one door for those who refund: what was paid and what is left belong to the same story
__all__ = [
    "RefundCode",
    "Taken",
    "Wanted",
    "WantedLine",
    "allocate",
    "allocate_rest",
    "net_lines",
    "rest_of",
    "rest_order",
    "taken_from",
]

_MAX_QUANTITY_DECIMALS = 7  # MIG 4.1 G0401 Quantity, decimal(20,7)
_PART = "（部分金額）"
_NOTE = re.compile(rf"（([0-9]+(?:\.[0-9]+)?)件）\Z|{_PART}\Z")
_NO_PIECES = Decimal(0)


@dataclass(frozen=True, slots=True)
class WantedLine:
    """A refund of one invoice line, counted from 1: either so many pieces of it, or so much of its money."""

    line: int
    quantity: Decimal | None = None
    amount_twd: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the merchant wants refunded (退款需求), tax-inclusive, in exactly one of three ways.

    An amount, spread over what is left of every line; single lines; or all that was refunded of the order so far,
    as shop platforms tell it.
    """

    amount_twd: int | None = None
    lines: tuple[WantedLine, ...] = ()
    refunded_total_twd: int | None = None


@unique
class RefundCode(Enum):
    """Stable code (name) and sentence (value) of every way a refund can break a rule (退款違規代碼)."""

    ONE_WAY = "請只填寫一種退款方式。"
    BAD_AMOUNT = "退款金額必須大於 0 元，請更正。"
    BAD_QUANTITY = "退貨數量必須大於 0，且小數最多 7 位，請更正。"
    EXCEEDS_REMAINING = "退款金額超過發票的可折讓餘額 {left:,} 元，請更正。"
    NO_SUCH_LINE = "發票只有 {count} 個品項，沒有這個品項，請更正。"
    DISCOUNT_LINE = "這個品項是折扣，不能退款；折扣已分攤到其他品項。"
    EXCEEDS_LINE = "退款金額超過此品項的可折讓餘額 {left:,} 元，請更正。"
    EXCEEDS_QUANTITY = "退貨數量超過此品項尚未退貨的數量 {left}，請更正。"


def allocate(
    order: Order, taken: Sequence[Taken], wanted: Wanted, *, refunded_so_far_twd: int = 0
) -> tuple[AllowanceLine, ...]:
    """The lines of the allowance that refunds what is ``wanted``; InvalidRequest with every violation.

    ``()`` only where ``refunded_total_twd`` is no more than ``refunded_so_far_twd``: nothing to do. ValueError where
    ``taken`` and the order do not fit.
    """
    left = left_of(order, taken)
    match wanted:
        case Wanted(amount_twd=int(amount_twd), lines=(), refunded_total_twd=None):
            return _by_amount(left, amount_twd, "refund.amount_twd")
        case Wanted(amount_twd=None, lines=(), refunded_total_twd=int(total_twd)):
            amount_twd = total_twd - refunded_so_far_twd
            return _by_amount(left, amount_twd, "refund.refunded_total_twd") if amount_twd > 0 else ()
        case Wanted(amount_twd=None, lines=(_, *_), refunded_total_twd=None):
            return _by_line(left, wanted.lines)
        case _:
            raise InvalidRequest([_violation(RefundCode.ONE_WAY, "refund")])


def allocate_rest(order: Order, taken: Sequence[Taken]) -> tuple[AllowanceLine, ...]:
    """The lines of the allowance that takes everything that is left; ``()`` where nothing is."""
    return tuple(_take_amount(one, one.twd) for one in left_of(order, taken) if one.twd)


def taken_from(lines: Iterable[AllowanceLine]) -> tuple[Taken, ...]:
    """What these allowance lines took, pieces as ``allocate`` wrote them: as quantity, or in the note of the name."""
    return tuple(Taken(line.line, line.amount_twd, _pieces(line)) for line in lines)


def _by_amount(left: list[Left], amount_twd: int, path: str) -> tuple[AllowanceLine, ...]:
    left_twd = sum(one.twd for one in left)
    if amount_twd <= 0:
        raise InvalidRequest([_violation(RefundCode.BAD_AMOUNT, path)])
    if amount_twd > left_twd:
        raise InvalidRequest([_violation(RefundCode.EXCEEDS_REMAINING, path, left=left_twd)])
    shares = spread(amount_twd, [one.twd for one in left])
    return tuple(_take_amount(one, share_twd) for one, share_twd in zip(left, shares, strict=True) if share_twd)


def _by_line(left: list[Left], wanted: Sequence[WantedLine]) -> tuple[AllowanceLine, ...]:
    """A line may be wanted twice: the second wish finds what the first one left."""
    lines: list[AllowanceLine] = []
    violations: list[Violation] = []
    for index, wish in enumerate(wanted):
        path = f"refund.lines[{index}]"
        if found := list(_check_wish(left, wish, path)):
            violations += found
            continue
        one = left[wish.line - 1]
        if wish.amount_twd is not None:
            lines.append(_take_amount(one, wish.amount_twd))
        # a gift, or pieces worth less than half a dollar, give back nothing
        elif wish.quantity is not None and (amount_twd := one.price_of(wish.quantity)):
            lines.append(_take(one, amount_twd, wish.quantity))
    if not violations and not lines:
        violations.append(_violation(RefundCode.BAD_AMOUNT, "refund.lines"))
    if violations:
        raise InvalidRequest(violations)
    return tuple(lines)


def _check_wish(left: list[Left], wish: WantedLine, path: str) -> Iterator[Violation]:
    one = left[wish.line - 1] if 1 <= wish.line <= len(left) else None
    if one is None:
        yield _violation(RefundCode.NO_SUCH_LINE, f"{path}.line", count=len(left))
    elif one.line.amount_twd < 0:
        yield _violation(RefundCode.DISCOUNT_LINE, f"{path}.line")
        one = None
    if (wish.quantity is None) is (wish.amount_twd is None):
        yield _violation(RefundCode.ONE_WAY, path)
    elif wish.quantity is not None:
        yield from _check_quantity(one, wish.quantity, f"{path}.quantity")
    elif wish.amount_twd is not None:
        yield from _check_amount(one, wish.amount_twd, f"{path}.amount_twd")


def _check_quantity(one: Left | None, quantity: Decimal, path: str) -> Iterator[Violation]:
    if not quantity.is_finite() or quantity <= 0 or decimals.shape(quantity)[1] > _MAX_QUANTITY_DECIMALS:
        yield _violation(RefundCode.BAD_QUANTITY, path)
    elif one is None:
        return
    elif quantity > one.quantity:
        yield _violation(RefundCode.EXCEEDS_QUANTITY, path, left=decimals.canonical(one.quantity))
    elif one.price_of(quantity) > one.twd:
        yield _violation(RefundCode.EXCEEDS_LINE, path, left=one.twd)


def _check_amount(one: Left | None, amount_twd: int, path: str) -> Iterator[Violation]:
    if amount_twd <= 0:
        yield _violation(RefundCode.BAD_AMOUNT, path)
    elif one is not None and amount_twd > one.twd:
        yield _violation(RefundCode.EXCEEDS_LINE, path, left=one.twd)


def _take_amount(one: Left, amount_twd: int) -> AllowanceLine:
    """Part of a line's money takes no piece back; all of it takes all."""
    return _take(one, amount_twd, one.quantity if amount_twd == one.twd else _NO_PIECES)


def _take(one: Left, amount_twd: int, pieces: Decimal) -> AllowanceLine:
    """Lower what is left, and write it down so that quantity times price is exact and ``taken_from`` can read it.

    A name that already ends like one of our notes gets a note of its own, so that it is never read as ours.
    """
    one.take(amount_twd, pieces)
    price = whole_price(amount_twd, pieces)
    if price is not None and not _NOTE.search(one.line.name):
        return AllowanceLine(one.number, one.line.name, pieces, price, amount_twd, one.line.unit, one.tax_type)
    name = noted(one.line.name, f"（{decimals.canonical(pieces)}件）" if pieces else _PART)
    return AllowanceLine(one.number, name, Decimal(1), Decimal(amount_twd), amount_twd, tax_type=one.tax_type)


def _pieces(line: AllowanceLine) -> Decimal:
    note = _NOTE.search(line.name)
    return line.quantity if note is None else Decimal(note[1] or 0)


def _violation(code: RefundCode, path: str, **values: str | int) -> Violation:
    return Violation(code.name, path, code.value.format(**values))

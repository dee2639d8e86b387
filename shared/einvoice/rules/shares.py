"""What was really paid for each line (各品項實付金額), and what is left of it after refunds.

A discount (negative line: coupon, points) lowers what was paid for every other line of its tax type, in proportion;
so a returned piece gives back its discounted price, and each tax type closes by itself (統一發票使用辦法 art. 8 keeps
them apart). Whole dollars are handed out by largest remainder: no dollar is lost or made, and the same order always
splits the same way. Everything here is for an order that passed ``issue.check``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from einvoice.model import Line, Order, TaxType
from einvoice.rules import money, text

MAX_NAME_CHARS = 500  # MIG 4.1 F0401 and G0401 Description
_NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Taken:
    """What an earlier live allowance (有效折讓) took from invoice line ``line``, counted from 1.

    ``quantity`` is the pieces it took back; 0 for a mere reduction of the price.
    """

    line: int
    amount_twd: int
    quantity: Decimal = _NONE


@dataclass(slots=True)
class Left:
    """What is left (餘額) of one invoice line: money and pieces. ``take`` lowers both."""

    number: int  # counted from 1
    line: Line
    tax_type: TaxType
    net_twd: int  # what was paid for it
    twd: int
    quantity: Decimal
    by_pieces: int = 0  # how many refunds took pieces of it

    @property
    def is_touched(self) -> bool:
        """Whether any of its money was refunded."""
        return self.twd != self.net_twd

    def price_of(self, pieces: Decimal) -> int:
        """What ``pieces`` give back: their share of what was paid, rounded cumulatively; the last take all the rest.

        It may be more than is left, where other refunds lowered the price. Rounding alone never makes it so: when one
        of several allowances was voided, what is left can miss the next share by up to a dollar for each of the others.
        """
        if pieces == self.quantity:
            return self.twd
        before = Fraction(self.line.quantity) - Fraction(self.quantity)
        share_twd = self._worth(before + Fraction(pieces)) - self._worth(before)
        return self.twd if 0 < share_twd - self.twd <= self.by_pieces else share_twd

    def _worth(self, pieces: Fraction) -> int:
        return money.round_half_up(self.net_twd * pieces / Fraction(self.line.quantity))

    def take(self, amount_twd: int, pieces: Decimal) -> None:
        """Lower what is left. ValueError for more money than there is: the ledger never allows more than was paid."""
        if not 0 <= amount_twd <= self.twd:
            raise ValueError(f"line {self.number} has {self.twd} left, not {amount_twd}")
        self.twd -= amount_twd
        self.quantity = max(_NONE, self.quantity - pieces)
        self.by_pieces += pieces > 0


def spread(amount_twd: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split whole dollars in proportion to ``weights`` (最大餘數法); of equal remainders the first gets the dollar.

    ValueError for a negative amount, or one that there is nothing to spread over.

    >>> spread(100, (1, 1, 1)), spread(2, (5, 0, 5)), spread(0, ())
    ((34, 33, 33), (1, 0, 1), ())
    """
    whole = sum(weights)
    if amount_twd < 0 or (amount_twd and not whole):
        raise ValueError(f"{amount_twd} cannot be spread")
    if not whole:
        return (0,) * len(weights)
    shares = [amount_twd * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(amount_twd * weights[index] % whole))
    for index in by_remainder[: amount_twd - sum(shares)]:
        shares[index] += 1
    return tuple(shares)


def members(order: Order) -> dict[TaxType, list[int]]:
    """Indices of the lines of each tax type; all under the order's own unless it is mixed."""
    found: dict[TaxType, list[int]] = {}
    for index, line in enumerate(order.lines):
        found.setdefault(line.tax_type or order.tax_type, []).append(index)
    return found


def net_lines(order: Order) -> tuple[int, ...]:
    """What was paid for each line (實付金額), tax-inclusive: 0 for a discount; they add up to the total.

    >>> from einvoice.model import Buyer
    >>> shirt, ship = Line("T恤", Decimal(2), Decimal(450), 900), Line("運費", Decimal(1), Decimal(100), 100)
    >>> net_lines(Order(Buyer(), (shirt, ship, Line("折價券", Decimal(1), Decimal(-101), -101)), 899))
    (809, 90, 0)
    """
    net = [0] * len(order.lines)
    for indices in members(order).values():
        amounts = [order.lines[index].amount_twd for index in indices]
        shares = spread(sum(amounts), [max(0, amount) for amount in amounts])
        for index, share_twd in zip(indices, shares, strict=True):
            net[index] = share_twd
    return tuple(net)


def left_of(order: Order, taken: Sequence[Taken]) -> list[Left]:
    """What is left of each line. ValueError where ``taken`` names no line or takes more than was paid for it."""
    left = [
        Left(number, line, line.tax_type or order.tax_type, net_twd, net_twd, line.quantity)
        for number, (line, net_twd) in enumerate(zip(order.lines, net_lines(order), strict=True), 1)
    ]
    for one in taken:
        if not 1 <= one.line <= len(left):
            raise ValueError(f"the invoice has no line {one.line}")
        left[one.line - 1].take(one.amount_twd, one.quantity)
    return left


def whole_price(amount_twd: int, quantity: Decimal) -> Decimal | None:
    """The unit price in whole dollars at which ``quantity`` comes to exactly ``amount_twd``, or None.

    >>> whole_price(700, Decimal(2)), whole_price(100, Decimal("0.5")), whole_price(100, Decimal(3))
    (Decimal('350'), Decimal('200'), None)
    """
    if quantity <= 0:
        return None
    price = Fraction(amount_twd) / Fraction(quantity)
    return Decimal(price.numerator) if price.denominator == 1 else None


def noted(name: str, note: str) -> str:
    """The name with a note behind it, the name cut where both would be longer than a name may be.

    >>> noted("T恤", "（2件）"), len(noted("茶" * 500, "（2件）"))
    ('T恤（2件）', 500)
    """
    while text.utf16_units(name) + text.utf16_units(note) > MAX_NAME_CHARS:
        name = name[:-1]
    return name + note

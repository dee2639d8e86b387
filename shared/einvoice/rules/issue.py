"""May this order be invoiced (開立檢核)? Every violation at once, before anything is stored or sent.

Law and arithmetic are decided here; the centre's own numbers arrive as a ``ProviderProfile``. Give ``check`` an order
that went through ``normalise``. It never raises, whatever text or number the order holds.

>>> from decimal import Decimal
>>> from einvoice.model import Buyer, Line
>>> tea = Line("高山茶", Decimal(2), Decimal("52.5"), 105)
>>> order = Order(Buyer(name="王小明", address="臺北市", email="a@example.com"), (tea,), 100, print_paper=True)
>>> [(v.code, v.path) for v in check(order, on=date(2026, 3, 1), profile=ProviderProfile("any"))]
[('SUM_MISMATCH', 'total_twd')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from einvoice.errors import Violation
from einvoice.model import Order, ProviderProfile
from einvoice.rules import buyer, delivery, lines, tax, text
from einvoice.rules.codes import Code, violation

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # fromisoformat alone also takes 20260301 and 2026-W09-7


def check(order: Order, *, on: date, profile: ProviderProfile) -> list[Violation]:
    """Everything that forbids an invoice of ``order`` dated ``on`` (a day in Taipei); empty: it may be sent."""
    return [
        *buyer.check(order, on, profile),
        *delivery.check(order, profile),
        *lines.check(order, profile),
        *tax.check(order, on, profile),
        *text.check(
            order.remark, text.Field("remark", "發票備註", profile.max_remark_chars), astral=profile.astral_text
        ),
        *_check_sold_on(order.sold_on, on),
    ]


def _check_sold_on(sold_on: str, on: date) -> Iterator[Violation]:
    """A real day, not after the invoice's own (營業人開立銷售憑證時限表: an invoice follows its sale)."""
    if not sold_on:
        return
    day = _parse_day(sold_on)
    if day is None:
        yield violation(Code.SOLD_ON_FORM, "sold_on")
    elif day > on:
        yield violation(Code.SOLD_ON_FUTURE, "sold_on")


def _parse_day(value: str) -> date | None:
    if not _ISO_DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:  # the form is right, but the calendar has no such day
        return None

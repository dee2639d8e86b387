"""Where the invoice goes (發票去向): paper, a carrier or a charity, exactly one of them for a consumer.

Source: 電子發票實施作業要點; the ministry's Turnkey refuses a consumer's invoice with none of the three (MIG 4.1
PrintMark, CarrierType, NPOBAN). An invoice with a 統編 can never be donated; whether it may have a carrier, and be
printed too, differs between centres (ECPay developers page 7896), so the profile says it.
"""

from __future__ import annotations

from collections.abc import Iterator

from einvoice.errors import Violation
from einvoice.model import Order, ProviderProfile
from einvoice.rules import carrier, love_code
from einvoice.rules.codes import Code, violation


def check(order: Order, profile: ProviderProfile) -> Iterator[Violation]:
    """Everything wrong with where the invoice of ``order`` should go."""
    yield from _check_business(order, profile) if order.buyer.ubn else _check_consumer(order)
    if order.carrier is not None and (code := carrier.problem(order.carrier.kind, order.carrier.number)):
        yield violation(code, "carrier.number")
    if order.love_code and (code := love_code.problem(order.love_code)):
        yield violation(code, "love_code")


def _check_consumer(order: Order) -> Iterator[Violation]:
    printed, carried, donated = order.print_paper, order.carrier is not None, bool(order.love_code)
    if not (printed or carried or donated):
        yield violation(Code.DELIVERY_MISSING, "print_paper")
    if printed and carried:
        yield violation(Code.PRINT_AND_CARRIER, "carrier")
    if printed and donated:
        yield violation(Code.PRINT_AND_DONATION, "love_code")
    if carried and donated:
        yield violation(Code.CARRIER_AND_DONATION, "love_code")


def _check_business(order: Order, profile: ProviderProfile) -> Iterator[Violation]:
    if order.love_code:
        yield violation(Code.UBN_DONATION, "love_code")
    if order.carrier is None:
        if not order.print_paper:
            yield violation(Code.UBN_DELIVERY_MISSING, "print_paper")
    elif order.carrier.kind not in profile.ubn_carriers:
        yield violation(Code.UBN_CARRIER_NOT_TAKEN, "carrier.kind")
    elif order.print_paper and order.carrier.kind not in profile.ubn_printable_carriers:
        yield violation(Code.UBN_PRINT_AND_CARRIER, "print_paper")

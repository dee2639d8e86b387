"""Normalise what people type (正規化): full-width digits and blanks around codes, and nothing else.

Only fields that are codes are changed, and only in ways that cannot change their meaning. Names, addresses and remarks
stay as they were given: they are what the buyer agreed to. A blank in a carrier number is never "repaired" to ``+``.

>>> from einvoice.model import Buyer, Carrier, CarrierKind
>>> buyer = Buyer(ubn=" ０４５９５２５７", name="Ａ公司 ")
>>> carrier = Carrier(CarrierKind.MOBILE_BARCODE, "／ＡＢＣ＋１２３ ")
>>> clean = normalise(Order(buyer, (), 0, carrier=carrier))
>>> clean.buyer.ubn, clean.buyer.name, clean.carrier.number
('04595257', 'Ａ公司 ', '/ABC+123')
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from einvoice.model import Order


def normalise(order: Order) -> Order:
    """The same order with NFKC and trimmed 統編, phone, donation code and carrier number, and a trimmed e-mail."""
    buyer = replace(
        order.buyer, ubn=_code(order.buyer.ubn), phone=_code(order.buyer.phone), email=order.buyer.email.strip()
    )
    carrier = order.carrier and replace(order.carrier, number=_code(order.carrier.number))
    return replace(order, buyer=buyer, carrier=carrier, love_code=_code(order.love_code))


def _code(value: str) -> str:
    return unicodedata.normalize("NFKC", value).strip()

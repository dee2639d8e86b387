"""Names derived from an order (識別碼): never minted, so that a repeat always meets its first attempt.

Every part is length-prefixed before it is joined: ``a|b``,``c`` must differ from ``a``,``b|c``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from einvoice.model import OrderKey

_SOURCE = re.compile(r"[a-z][a-z0-9-]{0,29}")
_GENERATION = re.compile(r"[1-9][0-9]{0,3}")
_SIZE = re.compile(r"[0-9]{1,4}")
MAX_ORDER_ID_CHARS = 200


def joined(*parts: str) -> str:
    """Join parts so that no two different lists give the same text.

    >>> joined("a|b", "c") != joined("a", "b|c")
    True
    """
    return "".join(f"{len(part)}:{part}" for part in parts)


def relate_number(stage: str, key: OrderKey, generation: int) -> str:
    """Order number at the centre (自訂編號 RelateNumber): 20 characters A–Z2–7, the same for ever for one generation.

    Twenty, because the ministry's message format takes no more; upper case, because ECPay compares without case.

    >>> relate_number("dev", OrderKey("shop", "api", "1018"), 1)
    'CU2VROEINDLWRQT5ZTX3'
    """
    digest = hashlib.sha256(joined(stage, key.merchant, key.source, key.order_id, str(generation)).encode()).digest()
    return base64.b32encode(digest).decode()[:20]


def invoice_id(key: OrderKey, generation: int) -> str:
    """Invoice id (發票識別碼) of one generation of an order; carries any order id through a path."""
    return base64.urlsafe_b64encode(joined(key.source, key.order_id, str(generation)).encode()).decode().rstrip("=")


def parse_invoice_id(merchant: str, text: str) -> tuple[OrderKey, int] | None:
    """The order and generation an invoice id names; None if it is not one of ours.

    >>> key = OrderKey("shop", "api", "#10|18")
    >>> parse_invoice_id("shop", invoice_id(key, 2)) == (key, 2)
    True
    >>> parse_invoice_id("shop", "zz") is None
    True
    """
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    parts: list[str] = []
    while plain:
        size, colon, rest = plain.partition(":")
        if not colon or not _SIZE.fullmatch(size) or len(rest) < int(size):
            return None
        parts.append(rest[: int(size)])
        plain = rest[int(size) :]
    match parts:
        case [source, order_id, number] if valid_source(source) and _GENERATION.fullmatch(number):
            key, generation = OrderKey(merchant, source, order_id), int(number)
        case _:
            return None
    return (key, generation) if invoice_id(key, generation) == text else None


def valid_source(source: str) -> bool:
    """Whether ``source`` may name where an order id comes from, such as ``api`` or ``easystore``."""
    return _SOURCE.fullmatch(source) is not None

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
_ALLOWANCE_NAME = re.compile(r"[A-Z2-7]{20}-[1-9][0-9]{0,3}")
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
    match _parts(text):
        case [source, order_id, number] if valid_source(source) and _GENERATION.fullmatch(number):
            key, generation = OrderKey(merchant, source, order_id), int(number)
        case _:
            return None
    return (key, generation) if invoice_id(key, generation) == text else None


def _parts(text: str) -> list[str]:
    """What ``joined`` was given, out of its base64 form; nothing where it is none."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return []
    parts: list[str] = []
    while plain:
        size, colon, rest = plain.partition(":")
        if not colon or not _SIZE.fullmatch(size) or len(rest) < int(size):
            return []
        parts.append(rest[: int(size)])
        plain = rest[int(size) :]
    return parts


def valid_source(source: str) -> bool:
    """Whether ``source`` may name where an order id comes from, such as ``api`` or ``easystore``."""
    return _SOURCE.fullmatch(source) is not None


def allowance_name(relate_number: str, n: int) -> str:
    """What the outside may call an allowance of this order number: short, and nothing can be read from it.

    >>> allowance_name("CU2VROEINDLWRQT5ZTX3", 2)
    'CU2VROEINDLWRQT5ZTX3-2'
    """
    return f"{relate_number}-{n}"


def valid_allowance_name(name: str) -> bool:
    """Whether ``name`` may be such a name; checked before it becomes part of any key.

    >>> valid_allowance_name("CU2VROEINDLWRQT5ZTX3-2"), valid_allowance_name("CU2VROEINDLWRQT5ZTX3")
    (True, False)
    """
    return _ALLOWANCE_NAME.fullmatch(name) is not None


def allowance_id(key: OrderKey, n: int) -> str:
    """Allowance id (折讓識別碼): the order's ``n``-th allowance, over all its generations."""
    return base64.urlsafe_b64encode(joined(key.source, key.order_id, "A", str(n)).encode()).decode().rstrip("=")


def parse_allowance_id(merchant: str, text: str) -> tuple[OrderKey, int] | None:
    """The order and number an allowance id names; None if it is not one of ours.

    >>> key = OrderKey("shop", "api", "#10|18")
    >>> parse_allowance_id("shop", allowance_id(key, 2)) == (key, 2)
    True
    >>> parse_allowance_id("shop", invoice_id(key, 2)) is None
    True
    """
    match _parts(text):
        case [source, order_id, "A", number] if valid_source(source) and _GENERATION.fullmatch(number):
            key, n = OrderKey(merchant, source, order_id), int(number)
        case _:
            return None
    return (key, n) if allowance_id(key, n) == text else None

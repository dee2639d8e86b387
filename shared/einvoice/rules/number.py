"""Invoice number (發票號碼) and random code (隨機碼), as the centre returns them.

Two capitals (字軌) and eight digits; four digits. Source: MIG 4.1 ``InvoiceNumberType`` and ``RandomNumber``.

>>> is_invoice_number("AB12345678"), is_invoice_number("AB-12345678"), is_invoice_number("ab12345678")
(True, False, False)
>>> is_random_code("0122"), is_random_code("12")
(True, False)
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[A-Z]{2}[0-9]{8}")
_RANDOM_CODE = re.compile(r"[0-9]{4}")


def is_invoice_number(text: str) -> bool:
    """Whether this is a whole invoice number, without the hyphen it is printed with."""
    return _NUMBER.fullmatch(text) is not None


def is_random_code(text: str) -> bool:
    """Whether this is a random code."""
    return _RANDOM_CODE.fullmatch(text) is not None

"""The encoding of ``Data``: JSON, urlencode, AES-128-CBC with PKCS7, Base64.

Source: ECPay developers page 7958. Requests are form-urldecoded, so every flavour of percent-encoding is read (upper or
lower hex, space as ``+`` or ``%20``); answers are encoded the way PHP's ``urlencode`` does it (space is ``+``).
"""

from __future__ import annotations

import base64
import binascii
import json
from decimal import Decimal
from typing import NoReturn
from urllib.parse import quote_plus, unquote_plus

from Crypto.Cipher import AES
from Crypto.Util.Padding import pad, unpad


class Unreadable(Exception):
    """The text is not what this key encrypts, or not a JSON object inside."""


def php_urlencode(text: str) -> str:
    """Percent-encode as PHP ``urlencode``: only letters, digits and ``-_.`` stay, space becomes ``+``.

    >>> php_urlencode("a b~(é)")
    'a+b%7E%28%C3%A9%29'
    """
    return quote_plus(text, safe="").replace("~", "%7E")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parse_object(text: str | bytes) -> dict[str, object]:
    """Read one JSON object; numbers with a fraction become ``Decimal``. Raises ``Unreadable``."""
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    if not isinstance(value, dict):
        raise Unreadable("not a JSON object")
    return value


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")


def dump(value: object) -> str:
    """Compact JSON as PHP's ``json_encode`` writes it (non-ASCII escaped)."""
    return json.dumps(value, separators=(",", ":"), default=_number)


def encrypt(payload: object, key: str, iv: str) -> str:
    """``Data`` of an answer."""
    cipher = AES.new(key.encode(), AES.MODE_CBC, iv.encode())
    encoded = php_urlencode(dump(payload)).encode()
    return base64.b64encode(cipher.encrypt(pad(encoded, AES.block_size))).decode()


def decrypt(text: str, key: str, iv: str) -> dict[str, object]:
    """The JSON object inside ``Data`` of a request. Raises ``Unreadable``."""
    try:
        blocks = base64.b64decode(text, validate=True)
        plain = unpad(AES.new(key.encode(), AES.MODE_CBC, iv.encode()).decrypt(blocks), AES.block_size).decode()
    except (binascii.Error, ValueError) as error:  # UnicodeDecodeError is a ValueError too
        raise Unreadable(str(error)) from error
    return parse_object(unquote_plus(plain, errors="strict"))

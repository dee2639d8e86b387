"""CheckMacValue (檢查碼) of the callbacks: MD5 over the sorted fields between HashKey and HashIV.

Source: ECPay developers pages 38242 (the steps and a vector) and 38406 (the table of characters .NET leaves alone).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import quote_plus

FIELD = "CheckMacValue"


def dotnet_urlencode(text: str) -> str:
    """Percent-encode in lower case as .NET does: ``-_.!*()`` stay, space becomes ``+``.

    >>> dotnet_urlencode("A b~!*()-_.'")
    'a+b%7e!*()-_.%27'
    """
    return quote_plus(text, safe="!*()").replace("~", "%7E").lower()


def check_mac_value(fields: Mapping[str, str], key: str, iv: str) -> str:
    """The 32 upper-case hex digits that belong to ``fields``; one that is named CheckMacValue does not count."""
    names = sorted((name for name in fields if name != FIELD), key=str.lower)
    text = "&".join([f"HashKey={key}", *(f"{name}={fields[name]}" for name in names), f"HashIV={iv}"])
    return hashlib.md5(dotnet_urlencode(text).encode()).hexdigest().upper()

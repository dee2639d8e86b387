"""Who sent a webhook, and what it says (通知驗章): a keyed hash over the very bytes received, headers without case.

EasyStore and CYBERBIZ both sign the raw body with HMAC-SHA256 under a secret of the app and send it as hexadecimal;
older texts say Base64, so that is taken too. Neither covers the headers, the time or the shop.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from einvoice.errors import InvalidRequest
from einvoice.platforms.base import Json
from einvoice.platforms.codes import Code, violation
from einvoice.platforms.reading import json_of


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, in any case; empty if it is missing or there are several."""
    found = [value for key, value in headers.items() if key.lower() == name.lower()]
    return found[0].strip() if len(found) == 1 else ""


def signed(raw: bytes, secret: str, signature: str) -> bool:
    """Whether ``signature`` is that of ``raw`` under ``secret``, as hexadecimal or Base64; never with an empty secret.

    >>> signed(b"{}", "s", hmac.new(b"s", b"{}", "sha256").hexdigest().upper()), signed(b"{}", "", "")
    (True, False)
    """
    if not secret or not signature:
        return False
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).digest()
    given = signature.encode()
    as_hex = hmac.compare_digest(given.lower(), digest.hex().encode())
    as_base64 = hmac.compare_digest(given, base64.b64encode(digest))
    return as_hex or as_base64


def read(raw: bytes) -> Json:
    """The JSON object of a body, its numbers exact; InvalidRequest for anything else."""
    try:
        body = json_of(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise refusal(Code.BODY_UNREADABLE, "body")
    return body


def refusal(code: Code, path: str, **values: str | int) -> InvalidRequest:
    """The error for a notice that is no event."""
    return InvalidRequest([violation(code, path, **values)])


def required_header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header that has to be there, once."""
    value = header(headers, name)
    if not value:
        raise refusal(Code.HEADER_MISSING, f"headers.{name}", name=name)
    return value


def fingerprint(shop: str, topic: str, order_id: str, raw: bytes) -> str:
    """The same for every delivery of one body by one shop; parts are length-prefixed, so none can pose as another.

    >>> fingerprint("a", "bc", "1", b"") == fingerprint("ab", "c", "1", b"")
    False
    """
    parts = [part.encode() for part in (shop, topic, order_id)] + [hashlib.sha256(raw).digest()]
    return hashlib.sha256(b"".join(b"%d:%s" % (len(part), part) for part in parts)).hexdigest()

"""The consent callback (線上折讓同意通知): ECPay tells ReturnURL that the buyer agreed, under a CheckMacValue (檢查碼).

It names no merchant and no time, so it can be replayed and proves nothing by itself: it is only a reason to look the
allowance up. The merchant is the one of the address it was sent to, and the keys are that merchant's. The only answer
that ECPay takes for a receipt is ``ACCEPTED``.
Source: ECPay developers pages 15391, 38242 (fields, steps and a vector), 38406 (characters that .NET leaves alone).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, quote_plus

from einvoice.providers.ecpay.crypto import Credentials
from einvoice.providers.ecpay.errors import SUCCESS
from einvoice.providers.ecpay.fields import Unreadable, allowance_number, instant, invoice_number, text, whole

ACCEPTED = "1|OK"
CONTENT_TYPE = "application/x-www-form-urlencoded"
MAX_FORM_BYTES = 4096  # seven short fields; the longest, RtnMsg, has 200 characters, nine bytes each when encoded
MAX_FORM_FIELDS = 20

_MAC = "CheckMacValue"
_DOTNET_SAFE = "!*()"  # besides letters, digits and -_. which every flavour leaves alone


@dataclass(frozen=True, slots=True)
class Consent:
    """What the callback says: allowance and invoice, when the buyer agreed, what is left of the invoice."""

    allowance_number: str
    invoice_number: str
    agreed_at: datetime
    remaining_twd: int


def read_form(body: bytes, content_type: str) -> Mapping[str, str] | None:
    """The fields of a callback's raw body; None for anything but one small, clean form.

    A name that comes twice, in whatever case, is refused: which of the two was signed would be ours to guess.

    >>> read_form(b"RtnCode=1&RtnMsg=", "application/x-www-form-urlencoded; charset=utf-8")
    {'RtnCode': '1', 'RtnMsg': ''}
    >>> read_form(b"RtnCode=1&rtncode=0", "application/x-www-form-urlencoded") is None
    True
    """
    if content_type.partition(";")[0].strip().lower() != CONTENT_TYPE or len(body) > MAX_FORM_BYTES:
        return None
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FORM_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError, a field without "=", too many of them
        return None
    names = {name.lower() for name, _ in pairs}
    return dict(pairs) if pairs and len(names) == len(pairs) else None


def verify(form: Mapping[str, str], credentials: Credentials) -> bool:
    """Whether a form of ``read_form``'s carries the CheckMacValue of its other fields; compared in constant time."""
    given = form.get(_MAC, "")
    return hmac.compare_digest(given.encode(), check_mac_value(form, credentials).encode())


def check_mac_value(form: Mapping[str, str], credentials: Credentials) -> str:
    """MD5 over the fields, sorted by name whatever its case, between the two keys; 32 capital hex digits."""
    names = sorted((name for name in form if name != _MAC), key=str.lower)
    fields = [f"{name}={form[name]}" for name in names]
    joined = "&".join([f"HashKey={credentials.hash_key}", *fields, f"HashIV={credentials.hash_iv}"])
    return hashlib.md5(_dotnet_encoded(joined).encode()).hexdigest().upper()  # noqa: S324 - ECPay's protocol asks for it


def parse_consent(form: Mapping[str, str]) -> Consent | None:
    """The consent in a verified ``form``; None where it tells of none, or a field cannot be read."""
    try:
        if text(form, "RtnCode") != SUCCESS:
            return None
        return Consent(
            allowance_number=allowance_number(form, "IA_Allow_No"),
            invoice_number=invoice_number(form, "IA_Invoice_No"),
            agreed_at=instant(form, "IA_Date"),
            remaining_twd=whole(form, "IIS_Remain_Allowance_Amt"),  # IIS here, IA in the answers
        )
    except Unreadable:
        return None


def _dotnet_encoded(joined: str) -> str:
    """URL-encoded as .NET does it, then in lower case, which the keys are too.

    >>> _dotnet_encoded("A b~!*()-_.'/")
    'a+b%7e!*()-_.%27%2f'
    """
    return quote_plus(joined, safe=_DOTNET_SAFE).replace("~", "%7e").lower()

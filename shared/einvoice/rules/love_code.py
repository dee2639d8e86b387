"""Donation code (捐贈碼, 愛心碼): three to seven digits that name a charity; text, because zeros may lead.

Source: 電子發票實施作業要點; MIG 4.1 ``NPOBAN``; ECPay developers page 7891.

>>> problem("168001"), problem("007"), problem("12").name
(None, None, 'LOVE_CODE_FORM')
"""

from __future__ import annotations

import re

from einvoice.rules.codes import Code

_FORM = re.compile(r"[0-9]{3,7}")


def problem(love_code: str) -> Code | None:
    """LOVE_CODE_FORM, or None. Whether the charity exists is for the centre to say."""
    return None if _FORM.fullmatch(love_code) else Code.LOVE_CODE_FORM

"""Unified business number (統一編號): eight digits, the last one closing a weighted sum.

Issued by the Fiscal Information Agency (財政部財政資訊中心). Weights 1 2 1 2 1 2 4 1; the digits of every product are
added up. Since 2023-04 the sum must be a multiple of 5 (before: of 10), because the old numbers ran out; every old
number stays valid. Where the seventh digit is 7, its product 28 may count as 1 or as 0, so two sums are tried.
Source: https://www.fia.gov.tw/singlehtml/3?cntId=c4d9cff38c8642ef8872774ee9987283

A few numbers in real use fail the sum, so a person who looked one up may override that; form is never overridden.

>>> today = date(2026, 1, 1)
>>> problem("04595257", today), problem("04595252", today), problem("10458574", today)
(None, None, None)
>>> problem("04595252", date(2023, 3, 31)).name, problem("12345678", today).name
('UBN_CHECKSUM', 'UBN_CHECKSUM')
>>> problem("12345678", today, override="looked up at the registry"), problem("00000000", today, override="x").name
(None, 'UBN_ZERO')
"""

from __future__ import annotations

import re
from datetime import date

from einvoice.rules import law
from einvoice.rules.codes import Code

_FORM = re.compile(r"[0-9]{8}")
_NO_BUYER = "00000000"  # passes the arithmetic, and stands for "no buyer" on the printed invoice
_WEIGHTS = (1, 2, 1, 2, 1, 2, 4, 1)


def problem(ubn: str, on: date, *, override: str = "") -> Code | None:
    """What is wrong with a 統編 on a day: UBN_FORM, UBN_ZERO, UBN_CHECKSUM, or None.

    ``override`` is a person's reason to accept it although the checksum fails.
    """
    if not _FORM.fullmatch(ubn):
        return Code.UBN_FORM
    if ubn == _NO_BUYER:
        return Code.UBN_ZERO
    if not _sum_closes(ubn, law.in_force(law.UBN_DIVISOR, on).value) and not override.strip():
        return Code.UBN_CHECKSUM
    return None


def _sum_closes(ubn: str, divisor: int) -> bool:
    total = sum(sum(divmod(int(digit) * weight, 10)) for digit, weight in zip(ubn, _WEIGHTS, strict=True))
    # 7 x 4 = 28, 2 + 8 = 10: counted as 10 it is the rule's "0" (a multiple of both divisors), and plus 1 its "1"
    return total % divisor == 0 or (ubn[6] == "7" and (total + 1) % divisor == 0)

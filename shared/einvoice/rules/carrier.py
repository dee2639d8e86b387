"""Carrier number (載具號碼): what each kind of carrier's number looks like.

Mobile barcode (手機條碼, 3J0002): ``/`` and seven of ``0-9 A-Z . + -``. Citizen certificate (自然人憑證, CQ0001): two
capitals and fourteen digits. The member carrier (會員載具) has no number of ours: the centre fills it in.
Source: 電子發票實施作業要點; MIG 4.1 CarrierType/CarrierId1; ECPay developers page 7896.

>>> problem(CarrierKind.MOBILE_BARCODE, "/TRM+O+P"), problem(CarrierKind.CITIZEN_CERTIFICATE, "TP03000001234567")
(None, None)
>>> problem(CarrierKind.MOBILE_BARCODE, "/TRM O+P").name  # a blank is never taken for the "+" it may have been
'CARRIER_NUMBER_FORM'
"""

from __future__ import annotations

import re

from einvoice.model import CarrierKind
from einvoice.rules.codes import Code

_FORMS = {
    CarrierKind.MOBILE_BARCODE: re.compile(r"/[0-9A-Z.+\-]{7}"),
    CarrierKind.CITIZEN_CERTIFICATE: re.compile(r"[A-Z]{2}[0-9]{14}"),
    CarrierKind.MEMBER: None,
}


def problem(kind: CarrierKind, number: str) -> Code | None:
    """What is wrong: CARRIER_NUMBER_FORBIDDEN, CARRIER_NUMBER_MISSING, CARRIER_NUMBER_FORM, or None."""
    form = _FORMS[kind]
    if form is None:
        return Code.CARRIER_NUMBER_FORBIDDEN if number else None
    if not number:
        return Code.CARRIER_NUMBER_MISSING
    return None if form.fullmatch(number) else Code.CARRIER_NUMBER_FORM

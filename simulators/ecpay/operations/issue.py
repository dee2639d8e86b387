"""Issue (開立發票). ECPay developers page 7896."""

from __future__ import annotations

import secrets
from datetime import timedelta

from simulators.ecpay import codes, tracks
from simulators.ecpay.codes import Refused
from simulators.ecpay.documents import Content, Delayed, Invoice
from simulators.ecpay.fields import Data
from simulators.ecpay.invoice_fields import read_content
from simulators.ecpay.operations.base import Call, Operation, Reply, check_merchant
from simulators.ecpay.periods import stamp

BLANK = {"InvoiceNo": "", "InvoiceDate": "", "RandomNumber": ""}


def another_random(former: str = "") -> str:
    """Four digits (隨機碼) other than ``former``."""
    while (code := f"{secrets.randbelow(10_000):04d}") == former:
        pass
    return code


def next_number(call: Call, content: Content) -> str:
    """The next invoice number. Raises ``Refused`` with 5070350."""
    if call.exhausted:
        raise Refused(codes.NO_TRACK)
    return tracks.take(call.world, call.merchant, content.inv_type, content.product_service_id, call.now)


def check_relate(call: Call, content: Content, own: Delayed | None = None) -> None:
    """The RelateNumber belongs to no invoice and to no delayed one but ``own``. Raises ``Refused`` with 5070357."""
    key = (call.merchant.merchant_id, content.relate.lower())
    if key in call.world.by_relate or call.world.waiting_relates.get(key, own) is not own:
        raise Refused(codes.RELATE_DUPLICATE)


def create(call: Call, content: Content, own: Delayed | None = None) -> Invoice:
    """Give ``content`` a number and keep it. RelateNumber is unique for ever and in any case, also after a void."""
    check_relate(call, content, own)
    merchant_id = call.merchant.merchant_id
    invoice = Invoice(
        merchant_id=merchant_id,
        number=next_number(call, content),
        created=call.now.replace(microsecond=0),
        random=another_random(),
        content=content,
        visible_at=call.now + timedelta(seconds=call.read_lag_s),
    )
    call.world.by_relate[merchant_id, content.relate.lower()] = invoice
    call.world.invoices[merchant_id, invoice.number] = invoice
    return invoice


def issued(invoice: Invoice) -> Reply:
    """The answer of Issue and VoidWithReIssue."""
    return {
        "RtnCode": 1,
        "RtnMsg": "開立發票成功",
        "InvoiceNo": invoice.number,
        "InvoiceDate": stamp(invoice.created),
        "RandomNumber": invoice.random,
    }


def issue(call: Call, data: Data) -> Reply:
    """Issue at once."""
    check_merchant(call, data)
    return issued(create(call, read_content(data, strict=call.strict)))


OPERATIONS = (Operation("Issue", issue, writes=True, blank=BLANK),)

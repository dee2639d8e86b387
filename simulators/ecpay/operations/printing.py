"""InvoicePrint (列印發票): an address, valid for an hour, of a page served here. ECPay developers page 7949."""

from __future__ import annotations

import secrets
from datetime import timedelta

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.fields import Data, Field, check
from simulators.ecpay.operations.base import Call, Operation, Reply, check_invoice_no, check_merchant
from simulators.ecpay.pages import FOR_BUSINESS, PRINT_PATH, STYLES
from simulators.ecpay.state import PrintOrder

VALID_FOR = timedelta(hours=1)
FIELDS = (
    Field("PrintStyle", 1, codes.PRINT_STYLE, pattern="[1-5]"),
    Field("IsShowingDetail", 1, codes.PRINT_DETAIL, pattern="[12]"),
    Field("IsReprintInvoice", 1, codes.PRINT_REPRINT, pattern="[YN]"),
)


def invoice_print(call: Call, data: Data) -> Reply:
    """Only an invoice that was to be on paper has a page."""
    check_merchant(call, data)
    check_invoice_no(data)
    check(FIELDS, data, strict=call.strict)
    style = data.text("PrintStyle") or STYLES[0]
    invoice = call.invoice_of_day(data)
    if invoice is None or invoice.content.print_flag != "1":
        raise Refused(codes.NO_DATA)
    business = bool(invoice.content.ubn)
    if style in FOR_BUSINESS and not business:
        raise Refused(codes.PRINT_STYLE)
    reprint = data.text("IsReprintInvoice") == "Y"
    if reprint and style in FOR_BUSINESS:
        raise Refused(codes.PRINT_REPRINT)
    token = secrets.token_urlsafe(24)
    detail = business or data.text("IsShowingDetail") != "2"  # a business always sees it
    call.world.prints[token] = PrintOrder(invoice, call.now + VALID_FOR, style, with_detail=detail, reprint=reprint)
    invoice.printed = True
    return {"RtnCode": 1, "RtnMsg": "成功", "InvoiceHtml": f"{call.base_url}{PRINT_PATH}{token}"}


OPERATIONS = (Operation("InvoicePrint", invoice_print, blank={"InvoiceHtml": ""}),)

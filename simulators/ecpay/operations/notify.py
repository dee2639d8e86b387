"""InvoiceNotify (發送通知). ECPay developers page 7938. Nothing is sent; what would be is kept for the control API."""

from __future__ import annotations

from collections.abc import Callable

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.documents import Invoice, Notification
from simulators.ecpay.fields import Data, Field, check
from simulators.ecpay.operations.allowance import MAILS
from simulators.ecpay.operations.base import Call, Operation, Reply, check_merchant

FIELDS = (
    Field("InvoiceNo", 10, codes.INVOICE_NO_LENGTH, codes.INVOICE_NO_LENGTH, ".{10}"),
    Field("AllowanceNo", 16, codes.NOTIFY_FIELD, pattern="[A-Za-z0-9]+"),
    Field("Phone", 20, codes.NOTIFY_ADDRESS, pattern=r"\d+"),
    Field("NotifyMail", 200, codes.NOTIFY_ADDRESS, pattern=MAILS),
    Field("Notify", 1, codes.NOTIFY_FIELD, codes.NOTIFY_FIELD, "[SEA]"),
    Field("InvoiceTag", 2, codes.NOTIFY_FIELD, codes.NOTIFY_FIELD, "I|II|A|AI|AW|OA|OI"),
    Field("Notified", 1, codes.NOTIFY_FIELD, codes.NOTIFY_FIELD, "[CMA]"),
)
# Notify: which addresses are needed. For both ways (A) one of them will do, as the page asks for either.
NEEDED: dict[str, Callable[[Data], bool]] = {
    "S": lambda data: bool(data.text("Phone")),
    "E": lambda data: bool(data.text("NotifyMail")),
    "A": lambda data: bool(data.text("Phone") or data.text("NotifyMail")),
}


def _allowance_is(call: Call, invoice: Invoice, number: str, *, void: bool) -> bool:
    found = call.world.allowances.get((invoice.merchant_id, number))
    return found is not None and found.invoice is invoice and (found.voided is not None) == void


def _request_is(call: Call, invoice: Invoice, number: str, *states: str) -> bool:
    found = call.world.requests.get((invoice.merchant_id, number))
    return found is not None and found.allowance.invoice is invoice and found.state in states


# InvoiceTag: whether there is anything to tell. OI stands only in ECPay's .NET SDK: taken for the end of an OA.
TAGS: dict[str, Callable[[Call, Invoice, str], bool]] = {
    "I": lambda _call, invoice, _number: invoice.voided is None,
    "II": lambda _call, invoice, _number: invoice.voided is not None,
    "A": lambda call, invoice, number: _allowance_is(call, invoice, number, void=False),
    "AI": lambda call, invoice, number: _allowance_is(call, invoice, number, void=True),
    "AW": lambda _call, invoice, _number: bool(invoice.award),
    "OA": lambda call, invoice, number: _request_is(call, invoice, number, "waiting"),
    "OI": lambda call, invoice, number: _request_is(call, invoice, number, "cancelled", "expired"),
}
ONLINE = {"OA", "OI"}


def invoice_notify(call: Call, data: Data) -> Reply:
    """Tell buyer or merchant; RtnCode 7 where there is nothing of that kind to tell."""
    check_merchant(call, data)
    check(FIELDS, data, strict=call.strict)
    tag, number = data.text("InvoiceTag"), data.text("AllowanceNo")
    if not NEEDED[data.text("Notify")](data):
        raise Refused(codes.NOTIFY_ADDRESS)
    if tag in ONLINE and (data.text("Notify"), data.text("Notified")) != ("E", "C"):
        raise Refused(codes.NOTIFY_ONLINE)
    invoice = call.invoice(data.text("InvoiceNo"))
    if invoice is None or not TAGS[tag](call, invoice, number):
        raise Refused(codes.NO_DATA)
    call.world.notifications.append(
        Notification(
            at=call.now,
            merchant_id=call.merchant.merchant_id,
            invoice_no=invoice.number,
            allowance_no=number,
            tag=tag,
            notify=data.text("Notify"),
            notified=data.text("Notified"),
        )
    )
    return {"MerchantID": call.merchant.merchant_id, "RtnCode": 1, "RtnMsg": "發送通知成功"}


OPERATIONS = (Operation("InvoiceNotify", invoice_notify, writes=True),)

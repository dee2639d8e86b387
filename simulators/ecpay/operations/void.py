"""Invalid (作廢發票) and VoidWithReIssue (註銷重開). ECPay developers pages 7906 and 7918."""

from __future__ import annotations

from datetime import timedelta

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.documents import Invoice
from simulators.ecpay.fields import Data, Field, check
from simulators.ecpay.invoice_fields import read_content
from simulators.ecpay.operations.base import Call, Operation, Reply, check_invoice_no, check_merchant
from simulators.ecpay.operations.issue import BLANK, another_random, issued, next_number
from simulators.ecpay.periods import last_moment_to_void, parse_day, parse_instant
from simulators.ecpay.state import upload_of

VOID_FIELDS = (
    Field("InvoiceNo", 10, codes.INVOICE_NO_LENGTH, codes.INVOICE_NO_LENGTH, ".{10}"),
    Field("Reason", 20, codes.VOID_REASON, codes.VOID_REASON),
)
REISSUE_VOID_FIELDS = (
    Field("InvoiceNo", 10, codes.INVOICE_NO_LENGTH, codes.INVOICE_NO_LENGTH, ".{10}"),
    Field("VoidReason", 20, codes.VOID_REASON, codes.VOID_REASON),
)
REISSUE_WITHIN = timedelta(hours=48)  # ECPay support on the back office function; the strict profile only


def _reissue_waits(call: Call, invoice: Invoice) -> bool:
    """A re-issued invoice cannot be changed again before the ministry has it."""
    return invoice.reissued is not None and not upload_of(call.world.settings, invoice, call.now).done


def invalid(call: Call, data: Data) -> Reply:
    """Void one invoice of a period that is still open and has no allowance in force."""
    check_merchant(call, data)
    check(VOID_FIELDS, data, strict=call.strict)
    if parse_day(data.text("InvoiceDate")) is None:
        raise Refused(codes.VOID_DATE_FORMAT)
    invoice = call.invoice_of_day(data)
    if invoice is None:
        raise Refused(codes.INVOICE_UNKNOWN)
    if invoice.voided is not None:
        raise Refused(codes.ALREADY_VOID, InvoiceNo=invoice.number)
    if _reissue_waits(call, invoice):
        raise Refused(codes.REISSUE_NOT_UPLOADED)
    if invoice.live_allowances or invoice.reserved_twd:
        raise Refused(codes.HAS_ALLOWANCE)
    if call.now >= last_moment_to_void(invoice.created) + timedelta(seconds=1):
        raise Refused(codes.VOID_LATE)
    if call.strict and invoice.content.donation == "1":
        raise Refused(codes.VOID_DONATED)
    invoice.voided = call.now.replace(microsecond=0)
    invoice.void_reason = data.text("Reason")
    return {"RtnCode": 1, "RtnMsg": "作廢發票成功", "InvoiceNo": invoice.number}


def void_with_reissue(call: Call, data: Data) -> Reply:
    """Withdraw and issue again: same RelateNumber and time, another random code, the upload starts over."""
    void_model, issue_model = data.child("VoidModel"), data.child("IssueModel")
    if void_model is None or issue_model is None:
        raise Refused(codes.REISSUE_MODELS)
    for part in (data, void_model, issue_model):
        if part.has("MerchantID"):
            check_merchant(call, part)
    check(REISSUE_VOID_FIELDS, void_model, strict=call.strict)
    check_invoice_no(void_model)
    content = read_content(issue_model, strict=call.strict)
    invoice = call.invoice(void_model.text("InvoiceNo"))
    if invoice is None:
        raise Refused(codes.NOT_FOUND)
    _check_reissue(call, invoice, issue_model)
    if not call.world.settings.reissue_keeps_number:
        number = next_number(call, content)
        del call.world.invoices[invoice.merchant_id, invoice.number]
        invoice.number = number
        call.world.invoices[invoice.merchant_id, number] = invoice
    invoice.former.append(invoice.content)
    invoice.content = content
    invoice.random = another_random(invoice.random)
    invoice.reissued = call.now.replace(microsecond=0)
    invoice.upload_failed = False
    return issued(invoice)


def _check_reissue(call: Call, invoice: Invoice, issue_model: Data) -> None:
    if invoice.voided is not None:
        raise Refused(codes.REISSUE_VOID)
    if invoice.live_allowances or invoice.reserved_twd:
        raise Refused(codes.REISSUE_HAS_ALLOWANCE)
    if parse_instant(issue_model.text("InvoiceDate")) != invoice.created:
        raise Refused(codes.REISSUE_DATE)
    if _reissue_waits(call, invoice):
        raise Refused(codes.REISSUE_WAITS)
    if call.now >= last_moment_to_void(invoice.created) + timedelta(seconds=1):
        raise Refused(codes.REISSUE_LATE)
    if call.strict and not upload_of(call.world.settings, invoice, call.now).done:
        raise Refused(codes.REISSUE_WAITS)
    if call.strict and call.now > invoice.created + REISSUE_WITHIN:
        raise Refused(codes.REISSUE_LATE)


OPERATIONS = (
    Operation("Invalid", invalid, writes=True, rtn_code_as_text=True, blank={"InvoiceNo": ""}),
    Operation("VoidWithReIssue", void_with_reissue, writes=True, blank=BLANK),
)

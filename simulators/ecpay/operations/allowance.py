"""Paper allowances (折讓單): Allowance and AllowanceInvalid. ECPay developers pages 7901 and 7911."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from simulators.ecpay import codes
from simulators.ecpay.amounts import RATES, round_half_up, tax_inside
from simulators.ecpay.codes import Refused
from simulators.ecpay.documents import Allowance, Invoice, Line
from simulators.ecpay.fields import Data, Field, check
from simulators.ecpay.invoice_fields import read_lines, tax_rate
from simulators.ecpay.operations.base import Call, Operation, Reply, check_merchant
from simulators.ecpay.periods import TAIPEI, last_moment_to_void, stamp
from simulators.ecpay.state import World, upload_of

NUMBER_DIGITS = 16
MAILS = r"[^@\s;,]+@[^@\s;,]+(;[^@\s;,]+@[^@\s;,]+)*"
COMMON_FIELDS = (
    Field("InvoiceNo", 10, codes.INVOICE_NO_LENGTH, codes.INVOICE_NO_LENGTH, ".{10}"),
    Field("CustomerName", 60, codes.ALLOWANCE_FIELD),
    Field("NotifyMail", 100, codes.ALLOWANCE_FIELD, pattern=MAILS),
    Field("NotifyPhone", 20, codes.ALLOWANCE_FIELD, pattern=r"\d+"),
    Field("Reason", 50, codes.ALLOWANCE_FIELD),
)
FIELDS = (*COMMON_FIELDS, Field("AllowanceNotify", 1, codes.ALLOWANCE_FIELD, codes.ALLOWANCE_FIELD, "[SEAN]"))
NOTIFY_FIELDS = {
    "E": (Field("NotifyMail", 100, codes.ALLOWANCE_FIELD, codes.ALLOWANCE_FIELD),),
    "S": (Field("NotifyPhone", 20, codes.ALLOWANCE_FIELD, codes.ALLOWANCE_FIELD),),
    "N": (),
}
NOTIFY_FIELDS["A"] = NOTIFY_FIELDS["E"] + NOTIFY_FIELDS["S"]
ITEM_FIELDS = (
    Field("ItemName", 500, codes.ALLOWANCE_FIELD, codes.ALLOWANCE_FIELD),
    Field("ItemWord", 6, codes.ALLOWANCE_FIELD),
    Field("ItemTaxType", 1, codes.ALLOWANCE_FIELD, pattern="[123]"),
)
VOID_FIELDS = (
    Field("InvoiceNo", 10, codes.INVOICE_NO_LENGTH, codes.INVOICE_NO_LENGTH, ".{10}"),
    Field("AllowanceNo", 16, codes.ALLOWANCE_VOID_FIELD, codes.ALLOWANCE_VOID_FIELD, "[A-Za-z0-9]+"),
    Field("Reason", 20, codes.ALLOWANCE_VOID_FIELD, codes.ALLOWANCE_VOID_FIELD),
)


def allowance(call: Call, data: Data) -> Reply:
    """Allow a part of an invoice. Nothing recognises a repeat: it makes a second allowance."""
    check_merchant(call, data)
    check(FIELDS, data, strict=call.strict)
    check(NOTIFY_FIELDS[data.text("AllowanceNotify")], data, strict=call.strict)
    made = draft(call, data, f"{call.now.astimezone(TAIPEI):%Y%m%d%H%M}")
    put_in_force(call.world, made)
    return {
        "RtnCode": 1,
        "RtnMsg": "折讓單資料新增成功",
        "IA_Allow_No": made.number,
        "IA_Invoice_No": made.invoice_no,
        "IA_Date": stamp(made.created),
        "IA_Remain_Allowance_Amt": made.invoice.remaining_twd,
    }


def put_in_force(world: World, made: Allowance) -> None:
    """From now on it takes its amount away."""
    world.allowances[made.invoice.merchant_id, made.number] = made
    made.invoice.allowances.append(made)


def draft(call: Call, data: Data, prefix: str) -> Allowance:
    """The allowance that is asked for, under a new number of 16 digits beginning with ``prefix``; not in force yet."""
    amount = data.integer("AllowanceAmount")
    if amount is None or amount < 1:
        raise Refused(codes.ALLOWANCE_AMOUNT)
    lines = read_lines(data, ITEM_FIELDS, codes.ALLOWANCE_FIELD, strict=call.strict)
    if not lines:
        raise Refused(codes.ALLOWANCE_FIELD)
    if call.strict and round_half_up(sum((line.amount for line in lines), Decimal(0))) != amount:
        raise Refused(codes.ALLOWANCE_ITEMS_SUM)
    invoice = _invoice_to_allow(call, data)
    if amount > invoice.remaining_twd:
        raise Refused(codes.ALLOWANCE_OVER)
    return Allowance(
        invoice=invoice,
        number=_next_number(call, prefix),
        created=call.now.replace(microsecond=0),
        amount_twd=amount,
        tax_twd=_tax(invoice, amount, lines),
        lines=lines,
        notify=data.text("AllowanceNotify"),
        mail=data.text("NotifyMail"),
        phone=data.text("NotifyPhone"),
        customer=data.text("CustomerName") or invoice.content.name,
        visible_at=call.now + timedelta(seconds=call.read_lag_s),
    )


def _next_number(call: Call, prefix: str) -> str:
    digits = NUMBER_DIGITS - len(prefix)
    while True:
        number = f"{prefix}{call.world.serial() % 10**digits:0{digits}d}"
        key = (call.merchant.merchant_id, number)
        if key not in call.world.allowances and key not in call.world.requests:
            return number


def _invoice_to_allow(call: Call, data: Data) -> Invoice:
    # Stage compares the invoice's date with nothing (observed 2026-08); the page asks for the real one.
    invoice = call.invoice_of_day(data) if call.strict else call.invoice(data.text("InvoiceNo"))
    if invoice is None:
        raise Refused(codes.INVOICE_UNKNOWN)
    if invoice.voided is not None:
        raise Refused(codes.ALLOWANCE_ON_VOID)
    if (call.strict or invoice.reissued) and not upload_of(call.world.settings, invoice, call.now).done:
        raise Refused(codes.ALLOWANCE_NOT_UPLOADED)
    return invoice


def _tax(invoice: Invoice, amount: int, lines: tuple[Line, ...]) -> int:
    if invoice.content.tax_type != "9":
        return tax_inside(Decimal(amount), tax_rate(invoice.content))
    taxable = sum((line.amount for line in lines if line.tax_type == "1"), Decimal(0))
    return tax_inside(taxable, RATES["1"])


def allowance_invalid(call: Call, data: Data) -> Reply:
    """Void one allowance; its amount can be allowed again."""
    check_merchant(call, data)
    check(VOID_FIELDS, data, strict=call.strict)
    found = call.world.allowances.get((call.merchant.merchant_id, data.text("AllowanceNo")))
    if found is None or found.invoice_no != data.text("InvoiceNo"):
        raise Refused(codes.ALLOWANCE_UNKNOWN)
    if found.voided is not None:
        raise Refused(codes.ALLOWANCE_ALREADY_VOID)
    if call.now >= last_moment_to_void(found.created) + timedelta(seconds=1):
        raise Refused(codes.ALLOWANCE_VOID_LATE)
    found.voided = call.now.replace(microsecond=0)
    found.void_reason = data.text("Reason")
    return {"RtnCode": 1, "RtnMsg": "該折讓單已作廢", "IA_Invoice_No": found.invoice_no}


OPERATIONS = (
    Operation("Allowance", allowance, writes=True),
    Operation("AllowanceInvalid", allowance_invalid, writes=True, rtn_code_as_text=True),
)

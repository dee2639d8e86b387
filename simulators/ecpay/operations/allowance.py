"""Paper allowances (折讓單): Allowance, AllowanceInvalid, GetAllowanceList, GetAllowance.

ECPay developers pages 7901, 7911, 7928; GetAllowance has no page but stands in ECPay's PHP and .NET SDKs.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from simulators.ecpay import codes
from simulators.ecpay.amounts import RATES, round_half_up, tax_inside
from simulators.ecpay.codes import Refused
from simulators.ecpay.fields import Data, Field, check
from simulators.ecpay.invoice_fields import NO_UBN, read_lines, tax_rate
from simulators.ecpay.operations.base import Call, Operation, Reply, check_invoice_no, check_merchant
from simulators.ecpay.periods import TAIPEI, last_moment_to_void, parse_day, stamp
from simulators.ecpay.state import Allowance, Invoice, Line, document_upload_of, upload_of

FIELDS = (
    Field("InvoiceNo", 10, codes.INVOICE_NO_LENGTH, codes.INVOICE_NO_LENGTH, ".{10}"),
    Field("AllowanceNotify", 1, codes.ALLOWANCE_FIELD, codes.ALLOWANCE_FIELD, "[SEAN]"),
    Field("CustomerName", 60, codes.ALLOWANCE_FIELD),
    Field("NotifyMail", 100, codes.ALLOWANCE_FIELD),
    Field("NotifyPhone", 20, codes.ALLOWANCE_FIELD, pattern=r"\d+"),
    Field("Reason", 50, codes.ALLOWANCE_FIELD),
)
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
    made = Allowance(
        invoice=invoice,
        number=_next_number(call),
        created=call.now.replace(microsecond=0),
        amount_twd=amount,
        tax_twd=_tax(invoice, amount, lines),
        lines=lines,
        notify=data.text("AllowanceNotify"),
        mail=data.text("NotifyMail"),
        phone=data.text("NotifyPhone"),
        customer=data.text("CustomerName") or invoice.content.name,
    )
    call.world.allowances[invoice.merchant_id, made.number] = made
    invoice.allowances.append(made)
    return {
        "RtnCode": 1,
        "RtnMsg": "折讓單資料新增成功",
        "IA_Allow_No": made.number,
        "IA_Invoice_No": made.invoice_no,
        "IA_Date": stamp(made.created),
        "IA_Remain_Allowance_Amt": invoice.remaining_twd,
    }


def _next_number(call: Call) -> str:
    minute = f"{call.now.astimezone(TAIPEI):%Y%m%d%H%M}"
    while (number := f"{minute}{call.world.serial() % 10_000:04d}") and (
        (call.merchant.merchant_id, number) in call.world.allowances
    ):
        pass
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


def _described(call: Call, found: Allowance) -> Reply:
    invoice = found.invoice
    upload = document_upload_of(call.world.settings, found.voided or found.created, call.now)
    return {
        "IA_Allow_No": found.number,
        "IA_Check_Send_Mail": found.notify,
        "IA_Date": stamp(found.created),
        "IA_IP": "0",
        "IA_Identifier": invoice.content.ubn or NO_UBN,
        "IA_Invalid_Status": "1" if found.voided else "0",
        "IA_Invoice_Issue_Date": stamp(invoice.created),
        "IA_Invoice_No": found.invoice_no,
        "IA_Mer_ID": invoice.merchant_id,
        "IA_Send_Mail": found.mail,
        "IA_Send_Phone": found.phone,
        "IA_Tax_Amount": found.tax_twd,
        "IA_Tax_Type": invoice.content.tax_type,
        "IA_Total_Amount": found.amount_twd - found.tax_twd,
        "IA_Total_Tax_Amount": found.amount_twd,
        "IA_Upload_Date": stamp(upload.at) if upload.at else "",
        "IA_Upload_Status": upload.status,
        "IIS_Customer_Name": found.customer,
        "Items": [
            {
                "ItemSeq": line.seq,
                "ItemName": line.name,
                "ItemCount": float(line.count),
                "ItemWord": line.word,
                "ItemPrice": float(line.price),
                "ItemRateAmt": tax_inside(line.amount, tax_rate(invoice.content)),
                "ItemTaxType": line.tax_type,
                "ItemAmount": float(line.amount),
            }
            for line in found.lines
        ],
    }


def get_allowance_list(call: Call, data: Data) -> Reply:
    """Allowances by their number (SearchType 0), by invoice and issue date (1), by invoice and allowance date (2)."""
    check_merchant(call, data)
    by = data.text("SearchType")
    if by == "0" and data.text("AllowanceNo"):
        named = call.world.allowances.get((call.merchant.merchant_id, data.text("AllowanceNo")))
        found = [named] if named else []
    elif by in {"1", "2"} and data.text("InvoiceNo") and data.text("Date"):
        check_invoice_no(data)
        invoice, day = call.invoice(data.text("InvoiceNo")), parse_day(data.text("Date"))
        made = invoice.allowances if invoice else []
        found = [one for one in made if day == (one.invoice.created if by == "1" else one.created).date()]
    else:
        raise Refused(codes.ALLOWANCE_SEARCH)
    if not found:
        raise Refused(codes.NO_DATA)
    return {"RtnCode": 1, "RtnMsg": "成功", "AllowanceInfo": [_described(call, allowance) for allowance in found]}


def get_allowance(call: Call, data: Data) -> Reply:
    """One allowance as one flat object; both numbers are required (observed on stage 2026-09)."""
    check_merchant(call, data)
    if not data.text("InvoiceNo"):
        raise Refused(codes.ALLOWANCE_INVOICE_REQUIRED)
    if not data.text("AllowanceNo"):
        raise Refused(codes.ALLOWANCE_NO_REQUIRED)
    found = call.world.allowances.get((call.merchant.merchant_id, data.text("AllowanceNo")))
    if found is None or found.invoice_no != data.text("InvoiceNo"):
        raise Refused(codes.NO_DATA)
    return {"RtnCode": 1, "RtnMsg": "成功", "ChannelPartner": "", **_described(call, found)}


OPERATIONS = (
    Operation("Allowance", allowance, writes=True),
    Operation("AllowanceInvalid", allowance_invalid, writes=True, rtn_code_as_text=True),
    Operation("GetAllowanceList", get_allowance_list, blank={"AllowanceInfo": []}),
    Operation("GetAllowance", get_allowance),
)

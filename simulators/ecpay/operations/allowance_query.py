"""Queries of allowances: GetAllowanceList, GetAllowance, GetAllowanceInvalid, GetAllowanceByCollegiate (查詢折讓).

ECPay developers pages 7928 and 7943; GetAllowance stands in ECPay's PHP and .NET SDKs, GetAllowanceByCollegiate in the
.NET one, both without a page. The shape of the last one's answer is ours.
"""

from __future__ import annotations

from simulators.ecpay import codes
from simulators.ecpay.amounts import tax_inside
from simulators.ecpay.codes import Refused
from simulators.ecpay.documents import Allowance
from simulators.ecpay.fields import Data
from simulators.ecpay.invoice_fields import NO_UBN, tax_rate
from simulators.ecpay.operations.base import Call, Operation, Reply, check_invoice_no, check_merchant
from simulators.ecpay.periods import parse_day, stamp
from simulators.ecpay.state import document_upload_of

CONSENT_STATES = {"waiting": "0", "agreed": "1", "cancelled": "2", "expired": "3"}


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


def _visible(call: Call, number: str) -> Allowance | None:
    found = call.world.allowances.get((call.merchant.merchant_id, number))
    return found if found and found.visible_at <= call.now else None


def get_allowance_list(call: Call, data: Data) -> Reply:
    """Allowances by their number (SearchType 0), by invoice and issue date (1), by invoice and allowance date (2)."""
    check_merchant(call, data)
    by = data.text("SearchType")
    if by == "0" and data.text("AllowanceNo"):
        named = _visible(call, data.text("AllowanceNo"))
        found = [named] if named else []
    elif by in {"1", "2"} and data.text("InvoiceNo") and data.text("Date"):
        check_invoice_no(data)
        invoice, day = call.invoice(data.text("InvoiceNo")), parse_day(data.text("Date"))
        made = [one for one in invoice.allowances if one.visible_at <= call.now] if invoice else []
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
    found = _visible(call, data.text("AllowanceNo"))
    if found is None or found.invoice_no != data.text("InvoiceNo"):
        raise Refused(codes.NO_DATA)
    return {"RtnCode": 1, "RtnMsg": "成功", "ChannelPartner": "", **_described(call, found)}


def get_allowance_invalid(call: Call, data: Data) -> Reply:
    """The void of one allowance."""
    check_merchant(call, data)
    if not (data.text("InvoiceNo") and data.text("AllowanceNo")):
        raise Refused(codes.ALLOWANCE_INVALID_QUERY)
    found = _visible(call, data.text("AllowanceNo"))
    if found is None or found.invoice_no != data.text("InvoiceNo") or found.voided is None:
        raise Refused(codes.NO_DATA)
    upload = document_upload_of(call.world.settings, found.voided, call.now)
    return {
        "RtnCode": 1,
        "RtnMsg": "查詢成功",
        "AI_Allow_Date": stamp(found.created),
        "AI_Allow_No": found.number,
        "AI_Buyer_Identifier": found.invoice.content.ubn or NO_UBN,
        "AI_Date": stamp(found.voided),
        "AI_Invoice_No": found.invoice_no,
        # Stage sends this one as a number (observed 2026-09).
        "AI_Mer_ID": int(call.merchant.merchant_id) if call.merchant.merchant_id.isdigit() else "",
        "AI_Seller_Identifier": call.merchant.ubn,
        "AI_Upload_Date": stamp(upload.at) if upload.at else "",
        "AI_Upload_Status": upload.status,
        "Reason": found.void_reason,
    }


def get_allowance_by_collegiate(call: Call, data: Data) -> Reply:
    """One online allowance, whatever became of it."""
    check_merchant(call, data)
    if not (data.text("InvoiceNo") and data.text("AllowanceNo")):
        raise Refused(codes.COLLEGIATE_QUERY)
    request = call.world.requests.get((call.merchant.merchant_id, data.text("AllowanceNo")))
    if request is None or request.allowance.invoice_no != data.text("InvoiceNo"):
        raise Refused(codes.NO_DATA)
    return {
        "RtnCode": 1,
        "RtnMsg": "成功",
        **_described(call, request.allowance),
        "IA_Date": stamp(request.allowance.created) if request.state == "agreed" else "",
        "IA_TempDate": stamp(request.asked),
        "IA_TempExpireDate": stamp(request.expires),
        "IA_Consent_Status": CONSENT_STATES[request.state],
    }


OPERATIONS = (
    Operation("GetAllowanceList", get_allowance_list, blank={"AllowanceInfo": []}),
    Operation("GetAllowance", get_allowance),
    Operation("GetAllowanceInvalid", get_allowance_invalid),
    Operation("GetAllowanceByCollegiate", get_allowance_by_collegiate),
)

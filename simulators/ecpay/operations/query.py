"""GetIssue and GetInvalid (查詢). ECPay developers pages 7923 and 7933."""

from __future__ import annotations

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.documents import Invoice
from simulators.ecpay.fields import Data
from simulators.ecpay.invoice_fields import NO_UBN, tax_of, tax_rate
from simulators.ecpay.operations.base import Call, Operation, Reply, check_invoice_no, check_merchant
from simulators.ecpay.periods import parse_day, stamp
from simulators.ecpay.state import document_upload_of, upload_of


def _carrier_number(invoice: Invoice) -> str:
    content = invoice.content
    if content.carrier_type == "1":  # ECPay's member carrier (綠界會員載具) stands for the address or phone number
        return content.email or content.phone
    return content.carrier_number_2 if content.carrier_type in {"4", "5"} else content.carrier_number


def award_flag(invoice: Invoice) -> str:
    """IIS_Award_Flag: X for a business, empty before the draw and for donated ones, 0 no prize, 1 won."""
    if invoice.content.ubn:
        return "X"
    return "" if invoice.award is None else str(int(invoice.award > 0))


def summary(call: Call, invoice: Invoice) -> Reply:
    """The fields GetIssue and a row of GetIssueList share."""
    content = invoice.content
    upload = upload_of(call.world.settings, invoice, call.now)
    return {
        "IIS_Number": invoice.number,
        "IIS_Relate_Number": invoice.relate,
        "IIS_Identifier": content.ubn or NO_UBN,
        "IIS_Clearance_Mark": content.clearance_mark,
        "IIS_Category": "B2B" if content.ubn else "B2C",
        "IIS_Tax_Type": content.tax_type,
        "IIS_Tax_Rate": round(float(tax_rate(content)), 3),
        "IIS_Tax_Amount": tax_of(content) if content.ubn else 0,
        "IIS_Sales_Amount": content.sales_twd,
        "IIS_Create_Date": stamp(invoice.created),
        "IIS_Issue_Status": "1",
        "IIS_Invalid_Status": "1" if invoice.voided else "0",
        "IIS_Upload_Status": upload.status,
        "IIS_Upload_Date": stamp(upload.at) if upload.at else "",
        "IIS_Turnkey_Status": upload.turnkey,
        "IIS_Remain_Allowance_Amt": invoice.remaining_seen_twd(call.now),
        "IIS_Print_Flag": content.print_flag,
        "IIS_Award_Flag": award_flag(invoice),
        "IIS_Award_Type": invoice.award or 0,
        "IIS_Carrier_Type": content.carrier_type,
        "IIS_Carrier_Num": _carrier_number(invoice),
        "IIS_Love_Code": content.love_code or "0",
    }


def _detail(call: Call, invoice: Invoice) -> Reply:
    content = invoice.content
    return {
        **summary(call, invoice),
        "IIS_Mer_ID": invoice.merchant_id,
        "ChannelPartner": content.channel_partner,
        "IIS_Customer_ID": content.customer_id,
        "IIS_Customer_Name": content.name,
        "IIS_Customer_Addr": content.address,
        "IIS_Customer_Phone": content.phone,
        "IIS_Customer_Email": content.email,
        "IIS_Type": content.inv_type,
        "SpecialTaxType": content.special_tax_type,
        "ZeroTaxRateReason": content.zero_tax_reason,
        "IIS_Check_Number": "P",
        "IIS_IP": "0",
        "IIS_Random_Number": invoice.random,
        "InvoiceRemark": content.remark,
        "PosBarCode": "",
        "QRCode_Left": "",
        "QRCode_Right": "",
        "Items": [
            {
                "ItemSeq": line.seq,
                "ItemName": line.name,
                "ItemCount": float(line.count),
                "ItemWord": line.word,
                "ItemPrice": float(line.price),
                "ItemTaxType": line.tax_type,
                "ItemAmount": float(line.amount),
                "ItemRemark": line.remark,
            }
            for line in content.lines
        ],
    }


def _found(call: Call, data: Data) -> Invoice | None:
    """Every key that is present must match, an empty one matches nothing (observed on stage 2026-09)."""
    if data.has("RelateNumber"):
        key = (call.merchant.merchant_id, data.text("RelateNumber").lower())
        invoice = call.world.by_relate.get(key)
    else:
        invoice = call.invoice(data.text("InvoiceNo"))
    if invoice is None or invoice.visible_at > call.now:
        return None
    if data.has("InvoiceNo") and data.text("InvoiceNo") != invoice.number:
        return None
    if data.has("InvoiceDate") and parse_day(data.text("InvoiceDate")) != invoice.created.date():
        return None
    return invoice


def get_issue(call: Call, data: Data) -> Reply:
    """One invoice, by RelateNumber or by InvoiceNo and InvoiceDate; which of both is told by the keys present."""
    check_merchant(call, data)
    if not data.has("RelateNumber") and not (data.has("InvoiceNo") and data.has("InvoiceDate")):
        raise Refused(codes.QUERY_KEYS)
    if data.text("InvoiceNo"):
        check_invoice_no(data)
    invoice = _found(call, data)
    if invoice is None:
        raise Refused(codes.NOT_FOUND)
    return {"RtnCode": 1, "RtnMsg": "查詢成功", **_detail(call, invoice)}


def get_invalid(call: Call, data: Data) -> Reply:
    """The void of one invoice; all three keys are required (observed on stage 2026-09)."""
    check_merchant(call, data)
    if not data.text("RelateNumber"):
        raise Refused(codes.RELATE_REQUIRED)
    if not data.text("InvoiceNo") or not data.text("InvoiceDate"):
        raise Refused(codes.INVALID_QUERY_KEYS)
    check_invoice_no(data)
    invoice = _found(call, data)
    if invoice is None or invoice.voided is None:
        raise Refused(codes.NOT_FOUND)
    upload = document_upload_of(call.world.settings, invoice.voided, call.now)
    return {
        "RtnCode": 1,
        "RtnMsg": "查詢成功",
        "IIS_Mer_ID": invoice.merchant_id,
        "ChannelPartner": invoice.content.channel_partner,
        "II_Invoice_No": invoice.number,
        "II_Date": stamp(invoice.voided),
        "II_Upload_Status": upload.status,
        "II_Upload_Date": stamp(upload.at) if upload.at else "",
        "Reason": invoice.void_reason,
        "II_Seller_Identifier": call.merchant.ubn,
        "II_Buyer_Identifier": invoice.content.ubn or NO_UBN,
    }


OPERATIONS = (Operation("GetIssue", get_issue), Operation("GetInvalid", get_invalid))

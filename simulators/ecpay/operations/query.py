"""GetIssue, GetIssueList and GetInvalid (查詢). ECPay developers pages 7923, 17229, 7933."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.fields import Data
from simulators.ecpay.invoice_fields import NO_UBN, tax_of, tax_rate
from simulators.ecpay.operations.base import Call, Operation, Reply, check_invoice_no, check_merchant
from simulators.ecpay.periods import parse_day, stamp
from simulators.ecpay.state import Invoice, document_upload_of, upload_of

MAX_PER_PAGE = 200


def _carrier_number(invoice: Invoice) -> str:
    content = invoice.content
    if content.carrier_type == "1":  # ECPay's member carrier (綠界會員載具) stands for the address or phone number
        return content.email or content.phone
    return content.carrier_number_2 if content.carrier_type in {"4", "5"} else content.carrier_number


def _award_flag(invoice: Invoice) -> str:
    return "X" if invoice.content.ubn else ""


def _summary(call: Call, invoice: Invoice) -> Reply:
    """The fields GetIssue and a row of GetIssueList share."""
    content = invoice.content
    upload = upload_of(call.world.settings, invoice, call.now)
    return {
        "IIS_Number": invoice.number,
        "IIS_Relate_Number": content.relate if not invoice.former else invoice.former[0].relate,
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
        "IIS_Remain_Allowance_Amt": invoice.remaining_twd,
        "IIS_Print_Flag": content.print_flag,
        "IIS_Award_Flag": _award_flag(invoice),
        "IIS_Award_Type": 0,
        "IIS_Carrier_Type": content.carrier_type,
        "IIS_Carrier_Num": _carrier_number(invoice),
        "IIS_Love_Code": content.love_code or "0",
    }


def _detail(call: Call, invoice: Invoice) -> Reply:
    content = invoice.content
    return {
        **_summary(call, invoice),
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


Row = Callable[[Call, Invoice], bool]

# Query parameter: value: what an invoice must be. "0", empty and absent mean all.
FILTERS: dict[str, dict[str, Row]] = {
    "Query_Award": {"1": lambda _c, i: _award_flag(i) == "1", "2": lambda _c, i: _award_flag(i) != "1"},
    "Query_Invalid": {"1": lambda _c, i: i.voided is not None, "2": lambda _c, i: i.voided is None},
    "Query_Print": {
        "1": lambda _c, i: i.content.print_flag == "1",
        "2": lambda _c, i: i.content.print_flag == "0",
        "3": lambda _c, _i: False,  # paper is never processed here
    },
    "Query_Upload": {
        "1": lambda c, i: upload_of(c.world.settings, i, c.now).status == "1",
        "2": lambda c, i: upload_of(c.world.settings, i, c.now).turnkey == "P",
        "3": lambda c, i: upload_of(c.world.settings, i, c.now).turnkey == "E",
    },
    "Query_Identifier": {"1": lambda _c, i: bool(i.content.ubn), "2": lambda _c, i: not i.content.ubn},
    "Query_TaxType": {
        "1": lambda _c, i: i.content.tax_type == "1",
        "2": lambda _c, i: i.content.tax_type == "2",
        "3": lambda _c, i: i.content.tax_type == "3",
        "4": lambda _c, i: i.content.tax_type == "4",
        "9": lambda _c, i: i.content.tax_type == "9",
    },
    "Query_Category": {  # 1 B2C service, 2 POS, 3 offline: all of ours came through the first
        "1": lambda _c, _i: True,
        "2": lambda _c, _i: False,
        "3": lambda _c, _i: False,
    },
}


def _filters(data: Data) -> list[Row]:
    chosen: list[Row] = []
    for name, rows in FILTERS.items():
        value = data.text(name) or "0"
        if value == "0":
            continue
        if value not in rows:
            raise Refused(codes.LIST_PARAMETER)
        chosen.append(rows[value])
    name, phone = data.text("Query_Customer_Name"), data.text("Query_Customer_Phone")
    if name:
        chosen.append(lambda _c, i: i.content.name == name)
    if phone:
        chosen.append(lambda _c, i: i.content.phone == phone)
    return chosen


def _days(data: Data) -> tuple[date, date]:
    begin, end = parse_day(data.text("BeginDate")), parse_day(data.text("EndDate"))
    if begin is None or end is None or begin > end:
        raise Refused(codes.LIST_PARAMETER)
    return begin, end


def get_issue_list(call: Call, data: Data) -> Reply:
    """Invoices issued from BeginDate to EndDate, newest first, a page at a time."""
    check_merchant(call, data)
    begin, end = _days(data)
    per_page, page = data.integer("NumPerPage"), data.integer("ShowingPage")
    if per_page is None or not 1 <= per_page <= MAX_PER_PAGE or page is None or page < 1:
        raise Refused(codes.LIST_PARAMETER)
    if data.text("DataType") not in {"", "1"}:
        raise Refused(codes.LIST_CSV)
    chosen = _filters(data)
    found = [
        invoice
        for invoice in call.world.invoices.values()
        if invoice.merchant_id == call.merchant.merchant_id
        and invoice.visible_at <= call.now
        and begin <= invoice.created.date() <= end
        and all(row(call, invoice) for row in chosen)
    ]
    found.sort(key=lambda invoice: (invoice.created, invoice.number), reverse=True)
    shown = found[(page - 1) * per_page : page * per_page]
    return {
        "RtnCode": 1,
        "RtnMsg": "查詢成功",
        "TotalCount": len(found),
        "ShowingPage": page,
        "InvoiceData": [_summary(call, invoice) for invoice in shown],
    }


OPERATIONS = (
    Operation("GetIssue", get_issue),
    Operation("GetInvalid", get_invalid),
    Operation(
        "GetIssueList",
        get_issue_list,
        plain=True,
        blank={"TotalCount": 0, "ShowingPage": 0, "InvoiceData": []},
    ),
)

"""ECPay's spelling of an invoice's life (開立、查詢、作廢、註銷重開). Pure: order → request, reply → outcome.

Requests leave out ``MerchantID``, which the client adds. Replies are the decrypted ``Data``.
Source: ECPay developers pages 7896 (Issue), 7906 (Invalid), 7918 (VoidWithReIssue), 7923 (GetIssue).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from einvoice.errors import Reason
from einvoice.model import CarrierKind, CustomsMark, Line, Order, TaxType
from einvoice.providers.base import (
    Absent,
    Accepted,
    Done,
    Found,
    FoundLine,
    Issued,
    LookUp,
    Outcome,
    Rejected,
    Unknown,
)
from einvoice.providers.ecpay.errors import SUCCESS, is_not_found, refusal
from einvoice.providers.ecpay.fields import (
    Fields,
    Unreadable,
    decimal_text,
    flag,
    instant,
    invoice_number,
    present,
    random_code,
    rows,
    taipei_text,
    text,
    whole,
)
from einvoice.providers.ecpay.operations import Operation

T = TypeVar("T")

GENERAL, SPECIAL = "07", "08"  # InvType 一般稅額, 特種稅額
EXEMPT_SPECIAL_TAX_TYPE = 8  # page 7896: TaxType 3 goes with SpecialTaxType 8
NO_UBN = "0000000000"
NO_LOVE_CODE = "0"

_TAX_TYPES = {
    TaxType.TAXABLE: "1",
    TaxType.ZERO_RATED: "2",
    TaxType.EXEMPT: "3",
    TaxType.SPECIAL: "4",
    TaxType.MIXED: "9",
}
_CARRIERS = {CarrierKind.MEMBER: "1", CarrierKind.CITIZEN_CERTIFICATE: "2", CarrierKind.MOBILE_BARCODE: "3"}
_CUSTOMS_MARKS = {CustomsMark.NOT_VIA_CUSTOMS: "1", CustomsMark.VIA_CUSTOMS: "2"}  # ECPay's payment API swaps the two
_TAX_TYPES_BACK: dict[str, str] = {code: kind.value for kind, code in _TAX_TYPES.items()}
_CARRIERS_BACK: dict[str, str] = {"": "", **{code: kind.value for kind, code in _CARRIERS.items()}}

# IIS_Turnkey_Status → upload. Only the ministry's own "C" confirms.
_UPLOADS = {"C": "confirmed", "E": "refused", "G": "uploading", "P": "uploading"}
# IIS_Upload_Status 1 with no word from the ministry: stage, which never uploads, says so at once. Not a confirmation.
UPLOADED_WITHOUT_ANSWER = "uploading"
NOT_UPLOADED = "none"


# --- requests ---


def issue_request(order: Order, relate_number: str) -> dict[str, object]:
    """Issue (開立): prices and amounts tax-inclusive (``vat`` 1), empty optional fields left out."""
    buyer, carrier = order.buyer, order.carrier
    required: dict[str, object] = {
        "RelateNumber": relate_number,
        "CustomerIdentifier": buyer.ubn,
        "CustomerName": buyer.name,
        "CustomerAddr": buyer.address,
        "CustomerPhone": buyer.phone,
        "CustomerEmail": buyer.email,
        "Print": "1" if order.print_paper else "0",
        "Donation": "1" if order.love_code else "0",
        "LoveCode": order.love_code,
        "CarrierType": _CARRIERS[carrier.kind] if carrier else "",
        "CarrierNum": carrier.number if carrier else "",
        "TaxType": _TAX_TYPES[order.tax_type],
        "SalesAmount": order.total_twd,
        "InvType": SPECIAL if order.tax_type is TaxType.SPECIAL else GENERAL,
        "vat": "1",
        "Items": [_item(seq, line) for seq, line in enumerate(order.lines, start=1)],
    }
    optional: dict[str, object] = {
        "ClearanceMark": _CUSTOMS_MARKS[order.customs_mark] if order.customs_mark else "",
        "ZeroTaxRateReason": order.zero_rate_reason,
        "SpecialTaxType": EXEMPT_SPECIAL_TAX_TYPE if order.tax_type is TaxType.EXEMPT else order.special_tax_type,
        "InvoiceRemark": order.remark,
    }
    return required | present(optional)


def find_request(relate_number: str) -> dict[str, object]:
    """GetIssue by our number. The mode is chosen by *presence* of keys: one key more and it finds nothing."""
    return {"RelateNumber": relate_number}


def void_request(number: str, issued_on: date, reason: str) -> dict[str, object]:
    """Invalid (作廢); ``issued_on`` must be the centre's own date of issue in Taipei."""
    return {"InvoiceNo": number, "InvoiceDate": issued_on.isoformat(), "Reason": reason}


def reissue_same_number_request(
    order: Order, relate_number: str, number: str, issued_at: datetime, reason: str
) -> dict[str, object]:
    """VoidWithReIssue (註銷重開): same number, order number and instant; the random code becomes a new one."""
    return {
        "VoidModel": {"InvoiceNo": number, "VoidReason": reason},
        "IssueModel": issue_request(order, relate_number) | {"InvoiceDate": taipei_text(issued_at)},
    }


def _item(seq: int, line: Line) -> dict[str, object]:
    item: dict[str, object] = {
        "ItemSeq": seq,
        "ItemName": line.name,
        "ItemCount": line.quantity,
        "ItemWord": line.unit,
        "ItemPrice": line.unit_price_twd,
        "ItemAmount": line.amount_twd,
    }
    tax_type = _TAX_TYPES[line.tax_type] if line.tax_type else ""
    return item | present({"ItemTaxType": tax_type, "ItemRemark": line.remark})


# --- replies ---


def judge(operation: Operation, reply: Fields, read: Callable[[Fields], T]) -> Outcome[T]:
    """``RtnCode`` first (text or number), then ``read`` what success brings; any unreadable field makes it unknown."""
    try:
        code = str(whole(reply, "RtnCode"))
        message = text(reply, "RtnMsg")
    except Unreadable as error:
        return Unknown("UNREADABLE", raw_message=str(error))
    if code != SUCCESS:
        return refusal(operation, code, message)
    try:
        return Accepted(read(reply))
    except Unreadable as error:
        return Unknown("UNREADABLE", raw_code=code, raw_message=str(error))


def parse_issue(reply: Fields) -> Outcome[Issued]:
    """Answer to Issue: a success without number, date or random code is unknown."""
    return judge(Operation.ISSUE, reply, _issued)


def parse_reissue_same_number(reply: Fields) -> Outcome[Issued]:
    """Answer to VoidWithReIssue; the number is read, not assumed: stage was seen to answer another one."""
    return judge(Operation.REISSUE, reply, _issued)


def parse_void(reply: Fields, number: str) -> Outcome[Done]:
    """Answer to Invalid; "already void" is done, and an echo of another number is unknown."""

    def read(fields: Fields) -> Done:
        if text(fields, "InvoiceNo") not in {"", number}:
            raise Unreadable("InvoiceNo")
        return Done()

    outcome = judge(Operation.VOID, reply, read)
    if isinstance(outcome, Rejected) and outcome.reason is Reason.ALREADY_DONE:
        return Accepted(Done(already=True))
    return outcome


def parse_find(reply: Fields, relate_number: str) -> LookUp:
    """Answer to GetIssue; a document of another order number is unknown, never adopted."""

    def read(fields: Fields) -> Found:
        if text(fields, "IIS_Relate_Number").upper() not in {"", relate_number.upper()}:  # ECPay ignores case
            raise Unreadable("IIS_Relate_Number")
        return _found(fields)

    outcome = judge(Operation.FIND, reply, read)
    if isinstance(outcome, Accepted):
        return outcome.value
    return Absent() if is_not_found(outcome) else outcome


def buyer_ubn(fields: Fields, key: str) -> str:
    """統一編號 of the buyer; ten zeros are none."""
    value = text(fields, key)
    return "" if value == NO_UBN else value


def upload_state(fields: Fields) -> str:
    """none, uploading, confirmed or refused (上傳狀態), from two fields.

    A letter we do not know counts as no answer: it neither confirms nor refuses.
    """
    uploaded = flag(fields, "IIS_Upload_Status")
    turnkey = text(fields, "IIS_Turnkey_Status").strip().upper()
    if uploaded or turnkey:
        return _UPLOADS.get(turnkey, UPLOADED_WITHOUT_ANSWER)
    return NOT_UPLOADED


def _issued(reply: Fields) -> Issued:
    return Issued(
        number=invoice_number(reply, "InvoiceNo"),
        issued_at=instant(reply, "InvoiceDate"),
        random_code=random_code(reply, "RandomNumber"),
    )


def _found(reply: Fields) -> Found:
    tax_type = text(reply, "IIS_Tax_Type")
    carrier = text(reply, "IIS_Carrier_Type")
    love_code = text(reply, "IIS_Love_Code")
    return Found(
        number=invoice_number(reply, "IIS_Number"),
        issued_at=instant(reply, "IIS_Create_Date"),
        random_code=random_code(reply, "IIS_Random_Number"),
        total_twd=whole(reply, "IIS_Sales_Amount"),
        ubn=buyer_ubn(reply, "IIS_Identifier"),
        tax_type=_TAX_TYPES_BACK.get(tax_type, tax_type),
        carrier_kind=_CARRIERS_BACK.get(carrier, carrier),
        # For its own carrier ECPay answers the buyer's e-mail or phone; we sent no number, so in our terms it has none.
        carrier_number="" if carrier == _CARRIERS[CarrierKind.MEMBER] else text(reply, "IIS_Carrier_Num"),
        love_code="" if love_code == NO_LOVE_CODE else love_code,
        print_paper=flag(reply, "IIS_Print_Flag"),
        lines=tuple(
            FoundLine(
                name=text(item, "ItemName"),
                quantity=decimal_text(item, "ItemCount"),
                amount_twd=whole(item, "ItemAmount"),
            )
            for item in rows(reply, "Items")
        ),
        void=flag(reply, "IIS_Invalid_Status"),
        withdrawn=not flag(reply, "IIS_Issue_Status"),
        upload=upload_state(reply),
        remaining_twd=whole(reply, "IIS_Remain_Allowance_Amt"),
    )

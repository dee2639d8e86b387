"""ECPay's enquiries (查詢與驗證): lists, voids, number tracks, print address, the ministry's checks. Pure functions.

Source: ECPay developers pages 17229 (GetIssueList), 7933 (GetInvalid), 7881 (GetInvoiceWordSetting), 7949
(InvoicePrint), 7886 (CheckBarcode), 7891 (CheckLoveCode), 32089 (GetCompanyNameByTaxID).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from einvoice.providers.base import Absent, Accepted, Outcome, VoidLookUp, VoidRecord
from einvoice.providers.ecpay.errors import is_not_found
from einvoice.providers.ecpay.fields import Fields, Unreadable, flag, instant, invoice_number, rows, text, whole
from einvoice.providers.ecpay.operations import Operation
from einvoice.providers.ecpay.wire import buyer_ubn, judge, upload_state

MAX_PAGE_SIZE = 200  # page 17229
IN_USE = 2  # UseStatus 使用中
B2C = 1  # InvoiceCategory
PRINT_STYLE = 1  # single page
SHOW_DETAIL = 1

_PERIOD = re.compile(r"(\d{3})(02|04|06|08|10|12)", re.ASCII)
_TRACK_NUMBER = re.compile(r"(?:[A-Z]{2})?(\d{8})", re.ASCII)
_ADDRESS = re.compile(r"https?://[!-~]{1,500}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListedInvoice:
    """One row of the list (發票清單): enough to compare with the ledger; it has no lines and no random code."""

    number: str
    relate_number: str
    issued_at: datetime
    total_twd: int
    ubn: str
    void: bool
    withdrawn: bool
    upload: str  # as in Found
    remaining_twd: int


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """One page of the list, newest first; ``total`` counts all pages."""

    total: int
    page: int
    invoices: tuple[ListedInvoice, ...]


@dataclass(frozen=True, slots=True)
class Charity:
    """Whether a donation code (捐贈碼) exists, and whose it is."""

    exists: bool
    name: str = ""


def list_request(begin: date, end: date, page: int, per_page: int) -> dict[str, object]:
    """GetIssueList for the days of issue ``begin``–``end``; pages start at 1."""
    if page < 1 or not 1 <= per_page <= MAX_PAGE_SIZE or begin > end:
        raise ValueError("page, page size or days out of range")
    return {
        "BeginDate": begin.isoformat(),
        "EndDate": end.isoformat(),
        "NumPerPage": per_page,
        "ShowingPage": page,
    }


def parse_list(reply: Fields) -> Outcome[InvoicePage]:
    """Answer to GetIssueList: one unreadable row makes the whole page unknown, so that nothing is overlooked."""

    def read(fields: Fields) -> InvoicePage:
        found = tuple(_listed(row) for row in rows(fields, "InvoiceData"))
        return InvoicePage(whole(fields, "TotalCount"), whole(fields, "ShowingPage"), found)

    return judge(Operation.LIST, reply, read)


def find_void_request(relate_number: str, number: str, issued_on: date) -> dict[str, object]:
    """GetInvalid: all three keys are required."""
    return {"RelateNumber": relate_number, "InvoiceNo": number, "InvoiceDate": issued_on.isoformat()}


def parse_find_void(reply: Fields, number: str) -> VoidLookUp:
    """Answer to GetInvalid; a void of another number is unknown."""

    def read(fields: Fields) -> VoidRecord:
        if invoice_number(fields, "II_Invoice_No") != number:
            raise Unreadable("II_Invoice_No")
        uploaded = flag(fields, "II_Upload_Status")
        return VoidRecord(number, instant(fields, "II_Date"), text(fields, "Reason"), uploaded)

    outcome = judge(Operation.FIND_VOID, reply, read)
    if isinstance(outcome, Accepted):
        return outcome.value
    return Absent() if is_not_found(outcome) else outcome


def numbers_left_request(period: str) -> dict[str, object]:
    """GetInvoiceWordSetting: the ranges in use in ``period`` (``11502``: ROC year and even month)."""
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise ValueError("a period is a ROC year and an even month, like 11502")
    return {
        "InvoiceYear": match[1],
        "InvoiceTerm": int(match[2]) // 2,
        "UseStatus": IN_USE,
        "InvoiceCategory": B2C,
    }


def parse_numbers_left(reply: Fields, period: str) -> Outcome[int]:
    """Answer to GetInvoiceWordSetting: Σ of what is left in that term's ranges in use; no range is 0."""
    term = int(period[3:]) // 2

    def read(fields: Fields) -> int:
        ranges = rows(fields, "InvoiceInfo")
        wanted = (r for r in ranges if whole(r, "InvoiceTerm") == term and whole(r, "UseStatus") == IN_USE)
        return sum(map(_left_in, wanted))

    outcome = judge(Operation.TRACKS, reply, read)
    return Accepted(0) if is_not_found(outcome) else outcome


def print_request(number: str, issued_on: date) -> dict[str, object]:
    """InvoicePrint: a page to show or print."""
    return {
        "InvoiceNo": number,
        "InvoiceDate": issued_on.isoformat(),
        "PrintStyle": PRINT_STYLE,
        "IsShowingDetail": SHOW_DETAIL,
    }


def parse_print(reply: Fields) -> Outcome[str]:
    """Answer to InvoicePrint: an address valid for one hour. It opens without a password: never log it."""

    def read(fields: Fields) -> str:
        address = text(fields, "InvoiceHtml")
        if not _ADDRESS.fullmatch(address):
            raise Unreadable("InvoiceHtml")
        return address

    return judge(Operation.PRINT, reply, read)


def check_barcode_request(barcode: str) -> dict[str, object]:
    """CheckBarcode (手機條碼驗證)."""
    return {"BarCode": barcode}


def parse_check_barcode(reply: Fields) -> Outcome[bool]:
    """Answer to CheckBarcode. ``RtnCode`` 1 says only that the ministry was asked; ``IsExist`` is its answer."""
    return judge(Operation.CHECK_BARCODE, reply, _exists)


def check_love_code_request(love_code: str) -> dict[str, object]:
    """CheckLoveCode (捐贈碼驗證)."""
    return {"LoveCode": love_code}


def parse_check_love_code(reply: Fields) -> Outcome[Charity]:
    """Answer to CheckLoveCode; the name comes only with a code that exists."""
    return judge(Operation.CHECK_LOVE_CODE, reply, lambda f: Charity(_exists(f), text(f, "OrganName")))


def company_name_request(ubn: str) -> dict[str, object]:
    """GetCompanyNameByTaxID (統一編號驗證)."""
    return {"UnifiedBusinessNo": ubn}


def parse_company_name(reply: Fields) -> Outcome[str]:
    """Answer to GetCompanyNameByTaxID; empty: not in the register, which does not make a 統編 invalid."""
    outcome = judge(Operation.COMPANY_NAME, reply, lambda f: text(f, "CompanyName"))
    return Accepted("") if is_not_found(outcome) else outcome


def _exists(fields: Fields) -> bool:
    answer = text(fields, "IsExist")
    if answer not in {"Y", "N"}:
        raise Unreadable("IsExist")
    return answer == "Y"


def _left_in(track: Fields) -> int:
    """Numbers left in one range. ``InvoiceNo`` is the last one used, with or without its letters; empty: none yet."""
    start, end = _digits(track, "InvoiceStart"), _digits(track, "InvoiceEnd")
    last_used = start - 1 if text(track, "InvoiceNo") in {"", "0"} else _digits(track, "InvoiceNo")
    if not start - 1 <= last_used <= end:
        raise Unreadable("InvoiceNo")
    return end - last_used


def _digits(track: Fields, key: str) -> int:
    match = _TRACK_NUMBER.fullmatch(text(track, key))
    if match is None:
        raise Unreadable(key)
    return int(match[1])


def _listed(row: Fields) -> ListedInvoice:
    return ListedInvoice(
        number=invoice_number(row, "IIS_Number"),
        relate_number=text(row, "IIS_Relate_Number"),
        issued_at=instant(row, "IIS_Create_Date"),
        total_twd=whole(row, "IIS_Sales_Amount"),
        ubn=buyer_ubn(row, "IIS_Identifier"),
        void=flag(row, "IIS_Invalid_Status"),
        withdrawn=not flag(row, "IIS_Issue_Status"),
        upload=upload_state(row),
        remaining_twd=whole(row, "IIS_Remain_Allowance_Amt"),
    )

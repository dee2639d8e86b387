"""ECPay's spelling of an allowance's life (折讓、線上折讓、折讓作廢). Pure: allowance → request, reply → outcome.

Amounts are tax-inclusive; ECPay splits the tax itself. A repeat is not recognised: a second Allowance makes a second
one, so whatever is not a known refusal stays unknown until ``parse_find_allowances`` has told.
Source: ECPay developers pages 7901 (Allowance), 15391 (AllowanceByCollegiate), 7911 (AllowanceInvalid), 7913
(AllowanceInvalidByCollegiate), 7928 (GetAllowanceList), 7943 (GetAllowanceInvalid).
"""

from __future__ import annotations

from datetime import date

from einvoice.errors import Reason
from einvoice.model import Allowance, AllowanceLine, TaxType
from einvoice.providers.base import (
    Absent,
    Accepted,
    Allowed,
    Asked,
    Done,
    FoundAllowance,
    FoundLine,
    Outcome,
    Rejected,
    VoidLookUp,
    VoidRecord,
)
from einvoice.providers.ecpay.errors import is_not_found
from einvoice.providers.ecpay.fields import (
    Fields,
    Unreadable,
    allowance_number,
    decimal_text,
    flag,
    instant,
    invoice_number,
    present,
    rows,
    text,
    whole,
)
from einvoice.providers.ecpay.operations import Operation
from einvoice.providers.ecpay.wire import judge

BY_MAIL, NO_NOTICE = "E", "N"  # AllowanceNotify; S (text message) and A (both) cost the merchant, and are not offered
BY_INVOICE_AND_ITS_DATE = "1"  # SearchType

# ItemTaxType knows no special tax (特種稅額): there the invoice's own type decides, and the field is left out.
_ITEM_TAX_TYPES = {TaxType.TAXABLE: "1", TaxType.ZERO_RATED: "2", TaxType.EXEMPT: "3", TaxType.SPECIAL: ""}

# IA_Upload_Status is all ECPay says of an allowance; there is no word of the ministry's own answer, as an invoice has.
# So this is ECPay's "sent", and the most that can be had; an upload that the ministry refused does not show here.
_UPLOADS = {True: "confirmed", False: "none"}


# --- requests ---


def allow_request(number: str, issued_on: date, allowance: Allowance) -> dict[str, object]:
    """Allowance (折讓): in force at once. The buyer is told by e-mail where there is an address."""
    notify = BY_MAIL if allowance.notify_email else NO_NOTICE
    return _request(number, issued_on, allowance) | {"AllowanceNotify": notify}


def ask_request(number: str, issued_on: date, allowance: Allowance, callback_url: str) -> dict[str, object]:
    """AllowanceByCollegiate (線上折讓): the buyer has 72 hours to agree. Without an address nobody can be asked."""
    if not allowance.notify_email:
        raise ValueError("an online allowance needs the buyer's e-mail address")
    asked: dict[str, object] = {"AllowanceNotify": BY_MAIL}
    return _request(number, issued_on, allowance) | asked | present({"ReturnURL": callback_url})


def find_allowances_request(number: str, issued_on: date) -> dict[str, object]:
    """GetAllowanceList: all of one invoice; ``Date`` is the invoice's day, not the allowance's."""
    return {"SearchType": BY_INVOICE_AND_ITS_DATE, "InvoiceNo": number, "Date": issued_on.isoformat()}


def void_allowance_request(number: str, allowance_no: str, reason: str) -> dict[str, object]:
    """AllowanceInvalid (折讓作廢) and AllowanceInvalidByCollegiate (取消線上折讓) ask for the same three."""
    return find_allowance_void_request(number, allowance_no) | {"Reason": reason}


def find_allowance_void_request(number: str, allowance_no: str) -> dict[str, object]:
    """GetAllowanceInvalid (查詢作廢折讓): both numbers are required."""
    return {"InvoiceNo": number, "AllowanceNo": allowance_no}


def _request(number: str, issued_on: date, allowance: Allowance) -> dict[str, object]:
    required: dict[str, object] = {
        "InvoiceNo": number,
        "InvoiceDate": issued_on.isoformat(),
        "AllowanceAmount": allowance.total_twd,
        "Items": [_item(seq, line) for seq, line in enumerate(allowance.lines, start=1)],
    }
    optional: dict[str, object] = {
        "CustomerName": allowance.buyer_name,
        "NotifyMail": allowance.notify_email,
        "Reason": allowance.reason,
    }
    return required | present(optional)


def _item(seq: int, line: AllowanceLine) -> dict[str, object]:
    item: dict[str, object] = {
        "ItemSeq": seq,
        "ItemName": line.name,
        "ItemCount": line.quantity,
        "ItemWord": line.unit,
        "ItemPrice": line.unit_price_twd,
        "ItemAmount": line.amount_twd,
    }
    return item | present({"ItemTaxType": _ITEM_TAX_TYPES[line.tax_type]})


# --- replies ---


def parse_allow(reply: Fields, number: str) -> Outcome[Allowed]:
    """Answer to Allowance; an echo of another invoice is unknown."""

    def read(fields: Fields) -> Allowed:
        _same_invoice(fields, number)
        return Allowed(allowance_number(fields, "IA_Allow_No"), instant(fields, "IA_Date"), _remaining(fields))

    return judge(Operation.ALLOW, reply, read)


def parse_ask(reply: Fields, number: str) -> Outcome[Asked]:
    """Answer to AllowanceByCollegiate. Success says that the buyer was asked, not that there is an allowance."""

    def read(fields: Fields) -> Asked:
        _same_invoice(fields, number)
        asked_at, expires_at = instant(fields, "IA_TempDate"), instant(fields, "IA_TempExpireDate")
        if expires_at <= asked_at:  # its sum would look free while it is still held back
            raise Unreadable("IA_TempExpireDate")
        return Asked(allowance_number(fields, "IA_Allow_No"), asked_at, expires_at, _remaining(fields))

    return judge(Operation.ASK_ALLOWANCE, reply, read)


def parse_find_allowances(reply: Fields, number: str) -> Outcome[tuple[FoundAllowance, ...]]:
    """Answer to GetAllowanceList, oldest first; one unreadable row makes the whole answer unknown.

    "No data" is an empty answer. ECPay may say it of a wrong date as well, so what is left of the invoice should agree.
    """

    def read(fields: Fields) -> tuple[FoundAllowance, ...]:
        found = [_found(row, number) for row in rows(fields, "AllowanceInfo")]
        return tuple(sorted(found, key=lambda one: (one.allowed_at, one.number)))

    outcome = judge(Operation.FIND_ALLOWANCES, reply, read)
    return Accepted(()) if is_not_found(outcome) else outcome


def parse_void_allowance(reply: Fields, number: str) -> Outcome[Done]:
    """Answer to AllowanceInvalid; already void is done. The text of a success reads like the refusal of a repeat."""
    return _parse_done(Operation.VOID_ALLOWANCE, reply, number)


def parse_cancel_asked_allowance(reply: Fields, number: str) -> Outcome[Done]:
    """Answer to AllowanceInvalidByCollegiate; the buyer who has agreed already is a refusal of its own."""
    return _parse_done(Operation.CANCEL_ASKED_ALLOWANCE, reply, number)


def parse_find_allowance_void(reply: Fields, number: str, allowance_no: str) -> VoidLookUp:
    """Answer to GetAllowanceInvalid; a void of another allowance or invoice is unknown."""

    def read(fields: Fields) -> VoidRecord:
        if invoice_number(fields, "AI_Invoice_No") != number:
            raise Unreadable("AI_Invoice_No")
        if allowance_number(fields, "AI_Allow_No") != allowance_no:
            raise Unreadable("AI_Allow_No")
        uploaded = flag(fields, "AI_Upload_Status")
        return VoidRecord(allowance_no, instant(fields, "AI_Date"), text(fields, "Reason"), uploaded)

    outcome = judge(Operation.FIND_ALLOWANCE_VOID, reply, read)
    if isinstance(outcome, Accepted):
        return outcome.value
    return Absent() if is_not_found(outcome) else outcome


def _parse_done(operation: Operation, reply: Fields, number: str) -> Outcome[Done]:
    def read(fields: Fields) -> Done:
        _same_invoice(fields, number)
        return Done()

    outcome = judge(operation, reply, read)
    if isinstance(outcome, Rejected) and outcome.reason is Reason.ALREADY_DONE:
        return Accepted(Done(already=True))
    return outcome


def _same_invoice(fields: Fields, number: str) -> None:
    if text(fields, "IA_Invoice_No") not in {"", number}:
        raise Unreadable("IA_Invoice_No")


def _remaining(fields: Fields) -> int | None:
    """What is left of the invoice; None where ECPay does not say."""
    unsaid = fields.get("IA_Remain_Allowance_Amt") in (None, "")
    return None if unsaid else whole(fields, "IA_Remain_Allowance_Amt")


def _found(row: Fields, number: str) -> FoundAllowance:
    if invoice_number(row, "IA_Invoice_No") != number:
        raise Unreadable("IA_Invoice_No")
    total_twd, tax_twd = whole(row, "IA_Total_Tax_Amount"), whole(row, "IA_Tax_Amount")
    # The names mislead: Total_Tax is the sum *with* tax, Total the one without. If they do not close, we misread them.
    if whole(row, "IA_Total_Amount") + tax_twd != total_twd:
        raise Unreadable("IA_Total_Tax_Amount")
    return FoundAllowance(
        number=allowance_number(row, "IA_Allow_No"),
        invoice_number=number,
        allowed_at=instant(row, "IA_Date"),
        total_twd=total_twd,
        tax_twd=tax_twd,
        lines=tuple(
            FoundLine(
                name=text(item, "ItemName"),
                quantity=decimal_text(item, "ItemCount"),
                amount_twd=whole(item, "ItemAmount"),
            )
            for item in rows(row, "Items")
        ),
        void=flag(row, "IA_Invalid_Status"),
        upload=_UPLOADS[flag(row, "IA_Upload_Status")],
    )

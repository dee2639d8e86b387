"""What an invoice to be issued must look like: ECPay developers page 7896, and what stage was seen to do in 2026.

``FIELDS`` are the single fields, ``RULES`` the cross-field matrix; both in the order they are checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from simulators.ecpay import codes
from simulators.ecpay.amounts import RATES, SPECIAL_RATES, round_half_up, tax_inside, ubn_is_valid
from simulators.ecpay.codes import Code, Refused
from simulators.ecpay.documents import Content, Line
from simulators.ecpay.fields import Data, Field, check

NO_UBN = "0000000000"  # how queries spell "no UBN"; also accepted on the way in
MAX_ITEMS = 999

FIELDS = (
    Field("RelateNumber", 50, codes.RELATE_TOO_LONG, missing=codes.RELATE_MISSING),
    Field("CustomerID", 20, codes.CUSTOMER_ID, pattern="[A-Za-z0-9_]+"),
    Field("ProductServiceID", 10, codes.PRODUCT_SERVICE_ID, pattern="[A-Za-z0-9]+"),
    Field("CustomerIdentifier", 10, codes.UBN_FORMAT, pattern=r"\d{8}|0{10}"),
    Field("CustomerName", 60, codes.CUSTOMER_NAME),
    Field("CustomerAddr", 100, codes.CUSTOMER_ADDRESS),
    Field("CustomerPhone", 20, codes.CUSTOMER_PHONE, pattern=r"\d+"),
    Field("CustomerEmail", 80, codes.EMAIL_TOO_LONG, pattern=r"[^@\s;,]+@[^@\s;,]+", pattern_bad=codes.EMAIL_FORMAT),
    Field("Print", 1, codes.PRINT_FORMAT, missing=codes.PRINT_FORMAT, pattern="[01]"),
    Field("Donation", 1, codes.DONATION_FORMAT, missing=codes.DONATION_FORMAT, pattern="[01]"),
    Field("CarrierType", 1, codes.CARRIER_TYPE, pattern="[1-5]"),
    Field("InvType", 2, codes.INV_TYPE, missing=codes.INV_TYPE, pattern="07|08"),
    Field("TaxType", 1, codes.TAX_TYPE, missing=codes.TAX_TYPE, pattern="[12349]"),
    Field("vat", 1, codes.VAT_FORMAT, pattern="[01]"),
    Field("InvoiceRemark", 200, codes.REMARK),
)

ITEM_FIELDS = (
    Field("ItemName", 500, codes.ITEM_FIELD, missing=codes.ITEM_FIELD),
    Field("ItemWord", 6, codes.ITEM_FIELD),
    Field("ItemWord", 6, codes.ITEM_FIELD, missing=codes.ITEM_FIELD, doc_only=True),
    Field("ItemTaxType", 1, codes.ITEM_FIELD, pattern="[123]"),
    Field("ItemRemark", 120, codes.ITEM_FIELD),
)

CARRIER_NUMBERS = {  # CarrierType: what CarrierNum must be
    "": "",
    "1": "",
    "2": r"[A-Z]{2}\d{14}",
    "3": r"/[0-9A-Z+\-.]{7}",
    "4": ".{1,64}",
    "5": ".{1,64}",
}
CARRIER_FIELDS = {
    kind: (
        Field(
            "CarrierNum",
            64,
            codes.CARRIER_NUMBER,
            missing=codes.CARRIER_NUMBER if pattern else None,
            pattern=pattern or "(?!)",
        ),
        Field(
            "CarrierNum2",
            64,
            codes.CARRIER_NUMBER_2,
            missing=codes.CARRIER_NUMBER_2 if kind in "45" and kind else None,
            pattern=".+" if kind in "45" and kind else "(?!)",
        ),
    )
    for kind, pattern in CARRIER_NUMBERS.items()
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the cross-field matrix: ``code`` is answered where ``broken``."""

    code: Code
    broken: Callable[[Content], bool]
    doc_only: bool = False


def _item_types(content: Content) -> set[str]:
    return {line.tax_type for line in content.lines}


def _has_zero_rate(content: Content) -> bool:
    return content.tax_type == "2" or (content.tax_type == "9" and "2" in _item_types(content))


def _mixed_wrongly(content: Content) -> bool:
    return content.tax_type == "9" and _item_types(content) not in ({"1", "2"}, {"1", "3"})


def _special_wrongly(content: Content) -> bool:
    allowed = {"3": {8}, "4": set(range(1, 9))}.get(content.tax_type, {0})
    return content.special_tax_type not in allowed


def _sum_differs(content: Content) -> bool:
    return round_half_up(sum((line.amount for line in content.lines), Decimal(0))) != content.sales_twd


def _tax_differs(content: Content) -> bool:
    return content.tax_twd is not None and abs(content.tax_twd - tax_of(content)) > 1


RULES = (
    Rule(codes.UBN_FORMAT, lambda c: bool(c.ubn) and not ubn_is_valid(c.ubn)),
    Rule(codes.UBN_NAME_MISSING, lambda c: bool(c.ubn) and not c.name, doc_only=True),
    Rule(codes.CONTACT_MISSING, lambda c: not c.phone and not c.email),
    Rule(codes.DONATION_WITH_UBN, lambda c: bool(c.ubn) and c.donation == "1"),
    Rule(codes.DONATION_WITH_PRINT, lambda c: c.donation == "1" and c.print_flag == "1"),
    Rule(codes.CARRIER_WITH_PRINT, lambda c: not c.ubn and c.carrier_type != "" and c.print_flag == "1"),
    Rule(codes.UBN_NEEDS_PAPER_OR_CARRIER, lambda c: bool(c.ubn) and c.carrier_type == "" and c.print_flag == "0"),
    Rule(
        codes.UBN_CARRIER_WITH_PRINT,
        lambda c: bool(c.ubn) and c.carrier_type not in {"", "3"} and c.print_flag == "1",
    ),
    Rule(codes.PAPER_FIELDS_MISSING, lambda c: c.print_flag == "1" and not (c.name and c.address)),
    # Stage issues an invoice that is on no carrier, on no paper and not donated (observed 2026-09).
    Rule(
        codes.NO_DELIVERY,
        lambda c: not c.ubn and c.carrier_type == "" and c.donation == "0" and c.print_flag == "0",
        doc_only=True,
    ),
    Rule(
        codes.TAX_TYPE_FOR_INV_TYPE,
        lambda c: c.tax_type not in {"07": "1239", "08": "34"}[c.inv_type],
    ),
    Rule(codes.MIXED_ITEMS, _mixed_wrongly),
    Rule(codes.CLEARANCE_MARK, lambda c: _has_zero_rate(c) and c.clearance_mark not in {"1", "2"}),
    # Stage asks neither for the reason nor for the special type of an exempt invoice (observed 2026-08).
    Rule(
        codes.ZERO_TAX_REASON,
        lambda c: _has_zero_rate(c) and c.zero_tax_reason not in {str(reason) for reason in range(71, 80)},
        doc_only=True,
    ),
    Rule(codes.SPECIAL_TAX_TYPE, lambda c: c.tax_type == "4" and _special_wrongly(c)),
    Rule(codes.SPECIAL_TAX_TYPE, _special_wrongly, doc_only=True),
    # Stage recomputes where prices are sent without tax and tolerates a difference (observed 2026-08).
    Rule(codes.AMOUNT_MISMATCH, lambda c: c.vat == "1" and _sum_differs(c)),
    Rule(codes.AMOUNT_MISMATCH, _sum_differs, doc_only=True),
    Rule(codes.TAX_AMOUNT, _tax_differs, doc_only=True),
)


def tax_rate(content: Content) -> Decimal:
    """The rate printed on the invoice."""
    return SPECIAL_RATES[content.special_tax_type or 8] if content.tax_type == "4" else RATES[content.tax_type]


def tax_of(content: Content) -> int:
    """Tax in the total, as ECPay computes it; of a mixed invoice only in its taxable lines."""
    if content.tax_type == "9":
        taxable = sum((line.amount for line in content.lines if line.tax_type == "1"), Decimal(0))
        return tax_inside(taxable, RATES["1"])
    return tax_inside(Decimal(content.sales_twd), tax_rate(content))


def read_lines(data: Data, fields: tuple[Field, ...], bad: Code, *, strict: bool) -> tuple[Line, ...]:
    """``Items`` of an invoice or an allowance; a missing ItemSeq counts from 1."""
    lines: list[Line] = []
    for position, item in enumerate(data.children("Items"), 1):
        check(fields, item, strict=strict)
        count, price, amount = item.number("ItemCount"), item.number("ItemPrice"), item.number("ItemAmount")
        seq = item.integer("ItemSeq") if item.text("ItemSeq") else position
        if count is None or price is None or amount is None:
            raise Refused(bad)
        if not 0 < count < 10**8 or abs(price) >= 10**10 or abs(amount) >= 10**12:
            raise Refused(bad)
        if seq is None or not 1 <= seq <= MAX_ITEMS or any(line.seq == seq for line in lines):
            raise Refused(codes.ITEM_SEQ)
        text = item.text
        lines.append(
            Line(seq, text("ItemName"), count, text("ItemWord"), price, text("ItemTaxType"), amount, text("ItemRemark"))
        )
    return tuple(lines)


def read_content(data: Data, *, strict: bool) -> Content:
    """Parse and check everything an invoice is made of. Raises ``Refused`` with the first thing wrong."""
    check(FIELDS, data, strict=strict)
    check(CARRIER_FIELDS[data.text("CarrierType")], data, strict=strict)
    if data.text("Donation") == "1":
        check((Field("LoveCode", 7, codes.LOVE_CODE, codes.LOVE_CODE, r"[0-9Xx]\d{2,6}"),), data, strict=strict)
    sales = data.integer("SalesAmount")
    if sales is None or not 0 < sales < 10**12:
        raise Refused(codes.SALES_AMOUNT)
    if not data.children("Items"):
        raise Refused(codes.ITEMS_MISSING)
    if len(data.children("Items")) > MAX_ITEMS:
        raise Refused(codes.ITEMS_TOO_MANY)
    special = data.integer("SpecialTaxType") if data.text("SpecialTaxType") else 0
    if special not in {0, *SPECIAL_RATES}:
        raise Refused(codes.SPECIAL_TAX_TYPE)
    if data.text("TaxAmount") and data.integer("TaxAmount") is None:
        raise Refused(codes.TAX_AMOUNT)
    text = data.text
    content = Content(
        relate=text("RelateNumber"),
        customer_id=text("CustomerID"),
        ubn="" if text("CustomerIdentifier") == NO_UBN else text("CustomerIdentifier"),
        name=text("CustomerName"),
        address=text("CustomerAddr"),
        phone=text("CustomerPhone"),
        email=text("CustomerEmail"),
        clearance_mark=text("ClearanceMark"),
        print_flag=text("Print"),
        donation=text("Donation"),
        love_code=text("LoveCode") if text("Donation") == "1" else "",
        carrier_type=text("CarrierType"),
        carrier_number=text("CarrierNum"),
        carrier_number_2=text("CarrierNum2"),
        tax_type=text("TaxType"),
        zero_tax_reason=text("ZeroTaxRateReason"),
        special_tax_type=special,
        sales_twd=sales,
        tax_twd=data.integer("TaxAmount"),
        remark=text("InvoiceRemark"),
        inv_type=text("InvType"),
        vat=text("vat") or "1",
        product_service_id=text("ProductServiceID"),
        channel_partner=text("ChannelPartner"),
        lines=read_lines(data, ITEM_FIELDS, codes.ITEM_FIELD, strict=strict),
    )
    for rule in RULES:
        if (strict or not rule.doc_only) and rule.broken(content):
            raise Refused(rule.code)
    return content

"""EasyStore's order as ours (訂單轉換): pure; the webhook's and the API's spelling of one order map to the same.

Shape seen in a delivered ``order/create`` body and EasyStore's API 3.0 reference; money is text with two decimals.
Places of 統編, carrier and love code are not EasyStore's but each shop's (``Places``); ``PLACES`` is a guess to edit.
Left out of the invoice, as they change no amount: lines without a price (gifts), deleted lines, lines without pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from einvoice.errors import InvalidRequest
from einvoice.model import Buyer, Line, TaxType
from einvoice.platforms.base import Json, Snapshot, Stage
from einvoice.platforms.closing import Amount, Figures, close, goods_line
from einvoice.platforms.codes import Code, violation
from einvoice.platforms.places import Places
from einvoice.platforms.reading import Reader, canonical_id, first, part, text
from einvoice.platforms.wishes import reachable, wishes

PLACES = Places(
    ubn=("note_attributes[name=統一編號].value", "note_attributes[name=統編].value"),
    title=(
        "note_attributes[name=公司抬頭].value",
        "note_attributes[name=發票抬頭].value",
        "billing_address.company",
    ),
    mobile_barcode=("note_attributes[name=手機條碼].value", "note_attributes[name=手機載具].value"),
    citizen_certificate=("note_attributes[name=自然人憑證].value",),
    love_code=("note_attributes[name=捐贈碼].value", "note_attributes[name=愛心碼].value"),
    print_paper=("note_attributes[name=索取紙本].value",),
)
_PAID = frozenset({"paid", "partially_refunded"})  # not refunded or voided: nothing of the sale is left
_NO_VARIANT = frozenset({"", "default", "default title"})


def canonical(order: Json) -> str:
    """The one id of an order: EasyStore's internal ``id``; InvalidRequest (ORDER_ID_MISSING) if there is none.

    Not the number: webhooks call it ``number`` 1018 and ``order_number`` "#1018", the API ``order_number`` in whatever
    format the shop has set, a cancellation may not name it at all, and one order must never have two ids here.

    >>> canonical({"id": 37000001, "number": 1018, "order_number": "#1018"}), canonical({"id": "37000001"})
    ('37000001', '37000001')
    """
    order_id = canonical_id(order.get("id"))
    if not order_id:
        raise InvalidRequest([violation(Code.ORDER_ID_MISSING, "id")])
    return order_id


def snapshot(order: Json, places: Places, now: datetime) -> Snapshot:
    """The order, not wrapped, as it stood at its ``updated_at`` (``now`` if it has none).

    InvalidRequest only without an id; whatever else is wrong is in ``violations``.
    """
    order_id = canonical(order)
    reader = Reader()
    updated_at = reader.instant(order.get("updated_at"), "updated_at") or now
    currency = text(first(order, "currency", "currency_code")).upper()
    stages = _stages(order, updated_at, reader)
    total = _total(order, reader)
    refunded = _refunded(order, total, reader)
    invoice = None
    if currency != "TWD":
        reader.note(Code.NOT_TWD, "currency")
    elif total is not None:
        figures = _figures(order, total, places, reader)
        wanted = wishes(order, places, _person(order), reader)
        if not reader.violations:
            invoice = close(figures, wanted, places, reader, "total_price")
    return Snapshot(
        order_id=order_id,
        updated_at=updated_at,
        currency=currency,
        order=invoice,
        violations=tuple(reader.violations),
        stages=stages,
        refunded_total_twd=refunded,
        cash_on_delivery=text(order.get("financial_status")) == "cod" or text(order.get("cod_type")) not in {"", "0"},
        number=text(order.get("number"), order.get("order_number")).lstrip("#"),
    )


def _total(order: Json, reader: Reader) -> int | None:
    """What the buyer pays: with the payment's own fee, which is part of the price (營業稅法 art. 16)."""
    with_fee = order.get("total_amount_include_transaction")
    if with_fee is not None:
        return reader.twd(with_fee, "total_amount_include_transaction")
    total = reader.twd(first(order, "total_price", "total_amount"), "total_price")
    fee = _fee(order, reader)
    return None if total is None or fee is None else total + fee


def _fee(order: Json, reader: Reader) -> int | None:
    value = first(order, "total_transaction_charge", "total_transaction_fee")
    return reader.twd(value, "total_transaction_charge", absent=0)


def _figures(order: Json, total_twd: int, places: Places, reader: Reader) -> Figures:
    if reader.twd(order.get("total_tax"), "total_tax", absent=0) and not order.get("taxes_included"):
        reader.note(Code.TAX_NOT_INCLUDED, "taxes_included")
    discount = reader.twd(order.get("total_discount"), "total_discount", absent=0) or 0
    rows = _rows(order, reader)
    on_lines = sum(reader.twd(row.get("total_discount"), "line_items.total_discount", absent=0) or 0 for row in rows)
    credit = reader.twd(first(order, "total_credit_used", "credit_used"), "total_credit_used", absent=0) or 0
    return Figures(
        goods=tuple(_goods(order, places, reader)),
        fees=(Amount("運費", _shipping(order, reader)), Amount("交易手續費", _fee(order, reader) or 0)),
        taken=(Amount("購物金折抵", credit),),
        reductions=(
            (Amount("折扣", discount), Amount("折扣", max(0, discount - on_lines))),
            (Amount("運費折扣", _shipping_discount(order, reader)),),
        ),
        total_twd=total_twd,
    )


def _rows(order: Json, reader: Reader) -> list[Json]:
    rows = reader.rows(first(order, "line_items", "items"), "line_items")
    return [row for row in rows if not row.get("is_deleted")]


def _goods(order: Json, places: Places, reader: Reader) -> Iterator[Line]:
    if first(order, "line_items", "items") is None:
        reader.note(Code.LINES_UNREADABLE, "line_items")
    for index, row in enumerate(_rows(order, reader)):
        path = f"line_items[{index}]"
        quantity = reader.quantity(row.get("quantity"), f"{path}.quantity")
        amount = _amount(row, quantity, path, reader)
        kind = _tax_type(row, places, f"{path}.taxable", reader)
        if quantity == 0 and amount:
            reader.note(Code.NUMBER_OUT_OF_RANGE, f"{path}.quantity")
        if quantity and amount and kind:
            yield goods_line(_name(row), quantity, amount, kind)


def _amount(row: Json, quantity: int | None, path: str, reader: Reader) -> int | None:
    """What was paid for the line: its discounted subtotal, or what the platform gives to work it out."""
    if row.get("subtotal_after_discount") is not None:
        return reader.twd(row["subtotal_after_discount"], f"{path}.subtotal_after_discount")
    discount = reader.number(row.get("total_discount") or 0, f"{path}.total_discount")
    if row.get("subtotal") is not None:
        before = reader.number(row["subtotal"], f"{path}.subtotal")
    else:
        price = reader.number(row.get("price"), f"{path}.price")
        before = None if price is None or quantity is None else price * quantity
    if before is None or discount is None:
        return None
    return reader.twd(before - discount, f"{path}.subtotal")


def _tax_type(row: Json, places: Places, path: str, reader: Reader) -> TaxType | None:
    """EasyStore knows taxed (應稅) or not; its own invoice app takes "not" for exempt."""
    taxable = row.get("taxable")
    if places.all_taxable or taxable is None or taxable in (True, 1, "1", "true"):
        return TaxType.TAXABLE
    if taxable in (False, 0, "0", "false"):
        return TaxType.EXEMPT
    reader.note(Code.TAX_TYPE_UNKNOWN, path)
    return None


def _name(row: Json) -> str:
    name, variant = text(row.get("product_name"), row.get("title"), row.get("name")), text(row.get("variant_name"))
    return name if variant.lower() in _NO_VARIANT or variant == name else f"{name}（{variant}）"


def _shipping_rows(order: Json, reader: Reader) -> list[Json]:
    """One object in webhooks, a list in the API."""
    fees = order.get("shipping_fees")
    return [fees] if isinstance(fees, dict) else reader.rows(fees, "shipping_fees")


def _shipping(order: Json, reader: Reader) -> int:
    total = first(order, "total_shipping", "total_shipping_fee")
    if total is not None:
        return reader.twd(total, "total_shipping") or 0
    rows = _shipping_rows(order, reader)
    return sum(reader.twd(row.get("price"), "shipping_fees.price", absent=0) or 0 for row in rows)


def _shipping_discount(order: Json, reader: Reader) -> int:
    rows = _shipping_rows(order, reader)
    return sum(reader.twd(row.get("total_discount"), "shipping_fees.total_discount", absent=0) or 0 for row in rows)


def _refunded(order: Json, total: int | None, reader: Reader) -> int:
    """Cumulative: EasyStore's own sum, or its refunds added up; an order called refunded without either, all of it."""
    told = reader.twd(order.get("total_refund_amount"), "total_refund_amount", absent=0) or 0
    rows = reader.rows(order.get("refunds"), "refunds")
    added = sum(reader.twd(first(row, "amount", "total_amount"), "refunds.amount", absent=0) or 0 for row in rows)
    whole = text(order.get("financial_status")) == "refunded"
    return max(told, added) or (total or 0 if whole else 0)


def _stages(order: Json, updated_at: datetime, reader: Reader) -> dict[Stage, datetime]:
    stages: dict[Stage, datetime] = {}
    if text(order.get("financial_status")) in _PAID:
        stages[Stage.PAID] = updated_at  # a transaction's own time is in no published shape
    if text(order.get("fulfillment_status")) == "fulfilled":
        rows = reader.rows(order.get("fulfillments"), "fulfillments")
        times = [reader.instant(row.get("created_at"), "fulfillments.created_at") for row in rows]
        stages[Stage.SHIPPED] = max((time for time in times if time), default=updated_at)
    cancelled_at = reader.instant(order.get("cancelled_at"), "cancelled_at")
    if cancelled_at or order.get("is_cancelled") is True:
        stages[Stage.CANCELLED] = cancelled_at or updated_at
    return stages


def _person(order: Json) -> Buyer:
    customer, billing, shipping = (part(order.get(k)) for k in ("customer", "billing_address", "shipping_address"))
    email, phone = reachable(
        text(order.get("email"), customer.get("email")),
        text(customer.get("phone"), billing.get("phone"), shipping.get("phone")),
    )
    name = next(filter(None, map(_full_name, (billing, customer, shipping))), "")
    address = next(filter(None, map(_address, (billing, shipping))), "")
    return Buyer(name=name, address=address, email=email, phone=phone)


def _full_name(person: Json) -> str:
    given, family = text(person.get("first_name")), text(person.get("last_name"))
    if (given + family).isascii():
        return text(person.get("name"), f"{given} {family}")
    return text(person.get("name"), family + given)


def _address(address: Json) -> str:
    """As Taiwan writes it: from the large to the small."""
    parts = [text(address.get(key)) for key in ("zip", "province", "city", "district", "address1", "address2")]
    return text("".join(dict.fromkeys(parts)))  # Taipei is province and city at once

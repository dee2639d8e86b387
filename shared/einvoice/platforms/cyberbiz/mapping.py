"""CYBERBIZ's order as ours (訂單轉換): pure. Shape: CYBERBIZ App Store API reference, order and its parts.

Money is a JSON number with a point, times are Taipei's without a zone, any field may be null, and an order names no
currency: CYBERBIZ shops that issue Taiwan's invoices sell in TWD. In refund payloads the lines may stand under the
shipments only. Left out of the invoice, as they change no amount: lines without a price (``item_type`` gift) and
without pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType

from einvoice.errors import InvalidRequest
from einvoice.model import Buyer, Line, TaxType
from einvoice.platforms.base import Json, Snapshot, Stage
from einvoice.platforms.closing import Amount, Figures, close, goods_line
from einvoice.platforms.codes import Code, violation
from einvoice.platforms.places import Places
from einvoice.platforms.reading import Reader, canonical_id, first, part, text
from einvoice.platforms.wishes import reachable, wishes

PLACES = Places(
    ubn=("einvoice.company_no",),
    title=("einvoice.title",),
    mobile_barcode=("einvoice.phone_barcode",),
    citizen_certificate=("einvoice.nature_person",),
    love_code=("einvoice.love_code",),
    invoice_type=("einvoice.invoice_type",),
)
_PAID = frozenset({"paid", "remitted", "pending_partial_refund", "partial_refunded"})
_SENT = frozenset({"fulfilled", "arrived", "received", "returned", "expired"})  # expired: 逾期未取
_TAX_TYPES = MappingProxyType(
    {"inclusive_tax": TaxType.TAXABLE, "zero_tax": TaxType.ZERO_RATED, "exclusive_tax": TaxType.EXEMPT}
)
_REDUCTIONS = MappingProxyType(
    {
        "special_collection_discount": "行銷活動折扣",
        "vip_discount": "會員折扣",
        "shop_discount": "全館折扣",
        "coupon_discounts": "優惠券折扣",
        "bonus_consumed": "紅利折抵",
        "price_discount": "店長折扣",
        "third_party_discount": "第三方折扣",
        "vip_shipping_discount": "會員運費折扣",
        "coupon_shipping_discount": "免運券折扣",
    }
)
_NOT_LIVING = "issue_invalid"  # 已作廢


def canonical(order: Json) -> str:
    """The one id of an order: CYBERBIZ's ``id``, never its number; InvalidRequest (ORDER_ID_MISSING) without one.

    >>> canonical({"id": 500001, "order_number": 10001, "order_name": "#10001"})
    '500001'
    """
    order_id = canonical_id(order.get("id"))
    if not order_id:
        raise InvalidRequest([violation(Code.ORDER_ID_MISSING, "id")])
    return order_id


def snapshot(order: Json, places: Places, now: datetime) -> Snapshot:
    """The order as it stood at its ``updated_at`` (``now`` if it has none).

    InvalidRequest only without an id; whatever else is wrong is in ``violations``.
    """
    order_id = canonical(order)
    reader = Reader()
    updated_at = reader.instant(order.get("updated_at"), "updated_at") or now
    currency = text(order.get("currency"), "TWD").upper()
    stages = _stages(order, updated_at, reader)
    total = reader.twd(part(order.get("prices")).get("total_price"), "prices.total_price")
    refunded = _refunded(order, total, reader)
    invoice = None
    if currency != "TWD":
        reader.note(Code.NOT_TWD, "currency")
    elif total is not None:
        figures = _figures(order, total, places, reader)
        wanted = wishes(order, places, _person(order), reader)
        if not reader.violations:
            invoice = close(figures, wanted, places, reader, "prices.total_price")
    return Snapshot(
        order_id=order_id,
        updated_at=updated_at,
        currency=currency,
        order=invoice,
        violations=tuple(reader.violations),
        stages=stages,
        refunded_total_twd=refunded,
        cash_on_delivery=_is_cash_on_delivery(order),
        invoiced_elsewhere=_invoiced(order),
        number=text(order.get("order_number"), order.get("order_name")).lstrip("#"),
    )


def _figures(order: Json, total_twd: int, places: Places, reader: Reader) -> Figures:
    prices = part(order.get("prices"))
    discounts = part(prices.get("discounts"))
    shipping = reader.twd(prices.get("shipping_rate_price"), "prices.shipping_rate_price", absent=0)
    return Figures(
        goods=tuple(_goods(order, places, reader)),
        fees=(Amount("運費", shipping or 0),),
        taken=(),  # even points may have been taken off the lines already
        reductions=tuple(
            (Amount(label, _reduction(discounts.get(name), f"prices.discounts.{name}", reader)),)
            for name, label in _REDUCTIONS.items()
        ),
        total_twd=total_twd,
    )


def _reduction(value: object, path: str, reader: Reader) -> int:
    """A figure, an object with an ``amount``, or a list of such."""
    if isinstance(value, list):
        return sum(_reduction(row, path, reader) for row in reader.rows(value, path))
    figure = part(value).get("amount") if isinstance(value, dict) else value
    return reader.twd(figure, path, absent=0) or 0


def _rows(order: Json, reader: Reader) -> list[Json]:
    """The lines at the top, or those of the shipments, each once."""
    if order.get("line_items"):
        return reader.rows(order["line_items"], "line_items")
    rows: list[Json] = []
    seen: set[str] = set()
    for group in ("fulfillments", "shipments"):
        for shipment in reader.rows(order.get(group), group):
            for row in reader.rows(shipment.get("line_items"), f"{group}.line_items"):
                row_id = canonical_id(row.get("id"))
                if not row_id or row_id not in seen:
                    rows.append(row)
                seen.add(row_id)
    if not rows:
        reader.note(Code.LINES_UNREADABLE, "line_items")
    return rows


def _goods(order: Json, places: Places, reader: Reader) -> Iterator[Line]:
    for index, row in enumerate(_rows(order, reader)):
        path = f"line_items[{index}]"
        quantity = reader.quantity(row.get("quantity"), f"{path}.quantity")
        amount = reader.twd(row.get("total_price_after_discounts"), f"{path}.total_price_after_discounts")
        kind = TaxType.TAXABLE if places.all_taxable else _TAX_TYPES.get(text(row.get("tax_type_id"), "inclusive_tax"))
        if kind is None:
            reader.note(Code.TAX_TYPE_UNKNOWN, f"{path}.tax_type_id")
        if quantity == 0 and amount:
            reader.note(Code.NUMBER_OUT_OF_RANGE, f"{path}.quantity")
        if quantity and amount and kind:
            name, variant = text(row.get("title")), text(row.get("variant_title"))
            yield goods_line(f"{name}（{variant}）" if variant and variant != name else name, quantity, amount, kind)


def _refunded(order: Json, total: int | None, reader: Reader) -> int:
    """Cumulative: what the histories add up to; an order called refunded without any, all of it."""
    rows = reader.rows(order.get("return_histories"), "return_histories")
    added = sum(reader.twd(row.get("price"), "return_histories.price", absent=0) or 0 for row in rows)
    whole = text(part(order.get("statuses")).get("financial_status")) == "refunded"
    return added or (total or 0 if whole else 0)


def _stages(order: Json, updated_at: datetime, reader: Reader) -> dict[Stage, datetime]:
    """A stage implies those on the way to it: a notice of one may be lost, and what was picked up has arrived."""
    statuses, timings = part(order.get("statuses")), part(order.get("timings"))
    shipments = reader.rows(order.get("fulfillments"), "fulfillments")
    sent = text(statuses.get("fulfillment_status"))
    stages: dict[Stage, datetime] = {}
    if text(statuses.get("financial_status")) in _PAID:
        stages[Stage.PAID] = updated_at  # CYBERBIZ keeps no time of payment
    if sent in _SENT:
        stages[Stage.SHIPPED] = _latest(shipments, "fulfilled_at", reader) or updated_at
    if sent in {"arrived", "received"}:
        stages[Stage.ARRIVED] = _latest(shipments, "received_at", reader) or updated_at
    if sent == "received":
        stages[Stage.PICKED_UP] = stages[Stage.ARRIVED]
    cancelled_at = reader.instant(timings.get("cancelled_at"), "timings.cancelled_at")
    if cancelled_at or text(statuses.get("order_status")) == "cancelled":
        stages[Stage.CANCELLED] = cancelled_at or updated_at
    if sent == "returned" or text(statuses.get("return_status")) == "returned":
        stages[Stage.RETURNED] = reader.instant(timings.get("return_at"), "timings.return_at") or updated_at
    return stages


def _latest(shipments: list[Json], name: str, reader: Reader) -> datetime | None:
    times = [reader.instant(row.get(name), f"fulfillments.{name}") for row in shipments]
    return max((time for time in times if time), default=None)


def _is_cash_on_delivery(order: Json) -> bool:
    if text(part(order.get("statuses")).get("financial_status")) == "cod":
        return True
    method = text(order.get("payment_method")).lower().replace("-", "_").split("_")
    return "cod" in method or "貨到付款" in text(order.get("payment_name"))


def _invoiced(order: Json) -> str:
    """The number CYBERBIZ shows, unless it says that invoice is void; its own void lags behind a refund."""
    einvoice = part(order.get("einvoice"))
    living = text(einvoice.get("invoice_status")) != _NOT_LIVING
    return text(einvoice.get("invoice_no") if living else None, order.get("paper_invoice_no"))


def _person(order: Json) -> Buyer:
    customer, account, receiver, billing = (
        part(order.get(key)) for key in ("customer", "buyer", "receiver", "billing_address")
    )
    email, phone = reachable(
        text(account.get("email"), customer.get("email")),
        text(account.get("mobile"), customer.get("mobile"), receiver.get("phone")),
    )
    return Buyer(
        name=text(billing.get("name"), customer.get("name"), receiver.get("name")),
        address=text(first(billing, "address"), receiver.get("address")),
        email=email,
        phone=phone,
    )

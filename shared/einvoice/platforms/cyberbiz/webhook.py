"""CYBERBIZ's webhooks (通知): ``X-Cyberbiz-Hmac-Sha256`` over the raw body under the App Secret of the shop's app.

The body is the order itself. There is no delivery id and no time; deliveries repeat and overtake each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from einvoice.platforms import signing
from einvoice.platforms.base import Change, Notice, Stage
from einvoice.platforms.codes import Code
from einvoice.platforms.reading import canonical_id

SIGNATURE, EVENT, SHOP = "X-Cyberbiz-Hmac-Sha256", "X-Cyberbiz-Event", "X-Cyberbiz-Domain"
SHOP_FORM = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.cyberbiz\.co")

# every other orders/ event, published or not, is an UPDATE
EVENTS: Mapping[str, Stage | Change] = MappingProxyType(
    {
        "orders/paid": Stage.PAID,
        "orders/fulfilled": Stage.SHIPPED,
        "orders/arrived": Stage.ARRIVED,
        "orders/received": Stage.PICKED_UP,
        "orders/cancelled": Stage.CANCELLED,
        "orders/returned": Stage.RETURNED,
        "orders/refunded": Change.REFUND,
        "orders/partial_refunded": Change.REFUND,
    }
)
_ORDERS = ("orders/", "express_delivery_orders/")
_NEEDED = ("prices", "statuses", "updated_at")  # an order that lacks one of them is fetched


def genuine(headers: Mapping[str, str], raw: bytes, secret: str) -> bool:
    """Whether CYBERBIZ made ``raw``. It signs neither shop nor event with it: see ``Notice.shop``."""
    return signing.signed(raw, secret, signing.header(headers, SIGNATURE))


def notice(headers: Mapping[str, str], raw: bytes) -> Notice:
    """What a genuine body is about.

    InvalidRequest: HEADER_MISSING, SHOP_FORM, TOPIC_NOT_ABOUT_ORDERS, BODY_UNREADABLE, ORDER_ID_MISSING.
    """
    shop = signing.required_header(headers, SHOP).lower()
    event = signing.required_header(headers, EVENT)
    if not SHOP_FORM.fullmatch(shop):
        raise signing.refusal(Code.SHOP_FORM, f"headers.{SHOP}")
    if not event.startswith(_ORDERS):
        raise signing.refusal(Code.TOPIC_NOT_ABOUT_ORDERS, f"headers.{EVENT}")
    order = signing.read(raw)
    order_id = canonical_id(order.get("id"))
    if not order_id:
        raise signing.refusal(Code.ORDER_ID_MISSING, "id")
    whole = all(order.get(name) is not None for name in _NEEDED)
    mark = signing.fingerprint(shop, event, order_id, raw)
    return Notice(shop, event, order_id, mark, EVENTS.get(event, Change.UPDATE), order if whole else None)

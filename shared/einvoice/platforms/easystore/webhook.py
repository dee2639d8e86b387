"""EasyStore's webhooks (通知): ``Easystore-Hmac-Sha256`` over the raw body under the app's client secret.

The topics are the union of EasyStore's two published lists. Delivery is not guaranteed and may lag (EasyStore's own
words), so orders are also listed again by ``client``. Orders come wrapped in ``order``; what ``order/cancel``,
``fulfillment/*`` and ``refund/create`` hold is not published and may be little more than an id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from einvoice.platforms import signing
from einvoice.platforms.base import Change, Json, Notice, Stage
from einvoice.platforms.codes import Code
from einvoice.platforms.reading import canonical_id, part

SIGNATURE, TOPIC, SHOP = "Easystore-Hmac-Sha256", "Easystore-Topic", "Easystore-Shop-Domain"
SHOP_FORM = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.easy\.co")

TOPICS: Mapping[str, Stage | Change] = MappingProxyType(
    {
        "order/create": Change.UPDATE,
        "order/update": Change.UPDATE,
        "order/paid": Stage.PAID,
        "order/partially_paid": Change.UPDATE,
        "order/partially_fulfilled": Change.UPDATE,
        "order/cancel": Stage.CANCELLED,
        "order/delete": Change.UPDATE,  # a deleted record is no cancelled sale
        "fulfillment/create": Change.UPDATE,  # of a part, perhaps
        "fulfillment/update": Change.UPDATE,
        "fulfillment/cancel": Change.UPDATE,
        "refund/create": Change.REFUND,
    }
)
_NEEDED = ("line_items", "updated_at", "financial_status")  # an order that lacks one of them is fetched


def genuine(headers: Mapping[str, str], raw: bytes, secret: str) -> bool:
    """Whether EasyStore made ``raw``. It signs neither shop nor topic: see ``Notice.shop``."""
    return signing.signed(raw, secret, signing.header(headers, SIGNATURE))


def notice(headers: Mapping[str, str], raw: bytes) -> Notice:
    """What a genuine body is about.

    InvalidRequest: HEADER_MISSING, SHOP_FORM, TOPIC_NOT_ABOUT_ORDERS, BODY_UNREADABLE, ORDER_ID_MISSING.
    """
    shop = signing.required_header(headers, SHOP).lower()
    topic = signing.required_header(headers, TOPIC)
    if not SHOP_FORM.fullmatch(shop):
        raise signing.refusal(Code.SHOP_FORM, f"headers.{SHOP}")
    if topic not in TOPICS:
        raise signing.refusal(Code.TOPIC_NOT_ABOUT_ORDERS, f"headers.{TOPIC}")
    body = signing.read(raw)
    order = _order(topic, body)
    order_id = canonical_id(order.get("id")) if order else _order_id(topic, body)
    if not order_id:
        raise signing.refusal(Code.ORDER_ID_MISSING, "order.id")
    whole = all(order.get(name) is not None for name in _NEEDED)
    mark = signing.fingerprint(shop, topic, order_id, raw)
    return Notice(shop, topic, order_id, mark, TOPICS[topic], order if whole else None)


def _order(topic: str, body: Json) -> Json:
    wrapped = part(body.get("order"))
    return wrapped or (body if topic.startswith("order/") else {})


def _order_id(topic: str, body: Json) -> str:
    """The order a fulfilment or refund belongs to; its own ``id`` is another thing's."""
    inner = part(body.get(topic.partition("/")[0]))
    return canonical_id(inner.get("order_id")) or canonical_id(body.get("order_id"))

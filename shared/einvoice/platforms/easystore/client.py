"""EasyStore's API 3.0, asked for orders (訂單查詢). A shop's API lives on its own host, ``https://<name>.easy.co``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from einvoice.platforms.api import Api, error_only
from einvoice.platforms.base import Incomprehensible, Json
from einvoice.platforms.easystore.webhook import SHOP_FORM
from einvoice.platforms.reading import canonical_id

PAGE_SIZE = 50  # at most 250; an order with everything in it is some 10 kB
MAX_PAGES = 400
FIELDS = (
    "items,addresses,note_attributes,transactions,fulfillments,refunds,taxes,customer,shipping_fees,discounts,points,"
    "cancellation"
)


def base_url(shop: str) -> str:
    """The address of a shop's API; ValueError for a host that is not EasyStore's, so that no token goes elsewhere.

    >>> base_url("demo.easy.co")
    'https://demo.easy.co'
    """
    if not SHOP_FORM.fullmatch(shop):
        raise ValueError("an EasyStore shop is <name>.easy.co")
    return f"https://{shop}"


class EasyStoreOrders:
    """One shop's orders; see ``base.Orders``. Safe for one thread at a time."""

    def __init__(self, base_url: str, token: str, timeout_s: float = 10.0) -> None:
        self._api = Api(base_url, {"EasyStore-Access-Token": token}, timeout_s)

    def fetch(self, order_id: str) -> Json:
        """The order with this internal id."""
        answer, _ = self._api.get(f"/api/3.0/orders/{quote(order_id, safe='')}.json", {"fields": FIELDS})
        order = answer.get("order", answer) if isinstance(answer, dict) else None
        if not isinstance(order, dict) or canonical_id(order.get("id")) != order_id:
            error_only(answer)
        return order

    def updated_since(self, since: datetime) -> Iterator[Json]:
        """Orders changed since; also earlier ones.

        EasyStore reads ``updated_at_min`` without a zone and does not say in which. UTC is behind every zone that it
        has shops in, so UTC's figure never leaves out an order.
        """
        query: dict[str, str | int] = {
            "updated_at_min": since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "sort": "id.asc",  # an order that changes while pages are read keeps its page
            "limit": PAGE_SIZE,
            "fields": FIELDS,
        }
        seen: set[str] = set()
        for page in range(1, MAX_PAGES + 1):
            answer, _ = self._api.get("/api/3.0/orders.json", {**query, "page": page})
            orders = answer.get("orders") if isinstance(answer, dict) else None
            if not isinstance(orders, list) or not all(isinstance(one, dict) for one in orders):
                error_only(answer)
            # a page may be shorter than asked for without being the last
            fresh = [one for one in orders if canonical_id(one.get("id")) not in seen]
            if not fresh:
                return
            seen.update(canonical_id(one.get("id")) for one in fresh)
            yield from fresh
        raise Incomprehensible("TOO_MANY")

"""CYBERBIZ's App Store API, asked for orders (訂單查詢): one address for all shops, the token says which.

At most 5 requests a second. Some failures come as a 2xx answer with nothing but an error in it. A 401 may also mean a
feature the shop's plan lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

from einvoice.platforms.api import Api, error_only
from einvoice.platforms.base import Incomprehensible, Json
from einvoice.platforms.reading import canonical_id
from einvoice.rules.period import TAIPEI

BASE_URL = "https://app-store-api.cyberbiz.io"
PAGE_SIZE = 50  # its largest
MAX_PAGES = 400


class CyberbizOrders:
    """One shop's orders; see ``base.Orders``. Safe for one thread at a time."""

    def __init__(self, base_url: str, token: str, timeout_s: float = 10.0) -> None:
        self._api = Api(base_url, {"Authorization": f"Bearer {token}"}, timeout_s)

    def fetch(self, order_id: str) -> Json:
        """The order with this id."""
        answer, _ = self._api.get(f"/v1/orders/{quote(order_id, safe='')}", {})
        if not isinstance(answer, dict) or canonical_id(answer.get("id")) != order_id:
            error_only(answer)
        return answer

    def updated_since(self, since: datetime) -> Iterator[Json]:
        """Orders changed at or after an aware instant.

        In which order CYBERBIZ lists them is not documented: one that changes while pages are read may push another
        across a page's edge, unseen. Ask with spans that overlap.
        """
        start = since.astimezone(TAIPEI).strftime("%Y-%m-%d %H:%M:%S")
        seen: set[str] = set()
        for page in range(1, MAX_PAGES + 1):
            query: dict[str, str | int] = {"updated_at_start_time": start, "page": page, "per_page": PAGE_SIZE}
            orders, headers = self._api.get("/v1/orders", query)
            if not isinstance(orders, list) or not all(isinstance(one, dict) for one in orders):
                error_only(orders)
            fresh = [one for one in orders if canonical_id(one.get("id")) not in seen]
            seen.update(canonical_id(one.get("id")) for one in fresh)
            yield from fresh
            total = headers.get("X-Total", "")
            if not fresh or (total.isascii() and total.isdigit() and len(seen) >= int(total)):
                return
        raise Incomprehensible("TOO_MANY")

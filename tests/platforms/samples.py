"""Invented orders in the shapes the platforms send, and what the tests need around them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def easystore_line(**over):
    """A line of an EasyStore order: two pieces, 105 off."""
    return {
        "id": 76000001,
        "product_name": "高山茶",
        "variant_name": "二兩",
        "price": "525.00",
        "subtotal": "1050.00",
        "subtotal_after_discount": "945.00",
        "total_discount": "105.00",
        "quantity": 2,
        "taxable": True,
        "total_tax": "0.00",
        "is_deleted": False,
    } | over


def easystore_order(**over):
    """A paid EasyStore order of 1,005: one line after discount and shipping."""
    return {
        "id": 37000001,
        "number": 1018,
        "order_number": "#1018",
        "note_attributes": None,
        "cod_type": 0,
        "total_line_items_price": "1050.00",
        "total_discount": "105.00",
        "total_credit_used": "0.00",
        "subtotal_price": "945.00",
        "total_tax": "0.00",
        "total_shipping": "60.00",
        "total_price": "1005.00",
        "total_amount_include_transaction": "1005.00",
        "total_transaction_charge": 0.0,
        "currency": "TWD",
        "total_refund_amount": "0.00",
        "financial_status": "paid",
        "fulfillment_status": "unfulfilled",
        "taxes_included": True,
        "customer": {"email": "buyer@example.com", "first_name": "小明", "last_name": "王", "phone": "+886912345678"},
        "line_items": [easystore_line()],
        "billing_address": {"company": "", "city": "臺北市", "address1": "市府路1號"},
        "shipping_fees": {"id": 1, "name": "宅配", "price": "60.00", "total_discount": "0.00"},
        "cancelled_at": None,
        "created_at": "2026-02-28T23:00:00.000+08:00",
        "updated_at": "2026-03-01T00:30:00.000+08:00",
    } | over


def cyberbiz_line(**over):
    """A line of a CYBERBIZ order: three pieces, 522 off, which no summary mentions."""
    return {
        "id": 91,
        "title": "高山茶",
        "variant_title": "二兩",
        "price": 870.0,
        "quantity": 3,
        "item_type": "normal",
        "discounts": [{"id": 3, "code": "referral_discount", "name": "推薦折扣", "discount": 522}],
        "total_price_before_discounts": 2610.0,
        "total_discount": 522.0,
        "total_price_after_discounts": 2088.0,
        "tax_type_id": "inclusive_tax",
    } | over


def cyberbiz_order(**over):
    """A paid CYBERBIZ order of 2,088: the discount stands on the line only."""
    return {
        "id": 500001,
        "order_number": 10001,
        "order_name": "#10001",
        "customer": {"name": "王小明", "email": "buyer@example.com", "mobile": "0912345678"},
        "buyer": {"email": "buyer@example.com", "mobile": "0912345678"},
        "receiver": {"name": "王大明", "phone": "0987654321", "address": "臺北市市府路1號"},
        "line_items": [cyberbiz_line()],
        "payment_method": "credit_card",
        "payment_name": "信用卡",
        "prices": {
            "total_line_items_price": 2610.0,
            "shipping_rate_price": 0.0,
            "discounts": {
                "special_collection_discount": 0,
                "vip_discount": 0.0,
                "shop_discount": None,
                "coupon_discounts": [],
                "bonus_consumed": 0.0,
            },
            "total_price": 2088.0,
        },
        "einvoice": {"invoice_type": "default", "company_no": "", "invoice_no": None, "invoice_status": ""},
        "paper_invoice_no": None,
        "statuses": {
            "order_status": "open",
            "financial_status": "paid",
            "fulfillment_status": "unshipped",
            "return_status": "no_need",
        },
        "timings": {"refund_at": None, "cancelled_at": None, "return_at": None},
        "return_histories": [],
        "fulfillments": [],
        "created_at": "2026-02-28 23:00:00",
        "updated_at": "2026-03-01 00:30:00",
    } | over


def prices(total, shipping=0, **discounts):
    """CYBERBIZ's summary of an order."""
    return {"shipping_rate_price": shipping, "total_price": total, "discounts": discounts}


def codes(shot):
    """Codes of a snapshot's violations."""
    return [one.code for one in shot.violations]


def figures(order):
    """Name and amount of every line of an order."""
    return [(line.name, line.amount_twd) for line in order.lines]


def raw(body) -> bytes:
    """A body as bytes."""
    return json.dumps(
        body, ensure_ascii=False, default=lambda number: float(number) if number % 1 else int(number)
    ).encode()


Answer = tuple[int, dict[str, str], bytes]


class Shop:
    """A platform's API on this machine: answers by a script, and remembers what it was asked."""

    def __init__(self, script: Callable[[str], Answer]) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.asked.append(self.path)
                shop.headers.append(dict(self.headers))
                status, headers, body = script(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments) -> None:
                pass  # pytest's output is the tests'

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Shop]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(5)


def answering(status: int, body: object, **headers: str) -> Callable[[str], Answer]:
    """The same answer to every question."""
    content = body if isinstance(body, bytes) else raw(body)
    return lambda path: (status, {name.replace("_", "-"): value for name, value in headers.items()}, content)

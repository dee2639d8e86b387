"""Reads (查詢): GET of an invoice (and its print link), an order, an allowance, what closes soon, and /v1/health."""

from __future__ import annotations

from typing import Any

from einvoice.application import allowances, read
from einvoice.application import deadlines as soon
from einvoice.application.ports import Ports, Work
from einvoice.edge import deadlines, http, views
from einvoice.errors import NotFound


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 — Lambda's context has no public type
    """Lambda entry point."""
    route = event.get("routeKey", "")
    if route == "GET /v1/health":
        return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"status":"ok"}'}
    return http.handle(event, context, "invoices:read", ROUTES[route])


def invoice(p: Ports, w: Work, request: http.Request) -> http.Reply:  # noqa: ARG001 — every route takes the same
    """One generation of an order's invoice, with its content."""
    key, generation = request.invoice()
    found = read.read_invoice(p, key, generation)
    return http.Reply(200, views.invoice_view(found.head, generation, content=True), http.JSON_TYPE)


def print_link(p: Ports, w: Work, request: http.Request) -> http.Reply:
    """Where the invoice can be printed for the next hour."""
    key, generation = request.invoice()
    return http.Reply(200, {"url": read.print_link(p, w, key, generation)}, http.JSON_TYPE)


def order(p: Ports, w: Work, request: http.Request) -> http.Reply:  # noqa: ARG001 — every route takes the same
    """The order with every invoice it ever had and its log."""
    head = read.read_order(p, request.order(p))
    return http.Reply(200, views.order_view(head), http.JSON_TYPE)


def allowance(p: Ports, w: Work, request: http.Request) -> http.Reply:  # noqa: ARG001 — every route takes the same
    """One allowance of an order."""
    key, n = request.allowance()
    head = read.read_order(p, key)
    record = allowances.numbered(head, n)
    if record is None:
        raise NotFound
    return http.Reply(200, views.allowance_view(head, record, content=True), http.JSON_TYPE)


def closing(p: Ports, w: Work, request: http.Request) -> http.Reply:  # noqa: ARG001 — every route takes the same
    """What of the merchant's documents closes soon, a page of it."""
    place, limit = deadlines.asked(request, p.clock.now())
    page = soon.page(p, request.merchant, place, limit)
    return deadlines.answered(request.merchant, page)


ROUTES = {
    "GET /v1/invoices/{id}": invoice,
    "GET /v1/invoices/{id}/print": print_link,
    "GET /v1/orders/{source}/{order_id}": order,
    "GET /v1/allowances/{id}": allowance,
    "GET /v1/deadlines": closing,
}

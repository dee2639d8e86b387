"""Reads (查詢): GET /v1/invoices/{id}, /v1/invoices/{id}/print, /v1/orders/{source}/{order_id}, /v1/health."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from einvoice.application import read
from einvoice.application.ports import Ports, Work
from einvoice.edge import http, views
from einvoice.errors import NotFound
from einvoice.identity import MAX_ORDER_ID_CHARS, valid_source
from einvoice.model import OrderKey


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
    source, order_id = request.path.get("source", ""), request.path.get("order_id", "")
    if not valid_source(source) or not 0 < len(order_id) <= MAX_ORDER_ID_CHARS:
        raise NotFound
    try:
        head = read.read_order(p, OrderKey(request.merchant, source, order_id))
    except NotFound:  # whether the path comes decoded is the gateway's business: as given first, for ids with a "%"
        head = read.read_order(p, OrderKey(request.merchant, source, unquote(order_id)))
    return http.Reply(200, views.order_view(head), http.JSON_TYPE)


ROUTES = {
    "GET /v1/invoices/{id}": invoice,
    "GET /v1/invoices/{id}/print": print_link,
    "GET /v1/orders/{source}/{order_id}": order,
}

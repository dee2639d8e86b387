"""Void (作廢): POST /v1/invoices/{id}/void and the void queue."""

from __future__ import annotations

from typing import Any

from einvoice.application.ports import Ports, Work
from einvoice.application.void import VoidRequest, cancel, void
from einvoice.edge import bodies, http, queue
from einvoice.errors import InvalidRequest


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 — Lambda's context has no public type
    """Lambda entry point."""
    if "Records" in event:
        return queue.handle(event, context, on_message)
    return http.handle(event, context, "invoices:void", on_request)


def on_request(p: Ports, w: Work, request: http.Request) -> http.Reply:
    """Void the invoice that the path names; an order still on its way is answered 409."""
    key, generation = request.invoice()
    body = bodies.parse(bodies.VoidBody, request.body)
    return http.answered(p, void(p, w, VoidRequest(key, generation, body.reason, request.idempotency_key)))


def on_message(p: Ports, w: Work, raw: bytes) -> None:
    """Void what the message names; what cannot be done yet is stored as a wish and done later."""
    message = bodies.parse(bodies.VoidMessage, raw)
    key, generation = queue.named(message)
    wanted = VoidRequest(key, generation, message.reason, message.idempotency_key)
    try:
        cancel(p, w, wanted)
    except InvalidRequest as invalid:  # readable, but against the rules: sent again it would be no better
        queue.refused_by_rules(p, invalid)

"""Re-issue (再次開立): POST /v1/invoices/{id}/reissue and the reissue queue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from einvoice.application.ports import Ports, Work
from einvoice.application.reissue import ReissueRequest, reissue
from einvoice.edge import bodies, http, queue
from einvoice.errors import InvalidRequest
from einvoice.model import OrderKey


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 — Lambda's context has no public type
    """Lambda entry point."""
    if "Records" in event:
        return queue.handle(event, context, on_message)
    return http.handle(event, context, "invoices:reissue", on_request)


def on_request(p: Ports, w: Work, request: http.Request) -> http.Reply:
    """Replace the invoice that the path names."""
    key, generation = request.invoice()
    body = bodies.parse(bodies.ReissueBody, request.body)
    return http.answered(p, reissue(p, w, _wanted(key, generation, body, request.idempotency_key)))


def on_message(p: Ports, w: Work, raw: bytes) -> None:
    """Replace the invoice that the message names: a generation, so that a late message replaces nothing newer."""
    message = bodies.parse(bodies.ReissueMessage, raw)
    key, generation = queue.named(message)
    if not generation:
        raise InvalidRequest([bodies.violation("REQUIRED", "invoice_id")])
    wanted = replace(_wanted(key, generation, message, message.idempotency_key), keep=True)
    try:
        reissue(p, w, wanted)
    except InvalidRequest as invalid:  # readable, but against the rules: sent again it would be no better
        queue.refused_by_rules(p, invalid)


def _wanted(key: OrderKey, generation: int, body: bodies.ReissueBody, idempotency_key: str) -> ReissueRequest:
    return ReissueRequest(
        key=key,
        generation=generation,
        reason=body.reason,
        corrections=body.corrections.given(),
        mode=body.mode,
        order_total_twd=body.order_total_twd,
        idempotency_key=idempotency_key,
    )

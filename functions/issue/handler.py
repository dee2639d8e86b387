"""Issue (開立): POST /v1/invoices and the issue queue."""

from __future__ import annotations

from typing import Any

from einvoice.application.issue import IssueRequest, issue, refused_by_rules
from einvoice.application.ports import Ports, Work
from einvoice.edge import bodies, http, queue
from einvoice.errors import InvalidRequest
from einvoice.model import OrderKey


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 — Lambda's context has no public type
    """Lambda entry point."""
    if "Records" in event:
        return queue.handle(event, context, on_message)
    return http.handle(event, context, "invoices:write", on_request)


def on_request(p: Ports, w: Work, request: http.Request) -> http.Reply:
    """Issue for the authenticated merchant."""
    body = bodies.parse(bodies.IssueBody, request.body)
    return http.answered(p, issue(p, w, _wanted(request.merchant, body, request.idempotency_key, keep=False)))


def on_message(p: Ports, w: Work, raw: bytes) -> None:
    """Issue for the merchant a trusted producer names; what the rules refuse stands in the order's log."""
    message = bodies.parse(bodies.IssueMessage, raw)
    wanted = _wanted(message.merchant_id, message, message.idempotency_key, keep=True)
    try:
        issue(p, w, wanted)
    except InvalidRequest as invalid:
        refused_by_rules(p, wanted, invalid.violations)


def _wanted(merchant: str, body: bodies.IssueBody, idempotency_key: str, *, keep: bool) -> IssueRequest:
    key = OrderKey(merchant, body.source, body.order_id)
    return IssueRequest(key, body.order(), idempotency_key, body.late_reason, keep)

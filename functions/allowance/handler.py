"""Allowances (折讓): POST /v1/invoices/{id}/allowances, POST /v1/allowances/{id}/void, and the allowance queue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from einvoice.application import plans
from einvoice.application.correct import CorrectionRequest, correct
from einvoice.application.ports import Ports, Work
from einvoice.edge import bodies, correction_bodies, corrections, http, queue
from einvoice.errors import Conflict, InvalidRequest, NotFound, Reason
from einvoice.model import OrderKey

SCOPE = "invoices:allowance"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 — Lambda's context has no public type
    """Lambda entry point."""
    if "Records" in event:
        return queue.handle(event, context, on_message)
    return http.handle(event, context, SCOPE, ROUTES[event.get("routeKey", "")])


def allow(p: Ports, w: Work, request: http.Request) -> http.Reply:
    """Make an allowance on the invoice that the path names."""
    key, generation = request.invoice()
    body = bodies.parse(correction_bodies.AllowanceBody, request.body)
    wanted = _wanted(key, generation, body, by=request.key_id, idempotency_key=request.idempotency_key)
    try:
        return corrections.answered(p, correct(p, w, wanted))
    except InvalidRequest as invalid:  # here a refund's parts stand in the body itself
        here = [replace(one, path=one.path.removeprefix("refund.")) for one in invalid.violations]
        raise InvalidRequest(here) from None


def void(p: Ports, w: Work, request: http.Request) -> http.Reply:
    """Void the allowance that the path names, or take it back while the buyer is still asked."""
    key, n = request.allowance()
    body = bodies.parse(bodies.VoidBody, request.body)
    wanted = CorrectionRequest(
        key, plans.VOID_ALLOWANCE, body.reason, n=n, idempotency_key=request.idempotency_key, by=request.key_id
    )
    return corrections.answered(p, correct(p, w, wanted))


def on_message(p: Ports, w: Work, raw: bytes) -> None:
    """Allow what the message names; what must wait stays with the order, which goes on by itself."""
    message = bodies.parse(correction_bodies.AllowanceMessage, raw)
    key, generation = queue.named(message)
    wanted = _wanted(key, generation, message, by="queue", idempotency_key=message.idempotency_key, keep=True)
    try:
        correct(p, w, wanted)
    except NotFound as unknown:  # a refund that overtook its order's issue comes again, in the end as a dead letter
        raise Conflict(Reason.WAIT, "ORDER_UNKNOWN", "尚無此訂單，稍後再試。") from unknown
    except InvalidRequest as invalid:  # readable, but against the rules: sent again it would be no better
        queue.refused_by_rules(p, invalid)


ROUTES = {"POST /v1/invoices/{id}/allowances": allow, "POST /v1/allowances/{id}/void": void}


def _wanted(
    key: OrderKey,
    generation: int,
    body: correction_bodies.AllowanceBody,
    *,
    by: str,
    idempotency_key: str,
    keep: bool = False,
) -> CorrectionRequest:
    return CorrectionRequest(
        key,
        plans.REFUND,
        body.reason,
        generation=generation,
        wanted=body.wanted(),
        refund_id=body.refund_id,
        only=True,
        online=body.online_email,
        evidence=body.evidence.given(),
        idempotency_key=idempotency_key,
        by=by,
        keep=keep,
    )

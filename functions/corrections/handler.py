"""Corrections (更正): POST …/corrections, DELETE …/corrections/{id}, PATCH …/facts, and PUT /v1/filings/{period}."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from einvoice.application import evidence
from einvoice.application.correct import CorrectionRequest, correct, preview
from einvoice.application.ports import Ports, Work
from einvoice.application.withdraw import withdraw
from einvoice.edge import bodies, correction_bodies, corrections, http, views
from einvoice.errors import InvalidRequest, NotFound, Violation
from einvoice.rules.period import TAIPEI

SCOPE = "invoices:correct"
_ID = re.compile(r"[1-9][0-9]{0,8}")
_PERIOD = re.compile(r"(?!000)[0-9]{3}(0[1-9]|1[0-2])")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 — Lambda's context has no public type
    """Lambda entry point."""
    return http.handle(event, context, SCOPE, ROUTES[event.get("routeKey", "")])


def on_correction(p: Ports, w: Work, request: http.Request) -> http.Reply:
    """Say what would be done (``dry_run``), or do it."""
    body = bodies.parse(correction_bodies.CorrectionBody, request.body)
    wanted = CorrectionRequest(
        request.order(p),
        body.goal,
        body.reason,
        wanted=body.refund.wanted() if body.refund else {},
        refund_id=body.refund_id or "",
        corrections=body.corrections.given(),
        order_total_twd=body.order_total_twd,
        mode=body.mode,
        online=body.online_email,
        evidence=body.evidence.given(),
        idempotency_key=request.idempotency_key,
        by=request.key_id,
    )
    if body.dry_run:
        return corrections.previewed(preview(p, w, wanted))
    return corrections.answered(p, correct(p, w, wanted))


def on_withdrawal(p: Ports, w: Work, request: http.Request) -> http.Reply:  # noqa: ARG001 — every route takes the same
    """Take a correction back that waits, or is held."""
    plan_id = request.path.get("id", "")
    if not _ID.fullmatch(plan_id):
        raise NotFound
    return corrections.withdrawn(withdraw(p, request.order(p), int(plan_id), by=request.key_id))


def on_facts(p: Ports, w: Work, request: http.Request) -> http.Reply:
    """Keep what is known of the order; a correction that waited for it goes on."""
    body = bodies.parse(correction_bodies.FactsBody, request.body)
    head = evidence.record(p, w, request.order(p), body.given(), by=request.key_id)
    return http.Reply(200, views.order_view(head), http.JSON_TYPE)


def on_filing(p: Ports, w: Work, request: http.Request) -> http.Reply:  # noqa: ARG001 — every route takes the same
    """Keep that a period (for monthly filers, a month) was filed. The first answer stays."""
    period = request.path.get("period", "")
    body = bodies.parse(correction_bodies.FilingBody, request.body or b"{}")
    over = _over(period, monthly=p.centres.profile(request.merchant).filing == "monthly")
    at = p.store.mark_filed(request.merchant, period, _filed_at(body.filed_at, over, p.clock.now()))
    p.observe("period_filed", merchant=request.merchant, period=period)
    return http.Reply(200, {"period": period, "filed_at": views.instant(at)}, http.JSON_TYPE)


def _over(period: str, *, monthly: bool) -> datetime:
    """The first instant after the period. Raises InvalidRequest for what this merchant does not file by."""
    if not _PERIOD.fullmatch(period) or not (monthly or int(period) % 2 == 0):
        message = "期別須為民國年月（雙月；按月申報者為當月），例如 11502。"
        raise InvalidRequest([Violation("BAD_PERIOD", "period", message)])
    year, month = 1911 + int(period[:3]), int(period[3:])
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=TAIPEI)


def _filed_at(text: str, over: datetime, now: datetime) -> int:
    """The given instant, after the period and not in the future. Raises InvalidRequest."""
    if over > now:
        raise InvalidRequest([Violation("PERIOD_NOT_OVER", "period", "這個期別尚未結束，不可能已經申報。")])
    try:
        given = datetime.fromisoformat(text) if text else now
    except ValueError:
        given = None
    if given is None or given.utcoffset() is None or not over <= given <= now:
        raise InvalidRequest([Violation("BAD_INSTANT", "filed_at", "須為含時區、在期別結束之後且不晚於現在的時間。")])
    return int(given.timestamp())


ROUTES = {
    "POST /v1/orders/{source}/{order_id}/corrections": on_correction,
    "DELETE /v1/orders/{source}/{order_id}/corrections/{id}": on_withdrawal,
    "PATCH /v1/orders/{source}/{order_id}/facts": on_facts,
    "PUT /v1/filings/{period}": on_filing,
}

"""Corrections as callers see them (更正的回覆): the plan, its reasons and what to do next."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from einvoice.application import plans
from einvoice.application.answers import retry_after
from einvoice.application.correct import Corrected
from einvoice.application.deciding import told
from einvoice.application.ports import Ports
from einvoice.edge import http, texts, views
from einvoice.errors import Reason
from einvoice.rules.correction import Decision, Do

Json = dict[str, Any]

RULES = "RULES"


def previewed(decision: Decision) -> http.Reply:
    """What would be done: nothing was changed."""
    return http.Reply(200, {"dry_run": True, "decision": views.decision_view(told(decision))}, http.JSON_TYPE)


def answered(p: Ports, corrected: Corrected) -> http.Reply:
    """201 done by this request · 200 done before · 202 on its way, or waiting · 409/422 stopped."""
    head, plan, body = corrected.head, corrected.plan, _body(corrected)
    location = {"location": f"/v1/orders/{head.key.source}/{quote(head.key.order_id, safe='')}"}
    if plan["status"] == plans.OPEN:
        stuck = head.attention or (plan.get("decision") or {}).get("do") == Do.HOLD.value
        wait = {} if stuck else {"retry-after": str(retry_after(head, p.now()))}
        return http.Reply(202, body, http.JSON_TYPE | location | wait)
    if plan["status"] == plans.STOPPED:
        return _stopped(plan, body)
    return http.Reply(201 if corrected.new else 200, body, http.JSON_TYPE | location)


def withdrawn(corrected: Corrected) -> http.Reply:
    """200: it goes no further, by this request or before it."""
    return http.Reply(200, _body(corrected), http.JSON_TYPE)


def _body(corrected: Corrected) -> Json:
    """The correction, with the order's invoice and allowances as they stand."""
    head = corrected.head
    return {
        "correction": views.correction_view(head, corrected.plan),
        "source": head.key.source,
        "order_id": head.key.order_id,
        "invoice": views.invoice_view(head, head.generation) if head.relate_number else None,
        "allowances": [views.allowance_view(head, one) for one in views.allowances_of(head)],
    }


def _stopped(plan: Json, body: Json) -> http.Reply:
    """What was done of it stays; the cause says why it goes no further."""
    refusal = plan.get("refusal") or {}
    decision = plan.get("decision") or {}
    cause = str(plan.get("cause") or "STOPPED")
    code = RULES if "," in cause else cause  # several rules at once have no one code
    reason = Reason(refusal.get("reason") or decision.get("reason") or Reason.ASK_A_PERSON)
    detail = refusal.get("raw_message") or texts.cause_text({"cause": cause})
    status = 409 if reason in (Reason.WAIT, Reason.ORDER_HAS_INVOICE) else 422
    return http.problem(status, code, f"未完成：{detail}", reason, **body)

"""Invoices and orders as callers see them (回覆內容): JSON values only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from einvoice.application import allowances, plans, uploads
from einvoice.edge import texts
from einvoice.identity import allowance_id, invoice_id
from einvoice.rules.period import TAIPEI
from einvoice.store.base import Head, State

#: what the caller does next, by state, where no refusal or attention says more
NEXT_ACTIONS = dict.fromkeys(
    (State.ISSUING, State.WAITING, State.VOIDING, State.REISSUING, State.ALLOWING), "WAIT"
)


EARLIER = "EARLIER_CORRECTION"  # what a plan waits for whose turn has not come


def invoice_view(head: Head, generation: int, *, content: bool = False) -> dict[str, Any]:
    """One generation of an order's invoice; ``content`` adds buyer and lines."""
    if generation == head.generation:
        view = _current(head)
        payload = head.payload
    else:
        past = next(p for p in reversed(head.past) if p["generation"] == generation)
        view = _past(head, past)
        payload = past["payload"]
    if content:
        view["content"] = payload
    return view


def order_view(head: Head) -> dict[str, Any]:
    """An order with every invoice it ever had and its log, as a merchant's staff reads it."""
    invoices = [_past(head, past) | {"content": past["payload"]} for past in head.past]
    if head.state is not State.WANTED:  # a wish before any request to issue: there is no invoice to speak of
        invoices.append(_current(head) | {"content": head.payload})
    return {
        "source": head.key.source,
        "order_id": head.key.order_id,
        "state": head.state.value,
        "state_text": texts.STATES[head.state.value],
        "want": _told(head.want, "at"),
        "attention": _told(head.attention, "since"),
        "invoices": invoices,
        "allowances": [allowance_view(head, one, content=True) for one in allowances_of(head)],
        "corrections": [correction_view(head, plan) for plan in head.plans],
        "facts": {name: _told(fact, "at") for name, fact in head.facts.items()},
        "log": [_log_entry(entry) for entry in head.log],
    }


def allowances_of(head: Head) -> list[dict[str, Any]]:
    """Every allowance the centre has, or may have, in its books, and those that were refused, oldest first."""
    return allowances.everywhere(head)


def allowance_view(head: Head, record: dict[str, Any], *, content: bool = False) -> dict[str, Any]:
    """One allowance of an order; ``content`` adds its lines."""
    current = record in head.allowances
    generation = head.generation if current else _generation_of(head, record)
    view = {
        "id": allowance_id(head.key, int(record["n"])),
        "invoice": invoice_id(head.key, generation),
        "state": record["status"],
        "state_text": texts.ALLOWANCE_STATES[record["status"]],
        "number": record.get("number") or None,
        "allowed_at": record.get("at"),
        "amount_twd": record["amount_twd"],
        "tax_twd": record.get("tax_twd"),
        "purpose": record["purpose"],
        "refund_id": record.get("refund_id"),
        "upload": record.get("upload", "none"),
        "effective": record["status"] == "LIVE" and record.get("upload") == "confirmed",
        "expires_at": instant(int(record["expires_at"])) if record.get("expires_at") else None,
        "reason": record.get("reason"),
        "void": _void(record.get("void_reason", ""), str(record.get("voided_at", ""))),
    }
    return view | {"lines": record["lines"]} if content else view


def _generation_of(head: Head, record: dict[str, Any]) -> int:
    return next(int(past["generation"]) for past in head.past if record in past.get("allowances", []))


def _effective(head: Head) -> bool:
    """Whether the ministry confirmed the invoice, and everything that made room for it."""
    # an own invoice, and what was done to the earlier ones: their own uploads no longer matter
    counted = (one for one in uploads.documents(head) if (one.generation == head.generation) == (one.kind == "invoice"))
    return head.state is State.ISSUED and all(one.upload == "confirmed" for one in counted)


def _current(head: Head) -> dict[str, Any]:
    reason = head.refusal.get("reason") if head.state in (State.REFUSED, State.WAITING) else None
    next_action = "ASK_A_PERSON" if head.attention else reason or NEXT_ACTIONS.get(head.state)
    return {
        "id": invoice_id(head.key, head.generation),
        "source": head.key.source,
        "order_id": head.key.order_id,
        "generation": head.generation,
        "state": head.state.value,
        "state_text": texts.STATES[head.state.value],
        "number": head.number or None,
        "issued_at": head.issued_at or None,
        "random_code": head.random_code or None,
        "period": head.period or None,
        "total_twd": head.payload.get("total_twd"),
        "relate_number": head.relate_number or None,
        "provider": head.centre.provider if head.centre else None,
        "upload": head.upload,
        "remaining_twd": _remaining(head),
        "effective": _effective(head),
        "cause": head.cause or head.attention.get("cause"),
        "next_action": next_action,
        "next_step": texts.NEXT_STEPS.get(next_action or ""),
        "refusal": _refusal(head) if head.state is not State.ISSUING else None,
        "attention": _told(head.attention, "since"),
        "void": _void(head.void_reason, head.voided_at) if head.state is State.VOIDED else None,
        "replaces": invoice_id(head.key, head.generation - 1) if head.generation > 1 else None,
        "replaced_by": None,
    }


def _past(head: Head, past: dict[str, Any]) -> dict[str, Any]:
    generation = int(past["generation"])
    replaced_by = generation if past["state"] == "REPLACED_SAME_NUMBER" else generation + 1
    return {
        "id": invoice_id(head.key, generation),
        "source": head.key.source,
        "order_id": head.key.order_id,
        "generation": generation,
        "state": past["state"],
        "state_text": texts.STATES[past["state"]],
        "number": past["number"] or None,
        "issued_at": past["issued_at"] or None,
        "random_code": past["random_code"] or None,
        "period": past["period"] or None,
        "total_twd": past["payload"].get("total_twd"),
        "relate_number": past["relate_number"],
        "provider": past["centre"].get("provider"),
        "upload": past["upload"],
        "remaining_twd": 0,
        "effective": False,
        "cause": None,
        "next_action": None,
        "next_step": None,
        "refusal": None,
        "attention": None,
        "void": _void(past["void_reason"], past["voided_at"]),
        "replaces": invoice_id(head.key, generation - 1) if generation > 1 else None,
        "replaced_by": invoice_id(head.key, replaced_by),
    }


def _remaining(head: Head) -> int | None:
    """What of the invoice was not allowed; None where there is no living one."""
    if not head.number or head.voided_at:
        return None
    return int(head.payload["total_twd"]) - head.allowed_twd


def _refusal(head: Head) -> dict[str, Any] | None:
    if not head.refusal:
        return None
    return {name: value for name, value in head.refusal.items() if value and name != "pending"}


def _void(reason: str, at: str) -> dict[str, str | None] | None:
    if not reason and not at:
        return None
    return {"reason": reason or None, "at": instant(int(at)) if at else None}


def _told(stored: dict[str, Any], name: str) -> dict[str, Any] | None:
    """A wish, a fact or an attention flag as stored, its instant in RFC 3339."""
    return {**stored, name: instant(int(stored[name]))} if stored else None


def _log_entry(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": instant(int(entry["at"])),
        "event": entry["event"],
        "text": texts.event_text(entry),
        "next_step": texts.next_step(entry) or None,
        "number": entry.get("number"),
        "cause": entry.get("cause"),
    }


def instant(epoch: int) -> str:
    """An instant of the ledger in RFC 3339, Taipei."""
    return datetime.fromtimestamp(epoch, UTC).astimezone(TAIPEI).isoformat()


def correction_view(head: Head, plan: dict[str, Any]) -> dict[str, Any]:
    """One plan: what was wanted, where it stands and why; one that is not its turn waits for the earlier ones."""
    current = plans.current(head)
    queued = plan["status"] == plans.OPEN and current is not None and current["id"] != plan["id"]
    decision = plan.get("decision")
    return {
        "id": plan["id"],
        "goal": plan["goal"],
        "status": plan["status"],
        "status_text": texts.PLAN_STATES[plan["status"]],
        "refund_id": plan.get("refund_id"),
        "amount_twd": plan.get("amount_twd"),
        "generation": plan["generation"],
        "reason": plan["reason"],
        "at": instant(int(plan["at"])),
        "ended_at": instant(int(plan["ended_at"])) if plan.get("ended_at") else None,
        "waits_for": EARLIER if queued else plan.get("waits"),
        "cause": plan.get("cause"),
        "consent": _told(plan.get("consent", {}), "at"),
        "decision": decision_view(decision) if decision else None,
    }


def decision_view(decision: dict[str, Any]) -> dict[str, Any]:
    """A decision with its steps in words."""
    steps = [{**step, "text": texts.STEPS[step["do"]]} for step in decision["steps"]]
    return {**decision, "steps": steps, "next_step": texts.NEXT_STEPS[decision["reason"]]}

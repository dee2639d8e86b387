"""Invoices and orders as callers see them (回覆內容): JSON values only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from einvoice.edge import texts
from einvoice.identity import invoice_id
from einvoice.rules.period import TAIPEI
from einvoice.store.base import Head, State

#: what the caller does next, by state, where no refusal or attention says more
NEXT_ACTIONS = {State.ISSUING: "WAIT", State.WAITING: "WAIT", State.VOIDING: "WAIT", State.REISSUING: "WAIT"}


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
        "log": [_log_entry(entry) for entry in head.log],
    }


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
        "effective": head.state is State.ISSUED and head.upload == "confirmed" and not head.past,
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


def _refusal(head: Head) -> dict[str, Any] | None:
    if not head.refusal:
        return None
    return {name: value for name, value in head.refusal.items() if value and name != "pending"}


def _void(reason: str, at: str) -> dict[str, str | None] | None:
    if not reason and not at:
        return None
    return {"reason": reason or None, "at": _instant(int(at)) if at else None}


def _told(stored: dict[str, Any], instant: str) -> dict[str, Any] | None:
    """A wish or an attention flag as stored, its instant in RFC 3339."""
    return {**stored, instant: _instant(int(stored[instant]))} if stored else None


def _log_entry(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": _instant(int(entry["at"])),
        "event": entry["event"],
        "text": texts.event_text(entry),
        "next_step": texts.next_step(entry) or None,
        "number": entry.get("number"),
        "cause": entry.get("cause"),
    }


def _instant(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).astimezone(TAIPEI).isoformat()

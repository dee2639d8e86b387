"""What an order's head says of its documents and corrections, as tables (憑證、折讓、更正、登錄); no buyer data."""

from __future__ import annotations

from typing import Any

from einvoice.application import allowances, uploads
from einvoice.store.base import Head
from einvoice_ops.text import when

Rows = list[tuple[Any, ...]]


def tables(head: Head) -> list[tuple[str, Rows]]:
    """Every table that has a row, with its title; the first row of each is its heading."""
    made = [
        ("documents and what the ministry made of them", document_rows(head)),
        ("allowances", allowance_rows(head)),
        ("corrections", plan_rows(head)),
        ("recorded facts", fact_rows(head)),
    ]
    return [(title, rows) for title, rows in made if len(rows) > 1]


def document_rows(head: Head) -> Rows:
    """Invoices, voids, allowances and their voids of all generations, with their upload."""
    rows: Rows = [("generation", "document", "number", "upload")]
    return rows + [(one.generation, one.kind, one.number, one.upload) for one in uploads.documents(head)]


def allowance_rows(head: Head) -> Rows:
    """Every allowance ever begun, oldest first; its lines and whom it was for are left out."""
    rows: Rows = [("n", "generation", "state", "purpose", "amount", "number", "made", "expires", "plan", "refund id")]
    for generation, one in _by_generation(head):
        expires = when(int(one["expires_at"])) if one["status"] == allowances.ASKED else None
        given = (one["purpose"], one["amount_twd"], one.get("number"), one.get("at"), expires)
        rows.append((one["n"], generation, one["status"], *given, one.get("plan"), one.get("refund_id")))
    return rows


def plan_rows(head: Head) -> Rows:
    """Every correction that was asked for, oldest first: where it stands, and the row of the rules that decided."""
    rows: Rows = [("plan", "goal", "status", "waits for", "cause", "row", "amount", "refund id", "asked", "ended")]
    for plan in head.plans:
        standing = (plan["status"], plan.get("waits"), plan.get("cause"), (plan.get("decision") or {}).get("row"))
        ended = when(int(plan["ended_at"])) if plan.get("ended_at") else None
        times = (when(int(plan["at"])), ended)
        rows.append((plan["id"], plan["goal"], *standing, plan.get("amount_twd"), plan.get("refund_id"), *times))
    return rows


def fact_rows(head: Head) -> Rows:
    """What people recorded of the order, when and by which key."""
    rows: Rows = [("fact", "value", "at", "by", "note")]
    facts = head.facts.items()
    return rows + [(name, f.get("value"), when(int(f["at"])), f.get("by"), f.get("note")) for name, f in facts]


def _by_generation(head: Head) -> list[tuple[int, dict[str, Any]]]:
    earlier = [(int(past["generation"]), one) for past in head.past for one in past.get("allowances", [])]
    return [*earlier, *((head.generation, one) for one in head.allowances)]

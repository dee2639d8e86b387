"""What there is to see of an order (所見): ledger and centre in a few words, and all that is not as it must be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from einvoice.application import allowances
from einvoice.store.base import Head, State
from tests.torture.operations import End, Operation
from tests.torture.world import World

BAD_EVENTS = frozenset(
    {
        "refused",
        "void_refused",
        "refusal_pending",
        "attention",
        "not_allowed",
        "allowance_refused",
        "correction_stopped",
    }
)
MARKS = {"LIVE": "", "VOIDED": " void", "SENDING": "?", "ASKED": " asked", "VOIDING": " void?"}


def standing(w: World, order_id: str) -> str:
    """State, generation, number and allowances of the ledger · numbers of the centre, with what became of them."""
    head = w.head(order_id)
    ledger = "nothing" if head is None else f"{head.state} g{head.generation} {head.number}".strip()
    if head is not None:
        ledger += "".join(f" -{one['amount_twd']}{_mark(one)}" for one in allowances.everywhere(head))
    return f"{ledger} | {', '.join(_at_centre(invoice) for invoice in w.sim.invoices()) or 'none'}"


def _mark(record: dict[str, Any]) -> str:
    return MARKS.get(record["status"], f" {record['status'].lower()}")


def _at_centre(invoice: dict[str, Any]) -> str:
    allowed = "".join(f" -{one['amount']}{' void' if one['void'] else ''}" for one in invoice["allowances"])
    asked = f" -{invoice['reserved']} asked" if invoice["reserved"] else ""
    return f"{invoice['number']}{' void' if invoice['void'] else ''}{'*' * int(invoice['reissues'])}{allowed}{asked}"


def living(w: World) -> list[dict[str, Any]]:
    """The invoices that live at the centre: not void, and not allowed in full."""
    return [invoice for invoice in w.sim.invoices() if invoice["living"]]


def faults(w: World, operation: Operation, order_id: str, *, begun: bool) -> tuple[str, ...]:
    """Everything that is not as it must be, the order at rest."""
    head = w.head(order_id)
    if head is None:
        return () if not begun and not w.sim.invoices() else ("nothing in the ledger",)
    wanted = operation.end if begun else operation.before
    return (
        *_compared(w, head, wanted),
        *_allowances(w, head, wanted),
        *_one_after_the_other(w, head),
        *_at_rest(head, confirms=operation.confirms),
    )


def _compared(w: World, head: Head, wanted: End) -> Iterator[str]:
    held, alive = w.sim.invoices(), living(w)
    if (len(alive), head.state, head.generation) != (wanted.living, wanted.state, wanted.generation):
        yield f"{len(alive)} living, {head.state} g{head.generation}, but wanted {wanted}"
    if [invoice["number"] for invoice in alive] != ([head.number] if head.state is State.ISSUED else []):
        yield f"the ledger says {head.number}, the centre {[invoice['number'] for invoice in alive]}"
    known = {head.number, *(past["number"] for past in head.past)}
    if unknown := {str(invoice["number"]) for invoice in held} - known:
        yield f"lost: {unknown}"
    for invoice in alive:
        yield from _content(head, invoice, wanted.ubn)
    changes = head.generation - 1 + sum(int(str(invoice["reissues"])) for invoice in held)
    if len(head.past) != changes:
        yield f"{len(head.past)} earlier contents in the ledger, {changes} at the centre"


def _content(head: Head, invoice: dict[str, Any], ubn: str) -> Iterator[str]:
    pairs = {
        "random code": (head.random_code, invoice["random"]),
        "buyer": (head.payload["buyer"].get("ubn", ""), invoice["ubn"]),
        "buyer wanted": (ubn, invoice["ubn"]),
        "total": (head.payload["total_twd"], invoice["total"]),
        "remaining": (head.payload["total_twd"] - head.allowed_twd, invoice["remaining"]),
        "order number": (head.relate_number, invoice["relate_number"]),
    }
    for name, (ours, theirs) in pairs.items():
        if ours != theirs:
            yield f"{name}: {ours!r} in the ledger, {theirs!r} at the centre"


def _allowances(w: World, head: Head, wanted: End) -> Iterator[str]:
    """The same allowances here and at the centre, and no more of them than were asked for."""
    theirs = [(one["number"], one["amount"], bool(one["void"])) for one in w.sim.allowances()]
    allowed = tuple(amount for _, amount, void in theirs if not void)
    voided = tuple(amount for _, amount, void in theirs if void)
    if (allowed, voided) != (wanted.allowed, wanted.voided):
        yield f"allowed {allowed}, void {voided}, but wanted {wanted.allowed}, {wanted.voided}"
    if waiting := [one["number"] for one in w.sim.online_allowances() if one["state"] == "waiting"]:
        yield f"buyers are still asked: {waiting}"
    made = [one for one in allowances.everywhere(head) if one["status"] in ("SENDING", "ASKED", *_MADE)]
    ours = [(one.get("number"), one["amount_twd"], one["status"] == "VOIDED") for one in made]
    if sorted(map(str, ours)) != sorted(map(str, theirs)):
        yield f"allowances {ours} in the ledger, {theirs} at the centre"


_MADE = ("LIVE", "VOIDING", "VOIDED")


def _one_after_the_other(w: World, head: Head) -> Iterator[str]:
    """Each invoice was made when the one before it lived no more, and after an allowance only a confirmed one."""
    held = w.sim.invoices()
    for old, new in itertools.pairwise(held):
        ended = [old["voided"]] if old["void"] else [one["created"] for one in old["allowances"] if not one["void"]]
        if old["living"] or _instant(new["created"]) < max(map(_instant, ended)):
            yield f"two at once: {old['number']} and {new['number']}"
    events = [entry["event"] for entry in head.log]
    if "allowed" in events and "next_generation" in events:
        confirmed = [entry["event"] == "upload_confirmed" and entry["document"] == "allowance" for entry in head.log]
        if not any(confirmed[: events.index("next_generation")]):
            yield "issued anew before the ministry had the allowance"


def _instant(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


def _at_rest(head: Head, *, confirms: bool) -> Iterator[str]:
    if head.attention or head.due_at is not None or head.want or head.planned:
        yield f"not at rest: {head.attention or head.want or head.due_at or head.plans}"
    if confirms and head.confirm_at is not None:
        yield f"still to be confirmed: {head.confirm_at}"
    if bad := [entry for entry in head.log if entry["event"] in BAD_EVENTS and entry.get("cause") != "ALREADY_DONE"]:
        yield f"log: {bad}"

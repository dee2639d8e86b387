"""What a merchant wants of an invoice (更正計畫), kept on the head until it is done: a list of goals, first come first.

Only the goal and what people said is kept; the next step is decided anew from the ledger each time, so that a crash
between two steps, a deadline that passed or a refund in between cannot leave a plan that no longer fits.
A plan is a dictionary of JSON values: ``id`` (1, 2, …), ``goal``, ``status``, ``by`` (idempotency key, body hash),
``at``, ``reason``, ``generation`` it was made for, what the goal needs, and the last ``decision``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from einvoice.errors import EinvoiceError
from einvoice.store.base import HOLDING, Head

Plan = dict[str, Any]

CANCEL = "cancel"  # 取消: nothing of the invoice is left
REFUND = "refund"  # 退款: a sum is given back
CORRECT = "correct"  # 更正: an invoice with other content takes its place
VOID_ALLOWANCE = "void_allowance"  # 折讓作廢

OPEN, DONE, STOPPED = "open", "done", "stopped"
HALF_DONE = "CORRECTION_HALF_DONE"  # flag of an order whose correction stopped between its steps
MAX_OPEN = 20
MAX_KEPT = 200  # a shop that corrects one order more often needs a person

#: what is kept of a plan that has ended: enough to answer a repeat and to show what was decided on what evidence
_KEPT = (
    "id",
    "goal",
    "status",
    "by",
    "refund_id",
    "at",
    "ended_at",
    "generation",
    "reason",
    "cause",
    "refusal",
    "decision",
    "consent",
    "amount_twd",
    "gave_back",  # it voided earlier allowances
    "voided_twd",  # the refund was the void of a whole invoice, and of which
    "voided_generation",
)


def current(head: Head) -> Plan | None:
    """The plan that is being carried out: the oldest open one."""
    return next((plan for plan in head.plans if plan["status"] == OPEN), None)


def numbered(head: Head, plan_id: int) -> Plan:
    """The plan of this id; KeyError if there is none."""
    for plan in head.plans:
        if plan["id"] == plan_id:
            return plan
    raise KeyError(plan_id)


def closes_at(head: Head) -> datetime | None:
    """The last moment for what the current plan waits to do; None: it does not wait, or nothing closes."""
    plan = current(head) or {}
    closes = (plan.get("decision") or {}).get("deadline")
    return datetime.fromisoformat(closes) if plan.get("waits") and closes else None


def overdue(head: Head, now: datetime) -> bool:
    """Whether what the current plan waits to do has closed meanwhile: it must be decided anew, not wait for ever."""
    closes = closes_at(head)
    return closes is not None and closes < now


def made_before(head: Head, *, refund_id: str, by: list[str]) -> Plan | None:
    """The plan a repeated request had made: the same refund id, the same key, or, without a key, the same body.

    By its body alone only the last wish is recognised, and only while what it brought about stands: to cancel, issue
    again and cancel is to cancel twice.
    """
    plan: Plan
    for plan in reversed(head.plans):
        if refund_id and plan.get("refund_id") == refund_id:
            return plan
        if by[0] and plan["by"][0] == by[0]:
            return plan
    last = next((plan for plan in reversed(head.plans) if not plan.get("refund_id")), None)
    if refund_id or last is None or last["by"][1] != by[1] or (by[0] and last["by"][0]):
        return None
    stands = last["status"] == OPEN or head.generation <= last["generation"] + (last["goal"] == CORRECT)
    return last if stands else None


def added(head: Head, plan: Plan) -> Head:
    """The head with one more plan, open."""
    plan_id = 1 + max((int(one["id"]) for one in head.plans), default=0)
    return replace(head, plans=[*head.plans, {**plan, "id": plan_id, "status": OPEN}])


class EndedError(EinvoiceError):
    """The plan that was being carried out was ended meanwhile: the order was cancelled, or a person stopped it."""


def changed(head: Head, plan: Plan, **values: Any) -> Head:  # noqa: ANN401 — JSON values
    """The head with some values of one open plan changed; None removes one. Raises EndedError."""
    standing = numbered(head, plan["id"])
    if standing["status"] != OPEN:
        raise EndedError
    merged = {name: value for name, value in {**standing, **values}.items() if value is not None}
    return replace(head, plans=[merged if one["id"] == plan["id"] else one for one in head.plans])


def ended(head: Head, plan: Plan, status: str, now: int, **values: Any) -> Head:  # noqa: ANN401 — JSON values
    """The head with one plan done or stopped; what only an open plan needs is dropped."""
    if numbered(head, plan["id"])["status"] != OPEN:
        return head
    kept = {name: value for name, value in {**plan, **values}.items() if name in _KEPT}
    facts = head.facts
    # a consent was given for this change, and is no consent to the next one
    if status == DONE and "consent" not in kept and "consent" in facts:
        kept["consent"] = facts["consent"]
        facts = {name: value for name, value in facts.items() if name != "consent"}
    kept |= {"status": status, "ended_at": now}
    return replace(head, facts=facts, plans=[kept if one["id"] == plan["id"] else one for one in head.plans])


def ended_between(before: Head, after: Head) -> list[Plan]:
    """The plans that were done between two states of a head."""
    done = {plan["id"] for plan in before.plans if plan["status"] == DONE}
    return [plan for plan in after.plans if plan["status"] == DONE and plan["id"] not in done]


def met_refusal(head: Head, cause: str, refusal: dict[str, str]) -> Head:
    """A step of the current plan was refused for certain: the plan is not tried again by itself."""
    plan = current(head)
    return head if plan is None else changed(head, plan, refused={"cause": cause, **refusal})


def superseded(head: Head, now: int) -> Head:
    """The head of an order that is cancelled as a whole: what was to be corrected or refunded is part of that now.

    An allowance that was made so that the invoice could be replaced stands, and gives the buyer the money back.
    """
    given = {one.get("plan") for one in head.allowances if one["status"] in HOLDING}
    for plan in [one for one in head.plans if one["status"] == OPEN and one["goal"] in (CORRECT, REFUND)]:
        if plan["goal"] == REFUND and plan["id"] in given:
            continue  # its allowance may live: it ends as done
        head = ended(head, plan, STOPPED, now, cause="ORDER_CANCELLED")
    return replace(head, allowances=[{**one, "purpose": "refund"} for one in head.allowances])


def ended_by_refund(head: Head) -> bool:
    """Whether the current invoice is void because its buyer got everything back, not so that it could be replaced."""
    return any(plan.get("voided_twd") and plan["voided_generation"] == head.generation for plan in head.plans)


def came_to_nothing(head: Head, plan_id: int, cause: str, now: int) -> Head:
    """The head whose plan, done or still open, turned out to have brought nothing about."""
    kept = {name: value for name, value in numbered(head, plan_id).items() if name in _KEPT}
    kept |= {"status": STOPPED, "cause": cause, "ended_at": now}
    return replace(head, plans=[kept if one["id"] == plan_id else one for one in head.plans])


def cancellation(head: Head, reason: str, by: list[str], now: int) -> Plan:
    """The plan of an order that is cancelled as a whole."""
    return {"goal": CANCEL, "reason": reason, "by": by, "at": now, "generation": head.generation}

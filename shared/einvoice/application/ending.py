"""When a plan (更正計畫) is done: pure functions, asked with every write of an order.

A plan ends in the very write that brings about what it wants, so that nothing can come between the two.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from einvoice.application import allowances, answers, heads, plans
from einvoice.application.plans import Plan
from einvoice.store.base import Head, State


def settled(head: Head, now: int) -> Head:
    """The head with every plan ended, in their order, whose wish the ledger shows."""
    while (plan := plans.current(head)) and head.state not in answers.PENDING and not head.attention:
        if not satisfied(head, plan):
            break
        head = finished(head, plan, now)
    return head


def satisfied(head: Head, plan: Plan) -> bool:
    """Whether the ledger shows what the plan wants."""
    mine = [one for one in allowances.everywhere(head) if one.get("plan") == plan["id"]]
    match plan["goal"]:
        case plans.CANCEL:
            if head.state is State.ISSUED:
                return _all_allowed(head)
            return head.state in (State.VOIDED, State.REFUSED, State.WANTED)
        case plans.REFUND:
            given = [one for one in mine if one["status"] in (allowances.LIVE, allowances.ASKED)]
            voided = head.state is State.VOIDED and bool(plan.get("voids"))
            return bool(given) or voided
        case plans.CORRECT:
            replaced = any(past.get("plan") == plan["id"] for past in head.past)
            return head.state is State.ISSUED and (replaced or bool(plan.get("again")))
        case _:
            record = allowances.numbered(head, int(plan["n"]))
            return record is not None and record["status"] in (allowances.VOIDED, allowances.CANCELLED)


def _all_allowed(head: Head) -> bool:
    pending = any(one["status"] in (allowances.SENDING, allowances.ASKED) for one in head.allowances)
    return head.had_allowance and not pending and head.allowed_twd == int(head.payload["total_twd"])


def finished(head: Head, plan: Plan, now: int, **values: Any) -> Head:  # noqa: ANN401 — JSON values
    """The head with one plan done; of a refund that was a void, the sum is kept, so that it is never billed again."""
    if head.state is State.VOIDED and plan["goal"] in (plans.CANCEL, plans.REFUND):
        values |= {"voided_twd": int(head.payload["total_twd"]), "voided_generation": head.generation}
    head = plans.ended(head, plan, plans.DONE, now, **values)
    head = replace(head, due_at=heads.due_if_wanted(head, now), lease_until=0 if not head.planned else head.lease_until)
    return heads.logged(head, now, "corrected", goal=plan["goal"])

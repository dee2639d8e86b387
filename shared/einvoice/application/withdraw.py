"""Taking a correction back (撤回更正): the merchant no longer wants what waits, for the ministry or for evidence.

Only a correction of which nothing was done: what was begun is carried through, or ended by another correction.
"""

from __future__ import annotations

from dataclasses import replace

from einvoice.application import answers, heads, planning, plans, sending
from einvoice.application.correct import Corrected
from einvoice.application.plans import Plan
from einvoice.application.ports import Ports
from einvoice.errors import Conflict, NotFound, Reason
from einvoice.model import OrderKey
from einvoice.store.base import HOLDING, Head, State

MAX_TRIES = 5
REASON = "商店撤回"


def withdraw(p: Ports, key: OrderKey, plan_id: int, *, by: str) -> Corrected:
    """Stop an open correction; those behind it go on within the minute. One that was stopped is answered as it stands.

    Raises NotFound; Conflict (409) for one that is done, that something may be under way for, or of which something
    stands that only the rest of it makes right.
    """
    for last in (*[False] * (MAX_TRIES - 1), True):
        head = p.store.read(key)
        plan = next((one for one in head.plans if one["id"] == plan_id), None) if head else None
        if head is None or plan is None:
            raise NotFound
        if plan["status"] == plans.STOPPED:
            return Corrected(head, plan)
        after = _stopped(head, plan, p.now(), by=by)
        after = replace(after, ver=head.ver + 1, write_id=p.token(), updated_at=p.now())
        standing = p.store.replace(after)
        if standing is None:
            p.observe("correction_withdrawn", goal=plan["goal"], **heads.ids(after))
            return Corrected(after, plans.numbered(after, plan_id), new=True)
        if last:
            raise sending.Overtaken(standing)
    raise AssertionError("the last try answers")


def _stopped(head: Head, plan: Plan, now: int, *, by: str) -> Head:
    """The head with the plan stopped. Raises Conflict."""
    if plan["status"] == plans.DONE:
        raise Conflict(Reason.ALREADY_DONE, "CORRECTION_DONE", "這項更正已經完成，不能撤回；請改提出新的更正。")
    if head.attention:
        raise answers.needs_a_person()
    after = planning.forgotten(head, plan["id"], now, by=by, reason=REASON)
    if after is None or _begun(head, plan):
        raise answers.correcting(head, now)
    return after


def _begun(head: Head, plan: Plan) -> bool:
    """Whether without the rest of the plan a sale would lose its invoice, or a buyer be asked in vain."""
    wished = plan["goal"] == plans.CANCEL and bool(head.want)  # the order is cancelled, with or without the plan
    asked_or_given = any(one.get("plan") == plan["id"] and one["status"] in HOLDING for one in head.allowances)
    replaced = any(past.get("plan") == plan["id"] for past in head.past)
    voided = head.state is State.VOIDED and head.keys.get("reissue") == plan["by"]
    return wished or asked_or_given or replaced or voided

"""Whether an order's item has room for one more correction (帳頭的容量), carried out to its end.

A DynamoDB item ends at 400 KB. A plan that is begun must also be finished in it, so what it may add is counted before
anything is stored: the lines of an allowance, and the earlier invoice that a new one leaves behind.
"""

from __future__ import annotations

from typing import Any

from einvoice.application import allowances, payload, plans
from einvoice.store.base import Head

#: contents of the size of the order's own that a plan may add: its allowance's lines, the replaced invoice
_ADDS = {plans.VOID_ALLOWANCE: 0, plans.REFUND: 1, plans.CANCEL: 1, plans.CORRECT: 2}


def room_for(head: Head, goal: str, given: Any) -> bool:  # noqa: ANN401 — what the request holds, as JSON values
    """Whether this order takes one more plan of this goal; ``given`` is what the plan itself has to keep.

    Only refunds count towards ``MAX_ALLOWANCES``: what is too much must still be possible to take back.
    """
    goals = [str(plan["goal"]) for plan in head.plans if plan["status"] == plans.OPEN]
    if len(goals) >= plans.MAX_OPEN or len(head.plans) >= plans.MAX_KEPT:
        return False
    if goal == plans.REFUND and len(head.allowances) >= allowances.MAX_ALLOWANCES:
        return False
    kept = payload.stored_bytes([head.allowances, head.plans, head.past]) + payload.stored_bytes(given)
    coming = payload.stored_bytes(head.payload) * sum(_ADDS[one] for one in [*goals, goal])
    return kept + coming <= payload.MAX_PAST_BYTES

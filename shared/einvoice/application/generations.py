"""How one invoice follows another (世代): the next generation of an order, the same one sent again, and what is kept.

Pure functions from one head to the next. Every generation stays readable for ever.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from einvoice.application.heads import logged
from einvoice.identity import relate_number
from einvoice.model import Centre
from einvoice.store.base import Head, State

ALLOWED = "ALLOWED"  # state of a past entry that was allowed in full, so that it could be replaced


def next_generation(  # noqa: PLR0913 — a claim is all of this, and every part has a name
    head: Head,
    stage: str,
    *,
    payload: dict[str, Any],
    request_hash: str,
    centre: Centre,
    sold_period: str,
    op: str,
    now: int,
    lease_s: int,
) -> Head:
    """The intent of the replacing invoice: a new order number at the centre, the old generation kept for ever.

    Precondition: the old one is definitely void, or allowed in full so that it could be issued anew.
    """
    generation = head.generation + 1
    old = past_of(head)
    head = replace(
        head,
        state=State.ISSUING,
        generation=generation,
        op=op,
        request_hash=request_hash,
        payload=payload,
        relate_number=relate_number(stage, head.key, generation),
        centre=centre,
        lease_until=now + lease_s,
        due_at=now + lease_s,
        attempts=0,
        first_sent_at=now,
        sent_at=now,
        settle_until=None,
        quiet_until=None,
        cause="",
        refusal={},
        sold_period=sold_period,
        number="",
        issued_at="",
        random_code="",
        period="",
        upload="none",
        void_reason="",
        voided_at="",
        next={},
        past=[*head.past, old],
        allowances=[],
        void_upload="",
    )
    return logged(head, now, "next_generation", generation=generation, relate_number=head.relate_number)


def resent(
    head: Head, *, payload: dict[str, Any], request_hash: str, op: str, now: int, lease_s: int
) -> Head:
    """The intent of the same generation with another (or the same) content, after a proved refusal or while waiting."""
    head = replace(
        head,
        state=State.ISSUING,
        op=op,
        request_hash=request_hash,
        payload=payload,
        lease_until=now + lease_s,
        due_at=now + lease_s,
        attempts=0,
        first_sent_at=head.first_sent_at or now,
        sent_at=now,
        cause="",
        refusal={},
        attention={},
    )
    return logged(head, now, "sent_again")


def repeated(head: Head) -> bool:
    """Whether the reissue under way had been carried out before: its request came again, and its worker died at once.

    To carry it out once more would undo whatever was corrected since.
    """
    return any(past.get("by") and same_wish(past["by"], head.keys["reissue"]) for past in head.past)


def same_wish(one: list[str], other: list[str]) -> bool:
    """Whether two pairs of idempotency key and body hash are one request; with different keys they are two wishes."""
    return one[1] == other[1] and (one[0] == other[0] or not (one[0] and other[0]))


def past_of(head: Head) -> dict[str, Any]:
    """An ended generation as it is kept: everything a reader of the books may ask for."""
    return {
        "generation": head.generation,
        "state": _ended_as(head),
        "relate_number": head.relate_number,
        "centre": asdict(head.centre) if head.centre else {},
        "number": head.number,
        "issued_at": head.issued_at,
        "random_code": head.random_code,
        "period": head.period,
        "upload": head.upload,
        "void_reason": head.void_reason,
        "voided_at": head.voided_at,
        "by": head.keys.get("reissue", []),  # the request that replaced it: its key and body hash
        "payload": head.payload,
        **({"allowances": head.allowances} if head.allowances else {}),
        **({"void_upload": head.void_upload} if head.void_upload else {}),
        **({"plan": head.next["plan"]} if head.next.get("plan") else {}),
    }


def _ended_as(head: Head) -> str:
    if head.voided_at:
        return State.VOIDED.value
    return ALLOWED if head.had_allowance else head.state.value

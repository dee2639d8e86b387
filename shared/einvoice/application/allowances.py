"""Allowances (折讓單) as the head keeps them, and what may become of one: pure functions from one head to the next.

A record is a dictionary of JSON values: ``n`` (1, 2, … over the whole order), ``status``, ``purpose`` (refund or
reissue), ``refund_id``, ``plan``, ``amount_twd``, ``tax_twd``, ``lines``, ``number``, ``at`` (the centre's instant),
``upload`` and ``void_upload``, ``asked_at``/``expires_at`` for one that waits for the buyer, ``sent_at`` first sent.

Statuses: SENDING (under way or unknown) · ASKED (the buyer has not clicked yet) · LIVE · VOIDING · VOIDED · REFUSED ·
CANCELLED and EXPIRED (asked, and never came to be).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from einvoice.application import heads, plans
from einvoice.application.payload import plain_number
from einvoice.model import Allowance, AllowanceLine, TaxType
from einvoice.providers.base import Allowed, Asked, FoundAllowance, Rejected
from einvoice.rules.period import TAIPEI
from einvoice.store.base import HOLDING, Head, State

Record = dict[str, Any]

SENDING, ASKED, LIVE, VOIDING, VOIDED = "SENDING", "ASKED", "LIVE", "VOIDING", "VOIDED"
REFUSED, CANCELLED, EXPIRED = "REFUSED", "CANCELLED", "EXPIRED"
REFUND, REISSUE = "refund", "reissue"

#: what ``next`` says is being done to an allowance while the head is ALLOWING
ALLOW, ASK, VOID, CANCEL_ASKED = "allow", "ask", "void_allowance", "cancel_asked"

MAX_ALLOWANCES = 100  # of one invoice; a 101st is a person's business


def everywhere(head: Head) -> list[Record]:
    """Every allowance of the order, of all its generations, oldest first."""
    earlier = [record for past in head.past for record in past.get("allowances", [])]
    return [*earlier, *head.allowances]


def numbered(head: Head, n: int) -> Record | None:
    """The order's allowance of this number, whichever invoice it belongs to."""
    return next((record for record in everywhere(head) if record["n"] == n), None)


def in_work(head: Head) -> Record:
    """The allowance that the intent of an ALLOWING head is about."""
    n = head.next["n"]
    return next(record for record in head.allowances if record["n"] == n)


def refunded_twd(head: Head) -> int:
    """What the order's buyer got back so far, over all generations: by allowances for a refund, and by whole voids."""
    given = (one for one in everywhere(head) if one["purpose"] == REFUND and one["status"] in HOLDING)
    by_void = sum(int(plan.get("voided_twd", 0)) for plan in head.plans)
    return by_void + sum(int(one["amount_twd"]) for one in given)


def live(head: Head) -> list[Record]:
    """The allowances of the current invoice that live."""
    return [record for record in head.allowances if record["status"] == LIVE]


def new_record(  # noqa: PLR0913 — a record is all of this, and every part has a name
    head: Head, allowance: Allowance, *, purpose: str, plan: int, refund_id: str, now: int, online: bool, taxed: bool
) -> Record:
    """The record of an allowance that may be sent from the moment it is stored; ``taxed``: the tax part is ours."""
    values = {
        "n": 1 + max((int(one["n"]) for one in everywhere(head)), default=0),
        "status": SENDING,
        "purpose": purpose,
        "plan": plan,
        "refund_id": refund_id,
        "amount_twd": allowance.total_twd,
        "tax_twd": allowance.tax_twd if taxed else None,
        "reason": allowance.reason,
        "lines": [_line_to_json(line) for line in allowance.lines],
        "sent_at": now,
        "email": allowance.notify_email,
        "online": online,
        "buyer_name": allowance.buyer_name,
    }
    return {name: value for name, value in values.items() if value or (name == "tax_twd" and value == 0)}


def content(record: Record) -> Allowance:
    """What the record's allowance says."""
    return Allowance(
        lines=lines(record),
        total_twd=int(record["amount_twd"]),
        tax_twd=int(record.get("tax_twd", 0)),
        reason=record.get("reason", ""),
        buyer_name=record.get("buyer_name", ""),
        notify_email=record.get("email", ""),
    )


def lines(record: Record) -> tuple[AllowanceLine, ...]:
    """The record's lines."""
    return tuple(_line_from_json(line) for line in record["lines"])


def begun(head: Head, record: Record, *, now: int, lease_s: int, window_s: int) -> Head:
    """The intent to make (or to ask the buyer for) an allowance."""
    do = ASK if record.get("online") else ALLOW
    head = replace(head, allowances=[*head.allowances, record])
    return heads.changing(
        head,
        State.ALLOWING,
        doing={"do": do, "n": record["n"]},
        now=now,
        lease_s=lease_s,
        window_s=window_s,
        event="asking" if do == ASK else "allowing",
        amount_twd=record["amount_twd"],
        purpose=record["purpose"],
    )


def void_begun(head: Head, record: Record, *, reason: str, now: int, lease_s: int, window_s: int) -> Head:
    """The intent to void an allowance, or to take back one that the buyer was asked for."""
    asked = record["status"] == ASKED
    head = _with(head, record, status=VOIDING, void_reason=reason)
    return heads.changing(
        head,
        State.ALLOWING,
        doing={"do": CANCEL_ASKED if asked else VOID, "n": record["n"]},
        now=now,
        lease_s=lease_s,
        window_s=window_s,
        event="cancelling_asked" if asked else "voiding_allowance",
        number=record.get("number", ""),
    )


def made(head: Head, document: Allowed, now: int, *, event: str = "allowed", upload: str = "uploading") -> Head:
    """The centre made the allowance. Where it says another remainder than ours, a person must look."""
    record = in_work(head)
    at = document.allowed_at.astimezone(TAIPEI).isoformat()
    head = _rested(_with(head, record, status=LIVE, number=document.number, at=at, upload=upload), now)
    head = heads.logged(head, now, event, number=document.number, amount_twd=record["amount_twd"])
    return checked_remainder(head, document.remaining_twd, now)


def asked(head: Head, document: Asked, now: int) -> Head:
    """The buyer was asked; the sum is reserved until the buyer clicks, or the time is over."""
    record = in_work(head)
    values = {"number": document.number, "expires_at": int(document.expires_at.timestamp()), "asked_at": now}
    head = _rested(_with(head, record, status=ASKED, **values), now)
    head = heads.logged(head, now, "asked", number=document.number, amount_twd=record["amount_twd"])
    return checked_remainder(head, document.remaining_twd, now)


def reserved(head: Head, expires_at: int, now: int) -> Head:
    """The buyer was asked, though the answer with the request's number was lost: the callback or the list brings it."""
    record = in_work(head)
    head = _rested(_with(head, record, status=ASKED, expires_at=expires_at, asked_at=now), now)
    return heads.logged(head, now, "asked", amount_twd=record["amount_twd"])


def refused(head: Head, rejected: Rejected, now: int) -> Head:
    """The centre definitely did nothing: the invoice, or the allowance that was to be void, is as it was."""
    record = in_work(head)
    status = {ALLOW: REFUSED, ASK: REFUSED, VOID: LIVE, CANCEL_ASKED: ASKED}[head.next["do"]]
    refusal = heads.refusal_of(rejected)
    head = _rested(_with(head, record, status=status), now)
    return heads.logged(plans.met_refusal(head, rejected.cause, refusal), now, "allowance_refused", **refusal)


def withdrawn(head: Head, now: int, cause: str) -> Head:
    """The void of an allowance that changed nothing, and may not be sent again: a plan finds another way."""
    head = _rested(_with(head, in_work(head), status=LIVE), now)
    return heads.logged(head, now, "not_allowed", cause=cause)


def voided(head: Head, now: int, *, event: str = "allowance_voided") -> Head:
    """The allowance is void (折讓作廢), or its request was taken back: its sum belongs to the invoice again."""
    record = in_work(head)
    if head.next["do"] == CANCEL_ASKED:
        head = _rested(_with(head, record, status=CANCELLED), now)
        return heads.logged(head, now, "asked_cancelled", number=record.get("number", ""))
    values = {"status": VOIDED, "voided_at": now, "void_upload": "uploading"}
    head = _rested(_with(head, record, **values), now)
    return heads.logged(head, now, event, number=record["number"], amount_twd=record["amount_twd"])


def agreed(head: Head, record: Record, found: FoundAllowance, now: int) -> Head:
    """The buyer clicked: what was asked for is an allowance now."""
    at = found.allowed_at.astimezone(TAIPEI).isoformat()
    values = {"number": found.number, "at": at, "upload": heads.believed(found.upload), "tax_twd": found.tax_twd}
    head = _with(head, record, status=LIVE, **values)
    head = replace(head, due_at=heads.due_if_wanted(head, now))
    return heads.logged(head, now, "agreed", number=found.number, amount_twd=record["amount_twd"])


def expired(head: Head, record: Record, now: int) -> Head:
    """The buyer did not click in time: nothing was allowed. Refunds that were taken back for it are a person's then."""
    cause = "CONSENT_EXPIRED"
    head = plans.came_to_nothing(_with(head, record, status=EXPIRED), record["plan"], cause, now)
    head = replace(head, due_at=heads.due_if_wanted(head, now))
    head = heads.logged(head, now, "expired", amount_twd=record["amount_twd"])
    if not plans.numbered(head, record["plan"]).get("gave_back") or head.attention:
        return head
    return heads.flagged(head, now, plans.HALF_DONE, ours={"cause": cause})


def checked_remainder(head: Head, theirs: int | None, now: int) -> Head:
    """The head, flagged where the centre says that another sum is left of the invoice than the ledger does."""
    ours = int(head.payload["total_twd"]) - head.allowed_twd
    if theirs is None or theirs == ours or head.attention:
        return head
    return heads.flagged(
        head, now, "REMAINING_DIFFERS", ours={"remaining_twd": ours}, theirs={"remaining_twd": theirs}
    )


def matching(head: Head, found: Sequence[FoundAllowance], *, skew_s: int, now: int) -> list[FoundAllowance]:
    """Of what the centre holds and the ledger does not know, what may be the allowance in work.

    It has its sum and was made since it was first sent. Two of them cannot be told apart.
    """
    record = in_work(head)
    low, high = int(record["sent_at"]) - skew_s, now + skew_s
    return [
        one
        for one in unknown_to(head, found)
        if one.total_twd == record["amount_twd"] and low <= int(one.allowed_at.timestamp()) <= high
    ]


def unknown_to(head: Head, found: Sequence[FoundAllowance]) -> list[FoundAllowance]:
    """What the centre holds under this invoice and the ledger does not know."""
    ours = {record.get("number") for record in head.allowances}
    return [one for one in found if one.number not in ours]


def _with(head: Head, record: Record, **values: Any) -> Head:  # noqa: ANN401 — JSON values
    records = [{**one, **values} if one["n"] == record["n"] else one for one in head.allowances]
    return replace(head, allowances=records)


def _rested(head: Head, now: int) -> Head:
    return replace(
        head,
        state=State.ISSUED,
        next={},
        cause="",
        sent_at=None,
        quiet_until=None,
        attempts=0,
        lease_until=0,
        due_at=heads.due_if_wanted(head, now),
        confirm_at=None,
    )


def _line_to_json(line: AllowanceLine) -> dict[str, Any]:
    return {
        "line": line.line,
        "name": line.name,
        "quantity": plain_number(line.quantity),
        "unit": line.unit,
        "unit_price_twd": plain_number(line.unit_price_twd),
        "amount_twd": line.amount_twd,
        "tax_type": line.tax_type.value,
    }


def _line_from_json(values: dict[str, Any]) -> AllowanceLine:
    return AllowanceLine(
        line=int(values["line"]),
        name=values["name"],
        quantity=Decimal(values["quantity"]),
        unit=values["unit"],
        unit_price_twd=Decimal(values["unit_price_twd"]),
        amount_twd=int(values["amount_twd"]),
        tax_type=TaxType(values["tax_type"]),
    )

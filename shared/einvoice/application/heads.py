"""What may become of a head (帳頭的變化): pure functions from one head to the next.

Nothing here reads a clock, a store or a network. ``sending`` brings the outcomes, these decide what they mean.
The rule behind all of them: unknown is the default; "refused" needs proof that nothing lives and nothing can arrive.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, replace
from typing import Any

from einvoice.errors import Reason
from einvoice.identity import invoice_id, relate_number
from einvoice.model import Centre, OrderKey
from einvoice.providers.base import Found, Issued, Rejected, Unknown
from einvoice.rules.adoption import Difference
from einvoice.rules.period import TAIPEI, Period
from einvoice.store.base import Head, State

MAX_LOG = 60
MAX_DIFFERENCES = 20  # kept for a person; the centre's console shows the rest
MAX_SHOWN_CHARS = 200

REPLACED = "REPLACED_SAME_NUMBER"  # state of a past entry whose number lives on with another content

#: refusals that a later attempt with the same content can overcome; everything else needs another content
LATER = frozenset({Reason.ADD_NUMBERS, Reason.FIX_CREDENTIALS, Reason.PROVIDER_BUSY, Reason.WAIT})

#: refusals about keys or clocks, which say nothing of the invoice: whatever was begun goes on once they are right
NOT_ABOUT_IT = frozenset({Reason.FIX_CREDENTIALS, Reason.PROVIDER_BUSY})


def logged(head: Head, now: int, event: str, **detail: Any) -> Head:  # noqa: ANN401 — JSON values
    """The head with one more log entry; the oldest make room."""
    entry = {"at": now, "event": event, **{name: value for name, value in detail.items() if value not in ("", None)}}
    return replace(head, log=[*head.log, entry][-MAX_LOG:])


def ids(head: Head) -> dict[str, str]:
    """What a log line names an order by: no personal data, and enough to find it in the ledger and at the centre."""
    return {
        "merchant": head.key.merchant,
        "invoice": invoice_id(head.key, head.generation),
        "relate_number": head.relate_number,
    }


def pending_since(head: Head) -> int:
    """When what is now unfinished began: the change under way, or the issue itself (epoch seconds)."""
    if head.state in (State.VOIDING, State.REISSUING):
        began = [int(entry["at"]) for entry in head.log if entry["event"] in ("voiding", "reissuing")]
        return began[-1] if began else head.updated_at
    if head.state is State.ISSUED:  # a wish that came while it was on its way
        return int(head.want.get("at", head.updated_at))
    return head.first_sent_at or head.created_at


# --- taking hold of the work ---------------------------------------------------------------------------------------


def claimed(  # noqa: PLR0913 — a claim is all of this, and every part has a name
    stage: str,
    key: OrderKey,
    *,
    payload: dict[str, Any],
    request_hash: str,
    idempotency_key: str,
    centre: Centre,
    sold_period: str,
    op: str,
    write_id: str,
    now: int,
    lease_s: int,
) -> Head:
    """The first intent of an order: it may be sent from the moment this is stored."""
    head = Head(
        key=key,
        state=State.ISSUING,
        generation=1,
        ver=1,
        write_id=write_id,
        op=op,
        created_at=now,
        updated_at=now,
        request_hash=request_hash,
        payload=payload,
        relate_number=relate_number(stage, key, 1),
        centre=centre,
        lease_until=now + lease_s,
        due_at=now + lease_s,
        first_sent_at=now,
        sent_at=now,
        sold_period=sold_period,
        keys={"issue": [idempotency_key, request_hash]},
    )
    return logged(head, now, "claimed", relate_number=head.relate_number)


def tombstone(key: OrderKey, want: dict[str, Any], *, op: str, write_id: str, now: int) -> Head:
    """An order nobody has claimed yet, with what the merchant already wants of it."""
    head = Head(
        key=key,
        state=State.WANTED,
        generation=1,
        ver=1,
        write_id=write_id,
        op=op,
        created_at=now,
        updated_at=now,
        want=want,
    )
    return logged(head, now, "wanted", kind=want.get("kind"))


def taken_over(head: Head, *, op: str, now: int, lease_s: int, window_s: int) -> Head:
    """The intent of a further attempt; the earlier one counts as sent and unanswered.

    An issue may be sent again (the centre refuses a second one of the same order number). A void or a same-number
    reissue may be sent only where no earlier packet can still land; ``sent_at`` says whether this intent allows it.
    """
    settle = _later(head.settle_until, head.sent_at + window_s if head.sent_at is not None else None)
    head = replace(head, op=op, lease_until=now + lease_s, due_at=now + lease_s, attempts=head.attempts + 1)
    if head.state in (State.ISSUING, State.WAITING):
        return replace(
            head, state=State.ISSUING, settle_until=settle, sent_at=now, first_sent_at=head.first_sent_at or now
        )
    if head.state in (State.VOIDING, State.REISSUING) and (head.quiet_until or 0) <= now:
        return replace(head, sent_at=now, quiet_until=now + window_s)
    return replace(head, sent_at=None)


def unsent(head: Head) -> Head:
    """The head after an attempt that in the end sent nothing."""
    return replace(head, sent_at=None)


def settled(head: Head, now: int) -> bool:
    """Whether no packet of an earlier, unanswered issue can still land."""
    return head.sent_at is None and (head.settle_until is None or head.settle_until <= now)


# --- after an issue ------------------------------------------------------------------------------------------------


def issued(head: Head, document: Issued, now: int, *, upload: str = "uploading", event: str = "issued") -> Head:
    """The centre confirmed the invoice. A wish that came meanwhile makes the order due at once."""
    period = Period.of(document.issued_at).key
    head = replace(
        head,
        state=State.ISSUED,
        number=document.number,
        issued_at=document.issued_at.astimezone(TAIPEI).isoformat(),
        random_code=document.random_code,
        period=period,
        upload=upload,
        cause="",
        refusal={},
        attention={},
        sent_at=None,
        settle_until=None,
        attempts=0,
        lease_until=0,
        due_at=now if head.want else None,
        next={},
    )
    return logged(head, now, event, number=document.number)


def adopted(head: Head, found: Found, differences: list[Difference], now: int) -> Head:
    """What the centre holds under our order number becomes the head's, if it is the same document and not withdrawn.

    A void one is adopted as void whatever it said: it lives no more, and its order number can never be used again.
    """
    if found.withdrawn:
        return flagged(head, now, "WITHDRAWN_AT_CENTRE", theirs={"number": found.number})
    if differences and not found.void:
        shown = differences[:MAX_DIFFERENCES]
        return flagged(
            head,
            now,
            "DIFFERENT_DOCUMENT",
            ours={d.field: d.ours[:MAX_SHOWN_CHARS] for d in shown},
            theirs={"number": found.number, **{d.field: d.theirs[:MAX_SHOWN_CHARS] for d in shown}},
            differences=len(differences),
        )
    document = Issued(number=found.number, issued_at=found.issued_at, random_code=found.random_code)
    head = issued(head, document, now, upload=found.upload, event="adopted")
    return voided(head, now, event="adopted_void") if found.void else head


def unknown(head: Head, outcome: Unknown | Rejected, now: int, due_at: int) -> Head:
    """Nobody knows: the order stays in flight and is looked at again at ``due_at``."""
    head = replace(head, cause=outcome.cause, due_at=due_at, lease_until=0)
    if head.log and head.log[-1].get("event") == "unknown" and head.log[-1].get("cause") == outcome.cause:
        last = {**head.log[-1], "times": head.log[-1].get("times", 1) + 1, "last_at": now}
        return replace(head, log=[*head.log[:-1], last])
    return logged(head, now, "unknown", cause=outcome.cause, raw_code=outcome.raw_code, raw_message=outcome.raw_message)


def times_unknown(head: Head, cause: str) -> int:
    """How often in a row, whatever else was unknown in between, this cause was what came of an attempt."""
    entries = itertools.takewhile(lambda entry: entry["event"] == "unknown", reversed(head.log))
    return sum(int(entry.get("times", 1)) for entry in entries if entry.get("cause") == cause)


def waiting(head: Head, cause: str, now: int, due_at: int, rejected: Rejected | None = None) -> Head:
    """Nothing of ours is on its way; the same content is tried again at ``due_at``."""
    refusal = _refusal(rejected) if rejected else {}
    head = replace(
        head,
        state=State.WAITING,
        cause=cause,
        refusal=refusal,
        due_at=due_at,
        lease_until=0,
        sent_at=None,
        settle_until=None,
    )
    return logged(head, now, "waiting", **({"cause": cause} | refusal))


def refused(head: Head, rejected: Rejected, now: int) -> Head:
    """Proved: no invoice lives, none can arrive. A corrected order may be sent again under the same order number."""
    refusal = _refusal(rejected)
    head = replace(
        head,
        state=State.REFUSED,
        cause=rejected.cause,
        refusal=refusal,
        due_at=None,
        lease_until=0,
        sent_at=None,
        settle_until=None,
        attempts=0,
    )
    return logged(head, now, "refused", **refusal)


def refusal_pending(head: Head, rejected: Rejected, now: int, due_at: int) -> Head:
    """The centre refused, but proof is missing: nobody is told "refused" before a last look at ``due_at``."""
    refusal = _refusal(rejected)
    pending = {**refusal, "pending": "yes"}
    head = replace(head, sent_at=None, cause=rejected.cause, refusal=pending, due_at=due_at, lease_until=0)
    return logged(head, now, "refusal_pending", **refusal)


def pending_of(head: Head) -> Rejected | None:
    """The refusal that ``refusal_pending`` stored and that a last look may turn into a proved one."""
    if not head.refusal.get("pending"):
        return None
    return Rejected(
        reason=Reason(head.refusal["reason"]),
        cause=head.refusal["cause"],
        raw_code=head.refusal["raw_code"],
        raw_message=head.refusal["raw_message"],
        definite=True,
    )


def flagged(head: Head, now: int, cause: str, **values: Any) -> Head:  # noqa: ANN401 — JSON values
    """A person must look: both sides' values are kept, nothing is overwritten, nothing goes on by itself."""
    head = replace(head, attention={"cause": cause, "since": now, **values}, due_at=None, lease_until=0)
    return logged(head, now, "attention", cause=cause)


def looked_into(head: Head, now: int, *, by: str, reason: str) -> Head:
    """A person has looked: the flag goes, and recovery asks the centre again; what still differs is flagged again."""
    head = replace(head, attention={}, attempts=0, due_at=now, lease_until=0)
    return logged(head, now, "looked_into", by=by, reason=reason)


def cancellation_forgotten(head: Head, now: int, *, by: str, reason: str) -> Head:
    """A person says the cancellation was a mistake, or was dealt with otherwise: the order is as if it had not come."""
    never_issued = head.state is State.WANTED or head.cause == "ORDER_CANCELLED"
    head = replace(head, want={}, state=State.REFUSED if never_issued else head.state)
    head = replace(head, cause="CANCELLATION_FORGOTTEN" if never_issued else head.cause)
    return logged(head, now, "cancellation_forgotten", by=by, reason=reason)


# --- void and reissue ----------------------------------------------------------------------------------------------


def voided(head: Head, now: int, *, event: str = "voided") -> Head:
    """The invoice is void (作廢); nothing of it is on its way."""
    head = replace(
        head,
        state=State.VOIDED,
        voided_at=str(now),
        cause="",
        refusal={},
        want={},
        next={},
        sent_at=None,
        quiet_until=None,
        attempts=0,
        lease_until=0,
        due_at=None,
    )
    return logged(head, now, event, number=head.number)


def void_refused(head: Head, rejected: Rejected, now: int) -> Head:
    """The centre definitely did not void: the invoice lives on, and a reissue that began with this void ends here."""
    refusal = _refusal(rejected)
    head = replace(
        head,
        state=State.ISSUED,
        keys=_without_reissue(head),
        cause="",
        refusal={},
        next={},
        void_reason="",
        sent_at=None,
        quiet_until=None,
        attempts=0,
        lease_until=0,
        due_at=now if head.want else None,
    )
    return logged(head, now, "void_refused", **refusal)


def withdrawn_intent(head: Head, now: int, cause: str) -> Head:
    """A void or reissue that was begun and, before anything was sent, found not to be allowed."""
    head = replace(
        head,
        state=State.ISSUED,
        keys=_without_reissue(head),
        next={},
        void_reason="",
        sent_at=None,
        quiet_until=None,
        lease_until=0,
        due_at=now if head.want else None,
    )
    return logged(head, now, "not_allowed", cause=cause)


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

    Precondition: the old one is definitely void.
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


def _without_reissue(head: Head) -> dict[str, list[str]]:
    """The keys without that of a reissue which came to nothing: sent again, it is a new one."""
    return {name: pair for name, pair in head.keys.items() if name != "reissue"}


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
        "state": State.VOIDED.value if head.voided_at else head.state.value,
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
    }


def _refusal(rejected: Rejected) -> dict[str, str]:
    return {
        "reason": rejected.reason.value,
        "cause": rejected.cause,
        "raw_code": rejected.raw_code,
        "raw_message": rejected.raw_message,
    }


def _later(a: int | None, b: int | None) -> int | None:
    return max((t for t in (a, b) if t is not None), default=None)

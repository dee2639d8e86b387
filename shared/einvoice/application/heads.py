"""What may become of a head (帳頭的變化): pure functions from one head to the next.

Nothing here reads a clock, a store or a network. ``sending`` brings the outcomes, these decide what they mean.
The rule behind all of them: unknown is the default; "refused" needs proof that nothing lives and nothing can arrive.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

from einvoice.application import plans, uploads
from einvoice.errors import Reason
from einvoice.identity import invoice_id
from einvoice.providers.base import Found, Issued, Rejected, Unknown
from einvoice.rules.adoption import Difference
from einvoice.rules.period import TAIPEI, Period
from einvoice.store.base import Head, State

MAX_LOG = 60
MAX_LASTING = 140
MAX_LOG_BYTES = 40_000  # what MAX_LOG of the largest entries take: an item ends at 400 KB
LASTING = frozenset({"fact", "fact_taken_back", "issued", "adopted", "voided", "allowed", "allowance_voided", "agreed"})
MAX_DIFFERENCES = 20  # kept for a person; the centre's console shows the rest
MAX_SHOWN_CHARS = 200

REPLACED = "REPLACED_SAME_NUMBER"  # state of a past entry whose number lives on with another content

#: states in which a change of a living invoice is under way, which no centre de-duplicates
CHANGING = frozenset({State.VOIDING, State.REISSUING, State.ALLOWING})
_BEGINNINGS = frozenset({"voiding", "reissuing", "allowing", "asking", "voiding_allowance", "cancelling_asked"})

#: refusals that a later attempt with the same content can overcome; everything else needs another content
LATER = frozenset({Reason.ADD_NUMBERS, Reason.FIX_CREDENTIALS, Reason.PROVIDER_BUSY, Reason.WAIT})

#: refusals about keys or clocks, which say nothing of the invoice: whatever was begun goes on once they are right
NOT_ABOUT_IT = frozenset({Reason.FIX_CREDENTIALS, Reason.PROVIDER_BUSY})


def changing(  # noqa: PLR0913 — an intent is all of this, and every part has a name
    head: Head, state: State, *, doing: dict[str, Any], now: int, lease_s: int, window_s: int, event: str, **detail: Any  # noqa: ANN401 — JSON values
) -> Head:
    """The intent of a change of the living invoice: what may be sent from now, and how long nothing else may be."""
    head = replace(
        head,
        state=state,
        next=doing,
        lease_until=now + lease_s,
        due_at=now + lease_s,
        sent_at=now,
        quiet_until=now + window_s,
        attempts=0,
        cause="",
    )
    return logged(head, now, event, **detail)


def logged(head: Head, now: int, event: str, **detail: Any) -> Head:  # noqa: ANN401 — JSON values
    """The head with one more log entry; the oldest make room.

    What was recorded, and what came of documents, outlives what was only tried: each kind makes room for its own.
    """
    entry = {"at": now, "event": event, **{name: value for name, value in detail.items() if value not in ("", None)}}
    log = [*head.log, entry]
    alike = [at for at, one in enumerate(log) if (one["event"] in LASTING) == (event in LASTING)]
    if len(alike) > (MAX_LASTING if event in LASTING else MAX_LOG):
        del log[alike[0]]
    while len(log) > MAX_LOG and len(json.dumps(log, ensure_ascii=False).encode("utf-8", "replace")) > MAX_LOG_BYTES:
        del log[next((at for at, one in enumerate(log[:-1]) if one["event"] not in LASTING), 0)]
    return replace(head, log=log)


def ids(head: Head) -> dict[str, str]:
    """What a log line names an order by: no personal data, and enough to find it in the ledger and at the centre."""
    return {
        "merchant": head.key.merchant,
        "invoice": invoice_id(head.key, head.generation),
        "relate_number": head.relate_number,
    }


def pending_since(head: Head) -> int:
    """When what is now unfinished began: the change under way, or the issue itself (epoch seconds)."""
    if head.state in CHANGING:
        began = [int(entry["at"]) for entry in head.log if entry["event"] in _BEGINNINGS]
        return began[-1] if began else head.updated_at
    if head.state in (State.ISSUED, State.VOIDED):  # a wish that came while it was on its way, or a correction
        return int(head.want.get("at", head.updated_at))
    return head.first_sent_at or head.created_at


# --- taking hold of the work ---------------------------------------------------------------------------------------


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
    if head.state in CHANGING and (head.quiet_until or 0) <= now:
        return replace(head, sent_at=now, quiet_until=now + window_s)
    return replace(head, sent_at=None)


def due_if_wanted(head: Head, now: int) -> int | None:
    """When an order that rests is looked at again: at once where the merchant wants something of it."""
    return now if head.want or head.planned else None


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
        due_at=due_if_wanted(head, now),
        confirm_at=None,
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
    head = issued(head, document, now, upload=believed(found.upload), event="adopted")
    return voided(head, now, event="adopted_void") if found.void else head


def believed(upload: str) -> str:
    """An upload's state as it is adopted: that the ministry refused it, ``confirm`` finds, and tells a person."""
    return "uploading" if upload == "refused" else upload


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
    refusal = refusal_of(rejected) if rejected else {}
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


def refused(head: Head, rejected: Rejected, now: int, *, event: str = "refused") -> Head:
    """Proved: no invoice lives, none can arrive. A corrected order may be sent again under the same order number."""
    refusal = refusal_of(rejected)
    head = replace(
        head,
        state=State.REFUSED,
        cause=rejected.cause,
        refusal=refusal,
        due_at=now if head.planned else None,
        lease_until=0,
        sent_at=None,
        settle_until=None,
        attempts=0,
    )
    return logged(plans.met_refusal(head, rejected.cause, refusal), now, event, **refusal)


def refusal_pending(head: Head, rejected: Rejected, now: int, due_at: int) -> Head:
    """The centre refused, but proof is missing: nobody is told "refused" before a last look at ``due_at``."""
    refusal = refusal_of(rejected)
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
    """A person has looked: the flag goes, and the centre is asked again; what still differs is flagged again.

    Work under way is taken up by recovery. An order at rest is asked about as if nothing of it were confirmed yet.
    """
    at_rest = head.state in (State.ISSUED, State.VOIDED)
    head = uploads.asked_again(replace(head, confirm_at=now)) if at_rest else head
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
    """The invoice is void (作廢); nothing of it is on its way. Where the order was cancelled, nothing replaces it."""
    head = plans.superseded(head, now) if head.want else head
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
        due_at=now if head.planned else None,
        void_upload="uploading",
        confirm_at=None,
    )
    return logged(head, now, event, number=head.number)


def void_refused(head: Head, rejected: Rejected, now: int) -> Head:
    """The centre definitely did not void: the invoice lives on, and a reissue that began with this void ends here.

    A correction that was asked for meanwhile was not refused by it.
    """
    refusal = refusal_of(rejected)
    plan = plans.current(head)
    if plan is not None and plan["by"] in (head.keys.get("void"), head.keys.get("reissue")):
        head = plans.met_refusal(head, rejected.cause, refusal)
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
        due_at=due_if_wanted(head, now),
    )
    return logged(head, now, "void_refused", **refusal)


def too_late(head: Head, now: int, cause: str) -> Head:
    """A void or reissue that proved to have changed nothing, and may not be sent (again); a plan finds another way."""
    head = replace(
        head,
        state=State.ISSUED,
        keys=_without_reissue(head),
        next={},
        void_reason="",
        sent_at=None,
        quiet_until=None,
        lease_until=0,
        due_at=due_if_wanted(head, now),
    )
    return logged(head, now, "not_allowed", cause=cause)


def _without_reissue(head: Head) -> dict[str, list[str]]:
    """The keys without that of a reissue which came to nothing: sent again, it is a new one."""
    return {name: pair for name, pair in head.keys.items() if name != "reissue"}


def refusal_of(rejected: Rejected) -> dict[str, str]:
    """A refusal as it is kept."""
    return {
        "reason": rejected.reason.value,
        "cause": rejected.cause,
        "raw_code": rejected.raw_code,
        "raw_message": rejected.raw_message,
    }


def _later(a: int | None, b: int | None) -> int | None:
    return max((t for t in (a, b) if t is not None), default=None)

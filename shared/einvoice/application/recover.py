"""Recovery (補救): take over what is due and drive it on, until every order rests in a proved state.

Used by the every-minute function and by a repeated request that finds its predecessor dead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from einvoice.application import filings, generations, heads, issuing, plans, same_number, sending, voiding
from einvoice.application.ports import Ports, Work
from einvoice.errors import MerchantUnusable, StoreUnavailable
from einvoice.model import OrderKey
from einvoice.providers.base import Unknown
from einvoice.store.base import Guard, Head, State

UNKNOWN_CENTRE_WINDOW_S = 3600  # for a merchant whose settings cannot be read: longer than any centre's


@dataclass(frozen=True, slots=True)
class Recovered:
    """What one due order came to: ``resting``, ``pending``, ``busy`` (somebody has it), ``left`` or ``failed``."""

    key: OrderKey
    outcome: str
    age_s: int  # how long the order has been unfinished


def recover_one(p: Ports, w: Work, key: OrderKey) -> Recovered:
    """Take one due order over and drive it on. Never raises for anything a provider, a merchant or the store does."""
    head: Head | None = None
    try:
        head = p.store.read(key)
        now = p.now()
        if head is None or head.due_at is None or head.due_at > now or head.lease_until > now:
            return Recovered(key, "busy", 0)
        age_s = now - heads.pending_since(head)
        before = head.state
        head = drive(p, w, take_over(p, w, head))
        p.observe("recovered", state=head.state.value, before=before.value, **heads.ids(head))
        return Recovered(key, "resting" if head.due_at is None else "pending", age_s)
    except sending.Overtaken:
        return Recovered(key, "busy", 0)
    except StoreUnavailable:
        p.observe("store_unavailable")
        return Recovered(key, "failed", 0)


def take_over(p: Ports, w: Work, head: Head) -> Head:
    """Write the intent of a further attempt behind the fence. Raises Overtaken where another worker was faster."""
    try:
        window_s = p.centres.profile(head.key.merchant).settle_window_s
    except MerchantUnusable:
        window_s = UNKNOWN_CENTRE_WINDOW_S
    after = heads.taken_over(head, op=p.token(), now=p.now(), lease_s=w.lease_s, window_s=window_s)
    after = replace(after, ver=head.ver + 1, write_id=p.token(), updated_at=p.now())
    standing = p.store.replace(after)
    if standing is not None:
        raise sending.Overtaken(standing)
    return after


def driven_on(p: Ports, w: Work, head: Head) -> Head:
    """Take over and drive on for a caller who wants an answer: whatever gets in between, what stands is the answer."""
    try:
        return drive(p, w, take_over(p, w, head))
    except sending.Overtaken as overtaken:
        return overtaken.standing
    except StoreUnavailable:
        p.observe("commit_failed", **heads.ids(head))
        return head


def drive(p: Ports, w: Work, head: Head) -> Head:
    """Do what the head's state asks for next, and what its plans ask for then. The head is ours, its intent stored."""
    try:
        head = _driven(p, w, head)
        return _onward(p, w, head) if head.planned else head
    except MerchantUnusable as unusable:
        p.observe("merchant_unusable", cause=unusable.cause, **heads.ids(head))
        outcome = Unknown(unusable.cause)
        retry_at = p.now() + p.timing.retry_cap_s
        return sending.commit(p, head, lambda h: heads.unknown(heads.unsent(h), outcome, p.now(), retry_at))


# Corrections are imported where one is met: an issue must not pay for their rules at every cold start.


def _onward(p: Ports, w: Work, head: Head) -> Head:
    from einvoice.application import planning  # noqa: PLC0415

    return planning.advance(p, w, head)


def _resumed_allowance(p: Ports, w: Work, head: Head) -> Head:
    from einvoice.application import allowing  # noqa: PLC0415

    return allowing.resume(p, w, head)


def _driven(p: Ports, w: Work, head: Head) -> Head:
    match head.state:
        case State.ISSUING:
            return issuing.resume_issue(p, w, head)
        case State.VOIDING:
            return voiding.resume_void(p, w, head)
        case State.REISSUING if generations.repeated(head):
            return voiding.withdraw(p, head, "ALREADY_DONE")
        case State.REISSUING if head.next.get("mode") == "same_number":
            return same_number.resume_same_number(p, w, head)
        case State.REISSUING:
            return voiding.resume_void(p, w, head)
        case State.ALLOWING:
            return _resumed_allowance(p, w, head)
        case State.ISSUED if head.want:
            return _wanted_void(p, w, head)
        case _ if head.planned:
            return head  # its plan says what is next
        case _:
            return sending.commit(p, head, lambda h: replace(h, due_at=None, lease_until=0))


def _wanted_void(p: Ports, w: Work, head: Head) -> Head:
    """The merchant cancelled while the invoice was on its way: void it now; where that is too simple, plan it."""
    if head.centre is None:
        raise AssertionError("an issued order has a centre")
    profile = p.centres.pinned(head.key.merchant, head.centre).profile
    late = head.issued_at < filings.oldest_voidable_day(p, head.key.merchant, profile)
    if late or head.planned or head.had_allowance or head.facts:
        return sending.commit(p, head, lambda h: _planned_cancellation(h, p.now()))
    guard = Guard(states=(State.ISSUED,), generation=head.generation, quiet_before=p.now())
    intent = void_intent(p, w, str(head.want.get("reason", "")), profile.settle_window_s)
    ok, begun = p.store.begin(head.key, guard, intent)
    if begun is None or not ok:
        raise sending.Overtaken(begun or head)
    return voiding.send_void(p, w, begun)


def _planned_cancellation(head: Head, now: int) -> Head:
    """The wish as a plan: what is lawful now, a void or an allowance of all that remains, the rules decide."""
    reason, head = str(head.want.get("reason", "")), replace(head, want={}, due_at=now)
    if any(plan["goal"] == plans.CANCEL for plan in head.plans if plan["status"] == plans.OPEN):
        return head
    head = plans.superseded(head, now)
    head = plans.added(head, plans.cancellation(head, reason, ["", ""], now))
    return heads.logged(head, now, "planned", goal=plans.CANCEL, reason=reason)


def void_intent(p: Ports, w: Work, reason: str, window_s: int) -> dict[str, object]:
    """The fields of a void's intent: who owns it, what it may have sent, and how long nothing else may be sent."""
    now = p.now()
    return {
        "state": State.VOIDING,
        "op": p.token(),
        "write_id": p.token(),
        "updated_at": now,
        "lease_until": now + w.lease_s,
        "due_at": now + w.lease_s,
        "sent_at": now,
        "quiet_until": now + window_s,
        "attempts": 0,
        "void_reason": reason,
        "log": [{"at": now, "event": "voiding", "reason": reason}],
    }

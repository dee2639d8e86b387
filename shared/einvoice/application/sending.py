"""What every way of carrying an intent out shares (送出): the fenced commit, the paced call, the look-up, the put-off.

Every function here is given a head whose intent is already stored and owned by us.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from einvoice.application import ending, heads, near, payload, plans, uploads
from einvoice.application.ports import Json, Ports, Work
from einvoice.errors import EinvoiceError, MerchantUnusable, Reason, StoreUnavailable
from einvoice.model import Order
from einvoice.providers.base import Call, Found, LookUp, Outcome, Provider, Rejected, T, Unknown
from einvoice.rules import adoption
from einvoice.store.base import Head

NO_TIME = Rejected(Reason.PROVIDER_BUSY, "NO_TIME", definite=True, sent=False)
NOT_QUERYABLE = "NOT_QUERYABLE"  # this centre cannot be asked: only a person finds out what it holds
DAY_S = 86_400
MERGES = 5  # how often a commit may meet a wish that was stored meanwhile


class Overtaken(EinvoiceError):
    """Another worker moved the order on; what it made of it stands in ``standing``."""

    def __init__(self, standing: Head) -> None:
        super().__init__(standing.state.value)
        self.standing = standing


def commit(p: Ports, before: Head, step: Callable[[Head], Head]) -> Head:
    """Write ``step(before)`` behind the fence. A wish stored meanwhile is kept; any other change wins over ours."""
    for _ in range(MERGES):
        after = watched(p, ending.settled(step(before), p.now()))
        after = replace(after, ver=before.ver + 1, write_id=p.token(), updated_at=p.now())
        standing = p.store.replace(after)
        if standing is None:
            _tell_of_ended(p, before, after)
            return after
        if standing.op != before.op or standing.state != before.state or standing.generation != before.generation:
            raise Overtaken(standing)
        before = standing
    raise Overtaken(before)


def _tell_of_ended(p: Ports, before: Head, after: Head) -> None:
    for plan in plans.ended_between(before, after):
        p.observe("corrected", goal=plan["goal"], **heads.ids(after))


def watched(p: Ports, head: Head) -> Head:
    """The head with the time at which ``confirm`` looks at it next; None: all is known, and no deadline comes near."""
    looks = (_asked_at(p, head), near.next_at(head), _closed_at(p, head))
    return replace(head, confirm_at=min((at for at in looks if at is not None), default=None))


def _closed_at(p: Ports, head: Head) -> int | None:
    """When what the current plan waits to do has closed, and another way must be found; None: it never does, or has."""
    closes = plans.closes_at(head)
    return int(closes.timestamp()) + 1 if closes is not None and closes.timestamp() >= p.now() else None


def _asked_at(p: Ports, head: Head) -> int | None:
    """When the ministry's answer to its uploads is next asked for; None: all is known, or nobody can be asked."""
    if not uploads.unconfirmed(head) and not any(one["status"] == "ASKED" for one in head.allowances):
        return None
    if head.confirm_at is not None:
        return head.confirm_at
    try:
        profile = p.centres.profile(head.key.merchant)
    except MerchantUnusable:
        return p.now() + DAY_S
    return p.now() + profile.confirm_after_s if profile.queryable else None


def carried_out(p: Ports, head: Head, send: Callable[[], Head]) -> Head:
    """What stands after ``send``. The order owns the work: whatever gets in between, it is pending, never failed."""
    try:
        return send()
    except Overtaken as overtaken:
        return overtaken.standing
    except MerchantUnusable as unusable:
        p.observe("merchant_unusable", cause=unusable.cause, **heads.ids(head))
    except StoreUnavailable:
        p.observe("commit_failed", **heads.ids(head))
    return head


def look(p: Ports, w: Work, head: Head, provider: Provider) -> LookUp:
    """Ask the centre what it holds under our order number (查詢)."""
    if not provider.profile.queryable:
        return Unknown(NOT_QUERYABLE)
    _pace(p, head)
    call = p.call(w, p.timing.look_cap_s)
    if call is None:
        return Unknown("NO_TIME")
    try:
        found = provider.find(head.relate_number, call)
    except MerchantUnusable as unusable:  # its credentials went away since: that says nothing about the invoice
        return Unknown(unusable.cause)
    if isinstance(found, Unknown) and found.retry_after_s is not None and head.centre is not None:
        p.breakers.open(head.key.merchant, head.centre.account, found.retry_after_s, found.cause)
    return found


def order_of(head: Head) -> Order:
    """The order content this head was claimed with."""
    return payload.from_json(head.payload)


def called(p: Ports, w: Work, head: Head, send: Callable[[Call], Outcome[T]], *, look: bool = False) -> Outcome[T]:
    """One paced call inside the invocation's limits; a ban it met opens the breaker. ``look``: it changes nothing."""
    _pace(p, head)
    call = p.call(w, p.timing.look_cap_s if look else p.timing.provider_cap_s)
    if call is None:
        return NO_TIME
    try:
        outcome = send(call)
    except MerchantUnusable as unusable:  # credentials are read before a byte is sent
        return Rejected(Reason.PROVIDER_BUSY, unusable.cause, definite=True, sent=False)
    if isinstance(outcome, Unknown) and outcome.retry_after_s is not None and head.centre is not None:
        p.breakers.open(head.key.merchant, head.centre.account, outcome.retry_after_s, outcome.cause)
    return outcome


def differences(p: Ports, head: Head, found: Found) -> list[adoption.Difference]:
    """In what the centre's document is not what this head asked for."""
    return adoption.differences(
        order_of(head),
        found,
        first_sent_at=_instant(head.first_sent_at or head.created_at),
        now=_instant(p.now()),
        skew=timedelta(seconds=p.timing.skew_s),
    )


def adopted(p: Ports, head: Head, found: Found) -> Head:
    """The head after the centre was found to hold this document."""
    after = heads.adopted(head, found, differences(p, head, found), p.now())
    p.observe("attention" if after.attention else "adopted", cause=after.attention.get("cause", ""), **heads.ids(head))
    return after


def look_again(p: Ports, head: Head, outcome: Rejected | Unknown) -> Head:
    """No answer: look again until there is one. An answer nobody can place: at +1, +5, +15 minutes, then a person."""
    p.observe("unknown", cause=outcome.cause, **heads.ids(head))
    if isinstance(outcome, Unknown) and not outcome.answered:
        return heads.unknown(head, outcome, p.now(), due_after_unknown(p, head, outcome))
    before = heads.times_unknown(head, outcome.cause)
    if before >= len(p.timing.look_again_s):
        return flagged(p, head, "UNPLACED_REFUSAL", theirs={"code": outcome.raw_code, "message": outcome.raw_message})
    return heads.unknown(head, outcome, p.now(), p.now() + p.timing.look_again_s[before])


def put_off(
    p: Ports, head: Head, cause: str, due_at: int, rejected: Rejected | None = None, *, absent: bool = False
) -> Head:
    """Try again later; WAITING only where it is proved that nothing of an earlier attempt landed or still can.

    That its time is over proves only the second; ``absent``: the centre was asked since, and holds nothing.
    """
    now = p.now()
    p.observe("waiting", cause=cause, **heads.ids(head))
    if heads.settled(head, now) and (head.settle_until is None or absent):
        return heads.waiting(head, cause, now, due_at, rejected)
    return heads.unknown(head, rejected or Unknown(cause), now, due_at)


def refused(p: Ports, head: Head, rejected: Rejected) -> Head:
    """Tell of a proved refusal, and the head that keeps it."""
    p.observe("refused", reason=rejected.reason.value, cause=rejected.cause, **heads.ids(head))
    return heads.refused(head, rejected, p.now())


def held(head: Head, due_at: int) -> Head:
    """A void or same-number intent that in the end sent nothing: the next one may send, if this one was allowed to."""
    quiet_until = None if head.sent_at is not None else head.quiet_until
    return replace(heads.unsent(head), quiet_until=quiet_until, due_at=due_at, lease_until=0)


def flagged(p: Ports, head: Head, cause: str, **values: Json) -> Head:
    """Tell of an order that needs a person, and the head that waits for one."""
    p.observe("attention", cause=cause, **heads.ids(head))
    return heads.flagged(head, p.now(), cause, **values)


def due_after_unknown(p: Ports, head: Head, outcome: Unknown) -> int:
    """When to look again after no answer: when the ban ends, or soon and then ever later."""
    return p.now() + (outcome.retry_after_s or backoff(p, head))


def backoff(p: Ports, head: Head) -> int:
    """Seconds to the next attempt: one minute, doubling, at most a quarter of an hour."""
    return int(min(60 * 2 ** min(head.attempts, 10), p.timing.retry_cap_s))


def banned_until(p: Ports, head: Head) -> int | None:
    """Until when the order's centre account may not be called; None: it may."""
    if head.centre is None:
        return None
    return p.breakers.banned_until(head.key.merchant, head.centre.account)


def _pace(p: Ports, head: Head) -> None:
    if head.centre is not None:
        p.pace(head.key.merchant, head.centre.account)


def provider_of(p: Ports, head: Head) -> Provider:
    """The provider this order is pinned to. Raises MerchantUnusable."""
    if head.centre is None:
        raise AssertionError("a claimed order has a centre")
    return p.centres.pinned(head.key.merchant, head.centre)


def _instant(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)

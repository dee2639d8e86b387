"""Carrying an issue out (開立的送出): send, look wherever the answer was no plain yes, decide, commit."""

from __future__ import annotations

from collections.abc import Callable

from einvoice.application import heads, sending
from einvoice.application.ports import Ports, Work
from einvoice.errors import Reason
from einvoice.providers.base import Absent, Accepted, Found, LookUp, Provider, Rejected, Unknown
from einvoice.rules.period import Period
from einvoice.store.base import Head

CANCELLED = Rejected(Reason.ORDER_HAS_INVOICE, "ORDER_CANCELLED", definite=True)


def send_issue(p: Ports, w: Work, head: Head) -> Head:
    """Send the issue (開立) the stored intent allows, and commit what came of it."""
    until = sending.banned_until(p, head)
    if until is not None:
        return sending.commit(p, head, lambda h: sending.put_off(p, heads.unsent(h), "BANNED", until))
    provider = sending.provider_of(p, head)
    outcome = sending.called(p, w, head, lambda call: provider.issue(sending.order_of(head), head.relate_number, call))
    if isinstance(outcome, Accepted):
        p.observe("issued", generation=head.generation, **heads.ids(head))
        return sending.commit(p, head, lambda h: heads.issued(h, outcome.value, p.now()))
    if isinstance(outcome, Rejected) and not outcome.sent:
        due_at = p.now() + p.timing.not_sent_retry_s
        return sending.commit(p, head, lambda h: sending.put_off(p, heads.unsent(h), outcome.cause, due_at, outcome))
    mute = isinstance(outcome, Rejected) and outcome.reason in heads.NOT_ABOUT_IT  # a look-up would fare no better
    askable = not mute and sending.banned_until(p, head) is None
    found = sending.look(p, w, head, provider) if askable else None
    return sending.commit(p, head, lambda h: _after_issue(p, h, outcome, found))


def resume_issue(p: Ports, w: Work, head: Head) -> Head:
    """Go on with an issue somebody began: ask what became of it, and send only where that is safe and still wanted."""
    provider = sending.provider_of(p, head)
    if head.settle_until is not None or heads.pending_of(head) is not None:
        if (until := sending.banned_until(p, head)) is not None:
            return sending.commit(p, head, lambda h: sending.put_off(p, heads.unsent(h), "BANNED", until))
        found = sending.look(p, w, head, provider)
        if not isinstance(found, Absent):
            return sending.commit(p, head, lambda h: _found_or_unknown(p, heads.unsent(h), found))
    end = _end_without_sending(p, head, provider)
    if end is not None:
        return sending.commit(p, head, end)
    return send_issue(p, w, head)


def _end_without_sending(p: Ports, head: Head, provider: Provider) -> Callable[[Head], Head] | None:
    """What to do, the centre holding nothing, where sending again is not right; None: send."""
    now = p.now()
    refusal = heads.pending_of(head)
    over = Period.of(p.clock.now()).key != head.sold_period
    may_repeat = provider.profile.unique_order_number
    if not (head.want or refusal or over) and (may_repeat or heads.settled(heads.unsent(head), now)):
        return None

    def end(h: Head) -> Head:
        h = heads.unsent(h)
        if not heads.settled(h, now):
            return heads.unknown(h, Unknown("SETTLING"), now, (h.settle_until or now) + 1)
        if h.want:
            p.observe("cancelled_before_issue", **heads.ids(h))
            return heads.refused(h, CANCELLED, now, event="cancelled_unissued")
        if refusal:
            return sending.refused(p, h, refusal)
        return sending.flagged(p, h, "SALE_PERIOD_OVER")

    return end


def _after_issue(p: Ports, head: Head, outcome: Rejected | Unknown, found: LookUp | None) -> Head:
    """The order after an issue that was not a plain yes, and the look-up that followed it (None: there was none)."""
    now = p.now()
    if isinstance(found, Found):
        return sending.adopted(p, head, found)
    if isinstance(outcome, Unknown):
        return sending.look_again(p, head, outcome)
    answered = heads.unsent(head)
    if outcome.definite and outcome.reason in heads.LATER:
        due_at = now + sending.backoff(p, head)
        return sending.put_off(p, answered, outcome.cause, due_at, outcome, absent=isinstance(found, Absent))
    if outcome.definite:
        if not heads.settled(answered, now):
            return heads.refusal_pending(answered, outcome, now, (answered.settle_until or now) + 1)
        if isinstance(found, Absent) or (isinstance(found, Unknown) and found.cause == sending.NOT_QUERYABLE):
            return sending.refused(p, answered, outcome)
        due_at = now + sending.backoff(p, head)  # the centre could not be asked: ask later
        return heads.refusal_pending(answered, outcome, now, due_at)
    return sending.look_again(p, head, outcome)


def _found_or_unknown(p: Ports, head: Head, found: Found | Rejected | Unknown) -> Head:
    if isinstance(found, Found):
        return sending.adopted(p, head, found)
    if isinstance(found, Rejected):
        return heads.unknown(head, found, p.now(), p.now() + sending.backoff(p, head))
    if found.cause == sending.NOT_QUERYABLE:
        return sending.flagged(p, head, sending.NOT_QUERYABLE)
    return heads.unknown(head, found, p.now(), sending.due_after_unknown(p, head, found))

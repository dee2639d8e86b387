"""Carrying a void out (作廢的送出), and the new invoice of the reissue that began with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from einvoice.application import conditions, filings, generations, heads, issuing, payload, sending
from einvoice.application.ports import Ports, Work
from einvoice.errors import Conflict, InvalidRequest
from einvoice.providers.base import Absent, Accepted, Found, Provider, Rejected, Unknown
from einvoice.rules.period import Period
from einvoice.rules.reissue import oldest_reissuable_period
from einvoice.store.base import Head, State


def send_void(p: Ports, w: Work, head: Head) -> Head:
    """Send the void (作廢) the stored intent allows; for a reissue, go on to the new invoice once it is definite."""
    until = sending.banned_until(p, head)
    if until is not None:
        return sending.commit(p, head, lambda h: sending.held(h, until + 1))
    provider = sending.provider_of(p, head)
    issued_on = datetime.fromisoformat(head.issued_at).date()
    outcome = sending.called(p, w, head, lambda call: provider.void(head.number, issued_on, head.void_reason, call))
    if isinstance(outcome, Accepted):
        return _after_void(p, w, head)
    if isinstance(outcome, Rejected) and not outcome.sent:
        due_at = p.now() + p.timing.not_sent_retry_s
        return sending.commit(p, head, lambda h: sending.held(h, due_at))
    if isinstance(outcome, Rejected) and outcome.definite:
        p.observe("void_refused", reason=outcome.reason.value, cause=outcome.cause, **heads.ids(head))
        if outcome.reason in heads.NOT_ABOUT_IT:
            due_at = p.now() + sending.backoff(p, head)
            calm = replace(head, quiet_until=None)  # the refused envelope cannot take effect any more
            return sending.commit(p, calm, lambda h: heads.unknown(h, outcome, p.now(), due_at))
        return sending.commit(p, head, lambda h: _void_refused(p, h, outcome))
    found = sending.look(p, w, head, provider) if sending.banned_until(p, head) is None else None
    if isinstance(found, Found) and found.void:
        return _after_void(p, w, head)
    return sending.commit(p, head, lambda h: sending.look_again(p, h, outcome))


def _void_refused(p: Ports, head: Head, outcome: Rejected) -> Head:
    """The invoice lives on; where the merchant had cancelled the order, a person must find another way."""
    after = heads.void_refused(head, outcome, p.now())
    return sending.flagged(p, after, "CANCEL_REFUSED") if after.want else after


def resume_void(p: Ports, w: Work, head: Head) -> Head:
    """Go on with a void somebody began: the centre's state first; sent again only after the quiet time."""
    provider = sending.provider_of(p, head)
    if (until := sending.banned_until(p, head)) is not None:
        return sending.commit(p, head, lambda h: sending.held(h, until + 1))
    found = sending.look(p, w, head, provider)
    if isinstance(found, Found) and found.void:
        return _after_void(p, w, head)
    if not isinstance(found, Found):
        return sending.commit(p, head, lambda h: not_found(p, h, found))
    if head.sent_at is None:
        due_at = (head.quiet_until or p.now()) + 1
        return sending.commit(p, head, lambda h: heads.unknown(h, Unknown("SETTLING"), p.now(), due_at))
    if head.state is State.REISSUING and (cause := reason_to_stop(p, w, head, provider)):
        if cause == conditions.NUMBERS_UNKNOWN:
            return put_off_change(p, head)
        return withdraw(p, head, cause)
    if head.issued_at < filings.oldest_voidable_day(p, head.key.merchant, provider.profile):
        if head.planned:
            return sending.commit(p, head, lambda h: heads.too_late(h, p.now(), "VOID_WINDOW_CLOSED"))
        return sending.commit(p, head, lambda h: _lives_on(p, h))
    return send_void(p, w, head)


def _lives_on(p: Ports, head: Head) -> Head:
    """A void that may not be sent any more: a person says whether the invoice is allowed in full instead."""
    return sending.flagged(p, heads.too_late(head, p.now(), "VOID_WINDOW_CLOSED"), "VOID_WINDOW_CLOSED")


def _after_void(p: Ports, w: Work, head: Head) -> Head:
    """The void is definite. A reissue goes on with the next generation, unless the merchant cancelled meanwhile."""
    p.observe("voided", **heads.ids(head))
    if head.state is not State.REISSUING:
        return sending.commit(p, head, lambda h: heads.voided(h, p.now()))

    centre, profile = conditions.centre_for_next(p, head)
    still_open = head.period >= oldest_reissuable_period(p.clock.now(), profile)

    def step(h: Head) -> Head:
        if h.want:
            return heads.voided(h, p.now())
        if not still_open:
            return sending.flagged(p, heads.voided(h, p.now()), "VOIDED_CROSS_PERIOD")
        h = heads.logged(replace(h, voided_at=str(p.now())), p.now(), "voided", number=h.number)
        corrected = conditions.corrected_payload(h)
        return generations.next_generation(
            h,
            p.stage,
            payload=corrected,
            request_hash=payload.digest(corrected),
            centre=centre,
            sold_period=Period.of(p.clock.now()).key,
            op=h.op,
            now=p.now(),
            lease_s=w.lease_s,
        )

    head = sending.commit(p, head, step)
    return issuing.send_issue(p, w, head) if head.state is State.ISSUING else head


def withdraw(p: Ports, head: Head, cause: str) -> Head:
    """Take back a void or reissue that was begun and of which nothing was sent: the invoice is as it was."""
    return sending.commit(p, head, lambda h: heads.too_late(h, p.now(), cause))


def put_off_change(p: Ports, head: Head) -> Head:
    """Only time is in the way of a void or reissue of which nothing was sent: it is taken up again later."""
    due_at = p.now() + sending.backoff(p, head)
    return sending.commit(p, head, lambda h: sending.held(h, due_at))


def not_found(p: Ports, head: Head, found: Absent | Rejected | Unknown) -> Head:
    """The centre could not be asked about a void, or holds nothing where it held an invoice before."""
    if isinstance(found, Unknown) and found.cause == sending.NOT_QUERYABLE:
        return sending.flagged(p, head, sending.NOT_QUERYABLE)
    due_at = p.now() + sending.backoff(p, head)
    if isinstance(found, Absent):  # a centre's look-up may be minutes behind its own answers
        found = Unknown("ISSUED_BUT_ABSENT")
        before = heads.times_unknown(head, found.cause)
        if before >= len(p.timing.look_again_s):
            return sending.flagged(p, head, found.cause)
        due_at = p.now() + p.timing.look_again_s[before]
    return heads.unknown(sending.held(head, due_at), found, p.now(), due_at)


def reason_to_stop(p: Ports, w: Work, head: Head, provider: Provider) -> str:
    """Why a reissue that was begun, and is proved to have changed nothing yet, should not go on; empty: go on."""
    try:
        conditions.check_begun(p, w, head, provider)
    except (Conflict, InvalidRequest) as refusal:
        return str(refusal)
    return ""

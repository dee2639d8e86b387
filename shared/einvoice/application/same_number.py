"""Carrying a reissue under the same number out (註銷重開的送出)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from einvoice.application import conditions, generations, heads, payload, sending
from einvoice.application.ports import Json, Ports, Work
from einvoice.application.voiding import not_found, reason_to_stop, withdraw
from einvoice.providers.base import Absent, Accepted, Found, LookUp, Rejected, Unknown
from einvoice.store.base import Head


def send_same_number(p: Ports, w: Work, head: Head) -> Head:
    """Send the withdrawal and re-issue under the same number (註銷重開) that the stored intent allows."""
    until = sending.banned_until(p, head)
    if until is not None:
        return sending.commit(p, head, lambda h: sending.held(h, until + 1))
    provider = sending.provider_of(p, head)
    corrected = conditions.corrected_payload(head)
    issued_at = datetime.fromisoformat(head.issued_at)
    outcome = sending.called(
        p,
        w,
        head,
        lambda call: provider.reissue_same_number(
            payload.from_json(corrected), head.relate_number, head.number, issued_at, head.void_reason, call
        ),
    )
    if isinstance(outcome, Accepted):
        p.observe("reissued_same_number", **heads.ids(head))
        return sending.commit(
            p, head, lambda h: heads.issued(replace(_with_next(h, corrected), quiet_until=None), outcome.value, p.now())
        )
    if isinstance(outcome, Rejected) and not outcome.sent:
        due_at = p.now() + p.timing.not_sent_retry_s
        return sending.commit(p, head, lambda h: sending.held(h, due_at))
    if isinstance(outcome, Rejected) and outcome.definite and outcome.reason not in heads.NOT_ABOUT_IT:
        p.observe("reissue_refused", reason=outcome.reason.value, cause=outcome.cause, **heads.ids(head))
        return sending.commit(p, head, lambda h: heads.void_refused(h, outcome, p.now()))  # what was wanted is due then
    if sending.banned_until(p, head) is not None:
        return sending.commit(p, head, lambda h: sending.look_again(p, h, outcome))
    found = sending.look(p, w, head, provider)
    return sending.commit(
        p, head, lambda h: _after_same_number(p, h, found, corrected) or sending.look_again(p, h, outcome)
    )


def resume_same_number(p: Ports, w: Work, head: Head) -> Head:
    """Go on with a 註銷重開 somebody began: compare what the centre holds; sent again only after the quiet time."""
    provider = sending.provider_of(p, head)
    if (until := sending.banned_until(p, head)) is not None:
        return sending.commit(p, head, lambda h: sending.held(h, until + 1))
    found = sending.look(p, w, head, provider)
    corrected = conditions.corrected_payload(head)
    if isinstance(found, Found):
        after = _after_same_number(p, head, found, corrected)
        if after is not None:
            return sending.commit(p, head, lambda h: _after_same_number(p, h, found, corrected) or h)
        if found.withdrawn or found.void:
            theirs: Json = {"number": found.number}
            return sending.commit(p, head, lambda h: sending.flagged(p, h, "WITHDRAWN_AT_CENTRE", theirs=theirs))
        if sending.differences(p, head, found):  # neither what was nor what should be: nothing is sent over it
            return sending.commit(p, head, lambda h: sending.adopted(p, h, found))
    elif not isinstance(found, Absent):
        return sending.commit(p, head, lambda h: not_found(p, h, found))
    if head.sent_at is None:
        due_at = (head.quiet_until or p.now()) + 1
        return sending.commit(p, head, lambda h: heads.unknown(h, Unknown("SETTLING"), p.now(), due_at))
    if cause := "ORDER_CANCELLED" if head.want else reason_to_stop(p, w, head, provider):
        return withdraw(p, head, cause)
    return send_same_number(p, w, head)


def _after_same_number(p: Ports, head: Head, found: LookUp, corrected: Json) -> Head | None:
    """The head with the corrected content, if that is what the centre holds now."""
    if not isinstance(found, Found) or found.void or found.withdrawn:
        return None
    after = _with_next(head, corrected)
    return None if sending.differences(p, after, found) else sending.adopted(p, after, found)


def _with_next(head: Head, corrected: Json) -> Head:
    """The head with the re-issued content; what it replaces is kept as an entry of the past."""
    replaced = {**generations.past_of(head), "state": heads.REPLACED}
    replaced.pop("allowances", None)  # they belong to the number, which lives on
    return replace(head, payload=corrected, request_hash=payload.digest(corrected), past=[*head.past, replaced])

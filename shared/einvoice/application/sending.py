"""Carrying an intent out (送出): every function here is given a head whose intent is already stored and owned by us.

Each calls the centre, asks what it holds wherever the answer was not a plain yes, lets ``heads`` decide, and commits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from einvoice.application import conditions, heads, payload
from einvoice.application.ports import Json, Ports, Work
from einvoice.errors import Conflict, EinvoiceError, InvalidRequest, MerchantUnusable, Reason
from einvoice.model import Centre, Order, ProviderProfile
from einvoice.providers.base import Absent, Accepted, Call, Found, LookUp, Outcome, Provider, Rejected, T, Unknown
from einvoice.rules import adoption, void
from einvoice.rules.period import Period
from einvoice.rules.reissue import oldest_reissuable_period
from einvoice.store.base import Head, State

NO_TIME = Rejected(Reason.PROVIDER_BUSY, "NO_TIME", definite=True, sent=False)
CANCELLED = Rejected(Reason.ORDER_HAS_INVOICE, "ORDER_CANCELLED", definite=True)
NOT_QUERYABLE = "NOT_QUERYABLE"  # this centre cannot be asked: only a person finds out what it holds
MERGES = 5  # how often a commit may meet a wish that was stored meanwhile


class Overtaken(EinvoiceError):
    """Another worker moved the order on; what it made of it stands in ``standing``."""

    def __init__(self, standing: Head) -> None:
        super().__init__(standing.state.value)
        self.standing = standing


def commit(p: Ports, before: Head, step: Callable[[Head], Head]) -> Head:
    """Write ``step(before)`` behind the fence. A wish stored meanwhile is kept; any other change wins over ours."""
    for _ in range(MERGES):
        after = replace(step(before), ver=before.ver + 1, write_id=p.token(), updated_at=p.now())
        standing = p.store.replace(after)
        if standing is None:
            return after
        if standing.op != before.op or standing.state != before.state or standing.generation != before.generation:
            raise Overtaken(standing)
        before = standing
    raise Overtaken(before)


# --- issue ---------------------------------------------------------------------------------------------------------


def send_issue(p: Ports, w: Work, head: Head) -> Head:
    """Send the issue (開立) the stored intent allows, and commit what came of it."""
    until = _banned(p, head)
    if until is not None:
        return commit(p, head, lambda h: _put_off(p, heads.unsent(h), "BANNED", until))
    provider = _provider(p, head)
    outcome = _called(p, w, head, lambda call: provider.issue(order_of(head), head.relate_number, call))
    if isinstance(outcome, Accepted):
        p.observe("issued", generation=head.generation, **heads.ids(head))
        return commit(p, head, lambda h: heads.issued(h, outcome.value, p.now()))
    if isinstance(outcome, Rejected) and not outcome.sent:
        due_at = p.now() + p.timing.not_sent_retry_s
        return commit(p, head, lambda h: _put_off(p, heads.unsent(h), outcome.cause, due_at, outcome))
    if _banned(p, head) is not None or (isinstance(outcome, Rejected) and outcome.reason is Reason.FIX_CREDENTIALS):
        return commit(p, head, lambda h: _after_issue(p, h, outcome, None))
    found = look(p, w, head, provider)
    return commit(p, head, lambda h: _after_issue(p, h, outcome, found))


def resume_issue(p: Ports, w: Work, head: Head) -> Head:
    """Go on with an issue somebody began: ask what became of it, and send only where that is safe and still wanted."""
    provider = _provider(p, head)
    if head.settle_until is not None or heads.pending_of(head) is not None:
        if (until := _banned(p, head)) is not None:
            return commit(p, head, lambda h: _put_off(p, heads.unsent(h), "BANNED", until))
        found = look(p, w, head, provider)
        if not isinstance(found, Absent):
            return commit(p, head, lambda h: _found_or_unknown(p, heads.unsent(h), found))
    end = _end_without_sending(p, head, provider)
    if end is not None:
        return commit(p, head, end)
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
            return heads.refused(h, CANCELLED, now)
        if refusal:
            return _refused(p, h, refusal)
        return _flagged(p, h, "SALE_PERIOD_OVER")

    return end


def _after_issue(p: Ports, head: Head, outcome: Rejected | Unknown, found: LookUp | None) -> Head:
    """The order after an issue that was not a plain yes, and the look-up that followed it (None: none was made)."""
    now = p.now()
    if isinstance(found, Found):
        return _adopted(p, head, found)
    if isinstance(outcome, Unknown):
        return _look_again(p, head, outcome)
    answered = heads.unsent(head)
    if outcome.definite and outcome.reason in heads.LATER:
        due_at = now + _backoff(p, head)
        return _put_off(p, answered, outcome.cause, due_at, outcome, absent=isinstance(found, Absent))
    if outcome.definite:
        if not heads.settled(answered, now):
            return heads.refusal_pending(answered, outcome, now, (answered.settle_until or now) + 1)
        if isinstance(found, Absent) or (isinstance(found, Unknown) and found.cause == NOT_QUERYABLE):
            return _refused(p, answered, outcome)
        return heads.refusal_pending(answered, outcome, now, now + _backoff(p, head))  # could not be asked: ask later
    return _look_again(p, head, outcome)


def _found_or_unknown(p: Ports, head: Head, found: Found | Rejected | Unknown) -> Head:
    if isinstance(found, Found):
        return _adopted(p, head, found)
    if isinstance(found, Rejected):
        return heads.unknown(head, found, p.now(), p.now() + _backoff(p, head))
    if found.cause == NOT_QUERYABLE:
        return _flagged(p, head, NOT_QUERYABLE)
    return heads.unknown(head, found, p.now(), _due_after_unknown(p, head, found))


def _differences(p: Ports, head: Head, found: Found) -> list[adoption.Difference]:
    return adoption.differences(
        order_of(head),
        found,
        first_sent_at=_instant(head.first_sent_at or head.created_at),
        now=_instant(p.now()),
        skew=timedelta(seconds=p.timing.skew_s),
    )


def _adopted(p: Ports, head: Head, found: Found) -> Head:
    after = heads.adopted(head, found, _differences(p, head, found), p.now())
    p.observe("attention" if after.attention else "adopted", cause=after.attention.get("cause", ""), **heads.ids(head))
    return after


# --- void and reissue ----------------------------------------------------------------------------------------------


def send_void(p: Ports, w: Work, head: Head) -> Head:
    """Send the void (作廢) the stored intent allows; for a reissue, go on to the new invoice once it is definite."""
    until = _banned(p, head)
    if until is not None:
        return commit(p, head, lambda h: _held(h, until + 1))
    provider = _provider(p, head)
    issued_on = datetime.fromisoformat(head.issued_at).date()
    outcome = _called(p, w, head, lambda call: provider.void(head.number, issued_on, head.void_reason, call))
    if isinstance(outcome, Accepted):
        return _after_void(p, w, head)
    if isinstance(outcome, Rejected) and not outcome.sent:
        due_at = p.now() + p.timing.not_sent_retry_s
        return commit(p, head, lambda h: _held(h, due_at))
    if isinstance(outcome, Rejected) and outcome.definite:
        p.observe("void_refused", reason=outcome.reason.value, cause=outcome.cause, **heads.ids(head))
        if outcome.reason is Reason.FIX_CREDENTIALS:
            due_at = p.now() + _backoff(p, head)
            return commit(p, head, lambda h: heads.unknown(replace(h, quiet_until=None), outcome, p.now(), due_at))
        return commit(p, head, lambda h: _void_refused(p, h, outcome))
    found = look(p, w, head, provider) if _banned(p, head) is None else None
    if isinstance(found, Found) and found.void:
        return _after_void(p, w, head)
    return commit(p, head, lambda h: _look_again(p, h, outcome))


def _void_refused(p: Ports, head: Head, outcome: Rejected) -> Head:
    """The invoice lives on; where the merchant had cancelled the order, a person must find another way."""
    after = heads.void_refused(head, outcome, p.now())
    return _flagged(p, after, "CANCEL_REFUSED") if after.want else after


def resume_void(p: Ports, w: Work, head: Head) -> Head:
    """Go on with a void somebody began: the centre's state first; sent again only after the quiet time."""
    provider = _provider(p, head)
    if (until := _banned(p, head)) is not None:
        return commit(p, head, lambda h: _held(h, until + 1))
    found = look(p, w, head, provider)
    if isinstance(found, Found) and found.void:
        return _after_void(p, w, head)
    if not isinstance(found, Found):
        return commit(p, head, lambda h: _void_not_found(p, h, found))
    if head.sent_at is None:
        due_at = (head.quiet_until or p.now()) + 1
        return commit(p, head, lambda h: heads.unknown(h, Unknown("SETTLING"), p.now(), due_at))
    if head.state is State.REISSUING and (cause := _reason_to_stop(p, w, head, provider)):
        if cause == conditions.NUMBERS_UNKNOWN:
            return put_off_change(p, head)
        return withdraw(p, head, cause)
    if head.period < void.oldest_voidable_period(p.clock.now(), provider.profile):
        return commit(p, head, lambda h: _flagged(p, h, "VOID_WINDOW_CLOSED"))
    return send_void(p, w, head)


def _reason_to_stop(p: Ports, w: Work, head: Head, provider: Provider) -> str:
    """Why a reissue that was begun, and is proved to have changed nothing yet, should not go on; empty: go on."""
    try:
        conditions.check_begun(p, w, head, provider)
    except (Conflict, InvalidRequest) as refusal:
        return str(refusal)
    return ""


def _after_void(p: Ports, w: Work, head: Head) -> Head:
    """The void is definite. A reissue goes on with the next generation, unless the merchant cancelled meanwhile."""
    p.observe("voided", **heads.ids(head))
    if head.state is not State.REISSUING:
        return commit(p, head, lambda h: heads.voided(h, p.now()))

    centre, profile = _centre_for_next(p, head)
    still_open = head.period >= oldest_reissuable_period(p.clock.now(), profile)

    def step(h: Head) -> Head:
        if h.want:
            return heads.voided(h, p.now())
        if not still_open:
            return _flagged(p, heads.voided(h, p.now()), "VOIDED_CROSS_PERIOD")
        h = heads.logged(replace(h, voided_at=str(p.now())), p.now(), "voided", number=h.number)
        corrected = conditions.corrected_payload(h)
        return heads.next_generation(
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

    head = commit(p, head, step)
    return send_issue(p, w, head) if head.state is State.ISSUING else head


def _centre_for_next(p: Ports, head: Head) -> tuple[Centre, ProviderProfile]:
    """Where the next generation goes: the merchant's centre of now, or, if it may begin nothing new, the old one's."""
    try:
        return p.centres.current(head.key.merchant)
    except MerchantUnusable:
        if head.centre is None:
            raise
        return head.centre, p.centres.profile(head.key.merchant)


def withdraw(p: Ports, head: Head, cause: str) -> Head:
    """Take back a void or reissue that was begun and of which nothing was sent: the invoice is as it was."""
    return commit(p, head, lambda h: heads.withdrawn_intent(h, p.now(), cause))


def put_off_change(p: Ports, head: Head) -> Head:
    """Only time is in the way of a void or reissue of which nothing was sent: it is taken up again later."""
    due_at = p.now() + _backoff(p, head)
    return commit(p, head, lambda h: _held(h, due_at))


def _void_not_found(p: Ports, head: Head, found: Absent | Rejected | Unknown) -> Head:
    if isinstance(found, Unknown) and found.cause == NOT_QUERYABLE:
        return _flagged(p, head, NOT_QUERYABLE)
    due_at = p.now() + _backoff(p, head)
    if isinstance(found, Absent):  # a centre's look-up may be minutes behind its own answers
        found = Unknown("ISSUED_BUT_ABSENT")
        before = heads.times_unknown(head, found.cause)
        if before >= len(p.timing.look_again_s):
            return _flagged(p, head, found.cause)
        due_at = p.now() + p.timing.look_again_s[before]
    return heads.unknown(_held(head, due_at), found, p.now(), due_at)


def send_same_number(p: Ports, w: Work, head: Head) -> Head:
    """Send the withdrawal and re-issue under the same number (註銷重開) that the stored intent allows."""
    until = _banned(p, head)
    if until is not None:
        return commit(p, head, lambda h: _held(h, until + 1))
    provider = _provider(p, head)
    corrected = conditions.corrected_payload(head)
    issued_at = datetime.fromisoformat(head.issued_at)
    outcome = _called(
        p,
        w,
        head,
        lambda call: provider.reissue_same_number(
            payload.from_json(corrected), head.relate_number, head.number, issued_at, head.void_reason, call
        ),
    )
    if isinstance(outcome, Accepted):
        p.observe("reissued_same_number", **heads.ids(head))
        return commit(
            p, head, lambda h: heads.issued(replace(_with_next(h, corrected), quiet_until=None), outcome.value, p.now())
        )
    if isinstance(outcome, Rejected) and not outcome.sent:
        due_at = p.now() + p.timing.not_sent_retry_s
        return commit(p, head, lambda h: _held(h, due_at))
    if isinstance(outcome, Rejected) and outcome.definite and outcome.reason is not Reason.FIX_CREDENTIALS:
        p.observe("reissue_refused", reason=outcome.reason.value, cause=outcome.cause, **heads.ids(head))
        return commit(p, head, lambda h: heads.void_refused(h, outcome, p.now()))  # what was wanted is due then
    if _banned(p, head) is not None:
        return commit(p, head, lambda h: _look_again(p, h, outcome))
    found = look(p, w, head, provider)
    return commit(p, head, lambda h: _after_same_number(p, h, found, corrected) or _look_again(p, h, outcome))


def resume_same_number(p: Ports, w: Work, head: Head) -> Head:
    """Go on with a 註銷重開 somebody began: compare what the centre holds; sent again only after the quiet time."""
    provider = _provider(p, head)
    if (until := _banned(p, head)) is not None:
        return commit(p, head, lambda h: _held(h, until + 1))
    found = look(p, w, head, provider)
    corrected = conditions.corrected_payload(head)
    if isinstance(found, Found):
        after = _after_same_number(p, head, found, corrected)
        if after is not None:
            return commit(p, head, lambda h: _after_same_number(p, h, found, corrected) or h)
        if found.withdrawn or found.void:
            return commit(p, head, lambda h: _flagged(p, h, "WITHDRAWN_AT_CENTRE", theirs={"number": found.number}))
        if _differences(p, head, found):  # neither what was nor what should be: nothing is sent over it
            return commit(p, head, lambda h: _adopted(p, h, found))
    elif not isinstance(found, Absent):
        return commit(p, head, lambda h: _void_not_found(p, h, found))
    if head.sent_at is None:
        due_at = (head.quiet_until or p.now()) + 1
        return commit(p, head, lambda h: heads.unknown(h, Unknown("SETTLING"), p.now(), due_at))
    if cause := "ORDER_CANCELLED" if head.want else _reason_to_stop(p, w, head, provider):
        return withdraw(p, head, cause)
    return send_same_number(p, w, head)


def _after_same_number(p: Ports, head: Head, found: LookUp, corrected: Json) -> Head | None:
    """The head with the corrected content, if that is what the centre holds now."""
    if not isinstance(found, Found) or found.void or found.withdrawn:
        return None
    after = _with_next(head, corrected)
    return None if _differences(p, after, found) else _adopted(p, after, found)


def _with_next(head: Head, corrected: Json) -> Head:
    """The head with the re-issued content; what it replaces is kept as an entry of the past."""
    replaced = {**heads.past_of(head), "state": heads.REPLACED}
    return replace(head, payload=corrected, request_hash=payload.digest(corrected), past=[*head.past, replaced])


# --- shared --------------------------------------------------------------------------------------------------------


def look(p: Ports, w: Work, head: Head, provider: Provider) -> LookUp:
    """Ask the centre what it holds under our order number (查詢)."""
    if not provider.profile.queryable:
        return Unknown(NOT_QUERYABLE)
    _pace(p, head)
    call = p.call(w, p.timing.look_cap_s)
    if call is None:
        return Unknown("NO_TIME")
    found = provider.find(head.relate_number, call)
    if isinstance(found, Unknown) and found.retry_after_s is not None and head.centre is not None:
        p.breakers.open(head.key.merchant, head.centre.account, found.retry_after_s, found.cause)
    return found


def order_of(head: Head) -> Order:
    """The order content this head was claimed with."""
    return payload.from_json(head.payload)


def _called(p: Ports, w: Work, head: Head, send: Callable[[Call], Outcome[T]]) -> Outcome[T]:
    """One paced call inside the invocation's limits; a ban it met opens the breaker."""
    _pace(p, head)
    call = p.call(w, p.timing.provider_cap_s)
    if call is None:
        return NO_TIME
    outcome = send(call)
    if isinstance(outcome, Unknown) and outcome.retry_after_s is not None and head.centre is not None:
        p.breakers.open(head.key.merchant, head.centre.account, outcome.retry_after_s, outcome.cause)
    return outcome


def _look_again(p: Ports, head: Head, outcome: Rejected | Unknown) -> Head:
    """No answer: look again until there is one. An answer nobody can place: at +1, +5, +15 minutes, then a person."""
    p.observe("unknown", cause=outcome.cause, **heads.ids(head))
    if isinstance(outcome, Unknown) and not outcome.answered:
        return heads.unknown(head, outcome, p.now(), _due_after_unknown(p, head, outcome))
    before = heads.times_unknown(head, outcome.cause)
    if before >= len(p.timing.look_again_s):
        return _flagged(p, head, "UNPLACED_REFUSAL", theirs={"code": outcome.raw_code, "message": outcome.raw_message})
    return heads.unknown(head, outcome, p.now(), p.now() + p.timing.look_again_s[before])


def _put_off(
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


def _refused(p: Ports, head: Head, rejected: Rejected) -> Head:
    p.observe("refused", reason=rejected.reason.value, cause=rejected.cause, **heads.ids(head))
    return heads.refused(head, rejected, p.now())


def _held(head: Head, due_at: int) -> Head:
    """A void or same-number intent that in the end sent nothing: the next one may send, if this one was allowed to."""
    quiet_until = None if head.sent_at is not None else head.quiet_until
    return replace(heads.unsent(head), quiet_until=quiet_until, due_at=due_at, lease_until=0)


def _flagged(p: Ports, head: Head, cause: str, **values: Json) -> Head:
    p.observe("attention", cause=cause, **heads.ids(head))
    return heads.flagged(head, p.now(), cause, **values)


def _due_after_unknown(p: Ports, head: Head, outcome: Unknown) -> int:
    return p.now() + (outcome.retry_after_s or _backoff(p, head))


def _backoff(p: Ports, head: Head) -> int:
    return int(min(60 * 2 ** min(head.attempts, 10), p.timing.retry_cap_s))


def _banned(p: Ports, head: Head) -> int | None:
    if head.centre is None:
        return None
    return p.breakers.banned_until(head.key.merchant, head.centre.account)


def _pace(p: Ports, head: Head) -> None:
    if head.centre is not None:
        p.pace(head.key.merchant, head.centre.account)


def _provider(p: Ports, head: Head) -> Provider:
    if head.centre is None:
        raise AssertionError("a claimed order has a centre")
    return p.centres.pinned(head.key.merchant, head.centre)


def _instant(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)

"""Carrying an allowance out (折讓的送出): make one, ask the buyer for one, void one, take a question back.

No centre de-duplicates any of these. So the intent carries a quiet time, an answer that is no answer is followed by a
comparison with what the centre holds, and nothing is sent a second time before the quiet time is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from einvoice.application import allowances, filings, heads, sending
from einvoice.application.ports import Ports, Work
from einvoice.errors import Reason
from einvoice.identity import allowance_name
from einvoice.providers.base import (
    Accepted,
    Allowed,
    Asked,
    Call,
    Done,
    Found,
    FoundAllowance,
    Outcome,
    Provider,
    Rejected,
    Unknown,
)
from einvoice.rules.correction import void_deadline_of
from einvoice.store.base import Head

Step = Callable[[Head], Head]
ASKED_S = 72 * 3600  # how long a buyer has to click: ECPay developers page 15391


def send(p: Ports, w: Work, head: Head) -> Head:
    """Send what the stored intent allows, and commit what came of it."""
    until = sending.banned_until(p, head)
    if until is not None:
        return sending.commit(p, head, lambda h: sending.held(h, until + 1))
    provider = sending.provider_of(p, head)
    outcome = sending.called(p, w, head, _call(p, head, provider))
    if isinstance(outcome, Accepted):
        p.observe(_EVENTS[head.next["do"]], n=head.next["n"], **heads.ids(head))
        after = sending.commit(p, head, lambda h: _done(h, outcome.value, p.now()))
        if after.attention:  # done, and the centre says that another sum is left than we do
            p.observe("attention", cause=after.attention["cause"], **heads.ids(after))
        return after
    if isinstance(outcome, Rejected) and not outcome.sent:
        due_at = p.now() + p.timing.not_sent_retry_s
        return sending.commit(p, head, lambda h: sending.held(h, due_at))
    if isinstance(outcome, Rejected) and outcome.definite:
        return _refused(p, head, outcome)
    step = _compared(p, w, head, provider) if sending.banned_until(p, head) is None else None
    return sending.commit(p, head, step if step and _moves(step, head) else lambda h: sending.look_again(p, h, outcome))


def resume(p: Ports, w: Work, head: Head) -> Head:
    """Go on with an allowance somebody began: what the centre holds first; sent again only after the quiet time."""
    provider = sending.provider_of(p, head)
    if (until := sending.banned_until(p, head)) is not None:
        return sending.commit(p, head, lambda h: sending.held(h, until + 1))
    if not provider.profile.queryable:
        return sending.commit(p, head, lambda h: sending.flagged(p, h, sending.NOT_QUERYABLE))
    step = _compared(p, w, head, provider)
    if step is None:
        return sending.commit(p, head, lambda h: _unread(p, h))
    if _moves(step, head):
        return sending.commit(p, head, step)
    if head.sent_at is None:
        due_at = (head.quiet_until or p.now()) + 1
        return sending.commit(p, head, lambda h: heads.unknown(h, Unknown("SETTLING"), p.now(), due_at))
    if head.next["do"] == allowances.VOID and _void_closed(p, head, provider):
        return sending.commit(p, head, lambda h: allowances.withdrawn(h, p.now(), "ALLOWANCE_VOID_CLOSED"))
    return send(p, w, head)


def _void_closed(p: Ports, head: Head, provider: Provider) -> bool:
    """Whether the allowance's period was filed, or its cut-off passed, since its void was begun."""
    day = datetime.fromisoformat(allowances.in_work(head)["at"]).date()
    over = p.clock.now().replace(microsecond=0) > void_deadline_of(day, provider.profile)
    return over or filings.filed(p, head.key.merchant, day)


def _moves(step: Step, head: Head) -> bool:
    """Whether the comparison found what became of the work; otherwise nothing of it is there."""
    after = step(head)
    return after.state is not head.state or bool(after.attention)


def _unread(p: Ports, head: Head) -> Head:
    """The centre's books could not be read, or do not agree with themselves: look again, and do not send over it."""
    retry_at = p.now() + sending.backoff(p, head)
    held = sending.held(head, retry_at)
    return heads.unknown(held, Unknown("ALLOWANCES_UNKNOWN"), p.now(), retry_at)


def issued_on(head: Head) -> date:
    """The Taipei day of the current invoice."""
    return datetime.fromisoformat(head.issued_at).date()


def _call(p: Ports, head: Head, provider: Provider) -> Callable[[Call], Outcome[Any]]:
    """The one call the intent allows."""
    record = allowances.in_work(head)
    what = allowances.content(record)
    reason = record.get("void_reason", "")
    match head.next["do"]:
        case allowances.ALLOW:
            return partial(provider.allow, head.number, issued_on(head), what)
        case allowances.ASK:
            url = p.callback(head.key.merchant, allowance_name(head.relate_number, record["n"]))
            return partial(provider.ask_allowance, head.number, issued_on(head), what, url)
        case allowances.VOID:
            return partial(provider.void_allowance, head.number, record["number"], reason)
        case allowances.CANCEL_ASKED:
            return partial(provider.cancel_asked_allowance, head.number, record["number"], reason)
        case other:
            raise AssertionError(f"no such work: {other}")


_EVENTS = {
    allowances.ALLOW: "allowed",
    allowances.ASK: "allowance_asked",
    allowances.VOID: "allowance_voided",
    allowances.CANCEL_ASKED: "allowance_cancelled",
}


def _done(head: Head, value: Allowed | Asked | Done, now: int) -> Head:
    match value:
        case Allowed():
            return allowances.made(head, value, now)
        case Asked():
            return allowances.asked(head, value, now)
        case Done():
            return allowances.voided(head, now)


def _refused(p: Ports, head: Head, outcome: Rejected) -> Head:
    """Nothing was done. What is about keys or clocks says nothing of the allowance: it goes on once they are right."""
    p.observe("allowance_refused", reason=outcome.reason.value, cause=outcome.cause, **heads.ids(head))
    if outcome.reason in heads.NOT_ABOUT_IT:
        due_at = p.now() + sending.backoff(p, head)
        calm = replace(head, quiet_until=None)
        return sending.commit(p, calm, lambda h: heads.unknown(replace(h, quiet_until=None), outcome, p.now(), due_at))
    return sending.commit(p, head, lambda h: allowances.refused(h, outcome, p.now()))


def _compared(p: Ports, w: Work, head: Head, provider: Provider) -> Step | None:
    """What the centre's books make of the work under way, as a step for the head; None: they could not be read.

    A step that leaves the head as it is: nothing of the work is there. Only the list and what is left of the invoice
    together say so: a list may be behind, and an allowance that waits for the buyer is not on it.
    """
    if not provider.profile.queryable:
        return None
    listed = sending.called(
        p, w, head, lambda call: provider.find_allowances(head.number, issued_on(head), call), look=True
    )
    if not isinstance(listed, Accepted):
        return None
    do = head.next["do"]
    if do == allowances.VOID:
        return _after_void(p, head, listed.value)
    if do != allowances.CANCEL_ASKED and allowances.unknown_to(head, listed.value):
        return partial(_after_allow, p, listed.value)
    invoice = sending.look(p, w, head, provider)
    if not isinstance(invoice, Found):
        return None
    if do == allowances.ALLOW:
        return _unlisted(p, head, invoice.remaining_twd)
    if do == allowances.ASK:
        if invoice.remaining_twd not in _remainders(head) and _behind(p, head):
            return None
        return partial(_after_ask, p, invoice.remaining_twd)
    return partial(_after_cancel, p, listed.value, invoice.remaining_twd)


def _unlisted(p: Ports, head: Head, remaining_twd: int) -> Step | None:
    """The list shows no new allowance: believed where the sum is still there; None where it is gone."""
    _, without = _remainders(head)
    if remaining_twd == without:
        return lambda h: h
    if _behind(p, head):
        return None
    return lambda h: sending.flagged(
        p, h, "REMAINING_DIFFERS", ours={"remaining_twd": without}, theirs={"remaining_twd": remaining_twd}
    )


def _behind(p: Ports, head: Head) -> bool:
    """Whether books that do not agree may only be behind: inside the quiet time, and at the first looks after it."""
    return head.sent_at is None or heads.times_unknown(head, "ALLOWANCES_UNKNOWN") < len(p.timing.look_again_s)


def _remainders(head: Head) -> tuple[int, int]:
    """What is left of the invoice with the work under way done, and without it."""
    left = int(head.payload["total_twd"]) - head.allowed_twd
    return left, left + int(allowances.in_work(head)["amount_twd"])


def _after_allow(p: Ports, found: tuple[FoundAllowance, ...], head: Head) -> Head:
    """Adopt the one allowance that can only be ours; what cannot be told apart is a person's.

    Void ones of others take nothing from the invoice: a person who voids them leaves ours to be found.
    """
    now = p.now()
    matching = allowances.matching(head, found, skew_s=p.timing.skew_s, now=now)
    standing = [one for one in allowances.unknown_to(head, found) if one in matching or not one.void]
    theirs = [{"number": one.number, "amount_twd": one.total_twd} for one in standing]
    living = [one for one in standing if not one.void]
    if len(living) == 1 and living[0] in matching:
        (one,) = living
        p.observe("adopted", **heads.ids(head))
        document = Allowed(one.number, one.allowed_at)
        return allowances.made(head, document, now, event="allowance_adopted", upload=heads.believed(one.upload))
    if theirs:
        return sending.flagged(p, head, "FOREIGN_ALLOWANCE", theirs={"allowances": theirs[:20]})
    return head


def _after_ask(p: Ports, remaining_twd: int, head: Head) -> Head:
    """The sum is reserved: the buyer was asked. It is not: nobody was."""
    now = p.now()
    left, without = _remainders(head)
    if remaining_twd == left:
        return allowances.reserved(head, now + ASKED_S, now)  # a late packet begins its own time
    if remaining_twd == without:
        return head
    return sending.flagged(
        p, head, "REMAINING_DIFFERS", ours={"remaining_twd": without}, theirs={"remaining_twd": remaining_twd}
    )


def _after_void(p: Ports, head: Head, found: tuple[FoundAllowance, ...]) -> Step | None:
    """Void, or not; None where the list does not show the allowance at all: it may be behind its own answers."""
    number = allowances.in_work(head)["number"]
    theirs = next((one for one in found if one.number == number), None)
    if theirs is None and _behind(p, head):
        return None
    if theirs is None:
        return lambda h: sending.flagged(p, h, "ALLOWANCE_ABSENT", theirs={"number": number})
    return (lambda h: allowances.voided(h, p.now(), event="allowance_void_adopted")) if theirs.void else (lambda h: h)


def _after_cancel(p: Ports, found: tuple[FoundAllowance, ...], remaining_twd: int, head: Head) -> Head:
    """The buyer may have clicked meanwhile: then there is an allowance. The sum is free again: nobody is asked."""
    record = allowances.in_work(head)
    theirs = next((one for one in found if one.number == record["number"]), None)
    if theirs is not None:
        refusal = Rejected(Reason.ALREADY_DONE, "ALREADY_AGREED", definite=True)
        return allowances.agreed(allowances.refused(head, refusal, p.now()), record, theirs, p.now())
    _, without = _remainders(head)
    return allowances.voided(head, p.now()) if remaining_twd == without else head

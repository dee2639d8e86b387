"""Re-issue (再次開立): the old invoice void for certain first, then a new one; or the same number again (註銷重開).

Within the period only. Across periods the law wants an allowance (折讓) before the new invoice: refused with
USE_ALLOWANCE. Everything about the new invoice is checked before the old one is touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from einvoice.application import (
    answers,
    conditions,
    filings,
    generations,
    heads,
    issuing,
    payload,
    same_number,
    sending,
    voiding,
)
from einvoice.application.answers import Answer
from einvoice.application.plans import ended_by_refund
from einvoice.application.ports import Json, Ports, Work
from einvoice.application.recover import driven_on, void_intent
from einvoice.application.void import void_refusal
from einvoice.errors import Conflict, InvalidRequest, MerchantUnusable, Reason, StoreUnavailable
from einvoice.model import Centre, Order, OrderKey, ProviderProfile
from einvoice.rules import reissue as rules
from einvoice.rules import void as void_rules
from einvoice.rules.period import Period
from einvoice.rules.reissue import Cause
from einvoice.store.base import Guard, Head, State


@dataclass(frozen=True, slots=True)
class ReissueRequest:
    """A request to replace one generation: ``corrections`` are laid over the order's content, None removes a part.

    ``order_total_twd`` states the order's real amount where it is not that of the old invoice.
    """

    key: OrderKey
    generation: int
    reason: str
    corrections: Json = field(default_factory=dict)
    mode: str = "new_number"  # or same_number
    order_total_twd: int | None = None
    idempotency_key: str = ""
    keep: bool = False  # a queue has nobody to tell: where only time is in the way, the order keeps the work

    @property
    def conditions(self) -> Json:
        """What the conditions of a reissue are judged by, beside the content."""
        return {"mode": self.mode, "order_total_twd": self.order_total_twd}

    @property
    def body_hash(self) -> str:
        """What makes two requests the same."""
        return payload.digest([self.reason, self.corrections, self.mode, self.order_total_twd, self.generation])


def reissue(p: Ports, w: Work, request: ReissueRequest) -> Answer:
    """Replace the invoice, or answer what stands in the way.

    Raises InvalidRequest, NotFound, Conflict (USE_ALLOWANCE across periods, ADD_NUMBERS without numbers, WAIT near the
    end of a period), MerchantUnusable, StoreUnavailable (nothing was sent).
    """
    try:
        _, profile = p.centres.current(request.key.merchant)
    except MerchantUnusable as unusable:
        return _standing_at_least(p, request, unusable)
    violations = void_rules.check_reason(request.reason, profile)
    if violations:
        raise InvalidRequest(violations)
    if payload.stored_bytes(request.corrections) > payload.MAX_STORED_BYTES:
        raise InvalidRequest([payload.too_large("corrections")])
    if not request.corrections:
        return _without_corrections(p, w, request, profile)
    guard = Guard(
        states=(State.ISSUED,),
        generation=request.generation,
        period_from=rules.oldest_reissuable_period(p.clock.now(), profile),
        quiet_before=p.now(),
        allowances="never",  # what an allowance leaves to bill is the correction's to say
        factless=True,
        issued_from=filings.oldest_voidable_day(p, request.key.merchant, profile),
    )
    ok, head = p.store.begin(request.key, guard, _intent(p, w, request, profile))
    if not ok or head is None:
        return _in_the_way(p, w, request, answers.generation_of(head, request.generation), profile)
    return _begun(p, w, request, head)


def _begun(p: Ports, w: Work, request: ReissueRequest, head: Head) -> Answer:
    """The intent is stored: check what only the content and the centre can tell, then carry it out."""
    try:
        if _repeats(head, request):
            return Answer(voiding.withdraw(p, head, "ALREADY_DONE"), head.generation)
        conditions.check_begun(p, w, head, p.centres.pinned(head.key.merchant, _centre(head)))
    except (InvalidRequest, Conflict, MerchantUnusable) as refusal:
        cause = str(refusal)
        if request.keep and cause == conditions.NUMBERS_UNKNOWN:
            return Answer(voiding.put_off_change(p, head), request.generation)
        voiding.withdraw(p, head, cause)
        raise
    except StoreUnavailable:  # recovery will check again: whoever asks is not told that nothing happens
        p.observe("commit_failed", **heads.ids(head))
        return Answer(head, request.generation)
    send = same_number.send_same_number if request.mode == "same_number" else voiding.send_void
    return _told(sending.carried_out(p, head, lambda: send(p, w, head)), request)


def _standing_at_least(p: Ports, request: ReissueRequest, unusable: MerchantUnusable) -> Answer:
    """A merchant that may begin nothing new still hears what became of the reissue it began."""
    head = p.store.read(request.key)
    if head is None or request.generation > head.generation or not _was_begun(head, request):
        raise unusable
    return Answer(head, head.generation)


def _intent(p: Ports, w: Work, request: ReissueRequest, profile: ProviderProfile) -> dict[str, object]:
    intent = void_intent(p, w, request.reason, profile.settle_window_s)
    return intent | {
        "state": State.REISSUING,
        "next": {"corrections": request.corrections, **request.conditions},
        "keys.reissue": [request.idempotency_key, request.body_hash],
        "log": [{"at": p.now(), "event": "reissuing", "reason": request.reason, "mode": request.mode}],
    }


def _centre(head: Head) -> Centre:
    if head.centre is None:
        raise AssertionError("an issued order has a centre")
    return head.centre


def _repeats(head: Head, request: ReissueRequest) -> bool:
    """Whether this very request replaced a content of this number. Raises Conflict where its key is another one's."""
    made = [past for past in head.past if past.get("by")]
    for past in made:
        answers.check_pair(past["by"], request.idempotency_key, request.body_hash)
    mine = [request.idempotency_key, request.body_hash]
    return any(generations.same_wish(past["by"], mine) and past["generation"] == head.generation for past in made)


def _told(head: Head, request: ReissueRequest) -> Answer:
    last = head.log[-1] if head.log else {}
    if head.state is State.ISSUED and head.generation == request.generation and last.get("event") == "void_refused":
        raise void_refusal(last)
    done = head.state is State.ISSUED and (head.generation > request.generation or request.mode == "same_number")
    return Answer(head, head.generation, new=done)


def _without_corrections(p: Ports, w: Work, request: ReissueRequest, profile: ProviderProfile) -> Answer:
    """Issue again as it was: only where nothing lives. Read first, since nothing may be begun on a living invoice."""
    head = answers.generation_of(p.store.read(request.key), request.generation)
    if head.state is State.ISSUED and head.generation == request.generation:
        raise Conflict(
            Reason.ORDER_HAS_INVOICE,
            "ORDER_HAS_VALID_INVOICE",
            "這筆訂單已有有效發票，且沒有要更正的內容，不得重複開立。",
        )
    return _in_the_way(p, w, request, head, profile)


def _in_the_way(p: Ports, w: Work, request: ReissueRequest, head: Head, profile: ProviderProfile) -> Answer:
    """The old invoice is not simply living: go on, answer again, issue anew after a void, or refuse."""
    now = p.now()
    answers.check_key(head, "reissue", request.idempotency_key, request.body_hash)
    if _was_begun(head, request):
        if head.state in answers.PENDING and head.lease_until <= now and not head.attention:
            head = driven_on(p, w, head)
        return Answer(head, head.generation)
    if request.generation < head.generation:
        raise answers.old_generation()
    if head.attention:
        raise answers.needs_a_person()
    if head.want and head.state not in answers.PENDING:  # while a packet may still land nobody is told "no invoice"
        raise answers.cancelled()
    if head.planned:
        raise answers.correcting(head, now)
    if head.state is State.ISSUED:
        return _refuse_living(p, request, head, profile)
    if head.state not in (State.VOIDED, State.REFUSED):
        raise answers.in_flight(head, now)
    corrected = conditions.checked_content(p, head, request.corrections, profile)
    conditions.check_case(p, head, corrected, request.conditions, profile)
    if request.mode == "same_number":
        raise Conflict(
            Reason.FIX_REQUEST,
            "NO_NUMBER_TO_KEEP",
            "這張發票已作廢或未開立，沒有可以保留的號碼，請改以 new_number 再次開立。",
            status=422,
        )
    return _issue_anew(p, w, request, head, corrected)


def _was_begun(head: Head, request: ReissueRequest) -> bool:
    """Whether what stands, or stood, came of this very request."""
    same = head.keys.get("reissue", ["", ""])[1] == request.body_hash
    return _repeats(head, request) or (same and _begun_by_it(head, request))


def _begun_by_it(head: Head, request: ReissueRequest) -> bool:
    """Whether a request with the stored body brought about what stands: a repeat of it is no new wish."""
    return head.generation > request.generation or head.state in (State.REISSUING, State.VOIDED)


def _refuse_living(p: Ports, request: ReissueRequest, head: Head, profile: ProviderProfile) -> Answer:
    """The guard refused a living invoice: another period, or a packet of an earlier change may still land."""
    corrected = conditions.checked_content(p, head, request.corrections, profile)
    conditions.check_case(p, head, corrected, request.conditions, profile)
    if head.facts:
        raise answers.facts_recorded()
    if head.issued_at < filings.oldest_voidable_day(p, request.key.merchant, profile):
        cause = Cause.CROSS_PERIOD  # its month was filed, or the centre closed it
        raise Conflict(cause.reason, cause.name, cause.sentence, status=422)
    if head.had_allowance:
        cause = Cause.HAS_ALLOWANCES
        raise Conflict(cause.reason, cause.name, cause.sentence, status=422)
    raise answers.in_flight(head, p.now())


def _issue_anew(p: Ports, w: Work, request: ReissueRequest, head: Head, corrected: Order) -> Answer:
    """Nothing lives: a voided order gets its next generation, a refused one is sent again under its order number."""
    if ended_by_refund(head):
        raise answers.fully_refunded()
    conditions.check_room(head)
    content = payload.to_json(corrected)
    keys = {**head.keys, "reissue": [request.idempotency_key, request.body_hash]}
    after = _anew(p, w, replace(head, keys=keys), content)
    after = replace(after, ver=head.ver + 1, write_id=p.token(), updated_at=p.now())
    standing = p.store.replace(after)
    if standing is not None:
        raise answers.in_flight(standing, p.now())
    done = sending.carried_out(p, after, lambda: issuing.send_issue(p, w, after))
    return Answer(done, done.generation, new=done.state is State.ISSUED)


def _anew(p: Ports, w: Work, head: Head, content: Json) -> Head:
    request_hash = payload.digest(content)
    centre, _ = p.centres.current(head.key.merchant)
    if head.state is State.REFUSED:
        never_sent = head.first_sent_at is None
        return generations.resent(
            replace(head, centre=centre) if never_sent else head,
            payload=content,
            request_hash=request_hash,
            op=p.token(),
            now=p.now(),
            lease_s=w.lease_s,
        )
    return generations.next_generation(
        head,
        p.stage,
        payload=content,
        request_hash=request_hash,
        centre=centre,
        sold_period=Period.of(p.clock.now()).key,
        op=p.token(),
        now=p.now(),
        lease_s=w.lease_s,
    )

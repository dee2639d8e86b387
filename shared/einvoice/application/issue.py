"""Issue (開立): one order, one invoice, however often and however concurrently it is asked for.

Check every rule, claim the order with one conditional write, send, record. What already stands is answered, driven on
where its worker died, or is in the way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from einvoice.application import answers, claims, generations, heads, issuing, payload, sending
from einvoice.application.answers import Answer
from einvoice.application.ports import Ports, Work
from einvoice.application.recover import driven_on
from einvoice.errors import Conflict, InvalidRequest, MerchantUnusable, Reason, Violation
from einvoice.model import Order, OrderKey, ProviderProfile
from einvoice.rules import issue as rules
from einvoice.rules.normalise import normalise
from einvoice.rules.period import TAIPEI, Period
from einvoice.store.base import Head, State

MAX_TRIED = 40
MAX_WORDS = 2000


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """A request to issue; ``late_reason`` is a person's reason to issue after the sale's period has ended.

    ``keep``: a queue has nobody to tell, so an order that only a person may go on with is kept for one.
    """

    key: OrderKey
    order: Order
    idempotency_key: str = ""
    late_reason: str = ""
    keep: bool = False


def issue(p: Ports, w: Work, request: IssueRequest) -> Answer:
    """Issue the order's invoice, or answer what already stands.

    Raises InvalidRequest (every violation), Conflict, MerchantUnusable, StoreUnavailable (nothing was stored or sent).
    """
    order = normalise(request.order)
    content = payload.to_json(order)
    try:
        centre, profile = p.centres.current(request.key.merchant)
        p.centres.pinned(request.key.merchant, centre)  # unusable credentials are told before anything is stored
    except MerchantUnusable as unusable:
        return _standing_at_least(p, request, payload.digest(content), unusable)
    refusal = _refusal(p, request, order, profile)
    wanted = claims.claimed(
        p.stage,
        request.key,
        payload=content,
        request_hash=payload.digest(content),
        idempotency_key=request.idempotency_key,
        centre=centre,
        sold_period=Period.of(p.clock.now()).key,  # the sale's own, or that of a person's late reason
        op=p.token(),
        write_id=p.token(),
        now=p.now(),
        lease_s=w.lease_s,
    )
    if request.late_reason:
        wanted = heads.logged(wanted, p.now(), "late", reason=request.late_reason)
    standing = p.store.read(request.key) if refusal else p.store.create(wanted)
    if refusal and (standing is None or not _answers(standing, wanted, refusal)):
        if request.keep and standing is None and isinstance(refusal, Conflict):
            return _kept_for_a_person(p, wanted)
        raise refusal
    if standing is not None:
        return _repeated(p, w, standing, wanted, late=bool(request.late_reason), refusal=refusal)
    return _carried_out(p, w, wanted)


def _standing_at_least(p: Ports, request: IssueRequest, body_hash: str, unusable: MerchantUnusable) -> Answer:
    """A merchant that may begin nothing new still hears of what it began: its invoice may live."""
    standing = p.store.read(request.key)
    if standing is None or body_hash not in {standing.request_hash, *_tried(standing)}:
        raise unusable
    answers.check_key(standing, "issue", request.idempotency_key, body_hash)
    return Answer(standing, standing.generation)


def refused_by_rules(p: Ports, request: IssueRequest, violations: list[Violation]) -> None:
    """Keep a queue's order that the rules refused, so that its log says why; a corrected request may follow."""
    content = payload.to_json(request.order)
    head = claims.against_the_rules(
        p.stage,
        request.key,
        payload=content,
        request_hash=payload.digest(content),
        idempotency_key=request.idempotency_key,
        sold_period=Period.of(p.clock.now()).key,
        refusal={
            "reason": Reason.FIX_REQUEST.value,
            "cause": "RULES",
            "raw_code": " ".join(sorted({v.code for v in violations})),
            "raw_message": "；".join(f"{v.path} {v.message}" for v in violations)[:MAX_WORDS],
        },
        token=p.token(),
        now=p.now(),
    )
    p.observe("refused", reason=Reason.FIX_REQUEST.value, cause="RULES", **heads.ids(head))
    standing = p.store.create(head)
    if standing is not None:
        p.observe("queue_refused", cause="RULES", **heads.ids(standing))


def _kept_for_a_person(p: Ports, wanted: Head) -> Answer:
    """An order that came after its sale's period: flagged before anything was sent, so that it is not forgotten."""
    sold_on = date.fromisoformat(str(wanted.payload["sold_on"]))
    unsent = replace(wanted, state=State.WAITING, first_sent_at=None, sent_at=None)
    head = heads.flagged(replace(unsent, sold_period=Period.of_day(sold_on).key), p.now(), "SALE_PERIOD_OVER")
    standing = p.store.create(head)
    if standing is None:
        p.observe("attention", cause="SALE_PERIOD_OVER", **heads.ids(head))
    return Answer(standing or head, head.generation)


def _refusal(
    p: Ports, request: IssueRequest, order: Order, profile: ProviderProfile
) -> InvalidRequest | Conflict | None:
    """Why the (normalised) order may not be issued today: every violation at once, or its period; None: it may."""
    now = p.clock.now()
    violations = rules.check(order, on=now.astimezone(TAIPEI).date(), profile=profile) + payload.check_size(order)
    if violations:
        return InvalidRequest(violations)
    sold_on = date.fromisoformat(order.sold_on) if order.sold_on else None
    if sold_on is None or request.late_reason or Period.of_day(sold_on) == Period.of(now):
        return None
    return _period_over()


def _period_over() -> Conflict:
    return Conflict(
        Reason.ASK_A_PERSON,
        "SALE_PERIOD_OVER",
        "銷售日所屬的發票期別已經結束，補開屬逾期開立：請由人員確認（並向國稅局說明）後，附上 late_reason 再送出。",
        status=422,
    )


def _answers(standing: Head, wanted: Head, refusal: InvalidRequest | Conflict) -> bool:
    """Whether what stands is the answer, though the request may not be issued today: its invoice may live already."""
    return isinstance(refusal, Conflict) or wanted.request_hash in {standing.request_hash, *_tried(standing)}


def _carried_out(p: Ports, w: Work, claimed: Head) -> Answer:
    head = sending.carried_out(p, claimed, lambda: issuing.send_issue(p, w, claimed))
    return Answer(head, head.generation, new=head.state is State.ISSUED)


def _repeated(
    p: Ports, w: Work, standing: Head, wanted: Head, *, late: bool, refusal: InvalidRequest | Conflict | None
) -> Answer:
    """The order is in the ledger already: the same request drives it on or is answered, another one is refused."""
    idempotency_key, body_hash = wanted.keys["issue"]
    answers.check_key(standing, "issue", idempotency_key, body_hash)
    if standing.state is State.WANTED or standing.cause == "ORDER_CANCELLED":
        raise answers.cancelled()
    now = p.now()
    released_late = late and standing.attention.get("cause") == "SALE_PERIOD_OVER"
    same = standing.request_hash == body_hash
    if standing.attention and not released_late:
        if same:
            return Answer(standing, standing.generation)
        raise answers.other_body()
    stale = not same and body_hash in _tried(standing)  # a late repeat of an older request is no new wish
    first = (standing.generation == 1 or late) and standing.state in (State.REFUSED, State.WAITING)
    if ((first and heads.settled(standing, now)) or released_late) and not stale and standing.lease_until <= now:
        if standing.want:
            raise answers.cancelled()
        if refusal:
            raise refusal
        if standing.sold_period not in ("", wanted.sold_period) and not late:  # the sale is of an ended period
            raise _period_over()
        return _sent_again(p, w, standing, wanted, late=late)
    if not same and not stale:
        raise answers.other_body()
    if standing.state in answers.PENDING and standing.lease_until <= now:
        return Answer(driven_on(p, w, standing), standing.generation)
    return Answer(standing, standing.generation)


def _sent_again(p: Ports, w: Work, standing: Head, wanted: Head, *, late: bool) -> Answer:
    """Nothing lives and nothing can arrive: the same or a corrected content goes out under the same order number."""
    head = generations.resent(
        standing,
        payload=wanted.payload,
        request_hash=wanted.request_hash,
        op=p.token(),
        now=p.now(),
        lease_s=w.lease_s,
    )
    head = replace(
        head,
        ver=standing.ver + 1,
        write_id=p.token(),
        updated_at=p.now(),
        keys={**standing.keys, **wanted.keys, "tried": _tried_too(standing, wanted.request_hash)},
        relate_number=standing.relate_number or wanted.relate_number,
        centre=wanted.centre if standing.first_sent_at is None else standing.centre,
        sold_period=wanted.sold_period if late or standing.generation == 1 else standing.sold_period,
    )
    overtaken = p.store.replace(head)
    if overtaken is not None:
        return Answer(overtaken, overtaken.generation)
    return _carried_out(p, w, head)


def _tried(head: Head) -> list[str]:
    """The hashes of every content that was ever sent for this order by an issue request, oldest first."""
    return head.keys.get("tried") or [head.keys.get("issue", ["", ""])[1]]


def _tried_too(head: Head, request_hash: str) -> list[str]:
    """The same with one more; a content sent again takes no second place, so that repeats push no other one out."""
    return [*(tried for tried in _tried(head) if tried != request_hash), request_hash][-MAX_TRIED:]

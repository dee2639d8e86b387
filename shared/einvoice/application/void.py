"""Void (作廢): one conditional write that says so, one call, one write of what came of it.

A whole invoice only, until the period's cut-off. A partial refund is an allowance (折讓), never a void.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from einvoice.application import answers, claims, filings, heads, payload, plans, sending, voiding
from einvoice.application.answers import Answer
from einvoice.application.correct import CorrectionRequest, correct
from einvoice.application.ports import Ports, Work
from einvoice.application.recover import driven_on, void_intent
from einvoice.errors import Conflict, InvalidRequest, NotFound, Reason
from einvoice.model import OrderKey, ProviderProfile
from einvoice.rules import void as rules
from einvoice.store.base import Guard, Head, State

#: what stands in the way of a void, and not in that of a correction
PLANNED_INSTEAD = frozenset(
    {"CORRECTION_IN_PROGRESS", "LIVING_ALLOWANCE", "HISTORY", "VOID_WINDOW_CLOSED", "FACTS_RECORDED"}
)


@dataclass(frozen=True, slots=True)
class VoidRequest:
    """A request to void one generation of an order's invoice; ``generation`` 0 means the one that lives."""

    key: OrderKey
    generation: int
    reason: str
    idempotency_key: str = ""


def void(p: Ports, w: Work, request: VoidRequest) -> Answer:
    """Void the invoice, or answer what stands in the way.

    Raises InvalidRequest, NotFound, Conflict (an order still on its way: 409 and Retry-After), MerchantUnusable,
    StoreUnavailable (nothing was sent).
    """
    profile = p.centres.profile(request.key.merchant)
    violations = rules.check_reason(request.reason, profile)
    if violations:
        raise InvalidRequest(violations)
    oldest = filings.oldest_voidable_day(p, request.key.merchant, profile)
    guard = Guard(
        states=(State.ISSUED,),
        generation=request.generation,
        issued_from=oldest,
        quiet_before=p.now(),
        allowances="no_living" if profile.history == "void_allowances_first" else "never",
        factless=True,  # what people recorded may forbid a void: the correction engine reads it
    )
    body_hash = payload.digest({"reason": request.reason})
    intent = void_intent(p, w, request.reason, profile.settle_window_s)
    intent["keys.void"] = [request.idempotency_key, body_hash]
    ok, head = p.store.begin(request.key, guard, intent)
    if not ok or head is None:
        return _in_the_way(p, w, request, head, profile, oldest=oldest, body_hash=body_hash)
    begun = head
    return _told(sending.carried_out(p, begun, lambda: voiding.send_void(p, w, begun)), request.generation)


def _told(head: Head, generation: int) -> Answer:
    """A void that was refused for certain is told so; everything else is an answer."""
    last = head.log[-1] if head.log else {}
    if head.state is State.ISSUED and head.generation == generation and last.get("event") == "void_refused":
        raise void_refusal(last)
    return Answer(head, generation, new=head.state is State.VOIDED)


def void_refusal(entry: dict[str, object]) -> Conflict:
    """422: the centre definitely refused; the invoice is as it was."""
    reason = Reason(str(entry["reason"]))
    message = f"加值中心拒絕作廢，發票仍然有效：{entry.get('raw_message') or entry.get('cause')}"
    return Conflict(reason, str(entry["cause"]), message, status=422)


def _in_the_way(  # noqa: PLR0913 — what is known by then, each part by its name
    p: Ports, w: Work, request: VoidRequest, head: Head | None, profile: ProviderProfile, *, oldest: str, body_hash: str
) -> Answer:
    """Explain from what stands there, without a further read."""
    now = p.now()
    head = answers.generation_of(head, request.generation)
    if request.generation < head.generation:
        return Answer(head, request.generation)  # replaced: voided then, and answered as it is kept
    answers.check_key(head, "void", request.idempotency_key, body_hash)
    if head.state is State.VOIDED:
        return Answer(head, request.generation)
    if head.attention:
        raise answers.needs_a_person()
    if head.state is State.VOIDING:
        if head.lease_until <= now:
            return _told(driven_on(p, w, head), request.generation)
        return Answer(head, request.generation)
    if head.state is State.REFUSED:
        raise Conflict(Reason.ALREADY_DONE, "NOTHING_TO_VOID", "這筆訂單沒有已開立的發票，無需作廢。")
    if head.planned:
        raise answers.correcting(head, now)
    if head.state is State.ISSUED:
        _refuse_living(head, oldest, profile)
    raise answers.in_flight(head, now)


def _refuse_living(head: Head, oldest: str, profile: ProviderProfile) -> None:
    """Why a living invoice cannot be void now. Raises Conflict; falls through where only time is in the way."""
    if head.issued_at < oldest:
        raise Conflict(
            Reason.USE_ALLOWANCE,
            "VOID_WINDOW_CLOSED",
            "這張發票所屬期別已申報或已過作廢期限，不能作廢，請改開立折讓（更正功能會選擇合法的方式）。",
            status=422,
        )
    if head.facts:
        raise answers.facts_recorded()
    if head.allowed_twd and profile.history == "void_allowances_first":
        raise Conflict(
            Reason.VOID_ALLOWANCES_FIRST,
            "LIVING_ALLOWANCE",
            "這張發票已有折讓單，不能直接作廢；請使用更正功能，由系統選擇合法的方式。",
            status=422,
        )
    if head.allowed_twd or (head.had_allowance and profile.history != "void_allowances_first"):
        raise Conflict(
            Reason.USE_ALLOWANCE,
            "HISTORY",
            "這張發票曾開立折讓單，依設定不再作廢，請改以折讓處理（更正功能會選擇合法的方式）。",
            status=422,
        )


def cancel(p: Ports, w: Work, request: VoidRequest) -> Answer:
    """The void a queue or platform asks for: what cannot be done yet is stored as a wish and done later."""
    if request.generation:
        return _cancelled(p, w, request)
    standing = p.store.read(request.key)
    answer = _cancelled(p, w, replace(request, generation=standing.generation if standing else 1))
    if answer.head.generation > answer.generation:  # replaced since we read: the one that lives now is meant
        raise answers.in_flight(answer.head, p.now())
    return answer


def _cancelled(p: Ports, w: Work, request: VoidRequest) -> Answer:
    try:
        return void(p, w, request)
    except NotFound:
        return _tombstone(p, request)
    except Conflict as conflict:
        if conflict.cause in PLANNED_INSTEAD:
            return _planned(p, w, request)
        if conflict.cause not in {"ORDER_IN_PROGRESS", "ATTENTION"}:
            raise
        return _wished(p, request, conflict)


def _planned(p: Ports, w: Work, request: VoidRequest) -> Answer:
    """A void is not the lawful way, or not yet: the rules find the one that is, and it is carried through."""
    wanted = CorrectionRequest(
        request.key,
        plans.CANCEL,
        request.reason,
        generation=request.generation,
        idempotency_key=request.idempotency_key,
        by="queue",
        keep=True,
    )
    return Answer(correct(p, w, wanted).head, request.generation)


def _wish(p: Ports, request: VoidRequest) -> dict[str, object]:
    return {"kind": "cancelled", "reason": request.reason, "at": p.now()}


def _tombstone(p: Ports, request: VoidRequest) -> Answer:
    head = claims.tombstone(request.key, _wish(p, request), op=p.token(), write_id=p.token(), now=p.now())
    standing = p.store.create(head)
    if standing is None:
        p.observe("cancelled_before_claim", **heads.ids(head))
        return Answer(head, 1)
    if standing.state is State.WANTED:
        return Answer(standing, standing.generation)
    if request.generation > standing.generation:
        raise NotFound
    return _wished(p, request)


def _wished(p: Ports, request: VoidRequest, conflict: Conflict | None = None) -> Answer:
    """Store the wish on an order in flight, or whose issue waits for a person. It is acted on before anything else."""
    now = p.now()
    states = (State.ISSUING, State.WAITING, State.REISSUING, State.ALLOWING)
    guard = Guard(states=states, generation=request.generation, calm=False)
    change = {
        "want": _wish(p, request),
        "write_id": p.token(),
        "updated_at": now,
        "log": [{"at": now, "event": "wanted", "kind": "cancelled"}],
    }
    ok, head = p.store.begin(request.key, guard, change)
    if head is None:
        raise NotFound
    if not ok:  # it moved on meanwhile: the void meets a state it can act on, or the message comes again
        raise conflict or answers.in_flight(head, now)
    p.observe("want_stored", **heads.ids(head))
    return Answer(head, request.generation)

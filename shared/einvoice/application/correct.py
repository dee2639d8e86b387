"""Corrections (更正): what the merchant wants in the end, the lawful way there, and its execution.

``preview`` only says what would be done. ``correct`` stores the goal as a plan on the order and carries it as far as it
goes now; what must wait, for the ministry, a buyer or a person, goes on by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from einvoice.application import allowances, answers, deciding, evidence, heads, payload, planning, plans, sending
from einvoice.application.plans import Plan
from einvoice.application.ports import Json, Ports, Work
from einvoice.application.recover import driven_on
from einvoice.application.room import room_for
from einvoice.errors import Conflict, InvalidRequest, NotFound, Reason, Violation
from einvoice.model import OrderKey
from einvoice.rules import buyer as buyer_rules
from einvoice.rules import void as void_rules
from einvoice.rules.correction import Decision, Do
from einvoice.store.base import Head, State

TRIES = 5  # how often a plan may meet another change of the order while it is being stored


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """What is wanted of an order's invoice; ``generation`` 0 means the one that lives.

    ``wanted`` says what a refund takes (see ``deciding.wanted_of``), ``corrections`` what a corrected invoice says
    otherwise, ``n`` which allowance is to be void. ``only``: an allowance, also where a void were possible.
    ``online``: the address at which the buyer is asked. ``evidence``: facts recorded with the request.
    ``keep``: a queue has nobody to tell; what waits for a person is kept for one.
    """

    key: OrderKey
    goal: str
    reason: str
    generation: int = 0
    wanted: Json = field(default_factory=dict)
    refund_id: str = ""
    corrections: Json = field(default_factory=dict)
    order_total_twd: int | None = None
    mode: str = "new_number"  # or same_number
    only: bool = False
    online: str = ""
    n: int = 0
    evidence: Json = field(default_factory=dict)
    idempotency_key: str = ""
    by: str = ""  # who asks: the id of the key that was used
    keep: bool = False

    @property
    def body_hash(self) -> str:
        """What makes two requests the same; evidence may be given later and changes nothing of it."""
        wish = [self.goal, self.reason, self.wanted, self.refund_id, self.corrections, self.order_total_twd]
        return payload.digest([*wish, self.mode, self.only, self.online, self.n, self.generation])

    @property
    def facts(self) -> Json:
        """What the evidence says of the order; a consent is about this change, and is kept with its plan."""
        return {name: fact for name, fact in self.evidence.items() if name != "consent"}

    def plan(self, head: Head, now: int) -> Plan:
        """The plan this request makes."""
        values: Plan = {
            "goal": self.goal,
            "reason": self.reason,
            "by": [self.idempotency_key, self.body_hash],
            "at": now,
            "generation": head.generation,
            "wanted": self.wanted,
            "refund_id": self.refund_id,
            "corrections": self.corrections,
            "order_total_twd": self.order_total_twd,
            "mode": self.mode if self.goal == plans.CORRECT else "",
            "only": self.only,
            "online": self.online,
            "n": self.n,
            "consent": evidence.dated(self.evidence.get("consent"), by=self.by, now=now),  # to this change only
        }
        return {name: value for name, value in values.items() if value or name == "wanted"}


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of a correction: the order, the plan as it stands now, and whether this request made it."""

    head: Head
    plan: Plan
    new: bool = False


def preview(p: Ports, w: Work, request: CorrectionRequest) -> Decision:
    """What would be done now. Changes nothing. Raises as ``correct`` does, but for what the rules merely refuse."""
    head = _standing(p, request)
    _check(p, head, request)
    now = p.now()
    head = evidence.laid_on(head, request.facts, by=request.by, now=now)
    return deciding.decided(p, w, head, request.plan(head, now) | {"id": 0})


def correct(p: Ports, w: Work, request: CorrectionRequest) -> Corrected:
    """Store the goal and carry it as far as it goes.

    Raises InvalidRequest, NotFound, Conflict (what the rules refuse, or leave to a person), MerchantUnusable,
    StoreUnavailable (nothing was sent).
    """
    for last in (*[False] * (TRIES - 1), True):
        head = _standing(p, request)
        _check(p, head, request)
        by = [request.idempotency_key, request.body_hash]
        earlier = plans.made_before(head, refund_id=request.refund_id, by=by)
        if earlier is not None and not _may_begin_again(head, earlier, by):
            return _repeated(p, w, head, earlier, request)
        _check_room(head, request)
        after, send = _planned(p, w, head, request)
        standing = p.store.replace(after)
        if standing is None:
            return _carried_out(p, w, after, send, ours=after.op != head.op)
        if last:
            raise answers.in_flight(standing, p.now())
    raise AssertionError("the last try answers")


def _standing(p: Ports, request: CorrectionRequest) -> Head:
    """The order, with the invoice the request is about. Raises NotFound, Conflict for one that was replaced."""
    head = p.store.read(request.key)
    if head is None or request.generation > head.generation:
        raise NotFound
    if request.goal == plans.VOID_ALLOWANCE:
        if allowances.numbered(head, request.n) is None:
            raise NotFound
    elif request.generation and request.generation < head.generation:
        raise answers.old_generation()
    return head


def _check(p: Ports, head: Head, request: CorrectionRequest) -> None:
    """Everything about the request itself that can be wrong. Raises InvalidRequest, Conflict."""
    cancelled = head.state is State.WANTED or head.want or head.cause == "ORDER_CANCELLED"
    if cancelled and request.goal != plans.CANCEL:
        raise answers.cancelled()
    profile = deciding.profile_of(p, head)
    violations = void_rules.check_reason(request.reason, profile)
    if payload.stored_bytes(request.corrections) > payload.MAX_STORED_BYTES:
        violations.append(payload.too_large("corrections"))
    if request.online and not profile.online_allowances:
        violations.append(Violation("ONLINE_NOT_OFFERED", "online_email", "加值中心不提供線上折讓，請改用一般折讓。"))
    violations += buyer_rules.check_email(request.online, "online_email", profile)
    if violations:
        raise InvalidRequest(violations)


def _check_room(head: Head, request: CorrectionRequest) -> None:
    """Whether the order takes one more plan; asked only of a new one, or a repeat would be told that it failed."""
    if not room_for(head, request.goal, [request.corrections, request.wanted]):
        message = "這筆訂單的更正或折讓次數過多，請由人員確認後處理。"
        raise Conflict(Reason.ASK_A_PERSON, "TOO_MANY_CORRECTIONS", message, status=422)


def _planned(
    p: Ports, w: Work, head: Head, request: CorrectionRequest
) -> tuple[Head, planning.Send | None]:
    """The head with the new plan and, where nobody is at work on the order, its first step and what sends that.

    Raises Conflict for what the rules refuse.
    """
    now = p.now()
    ready = _ready(head, request)
    after = evidence.laid_on(ready, request.facts, by=request.by, now=now)
    if request.goal == plans.CANCEL:
        after = plans.superseded(after, now)
    plan = request.plan(head, now)
    if ready.attention or ready.state in answers.PENDING or after.planned or ready.lease_until > now:
        return _written(p, head, _queued(_with(after, plan, request, now), request, now)), None
    try:
        decision = deciding.decided(p, w, after, plan | {"id": 0})
    except InvalidRequest as invalid:  # readable, and against the rules: a queue has nobody else to tell
        if not request.keep:
            raise
        return _kept_for_a_person(p, head, request, str(invalid)), None
    if decision.do in (Do.REFUSE, Do.REVIEW):
        return _refused(p, w, head, request, decision)
    if decision.do is Do.NOTHING and request.goal == plans.CANCEL and head.state is State.REFUSED:
        after = replace(after, want=_cancelled(request, now))  # nothing may be issued from now on
    if decision.do is Do.NOTHING and request.goal != plans.CANCEL:
        after = replace(after, attention=head.attention)  # it mends nothing: what is half done still is
    after = replace(after, op=p.token(), lease_until=now + w.lease_s, due_at=now + w.lease_s)
    after = _with(after, plan, request, now)
    step, send = planning.move(p, w, after, after.plans[-1], decision)  # the goal and its first intent are one write
    return _written(p, head, sending.watched(p, step(after))), send


def _ready(head: Head, request: CorrectionRequest) -> Head:
    """The head as a new plan finds it: a half-done correction is taken up by it. Raises Conflict for another flag."""
    if head.attention.get("cause") == plans.HALF_DONE:
        return replace(head, attention={})
    if head.attention and not request.keep:
        raise answers.needs_a_person()
    return head


def _with(head: Head, plan: Plan, request: CorrectionRequest, now: int) -> Head:
    """The head with the plan, told of in its log, and the consent that came with it."""
    head = heads.logged(plans.added(head, plan), now, "planned", goal=request.goal, reason=request.reason)
    if not plan.get("consent"):
        return head
    return heads.logged(head, now, "fact", fact="consent", by=request.by, note=plan["consent"].get("note", ""))


def _queued(head: Head, request: CorrectionRequest, now: int) -> Head:
    """The plan's turn comes later: after the work under way, or what waited for evidence, which may be there now."""
    if request.goal == plans.CANCEL and head.state in (State.ISSUING, State.WAITING, State.REISSUING):
        return replace(head, want=_cancelled(request, now))
    waits = head.state not in answers.PENDING and head.due_at is None and not head.attention
    return replace(head, due_at=now) if waits else head


def _written(p: Ports, before: Head, after: Head) -> Head:
    """The head as it is written over ``before``."""
    return replace(after, ver=before.ver + 1, write_id=p.token(), updated_at=p.now())


def _cancelled(request: CorrectionRequest, now: int) -> Json:
    return {"kind": "cancelled", "reason": request.reason, "at": now}


def _refused(
    p: Ports, w: Work, head: Head, request: CorrectionRequest, decision: Decision
) -> tuple[Head, planning.Send | None]:
    """What the rules refuse: told, or for a queue, which has nobody to tell, kept in the order's log.

    What was recorded with the request is kept in any case: it may be just what forbids the change. Raises Conflict.
    """
    if request.keep:
        return _kept_for_a_person(p, head, request, decision.cause, decision=deciding.told(decision)), None
    if request.facts:
        evidence.record(p, w, head.key, request.facts, by=request.by)
    raise refusal(decision)


def _kept_for_a_person(p: Ports, head: Head, request: CorrectionRequest, cause: str, **values: Json) -> Head:
    """The head with the plan, stopped as soon as it was made: the order's log and its corrections say why."""
    now = p.now()
    p.observe("correction_stopped", cause=cause, **heads.ids(head))
    after = plans.added(evidence.laid_on(head, request.facts, by=request.by, now=now), request.plan(head, now))
    after = plans.ended(after, after.plans[-1], plans.STOPPED, now, cause=cause, **values)
    return _written(p, head, heads.logged(after, now, "correction_stopped", cause=cause))


def refusal(decision: Decision) -> Conflict:
    """What the rules refuse, or leave to a person, as an answer."""
    status = 409 if decision.reason in (Reason.WAIT, Reason.ORDER_HAS_INVOICE) else 422
    return Conflict(decision.reason, decision.cause, decision.message, status=status)


def _may_begin_again(head: Head, earlier: Plan, by: list[str]) -> bool:
    """Whether an earlier plan of the same refund came to nothing, so that the platform may send it again."""
    given = [one for one in allowances.everywhere(head) if one.get("plan") == earlier["id"]]
    nothing = all(one["status"] not in ("SENDING", "ASKED", "LIVE", "VOIDING", "VOIDED") for one in given)
    unclicked = earlier["status"] == plans.DONE and bool(given)  # the buyer was asked, which is all of the plan
    over = earlier["status"] == plans.STOPPED or unclicked
    return over and nothing and not (by[0] and by[0] == earlier["by"][0])


def _repeated(p: Ports, w: Work, head: Head, earlier: Plan, request: CorrectionRequest) -> Corrected:
    """The same request again: driven on where its worker died, and answered with what stands."""
    if earlier["by"][1] != request.body_hash:
        same_refund = request.refund_id and earlier.get("refund_id") == request.refund_id
        raise Conflict(
            Reason.FIX_REQUEST,
            "REFUND_ID_REUSED" if same_refund else "IDEMPOTENCY_KEY_REUSED",
            "同一個退款編號或 Idempotency-Key 先前已用於不同的內容，請換一個新的，或送出與先前完全相同的內容。",
            status=422,
        )
    if (added := _evidence_since(head, earlier, request)):
        head = evidence.record(p, w, head.key, added, by=request.by)
        return Corrected(head, plans.numbered(head, earlier["id"]))
    now = p.now()
    stale = head.due_at is not None and head.due_at <= now and head.lease_until <= now and not head.attention
    if earlier["status"] == plans.OPEN and stale:
        head = driven_on(p, w, head)
    return Corrected(head, plans.numbered(head, earlier["id"]))


def _evidence_since(head: Head, earlier: Plan, request: CorrectionRequest) -> Json:
    """What a repeat tells that its plan, being carried out, did not have: it may be just what the plan waits for."""
    current = plans.current(head)
    if current is None or current["id"] != earlier["id"]:
        return {}
    known = {*head.facts, *(["consent"] if current.get("consent") else [])}
    return {name: fact for name, fact in request.evidence.items() if fact is not None and name not in known}


def _carried_out(p: Ports, w: Work, head: Head, send: planning.Send | None, *, ours: bool) -> Corrected:
    """What came of the stored plan; ``ours``: no other worker holds the order, so that it is carried out here."""
    plan_id = head.plans[-1]["id"]
    if ours:
        stored = head
        head = sending.carried_out(p, stored, lambda: planning.went_on(p, w, stored, send))
    plan = plans.numbered(head, plan_id)
    return Corrected(head, plan, new=not plan.get("cause"))  # done with a cause: there was nothing to do

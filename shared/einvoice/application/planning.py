"""Carrying a plan out (更正的執行): decide the next step from what the ledger says now, do it, decide again.

Nothing is remembered between two steps but the goal and the ledger itself. A worker that dies between any two of them
leaves an order whose next step is found in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from einvoice.application import (
    allowances,
    allowing,
    answers,
    conditions,
    deciding,
    ending,
    generations,
    heads,
    near,
    payload,
    plans,
    sending,
    voiding,
)
from einvoice.application.issuing import send_issue
from einvoice.application.plans import Plan
from einvoice.application.ports import Json, Ports, Work
from einvoice.application.same_number import send_same_number
from einvoice.errors import Conflict, InvalidRequest, Reason
from einvoice.identity import allowance_name
from einvoice.model import Allowance, AllowanceLine, Centre, Order
from einvoice.rules import allocation, allowance_tax, law
from einvoice.rules.correction import Decision, Do
from einvoice.rules.period import Period
from einvoice.store.base import HOLDING, Head, State

Step = Callable[[Head], Head]
Send = Callable[[Ports, Work, Head], Head]
Move = tuple[Step, Send | None]

FORGOTTEN = "FORGOTTEN_BY_PERSON"
MAX_STEPS = 12  # of one invocation; what is left is taken up by the next


def advance(p: Ports, w: Work, head: Head) -> Head:
    """Carry the open plans of a head that is ours on, as far as this invocation and the ministry let it."""
    for _ in range(MAX_STEPS):
        plan = plans.current(head)
        if plan is None or head.state in answers.PENDING or head.attention or head.want:
            return head
        before = head.ver
        try:
            head = _next(p, w, head, plan)
        except plans.EndedError:  # cancelled between two steps; nothing of the next one was stored
            head = p.store.read(head.key) or head
        if head.ver == before or waits(head):
            return head
    return head


def went_on(p: Ports, w: Work, head: Head, send: Send | None) -> Head:
    """A stored step sent, and what its plan asks for after it; without a call it waits, or is done."""
    return advance(p, w, send(p, w, head)) if send else head


def waits(head: Head) -> bool:
    """Whether the current plan can only go on after something that is not ours to do."""
    plan = plans.current(head)
    return plan is not None and plan.get("waits", "") != ""


def _next(p: Ports, w: Work, head: Head, plan: Plan) -> Head:
    if ending.satisfied(head, plan):
        return sending.commit(p, head, lambda h: h)  # which ends it
    if refused := plan.get("refused"):
        return _stopped(p, head, plan, str(refused["cause"]), refusal=refused)
    try:
        decision = deciding.decided(p, w, head, plan)
    except (Conflict, InvalidRequest) as refusal:  # what it asks for can no longer be asked for
        return _stopped(p, head, plan, str(refusal))
    if decision.do in (Do.REFUSE, Do.REVIEW):
        return _stopped(p, head, plan, decision.cause, decision=deciding.told(decision))
    step, send = move(p, w, head, plan, decision)
    head = sending.commit(p, head, step)
    return send(p, w, head) if send else head


def move(p: Ports, w: Work, head: Head, plan: Plan, decision: Decision) -> Move:
    """What is decided, as the step that stores it and, where it allows a call, what sends it then."""
    if decision.do is Do.WAIT or (decision.do is Do.HOLD and decision.reason is Reason.ADD_NUMBERS):
        return _waiting(p, plan, decision), None
    if decision.do is Do.HOLD:
        p.observe("correction_held", cause=decision.cause, **heads.ids(head))
        return _held(p, plan, decision), None
    if decision.do is Do.NOTHING:
        return lambda h: ending.finished(h, plan, p.now(), cause=decision.cause), None
    plan = {name: value for name, value in plan.items() if name != "waits"} | {"decision": deciding.told(decision)}
    return _MOVES[decision.do](p, w, head, plan, decision)


# --- stopping and waiting --------------------------------------------------------------------------------------------


def _stopped(p: Ports, head: Head, plan: Plan, cause: str, **values: Any) -> Head:  # noqa: ANN401 — JSON values
    """The plan cannot be carried out: what was done of it stays, nothing further is done, and its log says why.

    One that voided allowances so that the invoice could be void has taken refunds back: it gives them another way.
    """
    if plan.get("gave_back") and not plan.get("only"):
        return sending.commit(p, head, lambda h: plans.changed(h, plan, only=True, refused=None, waits=None))
    p.observe("correction_stopped", cause=cause, **heads.ids(head))

    def step(h: Head) -> Head:
        left_open = plan.get("gave_back") or _unreplaced(h, plan)
        h = plans.ended(h, plan, plans.STOPPED, p.now(), cause=cause, **values)
        h = replace(h, due_at=heads.due_if_wanted(h, p.now()), lease_until=0 if not h.planned else h.lease_until)
        h = heads.logged(h, p.now(), "correction_stopped", cause=cause)
        return sending.flagged(p, h, plans.HALF_DONE, ours={"cause": cause}) if left_open else h

    return sending.commit(p, head, step)


def _unreplaced(head: Head, plan: Plan) -> bool:
    """Whether a correction made room for an invoice that was never issued: the sale is without one."""
    if plan["goal"] != plans.CORRECT or head.state in answers.PENDING:
        return False
    made_room = any(past.get("plan") == plan["id"] for past in head.past) and head.state is not State.ISSUED
    return made_room or any(one.get("plan") == plan["id"] for one in allowances.live(head))


def forgotten(head: Head, plan_id: int, now: int, *, by: str, reason: str) -> Head | None:
    """The head with one open plan stopped by a person; None: there is none, or something may be under way for it."""
    plan = next((one for one in head.plans if one["id"] == plan_id and one["status"] == plans.OPEN), None)
    if plan is None or head.state in answers.PENDING or head.lease_until > now or plan.get("gave_back"):
        return None
    left_open = _unreplaced(head, plan)
    head = plans.ended(head, plan, plans.STOPPED, now, cause=FORGOTTEN)
    head = replace(head, due_at=None if head.attention else heads.due_if_wanted(head, now))
    head = heads.logged(head, now, "plan_forgotten", plan=plan_id, goal=plan["goal"], by=by, reason=reason)
    return heads.flagged(head, now, plans.HALF_DONE, ours={"cause": FORGOTTEN}) if left_open else head


def _waiting(p: Ports, plan: Plan, decision: Decision) -> Step:
    """Only time, or the ministry's answer, is in the way: asked for soon, and the plan goes on by itself."""
    now = p.now()
    on_ministry = decision.cause == "NOT_UPLOADED"
    on_buyer = decision.cause == "CONSENT_ASKED"
    young = now - int(plan["at"]) < p.timing.young_s
    soon = now + (p.timing.confirm_soon_s if young and not on_buyer else p.timing.confirm_waiting_s)

    def step(h: Head) -> Head:
        h = near.tell(p, _kept(h, plan, decision, now))
        if on_ministry or on_buyer:  # `confirm` asks, and makes the order due once there is an answer
            return replace(h, due_at=None, lease_until=0, confirm_at=min(h.confirm_at or soon, soon))
        return replace(h, due_at=soon, lease_until=0)

    return step


def _held(p: Ports, plan: Plan, decision: Decision) -> Step:
    """A person must record something first; recording it makes the order due."""

    def step(h: Head) -> Head:
        return replace(near.tell(p, _kept(h, plan, decision, p.now())), due_at=None, lease_until=0)

    return step


def _kept(head: Head, plan: Plan, decision: Decision, now: int) -> Head:
    """The head with what the plan waits for; told once, however often it is found again."""
    said = plan.get("waits") == decision.cause
    head = plans.changed(head, plan, waits=decision.cause, decision=deciding.told(decision))
    held = decision.do is Do.HOLD and decision.reason is not Reason.ADD_NUMBERS
    event = "correction_held" if held else "correction_waits"
    return head if said else heads.logged(head, now, event, cause=decision.cause)


# --- the steps -----------------------------------------------------------------------------------------------------


def _void(p: Ports, w: Work, head: Head, plan: Plan, decision: Decision) -> Move:
    """Void the invoice; for a correction, the void that its reissue begins with."""
    reissue = any(step.do is Do.ISSUE for step in decision.steps)
    doing = _reissue_of(p, head, plan, "new_number") if reissue else {}
    window_s = deciding.profile_of(p, head).settle_window_s

    def step(h: Head) -> Head:
        voids = None if reissue else True
        h = plans.changed(h, plan, voids=voids, waits=None, decision=plan["decision"])
        return heads.changing(
            _by(replace(h, void_reason=str(plan["reason"])), plan, reissue=reissue),
            State.REISSUING if reissue else State.VOIDING,
            doing=doing,
            now=p.now(),
            lease_s=w.lease_s,
            window_s=window_s,
            event="reissuing" if reissue else "voiding",
            reason=plan["reason"],
        )

    return step, voiding.send_void


def _same_number(p: Ports, w: Work, head: Head, plan: Plan, decision: Decision) -> Move:  # noqa: ARG001 — every step takes the same
    doing = _reissue_of(p, head, plan, "same_number")
    window_s = deciding.profile_of(p, head).settle_window_s

    def step(h: Head) -> Head:
        h = plans.changed(h, plan, waits=None, decision=plan["decision"])
        return heads.changing(
            _by(replace(h, void_reason=str(plan["reason"])), plan, reissue=True),
            State.REISSUING,
            doing=doing,
            now=p.now(),
            lease_s=w.lease_s,
            window_s=window_s,
            event="reissuing",
            reason=plan["reason"],
        )

    return step, send_same_number


def _allow(p: Ports, w: Work, head: Head, plan: Plan, decision: Decision) -> Move:
    """Make the allowance, or ask the buyer for it: for a refund its sum, for a correction all that is left."""
    (first, *_) = decision.steps
    order = sending.order_of(head)
    if first.purpose == allowances.REISSUE or first.amount_twd == order.total_twd - head.allowed_twd:
        lines = allocation.allocate_rest(order, deciding.taken_by(head))
    else:
        lines = deciding.refund_lines(head, plan)
    profile = deciding.profile_of(p, head)
    what = Allowance(
        lines=lines,
        total_twd=sum(line.amount_twd for line in lines),
        tax_twd=_tax(head, order, lines) if profile.sends_allowance_tax else 0,
        reason=str(plan["reason"])[: profile.max_allowance_reason_chars],
        buyer_name=order.buyer.name,
        notify_email=str(plan.get("online", "")),
    )
    if what.total_twd != first.amount_twd:
        raise AssertionError("the lines close to what was decided")
    if plan.get("online") and p.public_url:
        refund_n = 1 + max((int(one["n"]) for one in allowances.everywhere(head)), default=0)
        p.store.remember(head.key.merchant, allowance_name(head.relate_number, refund_n), head.key)

    def step(h: Head) -> Head:
        record = allowances.new_record(
            h,
            what,
            purpose=first.purpose,
            plan=plan["id"],
            refund_id=str(plan.get("refund_id", "")),
            now=p.now(),
            online=bool(plan.get("online")),
            taxed=profile.sends_allowance_tax,
        )
        h = plans.changed(h, plan, waits=None, decision=plan["decision"], amount_twd=what.total_twd)
        return allowances.begun(h, record, now=p.now(), lease_s=w.lease_s, window_s=profile.settle_window_s)

    return step, allowing.send


def _tax(head: Head, order: Order, lines: tuple[AllowanceLine, ...]) -> int:
    """The tax part that makes the parts of all allowances close to the invoice's tax."""
    holding = [one for one in head.allowances if one["status"] in HOLDING]
    earlier = [line for one in holding for line in allowances.lines(one)]
    earlier_tax = sum(int(one.get("tax_twd", 0)) for one in holding)
    rate = law.rate(datetime.fromisoformat(head.issued_at).date())
    return allowance_tax.allowance_tax(order, earlier, lines, earlier_tax_twd=earlier_tax, rate=rate)


def _void_allowances(p: Ports, w: Work, head: Head, plan: Plan, decision: Decision) -> Move:  # noqa: ARG001 — every step takes the same
    """Void one allowance: the plan's own, or the oldest that lives; the next one is decided on anew."""
    if plan["goal"] == plans.VOID_ALLOWANCE:
        record = allowances.numbered(head, int(plan["n"]))
    else:
        record = next(iter(allowances.live(head)), None)
    if record is None:
        raise AssertionError("decided on an allowance that lives")
    window_s = deciding.profile_of(p, head).settle_window_s
    whole = True if plan["goal"] == plans.REFUND else None  # what the void allowances gave back, the void now does
    gave_back = None if plan["goal"] == plans.VOID_ALLOWANCE else True

    def step(h: Head) -> Head:
        h = plans.changed(h, plan, waits=None, whole=whole, gave_back=gave_back, decision=plan["decision"])
        reason = str(plan["reason"])
        return allowances.void_begun(h, record, reason=reason, now=p.now(), lease_s=w.lease_s, window_s=window_s)

    return step, allowing.send


def _issue(p: Ports, w: Work, head: Head, plan: Plan, decision: Decision) -> Move:  # noqa: ARG001 — every step takes the same
    """Issue anew: the next generation of what is void or allowed in full, or again what was never issued."""
    centre, profile = conditions.centre_for_next(p, head)
    content = payload.to_json(deciding.corrected_order(p, head, plan, profile))
    step = _again if head.state is State.REFUSED else _following
    return lambda h: step(p, w, h, plan, content, centre), send_issue


def _following(p: Ports, w: Work, head: Head, plan: Plan, content: Json, centre: Centre) -> Head:
    head = _by(plans.changed(head, plan, waits=None, decision=plan["decision"]), plan, reissue=True)
    return generations.next_generation(
        replace(head, next={"plan": plan["id"]}),
        p.stage,
        payload=content,
        request_hash=payload.digest(content),
        centre=centre,
        sold_period=Period.of(p.clock.now()).key,
        op=head.op,
        now=p.now(),
        lease_s=w.lease_s,
    )


def _again(p: Ports, w: Work, head: Head, plan: Plan, content: Json, centre: Centre) -> Head:
    head = plans.changed(head, plan, waits=None, decision=plan["decision"], again=True)
    if head.first_sent_at is None:
        head = replace(head, centre=centre)
    period = Period.of(p.clock.now()).key
    return generations.resent(
        replace(head, sold_period=period),
        payload=content,
        request_hash=payload.digest(content),
        op=head.op,
        now=p.now(),
        lease_s=w.lease_s,
    )


def _by(head: Head, plan: Plan, *, reissue: bool) -> Head:
    """The head with the plan's request as the one that its change goes back to."""
    return replace(head, keys={**head.keys, "reissue" if reissue else "void": plan["by"]})


def _reissue_of(p: Ports, head: Head, plan: Plan, mode: str) -> Json:
    """What ``next`` says of a reissue: the whole corrected content, so that nothing is laid over it twice."""
    content = payload.to_json(deciding.corrected_order(p, head, plan, deciding.profile_of(p, head)))
    cleared = {name: None for name in head.payload if name not in content}
    buyer = dict.fromkeys(head.payload.get("buyer", {}), "") | content.get("buyer", {})
    return {
        "corrections": {**cleared, **content, "buyer": buyer},
        "mode": mode,
        "order_total_twd": content["total_twd"],
        "plan": plan["id"],
    }


_MOVES: dict[Do, Callable[[Ports, Work, Head, Plan, Decision], Move]] = {
    Do.VOID: _void,
    Do.SAME_NUMBER: _same_number,
    Do.ALLOW: _allow,
    Do.VOID_ALLOWANCES: _void_allowances,
    Do.ISSUE: _issue,
}

"""What the rules make of a plan now (更正的判斷): the ledger's facts as a case, the case to the rules, their decision.

The centre is asked only how many numbers it has left, and only where an invoice would be issued anew.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal

from einvoice.application import allowances, conditions, filings, payload, plans, sending, uploads
from einvoice.application.plans import Plan
from einvoice.application.ports import Json, Ports, Work
from einvoice.errors import Reason
from einvoice.model import AllowanceLine, Order, ProviderProfile
from einvoice.rules import allocation, correction
from einvoice.rules.correction import Case, Change, Decision, Do
from einvoice.rules.normalise import normalise
from einvoice.rules.period import TAIPEI
from einvoice.store.base import HOLDING, Head, State

#: a cumulative sum that was given back already
NOTHING_LEFT = Decision(
    row="F4",
    do=Do.NOTHING,
    cause="ALREADY_REFUNDED",
    reason=Reason.ALREADY_DONE,
    message="退款累計金額先前已全數折讓，無需處理。",
    steps=(),
    parameters={},
    source="加值型及非加值型營業稅法 art. 15",
)


def decided(p: Ports, w: Work, head: Head, plan: Plan) -> Decision:
    """What the rules make of this plan now. Raises InvalidRequest or Conflict where its content is not possible."""
    profile = profile_of(p, head)
    now = p.clock.now()
    case = case_of(p, head, plan)
    if plan["goal"] == plans.VOID_ALLOWANCE:
        return _void_allowance(p, head, plan, profile, case)
    if plan["goal"] == plans.CORRECT:
        change = change_of(p, head, plan, profile)
        decision = correction.correct(case, change, now=now, profile=profile)
        if not any(step.do is Do.ISSUE for step in decision.steps) or decision.do is Do.SAME_NUMBER:
            return decision
        left = conditions.numbers_left(p, w, head)
        if left is None:
            cause = conditions.NUMBERS_UNKNOWN
            return replace(decision, do=Do.WAIT, steps=(), cause=cause, reason=Reason.PROVIDER_BUSY)
        return correction.correct(case, replace(change, numbers_left=left), now=now, profile=profile)
    amount = wanted_twd(head, plan)
    if amount == 0 and "refunded_total_twd" in plan.get("wanted", {}):  # a platform that tells an older sum again
        return NOTHING_LEFT
    return correction.refund(case, amount, now=now, profile=profile, allowance_only=bool(plan.get("only")))


def case_of(p: Ports, head: Head, plan: Plan) -> Case:
    """What the ledger, and what people recorded, say of the order."""
    facts = head.facts
    order = head.payload
    issued_on = datetime.fromisoformat(head.issued_at).astimezone(TAIPEI).date() if head.issued_at else None
    total = int(order.get("total_twd", 0))
    left = total - head.allowed_twd
    return Case(
        state=head.state.value,
        total_twd=total,
        issued_on=issued_on,
        sold_period=head.sold_period,
        allowed_twd=head.allowed_twd,
        reissue_allowed=left == 0 and any(one["purpose"] == allowances.REISSUE for one in allowances.live(head)),
        had_allowance=head.had_allowance,
        refunded_twd=allowances.refunded_twd(head),
        invoice_confirmed=head.upload == "confirmed",
        void_confirmed=head.void_upload == "confirmed",
        allowances_confirmed=uploads.confirmed(head, uploads.ALLOWANCE),
        allowance_voids_confirmed=uploads.confirmed(head, uploads.ALLOWANCE_VOID),
        asked=any(one["status"] == allowances.ASKED for one in head.allowances),
        business=bool(order.get("buyer", {}).get("ubn")),
        government=bool(facts.get("government")),
        printed=bool(order.get("print")),
        donated=bool(order.get("love_code")),
        claimed=bool(facts.get("claimed")),
        redeemed=bool(facts.get("redeemed")),
        # who is asked by e-mail consents by the click
        consent=bool(plan.get("consent") or facts.get("consent") or plan.get("online")),
        paper_back=bool(facts.get("paper_back")),
        filed=issued_on is not None and filings.filed(p, head.key.merchant, issued_on),
        approval_no=str(facts.get("approval_no", {}).get("value", "")),
        person_ok=bool(facts.get("person_ok")),
    )


def wanted_twd(head: Head, plan: Plan) -> int:
    """The sum a refund takes from the invoice now; all that remains for a cancellation. Raises InvalidRequest.

    A refund of all the rest that began to void the earlier allowances takes what those gave back, too.
    """
    if plan["goal"] == plans.CANCEL or plan.get("whole"):
        return int(head.payload.get("total_twd", 0)) - head.allowed_twd
    given = plan["wanted"].get("amount_twd")
    if given is not None or head.state is not State.ISSUED:  # nothing to take it from: the rules say it better
        return 1 if given is None else int(given)
    return sum(line.amount_twd for line in refund_lines(head, plan))


def refund_lines(head: Head, plan: Plan) -> tuple[AllowanceLine, ...]:
    """The lines of the allowance that this plan asks for now. Raises InvalidRequest."""
    order = sending.order_of(head)
    taken = taken_by(head)
    if plan["goal"] == plans.CANCEL:
        return allocation.allocate_rest(order, taken)
    so_far = allowances.refunded_twd(head)
    return allocation.allocate(order, taken, wanted_of(plan["wanted"]), refunded_so_far_twd=so_far)


def wanted_of(values: Json) -> allocation.Wanted:
    """A refund as the request had it."""
    lines = tuple(
        allocation.WantedLine(
            line=int(one["line"]),
            quantity=Decimal(one["quantity"]) if one.get("quantity") is not None else None,
            amount_twd=one.get("amount_twd"),
        )
        for one in values.get("lines", [])
    )
    return allocation.Wanted(values.get("amount_twd"), lines, values.get("refunded_total_twd"))


def taken_by(head: Head, *, purpose: str = "") -> tuple[allocation.Taken, ...]:
    """What the current invoice's living allowances took from its lines."""
    counted = (one for one in head.allowances if one["status"] in HOLDING)
    lines = (line for one in counted if purpose in ("", one["purpose"]) for line in allowances.lines(one))
    return allocation.taken_from(lines)


def change_of(p: Ports, head: Head, plan: Plan, profile: ProviderProfile) -> Change:
    """The content the plan asks for, as the rules judge it. Raises InvalidRequest with every violation."""
    original = sending.order_of(head)
    given = plan.get("order_total_twd")
    earlier = allowances.refunded_twd(replace(head, allowances=[]))
    total = original.total_twd + earlier if given is None else int(given)
    if plans.ended_by_refund(head):
        total = allowances.refunded_twd(head)
    if 0 < total <= allowances.refunded_twd(head):  # no content can be right: the rules say why
        return Change(0, total, business=bool(original.buyer.ubn), tax_type=original.tax_type, corrected=False)
    order = corrected_order(p, head, plan, profile)
    return Change(
        new_total_twd=order.total_twd,
        order_total_twd=total,
        business=bool(order.buyer.ubn),
        tax_type=order.tax_type,
        corrected=payload.to_json(order) != payload.to_json(normalise(_rest(head))),
        same_number=plan.get("mode") == "same_number",
        same_buyer_and_amount=order.buyer.ubn == original.buyer.ubn and order.total_twd == original.total_twd,
        issued_at=head.issued_at,
        duplicate=False,
    )


def corrected_order(p: Ports, head: Head, plan: Plan, profile: ProviderProfile) -> Order:
    """The content of the new invoice: the order's, less what was refunded, with the corrections laid over it."""
    corrections = plan.get("corrections", {})
    order = normalise(payload.from_json(conditions.laid_over(payload.to_json(_rest(head)), corrections)))
    conditions.check_order(p, order, profile)
    return order


def _rest(head: Head) -> Order:
    """What is left to bill of the invoice, after its refunds."""
    return allocation.rest_order(sending.order_of(head), taken_by(head, purpose=allowances.REFUND))


def _void_allowance(p: Ports, head: Head, plan: Plan, profile: ProviderProfile, case: Case) -> Decision:
    record = allowances.numbered(head, int(plan["n"]))
    if record is None:
        raise AssertionError("a plan is made for an allowance that stands")
    made = datetime.fromisoformat(record["at"]).astimezone(TAIPEI).date() if record.get("at") else p.clock.now().date()
    return correction.void_allowance(
        allowed_on=made,
        live=record["status"] in (allowances.LIVE, allowances.ASKED),
        confirmed=record.get("upload") == "confirmed" or record["status"] == allowances.ASKED,
        later_generation=record not in head.allowances,
        filed=filings.filed(p, head.key.merchant, made),
        government=case.government,
        now=p.clock.now(),
        profile=profile,
    )


def profile_of(p: Ports, head: Head) -> ProviderProfile:
    """What holds for the centre this order is pinned to. Raises MerchantUnusable."""
    return sending.provider_of(p, head).profile if head.centre else p.centres.profile(head.key.merchant)


def told(decision: Decision) -> Json:
    """A decision as it is kept and shown: its row, cause, parameters, source and deadlines."""
    return {
        "row": decision.row,
        "do": decision.do.value,
        "cause": decision.cause,
        "reason": decision.reason.value,
        "message": decision.message,
        "steps": [_step(step) for step in decision.steps],
        "parameters": decision.parameters,
        "source": decision.source,
        "deadline": decision.deadline.isoformat() if decision.deadline else None,
    }


def _step(step: correction.Step) -> Json:
    values = asdict(step) | {"do": step.do.value, "documents": list(step.documents)}
    values["deadline"] = step.deadline.isoformat() if step.deadline else None
    return {name: value for name, value in values.items() if value not in ("", 0, None, False, [])}

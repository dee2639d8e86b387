"""Random histories of one invoice's allowances, without any fault: what the rules decide and the ledger keeps fits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from einvoice.application import allowances, claims, heads, payload, plans
from einvoice.errors import Reason
from einvoice.model import Allowance, Buyer, Centre, Line, Order, OrderKey, ProviderProfile
from einvoice.providers.base import Allowed, Asked, FoundAllowance, Issued, Rejected
from einvoice.rules import allocation, allowance_tax
from einvoice.rules.correction import REFUND, Case, Do, refund
from einvoice.store.base import Head, State

PROFILE = ProviderProfile("any", history="void_allowances_first", sends_allowance_tax=True)
AT = datetime(2026, 3, 12, 2, tzinfo=UTC)
NOW = int(AT.timestamp())
CENTRE = Centre("any", "1", "c")
RATE = Fraction(1, 20)
NO = Rejected(Reason.ASK_A_PERSON, "EXCEEDS_REMAINING", definite=True)

_LINES = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 400)), min_size=1, max_size=4)
_WISHES = st.lists(
    st.tuples(st.sampled_from(("refund", "ask", "void", "rest")), st.integers(1, 900), st.booleans()), max_size=12
)


def _issued(lines: list[tuple[int, int]]) -> tuple[Order, Head]:
    order = Order(
        Buyer(ubn="53212539", name="測試公司"),
        tuple(Line(f"品項 {n}", Decimal(pieces), Decimal(price), pieces * price) for n, (pieces, price) in
              enumerate(lines, start=1)),
        sum(pieces * price for pieces, price in lines),
        print_paper=True,
    )
    head = claims.claimed(
        "test", OrderKey("shop", "api", "1"), payload=payload.to_json(order), request_hash="h", idempotency_key="",
        centre=CENTRE, sold_period="11504", op="o", write_id="w", now=NOW, lease_s=35,
    )
    return order, heads.issued(head, Issued("AB10000000", AT, "1234"), NOW)


def _case(head: Head) -> Case:
    return Case(
        state=head.state.value, total_twd=head.payload["total_twd"], issued_on=AT.date(), allowed_twd=head.allowed_twd,
        had_allowance=head.had_allowance, invoice_confirmed=True, consent=True, business=True, paper_back=True,
        asked=any(one["status"] == allowances.ASKED for one in head.allowances),
    )


def _allowed(order: Order, head: Head, twd: int, *, online: bool, accepted: bool) -> Head:
    """The head after an allowance of ``twd``: made, asked for, or refused."""
    holding = [one for one in head.allowances if one["status"] in ("SENDING", "ASKED", "LIVE", "VOIDING")]
    earlier = [line for one in holding for line in allowances.lines(one)]
    lines = allocation.allocate(order, allocation.taken_from(earlier), allocation.Wanted(amount_twd=twd))
    tax_twd = allowance_tax.allowance_tax(
        order, earlier, lines, earlier_tax_twd=sum(one["tax_twd"] for one in holding), rate=RATE
    )
    wish = {"goal": plans.REFUND, "by": ["", ""], "at": NOW, "reason": "退貨", "generation": 1, "wanted": {}}
    head = plans.added(head, wish)
    plan, what = head.plans[-1]["id"], Allowance(lines, twd, tax_twd)
    record = allowances.new_record(
        head, what, purpose=REFUND, plan=plan, refund_id="R", now=NOW, online=online, taxed=True
    )
    assert allowances.content(record).lines == lines
    head = allowances.begun(head, record, now=NOW, lease_s=35, window_s=1260)
    number = f"{record['n']:016}"
    if not accepted:
        return allowances.refused(head, NO, NOW)
    remaining = order.total_twd - head.allowed_twd
    if online:
        return allowances.asked(head, Asked(number, AT, AT, remaining), NOW)
    return allowances.made(head, Allowed(number, AT, remaining), NOW)


def _answered(head: Head, *, agrees: bool) -> Head:
    """The head after the buyer who was asked clicked, or did not."""
    record = next(one for one in head.allowances if one["status"] == allowances.ASKED)
    if not agrees:
        return allowances.expired(head, record, NOW)
    number, twd, tax_twd = record["number"], record["amount_twd"], record["tax_twd"]
    found = FoundAllowance(number, head.number, AT, twd, tax_twd, (), void=False, upload="none")
    return allowances.agreed(head, record, found, NOW)


def _step(order: Order, head: Head, wish: tuple[str, int, bool]) -> Head:
    what, twd, accepted = wish
    case = _case(head)
    if case.asked:
        assert refund(case, twd, now=AT, profile=PROFILE).do is Do.WAIT
        return _answered(head, agrees=accepted)
    if what == "void":
        living = allowances.live(head)
        if not living:
            return head
        head = allowances.void_begun(head, living[twd % len(living)], reason="x", now=NOW, lease_s=35, window_s=1260)
        return allowances.voided(head, NOW) if accepted else allowances.refused(head, NO, NOW)
    twd = case.remaining_twd if what == "rest" else twd
    decision = refund(case, twd, now=AT, profile=PROFILE, allowance_only=True)
    if decision.do is Do.ALLOW:
        assert decision.steps[0].amount_twd == twd <= case.remaining_twd
        return _allowed(order, head, twd, online=what == "ask", accepted=accepted)
    assert decision.do in (Do.REFUSE, Do.NOTHING)
    return head


@settings(max_examples=150, deadline=None)
@given(_LINES, _WISHES)
def test_allowances_never_exceed_their_invoice_and_close_to_its_tax(
    lines: list[tuple[int, int]], wishes: list[tuple[str, int, bool]]
) -> None:
    """After every step the sum fits and both books agree on the rest; allowed in full, the tax parts are its tax."""
    order, head = _issued(lines)
    numbers: list[int] = []
    for wish in wishes:
        head = _step(order, head, wish)
        holding = [one for one in head.allowances if one["status"] in ("SENDING", "ASKED", "LIVE", "VOIDING")]
        assert head.allowed_twd == sum(one["amount_twd"] for one in holding) <= order.total_twd
        assert (head.state, head.attention, head.sent_at, head.quiet_until) == (State.ISSUED, {}, None, None)
        assert allowances.refunded_twd(head) == head.allowed_twd
        if head.allowed_twd == order.total_twd:
            untaxed_twd = (40 * order.total_twd + 21) // 42  # total / 1.05, half a dollar up
            assert sum(one["tax_twd"] for one in holding) == order.total_twd - untaxed_twd
        assert [one["n"] for one in head.allowances][: len(numbers)] == numbers
        numbers = [one["n"] for one in head.allowances]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(("R1", "R2", "")), st.sampled_from(("", "k")))))
def test_a_request_that_comes_again_is_known_by_its_refund_id_or_its_key(asked: list[tuple[str, str, str]]) -> None:
    """Of all requests with one refund id the first makes a plan; later ones find it, however many came in between."""
    _, head = _issued([(1, 100)])
    made: dict[str, int] = {}
    for body, refund_id, key in asked:
        earlier = plans.made_before(head, refund_id=refund_id, by=[key, body])
        if refund_id in made:
            assert earlier is not None
        if earlier is None:
            head = plans.added(head, {"goal": plans.REFUND, "refund_id": refund_id, "by": [key, body]})
            if refund_id:
                assert refund_id not in made
                made[refund_id] = head.plans[-1]["id"]
    assert [plan["id"] for plan in head.plans] == list(range(1, len(head.plans) + 1))
    assert replace(head, plans=[]).allowed_twd == 0

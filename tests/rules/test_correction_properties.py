"""What holds for every decision on a correction, whatever the case and the centre."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from einvoice.model import ProviderProfile, TaxType
from einvoice.rules import correction
from einvoice.rules.correction import Case, Change, Do
from einvoice.rules.correction_rows import PENDING
from einvoice.rules.period import TAIPEI

FLAG = st.booleans()
UPLOADS = (
    "void",
    "same_number",
    "allowance",
    "allowance_void",
    "void_after_allowances",
    "issue_after_void",
    "issue_after_allowance",
)
FIRST_DAY = date(2025, 11, 1)
NOWS = st.integers(0, 200 * 86_400).map(
    lambda seconds: datetime(2025, 11, 1, tzinfo=TAIPEI) + timedelta(seconds=seconds)
)
PROFILES = st.builds(
    ProviderProfile,
    name=st.just("any"),
    void_scope=st.sampled_from(["until_cutoff", "issue_period_only"]),
    void_cutoff_day=st.integers(10, 15),
    reissue_scope=st.sampled_from(["until_cutoff", "issue_period_only"]),
    same_number_reissue=FLAG,
    filing=st.sampled_from(["bimonthly", "monthly"]),
    upload_first=st.frozensets(st.sampled_from(UPLOADS)),
    history=st.sampled_from(["allowance_remaining", "void_allowances_first"]),
    partial_allowances=FLAG,
    void_donated=FLAG,
    government=FLAG,
    consent_required=st.sampled_from(["business", "always", "never"]),
    paper_back_required=FLAG,
    special_void=FLAG,
)
# mostly living and consented to, or nearly every decision would be a refusal
STATES = st.sampled_from(["ISSUED"] * 6 + ["VOIDED", "REFUSED", "WANTED", *sorted(PENDING)])
MOSTLY = st.sampled_from([True, True, True, False])
RARELY = st.sampled_from([False, False, False, True])
TOTAL = 1050
CASES = st.builds(
    Case,
    state=STATES,
    total_twd=st.just(TOTAL),
    issued_on=st.integers(0, 200).map(lambda days: FIRST_DAY + timedelta(days=days)),
    sold_period=st.sampled_from(["11412", "11502", "11504"]),
    allowed_twd=st.sampled_from([0, 0, 300, TOTAL]),
    reissue_allowed=RARELY,
    had_allowance=RARELY,
    refunded_twd=st.sampled_from([0, 300, TOTAL]),
    invoice_confirmed=MOSTLY,
    void_confirmed=MOSTLY,
    allowances_confirmed=MOSTLY,
    allowance_voids_confirmed=MOSTLY,
    asked=RARELY,
    business=FLAG,
    government=RARELY,
    printed=FLAG,
    donated=RARELY,
    claimed=RARELY,
    redeemed=RARELY,
    consent=MOSTLY,
    paper_back=MOSTLY,
    filed=RARELY,
    approval_no=st.sampled_from(["", "A-1"]),
    person_ok=FLAG,
)
AMOUNTS = st.sampled_from([-1, 0, 1, 300, 750, TOTAL, TOTAL + 1])
CHANGES = st.builds(
    Change,
    new_total_twd=st.sampled_from([0, 750, TOTAL, TOTAL]),
    order_total_twd=st.just(TOTAL),
    business=FLAG,
    tax_type=st.sampled_from([TaxType.TAXABLE, TaxType.MIXED]),
    corrected=MOSTLY,
    same_number=RARELY,
    same_buyer_and_amount=MOSTLY,
    issued_at=st.just("2026-01-15T10:00:00+08:00"),
    numbers_left=st.sampled_from([None, 0, 1]),
    duplicate=RARELY,
)


def holds(decision, case, now, profile):
    """What is true of every decision."""
    assert decision.row
    assert decision.source
    assert decision.parameters
    assert json.loads(json.dumps(decision.parameters)) == decision.parameters
    assert bool(decision.steps) is (decision.do in {Do.VOID, Do.ALLOW, Do.VOID_ALLOWANCES, Do.ISSUE, Do.SAME_NUMBER})
    if decision.steps:
        step = decision.steps[0]
        assert (decision.do, decision.deadline) == (step.do, step.deadline)
        assert step.deadline is None or now <= step.deadline
    if case.state in PENDING:
        assert not decision.steps
    for step in decision.steps:
        changes_the_invoice(step, case, now, profile)


def changes_the_invoice(step, case, now, profile):
    """No void after the filing or the cut-off but a special one, none over a prize; no allowance beyond the rest."""
    if step.do is Do.VOID:
        allowed = profile.special_void and bool(case.approval_no) if step.special else False
        assert allowed or correction.void_open(case, now=now, profile=profile)
        assert allowed or not case.filed
        assert case.person_ok or not case.redeemed
        assert case.paper_back or not (case.printed and profile.paper_back_required)
    if step.do is Do.ALLOW:
        assert 0 < step.amount_twd <= case.total_twd - case.allowed_twd
    if step.do in {Do.VOID, Do.ALLOW, Do.SAME_NUMBER, Do.VOID_ALLOWANCES} and case.business:
        assert case.consent or profile.consent_required == "never"


@given(CASES, AMOUNTS, NOWS, PROFILES, FLAG)
def test_every_refund_is_decided_within_the_law(case, amount_twd, now, profile, only):
    """Whole, in time, within the rest, and without touching what is not settled; never a new invoice."""
    decision = correction.refund(case, amount_twd, now=now, profile=profile, allowance_only=only)
    holds(decision, case, now, profile)
    assert {step.purpose for step in decision.steps if step.do is Do.ALLOW} <= {"refund"}
    assert not {step.do for step in decision.steps} & {Do.ISSUE, Do.SAME_NUMBER}
    if only:
        assert {step.do for step in decision.steps} <= {Do.ALLOW}
    assert all(step.amount_twd == amount_twd for step in decision.steps if step.do is Do.ALLOW)


@given(CASES, CHANGES, NOWS, PROFILES)
def test_every_correction_is_decided_within_the_law(case, change, now, profile):
    """The same; and a new invoice only where nothing of the old one remains, or the step before sees to that."""
    decision = correction.correct(case, change, now=now, profile=profile)
    holds(decision, case, now, profile)
    steps = [step.do for step in decision.steps]
    if Do.ISSUE in steps:
        assert not change.duplicate
        assert change.new_total_twd == change.order_total_twd - case.refunded_twd > 0
        if case.state == "ISSUED" and steps[0] is Do.ISSUE:
            assert case.reissue_allowed
            assert case.allowed_twd >= case.total_twd
        if steps[0] is Do.ALLOW:
            assert decision.steps[0].amount_twd == case.total_twd - case.allowed_twd
            assert decision.steps[0].purpose == "reissue"
        assert len(steps) == 1 or steps in ([Do.VOID, Do.ISSUE], [Do.ALLOW, Do.ISSUE])

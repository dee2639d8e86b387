"""Which remedy an invoice takes: the documented cases, the plans and what comes with a decision."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime

import pytest

from einvoice.model import ProviderProfile, TaxType
from einvoice.rules import correction
from einvoice.rules.correction import Case, Cause, Change, Do
from einvoice.rules.correction_steps import APPROVAL, CONSENT, PAPER, PAPER_OR_COPY
from einvoice.store.base import State

PROFILE = ProviderProfile("test")
JANUARY, FEBRUARY_END, DECEMBER_END = date(2026, 1, 15), date(2026, 2, 28), date(2026, 12, 31)
ISSUED = Case("ISSUED", total_twd=1050, issued_on=JANUARY, sold_period="11502", invoice_confirmed=True, consent=True)
CHANGE = Change(1050, 1050, business=False, tax_type=TaxType.TAXABLE, corrected=True)
NOON = "2026-02-20T10:00:00"


def at(text):
    """A Taipei time."""
    return datetime.fromisoformat(text + "+08:00")


def refund(amount_twd=1050, now=NOON, *, only=False, profile=PROFILE, **case):
    """A refund of an invoice of 1,050."""
    asked = replace(ISSUED, **case)
    return correction.refund(asked, amount_twd, now=at(now), profile=profile, allowance_only=only)


def correct(now=NOON, *, change=CHANGE, profile=PROFILE, **case):
    """A correction of an invoice of 1,050."""
    return correction.correct(replace(ISSUED, **case), change, now=at(now), profile=profile)


def plan(decision):
    """The steps with the amounts allowed, or the verdict and its cause."""
    if decision.steps:
        return [(step.do.value, step.amount_twd) if step.do is Do.ALLOW else step.do.value for step in decision.steps]
    return [decision.do.value, decision.cause]


OWN_PERIOD = replace(PROFILE, void_scope="issue_period_only")
WHOLE_ONLY = replace(PROFILE, partial_allowances=False)
ALLOWANCES_FIRST = replace(PROFILE, history="void_allowances_first")


@pytest.mark.parametrize(
    ("decision", "answer"),
    [
        pytest.param(refund, ["void"], id="R01"),
        pytest.param(lambda: refund(now="2026-03-13T23:59:59", issued_on=FEBRUARY_END), ["void"], id="R02"),
        pytest.param(lambda: refund(now="2026-03-14T00:00:00", issued_on=FEBRUARY_END), [("allow", 1050)], id="R03"),
        pytest.param(
            lambda: refund(now="2026-03-01T00:00:00", issued_on=FEBRUARY_END, profile=OWN_PERIOD),
            [("allow", 1050)],
            id="R05",
        ),
        pytest.param(
            lambda: refund(now="2026-03-05T10:00:00", issued_on=FEBRUARY_END, filed=True), [("allow", 1050)], id="R06"
        ),
        pytest.param(lambda: refund(300), [("allow", 300)], id="R07"),
        pytest.param(lambda: refund(300, profile=WHOLE_ONLY), ["refuse", "PARTIAL_UNSUPPORTED"], id="R08"),
        pytest.param(lambda: refund(800, allowed_twd=300), ["refuse", "EXCEEDS_REMAINING"], id="R09"),
        pytest.param(lambda: refund(750, allowed_twd=300), [("allow", 750)], id="R10"),
        pytest.param(
            lambda: refund(750, allowed_twd=300, profile=ALLOWANCES_FIRST), ["void_allowances", "void"], id="R11"
        ),
        pytest.param(lambda: refund(state="ISSUING"), ["wait", "PENDING"], id="R13"),
        pytest.param(lambda: refund(state="VOIDED"), ["refuse", "ALREADY_VOIDED"], id="R14"),
        pytest.param(lambda: refund(0), ["refuse", "BAD_AMOUNT"], id="R15"),
        pytest.param(lambda: refund(business=True, consent=False), ["hold", "CONSENT_NEEDED"], id="R16"),
        pytest.param(lambda: refund(business=True, claimed=True), [("allow", 1050)], id="R17"),
        pytest.param(lambda: refund(now="2027-01-13T23:59:59", issued_on=DECEMBER_END), ["void"], id="R20"),
        pytest.param(lambda: correct(business=True), ["void", "issue"], id="C01"),
        pytest.param(
            lambda: correct("2026-03-02T10:00:00", issued_on=FEBRUARY_END, business=True),
            [("allow", 1050), "issue"],
            id="C02",
        ),
        pytest.param(
            lambda: correct(allowed_twd=300, refunded_twd=300, change=replace(CHANGE, new_total_twd=750)),
            [("allow", 750), "issue"],
            id="C03",
        ),
        pytest.param(lambda: correct(state="VOIDED"), ["issue"], id="C05"),
        pytest.param(
            lambda: correct(state="VOIDED", change=replace(CHANGE, new_total_twd=0)),
            ["refuse", "ZERO_AMOUNT"],
            id="C07",
        ),
        pytest.param(lambda: correct(state="REFUSED", issued_on=None), ["issue"], id="C08"),
    ],
)
def test_the_documented_cases_are_decided_as_documented(decision, answer):
    """Plan or verdict, with every amount."""
    assert plan(decision()) == answer


def test_an_allowance_says_what_it_is_for():
    """Only the one of a correction opens the way to a new invoice; a refund's and a duplicate's never do."""
    assert {step.purpose for step in refund(300).steps} == {"refund"}
    assert [step.purpose for step in correct("2026-03-02T10:00:00").steps] == ["reissue", ""]
    late_duplicate = correct("2026-03-14T00:00:00", change=replace(CHANGE, duplicate=True))
    assert [(step.purpose, step.rule) for step in late_duplicate.steps] == [("refund", "C15")]


def test_a_correction_is_decided_anew_after_every_step():
    """Void, then issue; across periods allow, then issue: each decision follows from what the ledger says by then."""
    assert plan(correct()) == ["void", "issue"]
    assert plan(correct(state="VOIDED")) == ["issue"]
    later = "2026-03-02T10:00:00"
    assert plan(correct(later)) == [("allow", 1050), "issue"]
    assert plan(correct(later, allowed_twd=1050, reissue_allowed=True)) == ["issue"]


def test_an_order_fully_refunded_is_never_billed_again():
    """Whatever its invoice's state, and whatever total is asked for; a smaller refund leaves the rest."""
    for state in ("ISSUED", "VOIDED", "REFUSED"):
        decision = correct(state=state, allowed_twd=1050, refunded_twd=1050)
        assert (decision.do, decision.cause) == (Do.REFUSE, "FULLY_REFUNDED")
    for reissue_allowed in (False, True):
        grown = replace(CHANGE, new_total_twd=950, order_total_twd=2000)
        decision = correct(allowed_twd=1050, refunded_twd=1050, reissue_allowed=reissue_allowed, change=grown)
        assert decision.cause == ("ALLOWED_FOR_REISSUE" if reissue_allowed else "FULLY_REFUNDED")


def test_allowance_only_allows_where_a_void_would_be_possible():
    """It passes over F8 to F14 and F18, and over nothing else."""
    special = replace(PROFILE, special_void=True)
    assert plan(refund(only=True)) == [("allow", 1050)]
    assert plan(refund(only=True, printed=True, redeemed=True, donated=True)) == [("allow", 1050)]
    assert plan(refund(only=True, filed=True, approval_no="A-1", profile=special)) == [("allow", 1050)]
    assert plan(refund(1051, only=True)) == ["refuse", "EXCEEDS_REMAINING"]
    assert plan(refund(only=True, business=True, consent=False)) == ["hold", "CONSENT_NEEDED"]
    assert plan(refund(300, only=True, profile=WHOLE_ONLY)) == ["refuse", "PARTIAL_UNSUPPORTED"]


@pytest.mark.parametrize("barrier", [{"business": True, "claimed": True}, {"donated": True}])
def test_allowances_are_not_void_for_a_void_that_never_follows(barrier):
    """What bars the invoice's void bars that of its allowances."""
    assert plan(refund(750, allowed_twd=300, profile=ALLOWANCES_FIRST, **barrier)) == [("allow", 750)]


@pytest.mark.parametrize(
    ("required", "case", "held"),
    [
        ("business", {}, False),
        ("business", {"business": True}, True),
        ("business", {"government": True}, True),
        ("always", {}, True),
        ("never", {"business": True}, False),
    ],
)
def test_whose_consent_is_needed(required, case, held):
    """By the profile; for a void, an allowance and a correction alike, but not where nothing lives."""
    profile = replace(PROFILE, consent_required=required, government=True)
    for decision in (
        refund(consent=False, profile=profile, **case),
        refund(300, consent=False, profile=profile, **case),
        correct(consent=False, profile=profile, **case),
    ):
        assert (decision.row == "F7") is held
        assert (decision.do is Do.HOLD) is held
    assert plan(correct(state="VOIDED", consent=False, profile=profile, **case)) == ["issue"]


UPLOADS = {
    "void": (refund, {"invoice_confirmed": False}),
    "void_after_allowances": (
        lambda **given: refund(had_allowance=True, **given),
        {"allowance_voids_confirmed": False},
    ),
    "same_number": (
        lambda **given: correct(
            change=replace(CHANGE, same_number=True, same_buyer_and_amount=True, issued_at="2026-02-19T10:00:00+08:00"),
            issued_on=date(2026, 2, 19),
            **given,
        ),
        {"invoice_confirmed": False},
    ),
    "allowance": (lambda **given: refund(300, **given), {"invoice_confirmed": False}),
    "allowance_void": (lambda **given: refund(750, allowed_twd=300, **given), {"allowances_confirmed": False}),
    "issue_after_void": (lambda **given: correct(state="VOIDED", **given), {"void_confirmed": False}),
    "issue_after_allowance": (
        lambda **given: correct(allowed_twd=1050, reissue_allowed=True, **given),
        {"allowances_confirmed": False},
    ),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_a_step_waits_for_the_ministry_only_where_the_profile_says_so(name):
    """Unconfirmed and required: wait, with the remedy's deadline. Confirmed, or required for another step: go on."""
    decide, unconfirmed = UPLOADS[name]
    profile = replace(ALLOWANCES_FIRST, same_number_reissue=True, upload_first=frozenset({name}))
    confirmed = {next(iter(unconfirmed)): True}
    gone_on = decide(profile=profile, **confirmed)
    assert gone_on.steps
    waiting = decide(profile=profile, **unconfirmed)
    assert plan(waiting) == ["wait", "NOT_UPLOADED"]
    assert waiting.row in {"F3", "C7"}
    assert waiting.parameters["upload_first"] == name
    assert waiting.parameters["waiting_row"] == gone_on.row
    assert waiting.deadline == gone_on.deadline
    others = frozenset(UPLOADS) - {name}
    assert decide(profile=replace(profile, upload_first=others), **unconfirmed).steps == gone_on.steps


def test_a_step_says_what_the_merchant_must_keep_or_recover():
    """Consent always; the paper with a void, its copy at least with an allowance; the approval with a special void."""
    assert refund().steps[0].documents == (CONSENT,)
    assert refund(printed=True, paper_back=True).steps[0].documents == (CONSENT, PAPER)
    assert refund(300, printed=True).steps[0].documents == (CONSENT, PAPER_OR_COPY)
    special = refund(filed=True, approval_no="A-1", profile=replace(PROFILE, special_void=True))
    assert [(step.special, step.documents) for step in special.steps] == [(True, (APPROVAL, CONSENT))]


def test_a_void_with_an_approval_number_asks_for_the_paper_too():
    """And never happens over a redeemed prize, or where the centre would refuse it."""
    late = {"filed": True, "approval_no": "A-1", "profile": replace(PROFILE, special_void=True)}
    assert plan(refund(printed=True, **late)) == ["hold", "PAPER_NOT_BACK"]
    assert plan(refund(redeemed=True, **late)) == ["review", "PRIZE_REDEEMED"]
    assert plan(refund(donated=True, **late)) == [("allow", 1050)]
    assert plan(refund(had_allowance=True, **late)) == [("allow", 1050)]
    assert plan(refund(750, allowed_twd=300, **late)) == [("allow", 750)]
    assert plan(refund(**{**late, "profile": PROFILE})) == [("allow", 1050)]


def test_every_state_of_the_ledger_is_known():
    """A new state cannot be forgotten here, and an unknown one decides nothing."""
    for state in {*State, "ALLOWING"}:
        assert refund(state=str(state)).row
        assert correct(state=str(state)).row
    with pytest.raises(ValueError, match="state"):
        refund(state="LOST")


@pytest.mark.parametrize(
    ("field", "decide"),
    [
        ("void_scope", lambda profile: refund(profile=profile)),
        ("filing", lambda profile: refund(profile=profile)),
        ("history", lambda profile: refund(profile=profile)),
        ("consent_required", lambda profile: refund(profile=profile)),
        ("reissue_scope", lambda profile: correct(profile=profile)),
    ],
)
def test_a_profile_nobody_understands_decides_nothing(field, decide):
    """An error, not a guess."""
    with pytest.raises(ValueError, match=field):
        decide(replace(PROFILE, **{field: "odd"}))


def test_what_is_missing_decides_nothing():
    """An unknown upload, an invoice without a day, an instant without a zone, a kept number without its instant."""
    with pytest.raises(ValueError, match="upload_first"):
        refund(profile=replace(PROFILE, upload_first=frozenset({"odd"})))
    with pytest.raises(ValueError, match="day"):
        refund(issued_on=None)
    with pytest.raises(ValueError, match="zone"):
        correction.refund(ISSUED, 1, now=datetime.fromisoformat(NOON), profile=PROFILE)
    same_number = replace(CHANGE, same_number=True, same_buyer_and_amount=True)
    with pytest.raises(ValueError, match="isoformat"):
        correct(change=same_number, profile=replace(PROFILE, same_number_reissue=True))


def test_causes_are_told_in_whole_sentences_and_parameters_are_plain():
    """A decision can be stored and shown as it is."""
    decision = refund()
    assert json.loads(json.dumps(decision.parameters)) == decision.parameters
    assert decision.parameters["void_deadline"] == "2026-03-13T23:59:59+08:00"
    assert decision.parameters["void_cutoff_day"] == 13
    assert decision.deadline == at("2026-03-13T23:59:59")
    assert (decision.reason, decision.message) == (Cause.VOIDABLE.reason, Cause.VOIDABLE.sentence)
    assert all(cause.sentence.endswith("。") for cause in Cause)

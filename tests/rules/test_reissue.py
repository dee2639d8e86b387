"""May an order be re-issued."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from einvoice.errors import Reason
from einvoice.model import ProviderProfile, TaxType
from einvoice.rules import reissue
from einvoice.store.base import State

PROFILE = ProviderProfile("test")
UNTIL_CUTOFF = replace(PROFILE, reissue_scope="until_cutoff")
SAME_NUMBER = replace(PROFILE, same_number_reissue=True, same_number_hours=48)

ISSUED = reissue.ReissueCase(
    state="ISSUED",
    invoice_period="11502",
    remaining_twd=1050,
    order_total_twd=1050,
    new_total_twd=1050,
    new_buyer_has_ubn=False,
    new_tax_type=TaxType.TAXABLE,
    corrected=True,
)
VOIDED = replace(ISSUED, state="VOIDED", remaining_twd=0, corrected=False)
REFUSED = replace(VOIDED, state="REFUSED")
KEEP = replace(ISSUED, same_number=True, uploaded=True, issued_at="2026-02-19T10:00:00+08:00")

IN_PERIOD, LAST_MINUTES, NEXT_PERIOD = "2026-02-20T10:00:00", "2026-02-28T23:45:00", "2026-03-02T10:00:00"
MAY = None

CASES = [
    (ISSUED, IN_PERIOD, PROFILE, MAY),
    (replace(ISSUED, new_buyer_has_ubn=True), IN_PERIOD, PROFILE, MAY),
    (replace(ISSUED, new_tax_type=TaxType.MIXED), IN_PERIOD, PROFILE, MAY),
    (replace(ISSUED, new_total_twd=900, order_total_twd=900), IN_PERIOD, PROFILE, MAY),
    # content
    (replace(ISSUED, new_total_twd=0, order_total_twd=0), IN_PERIOD, PROFILE, "ZERO_AMOUNT"),
    (replace(VOIDED, new_total_twd=0), IN_PERIOD, PROFILE, "ZERO_AMOUNT"),
    (replace(ISSUED, new_total_twd=-1), IN_PERIOD, PROFILE, "ZERO_AMOUNT"),
    (replace(ISSUED, new_buyer_has_ubn=True, new_tax_type=TaxType.MIXED), IN_PERIOD, PROFILE, "MIXED_TAX_B2B"),
    (replace(ISSUED, new_total_twd=1049), IN_PERIOD, PROFILE, "AMOUNT_MISMATCH"),
    (replace(VOIDED, new_total_twd=1051), IN_PERIOD, PROFILE, "AMOUNT_MISMATCH"),
    # a living invoice
    (replace(ISSUED, corrected=False), IN_PERIOD, PROFILE, "ORDER_HAS_VALID_INVOICE"),
    (replace(ISSUED, corrected=False), NEXT_PERIOD, PROFILE, "ORDER_HAS_VALID_INVOICE"),
    (replace(ISSUED, remaining_twd=750, has_allowances=True), IN_PERIOD, PROFILE, "HAS_ALLOWANCES"),
    (replace(ISSUED, remaining_twd=0, has_allowances=True), IN_PERIOD, PROFILE, "FULLY_ALLOWED"),
    (ISSUED, NEXT_PERIOD, PROFILE, "CROSS_PERIOD"),
    (ISSUED, "2026-03-01T00:00:00", PROFILE, "CROSS_PERIOD"),
    (ISSUED, NEXT_PERIOD, UNTIL_CUTOFF, MAY),
    (ISSUED, "2026-03-13T23:59:59", UNTIL_CUTOFF, MAY),
    (ISSUED, "2026-03-14T00:00:00", UNTIL_CUTOFF, "CROSS_PERIOD"),
    (ISSUED, NEXT_PERIOD, replace(UNTIL_CUTOFF, void_scope="issue_period_only"), "CROSS_PERIOD"),
    # the centre's clock may be ahead of ours: its invoice is of the next period, ours has seconds left
    (replace(ISSUED, invoice_period="11504"), "2026-02-28T23:59:58", PROFILE, "PERIOD_ENDING"),
    (ISSUED, "2026-02-28T23:44:59", PROFILE, MAY),
    (ISSUED, LAST_MINUTES, PROFILE, "PERIOD_ENDING"),
    (ISSUED, "2026-02-28T23:59:59", PROFILE, "PERIOD_ENDING"),
    # the same number
    (KEEP, IN_PERIOD, SAME_NUMBER, MAY),
    (KEEP, IN_PERIOD, PROFILE, "SAME_NUMBER_OFF"),
    (replace(KEEP, uploaded=False), IN_PERIOD, SAME_NUMBER, "NOT_UPLOADED"),
    (KEEP, "2026-02-21T10:00:00", SAME_NUMBER, MAY),
    (KEEP, "2026-02-21T10:00:01", SAME_NUMBER, "SAME_NUMBER_WINDOW_OVER"),
    (replace(KEEP, issued_at="2026-02-28T10:00:00+08:00"), LAST_MINUTES, SAME_NUMBER, MAY),
    (replace(KEEP, issued_at="2026-02-28T10:00:00+08:00"), "2026-03-01T00:00:00", SAME_NUMBER, "CROSS_PERIOD"),
    (KEEP, "2026-03-14T00:00:00", replace(SAME_NUMBER, same_number_hours=9999), "CROSS_PERIOD"),
    (replace(KEEP, has_allowances=True, remaining_twd=1), IN_PERIOD, SAME_NUMBER, "HAS_ALLOWANCES"),
    # nothing lives
    (VOIDED, IN_PERIOD, PROFILE, MAY),
    (VOIDED, LAST_MINUTES, PROFILE, MAY),
    (VOIDED, NEXT_PERIOD, PROFILE, "VOIDED_CROSS_PERIOD"),
    (VOIDED, NEXT_PERIOD, UNTIL_CUTOFF, MAY),
    (REFUSED, IN_PERIOD, PROFILE, MAY),
    (REFUSED, NEXT_PERIOD, PROFILE, "LATE_ISSUE"),
    (replace(REFUSED, invoice_period=""), IN_PERIOD, PROFILE, "LATE_ISSUE"),
    (replace(VOIDED, state="WANTED"), IN_PERIOD, PROFILE, "NEVER_ISSUED"),
    # nobody knows yet
    (replace(ISSUED, state="ISSUING"), IN_PERIOD, PROFILE, "PENDING"),
    (replace(ISSUED, state="WAITING"), IN_PERIOD, PROFILE, "PENDING"),
    (replace(ISSUED, state="VOIDING"), IN_PERIOD, PROFILE, "PENDING"),
    (replace(ISSUED, state="REISSUING"), NEXT_PERIOD, PROFILE, "PENDING"),
]


def decided(case, now, profile):
    """The refusal at a Taipei time, or None."""
    return reissue.decide(case, now=datetime.fromisoformat(now + "+08:00"), profile=profile)


@pytest.mark.parametrize(("case", "now", "profile", "cause"), CASES)
def test_what_stands_in_the_way_is_named(case, now, profile, cause):
    """One cause, its next step and its sentence; or nothing."""
    refusal = decided(case, now, profile)
    assert (refusal and refusal.cause) == cause
    if refusal is not None:
        assert refusal.reason is reissue.Cause[cause].reason
        assert refusal.message.endswith("。")


def test_every_cause_has_a_case_here():
    """No refusal exists that nothing can lead to."""
    assert {cause for *_, cause in CASES if cause} == {cause.name for cause in reissue.Cause}


def test_every_state_of_the_ledger_is_known():
    """A new state cannot be forgotten here, and an unknown one decides nothing."""
    for state in State:
        decided(replace(ISSUED, state=state.value), IN_PERIOD, PROFILE)
    with pytest.raises(ValueError, match="state"):
        decided(replace(ISSUED, state="LOST"), IN_PERIOD, PROFILE)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("CROSS_PERIOD", Reason.USE_ALLOWANCE),
        ("VOIDED_CROSS_PERIOD", Reason.ASK_A_PERSON),
        ("PERIOD_ENDING", Reason.WAIT),
        ("ORDER_HAS_VALID_INVOICE", Reason.ORDER_HAS_INVOICE),
        ("ZERO_AMOUNT", Reason.FIX_REQUEST),
        ("MIXED_TAX_B2B", Reason.FIX_REQUEST),
        ("AMOUNT_MISMATCH", Reason.FIX_REQUEST),
    ],
)
def test_the_next_step_of_the_documented_causes(cause, reason):
    """What callers branch on does not move."""
    assert reissue.Cause[cause].reason is reason


def test_the_wait_at_the_end_of_a_period_lasts_until_the_next_one():
    """The caller learns when to ask again."""
    assert decided(ISSUED, LAST_MINUTES, PROFILE).retry_after_s == 900
    assert decided(ISSUED, "2026-02-28T23:59:59", PROFILE).retry_after_s == 1


def test_an_unknown_scope_is_an_error():
    """A profile nobody understands decides nothing."""
    with pytest.raises(ValueError, match="reissue_scope"):
        decided(ISSUED, IN_PERIOD, replace(PROFILE, reissue_scope="for ever"))

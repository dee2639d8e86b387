"""Every row of the decision tables has a case that only it decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from einvoice.errors import Reason
from einvoice.model import ProviderProfile, TaxType
from einvoice.rules import correction
from einvoice.rules.correction import Case, Cause, Change, Do
from einvoice.rules.correction_allowance import ALLOWANCE_ROWS
from einvoice.rules.correction_change import ReissueSituation
from einvoice.rules.correction_refund import REFUND_ROWS, RefundSituation
from einvoice.rules.correction_reissue import REISSUE_ROWS
from einvoice.rules.correction_rows import first

PROFILE = ProviderProfile("test")
FIRST_ALLOWANCES = replace(PROFILE, history="void_allowances_first")
ISSUED = Case(
    "ISSUED", total_twd=1050, issued_on=date(2026, 2, 19), sold_period="11502", invoice_confirmed=True, consent=True
)
CHANGE = Change(1050, 1050, business=False, tax_type=TaxType.TAXABLE, corrected=True)
KEEP = replace(CHANGE, same_number=True, same_buyer_and_amount=True, issued_at="2026-02-19T10:00:00+08:00")
KEEPS = replace(PROFILE, same_number_reissue=True)
IN_PERIOD, ENDING, NEXT_PERIOD, PAST = (
    "2026-02-20T10:00:00",
    "2026-02-28T23:45:00",
    "2026-03-02T10:00:00",
    "2026-03-14T00:00:00",
)

# index in the table, row, verdict or first step, cause, amount, case, now, profile
REFUNDS = [
    (0, "F1", "nothing", "NO_ACTION", 1050, {"state": "WANTED", "issued_on": None}, IN_PERIOD, PROFILE),
    (1, "F2", "refuse", "ALREADY_VOIDED", 1050, {"state": "VOIDED"}, IN_PERIOD, PROFILE),
    (2, "F3", "wait", "PENDING", 1050, {"state": "ALLOWING"}, IN_PERIOD, PROFILE),
    (3, "F3", "wait", "CONSENT_ASKED", 750, {"asked": True, "allowed_twd": 300}, IN_PERIOD, PROFILE),
    (4, "F4", "nothing", "NOTHING_REMAINS", 0, {"allowed_twd": 1050}, IN_PERIOD, PROFILE),
    (5, "F4", "refuse", "BAD_AMOUNT", -1, {}, IN_PERIOD, PROFILE),
    (6, "F5", "refuse", "EXCEEDS_REMAINING", 1051, {}, IN_PERIOD, PROFILE),
    (7, "F6", "refuse", "GOVERNMENT_BUYER", 1050, {"government": True}, IN_PERIOD, PROFILE),
    (8, "F7", "hold", "CONSENT_NEEDED", 1050, {"business": True, "consent": False}, IN_PERIOD, PROFILE),
    (9, "F8", "allow", "BUYER_CLAIMED", 1050, {"business": True, "claimed": True}, IN_PERIOD, PROFILE),
    (10, "F9", "review", "PRIZE_REDEEMED", 1050, {"redeemed": True}, IN_PERIOD, PROFILE),
    (11, "F10", "allow", "DONATED", 1050, {"donated": True}, IN_PERIOD, PROFILE),
    (12, "F11", "hold", "PAPER_NOT_BACK", 1050, {"printed": True}, NEXT_PERIOD, PROFILE),
    (13, "F12", "allow", "HISTORY", 1050, {"had_allowance": True}, IN_PERIOD, PROFILE),
    (14, "F13", "void", "VOIDABLE", 1050, {}, IN_PERIOD, PROFILE),
    (14, "F13", "void", "VOIDABLE", 1050, {"had_allowance": True}, IN_PERIOD, FIRST_ALLOWANCES),
    (14, "F13", "void", "VOIDABLE", 1050, {"redeemed": True, "person_ok": True}, IN_PERIOD, PROFILE),
    (14, "F13", "void", "VOIDABLE", 1050, {"donated": True}, IN_PERIOD, replace(PROFILE, void_donated=True)),
    (14, "F13", "void", "VOIDABLE", 1050, {"printed": True}, IN_PERIOD, replace(PROFILE, paper_back_required=False)),
    (14, "F13", "void", "VOIDABLE", 1050, {"claimed": True}, IN_PERIOD, PROFILE),  # a consumer deducts nothing
    (15, "F14", "void_allowances", "ALLOWANCES_FIRST", 750, {"allowed_twd": 300}, IN_PERIOD, FIRST_ALLOWANCES),
    (16, "F15", "refuse", "PARTIAL_UNSUPPORTED", 1, {}, IN_PERIOD, replace(PROFILE, partial_allowances=False)),
    (17, "F16", "allow", "PARTIAL_REFUND", 1049, {}, PAST, PROFILE),
    (18, "F18", "void", "SPECIAL_VOID", 1050, {"approval_no": "A-1"}, PAST, replace(PROFILE, special_void=True)),
    (20, "F17", "allow", "HAS_ALLOWANCES", 750, {"allowed_twd": 300}, IN_PERIOD, PROFILE),
    (21, "F17", "allow", "VOID_CLOSED", 1050, {"printed": True}, PAST, PROFILE),
    (21, "F17", "allow", "VOID_CLOSED", 1050, {"redeemed": True, "donated": True}, PAST, PROFILE),
    (21, "F17", "allow", "VOID_CLOSED", 750, {"allowed_twd": 300}, PAST, FIRST_ALLOWANCES),
]


def to(**changes):
    """The asked-for invoice, changed."""
    return replace(CHANGE, **changes)


NOT_ISSUED = {"state": "REFUSED", "issued_on": None}
UNTIL_CUTOFF = replace(PROFILE, reissue_scope="until_cutoff")
ALL_ALLOWED = {"allowed_twd": 1050}

# the same for corrections, with the change in the amount's place
CORRECTIONS = [
    (0, "C10", "refuse", "FULLY_REFUNDED", CHANGE, {"refunded_twd": 1050, **ALL_ALLOWED}, IN_PERIOD, PROFILE),
    (1, "C1", "refuse", "ZERO_AMOUNT", to(new_total_twd=0), {}, IN_PERIOD, PROFILE),
    (2, "C2", "refuse", "MIXED_TAX_B2B", to(business=True, tax_type=TaxType.MIXED), {}, IN_PERIOD, PROFILE),
    (3, "C3", "refuse", "AMOUNT_MISMATCH", to(new_total_twd=1049), {}, IN_PERIOD, PROFILE),
    (3, "C3", "refuse", "AMOUNT_MISMATCH", CHANGE, {"refunded_twd": 1}, IN_PERIOD, PROFILE),
    (4, "C4", "hold", "NUMBER_EXHAUSTED", to(numbers_left=0), {}, IN_PERIOD, PROFILE),
    (5, "C7", "wait", "PENDING", CHANGE, {"state": "VOIDING"}, IN_PERIOD, PROFILE),
    (6, "C7", "wait", "CONSENT_ASKED", CHANGE, {"asked": True}, IN_PERIOD, PROFILE),
    (7, "C5", "issue", "NOT_ISSUED", CHANGE, NOT_ISSUED, ENDING, PROFILE),
    (8, "C6", "review", "LATE_ISSUE", CHANGE, NOT_ISSUED, NEXT_PERIOD, PROFILE),
    (8, "C6", "review", "LATE_ISSUE", CHANGE, {**NOT_ISSUED, "sold_period": ""}, IN_PERIOD, PROFILE),
    (9, "C6", "issue", "LATE_ISSUE", CHANGE, {**NOT_ISSUED, "person_ok": True}, NEXT_PERIOD, PROFILE),
    (10, "C8", "issue", "VOIDED", to(corrected=False), {"state": "VOIDED"}, ENDING, PROFILE),
    (10, "C8", "issue", "VOIDED", CHANGE, {"state": "VOIDED"}, NEXT_PERIOD, UNTIL_CUTOFF),
    (11, "C9", "review", "VOIDED_CROSS_PERIOD", CHANGE, {"state": "VOIDED"}, NEXT_PERIOD, PROFILE),
    (11, "C9", "review", "VOIDED_CROSS_PERIOD", CHANGE, {"state": "VOIDED"}, PAST, UNTIL_CUTOFF),
    (11, "C9", "review", "VOIDED_CROSS_PERIOD", CHANGE, {"state": "VOIDED", "filed": True}, NEXT_PERIOD, UNTIL_CUTOFF),
    (12, "C9", "issue", "VOIDED_CROSS_PERIOD", CHANGE, {"state": "VOIDED", "person_ok": True}, NEXT_PERIOD, PROFILE),
    (13, "C10", "issue", "ALLOWED_FOR_REISSUE", CHANGE, {**ALL_ALLOWED, "reissue_allowed": True}, PAST, PROFILE),
    (
        14,
        "C10",
        "refuse",
        "FULLY_REFUNDED",
        to(new_total_twd=950, order_total_twd=2000),
        {**ALL_ALLOWED, "refunded_twd": 1050},
        IN_PERIOD,
        PROFILE,
    ),
    (15, "C10", "refuse", "FULLY_ALLOWED", CHANGE, ALL_ALLOWED, IN_PERIOD, PROFILE),
    (16, "C14", "refuse", "ORDER_HAS_VALID_INVOICE", to(corrected=False), {}, PAST, PROFILE),
    (17, "F6", "refuse", "GOVERNMENT_BUYER", CHANGE, {"government": True}, IN_PERIOD, PROFILE),
    (18, "C12", "refuse", "SAME_NUMBER_OFF", KEEP, {}, IN_PERIOD, PROFILE),
    (19, "C12", "refuse", "SAME_NUMBER_ALLOWED", KEEP, {"had_allowance": True}, IN_PERIOD, KEEPS),
    (20, "C12", "refuse", "SAME_NUMBER_OTHER_SALE", replace(KEEP, same_buyer_and_amount=False), {}, IN_PERIOD, KEEPS),
    (21, "C12", "refuse", "SAME_NUMBER_WINDOW_OVER", KEEP, {}, "2026-02-21T10:00:01", KEEPS),
    (22, "C12", "refuse", "BUYER_CLAIMED", KEEP, {"business": True, "claimed": True}, IN_PERIOD, KEEPS),
    (23, "F7", "hold", "CONSENT_NEEDED", CHANGE, {"business": True, "consent": False}, IN_PERIOD, PROFILE),
    (24, "C13", "allow", "BUYER_CLAIMED", CHANGE, {"business": True, "claimed": True}, IN_PERIOD, PROFILE),
    (25, "F9", "review", "PRIZE_REDEEMED", CHANGE, {"redeemed": True}, IN_PERIOD, PROFILE),
    (25, "F9", "review", "PRIZE_REDEEMED", KEEP, {"redeemed": True}, IN_PERIOD, KEEPS),
    (26, "F10", "allow", "DONATED", CHANGE, {"donated": True}, IN_PERIOD, PROFILE),
    (27, "F11", "hold", "PAPER_NOT_BACK", CHANGE, {"printed": True}, IN_PERIOD, PROFILE),
    (27, "F11", "hold", "PAPER_NOT_BACK", KEEP, {"printed": True}, IN_PERIOD, KEEPS),
    (28, "C12", "same_number", "SAME_NUMBER", KEEP, {}, "2026-02-21T10:00:00", KEEPS),
    (28, "C12", "same_number", "SAME_NUMBER", replace(KEEP, numbers_left=0), {"donated": True}, IN_PERIOD, KEEPS),
    (29, "C11", "wait", "PERIOD_ENDING", CHANGE, {}, ENDING, PROFILE),
    (30, "C11", "void", "CORRECTABLE", to(numbers_left=1), {}, "2026-02-28T23:44:59", PROFILE),
    (30, "C11", "void", "CORRECTABLE", CHANGE, {}, NEXT_PERIOD, UNTIL_CUTOFF),
    (30, "C11", "void", "CORRECTABLE", CHANGE, {"had_allowance": True}, IN_PERIOD, FIRST_ALLOWANCES),
    (30, "C11", "void", "CORRECTABLE", CHANGE, {"printed": True, "paper_back": True}, IN_PERIOD, PROFILE),
    (31, "C13", "allow", "HAS_ALLOWANCES", CHANGE, {"allowed_twd": 300}, IN_PERIOD, FIRST_ALLOWANCES),
    (32, "C13", "allow", "HISTORY", CHANGE, {"had_allowance": True}, IN_PERIOD, PROFILE),
    (33, "C13", "allow", "CROSS_PERIOD", CHANGE, {"printed": True, "redeemed": True}, NEXT_PERIOD, PROFILE),
    (33, "C13", "allow", "CROSS_PERIOD", CHANGE, {}, PAST, UNTIL_CUTOFF),
    (33, "C13", "allow", "CROSS_PERIOD", CHANGE, {"filed": True}, NEXT_PERIOD, UNTIL_CUTOFF),
]

# row, verdict or step, cause, what is said of the allowance, now, profile
ALLOWANCE_VOIDS = [
    ("A1", "refuse", "ALLOWANCE_ALREADY_VOIDED", {"live": False, "later_generation": True}, IN_PERIOD, PROFILE),
    ("A2", "refuse", "LATER_GENERATION", {"later_generation": True, "government": True}, IN_PERIOD, PROFILE),
    ("A3", "refuse", "GOVERNMENT_BUYER", {"government": True, "filed": True}, IN_PERIOD, PROFILE),
    ("A4", "refuse", "ALLOWANCE_VOID_CLOSED", {"filed": True}, IN_PERIOD, PROFILE),
    ("A4", "refuse", "ALLOWANCE_VOID_CLOSED", {}, PAST, PROFILE),
    (
        "A5",
        "wait",
        "NOT_UPLOADED",
        {"confirmed": False},
        IN_PERIOD,
        replace(PROFILE, upload_first=frozenset({"allowance_void"})),
    ),
    ("A6", "void_allowances", "ALLOWANCE_VOIDABLE", {"confirmed": False}, IN_PERIOD, PROFILE),
    ("A6", "void_allowances", "ALLOWANCE_VOIDABLE", {}, "2026-03-13T23:59:59", PROFILE),
    (
        "A6",
        "void_allowances",
        "ALLOWANCE_VOIDABLE",
        {"government": True},
        NEXT_PERIOD,
        replace(PROFILE, government=True),
    ),
]


def at(text):
    """A Taipei time."""
    return datetime.fromisoformat(text + "+08:00")


def name(example):
    """Where in the table, which row, what and why."""
    return "-".join(str(part) for part in example[:4])


def matching(rows, situation):
    """Where the first row that matches stands."""
    return next(index for index, row in enumerate(rows) if row.when(situation))


def void_allowance(said, now, profile):
    """The decision on an allowance of 2026-02-19."""
    usual = {"live": True, "confirmed": True, "later_generation": False, "filed": False, "government": False}
    return correction.void_allowance(allowed_on=date(2026, 2, 19), **{**usual, **said}, now=at(now), profile=profile)


def everything(decision, row, do, cause):
    """A decision is whole: its row, verdict, cause and what belongs to them."""
    assert (decision.row, decision.do.value, decision.cause) == (row, do, cause)
    assert (decision.reason, decision.message) == (Cause[cause].reason, Cause[cause].sentence)
    assert decision.source
    assert decision.parameters
    assert {step.rule for step in decision.steps} <= {row}
    if decision.steps:
        assert (decision.do, decision.deadline) == (decision.steps[0].do, decision.steps[0].deadline)


@pytest.mark.parametrize("example", REFUNDS, ids=name)
def test_a_refund_is_decided_by_the_row_meant_for_it(example):
    """The first that matches, and no other."""
    index, row, do, cause, amount_twd, case, now, profile = example
    asked = replace(ISSUED, **case)
    assert matching(REFUND_ROWS, RefundSituation(asked, at(now), profile, amount_twd)) == index
    everything(correction.refund(asked, amount_twd, now=at(now), profile=profile), row, do, cause)


def test_an_allowance_that_is_asked_for_is_decided_by_its_own_row():
    """F17, where a void would have been possible."""
    asked = correction.refund(ISSUED, 1050, now=at(IN_PERIOD), profile=PROFILE, allowance_only=True)
    everything(asked, "F17", "allow", "ALLOWANCE_ASKED")


@pytest.mark.parametrize("example", CORRECTIONS, ids=name)
def test_a_correction_is_decided_by_the_row_meant_for_it(example):
    """The first that matches, and no other."""
    index, row, do, cause, change, case, now, profile = example
    asked = replace(ISSUED, **case)
    assert matching(REISSUE_ROWS, ReissueSituation(asked, at(now), profile, change)) == index
    everything(correction.correct(asked, change, now=at(now), profile=profile), row, do, cause)


@pytest.mark.parametrize(("row", "do", "cause", "said", "now", "profile"), ALLOWANCE_VOIDS)
def test_an_allowances_void_is_decided_by_the_row_meant_for_it(row, do, cause, said, now, profile):
    """The first that matches."""
    everything(void_allowance(said, now, profile), row, do, cause)


@pytest.mark.parametrize(
    ("case", "now", "row", "do", "cause"),
    [
        ({}, IN_PERIOD, "C15", Do.VOID, "DUPLICATE"),
        ({}, PAST, "C15", Do.ALLOW, "DUPLICATE"),
        ({"donated": True}, IN_PERIOD, "C15", Do.ALLOW, "DUPLICATE"),
        ({"printed": True}, IN_PERIOD, "F11", Do.HOLD, "PAPER_NOT_BACK"),
        ({"state": "ISSUING"}, IN_PERIOD, "F3", Do.WAIT, "PENDING"),
        ({"state": "VOIDED"}, IN_PERIOD, "F2", Do.REFUSE, "ALREADY_VOIDED"),
        ({"allowed_twd": 1050}, IN_PERIOD, "F4", Do.NOTHING, "NOTHING_REMAINS"),
    ],
)
def test_a_duplicate_goes_like_a_refund_of_the_rest(case, now, row, do, cause):
    """C15: whatever the content asked for, and guarded like any refund."""
    change = to(duplicate=True, new_total_twd=0, numbers_left=0)
    decision = correction.correct(replace(ISSUED, **case), change, now=at(now), profile=PROFILE)
    everything(decision, row, do.value, cause)


def test_no_row_is_out_of_reach():
    """A row that nothing above leads to would be a rule nobody has seen work."""
    asked = RefundSituation(ISSUED, at(IN_PERIOD), PROFILE, 1050, allowance_only=True)
    assert {index for index, *_ in REFUNDS} | {matching(REFUND_ROWS, asked)} == set(range(len(REFUND_ROWS)))
    assert {index for index, *_ in CORRECTIONS} == set(range(len(REISSUE_ROWS)))
    assert {row for row, *_ in ALLOWANCE_VOIDS} == {row.id for row in ALLOWANCE_ROWS}
    assert {row.id for row in REFUND_ROWS} == {f"F{number}" for number in range(1, 19)}
    assert {row.id for row in REISSUE_ROWS} >= {f"C{number}" for number in range(1, 15)}


def test_every_cause_is_reached():
    """No sentence exists that nobody can be told: by a row, by the wait for an upload, or for a duplicate."""
    rows = {row.cause for table in (REFUND_ROWS, REISSUE_ROWS, ALLOWANCE_ROWS) for row in table}
    assert rows | {Cause.DUPLICATE} == set(Cause)


def test_every_row_names_its_source_and_what_it_looked_at():
    """No decision without a reason that can be looked up; and one id never stands for two answers of one cause."""
    for table in (REFUND_ROWS, REISSUE_ROWS, ALLOWANCE_ROWS):
        assert all(row.source and row.parameters and len(set(row.parameters)) == len(row.parameters) for row in table)


def test_a_situation_without_a_row_is_an_error():
    """An empty table decides nothing, and a parameter nobody has is not left out."""
    asked = RefundSituation(ISSUED, at(IN_PERIOD), PROFILE, 1050)
    with pytest.raises(LookupError, match="row"):
        first((), asked)
    with pytest.raises(LookupError, match="parameter"):
        first((replace(REFUND_ROWS[14], parameters=("odd",)),), asked)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("ALREADY_VOIDED", Reason.ALREADY_DONE),
        ("NOT_UPLOADED", Reason.WAIT),
        ("EXCEEDS_REMAINING", Reason.FIX_REQUEST),
        ("CONSENT_NEEDED", Reason.ASK_A_PERSON),
        ("CROSS_PERIOD", Reason.USE_ALLOWANCE),
        ("NUMBER_EXHAUSTED", Reason.ADD_NUMBERS),
        ("ORDER_HAS_VALID_INVOICE", Reason.ORDER_HAS_INVOICE),
        ("ALLOWANCES_FIRST", Reason.VOID_ALLOWANCES_FIRST),
    ],
)
def test_the_next_step_of_the_documented_causes(cause, reason):
    """What callers branch on does not move."""
    assert Cause[cause].reason is reason
